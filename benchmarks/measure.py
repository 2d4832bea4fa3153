"""Rounds: every arm executes the same statements, in turns: what disturbs the machine disturbs all alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from . import data
from .core import ORDERS, BenchError, Feed, Operation, Params, Scenario
from .session import Session, TooSlow

if TYPE_CHECKING:
    from .arms import Arm

WARM = 8  # executions before timing: past the five custom plans PostgreSQL tries first
PATIENCE = 20.0  # seconds for a statement, then it counts as this long
CHUNK = 10  # single-row executions of one arm before the next has its turn

Key = tuple[str, str, str]  # operation, order, arm


@dataclass(slots=True)
class Samples:
    """Seconds: for each key one figure a round, the median of that round's executions."""

    rounds: dict[Key, list[float]] = field(default_factory=lambda: defaultdict(list))
    over: set[Key] = field(default_factory=set)  # given up after PATIENCE: the figure is a lower bound

    def median(self, key: Key) -> float | None:
        return statistics.median(self.rounds[key]) if self.rounds.get(key) else None

    def ratio(self, key: Key, base: Key) -> float | None:
        """Median of the ratios within each round: what drifts between rounds cancels out."""
        pairs = list(zip(self.rounds.get(key, ()), self.rounds.get(base, ()), strict=False))
        return statistics.median(a / b for a, b in pairs) if pairs else None

    def spread(self, key: Key, base: Key) -> tuple[float, float] | None:
        """Smallest and largest ratio of a round."""
        ratios = [a / b for a, b in zip(self.rounds.get(key, ()), self.rounds.get(base, ()), strict=False)]
        return (min(ratios), max(ratios)) if ratios else None


def turns(arms: Sequence[Arm], n: int) -> list[Arm]:
    """The arms, starting with another one each time."""
    n %= len(arms)
    return [*arms[n:], *arms[:n]]


@dataclass(slots=True)
class WriteRounds:
    """Times every operation of a scenario on every arm.

    ``rounds``: of each order. ``repeat``: timed executions of a single-row operation in a round. ``raw``: see
    :class:`Session`. ``cpu``: where the server's processes are put. ``step`` is called after each operation.
    """

    admin: psycopg.Connection
    arms: Sequence[Arm]
    scenario: Scenario
    feed: Feed
    rounds: int
    repeat: int
    raw: bool
    cpu: int | None
    step: Callable[[str], None]
    samples: Samples = field(init=False, default_factory=Samples)

    def run(self) -> Samples:
        """All rounds; they alternate in what a fresh connection meets first."""
        single = [op for op in self.scenario.operations if not op.bulk]
        bulk = [op for op in self.scenario.operations if op.bulk]
        for number in range(self.rounds * len(ORDERS)):
            order = ORDERS[number % len(ORDERS)]
            data.vacuum(self.admin, [arm.schema for arm in self.arms])
            sessions = {arm.key: self._session(arm) for arm in self.arms}
            gc.collect()
            gc.disable()
            try:
                for op in (*single, *bulk) if order == ORDERS[0] else (*bulk, *single):
                    (self._bulk if op.bulk else self._single)(op, order, sessions, number)
                    self.step(f"{self.scenario.key} round {number + 1}: {op.name}")
            finally:
                gc.enable()
                for session in sessions.values():
                    session.close()
        return self.samples

    def _session(self, arm: Arm) -> Session:
        return Session(arm, self.scenario.operations, self.feed.sizes, raw=self.raw, cpu=self.cpu)

    def _lookup(self, text: str, params: Params) -> list[tuple[object, ...]]:
        # The copies are equal at this moment, so what is found in the first holds in all.
        with self.arms[0].connect() as conn, psycopg.RawCursor(conn) as cursor:
            return cursor.execute(text.encode(), params).fetchall()

    def _bulk(self, op: Operation, order: str, sessions: dict[str, Session], number: int) -> None:
        params = op.params(self.feed, self._lookup, 1)[0]
        for arm in turns(self.arms, number):
            key = (op.name, order, arm.key)
            seconds = PATIENCE
            if key not in self.samples.over:
                try:
                    sessions[arm.key].limit(PATIENCE)
                    seconds = sessions[arm.key].run(op, params)
                    sessions[arm.key].limit(0)
                except TooSlow:
                    self.samples.over.add(key)
            self.samples.rounds[key].append(seconds)
            if key in self.samples.over:
                self._catch_up(arm, op, params)

    def _catch_up(self, arm: Arm, op: Operation, params: Params) -> None:
        """Execute, untimed, what was given up on: a fresh connection plans for the many rows it meets first."""
        session = self._session(arm)
        session.limit(10 * PATIENCE)
        try:
            session.run(op, params)
        except TooSlow:
            raise BenchError(
                f"scenario {self.scenario.key}, {arm.label}: {op.name} takes over {10 * PATIENCE} s, even in a"
                f" fresh connection; leave it out with --arms"
            ) from None
        finally:
            session.close()

    def _single(self, op: Operation, order: str, sessions: dict[str, Session], number: int) -> None:
        """A few executions of one arm, then of the next, and so on."""
        todo = op.params(self.feed, self._lookup, WARM + max(CHUNK, int(self.repeat * op.share)))
        times: dict[str, list[float]] = defaultdict(list)
        for session in sessions.values():
            session.limit(0)
        for params in todo[:WARM]:
            for session in sessions.values():
                session.run(op, params)
        for turn, at in enumerate(range(WARM, len(todo), CHUNK)):
            for arm in turns(self.arms, number + turn):
                session = sessions[arm.key]
                times[arm.key] += [session.run(op, params) for params in todo[at : at + CHUNK]]
        for arm in self.arms:
            self.samples.rounds[op.name, order, arm.key].append(statistics.median(times[arm.key]))


def timed(work: Callable[[], object]) -> float:
    """Seconds that ``work`` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
