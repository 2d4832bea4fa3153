"""Constant: the rows of a VALUES list, or the one row of a SELECT without FROM.

Meaning  the rows as they are written.
Delta    none: they never change.
State    none.
Limits   expressions must be immutable.
SQL      VALUES, SELECT without FROM
Kept     algebraic
Cost     none
Locks    none
Codes    VALUES
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ..ir.relation import Column, Compiled, Relation
from ..ir.scalar import Scalar
from ..pg import sql as q


@dataclass(frozen=True)
class Constant(Relation):
    """`rows` have one expression for each column; a row without columns stands for itself."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Scalar, ...], ...]

    @property
    def schema(self) -> tuple[Column, ...]:
        return self.columns

    def with_children(self, children: tuple[Relation, ...]) -> Constant:
        return self

    def prune(self, used: frozenset[str]) -> Constant:
        kept = [i for i, column in enumerate(self.columns) if column.name in used]
        rows = tuple(tuple(row[i] for i in kept) for row in self.rows)
        return dataclasses.replace(self, columns=tuple(self.columns[i] for i in kept), rows=rows)

    @property
    def one_row(self) -> bool:
        return len(self.rows) == 1

    def unique_sets(self) -> list[frozenset[str]]:
        return [frozenset()] if len(self.rows) == 1 else []

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        columns = [q.ident(column.name) for column in self.columns] or [q.Fragment("ivm_row")]
        cells = [
            [
                q.sql("CAST({e} AS {t})", e=e.sql(), t=q.Fragment(c.type.sql))
                for e, c in zip(row, self.columns, strict=True)
            ]
            or [q.literal(1)]
            for row in self.rows
        ]
        return Compiled(
            q.sql(
                "SELECT {columns} FROM (VALUES {rows}) ivm_v ({columns})",
                columns=columns,
                rows=[q.sql("({cells})", cells=row) for row in cells],
            )
        )

    def describe(self) -> str:
        return f"Constant {len(self.rows)} row(s) [{', '.join(column.name for column in self.columns)}]"
