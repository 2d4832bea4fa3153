"""Expand: a set-returning function of each row.

Meaning  each row as often as the function returns rows, with the function's columns beside its own; `outer` keeps a
         row for which it returns none, with NULLs.
Delta    linear: the function of the rows that came and went, weights unchanged.
State    none.
Limits   the function must be immutable and read only the row; the order of its rows means nothing to a table.
SQL      set-returning functions of a row, in FROM (LATERAL or not) and in the select list: unnest(),
         generate_series(), …
Kept     algebraic
Cost     the rows that the function returns for the changed rows
Locks    none
Codes    SRF
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ..ir.relation import Column, Compiled, Relation, subquery, weight_column
from ..ir.scalar import Scalar
from ..pg import sql as q
from .scan import Scan


@dataclass(frozen=True)
class Expand(Relation):
    """`functions` run in step (ROWS FROM), shorter ones padded with NULLs; `outputs` are all their columns, the
    number of the row last when `ordinality`."""

    child: Relation
    functions: tuple[Scalar, ...]
    outputs: tuple[Column, ...]
    ordinality: bool = False
    outer: bool = False

    @property
    def schema(self) -> tuple[Column, ...]:
        return self.child.schema + self.outputs

    @property
    def children(self) -> tuple[Relation, ...]:
        return (self.child,)

    def with_children(self, children: tuple[Relation, ...]) -> Expand:
        return dataclasses.replace(self, child=children[0])

    @property
    def references(self) -> frozenset[str]:
        return frozenset(name for function in self.functions for name in function.columns)

    def origin(self, name: str, *, outer: bool = False) -> tuple[Scan, str] | None:
        return self.child.origin(name, outer=outer) if name in self.child.names else None

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        (child,) = children
        source = [function.sql() for function in self.functions]
        function = source[0] if len(source) == 1 else q.sql("ROWS FROM ({f})", f=source)
        columns = [q.ident(n) for n in self.names] or [q.Fragment("1 AS ivm_row")]
        return Compiled(
            q.sql(
                "SELECT {columns} FROM {child} {join} LATERAL {f}{ordinality} AS ivm_f ({names}){on}",
                columns=columns + weight_column(child.weighted),
                child=subquery(child, "ivm_e"),
                join=q.Fragment("LEFT JOIN" if self.outer else "CROSS JOIN"),
                f=function,
                ordinality=q.Fragment(" WITH ORDINALITY" if self.ordinality else ""),
                names=[q.ident(column.name) for column in self.outputs],
                on=q.Fragment(" ON true" if self.outer else ""),
            ),
            child.weighted,
        )

    def describe(self) -> str:
        return f"Expand {', '.join(map(str, self.functions))} as [{', '.join(c.name for c in self.outputs)}]"
