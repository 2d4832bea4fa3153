"""System checks of what is installed: whether it still fits its sources, and whether writes may have gone unseen.

They read our register, not the models: views without one are among them. Tagged `database`, like all that need a
server; a role that may not read the register is told nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError, connections, transaction


@register(Tags.database)
def check_installed_views(
    app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """What each database's installed views rest on."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        if connections[alias].vendor != "postgresql":
            continue
        connections[alias].ensure_connection()
        try:
            with transaction.atomic(using=alias):
                found += _of_database(alias, None if app_configs is None else {c.label for c in app_configs})
        except DatabaseError:
            continue
    return found


def _of_database(alias: str, labels: set[str] | None) -> Iterator[CheckMessage]:
    from .engine import register as installed
    from .engine import witness

    with connections[alias].cursor() as cursor:
        for view in installed.all_views(cursor):
            if view.detached or (labels is not None and view.label.split(".")[0] not in labels):
                continue
            name = view.label or f"{view.schema}.{view.name}"
            if faults := installed.faults(cursor, view):
                yield Warning(
                    f"{name} on {alias!r} doesn't fit its sources any more, writes may go unseen: {'; '.join(faults)}.",
                    hint="Enable triggers that are disabled; otherwise run ./manage.py ivm_install.",
                    obj=name,
                    id="django_ivm.W010",
                )
            elif doubts := witness.doubts(cursor, view):
                yield Warning(
                    f"{name} on {alias!r} may have missed writes: {'; '.join(doubts)}.",
                    hint="Run ./manage.py ivm_verify --repair, or ivm_refresh --full.",
                    obj=name,
                    id="django_ivm.W011",
                )
            if off := witness.alarms_off(cursor, view):
                yield Warning(
                    f"{name} on {alias!r} isn't marked by writes under session_replication_role = replica to "
                    f"{', '.join(off)}.",
                    hint="Let the tables' owner run ./manage.py ivm_install, or verify after such writes.",
                    obj=name,
                    id="django_ivm.W012",
                )
