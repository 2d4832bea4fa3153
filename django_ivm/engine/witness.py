"""What triggers can't see, told by the system catalogs.

A view's rows are right as long as every write since they were computed met our triggers, and the tables, functions and
generated columns that the query names are those of then. So the catalog rows behind that are noted when a view is
computed as a whole (installed, refreshed in full, repaired), each with the transaction that wrote it (`xmin`): a
trigger that was disabled and enabled again looks as before, but its row was written anew. So was that of a partition
that was detached and attached, or of a function that was replaced. Freezing keeps `xmin`, and VACUUM FULL copies it.

A note means nothing after a restore: every row was written anew, with the triggers last. There a trigger is doubted
that was changed after its comment was written, which a dump puts after the trigger.

The note is taken before the rows are computed: what changes meanwhile makes it old.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from . import families, logs
from .introspect import rows

if TYPE_CHECKING:
    from .register import InstalledView

_SEEN = """
, wanted AS (
    SELECT concat_ws('.', w.schema, w."table", w.name) AS name, t.oid, t.xmin AS written, d.xmin AS commented,
           w.fires IS NOT NULL AS alarm
    FROM jsonb_to_recordset(%(triggers)s::jsonb) AS w(name text, schema text, "table" text, fires text)
    JOIN pg_namespace n ON n.nspname = w.schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w."table"
    JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = w.name
    LEFT JOIN pg_description d ON d.classoid = 'pg_trigger'::regclass AND d.objoid = t.oid AND d.objsubid = 0
), called AS (
    SELECT d.refclassid, d.refobjid FROM below b
    JOIN pg_rewrite r ON r.ev_class = b.oid AND b.relkind IN ('v', 'm')
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
    UNION
    SELECT d.refclassid, d.refobjid FROM called k
    JOIN pg_depend d ON d.classid = k.refclassid AND d.objid = k.refobjid AND d.deptype = 'n'
    WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
), used AS (
    SELECT DISTINCT d.refobjid, d.refobjsubid FROM below b
    JOIN pg_rewrite r ON r.ev_class = b.oid AND b.relkind IN ('v', 'm')
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
)
SELECT jsonb_build_object(
    'trigger', (SELECT jsonb_object_agg(name, oid || '/' || written) FROM wanted),
    'partition', (SELECT jsonb_object_agg(i.inhrelid || '<' || i.inhparent, i.xmin::text) FROM pg_inherits i
                  WHERE i.inhrelid IN (SELECT oid FROM up) OR i.inhparent IN (SELECT oid FROM up)),
    'function', (SELECT jsonb_object_agg(concat_ws(' ', p.proname, p.oid), p.oid || '/' || p.xmin)
                 FROM called k JOIN pg_proc p ON k.refclassid = 'pg_proc'::regclass AND p.oid = k.refobjid),
    'generated column', (SELECT jsonb_object_agg(c.relname || '.' || a.attname, e.oid || '/' || e.xmin) FROM used u
                  JOIN pg_attribute a ON a.attrelid = u.refobjid AND a.attnum = u.refobjsubid AND a.attgenerated <> ''
                  JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
                  JOIN pg_class c ON c.oid = a.attrelid),
    'column', (SELECT jsonb_object_agg(concat_ws('.', r->>0, r->>1, r->>2), a.attnum)
               FROM jsonb_array_elements(%(reads)s::jsonb) r
               JOIN pg_namespace n ON n.nspname = r->>0
               JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = r->>1
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = r->>2)
)::text, (SELECT identity FROM django_ivm.here),
   EXISTS (SELECT 1 FROM pg_class c WHERE c.relpersistence = 'u' AND (c.oid IN (SELECT oid FROM down)
           OR c.oid IN (SELECT t.tgrelid FROM pg_trigger t JOIN wanted w ON w.oid = t.oid))),
   ARRAY(SELECT s.srrelid::regclass::text FROM pg_subscription_rel s
         WHERE s.srrelid IN (SELECT oid FROM down) ORDER BY 1),
   -- alarms are enabled in a subtransaction, whose number is above that of the comment's transaction
   ARRAY(SELECT name FROM wanted WHERE age(written) < age(commented) AND NOT alarm ORDER BY 1)
"""

_MESSAGES = {
    "trigger": "triggers were disabled, enabled or made anew, and rows may have been written meanwhile",
    "partition": "partitions or children came, went or came back with their rows",
    "function": "functions that the query calls were replaced",
    "generated column": "generated columns were given another expression",
    "column": "columns changed their names or places",
}
_SUBSCRIBED = "a subscription writes to tables without firing statement triggers"
_CRASHED = "unlogged tables may have lost their rows in a crash"


@dataclass(frozen=True, slots=True)
class Witness:
    """What the catalogs hold of a view now. `touched` are triggers that were changed after they were commented."""

    seen: dict[str, dict[str, Any] | None]
    identity: str
    unlogged: bool
    subscribed: tuple[str, ...]
    touched: tuple[str, ...]


def look(cursor: Any, view: InstalledView) -> Witness:
    """What there is now, to be noted if the view is computed after this."""
    wanted = [*view.triggers, *logs.triggers(cursor, view), *guards(view)]
    values = {
        "root": families.ours(view.definition_view),
        "triggers": json.dumps(wanted),
        "reads": json.dumps([list(item) for item in view.reads]),
    }
    seen, identity, unlogged, subscribed, touched = rows(cursor, families.BELOW + _SEEN, values)[0]
    return Witness(json.loads(seen), identity, unlogged, tuple(subscribed), tuple(touched))


def guards(view: InstalledView) -> list[dict[str, str]]:
    """The triggers by which the view's own tables refuse writes."""
    own = {("django_ivm", table) for table in view.objects.get("stores", ())} | {view.storage}
    return [{"name": "ivm_read_only", "schema": schema, "table": table} for schema, table in sorted(own)]


def note(cursor: Any, view: InstalledView, found: Witness) -> None:
    """From now on the view's rows rest on this."""
    cursor.execute(
        "INSERT INTO django_ivm.witness AS w (view_schema, view_name, identity, seen) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT (view_schema, view_name) DO UPDATE "
        "SET identity = excluded.identity, seen = excluded.seen, noted_at = excluded.noted_at "
        "WHERE (w.identity, w.seen) IS DISTINCT FROM (excluded.identity, excluded.seen)",
        (*view.full_name, found.identity, json.dumps(found.seen)),
    )
    if found.unlogged:
        cursor.execute(
            "INSERT INTO django_ivm.survivor (view_schema, view_name) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            view.full_name,
        )


def forget(cursor: Any, view: InstalledView) -> None:
    """The view goes."""
    for table in ("witness", "survivor"):
        query = f"DELETE FROM django_ivm.{table} WHERE view_schema = %s AND view_name = %s"  # noqa: S608  (names of ours)
        cursor.execute(query, view.full_name)


def doubts(cursor: Any, view: InstalledView, now: Witness | None = None) -> tuple[str, ...]:
    """Why writes since the view was last computed may have gone unseen."""
    now = now or look(cursor, view)
    found = []
    then = _noted(cursor, view, now)
    if then is None:
        if now.touched:
            found.append(_told("trigger", now.touched))
    else:
        for kind in _MESSAGES:
            before, after = then.get(kind) or {}, now.seen.get(kind) or {}
            changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
            if changed:
                found.append(_told(kind, changed))
    if now.subscribed:
        found.append(f"{_SUBSCRIBED} ({', '.join(now.subscribed[:3])})")
    if now.unlogged and not _survived(cursor, view):
        found.append(_CRASHED)
    return tuple(found)


def _told(kind: str, names: Any) -> str:
    shown = [] if kind == "partition" else list(names)[:3] + ["…"] * (len(names) > 3)
    return f"{_MESSAGES[kind]} ({', '.join(shown)})" if shown else _MESSAGES[kind]


def _noted(cursor: Any, view: InstalledView, now: Witness) -> dict[str, Any] | None:
    """The note, if it was taken here."""
    query = "SELECT seen::text FROM django_ivm.witness WHERE view_schema = %s AND view_name = %s AND identity = %s"
    found = rows(cursor, query, (*view.full_name, now.identity))
    return json.loads(found[0][0]) if found else None


def _survived(cursor: Any, view: InstalledView) -> bool:
    if rows(cursor, "SELECT pg_is_in_recovery()")[0][0]:
        return False  # a standby has no rows of unlogged tables
    query = "SELECT 1 FROM django_ivm.survivor WHERE view_schema = %s AND view_name = %s"
    return bool(rows(cursor, query, view.full_name))


def adopt(cursor: Any, view: InstalledView) -> None:
    """Note what there is of a view that came with a dump and gives no reason for doubt; otherwise do nothing."""
    now = look(cursor, view)
    if _noted(cursor, view, now) is None and not now.touched:
        note(cursor, view, now)


def take_up(connection: Any, name: str, schema: str | None) -> None:
    """What installing does where everything is there: a view that came with a dump is watched from now on as one that
    was installed here, and its alarms fire."""
    from . import register

    with connection.cursor() as cursor:
        view = register.find(cursor, name, schema)
        if view is not None and rows(cursor, "SELECT current_setting('transaction_read_only') = 'off'")[0][0]:
            adopt(cursor, view)
            if alarms_off(cursor, view):
                with transaction.atomic(using=connection.alias):
                    rearm(cursor, view)


def alarms_off(cursor: Any, view: InstalledView) -> tuple[str, ...]:
    """Sources on which the alarm for writes under session_replication_role = replica doesn't fire: ENABLE TRIGGER ALL
    made an ordinary trigger of it, or their owner is somebody else than who installed the view."""
    return tuple(dict.fromkeys(f"{schema}.{table}" for schema, table, _ in _alarms(cursor, view)))


def rearm(cursor: Any, view: InstalledView) -> None:
    """Let the alarms fire again, as far as this role may; each table is locked against writers for a moment."""
    off = _alarms(cursor, view)
    listed = [{"schema": schema, "table": table, "name": name} for schema, table, name in off]
    before = written(cursor, listed)
    for schema, table, name in off:
        query = "SELECT django_ivm.fire_for_replicas((quote_ident(%s) || '.' || quote_ident(%s))::regclass, %s)"
        cursor.execute(query, (schema, table, name))
    if off:
        renew(cursor, listed, before)


def _alarms(cursor: Any, view: InstalledView) -> list[tuple[Any, ...]]:
    wanted = [one for one in view.triggers if "fires" in one]
    query = (
        'SELECT w.schema, w."table", w.name FROM jsonb_to_recordset(%s::jsonb) '
        'AS w(name text, schema text, "table" text) '
        "JOIN pg_namespace n ON n.nspname = w.schema "
        'JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w."table" '
        "JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = w.name "
        "WHERE t.tgenabled NOT IN ('R', 'A') ORDER BY 1, 2"
    )
    return rows(cursor, query, (json.dumps(wanted),))


def renew(cursor: Any, triggers: list[dict[str, str]], before: dict[str, Any]) -> None:
    """Triggers that several views share were replaced by ourselves, with writers kept out: views that knew them as
    they were `before` know them as they are now."""
    now = written(cursor, triggers)
    cursor.execute(
        "UPDATE django_ivm.witness w SET seen = jsonb_set(w.seen, '{trigger}', (w.seen->'trigger') || n.changed) "
        "FROM (SELECT o.view_schema, o.view_name, jsonb_object_agg(t.key, %s::jsonb->t.key) AS changed "
        "FROM django_ivm.witness o, jsonb_each(o.seen->'trigger') t "
        "WHERE jsonb_typeof(o.seen->'trigger') = 'object' AND %s::jsonb->t.key = t.value AND %s::jsonb ? t.key "
        "GROUP BY o.view_schema, o.view_name) n "
        "WHERE w.view_schema = n.view_schema AND w.view_name = n.view_name",
        (json.dumps(now), json.dumps(before), json.dumps(now)),
    )


def written(cursor: Any, triggers: list[dict[str, str]]) -> dict[str, Any]:
    """Triggers (name, schema, table) as a note has them."""
    query = (
        "SELECT concat_ws('.', w.schema, w.\"table\", w.name), t.oid || '/' || t.xmin "
        'FROM jsonb_to_recordset(%s::jsonb) AS w(name text, schema text, "table" text) '
        "JOIN pg_namespace n ON n.nspname = w.schema "
        'JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w."table" '
        "JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = w.name"
    )
    return dict(rows(cursor, query, (json.dumps(triggers),)))
