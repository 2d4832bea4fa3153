"""Refresh: compute a view anew where needed and apply the difference; log what happened, also when it failed."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from .. import signals
from ..compiler.pg import names
from ..errors import RefreshError
from .introspect import rows
from .register import InstalledView
from .results import RefreshResult

logger = logging.getLogger("django_ivm")


def refresh(view: InstalledView, connection: Any, *, full: bool, trigger: str, sender: type) -> RefreshResult:
    """Bring a view up to date; a difference is written, so that views which read it are maintained from it.

    Raises RefreshError after logging the failure outside the transaction that it aborted.
    """
    signals.pre_refresh.send(sender=sender, view=view.name, using=connection.alias)
    started, clock = timezone.now(), time.perf_counter()
    why, counts = "", (0, 0, 0)
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            why = _reason(cursor, view, full)
            if why:
                counts = _recompute(cursor, view)
    except DatabaseError as error:
        result = _result(view, why or "refresh", counts, time.perf_counter() - clock, error)
        _log_apart(connection, view, result, started, trigger)
        signals.post_refresh.send(sender=sender, view=view.name, using=connection.alias, result=result)
        raise RefreshError(
            f"refreshing {view.name} failed: {str(error).splitlines()[0]}",
            code=getattr(error.__cause__, "sqlstate", None) or "",
            hint="The view is unchanged; correct the cause and refresh again.",
        ) from error
    result = _result(view, why, counts, time.perf_counter() - clock, None)
    if why:
        log(connection.alias, view, result, started, trigger)
    signals.post_refresh.send(sender=sender, view=view.name, using=connection.alias, result=result)
    return result


def _reason(cursor: Any, view: InstalledView, full: bool) -> str:
    """Why the view is to be computed anew; empty when its triggers have kept it."""
    if full:
        return "a full refresh was asked for"
    if view.strategy == "full":
        return "; ".join(f"{r.code}: {r.message}" for r in view.reasons) or "the query has no incremental plan"
    if view.mode == "manual":
        return "in manual mode writes leave no changes to apply"
    query = "SELECT reason FROM django_ivm.stale WHERE view_schema = %s AND view_name = %s LIMIT 1"
    found = rows(cursor, query, view.full_name)
    return f"the view is stale: {found[0][0]}" if found else ""


def _recompute(cursor: Any, view: InstalledView) -> tuple[int, int, int]:
    """The marks go first: one that commits after that stays, for the difference may not have seen its cause."""
    cursor.execute("DELETE FROM django_ivm.stale WHERE view_schema = %s AND view_name = %s", view.full_name)
    setting = f"ivm.m{names.prefix(*view.full_name)[-8:]}"
    cursor.execute("SELECT set_config(%s, '', true)", (setting,))
    counts = (0, 0, 0)
    for function in view.replaces:
        counts = tuple(rows(cursor, f"SELECT * FROM {function}")[0])  # type: ignore[assignment]  # noqa: S608
    return counts


def _result(
    view: InstalledView, reason: str, counts: tuple[int, int, int], seconds: float, error: Exception | None
) -> RefreshResult:
    strategy = "full" if reason else "incremental"
    return RefreshResult(view.name, strategy, reason, 0, *counts, seconds, error is not None, str(error or ""))


def log(using: str, view: InstalledView, result: RefreshResult, started: Any, trigger: str) -> None:
    """Write a row of the refresh log; where its table was never migrated, only the logger is told."""
    from ..models import RefreshLog

    if not log_exists(using):
        logger.info("%s was refreshed (%s); there is no refresh log: run migrate", view.name, result.reason)
        return
    RefreshLog.objects.using(using).create(**_values(using, view, result, started, trigger))


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
        log(connection.alias, view, result, started, trigger)
        return
    from ..models import RefreshLog

    alias = f"{connection.alias}:ivm_log"
    own = connection.copy(alias)
    connections[alias] = own
    try:
        if log_exists(alias):
            RefreshLog.objects.using(alias).create(**_values(connection.alias, view, result, started, trigger))
    except DatabaseError:
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
