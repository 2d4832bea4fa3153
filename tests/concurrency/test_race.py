"""Many sessions at once over views of all kinds, at mixed isolation levels; in the end every view is exact.

DJANGO_IVM_RACE_SECONDS makes it longer, DJANGO_IVM_SEED makes it another one. What each session does follows from the
seed; how they meet does not.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter

import psycopg
import pytest

from tests.engine.area import Area

from .stepping import LEVELS, RETRYABLE

SECONDS = float(os.environ.get("DJANGO_IVM_RACE_SECONDS", "8"))
WRITERS = 8

SCHEMA = """
CREATE TABLE region (id int PRIMARY KEY, name text, note text);
CREATE TABLE person (id int PRIMARY KEY, rid int REFERENCES region DEFERRABLE INITIALLY DEFERRED, kind text, note text);
CREATE TABLE sale (id bigserial PRIMARY KEY, pid int, g int, v int, p numeric(10, 2), f float8, note text);
CREATE TABLE loose (k int, v int, tag text);
CREATE TABLE side (k int, name text);
CREATE INDEX ON person (rid); CREATE INDEX ON sale (pid); CREATE INDEX ON sale (g, v);
CREATE INDEX ON loose (k); CREATE INDEX ON side (k);
INSERT INTO region SELECT i, 'r' || i % 3, '' FROM generate_series(1, 5) i;
INSERT INTO person SELECT i, i % 5 + 1, 'k' || i % 4, '' FROM generate_series(1, 25) i;
INSERT INTO sale (pid, g, v, p, f) SELECT i % 30, i % 6, i % 17, i, i / 4.0 FROM generate_series(1, 150) i;
INSERT INTO loose SELECT i % 9, i % 4, 't' || i % 5 FROM generate_series(1, 60) i;
INSERT INTO side SELECT i % 9, 'n' || i % 3 FROM generate_series(1, 20) i;
"""
VIEWS = {
    "sums": "SELECT g, count(*) AS n, sum(v) AS s, avg(p) AS a FROM sale GROUP BY g",
    "extremes": "SELECT g, min(v) AS lo, max(v) AS hi, sum(f) AS f FROM sale GROUP BY g",
    "kinds": "SELECT p.kind, count(*) AS n, max(s.v) AS hi FROM sale s JOIN person p ON p.id = s.pid GROUP BY p.kind",
    "lines": "SELECT s.id, s.v, p.kind, r.name FROM sale s JOIN person p ON p.id = s.pid JOIN region r ON r.id = p.rid",
    "folk": "SELECT p.id, p.kind, r.name FROM person p JOIN region r ON r.id = p.rid",
    "bag": "SELECT k, v FROM loose",
    "loosely": "SELECT l.v, s.name FROM loose l JOIN side s ON s.k = l.k",
    "different": "SELECT DISTINCT pid, g FROM sale",
    "pairs": "SELECT a.id AS a, b.id AS b FROM person a JOIN person b ON a.kind = b.kind AND a.id < b.id",
    "levels": "SELECT n, count(*) AS groups FROM (SELECT pid, count(*) AS n FROM sale GROUP BY pid) q GROUP BY n",
    "top": "SELECT id, v FROM sale ORDER BY v DESC, id LIMIT 5",
    "either": "SELECT v FROM sale UNION SELECT v FROM loose",
    "together": "SELECT g AS k, v FROM sale UNION ALL SELECT k, v FROM loose",
    "frequent": "SELECT g, sum(v) AS s FROM sale GROUP BY g HAVING count(*) > 20",
    "everything": "SELECT count(*) AS n, sum(v) AS s, max(v) AS hi FROM sale",
}
CHAINED = {
    "chain": "SELECT n, count(*) AS kinds FROM kinds GROUP BY n",
    "diamond": "SELECT f.id, k.n FROM folk f JOIN kinds k ON k.kind = f.kind",
}
# A table that is read by itself and through what is made of it, or at the end of a chain of keys.
FOLDED = {
    "shares": "SELECT s.id, s.v, t.total FROM sale s JOIN (SELECT g, sum(v) AS total FROM sale GROUP BY g) t ON t.g = s.g",
    "above": "SELECT id, v FROM sale WHERE v > (SELECT avg(v) FROM sale)",
    "largest": "SELECT s.id, s.g FROM sale s JOIN (SELECT pid, max(v) AS v FROM sale GROUP BY pid) m "
    "ON m.pid = s.pid AND m.v = s.v",
    "regional": "SELECT r.name, count(*) AS n FROM sale s JOIN person p ON p.id = s.pid JOIN region r ON r.id = p.rid "
    "GROUP BY r.name",
}
SETS = (
    ("sums", "extremes", "bag", "top"),
    ("lines",),
    ("folk", "loosely"),
    ("pairs", "different", "levels"),
    ("kinds", "folk", "chain"),
    ("either", "together", "frequent", "everything"),
    ("kinds", "folk", "diamond"),
    ("shares", "regional"),
    ("above", "largest", "lines"),
    (*VIEWS, "chain"),
)


def statement(rng: random.Random, wide: bool = True) -> str:
    """One write of the shop, mostly small; `wide`: maybe by several events or to several tables at once."""
    sale, person, region, key = rng.randrange(1, 200), rng.randrange(1, 30), rng.randrange(1, 6), rng.randrange(9)
    several = (
        f"INSERT INTO person VALUES ({person}, {region}, 'k1', '') ON CONFLICT (id) DO UPDATE SET kind = "
        f"'k{person % 5}'",
        f"WITH x AS (UPDATE person SET kind = 'k2' WHERE id = {person}) INSERT INTO sale (pid, g, v) "
        f"VALUES ({person}, 1, 1)",
    )
    return rng.choice((
        *(several if wide else ()),
        f"INSERT INTO sale (pid, g, v, p, f) VALUES ({person}, {rng.randrange(7)}, {rng.randrange(18)}, "
        f"{sale}, {sale / 4})",
        f"INSERT INTO sale (pid, g, v, p, f) SELECT i, i % 7, i % 17, i, i FROM generate_series({person}, "
        f"{person + 2}) i",
        f"UPDATE sale SET v = {rng.randrange(18)} WHERE id = {sale}",
        f"UPDATE sale SET g = {rng.randrange(7)}, pid = {person} WHERE id % 50 = {sale % 50}",
        f"DELETE FROM sale WHERE id IN ({sale}, {sale + 7})",
        f"DELETE FROM sale WHERE v = (SELECT max(v) FROM sale) AND g = {sale % 7}",
        f"UPDATE sale SET note = 'x' WHERE id = {sale}",
        f"UPDATE person SET kind = 'k{rng.randrange(5)}' WHERE id = {person}",
        f"UPDATE person SET rid = {region} WHERE id = {person}",
        f"INSERT INTO person VALUES ({person + 100}, {region}, 'k1', '')",
        f"DELETE FROM person WHERE id IN ({person}, {person + 100})",
        f"UPDATE region SET name = 'r{rng.randrange(4)}' WHERE id = {region}",
        f"UPDATE region SET note = 'x' WHERE id = {region}",
        f"INSERT INTO loose VALUES ({key}, {rng.randrange(4)}, 't')",
        f"DELETE FROM loose WHERE ctid = (SELECT ctid FROM loose WHERE k = {key} LIMIT 1)",
        f"UPDATE loose SET v = {rng.randrange(4)} WHERE k = {key} AND tag = 't{rng.randrange(5)}'",
        f"INSERT INTO side VALUES ({key}, 'n{rng.randrange(3)}')",
        f"DELETE FROM side WHERE ctid = (SELECT ctid FROM side WHERE k = {key} LIMIT 1)",
        f"UPDATE side SET name = 'n{rng.randrange(3)}' WHERE k = {key}",
    ))  # fmt: skip


class Writer(threading.Thread):
    """One session that writes until told to stop, and retries what may be retried."""

    def __init__(self, session: psycopg.Connection, rng: random.Random, end: float, statements: int) -> None:
        super().__init__()
        self.session, self.rng, self.end, self.statements = session, rng, end, statements
        self.counts: Counter[str] = Counter()
        self.broken: BaseException | None = None

    def run(self) -> None:
        try:
            while time.monotonic() < self.end:
                self.transaction()
        except BaseException as error:  # noqa: BLE001 -- told by the main thread
            self.broken = error

    def transaction(self) -> None:
        level = self.rng.choice(LEVELS)
        script = [statement(self.rng, self.statements > 1) for _ in range(self.rng.randint(1, self.statements))]
        in_savepoint, give_up = self.rng.random() < 0.3, self.rng.random() < 0.1
        for _ in range(20):
            try:
                self.session.execute(f"BEGIN ISOLATION LEVEL {level}")
                for one in script:
                    if in_savepoint:
                        self.session.execute(f"SAVEPOINT s; {one}; RELEASE s")
                    else:
                        self.session.execute(one)
                self.session.execute("ROLLBACK" if give_up else "COMMIT")
                self.counts[f"{level.lower()} ok"] += 1
                return
            except psycopg.Error as error:
                self.session.execute("ROLLBACK")
                self.counts[f"{level.lower()} {error.sqlstate}"] += 1
                if error.sqlstate not in (*RETRYABLE, "23503", "23505"):
                    raise
                if error.sqlstate not in RETRYABLE:
                    return


@pytest.mark.parametrize("statements", [1, 3], ids=["single statements", "several statements"])
@pytest.mark.parametrize("views", SETS, ids=lambda views: "-".join(views) if len(views) < 9 else "all")
def test_race(area: Area, rng: random.Random, views: tuple[str, ...], statements: int) -> None:
    area.run(SCHEMA)
    for name, query in (VIEWS | CHAINED | FOLDED).items():
        if name in views:
            area.view(name, query)
    area.forbid_recompute()
    end = time.monotonic() + SECONDS / len(SETS) / 2
    writers = [Writer(area.connect(), random.Random(rng.random()), end, statements) for _ in range(WRITERS)]
    for writer in writers:
        writer.session.execute("SET deadlock_timeout = '100ms'; SET lock_timeout = '20s'")
        writer.start()
    for writer in writers:
        writer.join(SECONDS + 60)
    counts = sum((writer.counts for writer in writers), Counter())
    print(f"{' '.join(views)}, {statements}: {dict(sorted(counts.items()))}")
    assert [writer.broken for writer in writers if writer.broken] == []
    area.check()
    assert sum(n for name, n in counts.items() if name.endswith("ok")) >= WRITERS
    if statements == 1 and "diamond" not in views:
        # Writers of a diamond's two sides take its levels' locks in two orders, as `explain` says.
        deadlocks = sum(n for name, n in counts.items() if name.endswith("40P01"))
        assert not deadlocks, f"{deadlocks} deadlocks between transactions of one statement: {counts}"
