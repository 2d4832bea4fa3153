"""Refresh: compute a view anew where needed and apply the difference; log what happened, also when it failed."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, Error, connections, transaction
from django.db.models import F
from django.utils import timezone
from psycopg import sql as pg

from .. import signals
from ..compiler.pg import names
from ..errors import RefreshError
from . import drain, register, witness
from .introspect import rows
from .register import InstalledView
from .results import RefreshResult

logger = logging.getLogger("django_ivm")


def refresh(view: InstalledView, connection: Any, *, full: bool, trigger: str, sender: type) -> RefreshResult:
    """Bring a view up to date; a difference is written, so that views which read it are maintained from it. A deferred
    view is drained, after the deferred views that it reads.

    Raises RefreshError after logging the failure outside the transaction that it aborted.
    """
    for parent in _drained_before(connection, view):
        refresh(parent, connection, full=False, trigger=trigger, sender=sender)
    signals.pre_refresh.send(sender=sender, view=view.name, using=connection.alias)
    started, clock = timezone.now(), time.perf_counter()
    why, counts, deltas = "", (0, 0, 0), 0
    with connection.cursor() as cursor:
        found = witness.look(cursor, view)  # before anything is computed: what changes after this is no part of it
        asked = "a full refresh was asked for" if full else _doubt(cursor, view, found)
    try:
        if drain.deferred(view):
            drained = drain.drain(connection, view, asked)
            why, deltas = drained.anew, drained.deltas
        else:
            own = not connection.in_atomic_block and connection.get_autocommit()
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                if own and own_table(view, "epoch"):  # at another level it couldn't tell what it has missed
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
                if drain.later(view):
                    deltas = drain.pending(cursor, view)
                    drain.flush_own(cursor)
                why = _reason(cursor, view, asked)
                if why:
                    counts = _recompute(cursor, view)
        if why:
            with connection.cursor() as cursor:
                witness.note(cursor, view, found)
    except DatabaseError as error:
        result = _result(view, why or "refresh", counts, deltas, time.perf_counter() - clock, error)
        _log_apart(connection, view, result, started, trigger)
        signals.post_refresh.send(sender=sender, view=view.name, using=connection.alias, result=result)
        raise RefreshError(
            f"refreshing {view.name} failed: {str(error).splitlines()[0]}",
            code=getattr(error.__cause__, "sqlstate", None) or "",
            hint="The view is unchanged; correct the cause and refresh again.",
        ) from error
    if drain.later(view):
        _clean(connection, view)
    result = _result(view, why, counts, deltas, time.perf_counter() - clock, None)
    if why or deltas:
        log(connection.alias, view, result, started, trigger)
    signals.post_refresh.send(sender=sender, view=view.name, using=connection.alias, result=result)
    return result


def _clean(connection: Any, view: InstalledView) -> None:
    """The view has been refreshed by now: what can't be cleaned stays for the next time."""
    try:
        with transaction.atomic(using=connection.alias):
            drain.clean(connection, view)
    except DatabaseError as error:
        logger.warning("the logs of %s couldn't be cleaned: %s", view.name, str(error).splitlines()[0])


def _drained_before(connection: Any, view: InstalledView) -> list[InstalledView]:
    """Deferred views that it reads and that have something to do: a view is no fresher than those."""
    if not view.parents:
        return []
    with connection.cursor() as cursor:
        return [
            one
            for one in drain.before(cursor, view)
            if drain.pending(cursor, one) or register.markers(cursor, one) or not drain.usable(cursor, one)
        ]


def _doubt(cursor: Any, view: InstalledView, found: witness.Witness) -> str:
    doubts = witness.doubts(cursor, view, found)
    return f"writes may have gone unseen: {'; '.join(doubts)}" if doubts else ""


def _reason(cursor: Any, view: InstalledView, asked: str) -> str:
    """Why the view is to be computed anew; empty when its triggers have kept it."""
    if view.strategy == "full":
        return "; ".join(f"{r.code}: {r.message}" for r in view.reasons) or "the query has no incremental plan"
    if view.mode == "manual":
        return "in manual mode writes leave no changes to apply"
    if asked:
        return asked
    query = "SELECT reason FROM django_ivm.stale WHERE view_schema = %s AND view_name = %s ORDER BY marked_at LIMIT 1"
    found = rows(cursor, query, view.full_name)
    if found and view.on_error == "stale":
        logger.warning("%s was stale (%s); it is computed anew", view.name, found[0][0])
    return f"the view is stale: {found[0][0]}" if found else ""


def _recompute(cursor: Any, view: InstalledView) -> tuple[int, int, int]:
    _take_marks(cursor, view)
    counts = (0, 0, 0)
    for function in view.replaces:
        counts = tuple(rows(cursor, f"SELECT * FROM {function}")[0])  # type: ignore[assignment]  # noqa: S608
    return counts


def _take_marks(cursor: Any, view: InstalledView) -> None:
    """The marks go first: one that commits after that stays, for the difference may not have seen its cause.

    Of a view with on_error = "stale" writers may have missed each other's changes: it is computed when all that
    maintain it have ended, and a snapshot from before is of no use to one that maintains it afterwards. In a
    transaction whose snapshot stands still the marks stay (compiler/triggers/guarded.py says why).
    """
    query = pg.SQL("DELETE FROM django_ivm.stale WHERE view_schema = %s AND view_name = %s")
    if epoch := own_table(view, "epoch"):
        cursor.execute(pg.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(epoch))
        if rows(cursor, "SELECT current_setting('transaction_isolation')")[0][0] != "read committed":
            return
        # Of one snapshot, as they were left together.
        query = pg.SQL("WITH failures AS (DELETE FROM {}) {}").format(own_table(view, "failed"), query)
    cursor.execute(query, view.full_name)
    if epoch and cursor.rowcount > 0:
        cursor.execute(pg.SQL("UPDATE {} SET ver = ver + 1").format(epoch))
    setting = f"ivm.m{names.prefix(*view.full_name)[-8:]}"
    cursor.execute("SELECT set_config(%s, '', true)", (setting,))


def own_table(view: InstalledView, what: str) -> pg.Identifier | None:
    """A table that views with on_error = "stale" have."""
    name = names.derived(names.prefix(*view.full_name), what)
    return pg.Identifier(names.RUNTIME_SCHEMA, name) if name in view.objects["tables"] else None


def _result(
    view: InstalledView, reason: str, counts: tuple[int, int, int], deltas: int, seconds: float, error: Exception | None
) -> RefreshResult:
    strategy = "full" if reason else "incremental"
    return RefreshResult(view.name, strategy, reason, deltas, *counts, seconds, error is not None, str(error or ""))


def log(using: str, view: InstalledView, result: RefreshResult, started: Any, trigger: str) -> None:
    """Write a row of the refresh log; where its table was never migrated, only the logger is told.

    Drains that nobody asked for by name could fill it: a worker's of one minute are added up in one row, those by which
    reads are made fresh leave none.
    """
    from ..models import RefreshLog

    if not log_exists(using):
        logger.info("%s was refreshed (%s); there is no refresh log: run migrate", view.name, result.reason)
        return
    often = result.strategy == "incremental" and not result.failed
    if often and (trigger == "fresh" or (trigger == "worker" and _added(using, view, result))):
        return
    RefreshLog.objects.using(using).create(**_values(using, view, result, started, trigger))


def _added(using: str, view: InstalledView, result: RefreshResult) -> bool:
    """Add a worker's drain to its row of this minute, if there is one."""
    from ..models import RefreshLog

    now = timezone.now()
    rows_ = RefreshLog.objects.using(using).filter(
        view_name=view.name, database=using, trigger="worker", strategy="incremental", failed=False,
        started_at__gt=now - timedelta(minutes=1),
    )  # fmt: skip
    found = rows_.order_by("-id").values_list("pk", flat=True).first()
    return found is not None and bool(
        RefreshLog.objects.using(using)
        .filter(pk=found)
        .update(
            deltas=F("deltas") + result.deltas,
            duration=F("duration") + timedelta(seconds=result.duration),
            updated_at=now,
        )
    )


def log_exists(using: str, privilege: str = "INSERT") -> bool:
    """The refresh log's table is there, and this role may use it."""
    from ..models import RefreshLog

    query = "SELECT coalesce(has_table_privilege(to_regclass(%s), %s), false)"
    with connections[using].cursor() as cursor:
        return bool(rows(cursor, query, (RefreshLog._meta.db_table, privilege))[0][0])


def _log_apart(connection: Any, view: InstalledView, result: RefreshResult, started: Any, trigger: str) -> None:
    """Log a failure so that it survives the transaction that it aborts: over a connection of its own when in one."""
    logger.error("refresh of %s failed: %s", view.name, result.error)
    if not connection.in_atomic_block:
        try:
            if not connection.is_usable():  # the failure may have been the connection's: the log takes a new one
                connection.close()
            log(connection.alias, view, result, started, trigger)
        except Error:
            logger.exception("the failed refresh of %s couldn't be written to the log", view.name)
        return
    from ..models import RefreshLog

    alias = f"{connection.alias}:ivm_log"
    own = connection.copy(alias)
    connections[alias] = own
    try:
        if log_exists(alias):
            RefreshLog.objects.using(alias).create(**_values(connection.alias, view, result, started, trigger))
    except Error:
        logger.exception("the failed refresh of %s couldn't be written to the log", view.name)
    finally:
        own.close()
        del connections[alias]


def _values(using: str, view: InstalledView, result: RefreshResult, started: Any, trigger: str) -> dict[str, Any]:
    return {
        "view_name": view.name,
        "database": using,
        "strategy": result.strategy,
        "mode": view.mode,
        "reason": result.reason,
        "trigger": trigger,
        "started_at": started,
        "updated_at": timezone.now(),
        "duration": timedelta(seconds=result.duration),
        "deltas": result.deltas,
        "rows_inserted": result.inserted,
        "rows_updated": result.updated,
        "rows_deleted": result.deleted,
        "failed": result.failed,
        "error": result.error,
    }
