"""Window functions of one SELECT level: each call becomes a column of a Window below the level's expressions."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

from pglast import ast

from ..ir.relation import Relation
from ..ir.scalar import Scalar, column_scalar
from ..operators import Project, Window
from ..operators.window import builtin_name
from ..pg.print import print_expression, structure
from .expressions import Expressions, column_ref, function_name
from .scope import Names

_NOT_NULL = frozenset(["row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "count"])
_SAME_SCALE = frozenset(["sum", "min", "max", "first_value", "last_value", "nth_value"])


def with_named_windows(node: ast.SelectStmt) -> ast.SelectStmt:
    """The SELECT with what each OVER takes from the WINDOW clause written out."""
    if not node.windowClause:
        return node
    named = {window.name: window for window in node.windowClause}
    new = copy.copy(node)
    new.windowClause = None
    for name in ("targetList", "sortClause", "distinctClause"):
        setattr(new, name, _written_out(getattr(node, name), named))
    return new


def _written_out(node: Any, named: dict[str, ast.WindowDef]) -> Any:
    if isinstance(node, list | tuple):
        return tuple(_written_out(item, named) for item in node)
    if not isinstance(node, ast.Node) or isinstance(node, ast.SelectStmt):
        return node
    if isinstance(node, ast.WindowDef):
        return _resolved(node, named)
    new = copy.copy(node)
    for name in node:
        value = getattr(node, name)
        if isinstance(value, ast.Node | list | tuple):
            setattr(new, name, _written_out(value, named))
    return new


def _resolved(over: ast.WindowDef, named: dict[str, ast.WindowDef]) -> ast.WindowDef:
    base = named.get(over.name or over.refname or "")
    if base is None:
        return over
    base = _resolved(base, named) if base.refname else base
    new = copy.copy(base)
    new.name = new.refname = None
    if over.refname:  # OVER (w …) may add an order and has its own frame
        new.orderClause = over.orderClause or base.orderClause
        new.frameOptions, new.startOffset, new.endOffset = over.frameOptions, over.startOffset, over.endOffset
    return new


def bind_windows(level: Expressions, names: Names, nodes: list[Any], sorts: list[Any]) -> tuple[list[Any], list[Any]]:
    """The nodes with window calls replaced by columns; the level's relation becomes what has these columns."""
    windows = _Windows(level, names)
    nodes = [windows.replaced(node) for node in nodes]
    sorts = [windows.replaced(node) for node in sorts]
    windows.lay()
    return nodes, sorts


class _Windows:
    def __init__(self, level: Expressions, names: Names) -> None:
        self.level = level
        self.names = names
        self.computed: dict[str, str] = {}  # an expression that partitions -> its column
        # one window per set of partition columns; text of a call -> (column, node)
        self.calls: dict[frozenset[str], dict[str, tuple[str, ast.FuncCall]]] = {}

    def replaced(self, node: Any) -> Any:
        """The node with each window call replaced by a reference to its column."""
        if isinstance(node, list | tuple):
            return tuple(self.replaced(item) for item in node)
        if not isinstance(node, ast.Node) or isinstance(node, ast.SelectStmt):
            return node
        if isinstance(node, ast.FuncCall) and node.over is not None:
            return ast.ColumnRef(fields=(ast.String(sval="ivm_bound"), ast.String(sval=self._column(node))))
        found = {name: self.replaced(getattr(node, name)) for name in node}
        if all(found[name] is getattr(node, name) or found[name] == getattr(node, name) for name in found):
            return node
        new = copy.copy(node)
        for name, value in found.items():
            setattr(new, name, value)
        return new

    def _column(self, node: ast.FuncCall) -> str:
        call = self.level.bound(node)
        over = copy.copy(call.over)
        by = [self._partition_column(part) for part in over.partitionClause or ()]
        by = list(dict.fromkeys(by))
        over.partitionClause = tuple(column_ref(name) for name in by) or None
        call.over = over
        same = self.calls.setdefault(frozenset(by), {})
        text = print_expression(call)
        if text not in same:
            same[text] = (self.names.fresh(function_name(node)[1]), call)
        return same[text][0]

    def _partition_column(self, node: Any) -> str:
        if isinstance(node, ast.ColumnRef):
            name = str(node.fields[-1].sval)
            if name in self.level.relation.names:
                return name
        text = print_expression(node)
        if text not in self.computed:
            self.computed[text] = self.names.fresh("partition")
        return self.computed[text]

    def lay(self) -> None:
        """Put the windows over the level's relation, the one without PARTITION BY last: all its rows may change."""
        if not self.calls:
            return
        relation: Relation = self.level.relation
        if self.computed:
            kept = [(c.name, column_scalar(c.name, c.type, c.not_null)) for c in relation.schema]
            added = [(name, self.level.typed(text)) for text, name in self.computed.items()]
            relation = self.level.relation = Project(relation, (*kept, *added))
        for by, calls in sorted(self.calls.items(), key=lambda item: not item[0]):
            typed = tuple((name, self._typed(text, node)) for text, (name, node) in calls.items())
            partition = tuple(name for name in relation.names if name in by)
            relation = Window(relation, partition, typed)
        self.level.relation = relation

    def _typed(self, text: str, node: ast.FuncCall) -> Scalar:
        call = self.level.typed(text)
        name = builtin_name(node)
        if name in _NOT_NULL:
            call = dataclasses.replace(call, not_null=True)
        if name in _SAME_SCALE and call.type.base == "numeric":
            argument = self.level.typed(print_expression(node.args[0])).type
            digits = 0 if argument.integer else argument.scale
            call = dataclasses.replace(call, type=dataclasses.replace(call.type, scale=digits))
        return call


def has_window(node: Any) -> bool:
    """A window call stands somewhere in an expression; one in a subquery is the subquery's own."""
    if isinstance(node, list | tuple):
        return any(has_window(item) for item in node)
    if not isinstance(node, ast.Node) or isinstance(node, ast.SelectStmt):
        return False
    if isinstance(node, ast.FuncCall) and node.over is not None:
        return True
    return any(has_window(getattr(node, name)) for name in node)


Found = list[tuple[Any, ...]]
_SKELETON = (ast.WindowDef, ast.SortBy, ast.CaseWhen, ast.A_Indices)


def without_windows(nodes: tuple[Any, ...], found: Found, reference: Callable[[int], Any]) -> Any:
    """What the same expression of several levels has in common once its parts below window calls are columns.

    `found` takes the parts, each as it is in every level, and `reference` makes the column of a part by its number.
    """
    first = nodes[0]
    if has_window(first) or isinstance(first, _SKELETON):
        new = copy.copy(first)
        for name in first:
            parts = tuple(getattr(node, name) for node in nodes)
            if isinstance(parts[0], ast.Node | list | tuple) and name not in ("startOffset", "endOffset", "funcname"):
                setattr(new, name, _each_without_windows(parts, found, reference))
        return new
    found.append(nodes)
    return reference(len(found) - 1)


def _each_without_windows(parts: tuple[Any, ...], found: Found, reference: Callable[[int], Any]) -> Any:
    first = parts[0]
    if isinstance(first, list | tuple):
        return tuple(_each_without_windows(items, found, reference) for items in zip(*parts, strict=True))
    if not isinstance(first, ast.Node) or isinstance(first, ast.String | ast.TypeName):
        return first
    constant = isinstance(first, ast.A_Const) and all(structure(part) == structure(first) for part in parts)
    return first if constant else without_windows(parts, found, reference)
