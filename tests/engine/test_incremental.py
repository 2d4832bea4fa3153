"""What "incremental" means: a write of one row scans no source, be it small or large."""

from __future__ import annotations

import pytest
from django.db import transaction

from .area import Area

SCHEMA = """
CREATE TABLE region (id int PRIMARY KEY, name text, note text);
CREATE TABLE person (id int PRIMARY KEY, rid int, kind int, note text);
CREATE TABLE sale (id bigint PRIMARY KEY, pid int, g int, v int, p numeric(10, 2), f float8, note text);
CREATE TABLE loose (k int, v int, tag text);
CREATE TABLE side (k int, name text);
CREATE INDEX ON person (rid); CREATE INDEX ON person (kind); CREATE INDEX ON sale (pid); CREATE INDEX ON sale (g, v);
CREATE INDEX ON loose (k); CREATE INDEX ON side (k); CREATE INDEX ON sale (f);
"""
TABLES = ("region", "person", "sale", "loose", "side")
VIEWS = {
    "sums": "SELECT g, count(*) AS n, sum(v) AS s, avg(p) AS a FROM sale GROUP BY g",
    "extremes": "SELECT g, min(v) AS lo, max(v) AS hi FROM sale GROUP BY g",
    "floats": "SELECT g, sum(f) AS f FROM sale GROUP BY g",
    "spelled": "SELECT f, count(*) AS n, max(v) AS hi FROM sale GROUP BY f",
    "listed": "SELECT g, string_agg(note, ',' ORDER BY id) AS notes, percentile_disc(0.5) WITHIN GROUP (ORDER BY v) AS m FROM "
    "sale GROUP BY g",
    "buyers": "SELECT g, count(DISTINCT pid) AS n, sum(DISTINCT pid) AS s FROM sale GROUP BY g",
    "rolled": "SELECT g, pid, count(*) AS n, grouping(pid) AS level FROM sale GROUP BY ROLLUP (g, pid)",
    "filtered": "SELECT g, count(*) FILTER (WHERE v > 3) AS n, stddev(v) AS d, bool_and(v > 1) AS b FROM "
    "sale WHERE v < 900 GROUP BY g",
    "kinds": "SELECT p.kind, count(*) AS n, sum(s.v) AS s FROM sale s JOIN person p ON p.id = s.pid GROUP BY p.kind",
    "lines": "SELECT s.id, s.v, p.kind, r.name FROM sale s JOIN person p ON p.id = s.pid JOIN region r ON r.id = p.rid",
    "folk": "SELECT p.id, p.kind, r.name FROM person p JOIN region r ON r.id = p.rid",
    "plain": "SELECT id, v FROM sale WHERE v > 2",
    "bag": "SELECT k, v FROM loose",
    "loosely": "SELECT l.v, s.name FROM loose l JOIN side s ON s.k = l.k",
    "different": "SELECT DISTINCT pid, g FROM sale",
    "pairs": "SELECT a.id AS a, b.id AS b FROM person a JOIN person b ON a.kind = b.kind AND a.id < b.id",
    "levels": "SELECT n, count(*) AS groups FROM (SELECT pid, count(*) AS n FROM sale GROUP BY pid) q GROUP BY n",
    "top": "SELECT id, v FROM sale ORDER BY v DESC, id LIMIT 5",
    "either": "SELECT v FROM sale UNION SELECT v FROM loose",
    "together": "SELECT g AS k, v FROM sale UNION ALL SELECT k, v FROM loose",
    "frequent": "SELECT g, sum(v) AS s FROM sale GROUP BY g HAVING count(*) > 20",
    "whole": "SELECT count(*) AS n, sum(v) AS s, avg(p) AS a FROM sale",
    "parted": "WITH q AS (SELECT pid, sum(v) AS s FROM sale GROUP BY pid) SELECT p.kind, q.s FROM q JOIN "
    "person p ON p.id = q.pid",
}
ON_VIEWS = {
    "chain": (("kinds",), "SELECT n, count(*) AS kinds FROM kinds GROUP BY n"),
    "diamond": (("kinds", "folk"), "SELECT f.id, k.n FROM folk f JOIN kinds k ON k.kind = f.kind"),
}
WRITES = {
    "region": ("INSERT INTO region VALUES (-1, 'new')", "UPDATE region SET name = 'x'", "UPDATE region SET "
        "id = -5"),
    "person": ("INSERT INTO person VALUES (-1, 1, 1)", "UPDATE person SET kind = 2", "UPDATE person SET "
        "rid = 2", "UPDATE person SET id = -7"),
    "sale": (
        "INSERT INTO sale VALUES (-1, 1, 1, 500, 1, 1)", "INSERT INTO sale VALUES (-1, 1, -9, 2, 1, 1)",
            "UPDATE sale SET v = v + 1", "UPDATE sale SET g = 3",
        "UPDATE sale SET pid = 2", "UPDATE sale SET p = 5, f = 3", "UPDATE sale SET note = 'x'",
    ),
    "loose": ("INSERT INTO loose VALUES (1, 1, 't')", "UPDATE loose SET v = 77", "UPDATE loose SET k = 2",
        "UPDATE loose SET tag = 'x'"),
    "side": ("INSERT INTO side VALUES (1, 'n')", "UPDATE side SET name = 'm'", "UPDATE side SET k = 3"),
}  # fmt: skip


def fill(area: Area, rows: int) -> None:
    groups = max(rows // 20, 3)
    area.run(SCHEMA)
    area.run(
        f"INSERT INTO region SELECT i, 'r' || i FROM generate_series(1, {rows}) i; "
        f"INSERT INTO person SELECT i, i % {groups} + 1, i % {groups}, '' FROM generate_series(1, {rows}) i; "
        f"INSERT INTO sale SELECT i, i % {groups} + 1, i % {groups}, i % 17, i, i / 4.0 FROM "
        f"generate_series(1, {rows}) i; "
        f"INSERT INTO loose SELECT i % {groups}, i, 't' FROM generate_series(1, {rows}) i; "
        f"INSERT INTO side SELECT i, 'n' || i FROM generate_series(1, {rows}) i; ANALYZE"
    )


def scanned(area: Area) -> dict[str, int]:
    """Rows that this transaction read by sequential scans, by table.

    Within a transaction counts only grow: they go to the shared statistics when it ends, at the earliest.
    """
    return dict(
        area.run(
            "SELECT schemaname || '.' || relname, seq_tup_read FROM pg_stat_xact_user_tables WHERE seq_tup_read > 0"
        )
    )


def probe(area: Area, statement: str, *, check: bool = True) -> dict[str, int]:
    """Rows read sequentially by one statement and the triggers that it fires; the statement is rolled back."""
    with transaction.atomic():
        before = scanned(area)
        area.run(statement)
        after = scanned(area)
        if check:
            area.check()
        transaction.set_rollback(True)
    return {table: count - before.get(table, 0) for table, count in after.items() if count > before.get(table, 0)}


def one_row(area: Area, statement: str, table: str) -> str:
    """The statement restricted to one row, by its place."""
    if statement.startswith("INSERT"):
        return statement
    place = area.value(f"SELECT ctid::text FROM {table} OFFSET 2 LIMIT 1")
    return f"{statement} WHERE ctid = '{place}'"


def statements(area: Area, query: str) -> list[str]:
    """Writes of one row of each table that a query reads."""
    return [
        one_row(area, statement, table)
        for table in TABLES
        if f" {table}" in query
        for statement in (*WRITES[table], f"DELETE FROM {table}")
    ]


def assert_unscanned(area: Area, bare: dict[str, dict[str, int]], *, check: bool) -> None:
    """With the views installed a statement scans what it scanned without them: itself, in a table of one page."""
    for _ in range(2):  # a plan made at the first call is kept
        for statement, own in bare.items():
            found = probe(area, statement, check=check)
            sources = {t: n for t, n in found.items() if t.split(".")[-1] in TABLES}
            assert sources == own, f"{statement}: sequential reads of {sources}, without views {own}"
            state = {t: n for t, n in found.items() if n > 1000}
            assert not state, f"{statement}: sequential reads of what is stored, {state}"


@pytest.mark.parametrize("name", [*VIEWS, *ON_VIEWS])
def test_no_small_source_is_scanned(area: Area, name: str) -> None:
    fill(area, 5)
    parents = ON_VIEWS[name][0] if name in ON_VIEWS else ()
    queries = {parent: VIEWS[parent] for parent in parents} | {name: ON_VIEWS[name][1] if parents else VIEWS[name]}
    bare = {s: probe(area, s) for s in statements(area, " ".join(queries.values()))}
    for view, query in queries.items():
        area.view(view, query)
    area.run("ANALYZE")
    area.forbid_recompute()
    assert_unscanned(area, bare, check=True)


@pytest.mark.parametrize(
    "names", [tuple(VIEWS)[:10], tuple(VIEWS)[10:], ("kinds", "folk", *ON_VIEWS)], ids=["first", "others", "on views"]
)
def test_no_large_source_is_scanned(area: Area, names: tuple[str, ...]) -> None:
    fill(area, 20_000)
    bare = {s: probe(area, s) for s in statements(area, " ".join(VIEWS.values()))}
    for name in names:
        area.view(name, VIEWS[name] if name in VIEWS else ON_VIEWS[name][1])
    if "diamond" in names:  # an index that the user of such a view makes
        storage = ".".join(f'"{part}"' for part in area.installed("folk").storage)
        area.run(f"CREATE INDEX ON {storage} (kind)")
    area.run("ANALYZE")
    area.forbid_recompute()
    assert_unscanned(area, bare, check=False)


def test_the_probe_sees_a_scan(area: Area) -> None:
    fill(area, 200)
    assert probe(area, "SELECT count(*) FROM sale") == {f"{area.schema}.sale": 200}
    area.run(
        "CREATE FUNCTION scan() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM count(*) FROM sale; "
        "RETURN NULL; END$$; "
        "CREATE TRIGGER scan AFTER INSERT ON loose EXECUTE FUNCTION scan()"
    )
    assert probe(area, "INSERT INTO loose VALUES (1, 1, '')") == {f"{area.schema}.sale": 200}


def test_a_bulk_write_may_scan_but_is_exact(area: Area) -> None:
    fill(area, 2000)
    for name, query in VIEWS.items():
        area.view(name, query)
    area.forbid_recompute()
    area.step("UPDATE sale SET v = v + 1 WHERE id % 3 = 0")
    area.step("DELETE FROM person WHERE id % 5 = 0")
    area.step("INSERT INTO loose SELECT k, v + 1, 'u' FROM loose")


def test_a_table_that_grows_after_the_plan_was_made(area: Area) -> None:
    """Functions plan their statements at the first call, maybe while the tables are empty."""
    area.run(SCHEMA)
    for name, query in VIEWS.items():
        area.view(name, query)
    area.step(
        "INSERT INTO region VALUES (1, 'r'); INSERT INTO person VALUES (1, 1, 1); INSERT INTO sale "
        "VALUES (1, 1, 1, 1, 1, 1)"
    )
    area.step(
        "UPDATE sale SET v = 2; UPDATE person SET kind = 2; DELETE FROM sale; DELETE FROM person; DELETE FROM region"
    )
    area.run(
        "INSERT INTO region SELECT i, 'r' FROM generate_series(1, 3000) i; INSERT INTO person SELECT i, i, "
        "i / 10 FROM generate_series(1, 3000) i; "
        "INSERT INTO sale SELECT i, i, i / 10, i % 9, 1, 1 FROM generate_series(1, 3000) i"
    )
    area.check()
    for statement, table in (
        ("UPDATE sale SET v = v + 1", "sale"),
        ("UPDATE person SET kind = 2", "person"),
        ("DELETE FROM sale", "sale"),
    ):
        found = probe(area, one_row(area, statement, table))
        assert not {t: n for t, n in found.items() if t.split(".")[-1] in TABLES}, statement
