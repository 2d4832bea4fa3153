"""Join: inner, cross and theta join of n inputs.

Meaning  rows of the inputs' product that satisfy the condition; weights multiply.
Delta    telescoping, one term for each input that changed: inputs before it as they are now, its own change,
         inputs after it as they were before: ΔA⋈B°⋈C° + A⋈ΔB⋈C° + A⋈B⋈ΔC. One changed table is one term and no
         state before the change. It is exact for a table that stands twice (each occurrence has its term).
         The two-sided formula without the cross term (ΔA⋈B + A⋈ΔB with both new) counts ΔA⋈ΔB twice.
State    none of its own; lock buckets keep two writers on different inputs from missing each other's rows.
Limits   none; outer joins and semi-joins are operators of their own.
SQL      JOIN … ON and USING, CROSS JOIN, a list of tables; LATERAL subqueries, once they are decorrelated
Kept     algebraic
Cost     per changed row its partners in the other inputs, found by index
Locks    buckets of the join key: writers of different inputs exclude each other, those of the many side hardly ever
Codes    JOIN, LATERAL, SIZE
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.dependencies import Dependency, of_conditions
from ..ir.relation import WEIGHT, Column, Compiled, Deltas, Keyed, Kind, Relation, Tables, subquery
from ..ir.scalar import Scalar
from ..pg import sql as q
from .scan import Scan
from .union import sum_of


@dataclass(frozen=True)
class Join(Relation):
    """`conditions` are joined by AND; the inputs' column names don't overlap."""

    inputs: tuple[Relation, ...]
    conditions: tuple[Scalar, ...]
    kind = Kind.BILINEAR

    @property
    def schema(self) -> tuple[Column, ...]:
        return tuple(column for relation in self.inputs for column in relation.schema)

    @property
    def children(self) -> tuple[Relation, ...]:
        return self.inputs

    def with_children(self, children: tuple[Relation, ...]) -> Join:
        return Join(children, self.conditions)

    @property
    def references(self) -> frozenset[str]:
        return frozenset(name for condition in self.conditions for name in condition.columns)

    @property
    def conditions_between(self) -> tuple[Scalar, ...]:
        return self.conditions

    def delta(self, deltas: Deltas) -> Relation | None:
        terms: list[Relation] = []
        for i, child in enumerate(self.inputs):
            own = deltas.of(child)
            if own is not None:
                after = tuple(deltas.before(other) for other in self.inputs[i + 1 :])
                terms.append(self.with_children((*self.inputs[:i], own, *after)))
        return sum_of(terms)

    @property
    def one_row(self) -> bool:
        return not self.conditions and all(child.one_row for child in self.inputs)

    def unique_sets(self) -> list[frozenset[str]]:
        combined: list[frozenset[str]] = [frozenset()]
        for child in self.inputs:
            combined = [key | other for key in combined for other in child.unique_sets()][:16]
        return combined

    def dependencies(self) -> list[Dependency]:
        return [*super().dependencies(), *of_conditions(self.conditions)]

    def with_key(self, tables: Tables) -> Keyed | None:
        parts = [child.with_key(tables) for child in self.inputs]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        key = tuple(name for part in known for name in part.key)
        return Keyed(Join(tuple(part.relation for part in known), self.conditions), key)

    def origin(self, name: str, *, outer: bool = False) -> tuple[Scan, str] | None:
        return next((child.origin(name, outer=outer) for child in self.inputs if name in child.names), None)

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        aliases = [f"ivm_j{i}" for i in range(len(children))]
        weights = [q.column(a, WEIGHT) for a, c in zip(aliases, children, strict=True) if c.weighted]
        columns = [q.ident(n) for n in self.names] or [q.Fragment("1 AS ivm_row")]
        if weights:
            columns.append(q.sql("{product} AS {w}", product=q.join(" * ", weights), w=q.ident(WEIGHT)))
        where = q.conjunction(q.sql("({c})", c=c.sql()) for c in self.conditions)
        return Compiled(
            q.sql(
                "SELECT {columns} FROM {inputs} WHERE {where}",
                columns=columns,
                inputs=[subquery(c, a) for a, c in zip(aliases, children, strict=True)],
                where=where,
            ),
            bool(weights),
        )

    def describe(self) -> str:
        return "Join " + (" AND ".join(map(str, self.conditions)) or "all pairs")
