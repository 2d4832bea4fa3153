"""WITH RECURSIVE: a CTE that refers to itself becomes a base and a linear step."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pglast import ast

from ..errors import Unsupported
from ..ir.relation import Column, Relation
from ..ir.scalar import Scalar, column_scalar
from ..operators import Distinct, Expand, Filter, Join, OuterJoin, Project, Recursive, SemiJoin, Union
from ..operators.recursive import Reference, references
from ..pg import sql as q
from .single import unique_columns

if TYPE_CHECKING:
    from .bind import Binder
    from .expressions import Expressions

_EACH_ROW = (Project, Filter, Expand, Join, Union)  # of which no input reads several rows of R together
_FIND = "RECURSIVE"


@dataclass(frozen=True)
class RecursiveCte:
    """A CTE of WITH RECURSIVE that names itself, and the CTEs before it."""

    cte: ast.CommonTableExpr
    before: dict[str, Any]


@dataclass(frozen=True)
class OwnRows:
    """What the name of a recursive CTE means in its own step: R with these columns, called `names` by the query."""

    columns: tuple[Column, ...]
    names: tuple[str, ...]


def calls_itself(cte: ast.CommonTableExpr) -> bool:
    """The CTE's query names the CTE."""
    return _names(cte.ctequery, cte.ctename)


def _names(node: Any, name: str) -> bool:
    if isinstance(node, list | tuple):
        return any(_names(item, name) for item in node)
    if not isinstance(node, ast.Node):
        return False
    if isinstance(node, ast.RangeVar):
        return node.schemaname is None and node.relname == name
    return any(_names(getattr(node, field), name) for field in node)


def bind_recursive(binder: Binder, found: RecursiveCte, names: tuple[str, ...], outer: Expressions | None) -> Recursive:
    """The recursion; `names` are its columns as the query calls them.

    Raises Unsupported for a recursion that isn't linear, or whose rows may repeat under UNION ALL.
    """
    cte, node = found.cte, found.cte.ctequery
    if cte.search_clause or cte.cycle_clause:
        raise Unsupported("RECURSIVE", "SEARCH and CYCLE have no rule", _FIND)
    if node.op.name != "SETOP_UNION" or node.sortClause or node.limitCount or node.limitOffset:
        raise Unsupported("RECURSIVE", f"{cte.ctename} isn't a base UNION a step", _FIND)
    ctes = binder.with_clause(node, found.before)
    base = binder.select(node.larg, ctes, outer=outer)
    columns = tuple(
        Column(binder.names.fresh(name), c.type, c.not_null) for name, c in zip(names, base.schema, strict=True)
    )
    step, columns = _step(binder, found, ctes, OwnRows(columns, names), outer)
    known = not binder.probes.missing  # else all is bound again
    key = unique_columns(base, _linear(step, distinct=False), columns) if node.all and known else None
    if node.all and known and key is None:
        message = (
            "equal rows can't be ruled out under UNION ALL, and counting them isn't exact where rows go in circles"
        )
        raise Unsupported("RECURSIVE", message, _FIND)
    while isinstance(base, Distinct) and not node.all:
        base = base.child
    step = _cast(_linear(step, distinct=True), columns)
    recursive = Recursive(base, step, columns, (key,) if key is not None else ())
    if recursive.free:
        raise Unsupported("RECURSIVE", "a recursion that names columns of a query around it has no rule", _FIND)
    return recursive


def _step(
    binder: Binder, found: RecursiveCte, ctes: dict[str, Any], rows: OwnRows, outer: Expressions | None
) -> tuple[Relation, tuple[Column, ...]]:
    """The step, bound over R's columns as both base and step have them: NOT NULL, and of the same scale, only where
    the step keeps that."""
    while True:
        step = binder.select(found.cte.ctequery.rarg, {**ctes, found.cte.ctename: rows}, outer=outer)
        columns = tuple(map(_both, rows.columns, step.schema))
        if columns == rows.columns:
            return step, columns
        rows = dataclasses.replace(rows, columns=columns)


def _both(own: Column, met: Column) -> Column:
    """A column of R as far as it is one in base and step: what is known of the look of numerics holds in both."""
    pending = "?" in (own.type.kind, met.type.kind)
    same = all(getattr(own.type, known) == getattr(met.type, known) for known in ("scale", "scales", "whole"))
    type_ = own.type if same or pending else dataclasses.replace(own.type, scale=None, scales=(), whole=False)
    return Column(own.name, type_, own.not_null and met.not_null)


def _cast(step: Relation, columns: tuple[Column, ...]) -> Relation:
    """The step with the base's types: a narrower one must not limit what follows."""
    outputs = []
    for own, met in zip(columns, step.schema, strict=True):
        scalar = column_scalar(met.name, met.type, met.not_null)
        if met.type.sql != own.type.sql and "?" not in (own.type.kind, met.type.kind):
            text = q.sql("CAST({e} AS {t})", e=scalar.sql(), t=q.Fragment(own.type.sql)).text
            scalar = Scalar(text, own.type, met.not_null)
        outputs.append((met.name, scalar))
    return step if all(s.column for _, s in outputs) else Project(step, tuple(outputs))


def reference(binder: Binder, rows: OwnRows) -> Reference:
    """R where its own step reads it."""
    return Reference(tuple((Column(binder.names.fresh(c.name), c.type, c.not_null), c.name) for c in rows.columns))


def _linear(step: Relation, *, distinct: bool) -> Relation:
    """The step, checked to treat each row of R by itself. R is a set, so DISTINCT (if allowed) means nothing in it."""
    found = references(step)
    if len(found) != 1:
        raise Unsupported("RECURSIVE", f"the step comes to read its own rows {len(found)} times", _FIND)

    def check(relation: Relation) -> Relation:
        if not references(relation) or isinstance(relation, Reference):
            return relation
        if isinstance(relation, Distinct) and distinct:
            return check(relation.child)
        kept = (isinstance(relation, OuterJoin) and not relation.full) or isinstance(relation, SemiJoin)
        if not isinstance(relation, _EACH_ROW) and not (kept and references(relation.children[0])):
            what = relation.describe().split(" ")[0].lower()
            raise Unsupported("RECURSIVE", f"the step isn't linear: it reads its own rows through {what}", _FIND)
        return relation.with_children(tuple(check(child) for child in relation.children))

    return check(step)
