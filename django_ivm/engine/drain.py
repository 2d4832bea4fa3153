"""Drain deferred views: apply what their sources' logs hold, at one state of the sources.

A view of several maintained relations takes several statements. Outside of a transaction they share the snapshot of a
REPEATABLE READ transaction, which is taken after the view's drain lock: two drains follow each other and don't fail.
Inside a READ COMMITTED transaction `django_ivm.drain` finds out whether anybody committed meanwhile, and tries again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import DatabaseError, transaction
from psycopg import sql as pg

from ..compiler.pg import names
from . import register
from .introspect import rows
from .order import ancestors
from .register import InstalledView

RETRYABLE = ("40001", "40P01")
_HASTY, _TRIES = 6, 20
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Drained:
    """`deltas` are the change rows that were met; `anew` says why the view was computed anew, where it was."""

    deltas: int
    anew: str


def drain(connection: Any, view: InstalledView, reason: str = "") -> Drained:
    """Bring a deferred view up to date with what has committed; with a `reason` by computing it anew.

    Serialization failures and deadlocks (of views that read this one) are tried again, outside of a transaction.
    Where others always come between, the drain is made in READ COMMITTED in the end: there it waits for them.
    """
    if not connection.get_autocommit() or connection.in_atomic_block:
        return _drain(connection, view, reason)
    try:
        return retried(lambda: _alone(connection, view, reason), _HASTY)
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) not in RETRYABLE:
            raise
    return retried(lambda: _drain(connection, view, reason, "READ COMMITTED"))


def _alone(connection: Any, view: InstalledView, reason: str) -> Drained:
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        lock(cursor, view.objects["drain_lock"], "EXCLUSIVE")  # a statement that reads would fix a snapshot before it
        return _call(cursor, view, reason)


def lock(cursor: Any, table: str, mode: str) -> None:
    """Lock a table of ours until the transaction ends."""
    statement = pg.SQL("LOCK TABLE {} IN {} MODE")
    cursor.execute(statement.format(pg.Identifier(names.RUNTIME_SCHEMA, table), pg.SQL(mode)))  # type: ignore[arg-type]


def _drain(connection: Any, view: InstalledView, reason: str, level: str = "") -> Drained:
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if level:
            cursor.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
        return _call(cursor, view, reason)


def _call(cursor: Any, view: InstalledView, reason: str) -> Drained:
    deltas, anew = rows(cursor, "SELECT deltas, anew FROM django_ivm.drain(%s, %s, %s)", (*view.full_name, reason))[0]
    return Drained(deltas, anew)


def retried(work: Callable[[], _T], tries: int = _TRIES) -> _T:
    """Run a transaction again, with growing pauses, while it fails for what others did."""
    for attempt in range(tries):
        try:
            return work()
        except DatabaseError as error:
            state = getattr(error.__cause__, "sqlstate", None)
            if state not in RETRYABLE or attempt == tries - 1:
                raise
            time.sleep(random.uniform(0, 0.002 * 2 ** min(attempt, 7)))  # noqa: S311  (no secret)
    raise AssertionError


def clean(connection: Any, view: InstalledView) -> int:
    """Delete what all readers of the view's logs have seen; the number of rows. Nothing in a transaction whose
    snapshot stands still: there it could fail with 40001."""
    with connection.cursor() as cursor:
        if rows(cursor, "SELECT current_setting('transaction_isolation')")[0][0] != "read committed":
            return 0
        query = (
            "SELECT coalesce(sum(django_ivm.clean(log)), 0) FROM django_ivm.reader "
            "WHERE view_schema = %s AND view_name = %s"
        )
        return int(rows(cursor, query, view.full_name)[0][0])


def flush_own(cursor: Any) -> None:
    """Apply this transaction's own changes to views in mode `commit` now, and its later ones at commit again."""
    cursor.execute("SET CONSTRAINTS django_ivm.ivm_commit IMMEDIATE")
    cursor.execute("SET CONSTRAINTS django_ivm.ivm_commit DEFERRED")


def pending(cursor: Any, view: InstalledView) -> int:
    """Change rows that the view has yet to meet, as this transaction sees them."""
    if not later(view):
        return 0
    return int(rows(cursor, "SELECT django_ivm.pending_rows(%s, %s)", view.full_name)[0][0])


def later(view: InstalledView) -> bool:
    """Changes are logged and met later: a view in mode `commit` or `deferred` that is kept incrementally."""
    return bool(view.objects.get("apply"))


def deferred(view: InstalledView) -> bool:
    """The view is kept by drains."""
    return later(view) and view.mode == "deferred"


def before(cursor: Any, view: InstalledView) -> list[InstalledView]:
    """Deferred views that the view reads, directly or through others, in the order of their drains."""
    by_name = {one.full_name: one for one in register.all_views(cursor)}
    parents = {name: one.parents for name, one in by_name.items()} | {view.full_name: view.parents}
    reached = ancestors(parents)[view.full_name]  # somebody may have dropped the view since it was looked up
    return [one for name, one in by_name.items() if name in reached and deferred(one) and not one.detached]


def usable(cursor: Any, view: InstalledView) -> bool:
    """The cursor and logs of a deferred view are of this database; a restored one's numbers mean nothing here."""
    query = (
        "SELECT NOT EXISTS (SELECT 1 FROM django_ivm.cursor WHERE view_schema = %s AND view_name = %s "
        "AND (identity <> django_ivm.identity() OR pg_snapshot_xmax(snap) > pg_snapshot_xmax(pg_current_snapshot()))) "
        "AND NOT EXISTS (SELECT 1 FROM django_ivm.log l JOIN django_ivm.reader r USING (log) "
        "WHERE r.view_schema = %s AND r.view_name = %s AND l.identity <> django_ivm.identity())"
    )
    return not deferred(view) or bool(rows(cursor, query, (*view.full_name, *view.full_name))[0][0])
