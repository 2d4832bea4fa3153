"""Union: UNION ALL of n inputs.

Meaning  the bags added up; columns match by position and take the first input's names.
Delta    linear in each input: Δ(A ∪ B) = ΔA ∪ ΔB, so an input that didn't change has no term.
State    none.
Limits   the inputs have equal column types (the binder casts).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.relation import WEIGHT, Column, Compiled, Relation, subquery
from ..pg import sql as q


@dataclass(frozen=True)
class Union(Relation):
    inputs: tuple[Relation, ...]

    @property
    def schema(self) -> tuple[Column, ...]:
        first, *rest = (relation.schema for relation in self.inputs)
        return tuple(
            Column(c.name, c.type, c.not_null and all(other[i].not_null for other in rest)) for i, c in enumerate(first)
        )

    @property
    def children(self) -> tuple[Relation, ...]:
        return self.inputs

    def with_children(self, children: tuple[Relation, ...]) -> Union:
        return Union(children)

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        weighted = any(c.weighted for c in children)
        branches = []
        for i, (relation, compiled) in enumerate(zip(self.inputs, children, strict=True)):
            columns = [
                q.sql("{own} AS {name}", own=q.ident(own), name=q.ident(name))
                for own, name in zip(relation.names, self.names, strict=True)
            ] or [q.Fragment("1 AS ivm_row")]
            if weighted:
                columns.append(q.ident(WEIGHT) if compiled.weighted else q.sql("1 AS {w}", w=q.ident(WEIGHT)))
            branches.append(q.sql("SELECT {c} FROM {s}", c=columns, s=subquery(compiled, f"ivm_u{i}")))
        return Compiled(q.join(" UNION ALL ", branches), weighted)

    def describe(self) -> str:
        return "Union all"
