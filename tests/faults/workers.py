"""The worker that drains views: it outlives its server, and another one takes up what it leaves."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from django.db import connections

from django_ivm.engine.worker import Worker

from .clients import SECONDS
from .outcome import Outcome
from .workload import states, until, writing
from .world import ALIAS, World

PROCESS = """
import sys
import django
from django.conf import settings
from django_ivm import embedded
settings.configure(
    DATABASES={"default": embedded.django_database(sys.argv[1])},
    INSTALLED_APPS=["django.contrib.contenttypes", "django_ivm"], USE_TZ=True)
django.setup()
from django_ivm.engine.worker import Worker
print("works", flush=True)
Worker("default", jobs=2, poll=0.2, report=lambda name, outcome: print(name, flush=True)).run()
"""

BUSY = (
    "SELECT pid, state, wait_event_type, wait_event, pg_blocking_pids(pid), left(query, 200) FROM pg_stat_activity "
    "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


@contextlib.contextmanager
def at_work(world: World, jobs: int = 2) -> Iterator[None]:
    """A worker drains views while the block runs; after it none of its sessions is left."""
    worker = Worker(ALIAS, jobs=jobs, poll=0.2)
    thread = threading.Thread(target=_work, args=(worker,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(60)
    assert not thread.is_alive(), "the worker doesn't stop"


def until_nothing_is_stale(world: World) -> None:
    until(lambda: not _stale(world), 90, "the worker leaves views stale")


def lost_server(world: World) -> Outcome:
    """The server dies and comes back under a worker, which then goes on by itself until nothing is stale."""
    with at_work(world):
        with writing(world.connect, world.rng, 2) as writers:
            time.sleep(world.rng.random() * SECONDS)
            world.cluster.kill()
        world.cluster_is_up()
        until_nothing_is_stale(world)
    world.recover()
    until(lambda: not world.run(BUSY), why="a worker that has ended left sessions")
    return Outcome.of(states(writers))


def _work(worker: Worker) -> None:
    try:
        worker.run()
    finally:
        connections.close_all()


def _stale(world: World) -> list[str]:
    return [name for name in world.queries if not world.get(name).is_fresh()]


def killed(world: World) -> Outcome:
    """A worker's process dies by SIGKILL in the middle of its work; a second one finds no lock in its way."""
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, world.cluster.url],
            cwd=Path(__file__).resolve().parents[2], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        told: list[str] = []
        reader = threading.Thread(target=_read, args=(process, told), daemon=True)
        reader.start()
        try:
            with writing(world.connect, world.rng, 2):
                end = time.monotonic() + 60
                while len(told) < 2:
                    assert time.monotonic() < end, f"the worker says no more than {told}: {world.run(BUSY)}"
                    time.sleep(0.01)
                time.sleep(world.rng.random() * SECONDS)
        finally:
            process.kill()
            process.wait()
            reader.join()
    return Outcome(2, 2)


def _read(process: subprocess.Popen[str], told: list[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        told.append(line)  # noqa: PERF402  (seen by another thread while it grows)
