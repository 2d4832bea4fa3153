"""Opaque: a whole query that has no plan, read as it stands.

Meaning  the query's rows, computed anew at each reading.
Delta    none; the view is refreshed in full.
State    none.
SQL      every query with one of the codes below, and strategy = "full"
Kept     full
Cost     a write only marks the view as stale; a refresh computes the query and applies the difference
Locks    none
Codes    STRATEGY, LOCKING, SAMPLE
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.relation import Column, Compiled, Relation
from ..pg import sql as q


@dataclass(frozen=True)
class Opaque(Relation):
    """`definition` is the ordinary SQL view that holds the query; `columns` pairs outputs with its columns."""

    definition: tuple[str, str]
    columns: tuple[tuple[Column, str], ...]

    @property
    def schema(self) -> tuple[Column, ...]:
        return tuple(column for column, _ in self.columns)

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        columns = [q.sql("{s} AS {n}", s=q.ident(s), n=q.ident(c.name)) for c, s in self.columns]
        return Compiled(q.sql("SELECT {c} FROM {v}", c=columns, v=q.qualified(*self.definition)))

    def describe(self) -> str:
        return f"Opaque {'.'.join(self.definition)}"
