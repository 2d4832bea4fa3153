"""Project: expressions of each row.

Meaning  π(R), duplicates kept.
Delta    linear: π(ΔR), weights unchanged.
State    none.
Limits   expressions must be immutable and row-local.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.relation import Column, Compiled, Relation, subquery, weight_column
from ..ir.scalar import Scalar
from ..pg import sql as q


@dataclass(frozen=True)
class Project(Relation):
    """`outputs` pairs each output column's name with its expression."""

    child: Relation
    outputs: tuple[tuple[str, Scalar], ...]

    @property
    def schema(self) -> tuple[Column, ...]:
        return tuple(Column(name, s.type, s.not_null) for name, s in self.outputs)

    @property
    def children(self) -> tuple[Relation, ...]:
        return (self.child,)

    def with_children(self, children: tuple[Relation, ...]) -> Project:
        return Project(children[0], self.outputs)

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        (child,) = children
        outputs = [q.sql("{e} AS {n}", e=s.sql(), n=q.ident(name)) for name, s in self.outputs]
        return Compiled(
            q.sql(
                "SELECT {outputs} FROM {child}",
                outputs=(outputs or [q.Fragment("1 AS ivm_row")]) + weight_column(child.weighted),
                child=subquery(child, "ivm_p"),
            ),
            child.weighted,
        )

    def describe(self) -> str:
        shown = (name if s.column == name else f"{name} = {s}" for name, s in self.outputs)
        return f"Project [{', '.join(shown)}]"
