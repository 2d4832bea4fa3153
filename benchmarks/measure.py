"""Rounds: every arm executes the same statements, in turns: what disturbs the machine disturbs all alike."""

from __future__ import annotations

import contextlib
import gc
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import ExecStatus

from . import data
from .core import ORDERS, BenchError, Feed, Operation, Params, Scenario, Sizes

if TYPE_CHECKING:
    from .arms import Arm

WARM = 8  # executions before timing: past the five custom plans PostgreSQL tries first
CHUNK = 10  # single-row executions of one arm before the next has its turn

Key = tuple[str, str, str]  # operation, order, arm


@dataclass(slots=True)
class Samples:
    """Seconds: for each key one figure a round, the median of that round's executions."""

    rounds: dict[Key, list[float]] = field(default_factory=lambda: defaultdict(list))

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


@contextmanager
def one_cpu(*, wanted: bool) -> Iterator[int | None]:
    """Keep this process on one CPU; yields its number, or None where it isn't wanted or can't be done.

    Client and server work in turns. A short statement takes twice as long when the scheduler puts them on two
    CPUs (waking the other up), and where it puts them changes by the moment: the largest noise there is.
    """
    if not wanted or not hasattr(os, "sched_setaffinity"):
        yield None
        return
    before = os.sched_getaffinity(0)
    cpu = max(before)
    os.sched_setaffinity(0, {cpu})
    try:
        yield cpu
    finally:
        os.sched_setaffinity(0, before)


class Session:
    """One connection with every statement of the scenario prepared.

    ``raw`` executes through libpq alone; otherwise through psycopg, whose own work is in the time as it is in
    every program that uses it. ``cpu``: where the server's process is put, see :func:`one_cpu`.
    """

    def __init__(
        self, arm: Arm, operations: Iterable[Operation], sizes: Sizes, *, raw: bool, cpu: int | None = None
    ) -> None:
        self.arm = arm
        self.raw = raw
        self.conn = arm.connect()
        self.conn.prepared_max = None
        self.conn.cursor_factory = psycopg.RawCursor
        if cpu is not None:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(self.conn.info.backend_pid, {cpu})
        self.names: dict[str, bytes] = {}
        for i, op in enumerate(operations):
            text = sizes.into(op.sql).as_bytes(self.conn)
            name = f"op{i}".encode() if raw else text
            if raw:
                self._expect(self.conn.pgconn.prepare(name, text), op)
            self.names[op.name] = name

    def _expect(self, result: Any, op: Operation) -> None:
        if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
            message = result.error_message.decode(errors="replace").strip()
            raise BenchError(f"{self.arm.label}, {op.name}: {message}")

    def run(self, op: Operation, params: Params) -> float:
        """Seconds of one execution in its own transaction."""
        name = self.names[op.name]
        if self.raw:
            values: Any = [None if p is None else str(p).encode() for p in params]
            start = time.perf_counter_ns()
            result = self.conn.pgconn.exec_prepared(name, values)
            elapsed = time.perf_counter_ns() - start
            self._expect(result, op)
            return elapsed / 1e9
        # As text: psycopg sends a small int and a big one as different types, two prepared statements.
        texts = [None if p is None else str(p) for p in params]
        try:
            start = time.perf_counter_ns()
            self.conn.execute(name, texts, prepare=True)
            return (time.perf_counter_ns() - start) / 1e9
        except psycopg.Error as e:
            raise BenchError(f"{self.arm.label}, {op.name}: {e}") from e

    def close(self) -> None:
        self.conn.close()


def turns(arms: Sequence[Arm], n: int) -> list[Arm]:
    """The arms, starting with another one each time."""
    n %= len(arms)
    return [*arms[n:], *arms[:n]]


def write_rounds(
    admin: psycopg.Connection,
    arms: Sequence[Arm],
    scenario: Scenario,
    sizes: Sizes,
    feed: Feed,
    *,
    rounds: int,
    repeat: int,
    raw: bool,
    cpu: int | None,
    step: Callable[[str], None],
) -> Samples:
    """Time every operation on every arm. Rounds alternate in what a fresh connection meets first.

    :param rounds: rounds of each order.
    :param repeat: timed executions of a single-row operation in a round.
    :param raw: through libpq alone, see :class:`Session`.
    :param cpu: where the server's processes are put.
    :param step: called after each operation of a round.
    """
    samples = Samples()
    single = [op for op in scenario.operations if not op.bulk]
    bulk = [op for op in scenario.operations if op.bulk]

    def lookup(text: str, params: Params) -> list[tuple[object, ...]]:
        # The copies are equal at this moment, so what is found in the first holds in all.
        with arms[0].connect() as conn, conn.cursor() as cur:
            result = conn.pgconn.exec_params(
                text.encode(), [None if p is None else str(p).encode() for p in params]
            )
            if result.status != ExecStatus.TUPLES_OK:
                raise BenchError(f"look-up failed: {result.error_message.decode(errors='replace')}")
            del cur
            return [
                tuple(
                    v.decode() if (v := result.get_value(i, j)) is not None else None
                    for j in range(result.nfields)
                )
                for i in range(result.ntuples)
            ]

    for number in range(rounds * len(ORDERS)):
        order = ORDERS[number % len(ORDERS)]
        data.vacuum(admin, [arm.schema for arm in arms])
        sessions = {arm.key: Session(arm, scenario.operations, sizes, raw=raw, cpu=cpu) for arm in arms}
        gc.collect()
        gc.disable()
        try:
            for op in (*single, *bulk) if order == ORDERS[0] else (*bulk, *single):
                if op.bulk:
                    params = op.params(feed, lookup, 1)[0]
                    for arm in turns(arms, number):
                        samples.rounds[op.name, order, arm.key].append(sessions[arm.key].run(op, params))
                else:
                    _single(op, order, arms, sessions, samples, feed, lookup, number, repeat)
                step(f"{scenario.key} round {number + 1}: {op.name}")
        finally:
            gc.enable()
            for session in sessions.values():
                session.close()
    return samples


def _single(
    op: Operation,
    order: str,
    arms: Sequence[Arm],
    sessions: dict[str, Session],
    samples: Samples,
    feed: Feed,
    lookup: Callable[[str, Params], list[tuple[object, ...]]],
    number: int,
    repeat: int,
) -> None:
    """One round of a single-row operation: a few executions of one arm, then of the next, and so on."""
    todo = op.params(feed, lookup, WARM + max(CHUNK, int(repeat * op.share)))
    times: dict[str, list[float]] = defaultdict(list)
    for params in todo[:WARM]:
        for arm in arms:
            sessions[arm.key].run(op, params)
    for turn, at in enumerate(range(WARM, len(todo), CHUNK)):
        for arm in turns(arms, number + turn):
            times[arm.key] += [sessions[arm.key].run(op, params) for params in todo[at : at + CHUNK]]
    for arm in arms:
        samples.rounds[op.name, order, arm.key].append(statistics.median(times[arm.key]))


def timed(work: Callable[[], object]) -> float:
    """Seconds that ``work`` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
