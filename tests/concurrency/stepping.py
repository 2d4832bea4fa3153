"""Interleavings of sessions, one statement at a time, the same at every run.

A schedule says whose turn it is. A statement that has to wait for another session's lock is left waiting (it is seen
in `pg_blocking_pids`) and the schedule goes on; what its session was to do next follows as soon as it may.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.engine.area import Area

LIMIT = 30.0  # seconds after which a schedule that doesn't end is an error
RETRYABLE = ("40001", "40P01")
LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


class Session:
    """A connection with a thread of its own."""

    def __init__(self, area: Area) -> None:
        self.connection = area.connect()
        self.pid = self.connection.info.backend_pid
        self.thread = ThreadPoolExecutor(1)
        self.running: Future[Any] | None = None
        for setting, value in (
            ("deadlock_timeout", "50ms"), ("lock_timeout", "20s"), ("statement_timeout", "25s"),
        ):  # fmt: skip
            self.connection.execute(f"SET {setting} = '{value}'")

    def start(self, statement: str) -> None:
        """Send a statement; `running` tells when it is done."""
        assert self.running is None
        self.running = self.thread.submit(self.connection.execute, statement)

    def close(self) -> None:
        self.thread.shutdown()
        self.connection.close()


@dataclass
class Outcome:
    """What became of a schedule: each session's SQLSTATE (None: it committed), and which sessions ever waited."""

    states: list[str | None]
    waited: set[int] = field(default_factory=set)
    messages: list[str] = field(default_factory=list)


class Stage:
    """Sessions of an area and one that watches them."""

    def __init__(self, area: Area, sessions: int = 2) -> None:
        self.area = area
        self.sessions = [Session(area) for _ in range(sessions)]
        self.watcher = area.connect()

    def close(self) -> None:
        for session in self.sessions:
            session.close()
        self.watcher.close()

    def blocked(self, session: Session) -> bool:
        """The session waits for a lock that another holds."""
        found = self.watcher.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", (session.pid,)).fetchone()
        return bool(found and found[0])

    def settle(self, session: Session) -> bool:
        """Wait until the session's statement is done or waits for a lock; whether it is done."""
        end = time.monotonic() + LIMIT
        pause = 0.0005
        while session.running is not None and not session.running.done():
            if self.blocked(session):
                # A moment later it may have been let in: the lock was given to it before it ran on.
                return session.running.done()
            assert time.monotonic() < end, "a statement neither ended nor waits for a lock"
            time.sleep(pause)
            pause = min(pause * 2, 0.01)
        return True

    def play(self, scripts: Sequence[Sequence[str]], schedule: Sequence[int]) -> Outcome:
        """Run each session's statements in the schedule's order; what fails rolls its session's transaction back."""
        queues = [deque(script) for script in scripts]
        outcome = Outcome([None] * len(scripts))
        due = [0] * len(scripts)
        for turn in schedule:
            due[turn] += 1
            self._advance(queues, due, outcome)
        end = time.monotonic() + LIMIT
        while any(queues) or any(s.running for s in self.sessions):
            due = [len(queue) for queue in queues]
            self._advance(queues, due, outcome)
            assert time.monotonic() < end, f"the schedule {list(schedule)} hangs: {outcome}"
            if any(s.running for s in self.sessions):
                time.sleep(0.002)
        return outcome

    def _advance(self, queues: list[deque[str]], due: list[int], outcome: Outcome) -> None:
        moved = True
        while moved:
            moved = False
            for number, (session, queue) in enumerate(zip(self.sessions, queues, strict=False)):
                if session.running is not None:
                    if not self.settle(session):
                        outcome.waited.add(number)
                        continue
                    self._finish(session, number, queue, outcome)
                    moved = True
                if due[number] and queue:
                    due[number] -= 1
                    session.start(queue.popleft())
                    if self.settle(session):
                        self._finish(session, number, queue, outcome)
                    else:
                        outcome.waited.add(number)
                    moved = True

    def _finish(self, session: Session, number: int, queue: deque[str], outcome: Outcome) -> None:
        assert session.running is not None
        error = session.running.exception()
        session.running = None
        if error is None:
            return
        if not isinstance(error, psycopg.Error):
            raise error
        outcome.states[number] = error.sqlstate or "?"
        outcome.messages.append(str(error))
        queue.clear()
        session.connection.execute("ROLLBACK")

    def again(self, scripts: Sequence[Sequence[str]], outcome: Outcome) -> None:
        """Sessions that failed with a retryable error run once more, alone."""
        for session, script, state in zip(self.sessions, scripts, outcome.states, strict=False):
            if state in RETRYABLE:
                for statement in script:
                    session.connection.execute(statement)


def transaction(statements: Sequence[str], level: str, snapshot: str = "") -> list[str]:
    """A transaction's script. Above READ COMMITTED the snapshot is taken in a step of its own, by any read."""
    begin = f"BEGIN ISOLATION LEVEL {level}"
    if level == "READ COMMITTED":
        return [f"{begin};{statements[0]}", *statements[1:], "COMMIT"]
    return [f"{begin};{snapshot or 'SELECT count(*) FROM pg_class'}", *statements, "COMMIT"]


def interleavings(lengths: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every order of the sessions' steps, each once."""
    turns = [number for number, length in enumerate(lengths) for _ in range(length)]
    if len(turns) <= 9:
        yield from sorted(set(itertools.permutations(turns)))
        return

    def rest(left: tuple[int, ...], prefix: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if not any(left):
            yield prefix
        for number, count in enumerate(left):
            if count:
                yield from rest((*left[:number], count - 1, *left[number + 1 :]), (*prefix, number))

    yield from rest(tuple(lengths), ())
