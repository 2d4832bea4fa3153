"""The residual read: a deferred view as it will be when it has been drained, without draining it.

One SELECT-only view: the stored rows that nothing pending touches, and beside them what the pending changes make of the
rest. All of it is one statement, hence one snapshot of the logs, the cursor, the store and the sources, so that it is
exact in every isolation level and writes nothing. Where the logs can't say what changed (the view is marked stale, its
cursor is from another database) it answers by the query itself.

The view is expanded into its reader's statement: under the reader's settings, with the rights of its owner. So rows are
told apart by what no setting changes (`_image`), and a plan whose values follow settings has no residual read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..ir.relation import WEIGHT, Compiled, Relation, subquery
from ..maintenance.delta import Before, Change, emit_delta
from ..maintenance.plan import MaintenancePlan, Node, Source
from ..maintenance.stores import AggregateStore, BagStore, KeyedStore, Store
from ..operators import Scan
from ..pg import names
from ..pg import sql as q
from ..pg.catalog import Type
from .log import SourceLog

# Types whose text tells all values apart and is the same under all settings; of the others the binary form is taken.
_PLAIN = frozenset(
    [
        "bool", "int2", "int4", "int8", "oid", "numeric", "text", "varchar", "bpchar", "char", "name", "uuid", "inet",
        "cidr", "macaddr", "macaddr8", "bit", "varbit", "pg_lsn", "xid8", "json", "jsonb",
    ]
)  # fmt: skip
_BINARY = {
    "float4": "float4send",
    "float8": "float8send",
    "date": "date_send",
    "time": "time_send",
    "timetz": "timetz_send",
    "timestamp": "timestamp_send",
    "timestamptz": "timestamptz_send",
    "interval": "interval_send",
    "money": "cash_send",
}
_HERE = q.Fragment("ivm_h AS MATERIALIZED (SELECT identity FROM django_ivm.here)")
_IDENTITY = q.Fragment("(SELECT identity FROM ivm_h)")
_DELTA, _STORED = "ivm_d", "ivm_t"


@dataclass(frozen=True)
class Residual:
    """The view's name in our schema, or why there is none: `reason` says that, for people."""

    name: str = ""
    reason: str = ""
    select: q.Fragment = q.EMPTY

    def statements(self) -> list[str]:
        """What creates it."""
        if not self.name:
            return []
        view = q.qualified(names.RUNTIME_SCHEMA, self.name)
        return [q.sql("CREATE OR REPLACE VIEW {v} AS {s}", v=view, s=self.select).text]


def residual(
    plan: MaintenancePlan,
    logs: Sequence[SourceLog],
    prefix: str,
    view: tuple[str, str],
    definition: str,
    settings: tuple[tuple[str, str], ...],
) -> Residual:
    """The residual read of a deferred view (schema, name), as far as its plan allows one.

    `definition` is the name of the query's own view in our schema, `settings` are those that its values follow.
    """
    if reason := _reason(plan, settings):
        return Residual(reason=reason)
    found = _Reading(plan, plan.view, tuple(logs), view, definition)
    return Residual(names.derived(prefix, "residual"), "", found.select())


def _reason(plan: MaintenancePlan, settings: tuple[tuple[str, str], ...]) -> str:
    """Why there is no residual read, or nothing."""
    store = plan.view.store
    if len(plan.nodes) > 1:
        return f"it is kept in {len(plan.nodes)} levels, whose changes follow from each other"
    for source in plan.view.sources:
        if source.maintained:
            name = (
                "another view" if source.schema == names.RUNTIME_SCHEMA else f"the view {source.schema}.{source.table}"
            )
            return f"it reads {name}, which may have changes pending itself"
    if settings:
        return f"its values follow settings that a reader may have changed: {', '.join(name for name, _ in settings)}"
    if isinstance(store, AggregateStore):
        if store.layout.represented:
            keys = ", ".join(name for name, _ in store.layout.represented)
            return f"equal values of {keys} may look different, and which one is shown doesn't follow from the change"
        if again := _computed_again(store):
            if not store.key:
                return f"{', '.join(again)} over all rows doesn't follow from the change"
            if not store.indexed:
                return f"{', '.join(again)} doesn't follow from the change, and no index finds a group's rows"
        return ""
    if isinstance(store, BagStore | KeyedStore):
        strange = [column for column in store.columns if _image(column.type, q.EMPTY) is None]
        found = [f"{column.name} ({column.type.sql})" for column in strange]
        return f"rows can't be told apart under all settings by {', '.join(found)}" if found else ""
    return f"its store, {store.describe()}, computes what changes anew"


def _computed_again(store: AggregateStore) -> list[str]:
    """The calls whose values aren't folded: a group that is touched is computed from its rows."""
    return [str(call) for _, _, call in store.layout.extremes] + [str(call) for _, call in store.layout.recomputed]


def _image(type_: Type, value: q.Fragment) -> q.Fragment | None:
    """What tells all values of a type apart, whatever the settings; None where nothing is known to."""
    bottom = type_.inner or type_
    if bottom.kind == "e" or (bottom.schema == "pg_catalog" and bottom.base in _PLAIN):
        return value
    if type_.inner is None and type_.schema == "pg_catalog":
        if type_.base == "bytea":
            return q.sql("encode({v}, 'hex')", v=value)
        if type_.base in _BINARY:
            return q.sql("encode({f}({v}), 'hex')", f=q.Fragment(_BINARY[type_.base]), v=value)
    return None


@dataclass(frozen=True)
class _Reading:
    plan: MaintenancePlan
    node: Node
    logs: tuple[SourceLog, ...]
    view: tuple[str, str]
    definition: str

    @property
    def store(self) -> Store:
        return self.node.store

    def select(self) -> q.Fragment:
        """Stored rows that nothing touches, what becomes of the others; in doubt the query."""
        shown = self._shown()
        known, doubt = q.Fragment("NOT (SELECT ivm_doubt FROM ivm_q)"), q.Fragment("(SELECT ivm_doubt FROM ivm_q)")
        parts = [q.sql("SELECT {c} FROM ({p}) ivm_p WHERE {k}", c=shown, p=part, k=known) for part in self._parts()]
        # OFFSET 0: nothing of the reader's statement meets rows that the query leaves out.
        query = q.sql(
            "SELECT ivm_o.*{id} FROM {v} ivm_o OFFSET 0",
            id=q.sql(", (-row_number() OVER ())::bigint AS {i}", i=q.ident(self.store.surrogate))
            if self.store.surrogate
            else q.EMPTY,
            v=q.qualified(names.RUNTIME_SCHEMA, self.definition),
        )
        parts.append(q.sql("SELECT {c} FROM ({p}) ivm_p({c}) WHERE {d}", c=shown, p=query, d=doubt))
        return q.sql(
            "WITH {ctes} {parts}", ctes=self._ctes(), parts=q.join(" UNION ALL ", parts)
        )  # fmt: skip

    def _shown(self) -> list[q.Fragment]:
        outputs = self.plan.read.outputs if self.plan.read else tuple(c.name for c in self.store.visible)
        found = [q.ident(name) for name in outputs]
        return [*found, q.ident(self.store.surrogate)] if self.store.surrogate else found

    # What is pending

    def _ctes(self) -> list[q.Fragment]:
        schema, name = (q.literal(part) for part in self.view)
        mine = q.sql("view_schema = {s} AND view_name = {n}", s=schema, n=name)
        cursor = q.sql(
            "ivm_c AS MATERIALIZED (SELECT pg_snapshot_xmax(snap) AS ivm_xmax, "
            "ARRAY(SELECT pg_snapshot_xip(snap)) || own_xid AS ivm_xips, own_xid AS ivm_own, own_seq AS ivm_from, "
            "identity IS NOT DISTINCT FROM {identity} "
            "AND pg_snapshot_xmax(snap) <= pg_snapshot_xmax(pg_current_snapshot()) AS ivm_ours "
            "FROM {t} WHERE {mine})",
            identity=_IDENTITY, t=q.qualified(names.RUNTIME_SCHEMA, "cursor"), mine=mine,
        )  # fmt: skip
        doubt = q.sql(
            "ivm_q AS MATERIALIZED (SELECT EXISTS (SELECT 1 FROM {stale} WHERE {mine}) "
            "OR coalesce((SELECT NOT ivm_ours FROM ivm_c), true) "
            "OR EXISTS (SELECT 1 FROM {log} WHERE log IN ({logs}) AND identity IS DISTINCT FROM {identity}) "
            "AS ivm_doubt)",
            stale=q.qualified(names.RUNTIME_SCHEMA, "stale"),
            log=q.qualified(names.RUNTIME_SCHEMA, "log"),
            logs=[q.literal(log.name) for log in self.logs],
            mine=mine, identity=_IDENTITY,
        )  # fmt: skip
        sources = {source.name: source for source in self.node.sources}
        changes = [
            q.sql(
                "{n} AS MATERIALIZED ({p})",
                n=q.Fragment(self._pending(log)),
                p=_unseen(log, sources[log.schema, log.table]),
            )
            for log in self.logs
        ]
        delta = q.sql("{n} AS MATERIALIZED ({d})", n=q.Fragment(_DELTA), d=self._delta())
        return [_HERE, cursor, doubt, *changes, delta]

    def _pending(self, log: SourceLog) -> str:
        return f"ivm_p{self.logs.index(log)}"

    def _change(self) -> Compiled:
        """The change of the stored relation that is pending, by the rule of the joint path."""
        by_source = {(log.schema, log.table): log for log in self.logs}

        def leaf(node: Relation) -> Compiled:
            assert isinstance(node, Change | Before)
            pending = self._changes_of(by_source[node.scan.source], node.scan)
            if isinstance(node, Change):
                return Compiled(pending, True)
            # As in the joint path: OFFSET 0 lets PostgreSQL push a join key into the table's branch.
            now = node.scan.select_list() or [q.Fragment("1 AS ivm_row")]
            gone = [q.ident(name) for name in node.scan.names] or [q.literal(1)]
            both = q.sql(
                "SELECT {now}, 1 AS {w} FROM {t} UNION ALL (SELECT {gone}, -{w} FROM ({p}) ivm_o OFFSET 0)",
                now=now, gone=gone, w=q.ident(WEIGHT), t=q.qualified(*node.scan.source), p=pending,
            )  # fmt: skip
            return Compiled(both, True)

        return emit_delta(self.node.joint_change(), leaf)

    def _changes_of(self, log: SourceLog, scan: Scan) -> q.Fragment:
        columns = [q.sql("{c} AS {n}", c=log.column(stored), n=q.ident(column.name)) for column, stored in scan.columns]
        return q.sql("SELECT {c} FROM {t}", c=[*columns, q.ident(WEIGHT)], t=q.Fragment(self._pending(log)))

    def _delta(self) -> q.Fragment:
        change = self._change()
        if isinstance(self.store, AggregateStore):
            if not _computed_again(self.store):
                return self.store.ahead(change)[0]
            keys = [q.sql("{e} AS {n}", e=s.sql(), n=q.ident(name)) for name, s in self.store.layout.keys]
            return q.sql("SELECT DISTINCT {k} FROM {c}", k=keys, c=subquery(change, "ivm_n0"))
        columns = self.store.visible if isinstance(self.store, BagStore) else self.store.columns
        named = [q.ident(column.name) for column in columns]
        return q.sql(
            "SELECT {c}, ivm_image, {w} FROM (SELECT DISTINCT ON (ivm_image) {c}, ivm_image, "
            "sum({w}) OVER (PARTITION BY ivm_image) AS {w} FROM (SELECT {c}, {w}, {image} AS ivm_image FROM {change}) "
            "ivm_n1) ivm_n2 WHERE {w} <> 0",
            c=named, w=q.ident(WEIGHT), image=self._image_of_row(None), change=subquery(change, "ivm_n0"),
        )  # fmt: skip

    def _image_of_row(self, alias: str | None) -> q.Fragment:
        columns = self.store.visible if isinstance(self.store, BagStore) else self.store.columns
        values = []
        for column in columns:
            value = q.column(alias, column.name) if alias else q.ident(column.name)
            values.append(_image(column.type, value) or value)
        return q.sql("ROW({v})::text", v=values)

    # What it makes of the stored rows

    def _parts(self) -> list[q.Fragment]:
        read = q.sql(" WHERE {c}", c=self.plan.read.condition.sql()) if self.plan.read else q.EMPTY
        if isinstance(self.store, BagStore):
            parts = self._bag()
        elif isinstance(self.store, KeyedStore):
            parts = self._keyed(self.store)
        else:
            assert isinstance(self.store, AggregateStore)
            parts = self._groups(self.store)
        return [q.sql("SELECT * FROM ({p}) ivm_r{read}", p=part, read=read) for part in parts] if read else parts

    def _columns(self, alias: str) -> list[q.Fragment]:
        """The store's columns but hidden ones, and its surrogate."""
        found = [q.column(alias, column.name) for column in self.store.visible]
        return [*found, q.column(alias, self.store.surrogate)] if self.store.surrogate else found

    def _new(self, alias: str, stored: q.Fragment = q.EMPTY) -> list[q.Fragment]:
        """The same of rows to come. A surrogate that isn't given yet is below zero, and good for one reading only."""
        found = [q.column(alias, column.name) for column in self.store.visible]
        return [*found, *self._surrogate(stored)]

    def _surrogate(self, stored: q.Fragment) -> list[q.Fragment]:
        if not self.store.surrogate:
            return []
        new = q.Fragment("(-row_number() OVER ())::bigint")
        value = q.sql("coalesce({s}, {n})", s=stored, n=new) if stored else new
        return [q.sql("{v} AS {i}", v=value, i=q.ident(self.store.surrogate))]

    def _untouched(self, same: q.Fragment) -> q.Fragment:
        return q.sql(
            "SELECT {c} FROM {t} AS {s} WHERE NOT EXISTS (SELECT 1 FROM {d} WHERE {same})",
            c=self._columns(_STORED), t=self.store.target, s=q.Fragment(_STORED), d=q.Fragment(_DELTA), same=same,
        )  # fmt: skip

    def _bag(self) -> list[q.Fragment]:
        """As many of equal rows as there were and came less those that went."""
        image = q.sql("{d} = {t}", d=q.column(_DELTA, "ivm_image"), t=self._image_of_row(_STORED))
        less = q.sql("{w} < 0", w=q.column(_DELTA, WEIGHT))
        fewer = q.sql(
            "SELECT {shown} FROM (SELECT {c}, {w} AS {w0}, row_number() OVER (PARTITION BY ivm_image) AS ivm_rank "
            "FROM {t} AS {s} JOIN {d} ON {same} WHERE {less}) ivm_x WHERE ivm_rank > -{w0}",
            shown=self._columns("ivm_x"), c=self._columns(_STORED), w=q.column(_DELTA, WEIGHT), w0=q.ident(WEIGHT),
            t=self.store.target, s=q.Fragment(_STORED), d=q.Fragment(_DELTA), same=image, less=less,
        )  # fmt: skip
        come = q.sql(
            "SELECT {c} FROM {d}, generate_series(1, {w}) WHERE {w} > 0",
            c=self._new(_DELTA), d=q.Fragment(_DELTA), w=q.column(_DELTA, WEIGHT),
        )  # fmt: skip
        return [self._untouched(q.sql("{l} AND {i}", l=less, i=image)), fewer, come]

    def _keyed(self, store: KeyedStore) -> list[q.Fragment]:
        """Of each key that is touched the row that came, if any."""
        same = store.same_key(_STORED, _DELTA)
        come = q.sql(
            "SELECT {c} FROM {d}{stored} WHERE {w} > 0",
            c=self._new(_DELTA, self._stored_surrogate()), d=q.Fragment(_DELTA), w=q.column(_DELTA, WEIGHT),
            stored=self._join(same) if store.surrogate else q.EMPTY,
        )  # fmt: skip
        return [self._untouched(store.same_key_in_bulk(_STORED, _DELTA)), come]

    def _groups(self, store: AggregateStore) -> list[q.Fragment]:
        """Each group that is touched with the change added, unless none of its rows is left."""
        if _computed_again(store):
            return [self._untouched(self._same_groups(store)), self._groups_again(store)]
        values = store.ahead(self._change())[1]
        shown = [q.sql("{v} AS {n}", v=values[c.name], n=q.ident(c.name)) for c in store.visible]
        shown += self._surrogate(self._stored_surrogate())
        if not store.key:
            return [
                q.sql(
                    "SELECT {c} FROM {t} AS {s} LEFT JOIN {d} ON true",
                    c=shown, t=store.target, s=q.Fragment(_STORED), d=q.Fragment(_DELTA),
                )
            ]  # fmt: skip
        same = store.same_key(_STORED, _DELTA)
        touched = q.sql(
            "SELECT {c} FROM {d}{stored} WHERE {n} > 0",
            c=shown, d=q.Fragment(_DELTA), stored=self._join(same), n=values[store.layout.count],
        )  # fmt: skip
        return [self._untouched(self._same_groups(store)), touched]

    def _groups_again(self, store: AggregateStore) -> q.Fragment:
        """Each group that is touched, computed from its rows: the key reaches the index below the aggregate."""
        stored = self._join(store.same_key(_STORED, _DELTA)) if store.surrogate else q.EMPTY
        return q.sql(
            "SELECT {c} FROM {d} "
            "CROSS JOIN LATERAL (SELECT * FROM ({fill}) ivm_f1 WHERE {same} OFFSET 0) ivm_f{stored}",
            c=self._new("ivm_f", self._stored_surrogate()), d=q.Fragment(_DELTA), fill=store.fill(),
            same=store.same_key("ivm_f1", _DELTA), stored=stored,
        )  # fmt: skip

    def _same_groups(self, store: AggregateStore) -> q.Fragment:
        """Equality of keys for a whole table. NULLs are equal as text, which can be hashed."""
        types = {column.name: column.type for column in store.columns}
        sides = [[_image(types[name], q.column(alias, name)) for name in store.key] for alias in (_STORED, _DELTA)]
        if not any(store.nullable(name) for name in store.key) or None in sides[0]:
            return store.same_key_in_bulk(_STORED, _DELTA)
        left, right = (q.sql("ROW({v})::text", v=[value for value in side if value]) for side in sides)
        return q.sql("{l} = {r}", l=left, r=right)

    def _stored_surrogate(self) -> q.Fragment:
        return q.column(_STORED, self.store.surrogate) if self.store.surrogate else q.EMPTY

    def _join(self, same: q.Fragment) -> q.Fragment:
        return q.sql(" LEFT JOIN {t} AS {s} ON {same}", t=self.store.target, s=q.Fragment(_STORED), same=same)


def _unseen(log: SourceLog, source: Source) -> q.Fragment:
    """The log's rows that the view's cursor hasn't seen (`draining.PENDING`), which an index finds. Those that undo
    each other are left out where rows can be told apart: what came and went meets no expression that fails for it.

    Weights are integers, as in the other branch of a state before: of unlike types PostgreSQL wouldn't look into it.
    """
    columns = [log.column(name) for name in source.read_columns]
    pending = q.sql(
        "FROM {t} WHERE (ivm_xid >= (SELECT ivm_xmax FROM ivm_c) "
        "OR ivm_xid = ANY((SELECT ivm_xips FROM ivm_c)::xid8[])) "
        "AND NOT (ivm_xid = (SELECT ivm_own FROM ivm_c) AND ivm_seq <= (SELECT ivm_from FROM ivm_c))",
        t=log.target,
    )
    types = {stored: column.type for scan in source.leaves for column, stored in scan.columns}
    images = [_image(types[name], log.column(name)) for name in source.read_columns]
    if not columns or None in images:
        return q.sql("SELECT {c} {pending}", c=[*columns, q.Fragment("ivm_w::integer AS ivm_w")], pending=pending)
    return q.sql(
        "SELECT {c}, ivm_n::integer AS ivm_w FROM (SELECT DISTINCT ON (ivm_image) {c}, "
        "sum(ivm_w) OVER (PARTITION BY ivm_image) AS ivm_n FROM (SELECT {c}, ivm_w, ROW({images})::text AS ivm_image "
        "{pending}) ivm_n1) ivm_n2 WHERE ivm_n <> 0",
        c=columns, images=[image for image in images if image], pending=pending,
    )  # fmt: skip
