"""The workload that looks for wrong rows: every kind of view and of write, on few rows that everybody wants.

It is no site's: transactions are drawn without regard for each other, half of them write several tables, most meet
others on the same rows and many end in a deadlock, with views and without. Its figures say how often the views add to
that, not how fast they are; `shop.py` is for that.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from .step import Copy, Step, maybe

SCHEMA = """
CREATE TABLE region (id int PRIMARY KEY, name text, note text);
CREATE TABLE person (id int PRIMARY KEY,
    rid int REFERENCES region ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, kind text, note text);
CREATE TABLE sale (id bigserial PRIMARY KEY,
    pid int REFERENCES person ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    g int, v int CHECK (v < 100), p numeric(10, 2), f float8, note text);
CREATE TABLE loose (k int, v int, tag text);
CREATE TABLE side (k int, name text);
CREATE TABLE stock (sku int PRIMARY KEY, qty int, shelf int);
CREATE TABLE node (id int PRIMARY KEY, up int, w int);
CREATE TABLE visit (day int, pid int, n int) PARTITION BY RANGE (day);
CREATE TABLE visit_low PARTITION OF visit FOR VALUES FROM (0) TO (5);
CREATE TABLE visit_high PARTITION OF visit FOR VALUES FROM (5) TO (10);
CREATE INDEX ON person (rid); CREATE INDEX ON sale (pid); CREATE INDEX ON sale (g, v);
CREATE INDEX ON loose (k); CREATE INDEX ON side (k); CREATE INDEX ON node (up); CREATE INDEX ON visit (pid);
CREATE INDEX ON stock (shelf);
INSERT INTO region SELECT i, 'r' || i % 3, '' FROM generate_series(1, 5) i;
INSERT INTO person SELECT i, i % 5 + 1, 'k' || i % 4, '' FROM generate_series(1, 30) i;
INSERT INTO sale (pid, g, v, p, f) SELECT i % 30 + 1, i % 6, i % 17, i, i / 4.0 FROM generate_series(1, 200) i;
INSERT INTO loose SELECT i % 9, i % 4, 't' || i % 5 FROM generate_series(1, 60) i;
INSERT INTO side SELECT i % 9, 'n' || i % 3 FROM generate_series(1, 20) i;
INSERT INTO stock SELECT i, i % 7, i % 4 FROM generate_series(1, 25) i;
INSERT INTO node SELECT i, i / 3, i % 5 FROM generate_series(1, 30) i; UPDATE node SET up = NULL WHERE up = 0;
INSERT INTO visit SELECT i % 10, i % 30 + 1, i % 4 FROM generate_series(1, 60) i;
"""

VIEWS = {
    "sums": "SELECT g, count(*) AS n, sum(v) AS s, avg(p) AS a FROM sale GROUP BY g",
    "extremes": "SELECT g, min(v) AS lo, max(v) AS hi, sum(f) AS f FROM sale GROUP BY g",
    "everything": "SELECT count(*) AS n, sum(v) AS s, max(v) AS hi FROM sale",
    "frequent": "SELECT g, sum(v) AS s FROM sale GROUP BY g HAVING count(*) > 20",
    "various": "SELECT pid, count(DISTINCT g) AS n, string_agg(v::text, ',' ORDER BY v, id) AS all_v FROM sale GROUP BY pid",
    "medians": "SELECT g, percentile_disc(0.5) WITHIN GROUP (ORDER BY v) AS m FROM sale GROUP BY g",
    "rolled": "SELECT g, pid, sum(v) AS s, count(*) AS n FROM sale GROUP BY ROLLUP (g, pid)",
    "levels": "SELECT n, count(*) AS groups FROM (SELECT pid, count(*) AS n FROM sale GROUP BY pid) q GROUP BY n",
    "shelves": "SELECT shelf, sum(qty) AS qty, max(qty) AS hi FROM stock GROUP BY shelf",
    "days": "SELECT day, sum(n) AS n, count(*) AS c FROM visit GROUP BY day",
    "bag": "SELECT k, v FROM loose",
    "different": "SELECT DISTINCT pid, g FROM sale",
    "kinds": "SELECT p.kind, count(*) AS n, max(s.v) AS hi FROM sale s JOIN person p ON p.id = s.pid GROUP BY p.kind",
    "lines": "SELECT s.id, s.v, p.kind, r.name FROM sale s JOIN person p ON p.id = s.pid JOIN region r ON r.id = p.rid",
    "folk": "SELECT p.id, p.kind, r.name FROM person p JOIN region r ON r.id = p.rid",
    "loosely": "SELECT l.v, s.name FROM loose l JOIN side s ON s.k = l.k",
    "pairs": "SELECT a.id AS a, b.id AS b FROM person a JOIN person b ON a.kind = b.kind AND a.id < b.id",
    "visitors": "SELECT v.day, p.kind, v.n FROM visit v JOIN person p ON p.id = v.pid",
    "left_lines": "SELECT p.id, p.kind, s.id AS sale, s.v FROM person p LEFT JOIN sale s ON s.pid = p.id",
    "left_sums": "SELECT r.id, r.name, count(p.id) AS n FROM region r LEFT JOIN person p ON p.rid = r.id GROUP BY r.id, r.name",
    "both": "SELECT l.k, l.v, s.name FROM loose l FULL JOIN side s ON s.k = l.k",
    "buyers": "SELECT id, kind FROM person p WHERE EXISTS (SELECT 1 FROM sale s WHERE s.pid = p.id AND s.v > 8)",
    "idle": "SELECT id, kind FROM person p WHERE NOT EXISTS (SELECT 1 FROM sale s WHERE s.pid = p.id AND s.v > 8)",
    "not_in": "SELECT k, v FROM loose WHERE k NOT IN (SELECT k FROM side)",
    "numbered": "SELECT id, pid, v, row_number() OVER (PARTITION BY pid ORDER BY v DESC, id) AS place FROM sale",
    "running": "SELECT id, g, v, sum(v) OVER (PARTITION BY g ORDER BY id) AS so_far FROM sale",
    "ranks": "SELECT sku, qty, rank() OVER (ORDER BY qty DESC) AS place FROM stock",
    "best": "SELECT DISTINCT ON (g) g, id, v FROM sale ORDER BY g, v DESC, id",
    "top": "SELECT id, v FROM sale ORDER BY v DESC, id LIMIT 5",
    "latest": "SELECT p.id, l.v FROM person p CROSS JOIN LATERAL (SELECT s.v FROM sale s WHERE s.pid = p.id "
    "ORDER BY s.id DESC LIMIT 1) l",
    "either": "SELECT v FROM sale UNION SELECT v FROM loose",
    "together": "SELECT g AS k, v FROM sale UNION ALL SELECT k, v FROM loose",
    "common": "SELECT k, v FROM loose INTERSECT ALL SELECT g, v FROM sale",
    "without": "SELECT k FROM loose EXCEPT SELECT k FROM side",
    "above": "SELECT sku, qty > (SELECT avg(qty) FROM stock) AS more FROM stock",
    "counted": "SELECT p.id, (SELECT count(*) FROM sale s WHERE s.pid = p.id) AS n FROM person p",
    "tree": "WITH RECURSIVE t AS (SELECT id, up FROM node WHERE up IS NULL UNION SELECT n.id, n.up FROM node n "
    "JOIN t ON n.up = t.id) SELECT id, up FROM t",
}
# Views that read views: (name, query, the views it reads).
DEPENDENT = {
    "chain": ("SELECT n, count(*) AS kinds FROM kinds GROUP BY n", ("kinds",)),
    "diamond": ("SELECT f.id, k.n FROM folk f JOIN kinds k ON k.kind = f.kind", ("folk", "kinds")),
    "top_kinds": ("SELECT kind, n FROM kinds ORDER BY n DESC, kind LIMIT 2", ("kinds",)),
    "crossed": ("SELECT s.g, s.n, b.id FROM sums s LEFT JOIN best b ON b.g = s.g", ("sums", "best")),
}


def one(rng: random.Random) -> str:
    """A statement of few rows."""
    sale, person, region, key = rng.randrange(1, 260), rng.randrange(1, 34), rng.randrange(1, 6), rng.randrange(9)
    sku, node, day = rng.randrange(1, 30), rng.randrange(1, 36), rng.randrange(10)
    return rng.choice((
        f"INSERT INTO sale (pid, g, v, p, f) VALUES ({person}, {rng.randrange(7)}, {rng.randrange(18)}, {sale}, {sale / 4})",
        f"INSERT INTO sale (pid, g, v, p, f) VALUES ({rng.randrange(1, 4)}, {rng.randrange(2)}, {rng.randrange(18)}, 1, 1)",
        f"INSERT INTO sale (pid, g, v) SELECT i, i % 7, i % 17 FROM generate_series({person}, {person + 2}) i WHERE i < 31",
        f"UPDATE sale SET v = {rng.randrange(18)} WHERE id = {sale}",
        f"UPDATE sale SET v = {rng.randrange(18)} WHERE id = {sale}",
        f"UPDATE sale SET g = {rng.randrange(7)}, pid = {person} WHERE id % 60 = {sale % 60}",
        f"UPDATE sale SET note = 'x' WHERE id = {sale}",
        f"DELETE FROM sale WHERE id IN ({sale}, {sale + 7})",
        f"DELETE FROM sale WHERE v = (SELECT max(v) FROM sale) AND g = {sale % 7}",
        f"DELETE FROM sale WHERE pid = {person} AND v > 12",
        f"UPDATE person SET kind = 'k{rng.randrange(5)}' WHERE id = {person}",
        f"UPDATE person SET rid = {region} WHERE id = {person}",
        f"UPDATE person SET note = 'x' WHERE id = {person}",
        f"UPDATE region SET name = 'r{rng.randrange(4)}' WHERE id = {region}",
        f"INSERT INTO loose VALUES ({key}, {rng.randrange(4)}, 't')",
        f"DELETE FROM loose WHERE ctid = (SELECT ctid FROM loose WHERE k = {key} LIMIT 1)",
        f"UPDATE loose SET v = {rng.randrange(4)} WHERE k = {key} AND tag = 't{rng.randrange(5)}'",
        f"INSERT INTO side VALUES ({rng.choice((key, key, key, 'NULL'))}, 'n{rng.randrange(3)}')",
        f"DELETE FROM side WHERE ctid = (SELECT ctid FROM side WHERE k = {key} LIMIT 1) OR k IS NULL",
        f"UPDATE side SET name = 'n{rng.randrange(3)}' WHERE k = {key}",
        f"UPDATE side SET k = {rng.randrange(9)} WHERE k = {key}",
        f"UPDATE stock SET qty = qty + {rng.randrange(-3, 4)} WHERE sku = {sku}",
        f"UPDATE stock SET shelf = {sku % 4} WHERE sku = {sku}",
        f"UPDATE node SET up = {rng.choice((node // 3, node // 2, 1, 'NULL'))} WHERE id = {node}",
        f"DELETE FROM node WHERE id = {node}",
        f"INSERT INTO visit VALUES ({day}, {person}, {rng.randrange(4)})",
        f"INSERT INTO visit_low VALUES ({day % 5}, {person}, {rng.randrange(4)})",
        f"UPDATE visit SET day = {day} WHERE pid = {person}",  # rows move to another partition
        f"DELETE FROM visit WHERE pid = {person} AND day <> {day}",
    ))  # fmt: skip


def merge(rng: random.Random) -> str:
    """Several events in one statement."""
    sku = rng.randrange(1, 28)
    return (
        f"MERGE INTO stock t USING (SELECT i, i % 4 AS shelf FROM generate_series({sku}, {sku + 3}) i) s ON t.sku = s.i "
        f"WHEN MATCHED AND t.qty > {rng.randrange(4, 9)} THEN DELETE WHEN MATCHED THEN UPDATE SET qty = t.qty + 1 "
        "WHEN NOT MATCHED THEN INSERT VALUES (s.i, 1, s.shelf)"
    )


def upsert(rng: random.Random) -> str:
    person, region, sku, node = rng.randrange(1, 34), rng.randrange(1, 7), rng.randrange(1, 30), rng.randrange(1, 36)
    return rng.choice((
        f"INSERT INTO person VALUES ({person}, {region % 5 + 1}, 'k1', '') ON CONFLICT (id) DO UPDATE SET kind = 'k{person % 5}'",
        f"INSERT INTO person SELECT i, 1, 'k3', '' FROM generate_series({person}, {person + 3}) i ON CONFLICT DO NOTHING",
        f"INSERT INTO region VALUES ({region}, 'r1', '') ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        f"INSERT INTO stock SELECT i, 2, i % 4 FROM generate_series({sku}, {sku + 4}) i "
        "ON CONFLICT (sku) DO UPDATE SET qty = stock.qty + excluded.qty",
        f"INSERT INTO node VALUES ({node}, {node // 3}, 1) ON CONFLICT (id) DO UPDATE SET up = excluded.up",
    ))  # fmt: skip


def several(rng: random.Random) -> str:
    """Writes of several tables in one statement, by modifying CTEs or by cascades."""
    person, key = rng.randrange(1, 34), rng.randrange(9)
    return rng.choice((
        f"WITH x AS (UPDATE person SET kind = 'k2' WHERE id = {person}) INSERT INTO sale (pid, g, v) VALUES ({person}, 1, 1)",
        f"WITH gone AS (DELETE FROM loose WHERE k = {key} AND v = 1 RETURNING k) INSERT INTO side SELECT k, 'n1' FROM gone",
        f"WITH a AS (UPDATE sale SET v = 3 WHERE pid = {person} RETURNING pid), b AS (UPDATE person SET kind = 'k0' WHERE "
        f"id = {person}) UPDATE region SET name = 'r2' WHERE id = {person % 5 + 1}",
        f"DELETE FROM person WHERE id IN ({person}, {person + 1})",
        f"DELETE FROM person WHERE id = {person}",
    ))  # fmt: skip


def bulk(rng: random.Random, truncates: bool) -> list[Step]:
    """Many rows; a list, as a bulk is often followed by another statement."""
    person, residue = rng.randrange(1, 30), rng.randrange(10)
    wide: list[list[Step]] = [
        [f"INSERT INTO sale (pid, g, v, p) SELECT {person}, i % 7, i % 19, i FROM generate_series(1, 60) i"],
        [f"UPDATE sale SET v = (v + 1) % 18 WHERE id % 10 = {residue}"],
        [f"DELETE FROM sale WHERE id % 6 = {residue % 6}"],
        [f"UPDATE person SET kind = 'k{residue % 5}' WHERE id % 5 = {residue % 5}"],
        [f"UPDATE stock SET qty = qty % 7 + 1 WHERE shelf = {residue % 4}"],
        [
            f"DELETE FROM region WHERE id = {residue % 5 + 1}",
            f"INSERT INTO region VALUES ({residue % 5 + 1}, 'r0', '')",
        ],
        [Copy("COPY sale (pid, g, v) FROM STDIN", "".join(f"{person}\t{i % 7}\t{i % 18}\n" for i in range(20)))],
        [Copy("COPY loose FROM STDIN", "".join(f"{i % 9}\t{residue % 4}\tt{i % 5}\n" for i in range(12)))],
        [f"DELETE FROM loose WHERE k % 3 = {residue % 3}"],
        [
            "INSERT INTO person SELECT i, i % 5 + 1, 'k' || i % 4, '' FROM generate_series(1, 30) i ON CONFLICT DO NOTHING"
        ],
        ["INSERT INTO region SELECT i, 'r' || i % 3, '' FROM generate_series(1, 5) i ON CONFLICT DO NOTHING"],
    ]
    if truncates and rng.random() < 0.3:
        table = rng.choice(("loose", "side", "sale", "stock", "visit", "visit_high", "node"))
        refill: dict[str, Step] = {
            "loose": "INSERT INTO loose SELECT i % 9, i % 4, 't' || i % 5 FROM generate_series(1, 40) i",
            "sale": "INSERT INTO sale (pid, g, v) SELECT id, id % 6, id % 17 FROM person",
            "stock": "INSERT INTO stock SELECT i, i % 7, i % 4 FROM generate_series(1, 20) i",
        }
        return [f"TRUNCATE {table}", *([refill[table]] if table in refill and rng.random() < 0.7 else [])]
    return rng.choice(wide)


def orphan(rng: random.Random) -> list[Step]:
    """A child before its parent, which the deferred foreign key allows."""
    person = rng.randrange(30, 40)
    child = f"INSERT INTO sale (pid, g, v) VALUES ({person}, {rng.randrange(7)}, {rng.randrange(18)})"
    return [child, f"INSERT INTO person VALUES ({person}, 1, 'k1', '') ON CONFLICT DO NOTHING"]


def by_hand(rng: random.Random) -> list[Step]:
    """A cascade as Django makes it, children first."""
    person = rng.randrange(1, 40)
    return [f"DELETE FROM sale WHERE pid IN ({person})", f"DELETE FROM person WHERE id IN ({person})"]


def refused(rng: random.Random) -> list[Step]:
    """A savepoint whose statements may fail after they have begun: a taken key, a value that is too high."""
    person, sale = rng.randrange(1, 34), rng.randrange(1, 260)
    return maybe(*rng.choice((
        (f"INSERT INTO person VALUES ({person}, 1, 'k4', '')",),
        (f"INSERT INTO stock VALUES ({person}, 1, 1)",),
        (f"UPDATE sale SET v = 5 WHERE id = {sale}", f"UPDATE sale SET v = v * 9 WHERE id BETWEEN {sale} AND {sale + 20}"),
        (f"INSERT INTO person VALUES ({person + 40}, 1, 'k4', ''), ({person}, 1, 'k4', '')",),
    )))  # fmt: skip


def undone(rng: random.Random) -> list[Step]:
    """Nested savepoints, one of them rolled back."""
    inner: list[Step] = ["SAVEPOINT inner_one", one(rng), rng.choice(("ROLLBACK TO inner_one", "RELEASE inner_one"))]
    end = rng.choice((["ROLLBACK TO outer_one", one(rng)], ["RELEASE outer_one"]))
    return ["SAVEPOINT outer_one", one(rng), *inner, *end]


_SCENES: tuple[tuple[int, Callable[[random.Random], list[Step]]], ...] = (
    (60, lambda rng: [one(rng)]),
    (7, lambda rng: [upsert(rng)]),
    (5, lambda rng: [merge(rng)]),
    (6, lambda rng: [several(rng)]),
    (4, orphan),
    (3, by_hand),
    (5, refused),
    (6, undone),
)


def transaction(rng: random.Random, truncates: bool = False) -> list[Step]:
    """Mostly one to four statements; sometimes a bulk; one in ten is rolled back by the client."""
    script: list[Step] = []
    if rng.random() < 0.06:
        script += bulk(rng, truncates)
    weights = [weight for weight, _ in _SCENES]
    for _ in range(rng.choice((0, 1)) if script else rng.choice((1, 1, 1, 2, 2, 3, 4))):
        script += rng.choices(_SCENES, weights)[0][1](rng)
    if rng.random() < 0.1:
        script.append("ROLLBACK")
    return script
