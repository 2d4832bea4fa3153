"""Tables, views of many kinds in every mode, and sessions that write until told to stop."""

from __future__ import annotations

import errno
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.not_kept import NOT_KEPT

TABLES = """
CREATE TABLE region (id int PRIMARY KEY, name text);
CREATE TABLE person (
    id int PRIMARY KEY, rid int REFERENCES region ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, kind text, boss int);
CREATE TABLE sale (id bigserial PRIMARY KEY, pid int, g int, v int, p numeric(10, 2), note text);
CREATE TABLE reading (k int, day int, v int) PARTITION BY LIST (k);
CREATE INDEX ON person (rid); CREATE INDEX ON person (kind); CREATE INDEX ON person (boss);
CREATE INDEX ON sale (pid); CREATE INDEX ON sale (g, v); CREATE INDEX ON reading (k, day);
CREATE TABLE reading_0 PARTITION OF reading FOR VALUES IN (0, 1);
CREATE TABLE reading_1 PARTITION OF reading FOR VALUES IN (2, 3);
CREATE TABLE reading_2 PARTITION OF reading DEFAULT;
INSERT INTO region SELECT i, 'r' || i % 3 FROM generate_series(1, 6) i;
INSERT INTO person SELECT i, i % 6 + 1, 'k' || i % 4, i / 3 FROM generate_series(1, 30) i;
INSERT INTO sale (pid, g, v, p) SELECT i % 35, i % 6, i % 17, i FROM generate_series(1, 150) i;
INSERT INTO reading SELECT i % 6, i % 9, i % 5 FROM generate_series(1, 80) i;
"""

# {mode} stands in the names of the views that a view reads: each mode has its own.
VIEWS = {
    "sums": "SELECT g, count(*) AS n, sum(v) AS s, avg(p) AS a FROM sale GROUP BY g",
    "extremes": "SELECT g, min(v) AS lo, max(v) AS hi FROM sale GROUP BY g",
    "lines": "SELECT s.id, s.v, p.kind, r.name FROM sale s JOIN person p ON p.id = s.pid JOIN region r ON r.id = p.rid",
    "kinds": "SELECT p.kind, count(*) AS n, sum(s.v) AS s FROM sale s JOIN person p ON p.id = s.pid GROUP BY p.kind",
    "chain": "SELECT n, count(*) AS kinds FROM kinds_{mode} GROUP BY n",
    "diamond": "SELECT p.id, k.n FROM person p JOIN kinds_{mode} k ON k.kind = p.kind",
    "outer_": "SELECT p.id, p.kind, s.v FROM person p LEFT JOIN sale s ON s.pid = p.id",
    "idle": "SELECT id, kind FROM person p WHERE NOT EXISTS (SELECT 1 FROM sale s WHERE s.pid = p.id)",
    "different": "SELECT DISTINCT pid, g FROM sale",
    "top_": "SELECT id, v FROM sale ORDER BY v DESC, id LIMIT 5",
    "ranks": "SELECT id, g, row_number() OVER (PARTITION BY g ORDER BY v, id) AS place FROM sale",
    "names_": "SELECT kind, string_agg(id::text, ',' ORDER BY id) AS ids FROM person GROUP BY kind",
    "parts": "SELECT k, day, count(*) AS n, max(v) AS hi FROM reading GROUP BY k, day",
    "both": "SELECT g AS k, v FROM sale UNION ALL SELECT k, v FROM reading",
    "below": "WITH RECURSIVE t(id) AS (SELECT id FROM person WHERE id = 1 UNION SELECT p.id FROM person p JOIN t ON "
    "p.boss = t.id) SELECT id FROM t",
    "whole": f"SELECT id, rank() OVER (ORDER BY v, id) AS place FROM sale WHERE {NOT_KEPT}",
    "on_whole": "SELECT place % 5 AS rest, count(*) AS n FROM whole_{mode} GROUP BY 1",
}
PARENTS = {"chain": "kinds", "diamond": "kinds", "on_whole": "whole"}
FULL = frozenset({"whole"})  # refreshed in full in every mode

# What transactions that meet each other may always end in, without any fault.
ORDINARY = frozenset({"40001", "40P01", "23503", "23505"})
# What a client is told, or not told, when its server or its session is ended.
LOST = frozenset({"", "57P01", "57P02", "57P03", "57P05", "08006"})

# An ordinary error to the server (where it isn't its log), without a SQLSTATE of its own.
TOO_LARGE = os.strerror(errno.EFBIG)

LEVELS = ("READ COMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


def statement(rng: random.Random) -> str:
    """One write, mostly small; some by several events, to several tables, or to all rows."""
    sale, person, region, key = rng.randrange(1, 250), rng.randrange(1, 40), rng.randrange(1, 8), rng.randrange(7)
    return rng.choice((
        f"INSERT INTO sale (pid, g, v, p) VALUES ({person}, {key}, {rng.randrange(18)}, {sale})",
        f"INSERT INTO sale (pid, g, v, p) SELECT i, i % 7, i % 17, i FROM generate_series({person}, {person + 20}) i",
        f"UPDATE sale SET v = {rng.randrange(18)} WHERE id = {sale}",
        f"UPDATE sale SET g = {key}, pid = {person} WHERE id % 40 = {sale % 40}",
        f"DELETE FROM sale WHERE id % 20 = {sale % 20}",
        f"DELETE FROM sale WHERE g = {key} AND v = (SELECT max(v) FROM sale WHERE g = {key})",
        f"UPDATE sale SET note = 'x' WHERE id = {sale}",
        f"UPDATE person SET kind = 'k{key}' WHERE id = {person}",
        f"UPDATE person SET rid = {region}, boss = {person // 4} WHERE id % 10 = {person % 10}",
        f"INSERT INTO person VALUES ({person}, {region}, 'k1', {person // 2}) ON CONFLICT (id) DO UPDATE SET "
        f"kind = 'k{key}', boss = {person // 3}",
        f"DELETE FROM person WHERE id = {person}",
        f"WITH x AS (UPDATE person SET kind = 'k2' WHERE id = {person}) INSERT INTO sale (pid, g, v) VALUES "
        f"({person}, {key}, 3)",
        f"DELETE FROM region WHERE id = {region}",
        f"INSERT INTO region VALUES ({region}, 'r{key}') ON CONFLICT (id) DO UPDATE SET name = 'r{key}'",
        f"INSERT INTO reading SELECT i, {key}, i FROM generate_series(0, 6) i",
        f"UPDATE reading SET k = {(key + 2) % 7}, v = v + 1 WHERE k = {key} AND day < 4",
        f"DELETE FROM reading WHERE day = {key}",
        *(["TRUNCATE reading_2"] if sale % 8 == 0 else []),
    ))  # fmt: skip


def transaction(rng: random.Random) -> list[str]:
    """The statements of a transaction: one to four writes, now and then in a savepoint, or given up in the end."""
    script = [f"BEGIN ISOLATION LEVEL {rng.choice(LEVELS)}"]
    for _ in range(rng.randint(1, 4)):
        one = statement(rng)
        if rng.random() < 0.3:
            end = rng.choice(("RELEASE s", "ROLLBACK TO s"))
            script += ["SAVEPOINT s", one, end]
        else:
            script.append(one)
    return [*script, "ROLLBACK" if rng.random() < 0.1 else "COMMIT"]


class Writer(threading.Thread):
    """A session that writes until it is told to stop or loses its server; `states` counts how transactions ended."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], seed: str, again: bool = False) -> None:
        super().__init__(daemon=True)
        self.connect, self.rng, self.again = connect, random.Random(seed), again
        self.stop = threading.Event()
        self.states: Counter[str] = Counter()
        self.pid = 0
        self.lost = False
        self.broken: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                self.lost = False
                with self.connect() as session:
                    self.pid = session.info.backend_pid
                    while not self.stop.is_set() and not self.lost:
                        self._transaction(session)
                if self.lost and not self.again:
                    return
        except psycopg.OperationalError:
            self.lost = True  # it couldn't even connect
        except BaseException as error:  # noqa: BLE001 -- told by the one who waits for it
            self.broken = error

    def _transaction(self, session: psycopg.Connection[Any]) -> None:
        try:
            for one in transaction(self.rng):
                session.execute(one)
            self.states["ok"] += 1
        except psycopg.Error as error:
            self.states["EFBIG" if TOO_LARGE in str(error) else error.sqlstate or ""] += 1
            try:
                session.execute("ROLLBACK")
            except psycopg.OperationalError:
                self.lost = True

    @property
    def done(self) -> int:
        return self.states["ok"]


@contextmanager
def writing(
    connect: Callable[[], psycopg.Connection[Any]], rng: random.Random, sessions: int = 3, again: bool = False
) -> Iterator[list[Writer]]:
    """Sessions that write while the block runs; each has ended a transaction before it begins, well or not."""
    writers = [Writer(connect, f"{rng.random()} {number}", again) for number in range(sessions)]
    for writer in writers:
        writer.start()
    try:
        until(lambda: all(writer.states or not writer.is_alive() for writer in writers))
        yield writers
    finally:
        for writer in writers:
            writer.stop.set()
        for writer in writers:
            writer.join(60)
    for writer in writers:
        assert not writer.is_alive(), "a writer hangs"
        if writer.broken:
            raise writer.broken


def states(writers: list[Writer]) -> Counter[str]:
    """How all their transactions ended: SQLSTATEs, "" for a lost connection, "ok"."""
    return sum((writer.states for writer in writers), Counter())


def until(condition: Callable[[], bool], seconds: float = 30, why: str = "waited in vain") -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, why
        time.sleep(0.003)
