"""Where windows, DISTINCT ON and LIMIT may stand, and what a partition's key may be."""

from __future__ import annotations

import random

from tests.engine.area import Area

KEYS = """
CREATE TYPE mood AS ENUM ('bad', 'ok', 'good');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN pos AS int CHECK (VALUE > 0);
CREATE DOMAIN given AS int NOT NULL CHECK (VALUE > 0);
CREATE DOMAIN several AS int[];
CREATE TABLE odd (id int PRIMARY KEY, m mood, p pair, d pos, dn given, da several, r int4range, c char(3), n numeric,
    f float8, iv interval, b bytea, j jsonb, ts timestamptz, tsa timestamptz[], "Weird ""col" text, ivm_w int,
    bit bit(3), mo money, u uuid, ci text COLLATE "C");
INSERT INTO odd SELECT i, (ARRAY['bad','ok',NULL]::mood[])[i % 3 + 1], CASE WHEN i % 2 = 0 THEN
    ROW(i % 3, 'x,"y')::pair END, i % 4 + 1, i % 3 + 1, ARRAY[i % 2, NULL], int4range(i % 3, 5), 'a',
    (i % 2)::numeric(5,2), i % 3 - 1, i % 2 * interval '1 mon', decode('0' || i % 3, 'hex'), to_jsonb(i % 2),
    '2024-01-01Z', ARRAY['2024-01-01Z'::timestamptz], 'it''s', i % 3, (i % 4)::bit(3), i % 3,
    '00000000-0000-0000-0000-000000000000', 'q' FROM generate_series(1, 12) i;
INSERT INTO odd (id, dn) VALUES (100, 1);
"""


def _columns() -> list[str]:
    plain = [
        "m",
        "p",
        "d",
        "dn",
        "da",
        "r",
        "c",
        "n",
        "f",
        "iv",
        "b",
        "j",
        "ts",
        "tsa",
        "ivm_w",
        "bit",
        "mo",
        "u",
        "ci",
    ]
    return [*plain, '"Weird ""col"']


def test_keys_of_every_type(area: Area) -> None:
    area.run(KEYS)
    columns = _columns()
    for i, column in enumerate(columns):
        area.view(
            f"by_{i}",
            f"SELECT id, count(*) OVER (PARTITION BY {column}) AS n, rank() OVER (PARTITION BY {column} ORDER BY id) AS r "
            "FROM odd",
        )
    area.view("by_all", f"SELECT id, count(*) OVER (PARTITION BY {', '.join(columns)}) AS n FROM odd")
    area.view(
        "quoted",
        'SELECT id AS "Id", rank() OVER (PARTITION BY "Weird ""col" ORDER BY ivm_w) AS "Sel ""x", ivm_w AS w FROM odd',
    )
    copied = ", ".join([*_columns()[:14], '"Weird ""col"', *_columns()[14:19]])
    rng = random.Random(3)
    # Keys are kept as text between two statements, which no setting of the writer's may change.
    area.run(
        "SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Kolkata'; SET extra_float_digits = 0; "
        "SET IntervalStyle = 'sql_standard'"
    )
    try:
        for k in range(40):
            column, one, other = rng.choice(columns), rng.randrange(1, 13), rng.randrange(1, 13)
            copy = f"(SELECT {column} FROM odd WHERE id = {other})"
            area.step(
                rng.choice(
                    [
                        f"UPDATE odd SET {column} = coalesce({copy}, {column}) WHERE id = {one}",
                        f"INSERT INTO odd SELECT id + {1000 + k * 100}, {copied} FROM odd WHERE id < 5",
                        f"DELETE FROM odd WHERE id > {rng.randrange(5, 3000)}",
                        "UPDATE odd SET n = 1.0, f = '-0' WHERE id % 3 = 1",
                        "UPDATE odd SET n = 1.000, f = 0 WHERE id % 3 = 2",
                        "UPDATE odd SET f = 'NaN', n = 'NaN', iv = '30 days', p = ROW(NULL, NULL) WHERE id % 4 = 2",
                        "UPDATE odd SET da = NULL, tsa = '{}', m = NULL WHERE id % 4 = 1",
                    ]
                )
            )
    finally:
        area.run("RESET ALL")
        area.enter()


TABLES = """
CREATE TABLE t (id int PRIMARY KEY, g int, v int, tags int[]);
CREATE TABLE p (id int PRIMARY KEY, up int REFERENCES p ON DELETE SET NULL ON UPDATE CASCADE, v int);
CREATE TABLE part (id int, g int, v int, PRIMARY KEY (id, g)) PARTITION BY LIST (g);
CREATE TABLE part1 PARTITION OF part FOR VALUES IN (0, 1);
CREATE TABLE part2 PARTITION OF part DEFAULT;
INSERT INTO t SELECT i, i % 3, i % 4, ARRAY[i % 2, i % 3] FROM generate_series(1, 9) i;
INSERT INTO part SELECT i, i % 3, i % 4 FROM generate_series(1, 9) i;
INSERT INTO p VALUES (1, NULL, 1), (2, 1, 2), (3, 1, 3), (4, 2, 4);
CREATE AGGREGATE addup(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
"""
SHAPES = {
    "constant": "SELECT id, count(*) OVER (PARTITION BY 1) AS n FROM t",
    "by_all": "SELECT id, count(*) OVER (PARTITION BY id, g, v) AS n FROM t",
    "own_aggregate": "SELECT id, addup(v) OVER (PARTITION BY g ORDER BY id) AS s FROM t",
    "lists": "SELECT id, array_agg(v) OVER (PARTITION BY g ORDER BY id) AS a, string_agg(v::text, ',') OVER "
    "(PARTITION BY g ORDER BY v, id) AS s FROM t",
    "beside_a_set": "SELECT id, unnest(tags) AS tag, count(*) OVER (PARTITION BY g) AS n FROM t",
    "over_a_set": "SELECT id, tag, count(*) OVER (PARTITION BY tag) AS n FROM t, unnest(tags) AS tag",
    "over_rollup": "SELECT g, v, count(*) AS n, rank() OVER (PARTITION BY grouping(g, v) ORDER BY count(*)) AS r, "
    "CASE WHEN g > 0 THEN sum(count(*) + 1) OVER (PARTITION BY g) ELSE max(v + 1) OVER (PARTITION BY v ORDER BY g, "
    "grouping(g)) END AS x FROM t GROUP BY ROLLUP (g, v)",
    "twice": "WITH w AS (SELECT id, g, rank() OVER (PARTITION BY g ORDER BY v) AS r FROM t) SELECT a.id AS a, b.id AS b "
    "FROM w a JOIN w b ON a.r = b.r AND a.g < b.g",
    "to_order_by": "SELECT id, v FROM t ORDER BY rank() OVER (PARTITION BY g ORDER BY v), id LIMIT 3",
    "within": "SELECT id, CASE WHEN rank() OVER (PARTITION BY g ORDER BY v) = 1 THEN 'first' ELSE coalesce(lag(v) OVER "
    "(PARTITION BY g ORDER BY id), 0)::text END AS x FROM t",
    "partitioned": "SELECT id, g, rank() OVER (PARTITION BY g ORDER BY v) AS r FROM part",
    "tree": "SELECT id, up, sum(v) OVER (PARTITION BY up) AS s FROM p",
    "over_union": "SELECT g, v, rank() OVER (PARTITION BY g ORDER BY v) AS r FROM (SELECT g, v FROM t UNION ALL "
    "SELECT g, v FROM part) x",
    "over_outer": "SELECT t.id, p.id AS pid, sum(p.v) OVER (PARTITION BY t.g) AS s FROM t LEFT JOIN p ON p.id = t.v",
    "over_semi": "SELECT id, count(*) OVER (PARTITION BY g) AS n FROM t WHERE EXISTS (SELECT 1 FROM p WHERE p.id = t.v)",
    "in_subquery": "SELECT id FROM p WHERE v IN (SELECT max(v) OVER (PARTITION BY g) FROM t)",
    "lateral_limit": "SELECT p.id, x.id AS tid FROM p CROSS JOIN LATERAL (SELECT id FROM t WHERE t.g = p.v ORDER BY t.v "
    "DESC, id LIMIT 2) x",
    "first_scalar": "SELECT p.id, (SELECT t.id FROM t WHERE t.g = p.v ORDER BY t.v, t.id LIMIT 1) AS x FROM p",
    "of_scalar": "SELECT id, sum((SELECT max(v) FROM p) + v) OVER (PARTITION BY g) AS s FROM t",
    "by_exists": "SELECT id, count(*) OVER (PARTITION BY EXISTS (SELECT 1 FROM p WHERE p.id = t.g)) AS n FROM t",
    "over_values": "SELECT x, rank() OVER (PARTITION BY y ORDER BY x) AS r FROM (VALUES (1, 2), (3, 2), (NULL, 1)) v(x, y) "
    "JOIN t ON t.id = v.x",
    "once": "SELECT DISTINCT g, rank() OVER (PARTITION BY g ORDER BY v) AS r FROM t",
    "having": "SELECT g, sum(v) AS s, sum(sum(v)) OVER (ORDER BY g) AS run FROM t GROUP BY g HAVING count(*) > 1",
    "named": "SELECT g, count(*) AS n, rank() OVER w AS r FROM t GROUP BY g WINDOW w AS (ORDER BY count(*))",
    "less_first": "SELECT id FROM t EXCEPT SELECT first_value(id) OVER (PARTITION BY g ORDER BY v, id) FROM t",
    "first_of_first": "SELECT DISTINCT ON (v) v, g FROM (SELECT DISTINCT ON (g) g, v FROM t ORDER BY g, id) x ORDER BY v, g",
    "first_and_window": "SELECT DISTINCT ON (coalesce(g, 0)) id, count(*) OVER (PARTITION BY g) AS n FROM t "
    "ORDER BY coalesce(g, 0), v DESC NULLS FIRST, id",
    "some_first": "SELECT DISTINCT ON (g) g, id FROM t ORDER BY g, v, id LIMIT 2",
    "first_alike": "SELECT DISTINCT ON (g, v) g, v FROM t",
}


def _write(rng: random.Random, k: int) -> str:
    return rng.choice(
        [
            f"UPDATE t SET g = {rng.choice(['NULL', '0', '1', '2', '4'])} WHERE id % 3 = {rng.randrange(3)}",
            f"UPDATE t SET v = {rng.randrange(5)} WHERE id = {rng.randrange(9)}",
            f"INSERT INTO t VALUES ({100 + k}, {rng.randrange(4)}, {rng.randrange(4)}, '{{1,2,NULL}}')",
            f"DELETE FROM t WHERE id = {rng.randrange(12)}",
            f"UPDATE part SET g = {rng.randrange(4)} WHERE id = {rng.randrange(9)}",
            f"INSERT INTO part1 VALUES ({200 + k}, 1, {rng.randrange(4)})",
            f"DELETE FROM part2 WHERE v = {rng.randrange(4)}",
            f"DELETE FROM p WHERE id = {rng.randrange(6)}",
            f"UPDATE p SET id = id + 10 WHERE id = {rng.randrange(1, 5)}",
            f"INSERT INTO p VALUES ({300 + k}, NULL, {rng.randrange(4)})",
            f"INSERT INTO p VALUES ({rng.randrange(1, 5)}, NULL, 3) ON CONFLICT (id) DO UPDATE SET v = excluded.v",
            f"UPDATE p SET v = {rng.randrange(5)} WHERE id = {rng.randrange(5)}",
            "TRUNCATE part1",
            "WITH a AS (DELETE FROM t WHERE id = 5), b AS (UPDATE p SET v = 2 WHERE id = 2) "
            f"INSERT INTO part VALUES ({500 + k}, 2, 2)",
        ]
    )


def test_every_place(area: Area, rng: random.Random) -> None:
    area.run(TABLES)
    for name, query in SHAPES.items():
        area.view(name, query)
    area.check()
    for k in range(40):
        area.step(_write(rng, k))
