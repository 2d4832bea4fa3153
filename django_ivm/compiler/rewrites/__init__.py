"""Rewrites of a bound query, in their order. Each keeps the schema; the pipeline checks that."""

from collections.abc import Callable

from ..ir.relation import Relation
from .lower_distinct import lower_distinct
from .lower_set_operations import lower_set_operations
from .merge_blocks import merge_blocks
from .prune_columns import prune_columns
from .push_below_windows import push_below_windows
from .push_filters import push_filters
from .reduce_outer_joins import reduce_outer_joins
from .single_rows import single_rows
from .split_distinct import split_distinct

RULES: tuple[Callable[..., Relation], ...] = (
    lower_set_operations, lower_distinct, reduce_outer_joins, merge_blocks, push_below_windows, push_filters,
    split_distinct, prune_columns, single_rows,
)  # fmt: skip
CHOOSING = frozenset([split_distinct])  # rules that take `maintenance.choice.Choices` too

__all__ = [
    "CHOOSING",
    "RULES",
    "lower_distinct",
    "lower_set_operations",
    "merge_blocks",
    "prune_columns",
    "push_below_windows",
    "push_filters",
    "reduce_outer_joins",
    "single_rows",
    "split_distinct",
]
