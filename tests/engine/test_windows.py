"""Windows, DISTINCT ON, LIMIT and set operations under random writes: every view equals its query after each one."""

from __future__ import annotations

import random

import pytest

from tests.engine.area import Area

TABLES = """
CREATE TABLE item (id int PRIMARY KEY, g int, h text, v int, w numeric(8,2), at date);
CREATE TABLE kind (g int PRIMARY KEY, name text, top boolean);
CREATE TABLE bag (g int, h text, v int);
CREATE INDEX ON item (g);
"""
PARTITIONED = {
    "ranks": "SELECT id, g, rank() OVER (PARTITION BY g ORDER BY v) AS r, dense_rank() OVER w AS d, percent_rank() OVER w "
    "AS p, cume_dist() OVER w AS c FROM item WINDOW w AS (PARTITION BY g ORDER BY v)",
    "numbers": "SELECT id, row_number() OVER (PARTITION BY h ORDER BY v DESC NULLS LAST, id) AS n, ntile(3) OVER "
    "(PARTITION BY h ORDER BY id) AS t, lag(v, 1, 0) OVER (PARTITION BY h ORDER BY at, id) AS before, "
    "lead(v) OVER (PARTITION BY h ORDER BY at, id) AS after FROM item",
    "running": "SELECT id, sum(v) OVER (PARTITION BY g, h ORDER BY at) AS total, sum(w) OVER (PARTITION BY g, h ORDER BY id "
    "ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS near, avg(v) OVER (PARTITION BY g, h) AS mean, count(*) FILTER "
    "(WHERE v > 2) OVER (PARTITION BY g, h ORDER BY v GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) "
    "AS many FROM item",
    "ends": "SELECT id, first_value(v) OVER w AS f, last_value(id) OVER w AS l, nth_value(v, 2) OVER (w RANGE BETWEEN "
    "UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS s, first_value(v) OVER (PARTITION BY g ORDER BY v) AS least "
    "FROM item WINDOW w AS (PARTITION BY g ORDER BY at, id)",
    "range_": "SELECT id, count(*) OVER (PARTITION BY g ORDER BY at RANGE BETWEEN '3 days' PRECEDING AND '1 day' FOLLOWING "
    "EXCLUDE CURRENT ROW) AS n, max(v) OVER (PARTITION BY g ORDER BY v RANGE 2 PRECEDING) AS m FROM item",
    "two_sets": "SELECT id, rank() OVER (PARTITION BY g ORDER BY v) AS a, rank() OVER (PARTITION BY h ORDER BY v) AS b, "
    "sum(v) OVER (PARTITION BY g) AS s FROM item",
    "expressions": "SELECT id, sum(v + 1) OVER (PARTITION BY g % 2, upper(h) ORDER BY v / 2 DESC) AS s FROM item",
    "joined": "SELECT i.id, k.name, sum(i.v) OVER (PARTITION BY k.name ORDER BY i.id) AS s FROM item i JOIN kind k "
    "ON k.g = i.g",
    "grouped": "SELECT g, h, count(*) AS n, sum(count(*)) OVER (PARTITION BY g) AS all_, rank() OVER (PARTITION BY g ORDER BY "
    "sum(v) DESC NULLS LAST) AS r FROM item GROUP BY g, h",
    "nested": "SELECT id, r FROM (SELECT id, g, rank() OVER (PARTITION BY g ORDER BY v) AS r FROM item) x WHERE r <= 2",
    "per_key": "SELECT k.name, x.id FROM kind k JOIN (SELECT id, g, row_number() OVER (PARTITION BY g ORDER BY v, id) AS n "
    "FROM item) x ON x.g = k.g WHERE x.n = 1",
    "above": "SELECT r, count(*) AS n FROM (SELECT rank() OVER (PARTITION BY g ORDER BY v) AS r FROM item) x GROUP BY r",
    "bags": "SELECT g, h, v, sum(v) OVER (PARTITION BY g) AS s, rank() OVER (PARTITION BY g ORDER BY v) AS r FROM bag",
    "alike": "SELECT g, v, row_number() OVER (PARTITION BY g ORDER BY v) AS n FROM bag",
    "stacked": "SELECT id, s - lag(s) OVER (PARTITION BY g ORDER BY id) AS d FROM (SELECT id, g, sum(v) OVER (PARTITION BY g "
    "ORDER BY id) AS s FROM item) x",
    "first_": "SELECT DISTINCT ON (g) g, id, v FROM item ORDER BY g, v DESC NULLS LAST, id",
    "first_of_two": "SELECT DISTINCT ON (h, g % 2) id, w FROM item ORDER BY h, g % 2, id DESC",
    "first_joined": "SELECT DISTINCT ON (k.name) k.name, i.id FROM item i JOIN kind k ON k.g = i.g ORDER BY k.name, i.id",
    "first_alike": "SELECT DISTINCT ON (g) g, v FROM item ORDER BY g, v",
    "first_grouped": "SELECT DISTINCT ON (g) g, h, count(*) AS n FROM item GROUP BY g, h ORDER BY g, count(*) DESC, h",
    "once": "SELECT DISTINCT g, count(*) OVER (PARTITION BY g) AS n FROM item",
}
WHOLE = {
    "all_": "SELECT id, rank() OVER (ORDER BY v DESC) AS r, sum(v) OVER () AS s FROM item",
    "mixed": "SELECT id, rank() OVER (PARTITION BY g ORDER BY v) AS r, rank() OVER (ORDER BY v) AS q FROM item",
    "shares": "SELECT g, count(*) AS n, sum(count(*)) OVER () AS all_ FROM item GROUP BY g",
    "whole_bag": "SELECT v, row_number() OVER (ORDER BY v) AS n FROM bag",
    "some_of_equal": "SELECT v FROM bag ORDER BY v LIMIT 3 OFFSET 1",
}
LIMITS = {
    "top": "SELECT id, v FROM item ORDER BY v DESC NULLS LAST, id LIMIT 4",
    "inside": "SELECT k.name, x.id FROM (SELECT id, g FROM item ORDER BY v, id LIMIT 5) x JOIN kind k ON k.g = x.g",
    "counted": "SELECT g, count(*) AS n FROM (SELECT g FROM item ORDER BY at DESC NULLS LAST, id LIMIT 6 OFFSET 1) x GROUP BY g",
    "tied": "SELECT id, v FROM item ORDER BY v DESC NULLS LAST FETCH FIRST 3 ROWS WITH TIES",
    "tied_inside": "SELECT count(*) AS n FROM (SELECT id FROM item ORDER BY v FETCH FIRST 2 ROWS WITH TIES) x",
    "values_": "SELECT v FROM item ORDER BY v LIMIT 5",
    "of_one": "SELECT max(v) AS m FROM item ORDER BY 1 LIMIT 1",
    "branch": "(SELECT id FROM item ORDER BY v, id LIMIT 2) UNION ALL (SELECT g FROM kind ORDER BY g DESC LIMIT 1)",
    "top_of_groups": "SELECT g, n FROM (SELECT g, count(*) AS n FROM item GROUP BY g ORDER BY count(*) DESC, g LIMIT 2) x",
    "no_limit": "SELECT id FROM (SELECT id FROM item ORDER BY v LIMIT ALL) x",
    "tied_bag": "SELECT g, v FROM bag ORDER BY v FETCH FIRST 2 ROWS WITH TIES",
}
SETS = {
    "both": "SELECT g, h FROM item INTERSECT SELECT g, h FROM bag",
    "both_all": "SELECT g, v FROM item INTERSECT ALL SELECT g, v FROM bag",
    "less": "SELECT g FROM kind EXCEPT SELECT g FROM item",
    "less_all": "SELECT v FROM item EXCEPT ALL SELECT v FROM bag",
    "chain": "SELECT g FROM item EXCEPT SELECT g FROM kind EXCEPT SELECT g FROM bag",
    "chain_all": "SELECT v FROM item EXCEPT ALL SELECT v FROM bag EXCEPT ALL SELECT g FROM kind",
    "three": "SELECT g FROM item INTERSECT ALL SELECT g FROM bag INTERSECT ALL SELECT g FROM kind",
    "mixed_ops": "SELECT g FROM item EXCEPT (SELECT g FROM bag INTERSECT SELECT g FROM kind)",
    "union_of": "SELECT g FROM item UNION SELECT g FROM kind UNION SELECT v FROM bag",
    "typed": "SELECT g::bigint AS x FROM item INTERSECT SELECT v FROM bag",
    "same_table": "SELECT g FROM item WHERE v > 2 EXCEPT SELECT g FROM item WHERE v < 2",
    "counted_": "SELECT count(*) AS n FROM (SELECT g FROM item INTERSECT SELECT v FROM bag) x",
    "joined_sets": "SELECT a.g AS a, b.g AS b FROM (SELECT g FROM item EXCEPT SELECT v FROM bag) a JOIN (SELECT g FROM kind "
    "INTERSECT SELECT g FROM item) b ON a.g = b.g",
}


def _writes(rng: random.Random) -> str:
    """A statement, now and then one that writes many rows or several tables."""

    def some(of: str, nulls: float = 0.15) -> str:
        return "NULL" if rng.random() < nulls else of

    def g() -> str:
        return some(str(rng.randrange(5)))

    def v() -> str:
        return some(str(rng.randrange(6)))

    def h() -> str:
        return some(f"'{rng.choice('aAbB')}'")

    def item(id_: int) -> str:
        at = some(f"date '2024-01-0{rng.randrange(1, 8)}'")
        return f"({id_}, {g()}, {h()}, {v()}, {some(str(rng.randrange(900) / 100))}, {at})"

    some_id = rng.randrange(30)
    return rng.choice(
        [
            f"INSERT INTO item VALUES {item(some_id)} ON CONFLICT (id) DO UPDATE SET v = excluded.v, g = excluded.g",
            f"INSERT INTO item SELECT i, i % 7, 'x', i % 4 FROM generate_series({some_id + 40}, {some_id + 80}) i "
            "ON CONFLICT DO NOTHING",
            f"UPDATE item SET g = {g()} WHERE id % 5 = {rng.randrange(5)}",
            f"UPDATE item SET v = {v()}, h = {h()} WHERE id = {some_id}",
            f"UPDATE item SET at = at + 1 WHERE g = {rng.randrange(5)}",
            f"DELETE FROM item WHERE id % 6 = {rng.randrange(6)}",
            "DELETE FROM item WHERE id >= 40",
            f"INSERT INTO kind VALUES ({rng.randrange(6)}, {h()}, true) ON CONFLICT (g) DO UPDATE SET name = "
            "excluded.name",
            f"DELETE FROM kind WHERE g = {rng.randrange(6)}",
            f"INSERT INTO bag VALUES ({g()}, {h()}, {v()}), ({g()}, {h()}, {v()})",
            f"INSERT INTO bag SELECT g, h, v FROM bag WHERE v = {rng.randrange(6)} LIMIT 5",
            f"DELETE FROM bag WHERE g = {rng.randrange(5)}",
            f"UPDATE bag SET v = {v()} WHERE g IS NOT DISTINCT FROM {g()}",
            f"WITH x AS (UPDATE bag SET v = {v()} WHERE h = 'a') UPDATE item SET g = {g()}, v = v + 1 WHERE id < 8",
            f"WITH x AS (DELETE FROM kind WHERE g = 1), y AS (INSERT INTO kind VALUES (9, 'a', false) ON CONFLICT DO "
            f"NOTHING) INSERT INTO item VALUES {item(some_id + 100)} ON CONFLICT DO NOTHING",
            rng.choice(
                ["TRUNCATE bag", "TRUNCATE item, kind", "DELETE FROM bag"]
                + [f"DELETE FROM item WHERE id = {some_id}"] * 6
            ),
        ]
    )


@pytest.mark.parametrize("views", [PARTITIONED, WHOLE, LIMITS, SETS], ids=["partitioned", "whole", "limits", "sets"])
def test_random_writes(area: Area, views: dict[str, str], rng: random.Random) -> None:
    area.run(TABLES)
    area.run("INSERT INTO item SELECT i, i % 5, CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'B' END, i % 4, i / 4.0 FROM "
             "generate_series(1, 20) i")  # fmt: skip
    area.run("INSERT INTO kind SELECT i, chr(97 + i % 2), true FROM generate_series(0, 3) i")
    area.run("INSERT INTO bag SELECT i % 4, 'a', i % 3 FROM generate_series(1, 15) i")
    for name, query in views.items():
        area.view(name, query)
    area.check()
    for _ in range(60):
        area.step(_writes(rng))
