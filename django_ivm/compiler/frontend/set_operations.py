"""UNION, INTERSECT and EXCEPT: branches with common names and types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pglast import ast

from ..ir.relation import Column, Relation
from ..ir.scalar import Scalar, column_scalar
from ..operators import Distinct, Project, Scan, SetOperation, Union
from ..pg import sql as q

if TYPE_CHECKING:
    from .bind import Binder
    from .expressions import Expressions

_UNION = "SETOP_UNION"


def set_operation(
    binder: Binder,
    node: ast.SelectStmt,
    ctes: dict[str, Any],
    wanted: tuple[str, ...] | None,
    outer: Expressions | None,
) -> Relation:
    """One set operation; a chain of the same one is one operation of many branches."""
    left, right = (binder.select(branch, ctes, outer=outer) for branch in (node.larg, node.rarg))
    types = [_common_type(binder, *pair) for pair in zip(left.schema, right.schema, strict=True)]
    names = wanted or tuple(binder.names.fresh(name) for name in left.names)
    known = [column.type.sql for column in left.schema] == [type_.sql for type_ in types]
    chain = _branches(left, node) if known else (left,)
    inputs = tuple(_as(branch, names, types) for branch in (*chain, right))
    if node.op.name == _UNION:
        return Union(inputs) if node.all else Distinct(Union(inputs))
    counts = tuple(binder.names.fresh("count") for _ in inputs)
    operation = node.op.name.removeprefix("SETOP_")
    return SetOperation(inputs, operation, counts, binder.names.fresh("copy") if node.all else None)


def _branches(left: Relation, node: ast.SelectStmt) -> tuple[Relation, ...]:
    """The branches of a left operand that is the same operation; itself when it is another.

    (A − B) − C = A − B − C and (A ∩ B) ∩ C = A ∩ B ∩ C, with counts as without.
    """
    if node.op.name == _UNION:
        if node.all and isinstance(left, Union):
            return left.inputs
        if not node.all and isinstance(left, Distinct) and isinstance(left.child, Union):
            return left.child.inputs
    elif isinstance(left, SetOperation):
        same = (node.op.name.removeprefix("SETOP_"), bool(node.all)) == (left.operation, left.copy is not None)
        return left.inputs if same else (left,)
    return (left,)


def _as(branch: Relation, names: tuple[str, ...], types: list[Any]) -> Relation:
    outputs = []
    for name, column, type_ in zip(names, branch.schema, types, strict=True):
        scalar = column_scalar(column.name, column.type, column.not_null)
        if column.type.sql != type_.sql:
            text = q.sql("CAST({e} AS {t})", e=scalar.sql(), t=q.Fragment(type_.sql)).text
            scalar = Scalar(text, type_, column.not_null)
        outputs.append((name, scalar))
    return Project(branch, tuple(outputs))


def _common_type(binder: Binder, left: Column, right: Column) -> Any:
    """The type PostgreSQL gives the column of a set operation, asked through a probe of it."""
    if left.type == right.type:
        return left.type
    sample = Scan("", "", ((Column("l", left.type), "l"), (Column("r", right.type), "r")))
    type_ = binder.probes.type_of("COALESCE(l, r)", sample)
    return type_ or left.type
