"""What the ORM emits: querysets over an ordinary library, and random writes to it."""

from . import expressions, grouped, kinds, relations, sets
from .table import SHAPES, Shape

__all__ = ["SHAPES", "Shape", "expressions", "grouped", "kinds", "relations", "sets"]
