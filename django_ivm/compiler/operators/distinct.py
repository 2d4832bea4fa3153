"""Distinct: each row once.

Meaning  δ(R): rows that are equal, NULLs included, count as one.
Delta    no rule of its own: it lowers to Aggregate over all columns, whose groups live while they have rows.
State    that aggregate's.
Limits   columns whose equal values look different (see Aggregate).
SQL      SELECT DISTINCT, UNION
Kept     algebraic
Cost     one upsert per distinct row of the change
Locks    the rows' counts, in key order
Codes    KEY_TYPE
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.relation import Column, Kind, Relation
from ..ir.scalar import column_scalar
from .aggregate import Aggregate


@dataclass(frozen=True)
class Distinct(Relation):
    child: Relation
    kind = Kind.STATEFUL

    @property
    def schema(self) -> tuple[Column, ...]:
        return self.child.schema

    @property
    def children(self) -> tuple[Relation, ...]:
        return (self.child,)

    def with_children(self, children: tuple[Relation, ...]) -> Distinct:
        return Distinct(children[0])

    def prune(self, used: frozenset[str]) -> Distinct:
        return Distinct(self.child.prune(frozenset(self.child.names)))

    def unique_sets(self) -> list[frozenset[str]]:
        return [frozenset(self.names)]

    def lower(self) -> Aggregate:
        keys = tuple((c.name, column_scalar(c.name, c.type, c.not_null)) for c in self.schema)
        return Aggregate(self.child, keys, ())

    def describe(self) -> str:
        return "Distinct"
