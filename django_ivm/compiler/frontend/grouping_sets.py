"""GROUPING SETS, ROLLUP and CUBE: each set is grouped by itself, and the results are put together.

A set shows NULL for the keys of other sets, and GROUPING() is a constant in it. Sets that stand twice give their rows
twice, unless the query says GROUP BY DISTINCT. The set () has its one row even when there is nothing to group.

SQL      GROUPING SETS, ROLLUP, CUBE, GROUPING()
Kept     as Aggregate, one for each set
Cost     one upsert per touched group of each set
Locks    the touched groups' rows, in key order
Codes    GROUPING
"""

from __future__ import annotations

import itertools
from typing import Any

from pglast import ast

from ..errors import Unsupported
from ..operators import Project, Union
from .expressions import Expressions, column_ref
from .scope import Names, Scope, ScopeItem
from .windows import without_windows

MOST_SETS = 32  # each is a maintained relation of its own


def grouping_sets(node: ast.SelectStmt, level: Expressions) -> list[list[Any]]:
    """The keys of each set of a level; one set for a plain GROUP BY, and for none.

    Raises Unsupported for more sets than are worth keeping.
    """
    found = [_join(choice) for choice in itertools.product(*(_sets(item) for item in node.groupClause or ()))]
    if node.groupDistinct:
        found = list({frozenset(level.scalar(key).text for key in keys): keys for keys in found}.values())
    if len(found) > MOST_SETS:
        raise Unsupported("GROUPING", f"the query has {len(found)} grouping sets, more than {MOST_SETS}", "GROUPING")
    return found


def _sets(item: Any) -> list[list[Any]]:
    if not isinstance(item, ast.GroupingSet):
        return [_keys(item)]
    kind = item.kind.name.removeprefix("GROUPING_SET_")
    parts = list(item.content or ())
    if kind == "SETS":
        return [keys for part in parts for keys in _sets(part)]
    if kind == "ROLLUP":
        return [_join(map(_keys, parts[:length])) for length in range(len(parts), -1, -1)]
    if kind == "CUBE":
        if len(parts) > MOST_SETS.bit_length():
            raise Unsupported("GROUPING", f"a cube of {len(parts)} keys has too many grouping sets", "GROUPING")
        chosen = itertools.product((True, False), repeat=len(parts))
        return [_join(_keys(part) for part, take in zip(parts, c, strict=True) if take) for c in chosen]
    return [_join(map(_keys, parts))]


def _keys(item: Any) -> list[Any]:
    """`(a, b)` stands for several keys, `ROW(a, b)` for one."""
    if isinstance(item, ast.RowExpr) and item.row_format.name == "COERCE_IMPLICIT_CAST":
        return list(item.args or ())
    return [item]


def _join(parts: Any) -> list[Any]:
    return [key for part in parts for key in part]


def put_together(
    levels: list[tuple[Expressions, list[Any], list[Any]]], names: Names
) -> tuple[Expressions, list[Any], list[Any]]:
    """The union of all sets' rows, as a level with the nodes of outputs and order over it. Windows are over the union,
    so that only what they read is put together."""
    shown: list[str] = []
    found: list[tuple[Any, ...]] = []

    def reference(_: int) -> Any:
        shown.append(names.fresh("grouped"))
        return column_ref(shown[-1])

    same = zip(*(targets + sorts for _, targets, sorts in levels), strict=True)
    nodes = [without_windows(alike, found, reference) for alike in same]
    branches = []
    for i, (level, _, _) in enumerate(levels):
        scalars = [level.scalar(parts[i]) for parts in found]
        branches.append(Project(level.relation, tuple(zip(shown, scalars, strict=True))))
    union = Union(tuple(branches))
    scope = Scope([ScopeItem("", {name: name for name in union.names})])
    first = levels[0]
    return first[0].over(scope, union), nodes[: len(first[1])], nodes[len(first[1]) :]
