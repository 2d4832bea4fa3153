"""Probes: the database is asked for the type of an expression, and the compiler stays pure.

A probe is an expression over typed NULLs, so it needs no table: `SELECT a * 2 FROM (SELECT NULL::numeric(12,2) AS a)`.
The binder looks a probe up in the catalog; one that isn't there yet is noted for the analyser, which asks the
database and binds again.
"""

from __future__ import annotations

from typing import Protocol

from ..ir.relation import Column
from ..ir.scalar import Scalar
from ..pg import sql as q
from ..pg.catalog import Type


class Columns(Protocol):
    """Whatever knows columns by name."""

    def column(self, name: str) -> Column: ...


def probe(text: str, relation: Columns) -> str:
    """The probing query of an expression over a relation's columns."""
    return q.sql("SELECT {e} FROM {s}", e=q.Fragment(text), s=typed_nulls(Scalar(text).columns, relation)).text


def typed_nulls(names: tuple[str, ...], relation: Columns) -> q.Fragment:
    """A row of NULLs of the columns' types, for a FROM clause."""
    columns = []
    for name in names:
        type_: Type = relation.column(name).type
        collation = q.Fragment(f" COLLATE {type_.collation}") if type_.collation else q.EMPTY
        columns.append(q.sql("NULL::{t}{c} AS {n}", t=q.Fragment(type_.sql), c=collation, n=q.ident(name)))
    return q.sql("(SELECT {c}) ivm_probe", c=columns or [q.Fragment("1")])


class Probes:
    """Types by probe, and the probes still to be answered."""

    def __init__(self, known: dict[str, Type]) -> None:
        self._known = known
        self.missing: dict[str, None] = {}

    def type_of(self, text: str, relation: Columns) -> Type | None:
        """The type, or None after noting that it must be asked for."""
        if any(relation.column(name).type.kind == "?" for name in Scalar(text).columns):
            return None  # asked for in the next round, when its own columns are known
        return self.ask(probe(text, relation))

    def ask(self, query: str) -> Type | None:
        """The type of a query's one column."""
        if PENDING.sql in query:  # a cast to a type that is asked for in this round
            return None
        if query in self._known:
            return self._known[query]
        self.missing[query] = None
        return None


PENDING = Type("ivm_pending", "?", kind="?")
