"""Views over ordinary SQL views: bound as the subqueries that they are, and watched for another definition."""

from __future__ import annotations

import random

import pytest
from django.db import DatabaseError, connection

import django_ivm
from django_ivm.engine import install
from django_ivm.engine.spec import ViewSpec
from django_ivm.engine.view import explain
from django_ivm.errors import NotIncrementalError

from .area import Area

_TABLES = (
    "CREATE TABLE region (id int PRIMARY KEY, name text); INSERT INTO region SELECT i, 'r' || i % 3 FROM generate_series(0, 5) i; "
    "CREATE TABLE sale (id int PRIMARY KEY, region int, amount int, note text); "
    "INSERT INTO sale SELECT i, i % 7, i % 5, 'n' || i % 2 FROM generate_series(1, 40) i; "
    'CREATE VIEW big (id, "The Region", double) AS SELECT id, region, amount * 2 FROM sale WHERE amount > 1; '
    'CREATE VIEW named AS SELECT b.id, r.name, b.double FROM big b JOIN region r ON r.id = b."The Region"; '
    "CREATE VIEW totals AS SELECT name, sum(double) AS s, count(*) AS n FROM named GROUP BY name"
)
_VIEWS = {
    "plain": 'SELECT id, "The Region" AS r, double FROM big',
    "renamed": "SELECT x.a, x.b FROM big AS x(a, b) WHERE x.a > 3",
    "joined": "SELECT t.name, t.s, n.id FROM totals t JOIN named n ON n.name = t.name",
    "grouped": "SELECT n, count(*) AS k FROM totals GROUP BY n",
    "shadowed": "WITH big AS (SELECT 1 + id AS id FROM region) SELECT big.id, n.name FROM big JOIN named n ON n.id = big.id",
    "mixed": "SELECT s.id, b.double FROM sale s JOIN big b ON b.id = s.id UNION ALL SELECT id, 0 FROM region",
}


@pytest.fixture
def views(area: Area) -> Area:
    area.run(_TABLES)
    for name, query in _VIEWS.items():
        area.view(name, query)
    return area


def _write(rng: random.Random) -> str:
    some = f"id % {rng.randint(2, 5)} = {rng.randint(0, 1)}"
    return rng.choice(
        [
            f"INSERT INTO sale SELECT max(id) + 1, {rng.randint(0, 6)}, {rng.randint(0, 5)}, 'x' FROM sale",
            f"UPDATE sale SET amount = {rng.randint(0, 5)} WHERE {some}",
            f"UPDATE sale SET region = {rng.randint(0, 6)} WHERE {some}",
            "UPDATE sale SET note = note || '.'",
            f"DELETE FROM sale WHERE id % 11 = {rng.randint(0, 10)}",
            f"UPDATE region SET name = 'r{rng.randint(0, 3)}' WHERE {some}",
            f"UPDATE big SET double = DEFAULT WHERE false; UPDATE sale SET region = 1 WHERE id = {rng.randint(1, 40)}",
            f"DELETE FROM big WHERE id = {rng.randint(1, 40)}",
            f"WITH u AS (UPDATE region SET name = 'w' WHERE id = {rng.randint(0, 5)}) UPDATE sale SET amount = 3 WHERE {some}",
        ]
    )


def test_writes_reach_views_over_views(views: Area, rng: random.Random) -> None:
    views.forbid_recompute()
    for _ in range(25):
        statement = _write(rng)
        if "DEFAULT" not in statement:
            views.step(statement)
    assert all(django_ivm.get_view(name).is_fresh() for name in _VIEWS)


def test_a_replaced_view_is_noticed(views: Area) -> None:
    """What is installed keeps the old meaning, says so, and is brought up to date by an install."""
    views.run(
        'CREATE OR REPLACE VIEW big (id, "The Region", double) AS SELECT id, region, amount * 3 FROM sale WHERE amount > 2'
    )
    for name in ("plain", "joined", "grouped", "mixed"):
        view = django_ivm.get_view(name)
        assert not view.is_fresh()
        assert view.status().outdated
        assert not view.verify().ok
    for name, query in _VIEWS.items():
        spec = ViewSpec(name, query, strategy="incremental")
        assert install.install(spec, connection) is install.InstallState.OUTDATED
        assert django_ivm.get_view(name).is_fresh()
    views.step("UPDATE sale SET amount = amount + 1")


def test_a_view_that_is_replaced_by_the_same_is_fresh(views: Area) -> None:
    views.run(
        'CREATE OR REPLACE VIEW big (id, "The Region", double) AS SELECT id, region, amount * 2 FROM sale WHERE amount > 1'
    )
    assert all(django_ivm.get_view(name).is_fresh() for name in _VIEWS)


@pytest.mark.parametrize(
    "setting",
    [
        "search_path = pg_catalog",
        "TimeZone = 'Asia/Kolkata'",
        "quote_all_identifiers = on",
        "IntervalStyle = sql_standard",
    ],
)
def test_freshness_is_the_same_under_any_settings(area: Area, setting: str) -> None:
    area.run(
        "CREATE TABLE t (id int PRIMARY KEY, d date, s interval); "
        "CREATE VIEW recent AS SELECT id, s FROM t WHERE d > '2020-02-01' AND s > '-1 day -02:00'"
    )
    view = area.view("v", "SELECT s, count(*) AS n FROM recent GROUP BY s, id", strategy="auto")
    area.run(f"SET {setting}")
    try:
        assert django_ivm.View("v", schema=area.schema).is_fresh()
    finally:
        area.run(f"RESET {setting.partition(' ')[0]}")
        area.enter()
    assert view.is_fresh()


def test_an_outer_view_of_a_fallback_is_noticed_too(area: Area) -> None:
    area.run(
        "CREATE TABLE t (id int, k int); CREATE TABLE u (id int, k int); CREATE VIEW v AS SELECT id, random() AS r FROM t"
    )
    view = area.view("w", "SELECT id, r IS NOT NULL AS some FROM v", strategy="auto")
    assert view.status().strategy == "full"
    assert view.explain().reasons[0].location == "line 1, column 39: v"
    assert view.is_fresh()
    area.run("CREATE OR REPLACE VIEW v AS SELECT id, random() AS r FROM u")
    assert not view.is_fresh()


def test_a_view_can_not_be_dropped_under_us(views: Area) -> None:
    with pytest.raises(DatabaseError):
        views.run("DROP VIEW totals")
    with pytest.raises(DatabaseError):
        views.run("ALTER TABLE sale DROP COLUMN amount")


def test_uninstalling_leaves_nothing(area: Area) -> None:
    area.run(_TABLES)
    count = "SELECT count(*) FROM pg_class WHERE relnamespace = 'django_ivm'::regnamespace"
    area.view("first", "SELECT 1 AS one, id FROM region")
    before = area.value(count)
    area.view("joined", _VIEWS["joined"])
    assert area.value(count) > before
    django_ivm.drop_view("joined")
    assert area.value(count) == before
    area.queries.pop("joined")
    area.run("DROP VIEW totals, named, big")


def test_detaching_gives_the_views_free(views: Area) -> None:
    for view in reversed(install.installed(connection)):
        install.detach(view, connection)
    views.run(
        "DROP VIEW totals; CREATE VIEW totals AS SELECT name, sum(double) + 1 AS s, count(*) AS n FROM named GROUP BY name"
    )
    for name in _VIEWS:
        view = django_ivm.get_view(name)
        assert not view.is_fresh()
        view.refresh()
        assert view.is_fresh()
    views.step("UPDATE sale SET amount = amount + 1")


def test_functions_inside_are_looked_at(area: Area) -> None:
    area.run(
        "CREATE TABLE t (id int PRIMARY KEY, at timestamptz); CREATE VIEW inner_one AS SELECT id FROM t WHERE at < now(); "
        "CREATE VIEW outer_one AS SELECT id FROM inner_one"
    )
    with pytest.raises(NotIncrementalError) as raised:
        area.view("v", "SELECT count(*) AS n\nFROM outer_one")
    assert raised.value.code == "TEMPORAL"
    assert raised.value.location == "line 2, column 6: outer_one"
    area.queries.clear()


def test_refusals_inside_are_placed_at_the_view(area: Area) -> None:
    area.run(
        "CREATE TABLE t (id int PRIMARY KEY, k int); CREATE VIEW inner_one AS SELECT id FROM t TABLESAMPLE BERNOULLI (100); "
        "CREATE VIEW outer_one AS SELECT id FROM inner_one"
    )
    with pytest.raises(NotIncrementalError) as raised:
        area.view("v", "SELECT id FROM outer_one")
    assert raised.value.code == "SAMPLE"
    assert str(raised.value).startswith(
        "v can't be kept incrementally: TABLESAMPLE chooses rows by chance (in the view inner_one)"
    )
    assert raised.value.location == "line 1, column 16: outer_one"
    area.queries.clear()


@pytest.mark.parametrize("option", ["security_barrier", "security_invoker"])
def test_security_options_change_no_rows(area: Area, option: str) -> None:
    area.run(
        f"CREATE TABLE t (id int PRIMARY KEY, k int); CREATE VIEW v WITH ({option}) AS SELECT k FROM t WHERE id > 2"
    )
    area.view("w", "SELECT k, count(*) AS n FROM v WHERE k < 100 GROUP BY k")
    area.step("INSERT INTO t SELECT i, i % 3 FROM generate_series(1, 9) i")
    area.step("UPDATE t SET k = 100 WHERE id % 2 = 0")


def test_row_security_below_a_view_is_refused(area: Area) -> None:
    area.run(
        "CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE VIEW v AS SELECT id FROM t"
    )
    with pytest.raises(NotIncrementalError) as raised:
        area.view("w", "SELECT id FROM v")
    assert raised.value.code == "ROW_SECURITY"
    area.queries.clear()


def test_a_view_over_a_maintained_view(area: Area) -> None:
    area.run("CREATE TABLE t (id int PRIMARY KEY, k int); INSERT INTO t SELECT i, i % 4 FROM generate_series(1, 20) i")
    area.view("sums", "SELECT k, sum(id) AS s FROM t GROUP BY k")
    area.run("CREATE VIEW large AS SELECT s, k FROM sums WHERE s > 30")
    view = area.view("top", "SELECT count(*) AS n, max(s) AS m FROM large")
    assert area.installed("top").parents == ((area.schema, "sums"),)
    area.step("UPDATE t SET k = k + 1 WHERE id % 3 = 0")
    area.step("DELETE FROM t WHERE k = 2")
    assert view.is_fresh()
    django_ivm.drop_view("top")
    area.queries.pop("top")
    area.run("DROP VIEW large")


def test_a_table_that_only_the_views_owner_may_read(area: Area) -> None:
    """Our functions read it as the role that installs: a write by anyone would fail."""
    area.run(
        "CREATE TABLE t (id int PRIMARY KEY, k int); CREATE VIEW v AS SELECT id FROM t; INSERT INTO t VALUES (1, 1); "
        "DROP ROLE IF EXISTS area_reader; CREATE ROLE area_reader; "
        f"GRANT USAGE, CREATE ON SCHEMA {area.schema} TO area_reader; GRANT SELECT ON v TO area_reader"
    )
    area.view("of_the_owner", "SELECT id FROM v")
    area.run("GRANT USAGE ON SCHEMA django_ivm TO area_reader; GRANT SELECT ON django_ivm.view TO area_reader")
    try:
        area.run("SET ROLE area_reader")
        compiled = explain(ViewSpec("w", "SELECT id FROM v"), connection)
    finally:
        area.run("RESET ROLE")
        area.run("DROP OWNED BY area_reader; DROP ROLE area_reader")
    assert [reason.code for reason in compiled.reasons] == ["SOURCE"]
    assert compiled.reasons[0].message == "t behind v may not be read by the role that installs (in the view v)"
