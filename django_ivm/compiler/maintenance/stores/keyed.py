"""The store of rows with a known unique key: a filter, a projection or a join of keyed inputs.

Rows are told apart by key, never by value, so values that are equal but look different need no care. The key is
carried in hidden columns where the query doesn't show it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...ir.relation import WEIGHT, Compiled, emit, subquery
from ...ir.statement import Run, Step
from ...operators import Scan
from ...pg import sql as q
from .base import Store, StoredColumn, replace_by_key


@dataclass(frozen=True)
class KeyedStore(Store):
    """`child` yields the visible columns first, then hidden key columns; `shown` is how many are visible."""

    key_columns: tuple[str, ...] = ()
    shown: int = 0

    @property
    def columns(self) -> tuple[StoredColumn, ...]:
        return tuple(StoredColumn(c.name, c.type, i >= self.shown, c.not_null) for i, c in enumerate(self.child.schema))

    @property
    def key(self) -> tuple[str, ...]:
        return self.key_columns

    def describe(self) -> str:
        return f"rows by key ({', '.join(self.key)})"

    def fill(self) -> q.Fragment:
        return emit(self.child).select

    def apply(self, change: Compiled, *, joint: bool, event: str) -> list[Step]:
        if event == "insert" and not joint:
            return [Run(self._insert(q.sql("({c})", c=change.select), q.EMPTY))]
        if event == "delete" and not joint:
            gone = q.sql("{c}", c=subquery(change, "ivm_g"))
            return [Run(self._delete(gone))]
        net = net_rows(self, change) if joint else change.select
        gone = q.sql(
            "(SELECT {k} FROM ivm_d GROUP BY {k} HAVING sum({w}) < 0) ivm_g",
            k=[q.ident(name) for name in self.key],
            w=q.ident(WEIGHT),
        )
        come = q.sql(" WHERE {w} > 0", w=q.ident(WEIGHT))
        return [
            Run(
                q.sql(
                    "WITH ivm_d AS MATERIALIZED ({net}), ivm_x AS ({delete}) {insert}",
                    net=net,
                    delete=self._delete(gone),
                    insert=self._insert(q.Fragment("ivm_d"), come),
                )
            )
        ]

    def delete_with(self, scan: Scan, gone: q.Fragment) -> list[Step]:
        """Delete what came from the rows of `gone`, a relation of the scanned table's shape; nothing unless the table's
        key leads the store's, where an index finds it."""
        carried: dict[str, str] = {}
        for name in self.key:
            found = self.child.origin(name)
            if found is None or found[0].leaf != scan.leaf:
                break
            carried[name] = scan.stored(found[1])
        if not scan.keys or set(carried.values()) != set(scan.keys[0]):
            return []
        same = q.conjunction(
            self.same(name, q.column("ivm_t", name), q.column("ivm_g", column)) for name, column in carried.items()
        )
        return [
            Run(
                q.sql(
                    "DELETE FROM {table} AS ivm_t USING {gone} AS ivm_g WHERE {same}",
                    table=self.target, gone=gone, same=same,
                )
            )
        ]  # fmt: skip

    def _delete(self, gone: q.Fragment) -> q.Fragment:
        return q.sql(
            "DELETE FROM {table} AS ivm_t USING {gone} WHERE {same}",
            table=self.target, gone=gone, same=self.same_key("ivm_t", "ivm_g"),
        )  # fmt: skip

    def _insert(self, rows: q.Fragment, where: q.Fragment) -> q.Fragment:
        updates = [q.sql("{c} = excluded.{c}", c=name) for name in self.names()]
        return q.sql(
            "INSERT INTO {table} AS ivm_t ({columns}) SELECT {columns} FROM {rows} ivm_i{where} ORDER BY {key} "
            "ON CONFLICT ({key}) DO UPDATE SET {updates} WHERE ROW({old})::record *<> ROW({new})::record",
            table=self.target,
            columns=self.names(),
            rows=rows,
            where=where,
            key=[q.ident(name) for name in self.key],
            updates=updates,
            old=self.names("ivm_t"),
            new=self.names("excluded"),
        )

    def replace(self) -> Run:
        return replace_by_key(self, self.fill())


def net_rows(store: Store, change: Compiled) -> q.Fragment:
    """The change with equal rows added up, by their text: a row may have come and gone within one statement."""
    columns = [q.ident(c.name) for c in store.columns]
    text = q.sql("ROW({c})::text", c=columns)
    return q.sql(
        "SELECT {columns}, {w} FROM (SELECT DISTINCT ON (ivm_text) {columns}, ivm_text, "
        "sum({w}) OVER (PARTITION BY ivm_text) AS {w} FROM (SELECT {columns}, {w}, {text} AS ivm_text FROM {change}) "
        "ivm_n1) ivm_n2 WHERE {w} <> 0",
        columns=columns,
        w=q.ident(WEIGHT),
        text=text,
        change=subquery(change, "ivm_n0"),
    )
