"""Install a view while its sources are written: writers are held up for moments, however long the fill takes.

A view is built under a name in our schema, beside the one that is installed if there is one:

1. `reserved`: its tables, empty, and its place in the delta logs: what those hold from now on is kept for it.
2. `captured`: the triggers that log its sources' changes, each table in a short transaction of its own.
3. `filled` from the snapshot of a REPEATABLE READ transaction that begins when all captures are committed. Every
   transaction that this snapshot doesn't see has met the triggers, or still has its first write before it.
4. `indexed`; then drained until little is pending.
5. `switched` to the declared mode: with writers kept out the rest is drained and the triggers are exchanged.
6. Published, once no transaction has a snapshot from before the switch: such a one would find younger rows only.

Each step is a transaction, and the register tells which were done. So an installation that was killed leaves a build
that nobody sees as a view; the next one takes it up where it stopped, or removes it.

A view that is refreshed in full, or by hand, is captured by marks. It is published without a switch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..errors import IVMError
from . import builds, install, register, retiring
from .attempts import Patience
from .building import CLEARING, Installer, discard
from .builds import Build
from .install import InstallState, Progress
from .spec import ViewSpec


def install_online(
    spec: ViewSpec,
    connection: Any,
    *,
    progress: Progress | None = None,
    trigger: str = "command",
    patience: Patience | None = None,
) -> InstallState:
    """Install or bring up to date without keeping writers out for long; returns the state before.

    Views that read the one to be replaced have to be uninstalled first. Raises IVMError inside a transaction, when
    locks can't be had (code BUSY; what has been done is taken up by the next call), while another online installation
    of the view is at work (BUILDING); otherwise what `install` raises.
    """
    if connection.in_atomic_block or not connection.get_autocommit():
        raise IVMError(
            "a view can't be installed online inside a transaction",
            code="TRANSACTION",
            hint="Install it outside of atomic(), or without online.",
        )
    install.validate(spec)
    tell = progress or (lambda _text: None)
    patience = patience or Patience()
    schema = _schema(spec, connection)
    if install.state(spec, connection) is InstallState.INSTALLED and not _unfinished(connection, schema, spec.name):
        retiring.clear(connection, replace(patience, limit=min(patience.limit, CLEARING)), tell)
        return InstallState.INSTALLED
    install.prepare(connection)
    with builds.alone(connection, schema, spec.name, patience.limit, tell) as session:
        installer = Installer(replace(spec, schema=schema), connection, session, tell, patience, spec.schema)
        return installer.run(trigger)


def _schema(spec: ViewSpec, connection: Any) -> str:
    with connection.cursor() as cursor:
        old = register.find(cursor, spec.name, spec.schema)
    return spec.schema or (old.schema if old else install.current_schema(connection))


def _unfinished(connection: Any, schema: str, name: str) -> bool:
    with connection.cursor() as cursor:
        return builds.find(cursor, schema, name) is not None


def prune(connection: Any, patience: Patience, tell: Progress) -> list[Build]:
    """Remove unfinished builds that nobody is at, and triggers that do nothing any more; the builds removed."""
    with connection.cursor() as cursor:
        found = [build for build in builds.every(cursor) if not build.alive]
    for build in found:
        discard(connection, build, patience, tell)
    retiring.clear(connection, replace(patience, limit=min(patience.limit, CLEARING)), tell)
    return found
