"""Values that a query doesn't settle: `verify` compares what is settled, says what it leaves out, and misses nothing else."""

from __future__ import annotations

import random

import pytest
from django.db import NotSupportedError

import django_ivm

from .area import Area

TABLE = """
CREATE TABLE mark (id int PRIMARY KEY, g int, n numeric, f float8, t text);
INSERT INTO mark VALUES (1, 1, 1.0, 0.0, 'a'), (2, 1, 1.00, '-0.0', 'b'), (3, 2, 2, 1, 'c'), (4, NULL, NULL, NULL, NULL);
"""
GROUPS = "SELECT n, f, count(*) AS k, n + 1 AS more, n::text AS shown FROM mark GROUP BY n, f"
LISTS = (
    "SELECT g, string_agg(t, ',') AS ts, count(*) AS k, string_agg(t, ',' ORDER BY id) AS settled FROM mark GROUP BY g"
)


@pytest.fixture
def marked(area: Area) -> Area:
    area.run(TABLE)
    area.view("groups", GROUPS)
    area.view("lists", LISTS)
    return area


def tamper(area: Area, name: str, change: str) -> None:
    """Change the stored rows behind the guards' back."""
    schema, table = area.installed(name).storage
    with_guards_off = f'UPDATE "{schema}"."{table}" SET {change}'
    area.run(f"SET session_replication_role = replica; {with_guards_off}; RESET session_replication_role")


def test_equal_values_that_look_different_are_equal(marked: Area) -> None:
    view = django_ivm.get_view("groups")
    assert view.verify().ok
    tamper(marked, "groups", "n = 1.000, f = -f WHERE n = 1")
    assert view.verify().ok
    assert view.verify(sample=3).ok


@pytest.mark.parametrize(
    "change", ["n = 1.001 WHERE n = 1", "f = 5 WHERE n = 2", "n = 0 WHERE n IS NULL", "k = 9", "more = 0"]
)
def test_other_values_are_found(marked: Area, change: str) -> None:
    tamper(marked, "groups", change)
    found = django_ivm.get_view("groups").verify()
    assert not found.ok
    assert found.missing == found.unexpected > 0
    assert len(found.examples) >= 2
    assert django_ivm.get_view("groups").verify(repair=True).missing == found.missing
    assert django_ivm.get_view("groups").verify().ok


def test_what_is_left_out_is_said(marked: Area) -> None:
    view = django_ivm.get_view("lists")
    assert view.verify().left_out == ("ts",)
    assert django_ivm.get_view("groups").verify().left_out == ("shown",)
    tamper(marked, "lists", "ts = 'b,a' WHERE g = 1")
    assert view.verify().ok
    tamper(marked, "lists", "settled = 'b,a' WHERE g = 1")
    assert not view.verify().ok


def test_a_lost_row_and_one_too_many_are_found(marked: Area) -> None:
    for name in ("groups", "lists"):
        schema, table = marked.installed(name).storage
        marked.run(f'SET session_replication_role = replica; DELETE FROM "{schema}"."{table}" WHERE k = 2')
        marked.run("RESET session_replication_role")
        found = django_ivm.get_view(name).verify()
        assert (found.missing, found.unexpected) == (1, 0)


def test_explain_says_what_isnt_settled(marked: Area) -> None:
    groups, lists = (django_ivm.get_view(name).explain() for name in ("groups", "lists"))
    assert (groups.alike, groups.undetermined) == (("n", "f", "more"), ("shown",))
    assert (lists.alike, lists.undetermined) == ((), ("ts",))
    assert "compared by equality: n, f, more" in str(groups)
    assert "not compared: ts" in str(lists)


def test_every_other_view_is_compared_as_text(marked: Area) -> None:
    marked.view("rows_", "SELECT id, n, f, t FROM mark")
    tamper(marked, "rows_", "n = 1.0000 WHERE id = 1")
    assert not django_ivm.get_view("rows_").verify().ok


def test_a_view_of_a_view_reads_what_is_stored(marked: Area) -> None:
    marked.run("CREATE TABLE other (n numeric)")
    name = f'"{marked.schema}".groups'
    below = django_ivm.create_view(
        "above", f"SELECT n::text AS shown, k FROM {name} WHERE k > 1", strategy="incremental"
    )
    assert below.explain().undetermined == ()
    for statement in (
        "DELETE FROM mark WHERE id = 1",
        "UPDATE mark SET n = 1.0000, f = 0 WHERE id = 2",
        "INSERT INTO mark VALUES (9, 1, 1, 0, 'x')",
    ):
        marked.run(statement)
        assert below.verify().ok


def test_one_of_the_groups_spellings_is_shown_whatever_happens(marked: Area, rng: random.Random) -> None:
    """The shown key is always one that a row has; a group is never split or lost."""
    marked.view("names", "SELECT n, count(*) AS k, max(id) AS last FROM mark GROUP BY n")
    for step in range(150):
        value = f"{rng.randrange(4)}.{'0' * rng.randrange(1, 4)}"
        marked.run(
            rng.choice(
                [
                    f"INSERT INTO mark VALUES ({step + 100}, 1, {value}, 0, 'x')",
                    f"UPDATE mark SET n = {value} WHERE id % 7 = {rng.randrange(7)}",
                    f"UPDATE mark SET n = n + 0.0000, g = g + 1 WHERE id % 5 = {rng.randrange(5)}",
                    f"DELETE FROM mark WHERE id % 9 = {rng.randrange(9)}",
                    f"WITH d AS (DELETE FROM mark WHERE id % 6 = {rng.randrange(6)} RETURNING *) "
                    f"INSERT INTO mark SELECT -id - {step}, g, {value}, f, t FROM d ON CONFLICT DO NOTHING",
                ]
            )
        )
        wrong = marked.run(
            "SELECT * FROM names v WHERE n IS NOT NULL AND NOT EXISTS (SELECT FROM mark m WHERE m.n::text = v.n::text)"
        )
        assert not wrong, (step, wrong)
        assert django_ivm.get_view("names").verify().ok
        assert django_ivm.get_view("groups").verify().ok


def test_texts_that_a_collation_takes_for_equal(area: Area) -> None:
    """Needs a server built with ICU: no other collation finds different texts equal."""
    try:
        area.run("CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    except NotSupportedError as error:
        pytest.skip(str(error))
    area.run("CREATE TABLE word (id int PRIMARY KEY, g int, s text COLLATE loose, a text[] COLLATE loose)")
    queries = {
        "counted": "SELECT s, count(*) AS n FROM word GROUP BY s",
        "lists": "SELECT a, max(g) AS m FROM word GROUP BY a",
        "once": "SELECT DISTINCT s, g FROM word",
        "carried": "SELECT id, s, a FROM word",
        "bag": "SELECT s, a FROM word WHERE g < 9 UNION ALL SELECT s, a FROM word WHERE g > 0",
        "different": "SELECT g, count(DISTINCT s) AS n FROM word GROUP BY g",
    }
    for name, query in queries.items():
        area.view(name, query)
    for statement in (
        "INSERT INTO word VALUES (1, 1, 'Foo', '{A}'), (3, 1, NULL, NULL)",
        "INSERT INTO word VALUES (2, 1, 'foo', '{a}'); DELETE FROM word WHERE id = 1",
        "UPDATE word SET s = 'FOO'",
        "UPDATE word SET a = '{A}'",
        "DELETE FROM word",
    ):
        area.step(statement)  # one spelling at a time, so PostgreSQL shows just that
