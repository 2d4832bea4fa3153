"""Work beside a test's own session: a thread of Django's, and sessions that write all the time."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections

from tests.engine.area import Area
from tests.not_kept import NOT_KEPT

TABLES = """
CREATE TABLE parent (id int PRIMARY KEY, grp text);
CREATE TABLE child (id bigserial PRIMARY KEY, pid int, v int, note text); CREATE INDEX ON child (pid);
INSERT INTO parent SELECT i, 'g' || i % 3 FROM generate_series(1, 8) i;
INSERT INTO child (pid, v) SELECT i % 8 + 1, i % 7 FROM generate_series(1, 60) i;
"""
JOIN = "SELECT p.grp, count(*) AS n, sum(c.v) AS s FROM child c JOIN parent p ON p.id = c.pid GROUP BY p.grp"
SUMS = "SELECT pid, count(*) AS n, max(v) AS top FROM child GROUP BY pid"
ROWS = "SELECT c.v, p.grp FROM child c JOIN parent p ON p.id = c.pid"
RANKS = f"SELECT id, rank() OVER (ORDER BY v, id) AS place FROM child WHERE {NOT_KEPT}"


@contextmanager
def aside(area: Area, work: Callable[[], Any]) -> Iterator[Future[Any]]:
    """Run something of Django's in a thread with a connection of its own."""

    def run() -> Any:
        try:
            area.enter()
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '20s'")
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run)


def waiting(area: Area) -> int:
    """Sessions of this database that wait for a lock."""
    return int(area.value(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
        "cardinality(pg_blocking_pids(pid)) > 0"
    ))  # fmt: skip


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


class Traffic:
    """Sessions that write until the with block ends."""

    def __init__(self, area: Area, sessions: int = 3) -> None:
        self.area, self.stop, self.errors, self.done = area, threading.Event(), [], 0
        self.threads = [threading.Thread(target=self.write, args=(area.connect(), i)) for i in range(sessions)]

    def write(self, session: Any, number: int) -> None:
        rng = random.Random(number)
        while not self.stop.is_set():
            try:
                session.execute(rng.choice((
                    f"INSERT INTO child (pid, v) VALUES ({rng.randint(1, 9)}, {rng.randint(0, 9)})",
                    f"UPDATE child SET v = {rng.randint(0, 9)} WHERE id % 20 = {rng.randrange(20)}",
                    f"DELETE FROM child WHERE id % 50 = {rng.randrange(50)}",
                    f"UPDATE parent SET grp = 'g{rng.randrange(4)}' WHERE id = {rng.randint(1, 8)}",
                )))  # fmt: skip
                self.done += 1
            except Exception as error:  # noqa: BLE001 -- judged by the test
                self.errors.append(getattr(error, "sqlstate", None) or str(error))

    def __enter__(self) -> Traffic:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(30)
