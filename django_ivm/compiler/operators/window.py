"""Window: window functions beside each row.

Meaning  every row of the input with one more column per call, computed over the rows that agree in `partition`
         (NULLs equal), in the call's own order and frame.
Delta    no algebra: a row that comes or goes may change every row of its partition. The partitions of the changed rows
         (of the old and of the new image) are computed anew from the input restricted to them, and applied as a
         difference, so that what reads the window sees only the rows that really changed.
         Restricting to the partitions of new rows alone would leave the partition that a row moved out of as it was.
State    the output rows; the partitions' columns are kept with them.
Limits   ORDER: a call whose value depends on which of two peers stands first (row_number, lag, a ROWS frame) needs an
         order without ties. WHOLE: without PARTITION BY every write computes all rows anew.
SQL      window functions, DISTINCT ON, LIMIT inside LATERAL (per outer row)
Kept     by key
Cost     the touched partitions, found by index
Locks    buckets of the partitions' key; without PARTITION BY all writers exclude each other
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from pglast import ast

from ..ir.relation import Column, Compiled, Keyed, Kind, Relation, Tables, subquery
from ..ir.scalar import Scalar
from ..pg import sql as q
from ..pg.catalog import BIGINT
from .scan import Scan
from .top_n import SortKey


@dataclass(frozen=True)
class Window(Relation):
    """`partition` names columns of the input. `calls` pairs each new column with a whole `f(…) OVER (…)`, whose
    PARTITION BY is `partition`. `clause` is what the query has in its place: OVER, DISTINCT_ON or LIMIT."""

    child: Relation
    partition: tuple[str, ...]
    calls: tuple[tuple[str, Scalar], ...]
    clause: str = "OVER"
    kind = Kind.STATEFUL

    @property
    def schema(self) -> tuple[Column, ...]:
        return self.child.schema + tuple(Column(name, s.type, s.not_null) for name, s in self.calls)

    @property
    def children(self) -> tuple[Relation, ...]:
        return (self.child,)

    def with_children(self, children: tuple[Relation, ...]) -> Window:
        return dataclasses.replace(self, child=children[0])

    @property
    def references(self) -> frozenset[str]:
        return frozenset(self.partition) | {name for _, call in self.calls for name in call.columns}

    def prune(self, used: frozenset[str]) -> Relation:
        """A window keeps every row, so one whose columns nobody reads goes."""
        calls = tuple((name, call) for name, call in self.calls if name in used)
        if not calls:
            return self.child.prune(used & frozenset(self.child.names))
        kept = dataclasses.replace(self, calls=calls)
        wanted = (used | kept.references) & frozenset(self.child.names)
        return kept.with_children((self.child.prune(wanted),))

    def unique_sets(self) -> list[frozenset[str]]:
        """Those of the input; and the rows of a partition have different numbers."""
        numbered = [name for name, call in self.calls if is_row_number(call)]
        return [*self.child.unique_sets(), *(frozenset((*self.partition, name)) for name in numbered)]

    def with_key(self, tables: Tables) -> Keyed | None:
        inner = self.child.with_key(tables)
        return inner and Keyed(self.with_children((inner.relation,)), inner.key)

    def origin(self, name: str, *, outer: bool = False) -> tuple[Scan, str] | None:
        return self.child.origin(name, outer=outer) if name in self.child.names else None

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        columns = [q.ident(name) for name in self.child.names]
        calls = [q.sql("{e} AS {n}", e=call.sql(), n=q.ident(name)) for name, call in self.calls]
        return Compiled(q.sql("SELECT {c} FROM {child}", c=columns + calls, child=subquery(children[0], "ivm_o")))

    def describe(self) -> str:
        by = ", ".join(self.partition) or "one partition"
        return f"Window by [{by}] [{', '.join(f'{name} = {call}' for name, call in self.calls)}]"


def row_number(partition: tuple[str, ...], order: tuple[SortKey, ...], *, ties: bool = False) -> Scalar:
    """`row_number() OVER (…)` over columns of the window's input; with `ties` rank(), which is one for all peers."""
    by = q.sql("PARTITION BY {p} ", p=[q.ident(name) for name in partition]) if partition else q.EMPTY
    sort = q.sql("ORDER BY {o}", o=[key.sql() for key in order]) if order else q.EMPTY
    function = q.Fragment("rank" if ties else "row_number")
    return Scalar(q.sql("{f}() OVER ({by}{sort})", f=function, by=by, sort=sort).text, BIGINT, True)


def is_row_number(call: Scalar) -> bool:
    """The call numbers the rows of its partition."""
    node = call.node
    return isinstance(node, ast.FuncCall) and builtin_name(node) == "row_number" and node.over is not None


def builtin_name(node: ast.FuncCall) -> str:
    """The function's name when it is PostgreSQL's own, else an empty string."""
    parts = [part.sval for part in node.funcname]
    return str(parts[-1]) if len(parts) == 1 or parts[0] == "pg_catalog" else ""
