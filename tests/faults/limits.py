"""Something runs out: locks, temporary files, connections."""

from __future__ import annotations

import contextlib
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg
from django.db import DatabaseError, connections, transaction

import django_ivm
from django_ivm.engine import register

from .outcome import Outcome
from .world import ALIAS, World, modes

NO_LOCKS = frozenset({"53200"})
TEMPORARY = frozenset({"53400"})

BULK = (
    "INSERT INTO sale (pid, g, v, p) SELECT i % 50, i % 90, i % 17, i FROM generate_series(1, 3000) i",
    "INSERT INTO person SELECT i, 1 + i % 6, 'k' || i % 60, i / 5 FROM generate_series(100, 900) i ON CONFLICT DO NOTHING",
    "INSERT INTO reading SELECT i % 6, i % 400, i % 5 FROM generate_series(1, 3000) i",
    "UPDATE sale SET v = v + 1, g = (g + 1) % 90",
    "UPDATE person SET kind = kind || 'x'",
)
SMALLER = "DELETE FROM sale WHERE id > 200; DELETE FROM person WHERE id > 40; DELETE FROM reading WHERE day > 20"


def bulk(world: World, own: frozenset[str], setting: str = "", rounds: int = 3) -> Counter[str]:
    """Large writes and refreshes over and over, until some of either failed."""
    counts: Counter[str] = Counter()
    for _ in range(rounds):
        for one in world.rng.sample(BULK, 4):
            with world.connect() as session:
                try:
                    session.execute(setting or "SELECT 1")
                    session.execute(f"BEGIN; {one}; {world.rng.choice(('COMMIT', 'COMMIT', 'ROLLBACK'))}")
                    counts["ok"] += 1
                except psycopg.Error as error:
                    counts[error.sqlstate or ""] += 1
        for name in world.rng.sample(sorted(world.queries), 4):
            counts[refreshed(world, name, setting)] += 1
        if sum(counts[state] for state in own) >= 4:
            break
    return counts


def refreshed(world: World, name: str, setting: str = "") -> str:
    """Refresh a view; the SQLSTATE of what came of it, or "ok"."""
    try:
        if setting:
            with connections[ALIAS].cursor() as cursor:
                cursor.execute(setting)
        world.get(name).refresh(full=world.rng.random() < 0.5)
    except django_ivm.RefreshError as error:
        return error.code or ""
    except DatabaseError as error:
        return getattr(error.__cause__, "sqlstate", None) or ""
    return "ok"


PARTITIONS = 40
WIDE = "SELECT k % 7 AS r, count(*) AS n, sum(v) AS s, max(v) AS hi FROM wide GROUP BY 1"
FEW = {"max_locks_per_transaction": "10", "max_connections": "14", "max_worker_processes": "2", "max_wal_senders": "0"}


def few_locks(world: World) -> Outcome:
    """The lock table has little room left for a source of many partitions: whatever needs more of it fails as a whole."""
    usual = {name: world.cluster.settings.get(name) for name in FEW}
    world.run(
        "CREATE TABLE wide (k int, v int) PARTITION BY LIST (k); CREATE INDEX ON wide (k); DO $$ BEGIN FOR i IN "
        f"1..{PARTITIONS} LOOP EXECUTE format('CREATE TABLE wide_%s PARTITION OF wide FOR VALUES IN (%s)', i, i); END "
        f"LOOP; END $$; INSERT INTO wide SELECT i, i % 9 FROM generate_series(1, {PARTITIONS}) i"
    )
    names = []
    for mode in modes():
        names.append(f"wide_{mode}_")
        world.declare(names[-1], WIDE, mode)
    outcome = Outcome()
    _restart(world, FEW)
    try:
        for _ in range(4):
            with _locks_taken(world, but=world.rng.randint(5, 250)):
                outcome.add(Outcome.of(_short_of_locks(world, names), NO_LOCKS))
            outcome.add(_installed_short_of_locks(world, world.rng.randint(40, 700)))
    finally:
        _restart(world, usual)
    outcome.add(world.judge())
    for name in names:
        world.drop(name)
    world.run("DROP TABLE wide")
    return outcome


@contextlib.contextmanager
def _locks_taken(world: World, but: int) -> Iterator[None]:
    """Somebody else holds all locks that the server can keep, but so many."""
    query = "SELECT pg_advisory_xact_lock(77, i) FROM generate_series(%s::int, %s::int) i"
    world.recover()
    with contextlib.closing(world.connect()) as hog:
        taken, step = 0, 256
        hog.execute("BEGIN")
        while step:
            try:
                hog.execute("SAVEPOINT s")
                hog.execute(query, (taken + 1, taken + step))
                taken += step
            except psycopg.Error as error:
                assert error.sqlstate in NO_LOCKS, error
                hog.execute("ROLLBACK TO s")
                step //= 2
        hog.execute("ROLLBACK; BEGIN")
        hog.execute(query, (1, max(taken - but, 1)))
        yield


def _short_of_locks(world: World, names: list[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for one in (
        "UPDATE wide SET v = v + 1", "INSERT INTO wide VALUES (3, 4)", "DELETE FROM wide WHERE v = 3",
        f"INSERT INTO wide SELECT i, 5 FROM generate_series(1, {PARTITIONS}) i", "TRUNCATE wide",
        "UPDATE wide SET v = 9 WHERE k = 4", "UPDATE sale SET v = v + 1 WHERE id < 40",
        "INSERT INTO wide SELECT i, 7 FROM generate_series(1, 30) i",
    ):  # fmt: skip
        try:
            world.run(one)
            counts["ok"] += 1
        except psycopg.Error as error:
            counts[error.sqlstate or ""] += 1
    for name in names:
        counts[refreshed(world, name)] += 1
    world.recover()
    return counts


def _installed_short_of_locks(world: World, but: int) -> Outcome:
    """Install a view, or drop it, with so few locks: it is there as a whole, or not at all."""
    mode = world.rng.choice(modes())
    outcome = Outcome()
    before = world.objects()
    with _locks_taken(world, but):
        outcome.add(Outcome.of(_tried(lambda: django_ivm.create_view("wider", WIDE, mode=mode, using=ALIAS)), NO_LOCKS))
        world.recover()
    if outcome.hit:
        assert world.objects() == before, "half of a view was installed"
        django_ivm.create_view("wider", WIDE, mode=mode, using=ALIAS)
    whole = world.objects()
    with _locks_taken(world, but):
        dropped = Outcome.of(_tried(lambda: django_ivm.drop_view("wider", using=ALIAS)), NO_LOCKS)
        world.recover()
    if dropped.hit:
        assert world.objects() == whole, "half of a view was dropped"
        django_ivm.drop_view("wider", using=ALIAS)
    assert world.objects() == before, "something of a view that was dropped is left"
    outcome.add(dropped)
    return outcome


def _tried(work: Any) -> Counter[str]:
    try:
        work()
    except DatabaseError as error:
        return Counter({getattr(error.__cause__, "sqlstate", None) or "": 1})
    return Counter({"ok": 1})


def _restart(world: World, settings: Any) -> None:
    world.cluster.shut_down(signal.SIGINT)
    for name, value in settings.items():
        if value is None:
            del world.cluster.settings[name]
        else:
            world.cluster.settings[name] = value
    world.cluster.restart()
    world.recover()


def temporary_files(world: World) -> Outcome:
    """Statements, and the triggers in them, may not write the temporary files that they need."""
    setting = "SET work_mem = '64kB'; SET temp_file_limit = '64kB'"
    counts = bulk(world, TEMPORARY, setting)
    world.run(SMALLER)
    world.recover()
    return Outcome.of(counts, TEMPORARY)


def no_connections(world: World) -> Outcome:
    """Every connection is taken: a refresh that fails can't tell the log over one of its own, and says why it failed."""
    outcome = Outcome(1)
    name = world.rng.choice([name for name in world.queries if world.mode[name] == "manual"])
    view = world.get(name)
    with connections[ALIAS].cursor() as cursor:
        found = register.find(cursor, name)
    assert found is not None
    with contextlib.ExitStack() as opened:
        holder = opened.enter_context(contextlib.closing(world.connect()))
        holder.execute(f"BEGIN; LOCK TABLE {found.storage[0]}.{found.storage[1]} IN ACCESS EXCLUSIVE MODE")
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                opened.enter_context(contextlib.closing(world.cluster.connect()))
        try:
            with transaction.atomic(using=ALIAS):
                with connections[ALIAS].cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '20ms'")
                view.refresh(full=True)
        except django_ivm.RefreshError as error:
            outcome.hit += error.code == "55P03"
    if not outcome.hit:
        outcome.wrong.append(f"a refresh of {name} that couldn't have its lock doesn't say so")
    world.recover()
    return outcome
