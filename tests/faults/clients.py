"""Sessions and client processes end in the middle of something; timeouts strike."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from django.db import DatabaseError, connections

import django_ivm

from .interruption import end_own_session, statements, whole_or_nothing
from .operations import OPERATIONS
from .outcome import Outcome
from .workload import LOST, states, until, writing
from .world import ALIAS, World, modes

CANCELLED = frozenset({"57014"})
TIMED_OUT = frozenset({"57014", "25P03", "25P04"})
NO_LOCK = frozenset({"55P03"})
SECONDS = 0.3
CUTS = 5  # in one operation


class Refreshes(threading.Thread):
    """Refreshes views at random over a connection of Django's own, until it is told to stop or loses the server."""

    def __init__(self, world: World, setting: str = "", again: bool = False) -> None:
        super().__init__(daemon=True)
        self.names, self.rng = list(world.queries), random.Random(world.rng.random())
        self.setting, self.again = setting, again
        self.stop = threading.Event()
        self.states: Counter[str] = Counter()
        self.broken: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.stop.is_set() and (self.again or not set(self.states) & LOST):
                self._one()
        except BaseException as error:  # noqa: BLE001 -- told by the one who waits for it
            self.broken = error
        finally:
            connections[ALIAS].close()

    def _one(self) -> None:
        try:
            if self.setting:
                with connections[ALIAS].cursor() as cursor:
                    cursor.execute(self.setting)
            view = django_ivm.get_view(self.rng.choice(self.names), using=ALIAS)
            view.refresh(full=self.rng.random() < 0.3)
            self.states["ok"] += 1
        except django_ivm.RefreshError as error:
            self.states[error.code or ""] += 1
        except DatabaseError as error:
            self.states[getattr(error.__cause__, "sqlstate", None) or ""] += 1
        if set(self.states) & LOST:
            connections[ALIAS].close()


@contextlib.contextmanager
def refreshing(world: World, setting: str = "", again: bool = False) -> Iterator[Refreshes]:
    """Views are refreshed all the time while the block runs."""
    thread = Refreshes(world, setting, again)
    thread.start()
    try:
        yield thread
    finally:
        thread.stop.set()
        thread.join(60)
    assert not thread.is_alive(), "a refresh hangs"
    if thread.broken:
        raise thread.broken


def _others(world: World, function: str, seconds: float) -> int:
    """Do something to a random session of another client, again and again; how often it was done."""
    world.recover()  # no session of ours that does nothing is among them
    done, end = 0, time.monotonic() + seconds
    with world.connect() as session:
        while time.monotonic() < end:
            time.sleep(world.rng.random() * 0.03)
            pids = [pid for (pid,) in session.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )]  # fmt: skip
            if pids:
                done += 1
                session.execute(f"SELECT {function}(%s)", (world.rng.choice(pids),))
    return done


def ended_sessions(world: World) -> Outcome:
    """`pg_terminate_backend` at random: of writers, and of a refresh."""
    with writing(world.connect, world.rng, again=True) as writers, refreshing(world, again=True) as refreshes:
        done = _others(world, "pg_terminate_backend", SECONDS)
    return Outcome.of(states(writers) + refreshes.states, injected=done)


def cancelled_statements(world: World) -> Outcome:
    """`pg_cancel_backend` at random."""
    with writing(world.connect, world.rng) as writers, refreshing(world) as refreshes:
        done = _others(world, "pg_cancel_backend", SECONDS)
    return Outcome.of(states(writers) + refreshes.states, CANCELLED, done)


def _limited(world: World, setting: str, own: frozenset[str]) -> Outcome:
    """Writers and refreshes under a setting that makes some of them fail."""

    def connect() -> psycopg.Connection[Any]:
        session = world.connect()
        session.execute(setting)
        return session

    with writing(connect, world.rng) as writers, refreshing(world, setting) as refreshes:
        time.sleep(SECONDS)
    counts = states(writers) + refreshes.states
    return Outcome.of(counts, own | LOST, injected=sum(counts.values()))


def statement_timeouts(world: World) -> Outcome:
    """Statements run out of time wherever they are."""
    return _limited(world, f"SET statement_timeout = '{world.rng.randint(3, 12)}ms'", CANCELLED)


def transaction_timeouts(world: World) -> Outcome:
    """Whole transactions run out of time, and their sessions are ended."""
    return _limited(world, f"SET transaction_timeout = '{world.rng.randint(5, 30)}ms'", TIMED_OUT)


def idle_transactions(world: World) -> Outcome:
    """Clients that fell silent in the middle of a transaction are thrown out."""
    outcome = Outcome(3)
    with contextlib.ExitStack() as opened:
        silent = [opened.enter_context(contextlib.closing(world.connect())) for _ in range(3)]
        for number, session in enumerate(silent):
            session.execute("SET idle_in_transaction_session_timeout = '20ms'")
            session.execute("BEGIN")
            # Rows that no other of them waits for.
            with contextlib.suppress(psycopg.Error):
                session.execute(f"INSERT INTO sale (pid, g, v) VALUES ({number}, {number + 20}, 1)")
        until(lambda: world.run("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in tr%'") == [(0,)])
        for session in silent:
            try:
                session.execute("SELECT 1")
            except psycopg.Error:
                outcome.hit += 1
    return outcome


def lock_timeouts(world: World) -> Outcome:
    """A transaction that holds locks of all kinds doesn't end; others give up waiting for it."""
    setting = f"SET lock_timeout = '{world.rng.randint(2, 20)}ms'"
    with contextlib.closing(world.connect()) as holder:
        with writing(world.connect, world.rng, 1):
            pass
        holder.execute("BEGIN")
        holder.execute("INSERT INTO sale (pid, g, v) SELECT i, i % 3, i FROM generate_series(1, 10) i")
        holder.execute("UPDATE reading SET v = v + 1 WHERE k < 2")

        def connect() -> psycopg.Connection[Any]:
            session = world.connect()
            session.execute(setting)
            return session

        writers = [_until_hit(connect, world) for _ in range(3)]
        with refreshing(world, setting) as refreshes:
            until(lambda: refreshes.states["ok"] > 0 or bool(set(refreshes.states) & NO_LOCK))
        holder.execute(world.rng.choice(("COMMIT", "ROLLBACK")))
    return Outcome.of(sum(writers, Counter()) + refreshes.states, NO_LOCK, 1)


def _until_hit(connect: Any, world: World) -> Counter[str]:
    """Transactions that touch what the holder has, until one couldn't wait."""
    counts: Counter[str] = Counter()
    with connect() as session:
        for number in range(40):
            try:
                session.execute(f"UPDATE sale SET v = v + 1, g = (g + 1) % 6 WHERE id % 40 = {number}")
                counts["ok"] += 1
            except psycopg.Error as error:
                counts[error.sqlstate or ""] += 1
                if error.sqlstate in NO_LOCK:
                    break
    return counts


CLIENT = """
import sys
import time
import psycopg
from tests.faults.workload import Writer
url, seed = sys.argv[1:]
writer = Writer(lambda: psycopg.connect(url, autocommit=True), seed)
writer.start()
while not writer.done:
    time.sleep(0.001)
print("writing", flush=True)
writer.join()
"""


def killed_clients(world: World) -> Outcome:
    """Client processes die by SIGKILL in the middle of whatever they were doing."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", CLIENT, world.cluster.url]
    clients = [
        subprocess.Popen([*command, str(world.rng.random())], cwd=root, stdout=subprocess.PIPE) for _ in range(2)
    ]
    try:
        for client in clients:
            assert client.stdout is not None
            assert client.stdout.readline() == b"writing\n", "a client didn't start"
        time.sleep(world.rng.random() * SECONDS)
    finally:
        for client in clients:
            client.kill()
            client.communicate()
    gone = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    world.recover()
    until(lambda: world.run(gone) == [(0,)], why="a session outlives its client")
    return Outcome(len(clients), len(clients))


def cut_operation(world: World) -> Outcome:
    """The session of an installation, a change, a removal or a refresh is ended before some of its statements."""
    kind, mode, prepare = a_view(world)
    name, work = prepare(world, kind, mode)
    count = statements(world, work)
    outcome = Outcome(told=name)
    for at in sorted(world.rng.sample(range(1, count + 1), min(CUTS, count))):
        name, work = prepare(world, kind, mode)
        made = whole_or_nothing(world, name, work, lambda: end_own_session(world), at)
        outcome.injected += 1
        outcome.hit += made.error is not None
    return outcome


def a_view(world: World) -> tuple[str, str, Any]:
    """A view and something to be done with it."""
    kind = world.rng.choice(("sums", "lines", "extremes", "outer_", "ranks", "parts"))
    return kind, world.rng.choice(modes()), world.rng.choice(OPERATIONS)


def timed_out_operation(world: World) -> Outcome:
    """The same by `statement_timeout`, which strikes in whatever statement runs then."""
    kind, mode, prepare = a_view(world)
    name, work = prepare(world, kind, mode)
    count = statements(world, work)
    name, work = prepare(world, kind, mode)

    def soon() -> None:
        connections[ALIAS].connection.execute("SET statement_timeout = '1ms'")

    made = whole_or_nothing(world, name, work, soon, world.rng.randint(1, count))
    return Outcome(1, int(made.error is not None), told=name)
