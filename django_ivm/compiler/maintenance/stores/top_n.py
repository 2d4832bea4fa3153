"""The store of the first N rows of an order; its input is a store of its own with an index on that order.

A writer whose rows all sort after the boundary only shares the bucket (one stripe); one that may move the boundary
takes all stripes and reads the N rows anew in the next statement. The test is made before the lock, to choose it, and
again after it, when no other writer can move the boundary.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...ir.relation import Compiled, emit, subquery
from ...ir.statement import Bump, Run, Step, When
from ...operators import SortKey, TopN
from ...pg import sql as q
from ...pg.catalog import Type
from ...pg.shared import STRIPES
from .base import COUNTS, Store, StoredColumn, replace_by_key


@dataclass(frozen=True)
class TopNStore(Store):
    """`key_columns` are unique in the input; columns from `shown` on are hidden."""

    order: tuple[SortKey, ...] = ()
    limit: int | None = None
    offset: int = 0
    ties: bool = False
    key_columns: tuple[str, ...] = ()
    shown: int = 0
    lock_table: q.Fragment = q.EMPTY

    @property
    def columns(self) -> tuple[StoredColumn, ...]:
        return tuple(StoredColumn(c.name, c.type, i >= self.shown, c.not_null) for i, c in enumerate(self.child.schema))

    @property
    def key(self) -> tuple[str, ...]:
        return self.key_columns

    @property
    def declarations(self) -> tuple[tuple[str, str], ...]:
        return (("ivm_near", "boolean"), *((name, "bigint") for name in COUNTS))

    def describe(self) -> str:
        ties = " with ties" if self.ties else ""
        return f"first {self.limit} rows{ties} by {', '.join(k.sql().text for k in self.order)}"

    def fill(self) -> q.Fragment:
        return TopN(self.child, self.order, self.limit, self.offset, self.ties).to_select((emit(self.child),)).select

    def apply(self, change: Compiled, *, joint: bool, event: str) -> list[Step]:
        near = Run(self._near(change), ("ivm_near",))
        share = self._lock(q.sql(" AND st = pg_backend_pid() % {n}", n=q.literal(STRIPES)))
        return [
            near,
            When(q.Fragment("NOT ivm_near"), (*share, near)),
            When(q.Fragment("ivm_near"), (*self._lock(q.EMPTY), Run(self.replace().sql, COUNTS))),
        ]

    def _lock(self, stripe: q.Fragment) -> tuple[Step, ...]:
        rows = q.sql("SELECT 1 FROM {t} WHERE b = 0{s} ORDER BY b, st FOR NO KEY UPDATE", t=self.lock_table, s=stripe)
        bump = q.sql("UPDATE {t} SET ver = ver + 1 WHERE b = 0{s}", t=self.lock_table, s=stripe)
        return (Bump(self.lock_table, Run(rows), Run(bump)),)

    def _near(self, change: Compiled) -> q.Fragment:
        """Whether a changed row sorts at or before the last row kept, or fewer rows than N are kept."""
        if self.limit is None:
            return q.Fragment("SELECT true")
        reverse = [SortKey(k.column, not k.descending, not k.nulls_first).sql() for k in self.order]
        return q.sql(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT {n}) ivm_n) < {n} OR EXISTS (SELECT 1 FROM "
            "{change}, (SELECT {columns} FROM {table} ORDER BY {reverse} LIMIT 1) ivm_l WHERE {before})",
            table=self.target,
            n=q.literal(self.limit),
            change=subquery(change, "ivm_c"),
            columns=[q.ident(k.column) for k in self.order],
            reverse=reverse,
            before=_at_or_before(self.order, {c.name: c.type for c in self.columns}),
        )

    def replace(self) -> Run:
        return replace_by_key(self, self.fill())


def _at_or_before(order: tuple[SortKey, ...], types: dict[str, Type]) -> q.Fragment:
    """Lexicographic comparison of ivm_c with ivm_l."""
    result = q.literal(True)
    for key in reversed(order):
        type_ = types[key.column]
        c, last = q.column("ivm_c", key.column), q.column("ivm_l", key.column)
        gone, end = (q.is_null(value, composite=type_.composite) for value in (c, last))
        operator = q.Fragment(">" if key.descending else "<")
        first = q.sql("({c} AND NOT ({l}))" if key.nulls_first else "({l} AND NOT ({c}))", c=gone, l=end)
        before = q.sql("({t} OR {first})", t=_compared(c, operator, last, type_), first=first)
        same = q.sql("({t} OR ({c} AND {l}))", t=_compared(c, q.Fragment("="), last, type_), c=gone, l=end)
        result = q.sql("coalesce({b} OR ({s} AND {r}), false)", b=before, s=same, r=result)
    return result


def _compared(left: q.Fragment, operator: q.Fragment, right: q.Fragment, type_: Type) -> q.Fragment:
    """A comparison as ORDER BY makes it; not true of NULL. An extension's operators aren't found under our path, and
    another type's might be in their place (citext would be compared as text): records are compared by each type's own
    order."""
    if type_.schema == "pg_catalog" and type_.inner is None:
        return q.sql("{l} {o} {r}", l=left, o=operator, r=right)
    return q.sql(
        "(NOT ({ln}) AND NOT ({rn}) AND ROW({l})::record {o} ROW({r})::record)",
        ln=q.is_null(left, composite=type_.composite),
        rn=q.is_null(right, composite=type_.composite),
        l=left,
        o=operator,
        r=right,
    )
