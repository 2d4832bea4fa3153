"""Project: expressions of each row.

Meaning  π(R), duplicates kept.
Delta    linear: π(ΔR), weights unchanged.
State    none.
Limits   expressions must be immutable and row-local.
SQL      the select list; subqueries and CTEs in FROM (equal ones that have a state share it)
Kept     algebraic
Cost     the changed rows
Locks    none
Codes    VOLATILE, STABLE, FUNCTION_OWNER, EXPRESSION, WHOLE_ROW
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.dependencies import Dependency, closure
from ..ir.relation import Column, Compiled, Keyed, Relation, Tables, subquery, weight_column
from ..ir.scalar import Scalar, column_scalar
from ..pg import sql as q
from ..pg.names import shorten
from .scan import Scan


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

    @property
    def references(self) -> frozenset[str]:
        return frozenset(name for _, s in self.outputs for name in s.columns)

    @property
    def carried(self) -> dict[str, str]:
        """Columns of the input that an output merely copies, and that output."""
        return {s.column: name for name, s in self.outputs if s.column}

    def prune(self, used: frozenset[str]) -> Project:
        outputs = tuple((name, s) for name, s in self.outputs if name in used)
        below = frozenset(name for _, s in outputs for name in s.columns)
        return Project(self.child.prune(below & frozenset(self.child.names)), outputs)

    @property
    def one_row(self) -> bool:
        return self.child.one_row

    def unique_sets(self) -> list[frozenset[str]]:
        """The input's keys in columns that are carried: themselves, or others that settle them."""
        carried, below = self.carried, self.child.dependencies()
        found = []
        for key in self.child.unique_sets():
            kept = [name for name in carried if name in key] if key <= set(carried) else list(carried)
            if key <= closure(kept, below):
                for name in reversed(list(kept)):
                    if key <= closure([n for n in kept if n != name], below):
                        kept.remove(name)
                found.append(frozenset(carried[name] for name in kept))
        return [*dict.fromkeys(found)]

    def dependencies(self) -> list[Dependency]:
        found = [(frozenset(s.columns), frozenset([name])) for name, s in self.outputs]
        found += [(frozenset([name]), frozenset([s.column])) for name, s in self.outputs if s.column]
        return [*self.child.dependencies(), *found]

    def identified_by(self, columns: frozenset[str]) -> bool:
        return self.child.identified_by(closure(columns, self.dependencies()) & frozenset(self.child.names))

    def with_key(self, tables: Tables) -> Keyed | None:
        inner = self.child.with_key(tables)
        if inner is None:
            return None
        key: list[str] = []
        outputs, carried = list(self.outputs), self.carried
        for name in inner.key:
            if name not in carried:
                column = inner.relation.column(name)
                carried[name] = shorten(name if name.startswith("ivm_key_") else f"ivm_key_{name}")
                outputs.append((carried[name], column_scalar(name, column.type, column.not_null)))
            key.append(carried[name])
        return Keyed(Project(inner.relation, tuple(outputs)), tuple(key))

    def origin(self, name: str, *, outer: bool = False) -> tuple[Scan, str] | None:
        copied = next(s.column for output, s in self.outputs if output == name)
        return self.child.origin(copied, outer=outer) if copied else None

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
