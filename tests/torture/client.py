"""One writer: a connection that runs random transactions for a while and retries what may be retried.

It runs in a process or thread of its own, takes a `Job`, gives a `Tally`; both can be pickled. What it does follows
from the job's seed; how writers meet does not.
"""

from __future__ import annotations

import os
import random
import threading
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors, sql

from . import shop, storm
from .step import MAYBE, Copy, Step, told

LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
MIXED = "MIXED"
RETRYABLE = ("40001", "40P01")
# What these transactions get without any view: a missing parent, a taken key, a value that a table refuses.
ORDINARY = ("23503", "23505", "23514")
WORKLOADS = {"storm": storm.transaction, "shop": shop.transaction}
ATTEMPTS = 100

_local = threading.local()


@dataclass(frozen=True, slots=True)
class Job:
    """A slice of one writer's time."""

    server: dict[str, Any]
    schema: str
    workload: str
    level: str
    seed: str
    begin: float  # time.time() at which all writers start
    seconds: float
    think: float = 0.0  # seconds that the client needs between two statements, on average
    rest: float = 0.0  # and between two transactions
    settings: tuple[tuple[str, str], ...] = ()
    checks: tuple[tuple[str, str], ...] = ()  # (view, query without rows) that hold inside a transaction too
    truncates: bool = False
    journal: bool = False


@dataclass
class Tally:
    """What became of it."""

    done: int = 0  # transactions that ended as they were meant to, before the slice's end
    late: int = 0  # the same, after it
    gave_up: int = 0
    statements: int = 0
    checks: int = 0
    aborts: Counter[str] = field(default_factory=Counter)  # by SQLSTATE
    ordinary: Counter[str] = field(default_factory=Counter)  # refused with and without views
    broken: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    longest: float = 0.0  # seconds of one statement
    processor: float = 0.0  # seconds that the server's process has worked, where it can be seen
    journal: list[tuple[float, str, str]] = field(default_factory=list)  # committed: when, level, script

    def add(self, other: Tally) -> None:
        """The numbers of another writer or slice too."""
        self.longest = max(self.longest, other.longest)
        for one in fields(self):
            if one.name == "longest":
                continue
            value, more = getattr(self, one.name), getattr(other, one.name)
            if isinstance(value, Counter):
                value.update(more)
            elif isinstance(value, list):
                value.extend(more)
            else:
                setattr(self, one.name, value + more)


def run(job: Job) -> Tally:
    """Work through a slice."""
    return Writer(job).run()


def run_alone(job: Job) -> Tally:
    """Work through a slice and keep no connection."""
    try:
        return run(job)
    finally:
        forget()


def _connection(server: dict[str, Any]) -> psycopg.Connection[Any]:
    """This process's or thread's own, kept from slice to slice as a site keeps its connections."""
    kept = getattr(_local, "connection", None)
    if kept is None or kept.closed or _local.server != server:
        # As Django does it: values in the text, no prepared statements.
        kept = psycopg.connect(**server, autocommit=True, prepare_threshold=None)
        _local.connection, _local.server = kept, server
    return kept


def forget() -> None:
    """Close this thread's connection."""
    kept = getattr(_local, "connection", None)
    if kept is not None:
        kept.close()
        _local.connection = None


def processor(pid: int) -> float:
    """Seconds that a server process has worked so far; 0.0 where it isn't on this machine."""
    try:
        process = Path(f"/proc/{pid}")
        if (process / "comm").read_text().strip() != "postgres":
            return 0.0
        user, system = (process / "stat").read_text().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0


class Writer:
    """The run of a job."""

    def __init__(self, job: Job) -> None:
        self.job, self.tally = job, Tally()
        self.rng = random.Random(job.seed)
        self.end = job.begin + job.seconds

    def run(self) -> Tally:
        try:
            self.session = _connection(self.job.server)
            path = sql.SQL("SET search_path = {}, public").format(sql.Identifier(self.job.schema))
            self.session.execute("RESET ALL")
            self.session.execute(path)
            for name, value in self.job.settings:
                self.session.execute("SELECT set_config(%s, %s, false)", (name, value))
            time.sleep(max(0.0, self.job.begin - time.time()))
            before = processor(self.session.info.backend_pid)
            while time.time() < self.end:
                self.transaction()
                self.pause(self.job.rest)
            self.tally.processor = processor(self.session.info.backend_pid) - before
        except Exception:  # noqa: BLE001 told by whoever started it
            self.tally.broken.append(traceback.format_exc())
            forget()
        return self.tally

    def pause(self, mean: float) -> None:
        if mean:
            time.sleep(self.rng.expovariate(1 / mean))

    def transaction(self) -> None:
        """One transaction, again and again until it ends as it was meant to or for a reason of its own."""
        level = self.rng.choice(LEVELS) if self.job.level == MIXED else self.job.level
        script = WORKLOADS[self.job.workload](self.rng, self.job.truncates)
        check = self.rng.choice(self.job.checks) if self.job.checks and self.rng.random() < 0.05 else None
        for attempt in range(ATTEMPTS):
            step: Step = ""
            try:
                self.session.execute(f"BEGIN ISOLATION LEVEL {level}")
                for step in script:
                    self.step(step)
                    self.pause(self.job.think)
                if check and script[-1] != "ROLLBACK":
                    self.check(*check)
                if script[-1] != "ROLLBACK":
                    step = "COMMIT"
                    self.session.execute(step)
            except psycopg.Error as error:
                self.session.execute("ROLLBACK")
                if error.sqlstate in RETRYABLE:
                    self.tally.aborts[error.sqlstate] += 1
                    if time.time() > self.end:
                        return
                    # Two that undo each other must not meet again at once.
                    time.sleep(self.rng.random() * 0.001 * 2 ** min(attempt, 6))
                    continue
                if error.sqlstate not in ORDINARY:
                    self.tally.broken.append(f"{error.sqlstate} in {level}, at {told([step])}: {error}\n{told(script)}")
                    return
                self.tally.ordinary[error.sqlstate] += 1
            else:
                if self.job.journal and script[-1] != "ROLLBACK":
                    self.tally.journal.append((time.time(), level, told(script)))
            if time.time() <= self.end:
                self.tally.done += 1
            else:
                self.tally.late += 1
            return
        self.tally.gave_up += 1

    def step(self, step: Step) -> None:
        begun = time.perf_counter()
        self.tally.statements += 1
        try:
            if isinstance(step, Copy):
                with self.session.cursor() as cursor, cursor.copy(step.into) as copy:
                    copy.write(step.rows)
            else:
                self.session.execute(step)
        except errors.IntegrityError:
            # As get_or_create() does, if the script said that it might happen.
            if isinstance(step, Copy) or not step.startswith(MAYBE):
                raise
            self.session.execute("ROLLBACK TO SAVEPOINT maybe")
        finally:
            self.tally.longest = max(self.tally.longest, time.perf_counter() - begun)

    def check(self, name: str, query: str) -> None:
        self.tally.checks += 1
        if found := self.session.execute(query).fetchall():
            self.tally.wrong.append(f"{name}, inside a transaction: {found[:3]}")
