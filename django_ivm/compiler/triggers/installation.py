"""MaintenancePlan → Installation: everything that is put into the database, as a value to print, compare, install."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property

from ..errors import Reason
from ..frontend.volatility import pinned_settings
from ..ir.reading import ReadFilter
from ..ir.relation import Column
from ..maintenance.advice import MissingIndex
from ..maintenance.levels import lock_table
from ..maintenance.plan import MaintenancePlan
from ..maintenance.stores import BagStore, Store, StoredColumn
from ..maintenance.waits import circles
from ..operators import Opaque
from ..options import Options
from ..pg import names
from ..pg import sql as q
from ..pg.catalog import Catalog, ViewInfo
from ..pg.shared import MAINTAINING_PATH, STRIPES
from . import filling
from .capture import Capture
from .comparing import Comparison, comparisons
from .draining import ARGUMENTS, Draining
from .guarded import Guard, epoch_table
from .locking import rows_function
from .log import SourceLog
from .marks import mark_triggers
from .objects import Function, TriggerSpec
from .replacing import replace_function
from .residual import Residual, residual
from .unseen import alarms

COMPILER_VERSION = "1"
LATER = ("commit", "deferred")  # modes in which a write appends to a log, and is applied later


@dataclass(frozen=True)
class Installation:
    """One view, compiled.

    `strategy` is "incremental" or "full", `reasons` say why. `stores` are its tables, the view's own last; `captures`
    the trigger functions by store; `triggers` all triggers, on sources and on its own tables.
    """

    options: Options
    canonical_sql: str
    user_sql: str
    strategy: str
    reasons: tuple[Reason, ...]
    stores: tuple[Store, ...]
    functions: tuple[Function, ...]
    triggers: tuple[TriggerSpec, ...]
    sources: tuple[tuple[str, str], ...]
    lock_tables: tuple[tuple[str, int], ...] = ()
    spool_tables: tuple[tuple[str, str], ...] = ()  # of changes and failures: name, CREATE statement
    settings: tuple[tuple[str, str], ...] = ()  # pinned, since the query's values follow them
    inlined: tuple[ViewInfo, ...] = ()  # ordinary views that the query reads
    logs: tuple[SourceLog, ...] = ()  # of the sources whose changes are applied later
    plan: MaintenancePlan | None = None

    @property
    def prefix(self) -> str:
        return names.prefix(self.options.schema, self.options.name)

    @property
    def store(self) -> Store:
        return self.stores[-1]

    @property
    def columns(self) -> tuple[StoredColumn, ...]:
        """The view's own columns, in the query's order."""
        return self.store.visible[: len(self.read.outputs)] if self.read else self.store.visible

    @property
    def read(self) -> ReadFilter | None:
        """What the SELECT-only view does to the stored rows."""
        return self.plan.read if self.plan else None

    @property
    def public_view(self) -> bool:
        """A SELECT-only view stands over the table, which has hidden columns."""
        return (self.store.table_schema, self.store.table) != (self.options.schema, self.options.name)

    @property
    def apply_function(self) -> str:
        """Name of the function that applies logged changes; empty where writes are maintained at once, or never."""
        guarded = self.options.mode == "commit" and self.options.on_error == "stale"
        return names.derived(self.prefix, "guarded" if guarded else "apply") if self.logs else ""

    @property
    def drain_lock(self) -> str:
        """Name of the table by whose lock drains of the view wait for each other, before they have a snapshot."""
        return names.derived(self.prefix, "drain") if self.logs else ""

    @cached_property
    def residual(self) -> Residual:
        """How to read the view with what is pending added, or why it can't be."""
        if self.options.mode != "deferred":
            return Residual()
        if self.plan is None or not self.logs:
            return Residual(reason="it is refreshed in full")
        view = (self.options.schema, self.options.name)
        return residual(self.plan, self.logs, self.prefix, view, self.definition_view, self.settings)

    @property
    def definition_view(self) -> str:
        return names.derived(self.prefix, "query")

    @property
    def reads(self) -> tuple[tuple[str, str, str], ...]:
        """(schema, table, column) that trigger functions name: a rename would break them."""
        nodes = self.plan.nodes if self.plan else ()
        return tuple(
            (*relation, column)
            for node in nodes
            for source in node.sources
            for relation in source.relations
            for column in source.read_columns
        )

    @property
    def missing_indexes(self) -> tuple[MissingIndex, ...]:
        """Indexes on sources that writes would look rows up by, if they were there."""
        return self.plan.missing_indexes if self.plan else ()

    @property
    def settled(self) -> tuple[tuple[str, str], ...]:
        """What was chosen from, with the choice: an installed view keeps to it."""
        return tuple((choice.what, choice.way) for choice in self.plan.choices) if self.plan else ()

    @cached_property
    def hash(self) -> str:
        """Changes with the user's definition, the options or the compiler, not with PostgreSQL's way of printing."""
        pinned = [f"{name}={value}" for name, value in self.settings]
        parts = (COMPILER_VERSION, self.user_sql, json.dumps(repr(self.options)), self.strategy, *pinned)
        return names.digest(*parts) + names.digest(*reversed(parts))

    # Statements

    def statements(self) -> list[str]:
        """The whole script, in order, to be run in one READ COMMITTED transaction.

        Sources are locked against writers before the first row is read: a fill that read before the triggers were
        there would miss what was committed in between.
        """
        return [
            *self.lock_statements(),
            *self.table_statements(),
            *self.log_statements(),
            *self.function_statements(),
            *self.trigger_statements(),
            *self.residual.statements(),
        ]

    def lock_statements(self) -> list[str]:
        """Keep writers out of the sources until the triggers are there."""
        tables = [q.qualified(*name) for name in self.sources]
        return [q.sql("LOCK TABLE {t} IN SHARE ROW EXCLUSIVE MODE", t=tables).text] if tables else []

    def table_statements(self, *, empty: bool = False) -> list[str]:
        """The definition, the filled tables with their indexes, lock buckets, spools; or `empty` ones without indexes,
        to be filled later."""
        found = [
            q.sql("CREATE SCHEMA IF NOT EXISTS {s}", s=q.ident(names.RUNTIME_SCHEMA)).text,
            *self.setting_statements(),
            self.definition_statement(),
            *self.copy_statements(),
        ]
        for store in self.stores:
            found += [filling.empty(store)] if empty else filling.filled(store)
        for name, buckets in self.lock_tables:
            found += _lock_table_statements(name, buckets)
        found += [create for _, create in self.spool_tables]
        found += [create for _, create in self.drain_tables]
        return found + self._public_statements()

    def fill_statements(self) -> list[str]:
        """What fills empty tables, inputs first."""
        return [filling.fill(store) for store in self.stores]

    def index_statements(self) -> list[str]:
        """The indexes that filled tables need."""
        return [text for store in self.stores for text in filling.indexed(store)]

    def naming_statements(self) -> list[str]:
        """All of `table_statements` but the tables, for a view whose tables have been made under other names."""
        return [
            *self.setting_statements(),
            self.definition_statement(),
            *self.copy_statements(),
            *self._public_statements(),
        ]

    def _public_statements(self) -> list[str]:
        found = []
        if self.public_view:
            view = q.qualified(self.options.schema, self.options.name)
            found.append(q.sql("CREATE VIEW {v} AS {s}", v=view, s=self._shown()).text)
        return found + [_copy_statement(name, view) for name, view in self._reading]

    @property
    def drain_tables(self) -> tuple[tuple[str, str], ...]:
        """Tables that are there to be locked: (name, CREATE statement)."""
        if not self.drain_lock:
            return ()
        create = q.sql("CREATE TABLE {t} ()", t=q.qualified(names.RUNTIME_SCHEMA, self.drain_lock))
        return ((self.drain_lock, create.text),)

    def log_statements(self) -> list[str]:
        """The logs of the sources, as they are without other readers."""
        found: list[str] = []
        for log in self.logs:
            found += log.table_statements()
            for spec in log.triggers():
                found += spec.statements()
        return found

    def _shown(self) -> q.Fragment:
        """What the SELECT-only view selects."""
        shown = q.sql("SELECT {c} FROM {t}", c=[q.ident(c.name) for c in self.columns], t=self.store.target)
        return q.sql("{s} WHERE {w}", s=shown, w=self.read.condition.sql()) if self.read else shown

    def definition_statement(self) -> str:
        """The query as an ordinary view: PostgreSQL then refuses DDL that would break it, and `verify` reads it."""
        view = q.qualified(names.RUNTIME_SCHEMA, self.definition_view)
        return q.sql("CREATE OR REPLACE VIEW {v} AS {s}", v=view, s=q.Fragment(self.canonical_sql)).text

    def setting_statements(self) -> list[str]:
        """The settings under which the tables are filled."""
        return [
            q.sql("SET LOCAL {n} = {v}", n=q.Fragment(name), v=q.literal(value)).text for name, value in self.settings
        ]

    @property
    def copies(self) -> tuple[tuple[str, ViewInfo], ...]:
        """Names of copies of ordinary views, as they were when the query was compiled: those inside it, and the
        SELECT-only view where it has a condition."""
        return self._inner + self._reading

    @property
    def _inner(self) -> tuple[tuple[str, ViewInfo], ...]:
        return tuple((names.derived(self.prefix, "inner", i), view) for i, view in enumerate(self.inlined, 1))

    @property
    def _reading(self) -> tuple[tuple[str, ViewInfo], ...]:
        if self.read is None:
            return ()
        shown = ViewInfo(self.options.schema, self.options.name, self._shown().text, self.read.outputs)
        return ((names.derived(self.prefix, "shown"), shown),)

    def copy_statements(self) -> list[str]:
        """Copies of the ordinary views inside: one that prints otherwise was changed since."""
        return [_copy_statement(name, view) for name, view in self._inner]

    def function_statements(self) -> list[str]:
        return [text for function in self.functions for text in function.statements()]

    def trigger_statements(self) -> list[str]:
        """Triggers, their functions first where they have one of their own."""
        found: dict[str, None] = {}
        for spec in self.triggers:
            found |= dict.fromkeys(spec.statements())
        return [*found, *self.guard_statements()]

    def guard_statements(self) -> list[str]:
        """The view's tables refuse direct writes; the functions that maintain them are known by their pinned path.

        Above READ COMMITTED they refuse a row beside one of its key that ended after the transaction's snapshot.
        """
        guards = [
            q.sql(
                "CREATE OR REPLACE TRIGGER ivm_read_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {t} "
                "FOR EACH STATEMENT WHEN (current_setting('search_path') IS DISTINCT FROM {path}) "
                "EXECUTE FUNCTION {f}({name})",
                t=store.target,
                path=q.literal(MAINTAINING_PATH),
                f=q.qualified(names.RUNTIME_SCHEMA, "refuse_write"),
                name=q.literal(self.options.name),
            )
            for store in self.stores
        ]
        guards += [
            q.sql(
                "CREATE OR REPLACE TRIGGER ivm_twin AFTER INSERT ON {t} FOR EACH ROW "
                "WHEN (current_setting('transaction_isolation') <> 'read committed') EXECUTE FUNCTION {f}({same})",
                t=store.target,
                f=q.qualified(names.RUNTIME_SCHEMA, "refuse_twin"),
                same=q.literal(store.same_key("ivm_old", "ivm_new").text),
            )
            for store in self.stores
            if store.key
        ]
        return [guard.text for guard in guards]

    def objects(self) -> dict[str, list[str]]:
        """Names of everything in our schema that belongs to the view, for uninstalling."""
        tables = [s.table for s in self.stores if s.table_schema == names.RUNTIME_SCHEMA]
        tables += [name for name, _ in (*self.lock_tables, *self.spool_tables, *self.drain_tables)]
        functions = {f.name: f.signature.text for f in self.functions}
        functions |= {spec.function.name: spec.function.signature.text for spec in self.triggers}
        return {"tables": tables, "functions": list(functions.values())}

    @property
    def levels(self) -> tuple[Comparison, ...]:
        """How stored relations are compared with their queries, where the definition doesn't say it."""
        return comparisons(self.stores, self.plan.nodes if self.plan else ())

    def replace_functions(self) -> list[str]:
        """Functions that compute each level anew, inputs first."""
        return [f.signature.text for f in self.functions if f.name.endswith("_replace")]

    def locks(self) -> tuple[str, ...]:
        """What a write locks, in words."""
        if self.plan is None:
            return ("a write only marks the view stale",)
        found = []
        for node in self.plan.nodes:
            if node.store.key and node.store.live:
                found.append(f"group rows of {node.store.table}, in key order")
            if node.store.locking:
                found.append(node.store.locking)
            if node.locks:
                found += node.locks.text
        if self.options.mode == "deferred" and self.logs:
            return ("a write appends to logs and waits for nobody", "drains of the view wait for each other")
        if self.options.mode == "commit" and self.logs:
            first = "a write appends to logs; the locks below are taken while the transaction commits, in one order"
            return (first, *dict.fromkeys(found))
        if self.options.on_error == "stale" and self.options.mode != "deferred":
            when = "each commit" if self.options.mode == "commit" else "each event of a source"
            cost = "costs a subtransaction (some 20 µs), and waits for a refresh in flight"
            found.append(f"on_error = stale: {when} {cost}")
        found += [f"possible deadlock (40P01, run the transaction again): {text}" for text in circles(self.plan)]
        return tuple(dict.fromkeys(found)) or ("only the rows that are written",)

    def __str__(self) -> str:
        return ";\n\n".join(self.statements()) + ";"


def install_incremental(plan: MaintenancePlan, sql: str, catalog: Catalog, options: Options) -> Installation:
    """Installation of a plan: immediate maintenance, or marks when the view is refreshed by hand."""
    if options.mode == "manual":
        return _marked(sql, catalog, options, "incremental", plan.reasons)
    prefix = names.prefix(options.schema, options.name)
    own = frozenset((node.store.table_schema, node.store.table) for node in plan.nodes)
    sources = dict.fromkeys(s.name for node in plan.nodes for s in node.sources if s.name not in own)
    relations = tuple(r for node in plan.nodes for s in node.sources if s.name not in own for r in s.relations)
    later = options.mode in LATER and bool(sources)
    nodes = plan.nodes
    if later:
        nodes = tuple(replace(n, logged=tuple(s.name for s in n.sources if s.name not in own)) for n in nodes)
    guard = Guard(prefix, (options.schema, options.name), own) if options.on_error == "stale" else None
    captures = [Capture(node, prefix, (options.schema, options.name), guard) for node in nodes]
    functions: list[Function] = []
    for capture in captures:
        functions.append(capture.replace())
        if capture.node.counted:
            functions.append(capture.flush())
    logs: tuple[SourceLog, ...] = ()
    if later:
        readings = {name: [s for node in nodes for s in node.sources if s.name == name] for name in sources}
        logs = tuple(SourceLog.of(found, commit=options.mode == "commit") for found in readings.values())
        apply = Draining(prefix, captures, own, logs).apply()
        functions.append(apply)
        if guard and options.mode == "commit":
            functions.append(guard.at_commit(apply.name, ARGUMENTS))
    sizes = [(lock_table(prefix, c.node.number), c.needs_lock_table()) for c in captures]
    functions += [rows_function(table, buckets) for table, buckets in sizes if buckets]
    settings = pinned_settings(catalog)
    return Installation(
        options=options,
        canonical_sql=sql,
        user_sql=catalog.user_sql or sql,
        strategy="incremental",
        reasons=plan.reasons,
        stores=tuple(node.store for node in plan.nodes),
        functions=tuple(function.pinned(settings) for function in functions),
        triggers=tuple(
            replace(spec, function=spec.function.pinned(settings))
            for capture in captures
            for spec in capture.triggers()
        )
        + tuple(alarms(prefix, (options.schema, options.name), relations, tuple(n.store for n in plan.nodes))),
        sources=tuple(sources),
        lock_tables=tuple((table, buckets) for table, buckets in sizes if buckets)
        + (((epoch_table(prefix), 1),) if guard else ()),
        spool_tables=tuple((spool.table, spool.create()) for c in captures for spool in c.spools)
        + ((guard.create(),) if guard else ()),
        plan=plan,
        settings=settings,
        inlined=catalog.views,
        logs=logs,
    )


def install_full(sql: str, catalog: Catalog, options: Options, reasons: tuple[Reason, ...]) -> Installation:
    """Installation of a view that is refreshed in full; writes only mark it stale."""
    return _marked(sql, catalog, options, "full", reasons)


def _marked(sql: str, catalog: Catalog, options: Options, strategy: str, reasons: tuple[Reason, ...]) -> Installation:
    prefix = names.prefix(options.schema, options.name)
    outputs = options.columns or tuple(c.name for c in catalog.outputs)
    definition = (names.RUNTIME_SCHEMA, names.derived(prefix, "query"))
    columns = tuple(
        (Column(name, c.type, c.not_null), c.name) for name, c in zip(outputs, catalog.outputs, strict=True)
    )
    locks = lock_table(prefix, 1)
    store = BagStore(
        *options.storage(prefix),
        Opaque(definition, columns),
        options.surrogate,
        q.qualified(names.RUNTIME_SCHEMA, locks),
    )
    function = replace_function(names.derived(prefix, 1, "replace"), store)
    settings = pinned_settings(catalog)
    view = (options.schema, options.name)
    marks = mark_triggers(prefix, view, catalog.base_tables, catalog.mixed)
    return Installation(
        options=options,
        canonical_sql=sql,
        user_sql=catalog.user_sql or sql,
        strategy=strategy,
        reasons=reasons,
        stores=(store,),
        functions=(function.pinned(settings),),
        triggers=(*marks, *alarms(prefix, view, tuple(catalog.base_tables), (store,))),
        sources=tuple(catalog.base_tables),
        settings=settings,
        inlined=catalog.views,
    )


def _copy_statement(name: str, view: ViewInfo) -> str:
    return q.sql(
        "CREATE OR REPLACE VIEW {v} ({c}) AS {s}",
        v=q.qualified(names.RUNTIME_SCHEMA, name),
        c=[q.ident(column) for column in view.columns],
        s=q.Fragment(view.sql),
    ).text


def _lock_table_statements(name: str, buckets: int) -> list[str]:
    table = q.qualified(names.RUNTIME_SCHEMA, name)
    return [
        q.sql(
            "CREATE TABLE {t} (b integer, st integer, ver bigint NOT NULL DEFAULT 0, PRIMARY KEY (b, st)) "
            "WITH (fillfactor = 20)",
            t=table,
        ).text,
        q.sql(
            "INSERT INTO {t} (b, st) SELECT b, st FROM generate_series(0, {n}) b, generate_series(0, {k}) st",
            t=table, n=q.literal(buckets - 1), k=q.literal(STRIPES - 1),
        ).text,
    ]  # fmt: skip
