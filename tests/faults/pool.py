"""Connections that several clients share: a pool in transaction mode, and one session handed from client to client."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.db import connections, transaction

from . import workers
from .clients import refreshing
from .cluster import LIMIT, Cluster
from .interruption import insist
from .operations import OPERATIONS
from .outcome import Outcome
from .workload import states, writing
from .workload import transaction as script
from .world import ALIAS, World, modes, reach

NONE: frozenset[str] = frozenset()
SECONDS = 0.5


def program() -> str | None:
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin")


def no_pool() -> str:
    return "" if program() else "there is no pgbouncer on the PATH"


@contextlib.contextmanager
def pooled(cluster: Cluster, always_reset: bool) -> Iterator[str]:
    """A pgbouncer in transaction mode with two server connections for everybody; its URL."""
    directory = cluster.directory / "pool"
    directory.mkdir()
    configuration = directory / "pgbouncer.ini"
    configuration.write_text(
        f"[databases]\n* = host={cluster.directory} port=5432 user=postgres pool_size=2\n[pgbouncer]\n"
        f"unix_socket_dir = {directory}\nlisten_addr =\nlisten_port = 6432\nauth_type = any\npool_mode = transaction\n"
        f"server_reset_query = DISCARD ALL\nserver_reset_query_always = {int(always_reset)}\nmax_client_conn = 100\n"
        f"logfile = {directory / 'log'}\npidfile = {directory / 'pid'}\nignore_startup_parameters = extra_float_digits\n"
    )
    cluster.give(directory)
    path = program()
    assert path is not None
    process = subprocess.Popen(
        cluster.through([path, "--quiet", str(configuration)]), stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    url = f"postgresql://postgres@/postgres?host={quote(str(directory), safe='')}&port=6432"
    try:
        _until_open(url, process, directory / "log")
        yield url
    finally:
        process.terminate()
        process.wait(LIMIT)
        shutil.rmtree(directory)


def _until_open(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + LIMIT
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            told = log.read_text() if log.exists() else "nothing in its log"
            assert process.poll() is None, f"the pool ended: {told}"
            assert time.monotonic() < end, f"the pool doesn't answer: {told}"
            time.sleep(0.01)


@contextlib.contextmanager
def _through_a_pool(world: World) -> Iterator[Callable[[], psycopg.Connection[Any]]]:
    """Django and whoever calls `connect()` come over a pool while the block runs."""
    with pooled(world.cluster, always_reset=world.rng.random() < 0.5) as url:
        world.recover()
        reach(url, DISABLE_SERVER_SIDE_CURSORS=True)
        try:
            yield lambda: psycopg.connect(url, autocommit=True, prepare_threshold=None)
        finally:
            world.recover()
            reach(world.cluster.url)


def pool_in_transaction_mode(world: World) -> Outcome:
    """Everybody comes over a pool: writers, refreshes, installations, and the questions about the views."""
    outcome = Outcome()
    with _through_a_pool(world) as connect:
        with writing(connect, world.rng, 4) as writers, refreshing(world, again=True) as refreshes:
            time.sleep(SECONDS)
        outcome.add(Outcome.of(states(writers) + refreshes.states, NONE, sum(states(writers).values())))
        outcome.told, work = world.rng.choice(OPERATIONS)(world, "lines", world.rng.choice(modes()))
        with writing(connect, world.rng, 2):
            insist(work)
        with transaction.atomic(using=ALIAS):
            for name in world.queries:
                world.get(name).refresh()
        outcome.add(world.judge())
    return outcome


def worker_behind_a_pool(world: World) -> Outcome:
    """A worker that can't listen, as its sessions aren't its own, finds by looking what there is to do."""
    with _through_a_pool(world) as connect, workers.at_work(world, jobs=1):  # each job takes two server connections
        with writing(connect, world.rng, 3) as writers:
            time.sleep(SECONDS)
        workers.until_nothing_is_stale(world)
    return Outcome.of(states(writers), NONE, sum(states(writers).values()))


# What a client may leave behind in a session that the next client gets.
LEFT = (
    "DISCARD ALL",
    "RESET ALL",
    "SELECT 1",
    "SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Pacific/Chatham'; SET IntervalStyle = sql_standard",
    "SET extra_float_digits = -3; SET bytea_output = 'escape'; SET xmloption = document",
    "SET default_transaction_isolation = serializable; SET default_transaction_deferrable = on",
    "SET transform_null_equals = on; SET standard_conforming_strings = off; SET escape_string_warning = off",
    "SET plan_cache_mode = force_generic_plan; SET enable_indexscan = off; SET work_mem = '64kB'",
    "SET check_function_bodies = off; SET row_security = off; SET jit = off; SET constraint_exclusion = on",
    "CREATE TEMP TABLE IF NOT EXISTS sums_immediate (n int); CREATE TEMP TABLE IF NOT EXISTS kinds_commit (n int)",
    "SET search_path = public, pg_catalog",
    "CREATE SCHEMA IF NOT EXISTS decoy; SET search_path = decoy, public",
    "LISTEN somebody; PREPARE p AS SELECT 1; DEALLOCATE p",
    "DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES",
)


def shared_session(world: World) -> Outcome:
    """One session serves several clients, a transaction each in turn, whatever the one before left in it."""
    counts: Counter[str] = Counter()
    with world.connect() as session:
        session.prepare_threshold = None  # as with a pool: DISCARD takes prepared statements away
        for _ in range(30):
            left = world.rng.choice(LEFT)
            for one in left.split("; "):
                session.execute(one)
            try:
                for one in script(world.rng):
                    session.execute(one)
                counts["ok"] += 1
            except psycopg.Error as error:
                counts[error.sqlstate or ""] += 1
                session.execute("ROLLBACK")
    world.run("DROP SCHEMA IF EXISTS decoy")
    outcome = Outcome.of(counts, NONE, sum(counts.values()))
    with connections[ALIAS].cursor() as cursor:  # the views are asked over such a session too
        for left in world.rng.sample([one for one in LEFT if "DateStyle" not in one], 3):  # Django itself needs ISO
            cursor.execute(left)
    for name in world.rng.sample(sorted(world.queries), 3):
        view = world.get(name)
        view.refresh()
        if not view.verify().ok:
            outcome.wrong.append(f"{name} is found to differ in a session with foreign settings: {view.verify()}")
    world.run("DROP SCHEMA IF EXISTS decoy CASCADE")
    return outcome
