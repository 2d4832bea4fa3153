"""Scan: the rows of one table.

Meaning  the table's rows, only the columns that the view reads.
Delta    the transition tables: −old, +new.
State    none: the table itself is the state after the change; before it, the rows now minus the change.
Limits   a maintained table may hold rows of count zero for an instant; `live` leaves them out.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.relation import Column, Compiled, Relation
from ..pg import sql as q


@dataclass(frozen=True)
class Scan(Relation):
    """`columns` pairs each output column with the table's column; `leaf` tells two scans of one table apart."""

    table_schema: str
    table: str
    columns: tuple[tuple[Column, str], ...]
    leaf: int = 0
    live: str | None = None
    keys: tuple[tuple[str, ...], ...] = ()  # in the table's own column names

    @property
    def schema(self) -> tuple[Column, ...]:
        return tuple(column for column, _ in self.columns)

    @property
    def source(self) -> tuple[str, str]:
        return self.table_schema, self.table

    def with_children(self, children: tuple[Relation, ...]) -> Scan:
        return self

    def output_of(self, table_column: str) -> str | None:
        """The output column that carries a column of the table."""
        return next((c.name for c, stored in self.columns if stored == table_column), None)

    def select_list(self) -> list[q.Fragment]:
        """`stored AS name` for each column."""
        return [
            q.sql("{stored} AS {name}", stored=q.ident(stored), name=q.ident(column.name))
            for column, stored in self.columns
        ]

    def alive(self) -> q.Fragment:
        """The condition that leaves out rows which exist only between two statements of one maintenance step."""
        return q.sql(" WHERE {live} > 0", live=q.ident(self.live)) if self.live else q.EMPTY

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        return Compiled(self.read(q.qualified(*self.source)))

    def read(self, table: q.Fragment) -> q.Fragment:
        """A SELECT of the scan's columns from a relation of the table's shape."""
        return q.sql(
            "SELECT {columns} FROM {table}{alive}",
            columns=self.select_list() or [q.Fragment("1 AS ivm_row")],
            table=table,
            alive=self.alive(),
        )

    def describe(self) -> str:
        return f"Scan {self.table_schema}.{self.table} [{', '.join(stored for _, stored in self.columns)}]"
