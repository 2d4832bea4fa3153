"""Something runs out: room on a disk, locks, temporary files, connections."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from django.db import DatabaseError, connections, transaction

import django_ivm

from .cluster import Cluster
from .outcome import Outcome
from .workload import LOST, states, until, writing
from .world import ALIAS, World, modes

DISK_FULL = frozenset({"53100"})
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


def _bulk(world: World, own: frozenset[str], setting: str = "", rounds: int = 3) -> Counter[str]:
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


# A disk of its own.


def no_mount() -> str:
    """Why no small file system can be made here."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "mounting a small file system takes root"
    probe = Path(f"/tmp/ivm-mount-{os.getpid()}")
    probe.mkdir()
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", probe], capture_output=True, text=True)
        if done.returncode == 0:
            subprocess.run(["umount", probe], check=True)
        return "" if done.returncode == 0 else f"mount: {done.stderr.strip()}"
    except OSError as error:
        return f"mount: {error}"
    finally:
        probe.rmdir()


@contextlib.contextmanager
def small_disk(cluster: Cluster, megabytes: int) -> Iterator[Path]:
    """A file system of that size, for a tablespace."""
    disk = cluster.directory / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", disk], check=True)
    try:
        cluster.give(disk)
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
        disk.rmdir()


def _fill(disk: Path, but: int) -> Path:
    """Take all room but so many bytes."""
    ballast = disk / "ballast"
    found = os.statvfs(disk)
    with open(ballast, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(found.f_bavail * found.f_frsize - but, 4096))
    return ballast


def full_disk(world: World) -> Outcome:
    """The tablespace of the views and their state is full; then there is room again."""
    kept = [(world.kind[name], world.mode[name]) for name in world.queries]
    outcome = Outcome()
    world.drop_all()
    with small_disk(world.cluster, 48) as disk:
        (disk / "space").mkdir()
        world.cluster.give(disk / "space")
        try:
            world.run(f"CREATE TABLESPACE small LOCATION '{disk / 'space'}'")
            world.run("ALTER DATABASE postgres SET default_tablespace = small")
            world.recover()
            for kind, mode in kept:
                world.view(kind, mode)
            for _ in range(3):
                ballast = _fill(disk, world.rng.randint(1, 40) * 8192)
                counts = _bulk(world, DISK_FULL)
                counts[_reinstalled(world)] += 1
                ballast.unlink()
                outcome.add(Outcome.of(counts, DISK_FULL))
                outcome.add(world.judge())
                world.run(SMALLER)
        finally:
            world.run("ALTER DATABASE postgres RESET default_tablespace")
            world.recover()
            world.run(SMALLER)
            world.drop_all()
            world.run("CHECKPOINT")
            world.run("DROP TABLESPACE small")
    for kind, mode in kept:
        world.view(kind, mode)
    return outcome


def _reinstalled(world: World) -> str:
    """Install one more view where there is no room: as a whole, or not at all."""
    name = world.name("different", world.rng.choice(modes()))
    if any(row == ("view", name) for row in world.objects()):
        return "ok"
    before = world.objects()
    try:
        world.view("different", world.mode[name])
    except DatabaseError as error:
        world.recover()
        assert world.objects() == before, f"half of {name} was installed"
        world.forget(name)
        return getattr(error.__cause__, "sqlstate", None) or ""
    return "ok"


# The server's own limits.


def no_limits() -> str:
    return "" if hasattr(resource, "prlimit") else "limits of another process can be set on Linux only"


def full_log_disk(world: World) -> Outcome:
    """No process of the server can write beyond a file's first pages any more: when that meets the write-ahead log it
    panics, throws all sessions out, and recovers."""
    limit = world.rng.choice((8192, 1 << 16))
    before = _crashes(world)
    with writing(world.connect, world.rng, 3) as writers:
        children = [process.pid for process in world.cluster.processes()[1:]]
        _limit(children, limit)
        with contextlib.suppress(AssertionError):
            until(lambda: not any(writer.is_alive() for writer in writers), 2)
    world.cluster.wait()
    _limit(children, resource.RLIM_INFINITY)
    told = f"{limit} bytes, {'the server crashed' if _crashes(world) > before else 'errors only'}"
    return Outcome.of(states(writers), LOST | {"EFBIG"}).with_told(told)


def _crashes(world: World) -> int:
    """How often the server has thrown everybody out; told by its first process, whose log may grow."""
    return world.cluster.server.log.count("all server processes terminated; reinitializing")


def _limit(pids: list[int], size: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


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
    counts = _bulk(world, TEMPORARY, setting)
    world.run(SMALLER)
    world.recover()
    return Outcome.of(counts, TEMPORARY)


def no_connections(world: World) -> Outcome:
    """Every connection is taken: a refresh that fails can't tell the log over one of its own, and says why it failed."""
    outcome = Outcome(1)
    name = world.rng.choice([name for name in world.queries if world.mode[name] == "manual"])
    with contextlib.ExitStack() as opened, contextlib.suppress(DatabaseError, django_ivm.RefreshError):
        connections[ALIAS].ensure_connection()
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                opened.callback(world.cluster.connect().close)
        with transaction.atomic(using=ALIAS):
            with connections[ALIAS].cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = '1ms'")
            try:
                world.get(name).refresh(full=True)
            except (django_ivm.RefreshError, DatabaseError) as error:
                outcome.hit += 1
                if isinstance(error, DatabaseError) and "too many" in str(error):
                    outcome.wrong.append(f"the failed log hides why the refresh failed: {error}")
                raise
    world.recover()
    return outcome
