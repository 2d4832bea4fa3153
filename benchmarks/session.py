"""One connection whose executions are timed."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus

from .core import BenchError, Operation, Params, Sizes

if TYPE_CHECKING:
    from .arms import Arm

CANCELED = psycopg.errors.QueryCanceled.sqlstate


class TooSlow(Exception):
    """A statement ran into the limit of :meth:`Session.limit`."""


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

    def limit(self, seconds: float) -> None:
        """Let no statement from now on take longer; 0 lifts the limit."""
        self.conn.execute(f"SET statement_timeout = {int(seconds * 1000)}".encode())

    def _expect(self, result: Any, op: Operation) -> None:
        if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
            if result.error_field(DiagnosticField.SQLSTATE) == str(CANCELED).encode():
                raise TooSlow
            message = result.error_message.decode(errors="replace").strip()
            raise BenchError(f"{self.arm.label}, {op.name}: {message}")

    def run(self, op: Operation, params: Params) -> float:
        """Seconds of one execution in its own transaction.

        :raises TooSlow: it hit the limit, and has done nothing.
        """
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
        except psycopg.errors.QueryCanceled:
            raise TooSlow from None
        except psycopg.Error as e:
            raise BenchError(f"{self.arm.label}, {op.name}: {e}") from e

    def close(self) -> None:
        self.conn.close()
