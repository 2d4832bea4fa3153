"""The register of installed views: plain tables of our schema, read anew at each question."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

from ..compiler.pg.names import RUNTIME_SCHEMA
from . import facts, families, logs, policies, witness
from .introspect import registered, rows
from .results import Reason
from .spec import ViewSpec

if TYPE_CHECKING:
    from ..compiler import Installation

# One lock for installing, uninstalling and pruning in a database: "django_ivm" as a number.
ADVISORY_LOCK = 0x646A616E676F5F69


@dataclass(frozen=True, slots=True)
class InstalledView:
    """A view as the database knows it. `sources` are tables, `parents` views (schema, name), that it reads
    directly."""

    id: int
    schema: str
    name: str
    label: str
    mode: str
    strategy: str
    on_error: str
    reasons: tuple[Reason, ...]
    definition: str
    canonical: str
    definition_view: str
    reads: tuple[tuple[str, str, str], ...]
    spec_hash: str
    hash: str
    storage: tuple[str, str]
    columns: tuple[str, ...]
    hidden: tuple[str, ...]
    key: tuple[str, ...]
    live: str | None
    surrogate: str | None
    sources: tuple[tuple[str, str], ...]
    parents: tuple[tuple[str, str], ...]
    objects: dict[str, Any]
    replaces: tuple[str, ...]
    triggers: tuple[dict[str, str], ...]
    locks: tuple[str, ...]
    spec: ViewSpec
    detached: bool
    installed_at: datetime

    def __hash__(self) -> int:
        return hash((self.schema, self.name, self.hash))

    @property
    def depends_on(self) -> tuple[str, ...]:
        """Names of the views that it reads directly."""
        return tuple(name for _, name in self.parents)

    @property
    def inlined(self) -> tuple[tuple[str, str, str], ...]:
        """Ordinary views inside the query: the name of the copy in our schema, the view's schema and name."""
        return tuple((copy, schema, name) for copy, schema, name in self.objects.get("inlined", ()))

    @property
    def alike(self) -> tuple[str, ...]:
        """Columns whose values are settled up to equality only: of 1.0 and 1.00 any may be shown."""
        return tuple(self.objects.get("alike", ()))

    @property
    def undetermined(self) -> tuple[str, ...]:
        """Columns of which the query allows several values, such as string_agg() without a total order."""
        return tuple(self.objects.get("undetermined", ()))

    @property
    def at_read(self) -> str:
        """The condition on stored columns by which the SELECT-only view follows the time, or an empty string."""
        return str(self.objects.get("at_read", ""))

    @property
    def read_from(self) -> tuple[str, str]:
        """The relation that has the view's rows and no others."""
        return self.full_name if self.at_read else self.storage

    @property
    def full_name(self) -> tuple[str, str]:
        return self.schema, self.name


_JSON = (
    "reasons", "reads", "columns", "hidden", "key", "sources", "depends_on", "objects", "replaces", "triggers",
    "locks", "spec",
)  # fmt: skip
_PLAIN = (
    "id", "view_schema", "view_name", "label", "mode", "strategy", "on_error", "definition", "canonical",
    "definition_view", "spec_hash", "hash", "storage_schema", "storage_name", "live", "surrogate", "detached",
    "installed_at",
)  # fmt: skip
_SELECT = "SELECT " + ", ".join([*_PLAIN, *(f"{name}::text" for name in _JSON)]) + " FROM django_ivm.view"  # noqa: S608


def all_views(cursor: Any, *, built: bool = False) -> list[InstalledView]:
    """Every installed view, those that others read first; with `built` also those that are only being built, which
    have a name in our schema until they are published."""
    if not registered(cursor):
        return []
    every = [_view(row) for row in rows(cursor, _SELECT + " ORDER BY id")]
    found = {view.full_name: view for view in every if built or view.schema != RUNTIME_SCHEMA}
    graph = {name: [p for p in view.parents if p in found] for name, view in found.items()}
    return [found[name] for name in TopologicalSorter(graph).static_order()]


def find(cursor: Any, name: str, schema: str | None = None) -> InstalledView | None:
    """A view by its name; of several in different schemas, the first in the search_path. One that is only being built
    is found when our schema is named."""
    if not registered(cursor):
        return None
    query = _SELECT + (
        " WHERE view_name = %s AND (view_schema = %s OR %s IS NULL AND view_schema <> 'django_ivm') "
        "ORDER BY array_position(current_schemas(true)::text[], view_schema) NULLS LAST"
    )
    found = rows(cursor, query, (name, schema, schema))
    return _view(found[0]) if found else None


def _view(row: tuple[Any, ...]) -> InstalledView:
    value = dict(zip(_PLAIN, row, strict=False))
    value |= {name: json.loads(text) for name, text in zip(_JSON, row[len(_PLAIN) :], strict=True)}
    return InstalledView(
        id=value["id"],
        schema=value["view_schema"],
        name=value["view_name"],
        label=value["label"],
        mode=value["mode"],
        strategy=value["strategy"],
        on_error=value["on_error"],
        reasons=tuple(Reason(**item) for item in value["reasons"]),
        definition=value["definition"],
        canonical=value["canonical"],
        definition_view=value["definition_view"],
        reads=tuple((s, t, c) for s, t, c in value["reads"]),
        spec_hash=value["spec_hash"],
        hash=value["hash"],
        storage=(value["storage_schema"], value["storage_name"]),
        columns=tuple(value["columns"]),
        hidden=tuple(value["hidden"]),
        key=tuple(value["key"]),
        live=value["live"],
        surrogate=value["surrogate"],
        sources=tuple((s, t) for s, t in value["sources"]),
        parents=tuple((s, n) for s, n in value["depends_on"]),
        objects=value["objects"],
        replaces=tuple(value["replaces"]),
        triggers=tuple(value["triggers"]),
        locks=tuple(value["locks"]),
        spec=ViewSpec.from_json(value["spec"]),
        detached=value["detached"],
        installed_at=value["installed_at"],
    )


def record(
    cursor: Any,
    spec: ViewSpec,
    installation: Installation,
    depends_on: tuple[tuple[str, str], ...],
    number: int | None = None,
) -> None:
    """Enter a view, in the place of an older entry; `number` is that one's, where views that read it stay."""
    store = installation.store
    triggers = [
        {"name": t.name, "schema": t.schema, "table": t.table, "hash": t.hash} | ({"fires": "ROA"} if t.replica else {})
        for t in installation.triggers
    ]
    reasons = [
        {"code": r.code, "message": r.message, "hint": r.hint, "location": r.location} for r in installation.reasons
    ]
    inlined = [(copy, view.schema, view.name) for copy, view in installation.copies]
    plan = installation.plan
    looks: dict[str, Any] = {"alike": plan.alike, "undetermined": plan.open} if plan else {}
    if installation.read:
        looks["at_read"] = installation.read.condition.text
    looks |= facts.state(installation) | {"facts": facts.held(cursor, installation.reads)}
    if installation.logs:
        looks |= {"apply": installation.apply_function, "drain_lock": installation.drain_lock}
        looks |= {"residual": installation.residual.name, "no_residual": installation.residual.reason}
    shown = [c.name for c in installation.columns]
    values: dict[str, Any] = {
        "view_schema": installation.options.schema,
        "view_name": spec.name,
        "label": spec.label,
        "mode": spec.mode,
        "strategy": installation.strategy,
        "on_error": spec.on_error,
        "reasons": json.dumps(reasons),
        "definition": spec.sql,
        "canonical": installation.canonical_sql,
        "definition_view": installation.definition_view,
        "reads": json.dumps([list(item) for item in installation.reads]),
        "spec_hash": spec.hash,
        "hash": installation.hash,
        "storage_schema": store.table_schema,
        "storage_name": store.table,
        "columns": json.dumps(shown),
        "hidden": json.dumps([c.name for c in store.columns if c.name not in shown]),
        "key": json.dumps(list(store.key)),
        "live": store.live,
        "surrogate": store.surrogate,
        "sources": json.dumps([list(s) for s in installation.sources]),
        "depends_on": json.dumps([list(name) for name in depends_on]),
        "objects": json.dumps(installation.objects() | {"inlined": inlined} | looks),
        "replaces": json.dumps(installation.replace_functions()),
        "triggers": json.dumps(triggers),
        "locks": json.dumps(list(installation.locks())),
        "spec": replace(spec, settings=installation.settings, settled=installation.settled).to_json(),
    }
    cursor.execute(
        "DELETE FROM django_ivm.view WHERE view_schema = %s AND view_name = %s",
        (values["view_schema"], values["view_name"]),
    )
    if number is not None:
        values["id"] = number
    names = ", ".join(values)
    holes = ", ".join(["%s"] * len(values))
    statement = f"INSERT INTO django_ivm.view ({names}) OVERRIDING SYSTEM VALUE VALUES ({holes})"  # noqa: S608
    cursor.execute(statement, tuple(values.values()))


def markers(cursor: Any, view: InstalledView) -> int:
    """How many marks say that the view is stale."""
    query = "SELECT count(*) FROM django_ivm.stale WHERE view_schema = %s AND view_name = %s"
    return int(rows(cursor, query, view.full_name)[0][0])


def mark_stale(cursor: Any, view: InstalledView, reason: str) -> None:
    """Say that the view is stale until its next refresh."""
    cursor.execute(
        "INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES (%s, %s, %s)", (*view.full_name, reason)
    )


_FAULTS = """
WITH RECURSIVE wanted AS (
    SELECT w.name, w.hash, w.schema || '.' || w."table" AS shown, coalesce(w.fires, 'OA') AS fires, c.oid AS table_oid,
           w.schema = 'django_ivm' OR (w.schema, w."table") = (%s, %s) AS own
    FROM jsonb_to_recordset(%s::jsonb) AS w(name text, schema text, "table" text, hash text, fires text)
    LEFT JOIN pg_namespace n ON n.nspname = w.schema
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w."table"
), roots AS (
    SELECT c.oid FROM jsonb_array_elements(%s::jsonb) s
    JOIN pg_namespace n ON n.nspname = s->>0 JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s->>1
), watched AS (
    SELECT oid FROM roots WHERE oid IN (SELECT table_oid FROM wanted)
), down AS (
    SELECT oid FROM watched UNION SELECT i.inhrelid FROM down d JOIN pg_inherits i ON i.inhparent = d.oid
), family AS (
    SELECT oid FROM down UNION SELECT i.inhparent FROM family f JOIN pg_inherits i ON i.inhrelid = f.oid
)
SELECT
    -- every trigger is there, enabled, unchanged
    ARRAY(SELECT DISTINCT w.shown FROM wanted w WHERE NOT EXISTS (
        SELECT 1 FROM pg_trigger t WHERE t.tgrelid = w.table_oid AND t.tgname = w.name
        AND strpos(w.fires, t.tgenabled::text) > 0
        AND (w.hash IS NULL OR obj_description(t.oid, 'pg_trigger') = w.hash))
        ORDER BY 1),
    -- no partition or child came or went, no table came above one
    ARRAY(SELECT DISTINCT oid::regclass::text FROM (
        SELECT f.oid FROM family f WHERE f.oid NOT IN (SELECT table_oid FROM wanted WHERE table_oid IS NOT NULL)
        UNION ALL
        SELECT w.table_oid FROM wanted w WHERE NOT w.own AND w.table_oid NOT IN (SELECT oid FROM family)) x
        WHERE NOT %s AND oid IS NOT NULL ORDER BY 1),
    -- no ordinary view inside the query has changed
    ARRAY(SELECT (v->>1) || '.' || (v->>2) FROM jsonb_array_elements(%s::jsonb) v,
        to_regclass('django_ivm.' || quote_ident(v->>0)) copy
        WHERE copy IS NULL OR pg_get_viewdef(copy) IS DISTINCT FROM
            pg_get_viewdef(to_regclass(quote_ident(v->>1) || '.' || quote_ident(v->>2)))),
    -- every column that the trigger functions name is there
    ARRAY(SELECT DISTINCT concat_ws('.', r->>0, r->>1, r->>2) FROM jsonb_array_elements(%s::jsonb) r WHERE NOT EXISTS (
        SELECT 1 FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = r->>0 AND c.relname = r->>1 AND a.attname = r->>2) ORDER BY 1),
    to_regclass(quote_ident(%s) || '.' || quote_ident(%s)) IS NOT NULL
    AND to_regclass('django_ivm.' || quote_ident(%s)) IS NOT NULL
"""


def intact(cursor: Any, view: InstalledView) -> bool:
    """What is installed still fits: see `faults`."""
    return not faults(cursor, view)


def faults(cursor: Any, view: InstalledView) -> tuple[str, ...]:
    """What of an installed view doesn't fit its sources any more: triggers, partitions and descendants, columns and
    keys that the plan relies on, the ordinary views inside the query, the table and the definition."""
    marked = view.strategy == "full" or view.mode == "manual"
    values = (
        *view.storage,
        json.dumps([*view.triggers, *logs.triggers(cursor, view), *witness.guards(view)]),
        json.dumps([list(name) for name in view.sources]),
        marked,
        json.dumps(view.inlined),
        json.dumps([list(item) for item in view.reads]),
        *view.storage,
        view.definition_view,
    )
    triggers, family, inner, columns, there = rows(cursor, _FAULTS, values)[0]
    found = []
    if triggers:
        found.append(f"triggers are missing, disabled or changed on {_some(triggers)}")
    if family:
        found.append(f"partitions, children or parents came or went: {_some(family)}")
    if inner:
        found.append(f"ordinary views that the query reads have changed: {_some(inner)}")
    if columns:
        found.append(f"columns were renamed or dropped: {_some(columns)}")
    if not there:
        found.append("the table or the definition is gone")
    if marked and families.watched(cursor, view.definition_view) != set(view.sources):
        found.append("the query reads other tables than when the view was installed")
    if secured := policies.applying(cursor, view):
        found.append(f"row level security applies to the view's owner: {_some(secured)}")
    found += facts.lost(cursor, view.objects.get("facts"), view.reads)
    return tuple(found)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
