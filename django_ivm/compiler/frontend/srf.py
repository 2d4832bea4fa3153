"""Set-returning functions, in FROM and in the select list, become Expand."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from pglast import ast

from ..errors import Unsupported
from ..ir.relation import Column, Relation
from ..ir.scalar import Scalar
from ..operators import Expand
from ..pg import sql as q
from ..pg.print import print_expression
from .expressions import Expressions, function_name
from .probes import PENDING, typed_nulls

if TYPE_CHECKING:
    from .bind import Binder


def bind_function(
    binder: Binder, row: Expressions, item: ast.RangeFunction, outer: bool
) -> tuple[Relation, dict[str, str], str]:
    """A function in FROM beside each row of a level: the relation, the item's columns by name, its alias."""
    calls = []
    for function in item.functions:
        node, definitions = function
        if definitions or item.coldeflist or not isinstance(node, ast.FuncCall):
            raise Unsupported("SRF", "a function in FROM with a column definition list has no rule", "SRF")
        calls.append(Scalar(print_expression(_with_bound_arguments(row, node))))
    if item.alias is None or not item.alias.colnames:
        raise Unsupported("SRF", "a function in FROM without column names has no rule", "SRF")
    shown = [part.sval for part in item.alias.colnames]
    names = [binder.names.fresh(name) for name in shown]
    types = _types(row, calls, names, bool(item.ordinality))
    columns = tuple(Column(name, type_) for name, type_ in zip(names, types, strict=True))
    relation = Expand(row.relation, tuple(calls), columns, bool(item.ordinality), outer)
    return relation, dict(zip(shown, names, strict=True)), item.alias.aliasname


def _with_bound_arguments(row: Expressions, node: ast.FuncCall) -> ast.FuncCall:
    """The call itself isn't row-local, what it is given must be."""
    if node.over is not None or node.agg_order or node.agg_filter:
        raise Unsupported("SRF", "this form of a set-returning function has no rule", "SRF")
    new = copy.copy(node)
    new.args = row.bound(tuple(node.args or ()))
    return new


def _types(row: Expressions, calls: list[Scalar], names: list[str], ordinality: bool) -> list[Any]:
    used = tuple(dict.fromkeys(name for call in calls for name in call.columns))
    if any(row.column(name).type.kind == "?" for name in used):
        return [PENDING] * len(names)
    function = q.sql("ROWS FROM ({f})", f=[call.sql() for call in calls]) if len(calls) > 1 else calls[0].sql()
    found = []
    for name in names:
        query = q.sql(
            "SELECT ivm_f.{c} FROM {nulls}, LATERAL {f}{o} AS ivm_f ({names})",
            c=q.ident(name),
            nulls=typed_nulls(used, row),
            f=function,
            o=q.Fragment(" WITH ORDINALITY" if ordinality else ""),
            names=[q.ident(n) for n in names],
        )
        found.append(row.probes.ask(query.text) or PENDING)
    return found


def expand_targets(level: Expressions, nodes: list[Any]) -> list[Any]:
    """The select list with set-returning calls replaced by columns; all of one list run in step."""
    calls: dict[str, tuple[str, Scalar]] = {}
    names = level.subqueries.binder.names if level.subqueries else None

    def replaced(node: Any) -> Any:
        if isinstance(node, list | tuple):
            return tuple(replaced(part) for part in node)
        if not isinstance(node, ast.Node) or isinstance(node, ast.SelectStmt):
            return node
        if isinstance(node, ast.FuncCall) and _returns_set(level, node):
            assert names is not None
            call = Scalar(print_expression(_with_bound_arguments(level, node)))
            name, _ = calls.setdefault(call.text, (names.fresh(function_name(node)[1]), call))
            return ast.ColumnRef(fields=(ast.String(sval="ivm_bound"), ast.String(sval=name)))
        new = copy.copy(node)
        for field in node:
            value = getattr(node, field)
            if isinstance(value, ast.Node | list | tuple):
                setattr(new, field, replaced(value))
        return new

    if not any(f.returns_set for f in level.catalog.functions):
        return nodes
    found = [replaced(node) for node in nodes]
    if calls:
        columns = []
        for name, call in calls.values():
            type_ = level.probes.type_of(call.text, level) or PENDING
            if type_.kind in ("c", "p") and type_ is not PENDING:
                find = f"func:{function_name(call.node)[1]}"
                raise Unsupported("SRF", f"{call.text} returns rows of several columns", find)
            columns.append(Column(name, type_))
        level.relation = Expand(level.relation, tuple(call for _, call in calls.values()), tuple(columns))
    return found


def _returns_set(level: Expressions, node: ast.FuncCall) -> bool:
    return node.over is None and any(
        f.returns_set for f in level.catalog.functions if (f.schema, f.name) == function_name(node)
    )
