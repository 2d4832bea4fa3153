"""The store of rows without a known key: duplicates stand as often as in the query.

A row is found by a hash of its text and told apart by that text, which the functions write under pinned settings.
Two writers that take away equal rows must not pick the same one, so they exclude each other by a bucket of the hash.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...ir.relation import WEIGHT, Compiled, emit, subquery
from ...ir.statement import Bump, Run, Step, When, variable
from ...pg import sql as q
from ...pg.catalog import BIGINT
from ..locks import BUCKETS
from .base import COUNTS, Store, StoredColumn, unique_name


@dataclass(frozen=True)
class BagStore(Store):
    """`lock_table` holds the buckets (bucket, stripe 0)."""

    lock_table: q.Fragment = q.EMPTY
    lock_base: int = 0

    @property
    def columns(self) -> tuple[StoredColumn, ...]:
        taken = set(self.child.names) | ({self.surrogate} if self.surrogate else set())
        shown = tuple(StoredColumn(c.name, c.type, False, c.not_null) for c in self.child.schema)
        return (*shown, StoredColumn(unique_name("ivm_hash", taken), BIGINT, True, True))

    @property
    def hash(self) -> q.Fragment:
        return q.ident(self.columns[-1].name)

    @property
    def text_of_rows(self) -> bool:
        return True

    @property
    def derived(self) -> tuple[str, ...]:
        return (self.columns[-1].name,)

    @property
    def own_condition(self) -> q.Fragment:
        return q.sql("{h} = {t}", h=self.hash, t=self._hash(self._text()))

    @property
    def mend(self) -> q.Fragment:
        return q.sql(
            "UPDATE {t} SET {h} = {v} WHERE {h} IS DISTINCT FROM {v}",
            t=self.target, h=self.hash, v=self._hash(self._text()),
        )  # fmt: skip

    @property
    def declarations(self) -> tuple[tuple[str, str], ...]:
        return (("ivm_rows", "integer[]"),)

    def describe(self) -> str:
        return "rows by value, duplicates kept"

    def _text(self, alias: str | None = None) -> q.Fragment:
        names = [q.column(alias, c.name) if alias else q.ident(c.name) for c in self.visible]
        return q.sql("ROW({c})::text", c=names)

    def _hash(self, text: q.Fragment) -> q.Fragment:
        return q.sql("hashtextextended({t}, 0)", t=text)

    def fill(self) -> q.Fragment:
        return q.sql(
            "SELECT {columns}, {h} AS {name} FROM {child}",
            columns=[q.ident(c.name) for c in self.visible],
            h=self._hash(self._text()),
            name=self.hash,
            child=subquery(emit(self.child), "ivm_b"),
        )

    def indexes(self) -> list[q.Fragment]:
        return [
            q.sql(
                "CREATE INDEX {name} ON {table} ({h})",
                name=q.ident(self.index_name("hash")), table=self.target, h=self.hash,
            )
        ]  # fmt: skip

    def apply(self, change: Compiled, *, joint: bool, event: str) -> list[Step]:
        if event == "insert" and not joint:
            return [Run(self._move(change, deletes=False))]
        buckets = q.sql(
            "SELECT array_agg(DISTINCT (({base} + ({h} & {mask})))::integer) FROM {change} WHERE {w} < 0",
            base=q.literal(self.lock_base),
            h=self._hash(self._text()),
            mask=q.literal(BUCKETS - 1),
            change=subquery(change, "ivm_c"),
            w=q.ident(WEIGHT),
        )
        lock = q.sql(
            "SELECT 1 FROM {t} WHERE b = ANY({v}) AND st = 0 ORDER BY b FOR NO KEY UPDATE",
            t=self.lock_table, v=variable("ivm_rows"),
        )  # fmt: skip
        bump = q.sql(
            "UPDATE {t} SET ver = ver + 1 WHERE b = ANY({v}) AND st = 0", t=self.lock_table, v=variable("ivm_rows")
        )
        return [
            Run(buckets, ("ivm_rows",)),
            When(q.Fragment("ivm_rows IS NOT NULL"), (Bump(self.lock_table, Run(lock), Run(bump)),)),
            Run(self._move(change, deletes=True)),
        ]

    def _move(self, change: Compiled, *, deletes: bool, counted: bool = False) -> q.Fragment:
        columns = [q.ident(c.name) for c in self.visible]
        net = q.sql(
            "SELECT DISTINCT ON (ivm_text) {columns}, ivm_text, {h} AS ivm_h, "
            "sum({w}) OVER (PARTITION BY ivm_text) AS {w} FROM (SELECT {columns}, {w}, {text} AS ivm_text "
            "FROM {change}) ivm_n",
            columns=columns,
            h=self._hash(q.Fragment("ivm_text")),
            w=q.ident(WEIGHT),
            text=self._text(),
            change=subquery(change, "ivm_c"),
        )
        # A repair can't trust the stored hash: a row that was changed behind our back still carries its old one.
        found = q.sql("{t} = ivm_d.ivm_text", t=self._text("ivm_t"))
        if not counted:
            found = q.sql("ivm_t.{h} = ivm_d.ivm_h AND {f}", h=self.hash, f=found)
        gone = q.sql(
            ", ivm_x AS (DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ivm_m.ivm_ctid FROM (SELECT "
            "ivm_t.ctid AS ivm_ctid, ivm_d.{w}, row_number() OVER (PARTITION BY ivm_d.ivm_text) AS ivm_rank "
            "FROM ivm_d JOIN {table} AS ivm_t ON {found} WHERE ivm_d.{w} < 0) ivm_m "
            "WHERE ivm_rank <= -{w})) RETURNING 1)",
            table=self.target,
            w=q.ident(WEIGHT),
            found=found,
        )
        insert = q.sql(
            " INSERT INTO {table} ({columns}, {hash}) "
            "SELECT {columns}, ivm_h FROM ivm_d, generate_series(1, {w}) WHERE {w} > 0",
            table=self.target,
            columns=columns,
            hash=self.hash,
            w=q.ident(WEIGHT),
        )
        if counted:
            insert = q.sql(
                ", ivm_i AS ({insert} RETURNING 1) SELECT (SELECT count(*) FROM ivm_i), 0::bigint, "
                "(SELECT count(*) FROM ivm_x)",
                insert=insert,
            )
        return q.sql(
            "WITH ivm_d AS MATERIALIZED ({net}){gone}{insert}",
            net=net, gone=gone if deletes else q.EMPTY, insert=insert,
        )  # fmt: skip

    def replace(self) -> Run:
        columns = [q.ident(c.name) for c in self.visible]
        change = q.sql(
            "SELECT {c}, 1 AS {w} FROM {child} UNION ALL SELECT {c}, -1 FROM {table}",
            c=columns, w=q.ident(WEIGHT), child=subquery(emit(self.child), "ivm_b"), table=self.target,
        )  # fmt: skip
        return Run(self._move(Compiled(change, True), deletes=True, counted=True), COUNTS)
