"""TopN: ORDER BY … LIMIT.

Meaning  the rows from `offset` on, `limit` of them, in an order; with `ties` also those that are equal in it to the
         last one.
Delta    none while every changed row sorts after the boundary (the last row kept) and the rows kept are all there;
         otherwise the N rows are read anew from the stored input, through its index on the order.
State    the N rows; the input is stored as a table of its own.
Limits   ORDER: an order with ties lets PostgreSQL choose among them, so that no table can equal the query, unless
         the tied rows look alike or all of them are kept.
SQL      ORDER BY with LIMIT, OFFSET, FETCH FIRST … WITH TIES
Kept     by key
Cost     nothing while changes sort after the last row; else the first N rows, found by an index on the order
Locks    writers share a bucket; one that may move the last row excludes the others
Codes    LIMIT
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.relation import Column, Compiled, Kind, Relation, subquery
from ..pg import sql as q


@dataclass(frozen=True)
class SortKey:
    """One ORDER BY item over an output column."""

    column: str
    descending: bool = False
    nulls_first: bool = False

    def sql(self) -> q.Fragment:
        direction = q.Fragment(" DESC" if self.descending else " ASC")
        nulls = q.Fragment(" NULLS FIRST" if self.nulls_first else " NULLS LAST")
        return q.sql("{c}{d}{n}", c=q.ident(self.column), d=direction, n=nulls)


@dataclass(frozen=True)
class TopN(Relation):
    child: Relation
    order: tuple[SortKey, ...]
    limit: int | None
    offset: int = 0
    ties: bool = False
    kind = Kind.STATEFUL

    @property
    def schema(self) -> tuple[Column, ...]:
        return self.child.schema

    @property
    def children(self) -> tuple[Relation, ...]:
        return (self.child,)

    def with_children(self, children: tuple[Relation, ...]) -> TopN:
        return TopN(children[0], self.order, self.limit, self.offset, self.ties)

    @property
    def references(self) -> frozenset[str]:
        return frozenset(key.column for key in self.order)

    def unique_sets(self) -> list[frozenset[str]]:
        single: list[frozenset[str]] = [frozenset()] if self.limit == 1 and not self.ties else []
        return [*single, *self.child.unique_sets()]

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        limit = "FETCH FIRST {n} ROWS WITH TIES" if self.ties else "LIMIT {n}"
        return Compiled(
            q.sql(
                "SELECT {columns} FROM {child} ORDER BY {order}{limit}{offset}",
                columns=[q.ident(n) for n in self.names],
                child=subquery(children[0], "ivm_t"),
                order=[key.sql() for key in self.order],
                limit=q.sql(" " + limit, n=q.literal(self.limit)) if self.limit is not None else q.EMPTY,
                offset=q.sql(" OFFSET {n}", n=q.literal(self.offset)) if self.offset else q.EMPTY,
            )
        )

    def describe(self) -> str:
        ties = " with ties" if self.ties else ""
        return f"Top {self.limit}{ties} offset {self.offset} by {', '.join(k.sql().text for k in self.order)}"
