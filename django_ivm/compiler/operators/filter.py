"""Filter: the rows that satisfy a condition.

Meaning  σ(R): rows whose condition is true; NULL counts as false.
Delta    linear: σ(ΔR).
State    none.
Limits   the condition must be immutable and row-local.
SQL      WHERE, HAVING, conditions of inner joins
Kept     algebraic
Cost     the changed rows
Locks    none
Codes    VOLATILE, STABLE, FUNCTION_OWNER, EXPRESSION
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.dependencies import Dependency, of_conditions
from ..ir.relation import Column, Compiled, Keyed, Relation, Tables, subquery, weight_column
from ..ir.scalar import Scalar
from ..pg import sql as q
from .scan import Scan


@dataclass(frozen=True)
class Filter(Relation):
    child: Relation
    condition: Scalar

    @property
    def schema(self) -> tuple[Column, ...]:
        return self.child.schema

    @property
    def children(self) -> tuple[Relation, ...]:
        return (self.child,)

    def with_children(self, children: tuple[Relation, ...]) -> Filter:
        return Filter(children[0], self.condition)

    @property
    def references(self) -> frozenset[str]:
        return frozenset(self.condition.columns)

    def unique_sets(self) -> list[frozenset[str]]:
        return self.child.unique_sets()

    def dependencies(self) -> list[Dependency]:
        return [*self.child.dependencies(), *of_conditions((self.condition,))]

    def with_key(self, tables: Tables) -> Keyed | None:
        inner = self.child.with_key(tables)
        return inner and Keyed(Filter(inner.relation, self.condition), inner.key)

    def origin(self, name: str, *, outer: bool = False) -> tuple[Scan, str] | None:
        return self.child.origin(name, outer=outer)

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        (child,) = children
        columns = [q.ident(n) for n in self.names] or [q.Fragment("1 AS ivm_row")]
        return Compiled(
            q.sql(
                "SELECT {columns} FROM {child} WHERE {condition}",
                columns=columns + weight_column(child.weighted),
                child=subquery(child, "ivm_f"),
                condition=self.condition.sql(),
            ),
            child.weighted,
        )

    def describe(self) -> str:
        return f"Filter {self.condition}"
