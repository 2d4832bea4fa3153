"""Rewrites of a bound query, in their order. Each keeps the schema; the pipeline checks that."""

from collections.abc import Callable

from ..ir.relation import Relation
from .lower_distinct import lower_distinct
from .merge_blocks import merge_blocks
from .prune_columns import prune_columns
from .push_filters import push_filters

RULES: tuple[Callable[[Relation], Relation], ...] = (lower_distinct, merge_blocks, push_filters, prune_columns)

__all__ = ["RULES", "lower_distinct", "merge_blocks", "prune_columns", "push_filters"]
