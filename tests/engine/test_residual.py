"""The residual read: stored rows with what is pending added equal the query after every step, without any drain."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import DataError, ProgrammingError, connection

import django_ivm
from django_ivm.engine import install, residual

from .area import Area

TABLES = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE a (
    id int PRIMARY KEY, k int, g text, v int, x float8, p numeric, t timestamptz, d interval, j jsonb, m mood, r int4range
);
CREATE TABLE b (id int PRIMARY KEY, k int, n text, y numeric(12, 2));
CREATE INDEX ON a (k, v); CREATE INDEX ON b (k);
"""
# Every kind of store and of rule that has a residual read.
QUERIES = {
    "sums": "SELECT g, count(*) AS n, sum(v) AS s, avg(v) AS m, bool_or(v > 3) AS o, stddev(v) AS d FROM a GROUP BY g",
    "joined_sums": "SELECT b.n, a.m, count(*) AS c, sum(b.y) AS s FROM a JOIN b USING (k) GROUP BY b.n, a.m",
    "extremes": "SELECT k, max(v) AS m, min(x) AS x, count(*) AS n FROM a GROUP BY k",
    "members": "SELECT k, array_agg(v ORDER BY id) AS l, sum(v) AS s FROM a WHERE v <> 2 GROUP BY k",
    "whole": "SELECT count(*) AS n, sum(v) AS s, avg(v) AS m FROM a",
    "whole_join": "SELECT count(*) AS n, sum(a.v * b.y) AS s FROM a, b WHERE a.k = b.k",
    "keyed": "SELECT id, v * 2 AS w, p, x, t, d, j, r FROM a WHERE v IS DISTINCT FROM 3",
    "keyed_join": "SELECT a.id, b.id AS bid, a.x, b.y, a.t FROM a JOIN b ON b.k = a.k AND b.y > a.v",
    "outer": "SELECT a.id, b.id AS bid, b.n FROM a LEFT JOIN b ON b.k = a.k",
    "full_join": "SELECT a.id, b.id AS bid, a.g, b.n FROM a FULL JOIN b ON b.k = a.k",
    "semi": "SELECT id, g FROM a WHERE EXISTS (SELECT FROM b WHERE b.k = a.k AND b.y > 1)",
    "anti": "SELECT id, g FROM a WHERE NOT EXISTS (SELECT FROM b WHERE b.k = a.k)",
    "self_join": "SELECT one.id, other.id AS oid FROM a one JOIN a other ON one.k = other.v",
    "both": "SELECT k, n AS g FROM b UNION ALL SELECT k, g FROM a WHERE v > 1",
    "lists": "SELECT a.id, e.e FROM a, unnest(ARRAY[a.v, a.k]) AS e(e)",
}
REFUSED = {
    "extremes": ("SELECT g, max(v) AS m FROM a GROUP BY g", "no index finds"),
    "lists": ("SELECT g, array_agg(v ORDER BY id) AS l FROM a GROUP BY g", "array_agg"),
    "whole_extremes": ("SELECT max(v) AS m, count(*) AS n FROM a", "over all rows"),
    "spellings": ("SELECT p, count(*) AS n FROM a GROUP BY p", "equal values of p"),
    "levels": ("SELECT n, count(*) AS m FROM (SELECT k, count(*) AS n FROM a GROUP BY k) z GROUP BY n", "2 levels"),
    "ranks": ("SELECT id, rank() OVER (PARTITION BY g ORDER BY id) AS r FROM a", "computes what changes anew"),
    "top": ("SELECT id, v FROM a ORDER BY v, id LIMIT 3", "2 levels"),
    "days": ("SELECT date_trunc('day', t) AS d, count(*) AS n FROM a GROUP BY 1", "TimeZone"),
    "chained": ("SELECT n, count(*) AS m FROM plain GROUP BY n", "reads the view"),
}


@pytest.fixture
def tables(area: Area) -> Area:
    area.run(TABLES)
    return area


def differences(area: Area, names: Any, session: Any = None) -> dict[str, list[Any]]:
    """Views whose residual read differs from the query, with the rows, text by text."""
    found = {}
    for name in names:
        relation = residual.table_of(area.installed(name))
        assert relation is not None, f"{name}: {area.installed(name).objects['no_residual']}"
        statement = (
            f"WITH wanted AS MATERIALIZED (SELECT z::text AS r FROM ({area.queries[name]}) z), "
            f"seen AS MATERIALIZED (SELECT z::text AS r FROM {relation} z) "
            "(SELECT 'missing', r FROM wanted EXCEPT ALL SELECT 'missing', r FROM seen) UNION ALL "
            "(SELECT 'unexpected', r FROM seen EXCEPT ALL SELECT 'unexpected', r FROM wanted) LIMIT 10"
        )
        rows = area.run(statement) if session is None else session.execute(statement).fetchall()
        if rows:
            found[name] = rows
    return found


def poison(area: Area, *names: str) -> None:
    """From now on a residual read that answers by the whole query raises."""
    for name in names:
        query = f"SELECT z.* FROM ({area.queries[name]}) z WHERE (SELECT 'asked'::text OFFSET 0)::boolean"
        area.run(f"CREATE OR REPLACE VIEW django_ivm.{area.installed(name).definition_view} AS {query}")


VALUES = {
    "k": [None, *range(5)],
    "g": ["'a'", "'b'", "'é'", "''", None],
    "v": [None, *range(6)],
    "x": ["0.1", "0.30000000000000004", "0.3", "'-0'", "'NaN'", "'Infinity'", None],
    "p": ["1.0", "1.00", "2", "'NaN'", None],
    "t": ["'2024-10-27 00:30Z'", "'2024-10-27 01:30Z'", "'infinity'", None],
    "d": ["'1 month'", "'30 days'", "'720 hours'", None],
    "j": ["""'{"a": 1.0}'""", """'{"a": 1.00}'""", "'null'", None],
    "m": ["'sad'", "'glad'", None],
    "r": ["'[1,3)'", "'empty'", None],
    "n": ["'x'", "'y'", None],
    "y": ["1.50", "2.25", "0", None],
}
COLUMNS = {"a": ["k", "g", "v", "x", "p", "t", "d", "j", "m", "r"], "b": ["k", "n", "y"]}


def statements(rng: random.Random) -> Iterator[str]:
    """Random writes."""

    def value(column: str) -> str:
        chosen = rng.choice(VALUES[column])
        return "NULL" if chosen is None else str(chosen)

    def row(table: str, number: int) -> str:
        return f"({number}, {', '.join(value(column) for column in COLUMNS[table])})"

    number = 0
    while True:
        table = rng.choice(["a", "a", "b"])
        some = f"id % {rng.randint(2, 7)} = {rng.randint(0, 2)}"
        kind = rng.choice(["insert", "insert", "insert", "update", "update", "delete", "same", "all", "both", "cte"])
        if kind == "insert":
            count = rng.choice([1, 1, 2, 6])
            yield f"INSERT INTO {table} VALUES " + ", ".join(row(table, number + i) for i in range(count))
            number += count
        elif kind == "update":
            column = rng.choice(COLUMNS[table])
            yield f"UPDATE {table} SET {column} = {value(column)} WHERE {some}"
        elif kind == "delete":
            yield f"DELETE FROM {table} WHERE {some}"
        elif kind == "same":
            yield f"UPDATE {table} SET k = k WHERE {some}"
        elif kind == "all":
            yield f"UPDATE {table} SET id = -id - 1 WHERE id < 0; UPDATE {table} SET k = k + 1 WHERE k < 5"
        elif kind == "both":
            yield f"DELETE FROM a WHERE {some}; INSERT INTO b VALUES {row('b', number)}"
            number += 1
        else:
            yield (
                f"WITH gone AS (DELETE FROM b WHERE {some} RETURNING id, k) "
                "UPDATE a SET v = a.v + 1, g = 'moved' FROM gone WHERE gone.k = a.k"
            )


def test_equals_the_query_after_every_step(tables: Area, rng: random.Random) -> None:
    writes = statements(rng)
    for _ in range(12):
        tables.run(next(writes))
    for name, query in QUERIES.items():
        tables.view(name, query, mode="deferred")
    poison(tables, *QUERIES)
    # Settings that make different values look alike, and the same values look different.
    odd = tables.connect()
    odd.execute("SET extra_float_digits = -15; SET datestyle = 'SQL, DMY'; SET timezone = 'Europe/Paris'")
    done = []
    for step in range(25):
        if rng.random() < 0.1:
            tables.run("DELETE FROM a")
        done.append(next(writes))
        tables.run(done[-1])
        chosen = rng.sample(list(QUERIES), 4) if step % 8 else list(QUERIES)
        assert not differences(tables, chosen), done
        counts = {name: tables.value(f"SELECT count(*) FROM ({QUERIES[name]}) z") for name in chosen}
        for name in chosen:
            found = odd.execute(f"SELECT count(*) FROM {residual.table_of(tables.installed(name))}").fetchone()[0]
            assert found == counts[name], (name, done)
        if rng.random() < 0.15:
            for name in rng.sample(list(QUERIES), 4):
                django_ivm.get_view(name).refresh()
    for name in QUERIES:
        django_ivm.get_view(name).refresh()
    tables.check()
    assert not differences(tables, QUERIES)


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_at_every_level_while_others_write_and_drain(tables: Area, rng: random.Random, level: str) -> None:
    names = ("sums", "keyed", "both", "self_join", "whole_join")
    for name in names:
        tables.view(name, QUERIES[name], mode="deferred")
    poison(tables, *names)
    reader, writer, flying = tables.connect(), tables.connect(), tables.connect(autocommit=False)
    writes = statements(rng)
    for _ in range(8):
        writer.execute(next(writes))
    # A transaction in flight, of which others see nothing; its number is older than all that follow.
    flying.execute("INSERT INTO a (id, k, v, g) VALUES (100000, 1, 2, 'flying')")
    done = []
    for _ in range(4):
        reader.execute(f"BEGIN ISOLATION LEVEL {level}")
        assert not differences(tables, names, reader), done
        for _ in range(3):
            done.append(next(writes))
            writer.execute(done[-1])
            if rng.random() < 0.5:
                django_ivm.get_view(rng.choice(names)).refresh()
            assert not differences(tables, names, reader), done
        reader.execute("ROLLBACK")
    flying.commit()
    assert not differences(tables, names)
    for name in names:
        django_ivm.get_view(name).refresh()
    tables.check()


def test_own_writes_before_and_after_a_drain_of_ones_own(tables: Area) -> None:
    names = ("sums", "keyed", "both")
    for name in names:
        tables.view(name, QUERIES[name], mode="deferred")
    poison(tables, *names)
    for level in ("READ COMMITTED", "REPEATABLE READ"):
        tables.run(f"BEGIN ISOLATION LEVEL {level}")
        tables.run("INSERT INTO a (id, k, g, v) VALUES (1, 1, 'a', 1), (2, 2, 'b', 2)")
        assert not differences(tables, names)
        tables.run("SELECT django_ivm.drain(%s, 'sums', '')", tables.schema)
        assert not differences(tables, names)
        tables.run("UPDATE a SET v = v + 1, g = 'c' WHERE id = 1")
        tables.run("SAVEPOINT s; DELETE FROM a; SELECT django_ivm.drain('" + tables.schema + "', 'both', '')")
        assert not differences(tables, names)
        tables.run("ROLLBACK TO s")
        assert not differences(tables, names)
        tables.run("COMMIT")
        assert not differences(tables, names)
        tables.run("DELETE FROM a")
    assert not differences(tables, names)


def test_where_no_rows_tell_it_answers_by_the_query(tables: Area) -> None:
    tables.run("INSERT INTO a (id, k, g, v) SELECT i, i % 3, 'g' || i % 4, i FROM generate_series(1, 20) i")
    view = tables.view("sums", QUERIES["sums"], mode="deferred")
    relation = view.residual_table
    for doubt in (
        "TRUNCATE a",
        "UPDATE django_ivm.cursor SET identity = 'elsewhere'",
        "UPDATE django_ivm.log SET identity = 'elsewhere'",
        "DELETE FROM django_ivm.cursor",
    ):
        tables.run("BEGIN")
        tables.run(doubt)
        tables.run("INSERT INTO a (id, k, g, v) VALUES (100, 1, 'new', 1)")
        assert not differences(tables, ["sums"]), doubt
        poison(tables, "sums")
        with pytest.raises(DataError, match="asked"):
            tables.run(f"SELECT * FROM {relation}")
        tables.run("ROLLBACK")
    poison(tables, "sums")
    assert not differences(tables, ["sums"])


def test_costs_no_more_than_what_is_pending(tables: Area) -> None:
    """The sources aren't read beyond the change; a reader's condition reaches the stored rows' index."""
    tables.run("INSERT INTO a (id, k, g, v) SELECT i, i % 2500, 'g' || i % 900, 0 FROM generate_series(1, 5000) i")
    tables.run("INSERT INTO b (id, k, n, y) SELECT i, i, 'n', 1 FROM generate_series(1, 5000) i")
    for name in ("sums", "keyed_join", "members"):
        tables.view(name, QUERIES[name], mode="deferred")
    tables.run("INSERT INTO a (id, k, g, v) VALUES (10000, 7, 'g7', 0); ANALYZE")
    for name, condition in (("sums", "g = 'g7'"), ("keyed_join", "id = 7 AND bid = 7"), ("members", "k = 7")):
        relation = residual.table_of(tables.installed(name))
        explain = f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT * FROM {relation} WHERE {condition}"
        plan = [line for (line,) in tables.run(explain) if "never executed" not in line]
        assert not [line for line in plan if "Seq Scan on a " in line or "Seq Scan on b " in line], "\n".join(plan)
        assert [line for line in plan if "Index" in line and "_key" in line], "\n".join(plan)


@pytest.mark.parametrize("name", REFUSED)
def test_where_the_plan_allows_none(tables: Area, name: str) -> None:
    query, why = REFUSED[name]
    tables.view("plain", "SELECT g, count(*) AS n FROM a GROUP BY g")
    view = tables.view(name, query, mode="deferred")
    assert view.residual_table is None
    assert why in view.explain().residual
    assert view.explain().residual.startswith("no: ")
    assert why in str(view.explain())


def test_it_comes_and_goes_with_the_mode(tables: Area) -> None:
    def there() -> int:
        return int(tables.value("SELECT count(*) FROM pg_views WHERE viewname LIKE '%%\\_residual'"))

    tables.view("sums", QUERIES["sums"])
    assert django_ivm.get_view("sums").residual_table is None
    assert django_ivm.get_view("sums").explain().residual == ""
    assert not there()
    for mode in ("deferred", "commit", "deferred", "immediate", "deferred"):
        django_ivm.create_view("sums", QUERIES["sums"], mode=mode, replace=True)
        assert there() == (mode == "deferred")
        tables.run("INSERT INTO a (id, g) SELECT coalesce(max(id), 0) + 1, 'x' FROM a")
        if mode == "deferred":
            assert not differences(tables, ["sums"])
    other = tables.view("other", "SELECT k, g, count(*) AS n, sum(v) AS s FROM a GROUP BY k, g", mode="deferred")
    assert not differences(tables, ["sums", "other"])
    assert "yes" in other.explain().residual
    with connection.cursor() as cursor:
        assert residual.table_of(tables.installed("other")) == other.residual_table
        cursor.execute("SELECT count(*) FROM pg_views WHERE schemaname = 'django_ivm' AND viewname LIKE '%%_residual'")
        assert cursor.fetchone() == (2,)
    install.detach(tables.installed("other"), connection)
    assert other.residual_table is None
    django_ivm.drop_view("other")
    django_ivm.drop_view("sums")
    assert not there()


def test_who_may_read_it(tables: Area) -> None:
    """A granted role reads it without any right on the sources, the logs or our state; nobody else does."""
    view = tables.view("sums", QUERIES["sums"], mode="deferred")
    found, relation = tables.installed("sums"), view.residual_table
    reader, nobody = (f"{tables.schema}_{role}" for role in ("reader", "nobody"))
    tables.run(
        f"CREATE ROLE {reader}; CREATE ROLE {nobody}; GRANT USAGE ON SCHEMA {tables.schema} TO {reader}, {nobody}"
    )
    try:
        install.install(replace(found.spec, schema=tables.schema, grants=(reader,)), connection)
        tables.run("INSERT INTO a (id, g) VALUES (1, 'x')")
        tables.run(f"SET ROLE {reader}")
        assert tables.run(f"SELECT g, n FROM {relation}") == [("x", 1)]
        for table in ("django_ivm.cursor", "django_ivm.stale", "a"):
            assert denied(tables, f"SELECT * FROM {table}")
        tables.run(f"RESET ROLE; SET ROLE {nobody}")
        assert denied(tables, f"SELECT * FROM {relation}")
    finally:
        tables.run("RESET ROLE")
        django_ivm.drop_view("sums")
        tables.queries.clear()
        tables.run(f"DROP OWNED BY {reader}, {nobody}; DROP ROLE {reader}, {nobody}")


def denied(area: Area, statement: str) -> bool:
    try:
        area.run(statement)
    except ProgrammingError as error:
        return "permission denied" in str(error)
    return False
