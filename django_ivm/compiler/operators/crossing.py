"""Crossing: part of the delta of a comparison with a single value, when the value moves.

Meaning  rows of the input between the value before and the value after, weighted by whether they now pass.
Delta    none: it is a part of SemiJoin's.
State    none.
Limits   `<`, `<=`, `>` and `>=` between an expression over the rows and one over the value. An index on the former
         makes it cost what lies between, not the whole input.
SQL      a comparison with a scalar subquery: x > (SELECT avg(x) …)
Kept     algebraic
Cost     when the value moves, the rows between the old and the new one, found by index
Locks    as SemiJoin
Codes    SUBQUERY
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pglast import ast

from ..ir.relation import WEIGHT, Column, Compiled, Relation, subquery
from ..ir.scalar import Scalar
from ..pg import sql as q
from ..pg.print import print_expression

_TURNED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
# Bounds of the rows between, and the condition under which they come in.
_BETWEEN = {
    ">": ("{x} > ivm_low AND {x} <= ivm_high", "ivm_to < ivm_from"),
    ">=": ("{x} >= ivm_low AND {x} < ivm_high", "ivm_to < ivm_from"),
    "<": ("{x} >= ivm_low AND {x} < ivm_high", "ivm_to > ivm_from"),
    "<=": ("{x} > ivm_low AND {x} <= ivm_high", "ivm_to > ivm_from"),
}


@dataclass(frozen=True)
class Comparison:
    """`row operator value`."""

    row: Scalar
    operator: str
    value: Scalar


def comparison(condition: Scalar, rows: frozenset[str], value: frozenset[str]) -> Comparison | None:
    """The condition as a comparison of an expression over the rows with one over the value; None if it isn't one."""
    node = condition.node
    if not (isinstance(node, ast.A_Expr) and node.kind.name == "AEXPR_OP" and len(node.name) == 1 and node.lexpr):
        return None
    operator = node.name[0].sval
    left, right = (Scalar(print_expression(side)) for side in (node.lexpr, node.rexpr))
    if operator not in _TURNED or not left.columns or not right.columns:
        return None
    if set(left.columns) <= rows and set(right.columns) <= value:
        return Comparison(left, operator, right)
    if set(right.columns) <= rows and set(left.columns) <= value:
        return Comparison(right, _TURNED[operator], left)
    return None


@dataclass(frozen=True)
class Crossing(Relation):
    """`change` is the value's: −before, +after."""

    rows: Relation
    change: Relation
    compared: Comparison

    @property
    def schema(self) -> tuple[Column, ...]:
        return self.rows.schema

    @property
    def children(self) -> tuple[Relation, ...]:
        return self.rows, self.change

    def with_children(self, children: tuple[Relation, ...]) -> Crossing:
        return replace(self, rows=children[0], change=children[1])

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        rows, change = children
        assert not rows.weighted
        x, operator = self.compared.row.sql(), self.compared.operator
        between, entering = _BETWEEN[operator]
        columns = [q.ident(n) for n in self.names]
        moved = q.sql(
            "SELECT {c}, CASE WHEN {entering} THEN 1 ELSE -1 END AS {w} FROM ivm_b, {rows} "
            "WHERE ivm_from IS NOT NULL AND ivm_to IS NOT NULL AND {between}",
            c=columns,
            entering=q.Fragment(entering),
            w=q.ident(WEIGHT),
            rows=subquery(rows, "ivm_a"),
            between=q.sql(between, x=q.sql("({x})", x=x)),
        )
        # A value that comes out of nothing, or goes: NULL lets no row pass.
        appeared = q.sql(
            "SELECT {c}, CASE WHEN ivm_from IS NULL THEN 1 ELSE -1 END AS {w} FROM ivm_b, {rows} "
            "WHERE (ivm_from IS NULL) <> (ivm_to IS NULL) AND ({x}) {o} coalesce(ivm_to, ivm_from)",
            c=columns,
            w=q.ident(WEIGHT),
            rows=subquery(rows, "ivm_a"),
            x=x,
            o=q.Fragment(operator),
        )
        return Compiled(
            q.sql(
                "SELECT * FROM (WITH ivm_b AS MATERIALIZED (SELECT ivm_from, ivm_to, "
                "least(ivm_from, ivm_to) AS ivm_low, greatest(ivm_from, ivm_to) AS ivm_high FROM (SELECT "
                "(array_agg(ivm_value) FILTER (WHERE {w} < 0))[1] AS ivm_from, "
                "(array_agg(ivm_value) FILTER (WHERE {w} > 0))[1] AS ivm_to FROM (SELECT ivm_value, sum({w}) AS {w} "
                "FROM (SELECT {value} AS ivm_value, {w} FROM {change}) ivm_y GROUP BY ivm_value HAVING sum({w}) <> 0) "
                "ivm_z) ivm_x) {moved} UNION ALL {appeared}) ivm_q",
                w=q.ident(WEIGHT),
                value=self.compared.value.sql(),
                change=subquery(change, "ivm_m"),
                moved=moved,
                appeared=appeared,
            ),
            True,
        )

    def describe(self) -> str:
        return f"Rows that {self.compared.row} {self.compared.operator} {self.compared.value} crosses"
