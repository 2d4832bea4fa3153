"""Aggregate: GROUP BY; one row per group, NULL keys equal; without keys exactly one row.

Meaning  γ(R): fold the input's rows by `keys`.
Delta    fold the signed change of the input per touched group first, then add it to the stored group; a group ends
         when its row count reaches 0. min and max take LEAST/GREATEST and probe the group when the stored extreme
         goes; what doesn't add up is recomputed for the touched groups.
State    keys, a row count, accumulators of each call (`operators.functions`), the outputs.
         Of a key whose equal values look different (1.0 and 1.00) one is stored that the group's rows have: it is
         fetched again when a row goes. Which one PostgreSQL shows isn't determined (`maintenance.looks`).
Limits   KEY_TYPE: a key of a type that no btree can hold.
         A running SUM isn't enough for a nullable argument: sum() of no values is NULL, not 0.
SQL      GROUP BY; correlated scalar subqueries over an aggregate
Kept     algebraic, by key
Cost     one upsert per touched group; what doesn't add up reads the touched groups, found by index
Locks    the touched groups' rows, in key order
Codes    AGGREGATE, WHOLE
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.dependencies import Dependency, closure, reduced
from ..ir.relation import Column, Compiled, Kind, Relation, subquery
from ..ir.scalar import Scalar
from ..pg import sql as q
from .functions import Call


@dataclass(frozen=True)
class Aggregate(Relation):
    """`keys` and `calls` pair output names with expressions over the input's columns."""

    child: Relation
    keys: tuple[tuple[str, Scalar], ...]
    calls: tuple[tuple[str, Call], ...]
    kind = Kind.STATEFUL

    @property
    def schema(self) -> tuple[Column, ...]:
        keys = tuple(Column(name, s.type, s.not_null) for name, s in self.keys)
        return keys + tuple(Column(name, c.type, c.function == "count") for name, c in self.calls)

    @property
    def children(self) -> tuple[Relation, ...]:
        return (self.child,)

    def with_children(self, children: tuple[Relation, ...]) -> Aggregate:
        return Aggregate(children[0], self.keys, self.calls)

    def prune(self, used: frozenset[str]) -> Aggregate:
        calls = tuple((name, call) for name, call in self.calls if name in used)
        below = frozenset(name for _, s in self.keys for name in s.columns)
        below |= {name for _, call in calls for name in call.columns}
        return Aggregate(self.child.prune(below & frozenset(self.child.names)), self.keys, calls)

    @property
    def references(self) -> frozenset[str]:
        keys = frozenset(name for _, s in self.keys for name in s.columns)
        return keys | {name for _, call in self.calls for name in call.columns}

    @property
    def one_row(self) -> bool:
        return not self.keys

    def unique_sets(self) -> list[frozenset[str]]:
        """The keys, without those that the others settle: a grouped primary key settles its whole row."""
        keys = tuple(name for name, _ in self.keys)
        return [*dict.fromkeys([reduced(keys, self._below()), frozenset(keys)])]

    def _below(self) -> list[Dependency]:
        """Dependencies of the input, and between its columns and the keys."""
        found = self.child.dependencies()
        found += [(frozenset(s.columns), frozenset([name])) for name, s in self.keys if self._settled(s)]
        return found + [(frozenset([name]), frozenset([s.column])) for name, s in self.keys if s.column]

    def _settled(self, scalar: Scalar) -> bool:
        """Rows that are equal in its columns are equal in it: 1.0 and 1.00 aren't in their text."""
        types = {c.name: c.type for c in self.child.schema}
        return scalar.column is not None or all(name in types and types[name].exact for name in scalar.columns)

    def dependencies(self) -> list[Dependency]:
        below, keys = self._below(), frozenset(name for name, _ in self.keys)
        alone = [(frozenset(given), closure(given, below) & keys) for given in ([], *([name] for name in keys))]
        return [*((key, frozenset(self.names)) for key in self.unique_sets()), *alone]

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        keys = [q.sql("{e} AS {n}", e=s.sql(), n=q.ident(name)) for name, s in self.keys]
        calls = [q.sql("{e} AS {n}", e=q.Fragment(c.text), n=q.ident(name)) for name, c in self.calls]
        by = q.sql(" GROUP BY {k}", k=[q.sql("({e})", e=s.sql()) for _, s in self.keys]) if keys else q.EMPTY
        return Compiled(
            q.sql(
                "SELECT {outputs} FROM {child}{by}",
                outputs=keys + calls,
                child=subquery(children[0], "ivm_a"),
                by=by,
            )
        )

    def describe(self) -> str:
        keys = ", ".join(name if s.column == name else f"{name} = {s}" for name, s in self.keys)
        calls = ", ".join(f"{name} = {c}" for name, c in self.calls)
        return f"Aggregate by [{keys}] [{calls}]"
