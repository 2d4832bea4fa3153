"""Union: UNION ALL of n inputs.

Meaning  the bags added up; columns match by position and take the first input's names.
Delta    linear in each input: Δ(A ∪ B) = ΔA ∪ ΔB, so an input that didn't change has no term.
State    none.
Limits   the inputs have equal column types (the binder casts).
SQL      UNION ALL
Kept     algebraic
Cost     the changed rows of each branch
Locks    none
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.dependencies import Dependency
from ..ir.relation import WEIGHT, Column, Compiled, Deltas, Relation, subquery
from ..ir.scalar import column_scalar
from ..pg import sql as q
from .project import Project


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

    def delta(self, deltas: Deltas) -> Relation | None:
        return sum_of([self._renamed(part) for part in map(deltas.of, self.inputs) if part is not None])

    def _renamed(self, branch: Relation) -> Relation:
        """A branch under the union's own column names, for a delta that has no other term."""
        if branch.names == self.names:
            return branch
        pairs = zip(self.names, branch.schema, strict=True)
        return Project(branch, tuple((name, column_scalar(c.name, c.type, c.not_null)) for name, c in pairs))

    def dependencies(self) -> list[Dependency]:
        return []

    def prune(self, used: frozenset[str]) -> Union:
        kept = [i for i, name in enumerate(self.names) if name in used]
        return Union(tuple(_exactly(child, tuple(child.names[i] for i in kept)) for child in self.inputs))

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


def sum_of(parts: list[Relation]) -> Relation | None:
    """Terms of a delta added up; None for no term."""
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else Union(tuple(parts))


def _exactly(relation: Relation, names: tuple[str, ...]) -> Relation:
    """A pruned relation with just these columns, in this order, as a union's branches need."""
    pruned = relation.prune(frozenset(names))
    if pruned.names == names:
        return pruned
    columns = [pruned.column(name) for name in names]
    return Project(pruned, tuple((c.name, column_scalar(c.name, c.type, c.not_null)) for c in columns))
