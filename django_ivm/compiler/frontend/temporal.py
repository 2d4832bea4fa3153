"""Conditions on the time: rows come and go without a write, so such a condition is left out of what is stored, and the
SELECT-only view over the table applies it, in the reader's statement and under the reader's settings.

Exact at every read, with nothing to expire; but nothing that is stored may depend on it. So it is one of the outermost
WHERE, over rows that the select list shows one by one, and the select list can't raise an error on a row that the
condition leaves out. (The other conditions of that WHERE may meet such a row in PostgreSQL too, which tests them in any
order.)

SQL      `now()`, `current_date` and their like in the outermost WHERE of a view without a model
Kept     at read time; the columns that the condition reads are stored, and indexed where it bounds them
Cost     the changed rows; readers evaluate the condition
Locks    none
Codes    TEMPORAL
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from pglast import ast, enums, parse_sql

from ..errors import Unsupported
from ..ir.reading import ReadFilter
from ..ir.relation import Relation
from ..ir.scalar import Scalar
from ..ir.total import total
from ..operators import Project
from ..pg.catalog import BOOLEAN, Catalog, FunctionInfo
from ..pg.print import print_expression, structure
from .nodes import conjuncts

_FUNCTIONS = frozenset(["now", "transaction_timestamp", "statement_timestamp"])
_SIGNATURES = frozenset([
    *(f"{name}()" for name in _FUNCTIONS), "age(timestamp with time zone)", "age(timestamp without time zone)",
])  # fmt: skip
_VALUES = ("SVFOP_CURRENT_DATE", "SVFOP_CURRENT_TIME", "SVFOP_LOCALTIME")  # beginnings: …STAMP, …_N
_BOUNDS = frozenset(["=", "<", "<=", ">", ">="])


def is_time(function: FunctionInfo) -> bool:
    """The function follows the time of the statement or transaction, and beside it nothing but settings."""
    return function.schema == "pg_catalog" and f"{function.name}({function.arguments})" in _SIGNATURES


def refuse_time(node: Any) -> None:
    """Raises Unsupported for an expression node that follows the time."""
    if _follows(node):
        find = _find(node)
        shown = f"{node.funcname[-1].sval}()" if isinstance(node, ast.FuncCall) else "the value"
        raise Unsupported("TEMPORAL", f"{shown} follows the time, and what is stored doesn't", find)


def take_off(
    node: ast.SelectStmt, outputs: tuple[str, ...], catalog: Catalog, check: Callable[[Any], None]
) -> tuple[ast.SelectStmt, ReadFilter | None]:
    """(the query as it is stored, what is left to do when it is read).

    The stored query's columns that `outputs` doesn't name are named by its select list. `check` refuses an expression
    node without a rule.
    """
    if node.whereClause is None or not _row_by_row(node, catalog):
        return node, None
    parts = conjuncts(node.whereClause)
    taken = [part for part in parts if any(map(_follows, _walk(part))) and not _has(part, ast.SubLink)]
    if not taken:
        return node, None
    stored = {structure(target.val): name for target, name in zip(node.targetList, outputs, strict=True)}
    added: list[ast.ResTarget] = []
    bound = []
    for part in taken:
        for inner in _walk(part):
            if not _follows(inner):
                check(inner)
        bound.append(_over_stored(part, stored, added))
    new = copy.copy(node)
    new.targetList = (*node.targetList, *added)
    new.whereClause = _conjunction([part for part in parts if part not in taken])
    condition = Scalar(print_expression(_conjunction(bound)), BOOLEAN)
    find = next(_find(inner) for inner in _walk(taken[0]) if _follows(inner))
    bounded = dict.fromkeys(column for part in bound if (column := _bounded(part)))
    return new, ReadFilter(outputs, condition, print_expression(_conjunction(taken)), tuple(bounded), find)


def check_stored(relation: Relation, outputs: tuple[str, ...]) -> None:
    """Refuse a select list that may raise an error on rows that the query leaves out: a write would fail by it."""
    if isinstance(relation, Project):
        bases = {column.name: column.type.base for column in relation.child.schema}
        for name, scalar in relation.outputs:
            if name in outputs and not _never_raises(scalar.node, bases):
                message = f"{name} may have no value for a row that the condition on the time leaves out"
                raise Unsupported("TEMPORAL", message, name)


def check_timeless(query: str) -> None:
    """Nothing of a query whose rows are to be stored follows the time, wherever in it."""
    for node in _walk(parse_sql(query)):
        refuse_time(node)


def _follows(node: Any) -> bool:
    """The node itself is a value of the time."""
    if isinstance(node, ast.SQLValueFunction):
        return bool(node.op.name.startswith(_VALUES))
    if not isinstance(node, ast.FuncCall) or any(part.sval != "pg_catalog" for part in node.funcname[:-1]):
        return False
    name, arguments = node.funcname[-1].sval, len(node.args or ())
    return (name in _FUNCTIONS and not arguments) or (name == "age" and arguments == 1)


def _find(node: Any) -> str:
    return f"func:{node.funcname[-1].sval}" if isinstance(node, ast.FuncCall) else "CURRENT"


def _walk(node: Any, *, into: bool = True) -> Iterator[Any]:
    """The nodes of a tree, those of subqueries only with `into`."""
    if isinstance(node, list | tuple):
        for item in node:
            yield from _walk(item, into=into)
    elif isinstance(node, ast.Node):
        yield node
        for name in node if into or not isinstance(node, ast.SubLink) else ():
            yield from _walk(getattr(node, name), into=into)


def _has(node: Any, kind: type) -> bool:
    return any(isinstance(inner, kind) for inner in _walk(node))


def _row_by_row(node: ast.SelectStmt, catalog: Catalog) -> bool:
    """The SELECT shows each row after WHERE by itself."""
    whole = ("valuesLists", "groupClause", "havingClause", "distinctClause", "limitCount", "limitOffset")
    if node.op.name != "SETOP_NONE" or any(getattr(node, name) is not None for name in whole) or node.windowClause:
        return False
    folding = {f.name for f in catalog.functions if f.kind != "f" or f.returns_set}
    calls = [inner for inner in _walk(node.targetList, into=False) if isinstance(inner, ast.FuncCall)]
    return not any(call.over or call.agg_star or call.funcname[-1].sval in folding for call in calls)


def _over_stored(node: Any, stored: dict[Any, str], added: list[ast.ResTarget]) -> Any:
    """A copy of an expression over stored columns; those that the query doesn't show are added."""
    if isinstance(node, list | tuple):
        return tuple(_over_stored(item, stored, added) for item in node)
    if not isinstance(node, ast.Node):
        return node
    if isinstance(node, ast.ColumnRef):
        key = structure(node)
        if key not in stored:
            stored[key] = f"ivm_read_{len(added) + 1}"
            added.append(ast.ResTarget(name=stored[key], val=node))
        return ast.ColumnRef(fields=(ast.String(sval=stored[key]),))
    new = copy.copy(node)
    for name in node:
        value = getattr(node, name)
        if isinstance(value, ast.Node | list | tuple):
            setattr(new, name, _over_stored(value, stored, added))
    return new


def _conjunction(parts: list[Any]) -> Any:
    if len(parts) > 1:
        return ast.BoolExpr(boolop=enums.BoolExprType.AND_EXPR, args=tuple(parts))
    return parts[0] if parts else None


def _bounded(node: Any) -> str | None:
    """The column that a comparison bounds by something without columns."""
    if not (isinstance(node, ast.A_Expr) and node.kind.name == "AEXPR_OP" and node.name[-1].sval in _BOUNDS):
        return None
    for side, other in ((node.lexpr, node.rexpr), (node.rexpr, node.lexpr)):
        if isinstance(side, ast.ColumnRef) and not _has(other, ast.ColumnRef):
            return str(side.fields[-1].sval)
    return None


def _never_raises(node: Any, bases: dict[str, str]) -> bool:
    """The expression has a value, or NULL, whatever is in its columns."""
    if isinstance(node, ast.CaseExpr):
        parts = [node.arg, node.defresult, *(x for when in node.args for x in (when.expr, when.result))]
        return all(part is None or _never_raises(part, bases) for part in parts)
    if isinstance(node, ast.CoalesceExpr | ast.MinMaxExpr):
        return all(_never_raises(part, bases) for part in node.args)
    if isinstance(node, ast.FuncCall) and len(node.funcname) == 1:
        text = node.funcname[-1].sval in ("upper", "lower", "btrim", "ltrim", "rtrim", "length", "char_length")
        return text and all(_textual(part, bases) for part in node.args)
    if isinstance(node, ast.A_Expr) and node.kind.name == "AEXPR_OP" and node.name[-1].sval == "||":
        return len(node.name) == 1 and _textual(node.lexpr, bases) and _textual(node.rexpr, bases)
    return _textual(node, bases) or total(node, bases)


def _textual(node: Any, bases: dict[str, str]) -> bool:
    """A text that has a value whatever is in its columns."""
    if isinstance(node, ast.ColumnRef):
        return bases.get(node.fields[-1].sval) in ("text", "varchar")
    if isinstance(node, ast.TypeCast):
        name = node.typeName.names[-1].sval
        return name in ("text", "varchar") and not node.typeName.arrayBounds and _never_raises(node.arg, bases)
    if isinstance(node, ast.CoalesceExpr):
        return all(_textual(part, bases) for part in node.args)
    if isinstance(node, ast.FuncCall) and node.funcname[-1].sval in ("upper", "lower", "btrim", "ltrim", "rtrim"):
        return _never_raises(node, bases)
    if isinstance(node, ast.A_Expr) and node.kind.name == "AEXPR_OP" and node.name[-1].sval == "||":
        return _never_raises(node, bases)
    return False
