"""Functions, operators, types and tables that others put where names are looked up: none is picked up by what runs in
the database with the owner's rights, or for who refreshes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection

import django_ivm

from .area import Area

TABLES = """
CREATE TABLE parent (id int PRIMARY KEY, grp varchar(10), at timestamptz);
CREATE TABLE child (id int PRIMARY KEY, pid smallint, v numeric(8,2), t text); CREATE INDEX ON child (pid);
INSERT INTO parent VALUES (1, 'a', '2024-01-01'), (2, 'b', NULL);
INSERT INTO child SELECT i, i % 2 + 1, i, 't' || i FROM generate_series(1, 10) i;
"""
VIEWS = {
    "sums": "SELECT pid, count(*) AS n, sum(v) AS s, max(t) AS top, avg(v) AS m FROM child GROUP BY pid",
    "joined": "SELECT c.id, p.grp, c.v, p.at FROM child c JOIN parent p ON p.id = c.pid WHERE c.v > 0",
    "bag": "SELECT c.v, p.grp FROM child c LEFT JOIN parent p ON p.id = c.pid",
    "best": "SELECT id, v FROM child ORDER BY v DESC, id LIMIT 3",
    "listed": "SELECT pid, string_agg(t, ',' ORDER BY t) AS ts FROM child GROUP BY pid",
    "ranks": "SELECT id, rank() OVER (PARTITION BY pid ORDER BY v, id) AS place FROM child",
    "chain": "SELECT n, count(*) AS k FROM sums GROUP BY n",
}
TYPES = ("name", "text", "varchar", '"char"', "oid", "int2", "int4", "int8", "regclass", "jsonb", "json", "bool",
         "numeric", "xid8", "timestamptz", "text[]", "int8[]", "name[]")  # fmt: skip
OPERATORS = ("=", "<>", "||", "<", ">", "+", "->>", "~", "?")
FUNCTIONS = (
    "format", "concat", "concat_ws", "quote_ident", "quote_literal", "to_regclass", "current_setting", "set_config",
    "hashtextextended", "split_part", "starts_with", "lower", "left", "md5", "array_position", "unnest", "cardinality",
    "jsonb_array_elements", "obj_description", "pg_get_viewdef", "pg_total_relation_size", "pg_relation_size",
    "has_table_privilege", "pg_get_serial_sequence", "nextval", "setval", "greatest", "abs", "length", "strpos",
    "pg_advisory_xact_lock", "pg_snapshot_xmax", "pg_snapshot_xip", "statement_timestamp", "pg_current_xact_id",
)  # fmt: skip
AGGREGATES = ("count", "sum", "max", "min", "array_agg", "string_agg", "bool_or")


def planted(schema: str) -> str:
    """Statements that plant everything that PostgreSQL would prefer to its own for some types of arguments."""
    found = [f"CREATE TABLE {schema}.{name} (id int)" for name in ("view", "stale", "log", "cursor", "pg_class")]
    body = "LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'planted % ran', '{what}'; END$$"
    for left, right in itertools.product(TYPES, TYPES):
        for n, operator in enumerate(OPERATORS):
            returns = "text" if operator in ("||", "->>", "+") else "bool"
            what = f"{left} {operator} {right}".replace('"', "")
            found.append(
                f"CREATE FUNCTION {schema}.op{n}({left}, {right}) RETURNS {returns} {body.format(what=what)}; "
                f"CREATE OPERATOR {schema}.{operator} (leftarg = {left}, rightarg = {right}, function = {schema}.op{n})"
            )
    for name in FUNCTIONS:
        for types in ((), *((t,) for t in TYPES), *itertools.product(TYPES[:5], TYPES[:8])):
            arguments = ", ".join(types)
            what = f"{name}({arguments})".replace('"', "")
            found.append(f"CREATE FUNCTION {schema}.{name}({arguments}) RETURNS text {body.format(what=what)}")
    for name, type_ in itertools.product(AGGREGATES, TYPES):
        found.append(
            f"CREATE FUNCTION {schema}.{name}_step(text, {type_}) RETURNS text {body.format(what=name)}; "
            f"CREATE AGGREGATE {schema}.{name}({type_}) (sfunc = {schema}.{name}_step, stype = text)"
        )
    return ";\n".join(found)


@pytest.fixture(scope="module")
def schema(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA planted; " + planted("planted"))
        yield
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA planted CASCADE")


@pytest.fixture
def plants(schema: None, area: Area) -> Area:
    area.run(TABLES)
    return area


@pytest.mark.parametrize("mode", ["immediate", "commit", "deferred", "manual"])
@pytest.mark.parametrize("first", [False, True], ids=["behind PostgreSQL's own", "before PostgreSQL's own"])
def test_nothing_planted_runs(plants: Area, mode: str, first: bool) -> None:
    """By a write, a commit, a drain, a refresh, a cleaning, a question for what is pending: whatever the path of who
    causes it."""
    area, s = plants, plants.schema
    for name, query in VIEWS.items():
        area.view(name, query, mode=mode)
    with area.connect() as session:
        session.execute(f"SET search_path = {'planted, pg_temp, pg_catalog' if first else 'planted'}")
        session.execute(f"INSERT INTO {s}.child VALUES (100, 1::int2, 50, 'x'::text)")
        session.execute(f"UPDATE {s}.parent SET grp = 'z'::varchar WHERE id OPERATOR(pg_catalog.=) 1")
        session.execute(
            f"WITH x AS (DELETE FROM {s}.parent WHERE id OPERATOR(pg_catalog.=) 2) "
            f"UPDATE {s}.child SET v = 3.5 WHERE id OPERATOR(pg_catalog.<) 4"
        )
        refresh(area, session, mode)
        session.execute(f"TRUNCATE {s}.child")
        session.execute(f"INSERT INTO {s}.child VALUES (100, 1::int2, 50, 'x'::text), (101, 2::int2, 60, 'y'::text)")
        refresh(area, session, mode)
    area.check()


def refresh(area: Area, session: psycopg.Connection, mode: str) -> None:
    """What refresh() calls in the database, by a session whose path isn't ours."""
    for name in VIEWS:
        view = area.installed(name)
        called = f"django_ivm.pending_rows('{area.schema}'::text, '{name}'::text)"
        session.execute(f"SELECT {called}")
        if mode == "deferred":
            session.execute(f"SELECT * FROM django_ivm.drain('{area.schema}'::text, '{name}'::text, ''::text)")
        for function in view.replaces if mode == "manual" else ():
            session.execute(f"SELECT * FROM {function}")
    for (log,) in area.run("SELECT log FROM django_ivm.log"):
        session.execute(f"SELECT django_ivm.clean('{log}'::text)")


def test_a_path_with_our_names(plants: Area) -> None:
    """Somebody's tables `view`, `stale` and `pg_class` before ours: for who asks, verifies and refreshes."""
    area = plants
    area.run("CREATE SCHEMA named; CREATE TABLE named.view (x int)")
    try:
        for name in ("stale", "log", "cursor", "reader", "pending", "child", "sums"):
            area.run(f"CREATE TABLE named.{name} (x int)")
        for name, query in VIEWS.items():
            area.view(name, query, mode="deferred")
        area.run("INSERT INTO child VALUES (100, 1, 50, 'x')")
        area.run(f"SET search_path = named, {area.schema}")
        for name in VIEWS:
            view = django_ivm.View(name, schema=area.schema)
            assert view.refresh().strategy == "incremental"
            assert view.is_fresh()
            assert view.verify().ok
            assert view.status().rows is not None
    finally:
        area.enter()
        area.run("DROP SCHEMA named CASCADE")
    area.check()
