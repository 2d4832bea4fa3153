"""The register of online installations: what is being built, how far it is, whether anybody is at it.

A view that is being built is an ordinary view with a name in our schema, which no query for installed views finds. Its
installer holds an advisory lock in an idle transaction of a connection of its own, so that a killed one leaves no lock
behind, and nothing is asked of a connection pooler but to leave transactions whole.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..compiler.pg import names
from ..errors import IVMError
from . import register
from .introspect import rows
from .register import InstalledView

CLASS = 0x69766D62  # "ivmb": our half of the advisory locks' numbers
# In the order in which they are reached.
PHASES = ("reserved", "captured", "filled", "indexed", "switched")
WORDS = {
    "reserved": "before its sources were captured",
    "captured": "before it was filled",
    "filled": "before it was indexed",
    "indexed": "before it was switched to its mode",
    "switched": "before it was published",
}


@dataclass(frozen=True, slots=True)
class Build:
    """An online installation of the view `schema.name`, under the name `built` in our schema until it is done."""

    schema: str
    name: str
    built: str
    label: str
    spec_hash: str
    phase: str
    token: str
    started_at: datetime
    reached_at: datetime
    alive: bool

    def reached(self, phase: str) -> bool:
        """Whether that phase is done."""
        return PHASES.index(self.phase) >= PHASES.index(phase)

    def __str__(self) -> str:
        if self.alive:
            return f"an online installation is at work since {self.started_at:%Y-%m-%d %H:%M:%S}"
        return (
            f"an online installation of {self.started_at:%Y-%m-%d %H:%M:%S} ended {WORDS[self.phase]}: "
            "run ivm_install --online again, or remove it with ivm_install --prune"
        )


class TakenOver(IVMError):
    """Somebody else has removed or taken over the build."""

    def __init__(self, build: Build) -> None:
        super().__init__(
            f"the online installation of {build.name} was removed or taken over by somebody else",
            code="BUILD",
            hint="See ivm_status; run ivm_install --online again if the view isn't there.",
        )


def built_name(schema: str, name: str) -> str:
    """The name in our schema under which a view is built."""
    return names.derived("new", names.prefix(schema, name))


def _key(schema: str, name: str) -> int:
    """The other half of the advisory lock's number, a signed integer of 32 bits."""
    return int.from_bytes(bytes.fromhex(names.digest(schema, name)), "big", signed=True)


_SELECT = """
SELECT b.view_schema, b.view_name, b.built_name, b.label, b.spec_hash, b.phase, b.token, b.started_at, b.reached_at
FROM django_ivm.building b ORDER BY b.started_at, b.view_schema, b.view_name
"""
# The two halves are unsigned there.
_HELD = """
SELECT objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def every(cursor: Any) -> list[Build]:
    """All online installations that aren't done."""
    if not rows(cursor, "SELECT to_regclass('django_ivm.building') IS NOT NULL")[0][0]:
        return []
    found = rows(cursor, _SELECT)
    if not found:
        return []
    held = {number for (number,) in rows(cursor, _HELD, (CLASS,))}
    return [Build(*row, alive=_key(row[0], row[1]) % 2**32 in held) for row in found]


def find(cursor: Any, schema: str, name: str) -> Build | None:
    """The unfinished online installation of a view."""
    return next((b for b in every(cursor) if (b.schema, b.name) == (schema, name)), None)


def enter(cursor: Any, schema: str, name: str, label: str, spec_hash: str) -> None:
    """Note that a build has begun."""
    cursor.execute(
        "INSERT INTO django_ivm.building (view_schema, view_name, built_name, label, spec_hash, phase, token) "
        "VALUES (%s, %s, %s, %s, %s, 'reserved', %s)",
        (schema, name, built_name(schema, name), label, spec_hash, uuid.uuid4().hex),
    )


def take_over(cursor: Any, build: Build) -> Build:
    """Make it this installer's: one that still believes it is at work fails at its next step."""
    token = uuid.uuid4().hex
    cursor.execute(
        "UPDATE django_ivm.building SET token = %s WHERE view_schema = %s AND view_name = %s",
        (token, build.schema, build.name),
    )
    return replace(build, token=token)


def advance(cursor: Any, build: Build, phase: str | None = None) -> None:
    """In the transaction that does the work: it is still ours, and (with a phase) that far now. Raises TakenOver."""
    cursor.execute(
        "UPDATE django_ivm.building SET phase = coalesce(%s, phase), reached_at = clock_timestamp() "
        "WHERE view_schema = %s AND view_name = %s AND token = %s",
        (phase, build.schema, build.name, build.token),
    )
    if cursor.rowcount != 1:
        raise TakenOver(build)


def forget(cursor: Any, build: Build) -> None:
    """The build is done, or has been removed."""
    cursor.execute(
        "DELETE FROM django_ivm.building WHERE view_schema = %s AND view_name = %s", (build.schema, build.name)
    )


def view(cursor: Any, build: Build) -> InstalledView | None:
    """What has been built so far, as the register has it."""
    return register.find(cursor, build.built, names.RUNTIME_SCHEMA)


def reading(cursor: Any, tables: set[tuple[str, str]]) -> list[Build]:
    """Builds of views that read one of these tables or views."""
    found = []
    for build in every(cursor):
        built = view(cursor, build)
        if built is not None and tables & {*built.sources, *built.parents}:
            found.append(build)
    return found


@contextlib.contextmanager
def alone(connection: Any, schema: str, name: str, seconds: float, tell: Callable[[str], None]) -> Iterator[Any]:
    """Keep every other online installation of the view out; yields psycopg's connection that holds the lock.

    Waits for another one to end. Raises IVMError (code BUILDING) after `seconds`.
    """
    own = connection.copy()
    end = time.monotonic() + seconds
    try:
        own.ensure_connection()
        own.set_autocommit(True)
        session = own.connection
        while not _try(session, schema, name):
            if time.monotonic() > end:
                raise IVMError(
                    f"another online installation of {name} is at work",
                    code="BUILDING",
                    hint="Wait for it; ivm_status tells of it.",
                )
            tell(f"{name}: another online installation is at work")
            time.sleep(0.2)
        yield session
    finally:
        with contextlib.suppress(Exception):
            own.connection.rollback()  # the lock is gone when this returns, a closed connection's a moment later
        own.close()


def _try(session: Any, schema: str, name: str) -> bool:
    """The lock is held by an open transaction that is between two statements: it holds back no vacuum."""
    session.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
    session.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    if session.info.server_version >= 170000:
        session.execute("SET LOCAL transaction_timeout = 0")
    found = session.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", (CLASS, _key(schema, name))).fetchone()
    if not found[0]:
        session.execute("ROLLBACK")
    return bool(found[0])
