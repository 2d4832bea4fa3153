"""Processes of their own that write TPC-H's tables all the time and note how long each statement took.

Each statement is a transaction: none waits for another but because of a view.

Threads would wait for the interpreter's lock while a view is compiled, and take that for a stall of the database's.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

import psycopg

PAUSE = 0.004  # seconds between two statements of a writer
_ORDER = (
    "INSERT INTO orders SELECT %(new)s, o_custkey, o_orderstatus, o_totalprice, o_orderdate, o_orderpriority, o_clerk, "
    "o_shippriority, o_comment FROM orders WHERE o_orderkey = %(old)s"
)
_LINES = (
    "INSERT INTO lineitem SELECT %(new)s, l_partkey, l_suppkey, l_linenumber, l_quantity, l_extendedprice, l_discount, "
    "l_tax, l_returnflag, l_linestatus, l_shipdate, l_commitdate, l_receiptdate, l_shipinstruct, l_shipmode, l_comment "
    "FROM lineitem WHERE l_orderkey = %(old)s"
)
_CHANGE = "UPDATE lineitem SET l_quantity = 1 + (l_quantity + 7) %% 50 WHERE l_orderkey = %(old)s"
_GONE = ("DELETE FROM lineitem WHERE l_orderkey = %(new)s", "DELETE FROM orders WHERE o_orderkey = %(new)s")


@dataclass(frozen=True, slots=True)
class Write:
    """One statement: when it began (time.time()), its seconds, and the SQLSTATE it failed with."""

    began: float
    seconds: float
    failed: str | None


def _write(dsn: str, schema: str, number: int, keys: list[int], stop: Any, pipe: Connection) -> None:
    """A writer's process. New orders take keys between those that the generator uses."""
    rng = random.Random(number)
    found: list[Write] = []
    new: list[int] = []
    with psycopg.connect(dsn, autocommit=True, options=f"-c search_path={schema},public") as connection:
        connection.prepare_threshold = 1
        while not stop.is_set():
            kind, old = rng.random(), rng.choice(keys)
            statements: tuple[str, ...] = (_CHANGE,)
            if kind < 0.3 and old not in new:
                new.append(old)
                statements = (_ORDER, _LINES)
            elif kind < 0.5 and new:
                old = new.pop(rng.randrange(len(new)))
                statements = _GONE
            for statement in statements:
                began, clock, failed = time.time(), time.perf_counter(), None
                try:
                    connection.execute(statement.encode(), {"old": old, "new": old + 8})
                except psycopg.Error as error:
                    failed = error.sqlstate or "?"
                found.append(Write(began, time.perf_counter() - clock, failed))
                time.sleep(PAUSE)
        for old in new:
            for statement in _GONE:
                connection.execute(statement.encode(), {"new": old + 8})
    pipe.send(found)
    pipe.close()


class Writers:
    """Writers at work for the length of a with block; `writes` afterwards, in order of their beginning."""

    def __init__(self, dsn: str, schema: str, keys: list[int], count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        self._running = []
        self.writes: list[Write] = []
        for number in range(count):
            ours, theirs = context.Pipe(duplex=False)
            arguments = (dsn, schema, number, keys[number::count], self._stop, theirs)
            self._running.append((context.Process(target=_write, args=arguments, daemon=True), ours))

    def __enter__(self) -> Writers:
        for process, _ in self._running:
            process.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._stop.set()
        for process, pipe in self._running:
            if pipe.poll(60):
                self.writes += pipe.recv()
            process.join(10)
        self.writes.sort(key=lambda write: write.began)
