"""Which of two right ways is taken, why, and that both keep the view."""

from __future__ import annotations

import random

import pytest

import django_ivm
from django_ivm import DefinitionError
from django_ivm.compiler.maintenance.choice import ENOUGH, FEW_IN_GROUP
from tests.engine.area import Area

QUERY = "SELECT g, count(DISTINCT v) AS n, sum(DISTINCT v) AS s FROM t GROUP BY g"
WHAT = "count(DISTINCT v), sum(DISTINCT v) by g: "
STATE = "kept by a state of its own, because "
RECOMPUTE = "computed anew for the groups that a write touches, because "


def fill(area: Area, groups: int, size: int, index: bool = True) -> None:
    area.run("CREATE TABLE t (id int PRIMARY KEY, g int, v int)")
    area.run(f"INSERT INTO t SELECT i, i % {groups}, i % 5 FROM generate_series(1, {groups * size}) i")
    if index:
        area.run("CREATE INDEX t_g ON t (g)")
    area.run("ANALYZE t")


def chosen(query: str = QUERY, **options: str) -> list[str]:
    view = django_ivm.create_view("probe", query, strategy="incremental", **options)
    found = list(view.explain().choices)
    django_ivm.drop_view("probe")
    return found


@pytest.mark.parametrize(
    "groups, size, expected",
    [
        (200, 10, RECOMPUTE + "a group has about 10 rows"),
        (100, FEW_IN_GROUP - 1, RECOMPUTE + f"a group has about {FEW_IN_GROUP - 1} rows"),
        (100, FEW_IN_GROUP + 5, STATE + f"a group has about {FEW_IN_GROUP + 5} rows"),
        (3, 1000, STATE + "a group has about 1,000 rows"),
        (10, ENOUGH // 10 - 1, STATE + "nobody knows how large a group is"),  # a small table may grow in any way
    ],
)
def test_by_the_size_of_a_group(area: Area, groups: int, size: int, expected: str) -> None:
    fill(area, groups, size)
    assert chosen() == [WHAT + expected]


def test_what_is_not_known_stays_with_the_state(area: Area) -> None:
    fill(area, 200, 10, index=False)
    assert chosen() == [WHAT + STATE + "a group has about 10 rows, but no index finds them"]
    assert chosen("SELECT count(DISTINCT v) AS n FROM t") == ["count(DISTINCT v): " + STATE + "all rows are one group"]
    (by_expression,) = chosen("SELECT g + 1 AS g, count(DISTINCT v) AS n FROM t GROUP BY g + 1")
    assert by_expression.endswith(STATE + "nobody knows how large a group is")
    assert chosen("SELECT g, count(DISTINCT v) AS n, sum(v) AS s FROM t GROUP BY g") == []  # there is one way only


def test_the_declaration_may_say(area: Area) -> None:
    fill(area, 200, 10)
    assert chosen(prefer="state") == [WHAT + STATE + "the view prefers state"]
    assert chosen(prefer="recompute") == [WHAT + RECOMPUTE + "the view prefers recompute"]
    with pytest.raises(DefinitionError, match="unknown preference 'fast'") as raised:
        chosen(prefer="fast")
    assert "auto, state, recompute" in str(raised.value.hint)


def test_an_installed_view_keeps_its_choice(area: Area) -> None:
    """What is explained is what is installed, whatever statistics have become since."""
    fill(area, 200, 10)
    view = area.view("v", QUERY)
    levels = area.installed("v").objects["tables"]
    assert not any("level" in name for name in levels)
    area.run("INSERT INTO t SELECT 10000 + i, i % 20, i % 5 FROM generate_series(1, 40000) i")
    area.run("ANALYZE t")
    assert chosen() == [WHAT + STATE + "a group has about 210 rows"]
    (choice,) = view.explain().choices
    assert choice.startswith(WHAT + RECOMPUTE + "it was so when the view was installed")
    area.check()
    django_ivm.create_view(
        "v", QUERY + " HAVING count(DISTINCT v) > 0", replace=True
    )  # another declaration chooses anew
    (choice,) = django_ivm.get_view("v").explain().choices
    assert choice.startswith(WHAT + STATE)


@pytest.mark.parametrize("prefer", ["state", "recompute"])
def test_both_ways_are_exact(area: Area, prefer: str, rng: random.Random) -> None:
    area.run("CREATE TABLE t (id int PRIMARY KEY, g int, v int)")
    area.run("CREATE INDEX ON t (g)")
    area.run("INSERT INTO t SELECT i, nullif(i % 5, 0), nullif(i % 3, 0) FROM generate_series(1, 30) i")
    area.view("v", QUERY, prefer=prefer)
    area.view("w", "SELECT count(DISTINCT v) AS n FROM t", prefer=prefer)
    assert any("level" in name for name in area.installed("v").objects["tables"]) is (prefer == "state")
    area.forbid_recompute()
    for i in range(60):
        g, v, at = rng.choice(["NULL", "1", "2", "7"]), rng.choice(["NULL", "1", "2", "3"]), rng.randrange(1, 40)
        area.step(
            rng.choice(
                [
                    f"INSERT INTO t VALUES ({1000 + i}, {g}, {v})",
                    f"UPDATE t SET v = {v} WHERE id < {at}",
                    f"UPDATE t SET g = {g} WHERE id % 7 = {at % 7}",
                    f"DELETE FROM t WHERE id = {at}",
                    f"WITH x AS (DELETE FROM t WHERE id = {at}) UPDATE t SET v = {v} WHERE id = {at + 1}",
                ]
            )
        )


def test_equal_words_over_different_tables_are_two_choices(area: Area) -> None:
    fill(area, 200, 10)
    area.run("CREATE TABLE u (id int PRIMARY KEY, g int, v int)")
    both = "WITH a AS ({}), b AS ({}) SELECT a.g, a.n AS x, b.n AS y FROM a JOIN b ON a.g = b.g"
    one = "SELECT g, count(DISTINCT v) AS n FROM t GROUP BY g"
    query = both.format(one, one.replace("FROM t", "FROM u"))
    first, second = chosen(query)
    assert RECOMPUTE in first
    assert STATE in second
    area.view("v", query)
    area.step("INSERT INTO u VALUES (1, 5, 1), (2, 5, 1), (3, 6, NULL)")
    area.step("UPDATE u SET v = id")
    area.step("DELETE FROM t WHERE g = 5 AND id > 100")
    assert list(django_ivm.get_view("v").explain().choices) == [first, second]
