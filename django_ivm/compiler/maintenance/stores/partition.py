"""The store of a window: its rows with their partitions' columns, in an index.

The partitions of the changed rows are computed anew and applied as a difference. No row stands for a partition that
is being born, so writers of one partition exclude each other by a bucket of its key: taken in a statement of its own,
so that the next one sees what a writer before committed, and bumped, so that an older snapshot ends in 40001.
What is computed anew depends on nothing but the state, so the events of a statement may come in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...ir.relation import WEIGHT, Compiled, Relation, emit, subquery
from ...ir.statement import Bump, Replan, Run, Step, When, variable
from ...operators import Scan, Window
from ...pg import sql as q
from ...pg.catalog import Type
from ..locks import BUCKETS
from .base import COUNTS, FEW, Store, StoredColumn, replace_by_key

_PLAN_FREELY = Run(
    q.Fragment(
        "SELECT set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true), "
        "set_config('enable_mergejoin', 'on', true)"
    )
)


@dataclass(frozen=True)
class PartitionStore(Store):
    """`query` is made of `child` and has the stored columns, `shown` of which are visible. `by` pairs stored partition
    columns with the child's. `key_columns` are unique, none where duplicates may be. `indexed`: an index of the
    sources begins with the partition's columns. `lock_table` holds the buckets (bucket, stripe 0) from `lock_base`."""

    query: Relation | None = None
    by: tuple[tuple[str, str], ...] = ()
    key_columns: tuple[str, ...] = ()
    shown: int = 0
    indexed: bool = False
    lock_table: q.Fragment = q.EMPTY
    lock_base: int = 0

    @property
    def _query(self) -> Relation:
        assert self.query is not None
        return self.query

    @property
    def columns(self) -> tuple[StoredColumn, ...]:
        schema = enumerate(self._query.schema)
        return tuple(StoredColumn(c.name, c.type, i >= self.shown, c.not_null) for i, c in schema)

    @property
    def key(self) -> tuple[str, ...]:
        return self.key_columns

    @property
    def reads_sources(self) -> bool:
        """One table's rows are read as they are after all events, so nothing depends on the events' order."""
        return sum(isinstance(node, Scan) for node in self.child.walk()) != 1

    @property
    def whole(self) -> str:
        if self.by:
            return ""
        window = next(node for node in self._query.walk() if isinstance(node, Window))
        if window.clause == "OVER":
            return "a window without PARTITION BY is computed anew over all rows after a write"
        return "LIMIT of rows without a key numbers all of them anew after a write"

    @property
    def text_of_rows(self) -> bool:
        return True

    @property
    def locked_buckets(self) -> int:
        """Buckets that this store adds to the node's lock table."""
        return BUCKETS if self._hashed else 1

    @property
    def locking(self) -> str:
        if not self._hashed:
            return f"rows of {self.table}: one bucket; all writers that change one exclude each other"
        by = ", ".join(name for _, name in self.by)
        return f"partitions of {self.table}: {BUCKETS} buckets by ({by}); writers of one partition exclude each other"

    @property
    def declarations(self) -> tuple[tuple[str, str], ...]:
        keys = tuple((f"ivm_touched{i}", f"{_held(t).sql}[]") for i, t in enumerate(self._types))
        return (*keys, ("ivm_locked", "integer[]"))

    @cached_property
    def _types(self) -> tuple[Type, ...]:
        return tuple(self.child.column(name).type for _, name in self.by)

    @property
    def _hashed(self) -> bool:
        return bool(self.by) and all(type_.hashed for type_ in self._types)

    def describe(self) -> str:
        by = ", ".join(name for _, name in self.by)
        rows = f"by key ({', '.join(self.key)})" if self.key else "by value, duplicates kept"
        return f"partitions by ({by}), rows {rows}" if by else f"one partition, rows {rows}"

    def indexes(self) -> list[q.Fragment]:
        found = super().indexes()
        columns = [name for name, _ in self.by]
        if columns and set(self.key[: len(columns)]) != set(columns):
            found.append(
                q.sql(
                    "CREATE INDEX {name} ON {table} ({columns})",
                    name=q.ident(self.index_name("partition")),
                    table=self.target,
                    columns=[q.ident(name) for name in columns],
                )
            )
        return found

    # Fill

    def fill(self) -> q.Fragment:
        return emit(self._query).select

    def _fresh(self, child: Compiled) -> q.Fragment:
        """The query over other SQL of its input."""

        def over(relation: Relation) -> Compiled:
            if relation is self.child:
                return child
            return relation.to_select(tuple(over(part) for part in relation.children))

        return over(self._query).select

    # Apply

    def apply(self, change: Compiled, *, joint: bool, event: str) -> list[Step]:
        if not self.by:
            steps = (*self._lock(), _PLAN_FREELY, Replan(Run(self._difference(bulk=True))))
            return [Run(self._any(change), ("ivm_locked",)), When(q.Fragment("ivm_locked IS NOT NULL"), steps)]
        few = q.sql("cardinality(ivm_touched0) <= {n}", n=q.literal(FEW))
        many = (_PLAN_FREELY, Replan(Run(self._difference(bulk=True))))
        again = When(few, (Run(self._difference(bulk=False)),), many)
        into = tuple(name for name, _ in self.declarations)
        return [Run(self._touched(change), into), When(q.Fragment("ivm_locked IS NOT NULL"), (*self._lock(), again))]

    def _any(self, change: Compiled) -> q.Fragment:
        """The one bucket, if a row changed at all."""
        return q.sql(
            "SELECT array_agg({b}) FROM (SELECT 1 FROM {change} LIMIT 1) ivm_z",
            b=q.literal(self.lock_base), change=subquery(change, "ivm_c"),
        )  # fmt: skip

    def _touched(self, change: Compiled) -> q.Fragment:
        """Keys of the partitions whose rows came or went, and their buckets."""
        columns = [q.sql("{c} AS {n}", c=q.ident(name), n=_key(i)) for i, (_, name) in enumerate(self.by)]
        keys = [q.sql("array_agg({k}::{t})", k=_key(i), t=q.Fragment(_held(t).sql)) for i, t in enumerate(self._types)]
        bucket = q.literal(self.lock_base)
        if self._hashed:
            bucket = q.sql(
                "({base} + (hashtextextended(ROW({k})::text, 0) & {mask}))::integer",
                base=q.literal(self.lock_base),
                k=[_key(i) for i in range(len(self.by))],
                mask=q.literal(BUCKETS - 1),
            )
        return q.sql(
            "SELECT {keys}, array_agg(DISTINCT {bucket}) FROM (SELECT DISTINCT {columns} FROM {change}) ivm_k",
            keys=keys,
            bucket=bucket,
            columns=columns,
            change=subquery(change, "ivm_c"),
        )

    def _lock(self) -> tuple[Step, ...]:
        mine = q.sql("b = ANY({v}) AND st = 0", v=variable("ivm_locked"))
        order = Run(q.sql("SELECT 1 FROM {t} WHERE {m} ORDER BY b FOR NO KEY UPDATE", t=self.lock_table, m=mine))
        bump = Run(q.sql("UPDATE {t} SET ver = ver + 1 WHERE {m}", t=self.lock_table, m=mine))
        return (Bump(self.lock_table, order, bump),)

    def _keys(self) -> q.Fragment:
        """The touched keys as rows of a FROM clause."""
        held = q.sql(
            "unnest({v}) AS ivm_k ({k})",
            v=[variable(f"ivm_touched{i}") for i in range(len(self.by))],
            k=[_key(i) for i in range(len(self.by))],
        )
        if all(_held(t) is t for t in self._types):
            return held
        back = [q.sql("{k}::{t} AS {k}", k=_key(i), t=q.Fragment(t.sql)) for i, t in enumerate(self._types)]
        return q.sql("(SELECT {back} FROM {held}) ivm_k", back=back, held=held)

    def _of_touched(self, alias: str, columns: list[str], bulk: bool) -> q.Fragment:
        """The rows of `alias`, whose partition columns are given, belong to a touched partition."""
        left = [q.column(alias, name) for name in columns]
        right = [q.column("ivm_k", _key(i).text) for i in range(len(columns))]
        nullable = [not self.child.column(name).not_null for _, name in self.by]
        if bulk and any(nullable) and not self.indexed:  # records can be merge-joined, and NULLs in them are equal
            return q.sql("ROW({l})::record = ROW({r})::record", l=left, r=right)
        return q.conjunction(
            q.equal(a, b, nullable=n, operator=t.equals, composite=t.composite)
            for a, b, n, t in zip(left, right, nullable, self._types, strict=True)
        )

    def _difference(self, *, bulk: bool, counted: bool = False) -> q.Fragment:
        """The touched partitions computed anew, minus what is stored of them; of all rows when there is no partition.

        Old and new are brought together by sorting: a join of what is stored with what is new would have no index to
        go by.
        """
        child, stored = emit(self.child), q.sql("{t} AS ivm_t", t=self.target)
        if self.by and not counted:
            child = Compiled(
                q.sql(
                    "SELECT {c} FROM {child}, {keys} WHERE {same}",
                    c=[q.column("ivm_r", name) for name in self.child.names],
                    child=subquery(child, "ivm_r"),
                    keys=self._keys(),
                    same=self._of_touched("ivm_r", [name for _, name in self.by], bulk),
                )
            )
            same = self._of_touched("ivm_t", [name for name, _ in self.by], bulk)
            stored = q.sql("{t} AS ivm_t, {keys} WHERE {same}", t=self.target, keys=self._keys(), same=same)
        columns = self.names()
        rows = q.sql(
            "SELECT {columns}, NULL::tid AS ivm_at, 1 AS {w}, ROW({columns})::text COLLATE {c} AS ivm_text "
            "FROM ({fresh}) ivm_f UNION ALL SELECT {old}, ivm_t.ctid, -1, ROW({old})::text COLLATE {c} FROM {stored}",
            columns=columns,
            w=q.ident(WEIGHT),
            fresh=self._fresh(child),
            old=self.names("ivm_t"),
            stored=stored,
            c=q.Fragment('pg_catalog."C"'),
        )
        return self._by_key(rows) if self.key else self._by_value(rows, counted=counted)

    def _by_key(self, rows: q.Fragment) -> q.Fragment:
        return q.sql(
            "WITH ivm_n AS MATERIALIZED (SELECT {columns}, ivm_at, {w}, count(*) OVER ivm_o = 2 AS ivm_both, "
            "min(ivm_text) OVER ivm_o = max(ivm_text) OVER ivm_o AS ivm_same FROM ({rows}) ivm_u "
            "WINDOW ivm_o AS (PARTITION BY {key})), "
            "ivm_x AS (DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ivm_at FROM ivm_n WHERE {w} < 0 AND "
            "NOT ivm_both))) INSERT INTO {table} AS ivm_t ({columns}) SELECT {columns} FROM ivm_n "
            "WHERE {w} > 0 AND NOT (ivm_both AND ivm_same) ORDER BY {key} ON CONFLICT ({key}) DO UPDATE SET {updates}",
            columns=self.names(),
            w=q.ident(WEIGHT),
            key=[q.ident(name) for name in self.key],
            rows=rows,
            table=self.target,
            updates=[q.sql("{c} = excluded.{c}", c=name) for name in self.names()],
        )

    def _by_value(self, rows: q.Fragment, *, counted: bool) -> q.Fragment:
        """Equal rows are numbered on both sides, so that one of them is one of them."""
        insert = q.sql(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM ivm_n WHERE {w} > 0 AND ivm_net > 0",
            table=self.target, columns=self.names(), w=q.ident(WEIGHT),
        )  # fmt: skip
        if counted:
            insert = q.sql(
                ", ivm_i AS ({insert} RETURNING 1) SELECT (SELECT count(*) FROM ivm_i), 0::bigint, "
                "(SELECT count(*) FROM ivm_x)",
                insert=insert,
            )
        return q.sql(
            "WITH ivm_n AS MATERIALIZED (SELECT {columns}, ivm_at, {w}, sum({w}) OVER (PARTITION BY ivm_text, ivm_i) "
            "AS ivm_net FROM (SELECT {columns}, ivm_at, {w}, ivm_text, row_number() OVER (PARTITION BY ivm_text, {w}) "
            "AS ivm_i FROM ({rows}) ivm_u) ivm_v), "
            "ivm_x AS (DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ivm_at FROM ivm_n WHERE {w} < 0 AND "
            "ivm_net < 0)) RETURNING 1){insert}",
            columns=self.names(),
            w=q.ident(WEIGHT),
            rows=rows,
            table=self.target,
            insert=insert if counted else q.sql(" {i}", i=insert),
        )

    def replace(self) -> Run:
        if self.key:
            return replace_by_key(self, self.fill())
        return Run(self._difference(bulk=True, counted=True), COUNTS)


def _key(i: int) -> q.Fragment:
    return q.Fragment(f"ivm_p{i}")


_TEXT = Type("text", "text")


def _held(type_: Type) -> Type:
    """The type of which an array holds keys: an array of arrays or of domains over them isn't a list of keys, and
    records come apart when they are unnested."""
    return type_ if type_.kind in "ber" and not type_.sql.endswith("]") else _TEXT
