"""Delta logs: made with a source's first reader, extended by later ones, dropped with the last.

The caller has locked the source against writers: a writer that began under the old log's functions would leave out
what a new reader needs.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psycopg import sql as pg

from ..compiler.pg import names
from . import residual
from .introspect import rows
from .retiring import retire

if TYPE_CHECKING:
    from ..compiler import Installation
    from ..compiler.triggers.log import SourceLog
    from .register import InstalledView


def attach(cursor: Any, view: InstalledView, installation: Installation) -> None:
    """Make the view a reader of its sources' logs; changes from now on are for it."""
    reserve(cursor, view, installation)
    for log in installation.logs:
        ensure(cursor, log)
    residual.put(cursor, view, installation)


def reserve(cursor: Any, view: InstalledView, installation: Installation) -> None:
    """Enter the view as a reader: what its logs hold from now on is kept for it. The logs themselves may come later."""
    _touch(cursor, [log.name for log in installation.logs])
    for log in installation.logs:
        cursor.execute(
            "INSERT INTO django_ivm.reader (log, view_schema, view_name, mode, rank, apply, drain_lock, own_log) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (log.name, *view.full_name, view.mode, view.id, *_names(view, installation)),
        )
    _begin(cursor, view, installation)


def _begin(cursor: Any, view: InstalledView, installation: Installation) -> None:
    """What a deferred view has yet to meet begins now."""
    if installation.logs and view.mode == "deferred":
        cursor.execute(
            "INSERT INTO django_ivm.cursor (view_schema, view_name, snap, own_xid, own_seq, identity, drained_at) "
            "SELECT %s, %s, pg_current_snapshot(), pg_current_xact_id(), "
            "nextval('django_ivm.seq'), django_ivm.identity(), clock_timestamp()",
            view.full_name,
        )


def release(cursor: Any, view: InstalledView, *, gently: bool = False) -> None:
    """The view reads no log any more. `gently`: a trigger that nobody needs is left to do nothing, for to drop it would
    lock readers out of the source."""
    if not view.objects.get("apply"):
        return
    residual.drop(cursor, view)
    found = rows(
        cursor,
        "DELETE FROM django_ivm.reader WHERE view_schema = %s AND view_name = %s RETURNING log",
        view.full_name,
    )
    cursor.execute("DELETE FROM django_ivm.cursor WHERE view_schema = %s AND view_name = %s", view.full_name)
    _touch(cursor, [name for (name,) in found])
    for (name,) in sorted(found):
        _settle(cursor, name, gently=gently)


def _names(view: InstalledView, installation: Installation) -> tuple[str, str, str]:
    """The view's function, its drain lock and the log that its own table has when other views read it."""
    return installation.apply_function, installation.drain_lock, names.derived(names.prefix(*view.storage), "log")


def change(cursor: Any, old: InstalledView, view: InstalledView, installation: Installation) -> bool:
    """Let the view read the logs that it reads already in its new mode, with nothing pending and writers kept out.

    False when the logs are others: then it is to be released and attached.
    """
    query = "SELECT log FROM django_ivm.reader WHERE view_schema = %s AND view_name = %s"
    if {name for (name,) in rows(cursor, query, old.full_name)} != {log.name for log in installation.logs}:
        return False
    residual.drop(cursor, old)
    cursor.execute("DELETE FROM django_ivm.cursor WHERE view_schema = %s AND view_name = %s", old.full_name)
    rename(cursor, old.full_name, view, installation)
    _begin(cursor, view, installation)
    for log in installation.logs:
        ensure(cursor, log)
    return True


def _touch(cursor: Any, names_: list[str]) -> None:
    """The readers of these logs change: a transaction whose snapshot shows them as they were finds it out."""
    cursor.execute("UPDATE django_ivm.log SET identity = identity WHERE log = ANY(%s)", (names_,))


def rename(cursor: Any, old: tuple[str, str], view: InstalledView, installation: Installation) -> None:
    """What was entered for a view of that name is the other view's now; nothing that is pending is lost."""
    _touch(cursor, [log.name for log in installation.logs])
    cursor.execute(
        "UPDATE django_ivm.reader SET view_schema = %s, view_name = %s, mode = %s, rank = %s, apply = %s, "
        "drain_lock = %s, own_log = %s WHERE view_schema = %s AND view_name = %s",
        (*view.full_name, view.mode, view.id, *_names(view, installation), *old),
    )
    cursor.execute(
        "UPDATE django_ivm.cursor SET view_schema = %s, view_name = %s WHERE view_schema = %s AND view_name = %s",
        (*view.full_name, *old),
    )
    residual.put(cursor, view, installation)


def triggers(cursor: Any, view: InstalledView) -> tuple[dict[str, str], ...]:
    """The triggers that write the logs which the view reads, as the register keeps them."""
    if not view.objects.get("apply"):
        return ()
    query = (
        "SELECT l.triggers::text FROM django_ivm.log l JOIN django_ivm.reader r USING (log) "
        "WHERE r.view_schema = %s AND r.view_name = %s ORDER BY 1"
    )
    return tuple(trigger for (text,) in rows(cursor, query, view.full_name) for trigger in json.loads(text))


def _found(cursor: Any, name: str) -> SourceLog | None:
    from ..compiler.triggers.log import SourceLog

    found = rows(cursor, "SELECT spec::text FROM django_ivm.log WHERE log = %s", (name,))
    return SourceLog.from_json(json.loads(found[0][0])) if found else None


def ensure(cursor: Any, wanted: SourceLog) -> None:
    """Create the log, or extend it by the columns that are missing; triggers only where they change."""
    old = _found(cursor, wanted.name)
    log = wanted.extended(old, commit=_commits(cursor, wanted.name)) if old else wanted
    if old == log:
        return
    cursor.execute(";\n".join(log.table_statements()))
    _write(cursor, log)


def _commits(cursor: Any, name: str) -> bool:
    query = "SELECT EXISTS (SELECT 1 FROM django_ivm.reader WHERE log = %s AND mode = 'commit')"
    return bool(rows(cursor, query, (name,))[0][0])


def _write(cursor: Any, log: SourceLog) -> None:
    """Triggers and the entry in the register."""
    from . import triggers as installer
    from . import witness

    specs = log.triggers()
    listed = [{"name": t.name, "schema": t.schema, "table": t.table, "hash": t.hash} for t in specs]
    before = witness.written(cursor, listed)
    cursor.execute(";\n".join(dict.fromkeys(text for spec in specs for text in installer.statements(spec))))
    witness.renew(cursor, listed, before)
    cursor.execute(
        "INSERT INTO django_ivm.log (log, source_schema, source_name, spec, triggers, objects, identity) "
        "VALUES (%s, %s, %s, %s, %s, %s, django_ivm.identity()) ON CONFLICT (log) DO UPDATE "
        "SET spec = excluded.spec, triggers = excluded.triggers, objects = excluded.objects",
        (log.name, log.schema, log.table, *map(json.dumps, (log.to_json(), listed, log.objects()))),
    )


def _settle(cursor: Any, name: str, *, gently: bool) -> None:
    """After a reader went: drop the log with its last one, else stop what only that one needed."""
    log = _found(cursor, name)
    if log is None:
        return
    readers = rows(cursor, "SELECT count(*) FROM django_ivm.reader WHERE log = %s", (name,))[0][0]
    if readers:
        commit = _commits(cursor, name)
        if commit != log.commit:
            _write(cursor, replace(log, commit=commit))
        return
    found = _triggers(cursor, name)
    if gently:
        retire(cursor, {trigger for *_, trigger in found})
    else:
        for schema, table, trigger in found:
            cursor.execute(pg.SQL("DROP TRIGGER {} ON {}").format(pg.Identifier(trigger), pg.Identifier(schema, table)))
        for signature in log.objects()["functions"]:
            cursor.execute(f"DROP FUNCTION IF EXISTS {signature}")
    cursor.execute(pg.SQL("DROP TABLE IF EXISTS {}").format(pg.Identifier(names.RUNTIME_SCHEMA, name)))
    cursor.execute("DELETE FROM django_ivm.cleaned WHERE log = %s", (name,))
    cursor.execute("DELETE FROM django_ivm.log WHERE log = %s", (name,))


def _triggers(cursor: Any, name: str) -> list[tuple[Any, ...]]:
    """Where the log's triggers are now; found by name and function, since a table may have been renamed."""
    query = """
    SELECT n.nspname, c.relname, t.tgname FROM django_ivm.log l
    CROSS JOIN LATERAL jsonb_array_elements(l.triggers) w
    JOIN pg_trigger t ON t.tgname = w->>'name' JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace pn ON pn.oid = p.pronamespace AND pn.nspname = 'django_ivm'
    WHERE l.log = %s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """
    return rows(cursor, query, (name,))
