"""The worker: refreshes what is stale or pending, woken by the writers' NOTIFY.

NOTIFY takes a lock of the whole database at commit, so that writers notify only while a worker sleeps: it says so in
`django_ivm.listening` before it sleeps, and looks once more for work after that. A writer whose statement came before
that and whose commit comes after notifies nobody; the worker therefore waits only shortly while a transaction that
was open then goes on, and never longer than `poll` seconds (which is all there is behind a pooler in transaction mode,
where nobody can listen).

Several workers share the views: whoever refreshes one holds an advisory lock in a transaction of its own meanwhile.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import Error, connections

from ..errors import IVMError, NotInstalledError
from .crew import Crew
from .introspect import rows
from .results import RefreshResult
from .work import Name, Names, doubted, needed

logger = logging.getLogger("django_ivm")

CHANNEL = "django_ivm"
POLL = 5.0  # seconds between looks without a notification
_SHORTLY = 0.1  # while a transaction is open that may have changed something without notifying
_DOUBT = 60.0  # between two looks for writes that no trigger saw
_BUSY = 1.0  # before looking again at a view that another worker refreshes
_LONGEST = 300.0  # between two tries of a view that fails
_RECONNECT = 30.0  # between two tries to reach the server

Outcome = RefreshResult | Exception | None

_CLAIM = "SELECT pg_try_advisory_xact_lock(hashtextextended(quote_ident(%s) || '.' || quote_ident(%s), 6911597))"
_DEAD = """
DELETE FROM django_ivm.listening l WHERE NOT EXISTS (
    SELECT FROM pg_stat_activity a WHERE a.pid = l.pid AND coalesce(a.backend_start <= l.since, true))
"""

_LIE_DOWN = (
    "INSERT INTO django_ivm.listening (pid, since) VALUES (pg_backend_pid(), clock_timestamp()) "
    "ON CONFLICT (pid) DO UPDATE SET since = excluded.since"
)
_GET_UP = "DELETE FROM django_ivm.listening WHERE pid = pg_backend_pid()"


@dataclass
class _Patience:
    """When a view may be refreshed again, in the clock's seconds, and how often it failed in a row."""

    again: float = 0.0
    failures: int = 0


class Lost(Exception):
    """The connection broke under a refresh, which says nothing about the view."""


class Worker:
    """Refreshes views of a database until `stop()`.

    `jobs` views at a time, each after the views it reads. `report(name, outcome)` is called, in the thread that called
    `run`, after each refresh, with its result or its error. A failing view is tried again after longer and longer
    times, a lost server is waited for.
    """

    def __init__(
        self,
        using: str,
        names: Names = None,
        *,
        jobs: int = 1,
        poll: float = POLL,
        report: Callable[[Name, RefreshResult | Exception], None] = lambda _name, _outcome: None,
    ) -> None:
        self._using = using
        self._names = names
        self._jobs = jobs
        self._poll = poll
        self._report = report
        self._patience: dict[Name, _Patience] = {}
        self._doubted: frozenset[Name] = frozenset()
        self._running: dict[Name, float] = {}
        self._stopping = self._notified = False
        self._claims = threading.local()
        # Rung by whoever wants the waiting thread's attention. A signal handler may take no lock, as an Event does.
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)
        self._rope.setblocking(False)

    def stop(self) -> None:
        """Begin no more refreshes; `run` returns when those under way are done. For signal handlers and threads."""
        self._stopping = True
        self._ring()

    def run(self) -> None:
        """Work until `stop()`."""
        failures = 0
        try:
            with Crew(self._using, self._jobs, self._refresh, self._ring, self._drop_claims) as crew:
                while not self._stopping:
                    link = self._connection()
                    try:
                        link.ensure_connection()
                        failures = 0
                        self._serve(link, crew)
                    except Error as error:
                        pause = min(2.0**failures, _RECONNECT)
                        failures += 1
                        first = str(error).strip().partition("\n")[0]
                        logger.warning("the worker lost %s, next try in %.0f s: %s", self._using, pause, first)
                        self._rest(pause)
                    finally:
                        _close(link)
            self._collect(crew)
        finally:
            self._bell.close()
            self._rope.close()

    # The thread that waits

    def _serve(self, link: Any, crew: Crew[Name, Outcome]) -> None:
        link.connection.add_notify_handler(self._note)
        with link.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
            if there := _listening(cursor):
                cursor.execute(_DEAD)
        looked = -_DOUBT
        while True:
            self._collect(crew)
            if self._stopping:
                return
            with _looking(link) as cursor:
                there = there or _listening(cursor)
                if time.monotonic() - looked >= _DOUBT:
                    self._doubted, looked = doubted(cursor, self._names), time.monotonic()
            self._begin(link, crew)
            if len(self._running) >= self._jobs or not there:
                self._wait(link, self._poll)
            else:
                self._sleep(link, crew)

    def _begin(self, link: Any, crew: Crew[Name, Outcome]) -> bool:
        """Start what can be started now; whether there was any."""
        with _looking(link) as cursor:
            todo = needed(cursor, self._names, self._doubted)
        now, begun = time.monotonic(), False
        for name, above in todo.items():
            if len(self._running) >= self._jobs:
                break
            waiting = {one for one in above if one not in self._patience or not self._patience[one].failures}
            if name in self._running or waiting or above & set(self._running):
                continue
            if name not in self._patience or self._patience[name].again <= now:
                self._running[name] = now
                crew.give(name)
                begun = True
        return begun

    def _collect(self, crew: Crew[Name, Outcome]) -> None:
        """Note what has been done."""
        for name, outcome in crew.outcomes():
            now = time.monotonic()
            took = now - self._running.pop(name)
            patience = self._patience.setdefault(name, _Patience())
            if outcome is None or isinstance(outcome, Lost | NotInstalledError):
                patience.again = now + _BUSY
            elif isinstance(outcome, Exception):
                patience.failures += 1
                patience.again = now + min(2.0 ** (patience.failures - 1), _LONGEST)
                self._report(name, outcome)
            else:
                # Under steady writes a view takes no more than half of the time.
                patience.failures, patience.again = 0, now + took
                self._doubted -= {name}
                self._report(name, outcome)

    def _sleep(self, link: Any, crew: Crew[Name, Outcome]) -> None:
        """Wait for work, with writers knowing it: shortly while what was open when we lay down goes on."""
        with link.cursor() as cursor:
            cursor.execute(_LIE_DOWN)
            try:
                unseen = _open(cursor)  # before the last look: what ends after this may have been missed by it
                if self._begin(link, crew):
                    return
                end = min([time.monotonic() + self._poll, *self._due()])
                shortly = _SHORTLY
                while (left := end - time.monotonic()) > 0:
                    if self._wait(link, min(left, shortly) if unseen else left):
                        return
                    if not unseen <= _open(cursor):
                        return
                    shortly *= 2
            finally:
                with contextlib.suppress(Error):
                    cursor.execute(_GET_UP)

    def _due(self) -> list[float]:
        """When views that had to wait may be refreshed."""
        now = time.monotonic()
        return [p.again for name, p in self._patience.items() if p.again > now and name not in self._running]

    def _wait(self, link: Any, seconds: float) -> bool:
        """Wait for a notification or a ring; whether one came."""
        if not self._notified:
            socket_ = link.connection.fileno()
            readable, _, _ = select.select([socket_, self._bell], [], [], seconds)
            if self._bell in readable:
                self._silence()
                return True
            if socket_ in readable:
                with link.cursor() as cursor:  # lets the handler have the notification, and tells of a lost server
                    cursor.execute("SELECT 1")
        found, self._notified = self._notified, False
        return found

    def _rest(self, seconds: float) -> None:
        """Wait without a server, until `stop()` at the longest."""
        end = time.monotonic() + seconds
        while not self._stopping and (left := end - time.monotonic()) > 0:
            select.select([self._bell], [], [], left)
            self._silence()

    def _note(self, _notify: Any) -> None:
        self._notified = True

    def _ring(self) -> None:
        with contextlib.suppress(OSError):
            self._rope.send(b"!")

    def _silence(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._bell.recv(4096)

    # The threads that refresh

    def _refresh(self, name: Name) -> Outcome:
        """Refresh a view, unless somebody else is at it or has done it: None then."""
        from .view import View

        connection = connections[self._using]
        connection.close_if_unusable_or_obsolete()
        try:
            with self._claimed(name) as mine:
                return View(name[1], self._using, name[0]).refresh(trigger="worker") if mine else None
        except (IVMError, Error) as error:
            if not _broken(error):
                raise
            connection.close()
            raise Lost from error

    @contextlib.contextmanager
    def _claimed(self, name: Name) -> Iterator[bool]:
        """Whether the view is to be refreshed, and by nobody else as long as this lasts. The lock belongs to a
        transaction, which every kind of pooler keeps on one connection."""
        link = getattr(self._claims, "link", None)
        if link is None:
            link = self._claims.link = self._connection()
        try:
            with link.cursor() as cursor:
                link.set_autocommit(False)
                cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
                mine = rows(cursor, _CLAIM, name)[0][0] and (
                    name in needed(cursor, frozenset([name])) or name in doubted(cursor, frozenset([name]))
                )
            yield mine
            link.rollback()
            link.set_autocommit(True)
        except BaseException:
            self._drop_claims()
            raise

    def _drop_claims(self) -> None:
        if link := self._claims.__dict__.pop("link", None):
            _close(link)

    def _connection(self) -> Any:
        """One more connection to the database, outside any pool of Django's."""
        link = connections[self._using].copy()
        link.settings_dict.get("OPTIONS", {}).pop("pool", None)
        return link


@contextlib.contextmanager
def _looking(link: Any) -> Iterator[Any]:
    """A transaction to read in whose reading never fails a writer, as one at the server's default level might."""
    with link.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        yield cursor
        cursor.execute("COMMIT")


def _broken(error: BaseException | None) -> bool:
    """The error is one of the connection or of the server's end, not of a statement."""
    while error is not None:
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))
        error = error.__cause__
    return False


def _close(link: Any) -> None:
    with contextlib.suppress(Error):
        link.close()


def _listening(cursor: Any) -> bool:
    """There is a table in which sleepers enter themselves: not before the first view is installed."""
    return bool(rows(cursor, "SELECT to_regclass('django_ivm.listening') IS NOT NULL")[0][0])


def _open(cursor: Any) -> set[str]:
    """Transactions that have written something and go on."""
    return {xid for (xid,) in rows(cursor, "SELECT pg_snapshot_xip(pg_current_snapshot())::text")}
