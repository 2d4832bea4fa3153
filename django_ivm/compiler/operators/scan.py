"""Scan: the rows of one table.

Meaning  the table's rows, only the columns that the view reads.
Delta    the transition tables: −old, +new.
State    none: the table itself is the state after the change; before it, the rows now minus the change.
Limits   a maintained table may hold rows of count zero for an instant; `live` leaves them out.
SQL      tables (partitioned and unlogged ones, parents of inheritance), other maintained views, ordinary views
Kept     algebraic
Cost     the changed rows
Locks    none
Codes    SOURCE, INHERITANCE, TEMPORARY, ROW_SECURITY, SYSTEM_COLUMN, SAMPLE
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ..ir.dependencies import Dependency
from ..ir.relation import Column, Compiled, Keyed, Relation, Tables
from ..pg import sql as q
from ..pg.catalog import ColumnInfo


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

    def prune(self, used: frozenset[str]) -> Scan:
        return dataclasses.replace(self, columns=tuple(c for c in self.columns if c[0].name in used))

    def unique_sets(self) -> list[frozenset[str]]:
        found = []
        for key in self.keys:
            outputs = [self.output_of(name) for name in key]
            if all(outputs):
                found.append(frozenset(o for o in outputs if o))
        return found

    def dependencies(self) -> list[Dependency]:
        return [(key, frozenset(self.names)) for key in self.unique_sets()]

    def with_key(self, tables: Tables) -> Keyed | None:
        if not self.keys:
            return None
        info = tables[self.source]
        columns, key = list(self.columns), []
        for name in self.keys[0]:
            output = self.output_of(name)
            if output is None:
                output = f"ivm_k{self.leaf}_{len(columns)}"
                assert output not in self.names
                found = info.column(name) or ColumnInfo(name, info.columns[0].type)
                columns.append((Column(output, found.type, found.not_null), name))
            key.append(output)
        return Keyed(dataclasses.replace(self, columns=tuple(columns)), tuple(key))

    def origin(self, name: str, *, outer: bool = False) -> tuple[Scan, str] | None:
        return (self, name) if name in self.names else None

    def stored(self, output: str) -> str:
        """The table's own column behind an output."""
        return next(name for column, name in self.columns if column.name == output)

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
