"""Look at a view as if all that is pending had been applied, at one state of its sources, and take it back.

A view is compared with its query at one moment: what its logs hold belongs to it by then. Outside of a transaction the
drain and the look share the snapshot of a REPEATABLE READ transaction. Inside one at READ COMMITTED each statement has
its own, so both are repeated when somebody committed meanwhile, the last time with writers kept out of the logs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import transaction
from psycopg import sql as pg

from ..compiler.pg import names
from . import drain, register
from .introspect import rows
from .register import InstalledView

_T = TypeVar("_T")
_TRIES = 3


def peek(connection: Any, view: InstalledView, look: Callable[[], _T]) -> _T:
    """What `look` gives. A view that is stale, or whose cursor is of another database, is looked at as it is."""
    with connection.cursor() as cursor:
        as_it_is = (
            view.detached
            or not drain.later(view)
            or register.markers(cursor, view) > 0
            or not drain.usable(cursor, view)
        )
    if as_it_is:
        return look()
    if view.mode == "commit":
        return _flushed(connection, view, look)
    if connection.get_autocommit() and not connection.in_atomic_block:
        return drain.retried(lambda: _alone(connection, view, look))
    for attempt in range(_TRIES):
        found, late = _inside(connection, view, look, locked=attempt == _TRIES - 1)
        if not late:
            break
    return found


def _flushed(connection: Any, view: InstalledView, look: Callable[[], _T]) -> _T:
    """With the changes of the caller's own transaction, of which the query shows them and the view doesn't yet."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if drain.pending(cursor, view):
            drain.flush_own(cursor)
        found = look()
        transaction.set_rollback(True, using=connection.alias)
    return found


def _alone(connection: Any, view: InstalledView, look: Callable[[], _T]) -> _T:
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        drain.lock(cursor, view.objects["drain_lock"], "EXCLUSIVE")  # before there is a snapshot
        _apply(cursor, view)
        found = look()
        transaction.set_rollback(True, using=connection.alias)
    return found


def _inside(connection: Any, view: InstalledView, look: Callable[[], _T], *, locked: bool) -> tuple[_T, bool]:
    """(what was seen, whether it may not have been of one moment)."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        drain.lock(cursor, view.objects["drain_lock"], "EXCLUSIVE")
        query = "SELECT log FROM django_ivm.reader WHERE view_schema = %s AND view_name = %s ORDER BY log"
        logs = [log for (log,) in rows(cursor, query, view.full_name)]
        for log in logs if locked else ():
            drain.lock(cursor, log, "SHARE ROW EXCLUSIVE")
        before, own = rows(cursor, "SELECT pg_current_snapshot()::text, pg_current_xact_id()::text")[0]
        _apply(cursor, view)
        found = look()
        count = "SELECT django_ivm.count_pending(%s, %s::pg_snapshot, %s::xid8, 9223372036854775807)"
        late = not locked and any(rows(cursor, count, (log, before, own))[0][0] for log in logs)
        transaction.set_rollback(True, using=connection.alias)
    return found, late


def _apply(cursor: Any, view: InstalledView) -> None:
    """Apply what is pending as changes, however many: computed anew, the view would show nothing of what it was."""
    cursor.execute(
        pg.SQL(
            "SELECT {}(pg_snapshot_xmax(c.snap), ARRAY(SELECT pg_snapshot_xip(c.snap)) || c.own_xid, c.own_xid, "
            "c.own_seq, false) FROM django_ivm.cursor c WHERE c.view_schema = %s AND c.view_name = %s"
        ).format(pg.Identifier(names.RUNTIME_SCHEMA, view.objects["apply"])),
        view.full_name,
    )
