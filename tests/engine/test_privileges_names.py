"""Names that would break out of SQL, plpgsql or Python's formatting, if any of it were put together without quoting."""

from __future__ import annotations

import pytest
from django.db import connection
from psycopg import sql

import django_ivm
from django_ivm.engine import install as installer
from django_ivm.engine.spec import ViewSpec

from .area import Area

NAMES = {
    "quotes": """it's "quoted" '' \"\" """,
    "injection": """x"; DROP TABLE victim; --""",
    "literal injection": """x'); DROP TABLE victim; --""",
    "dollar tags": "$ivm_body$ $ivm_q$ $$ $1",
    "percent": "100% %s %(x)s %I %L %%",
    "braces": "{t} {0} {{}} {hole!r}",
    "newlines": "two\nlines\r\n-- and\ta comment /* ",
    "backslashes": "\\' \\\\ E'\\n' \\x00",
    "longest": "n" * 63,
    "longest of several bytes": "é" * 31,
    "keyword": "select",
    "a variable": "tg_op",
    "brackets and dots": "a.b[1](c)",
    "space": " ",
    "emoji": "😀 Ώ",
}
QUERIES = {
    "sums": "SELECT {g}, count(*) AS n, sum({v}) AS s, max({v}) AS {top} FROM {s}.{child} GROUP BY {g}",
    "joined": "SELECT c.{id}, p.{g} AS {top}, c.{v} FROM {s}.{child} c JOIN {s}.{parent} p ON p.{id} = c.{g}",
    "bag": "SELECT c.{v}, p.{g} AS {top} FROM {s}.{child} c LEFT JOIN {s}.{parent} p ON p.{id} = c.{g}",
    "best": "SELECT {id}, {v} FROM {s}.{child} ORDER BY {v} DESC, {id} LIMIT 3",
    "ranked": "SELECT {id}, rank() OVER (PARTITION BY {g} ORDER BY {v}, {id}) AS {top} FROM {s}.{child}",
}


def cut(name: str) -> str:
    """As much as fits in a name, for one that is made of another."""
    return name.encode()[:63].decode(errors="ignore")


class Named:
    """Two tables in a schema, whose names and columns' names are all made of one."""

    def __init__(self, area: Area, name: str) -> None:
        self.area = area
        parts = {"s": name, "child": cut("1" + name), "parent": name, "top": cut("2" + name)}
        parts |= {"id": cut("3" + name), "g": name, "v": cut("4" + name)}
        self.names = parts
        self.run("CREATE SCHEMA {s}")
        self.run("CREATE TABLE {s}.{parent} ({id} int PRIMARY KEY, {g} text)")
        self.run("CREATE TABLE {s}.{child} ({id} int PRIMARY KEY, {g} int, {v} int)")
        self.run("CREATE INDEX ON {s}.{child} ({g})")
        self.run("INSERT INTO {s}.{parent} VALUES (1, 'a'), (2, 'b')")
        self.run("INSERT INTO {s}.{child} SELECT i, i % 2 + 1, i FROM generate_series(1, 10) i")

    def sql(self, text: str) -> str:
        return sql.SQL(text).format(**{k: sql.Identifier(v) for k, v in self.names.items()}).as_string(None)

    def run(self, text: str) -> None:
        self.area.run(self.sql(text))


@pytest.mark.parametrize("number", range(len(NAMES)), ids=list(NAMES))
def test_every_name(area: Area, number: int) -> None:
    """With three of the five views each, so that all of them meet every mode."""
    name = list(NAMES.values())[number]
    area.run("CREATE TABLE victim (id int)")
    named = Named(area, name)
    schema = name
    kinds = [list(QUERIES)[(number + i) % len(QUERIES)] for i in range(3)]
    modes = dict(zip(kinds, ("immediate", "commit", "deferred"), strict=True))
    views = {}
    try:
        for i, (kind, mode) in enumerate(modes.items()):
            view = cut(f"v{i}{name}")
            query = named.sql(QUERIES[kind])
            installer.install(
                ViewSpec(name=view, sql=query, schema=schema, strategy="incremental", mode=mode), connection
            )
            views[view] = query
        named.run("INSERT INTO {s}.{child} VALUES (50, 1, 7), (51, NULL, 8)")
        named.run("WITH x AS (UPDATE {s}.{parent} SET {g} = 'z' WHERE {id} = 1) UPDATE {s}.{child} SET {v} = {v} + 1")
        named.run("DELETE FROM {s}.{child} WHERE {id} < 4")
        for view, query in views.items():
            handle = django_ivm.View(view, schema=schema)
            handle.refresh()
            compare(area, schema, view, query)
            assert handle.verify().ok
            assert handle.is_fresh()
            assert handle.status().rows is not None
        assert str(handle.explain())
        named.run("TRUNCATE {s}.{child}")
        for view, query in views.items():
            handle = django_ivm.View(view, schema=schema)
            handle.refresh(full=True)
            compare(area, schema, view, query)
            with pytest.raises(Exception, match="takes no direct"):
                area.run(sql.SQL("DELETE FROM {}").format(sql.Identifier(schema, view)).as_string(None))
    finally:
        for view in reversed(views):
            installer.uninstall(view, connection, schema=schema)
        named.run("DROP SCHEMA {s} CASCADE")
    assert area.value("SELECT count(*) FROM victim") == 0


def compare(area: Area, schema: str, view: str, query: str) -> None:
    table = sql.Identifier(schema, view).as_string(None)
    for one, other in ((f"({query})", table), (table, f"({query})")):
        rows = f"SELECT ivm_row::text FROM {one} ivm_row EXCEPT ALL SELECT ivm_row::text FROM {other} ivm_row"
        assert area.run(rows) == [], view
