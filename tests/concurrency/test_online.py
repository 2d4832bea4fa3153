"""Installing online: what is there afterwards, while others write, and after a kill at any step."""

from __future__ import annotations

import os

import pytest

import django_ivm
from tests.engine.area import Area

from .catalog import catalog
from .traffic import JOIN, RANKS, ROWS, SUMS, TABLES, Traffic, until

LEVELS = "SELECT n, count(*) AS groups FROM (SELECT pid, count(*) AS n FROM child GROUP BY pid) q GROUP BY n"
TOP = "SELECT id, v FROM child ORDER BY v DESC, id LIMIT 5"
VIEWS = {"join": JOIN, "sums": SUMS, "rows": ROWS, "levels": LEVELS, "top": TOP, "ranks": RANKS}
MODES = ("immediate", "commit", "deferred", "manual")
ALL = [(name, mode) for name in VIEWS if name != "ranks" for mode in MODES]
# Each view and each mode, not each of both.
SOME = [pair for i, pair in enumerate(ALL) if os.environ.get("DJANGO_IVM_EVERY_MOMENT") or i % 3 == 0]


@pytest.mark.parametrize("name, mode", SOME)
def test_an_online_installation_under_traffic(area: Area, name: str, mode: str) -> None:
    area.run(TABLES)
    query = VIEWS[name]
    with Traffic(area) as traffic:
        until(lambda: traffic.done > 10)
        view = area.view("v1", query, mode=mode, online=True)
        before = traffic.done
        until(lambda: traffic.done > before + 20)
    assert set(traffic.errors) <= ({"40P01"} if mode == "immediate" else set())
    if mode in ("deferred", "manual"):
        view.refresh()
    area.check()
    assert view.is_fresh()
    area.run("UPDATE child SET v = v + 1 WHERE id % 3 = 0; DELETE FROM parent WHERE id = 2")
    view.refresh()
    area.check()


@pytest.mark.parametrize("name, mode", [*SOME, ("ranks", "immediate")])
def test_it_leaves_what_an_ordinary_installation_does(area: Area, name: str, mode: str) -> None:
    area.run(TABLES)
    query = VIEWS[name]
    area.run("ANALYZE")
    nothing = catalog(area)
    area.view("v1", query, mode=mode, strategy="auto")
    expected = catalog(area)
    django_ivm.drop_view("v1")
    assert catalog(area) == nothing
    area.view("v1", query, mode=mode, strategy="auto", online=True)
    assert catalog(area) == expected
    django_ivm.drop_view("v1")
    assert catalog(area) == nothing
