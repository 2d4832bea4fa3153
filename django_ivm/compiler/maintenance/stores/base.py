"""Stores: the tables in which maintained relations live, and how a change is applied to them."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...ir.relation import Compiled, Relation
from ...ir.statement import Run, Step
from ...operators import SortKey
from ...pg import sql as q
from ...pg.catalog import Type
from ...pg.names import digest

FEW = 25  # rows or groups up to which a plan made for few is the right one (measured break-even 17–35)


@dataclass(frozen=True)
class StoredColumn:
    """A column of a store. Hidden ones follow the query's."""

    name: str
    type: Type
    hidden: bool = False
    not_null: bool = False


@dataclass(frozen=True)
class Store:
    """Base of all stores.

    `child` is flat: scans, filters, projections, joins, unions. `key` names columns that are unique together (NULLs
    equal), empty for none or for a single row. `live` names the column that counts a row's contributions.
    `ordered` is an order in which a store above reads the first rows, `lookups` are columns that levels above find
    rows by.
    """

    table_schema: str
    table: str
    child: Relation
    surrogate: str | None = None
    ordered: tuple[SortKey, ...] = field(default=(), kw_only=True)
    lookups: tuple[tuple[str, ...], ...] = field(default=(), kw_only=True)

    @property
    def columns(self) -> tuple[StoredColumn, ...]:
        raise NotImplementedError

    @property
    def key(self) -> tuple[str, ...]:
        return ()

    @property
    def live(self) -> str | None:
        return None

    @property
    def reads_sources(self) -> bool:
        """Applying a change reads a table beyond the change itself and this store, or depends on events' order."""
        return True

    @property
    def whole(self) -> str:
        """Why a write may read a whole source, or an empty string."""
        return ""

    @property
    def locking(self) -> str:
        """What a change of the store locks beyond the rows that it writes, in words."""
        return ""

    @property
    def compared(self) -> tuple[str, ...]:
        """Columns in which a row that is up to date equals a row computed anew."""
        return tuple(c.name for c in self.columns)

    @property
    def derived(self) -> tuple[str, ...]:
        """Columns that are computed from the others of a stored row, as `own_condition` says."""
        return ()

    @property
    def own_condition(self) -> q.Fragment:
        """What holds of each stored row by itself; empty when that is nothing."""
        return q.EMPTY

    @property
    def mend(self) -> q.Fragment:
        """A statement that brings `derived` columns in order before `replace`, which goes by the others."""
        return q.EMPTY

    @property
    def declarations(self) -> tuple[tuple[str, str], ...]:
        """Variables that `apply` uses, each (name, type)."""
        return ()

    @property
    def text_of_rows(self) -> bool:
        """Rows are told apart by their text, which must not depend on the session's settings."""
        return False

    def fill(self) -> q.Fragment:
        """A SELECT of the store's columns from the sources as they are."""
        raise NotImplementedError

    def apply(self, change: Compiled, *, joint: bool, event: str) -> list[Step]:
        """Statements that add a weighted change of `child`; `joint`: several tables or events at once."""
        raise NotImplementedError

    def replace(self) -> Run:
        """One statement that makes the store equal to `fill`, as a difference; yields inserted, updated, deleted."""
        raise NotImplementedError

    def indexes(self) -> list[q.Fragment]:
        """Statements that create what `apply`, or a store above, looks rows up by."""
        found = []
        if self.ordered:
            found.append(
                q.sql(
                    "CREATE INDEX {name} ON {table} ({order})",
                    name=q.ident(self.index_name("order")),
                    table=self.target,
                    order=[key.sql() for key in self.ordered],
                )
            )
        if not self.key:
            return found
        return [
            *found,
            q.sql(
                "CREATE UNIQUE INDEX {name} ON {table} ({columns}) NULLS NOT DISTINCT",
                name=q.ident(self.index_name("key")),
                table=self.target,
                columns=[q.ident(name) for name in self.key],
            ),
        ]

    def lookup_indexes(self) -> list[q.Fragment]:
        """Statements that create what levels above look rows up by."""
        return [
            q.sql(
                "CREATE INDEX {name} ON {table} ({columns})",
                name=q.ident(self.index_name("by_" + digest(*columns))),
                table=self.target,
                columns=[q.ident(name) for name in columns],
            )
            for columns in self.lookups
        ]

    def index_name(self, what: str) -> str:
        return f"ivm_{digest(self.table_schema, self.table)}_{what}"

    @property
    def target(self) -> q.Fragment:
        return q.qualified(self.table_schema, self.table)

    @property
    def visible(self) -> tuple[StoredColumn, ...]:
        return tuple(c for c in self.columns if not c.hidden)

    def nullable(self, name: str) -> bool:
        return not next(c for c in self.columns if c.name == name).not_null

    def same(self, name: str, left: q.Fragment, right: q.Fragment, *, nullable: bool = True) -> q.Fragment:
        """Two values are equal as a column's index has it; pass `nullable=False` where NULLs needn't be found equal."""
        column = next(c for c in self.columns if c.name == name)
        nullable = nullable and not column.not_null
        return q.equal(left, right, nullable=nullable, operator=column.type.equals, composite=column.type.composite)

    def same_key(self, left: str, right: str) -> q.Fragment:
        """Index-friendly equality of keys between two aliases."""
        return q.conjunction(self.same(name, q.column(left, name), q.column(right, name)) for name in self.key)

    def same_key_in_bulk(self, left: str, right: str) -> q.Fragment:
        """Equality of keys that can be merge-joined even where keys may be NULL: records compare NULLs as equal."""
        if not any(self.nullable(name) for name in self.key):
            return self.same_key(left, right)
        rows = [q.sql("ROW({c})::record", c=[q.column(alias, name) for name in self.key]) for alias in (left, right)]
        return q.sql("{l} = {r}", l=rows[0], r=rows[1])

    def names(self, alias: str | None = None) -> list[q.Fragment]:
        """All stored columns, with or without a table alias."""
        return [q.column(alias, c.name) if alias else q.ident(c.name) for c in self.columns]

    def describe(self) -> str:
        raise NotImplementedError


COUNTS = ("ivm_inserted", "ivm_updated", "ivm_deleted")


def replace_by_key(store: Store, fresh: q.Fragment) -> Run:
    """Make a keyed store equal to `fresh` by a difference in one statement, hence at one snapshot.

    Rows whose stored image differs are written, others stay untouched, so that readers of the store get small deltas.
    """
    differs = q.sql(
        "ROW({a})::record *<> ROW({b})::record",
        a=[q.column("ivm_f", name) for name in store.compared],
        b=[q.column("ivm_t", name) for name in store.compared],
    )
    updates = [q.sql("{c} = excluded.{c}", c=q.ident(c.name)) for c in store.columns]
    return Run(
        q.sql(
            "WITH ivm_f AS MATERIALIZED ({fresh}), "
            "ivm_d AS (DELETE FROM {table} AS ivm_t WHERE NOT EXISTS (SELECT FROM ivm_f WHERE {same}) RETURNING 1), "
            "ivm_i AS (INSERT INTO {table} AS ivm_s ({columns}) SELECT {fresh_columns} FROM ivm_f "
            "LEFT JOIN {table} AS ivm_t ON {same} WHERE ivm_t.ctid IS NULL OR {differs} ORDER BY {key} "
            "ON CONFLICT ({key_columns}) DO UPDATE SET {updates} RETURNING (ivm_s.xmax = 0) AS ivm_new) "
            "SELECT (SELECT count(*) FROM ivm_i WHERE ivm_new), (SELECT count(*) FROM ivm_i WHERE NOT ivm_new), "
            "(SELECT count(*) FROM ivm_d)",
            fresh=fresh,
            table=store.target,
            same=store.same_key_in_bulk("ivm_f", "ivm_t"),
            columns=store.names(),
            fresh_columns=store.names("ivm_f"),
            differs=differs,
            key=[q.column("ivm_f", name) for name in store.key],
            key_columns=[q.ident(name) for name in store.key],
            updates=updates,
        ),
        COUNTS,
    )


def unique_name(wanted: str, taken: set[str]) -> str:
    """A hidden column's name that no output of the query has."""
    name, n = wanted, 1
    while name in taken:
        n += 1
        name = f"{wanted}_{n}"
    taken.add(name)
    return name
