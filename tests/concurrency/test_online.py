"""Installing online: what is there afterwards, while others write, and after a kill at any step."""

from __future__ import annotations

import os

import pytest
from django.db import connection

import django_ivm
from django_ivm.engine import online
from django_ivm.engine.spec import ViewSpec
from tests.engine.area import Area

from .catalog import catalog
from .traffic import JOIN, RANKS, ROWS, SUMS, TABLES, Traffic, until

LEVELS = "SELECT n, count(*) AS groups FROM (SELECT pid, count(*) AS n FROM child GROUP BY pid) q GROUP BY n"
TOP = "SELECT id, v FROM child ORDER BY v DESC, id LIMIT 5"
VIEWS = {"join": JOIN, "sums": SUMS, "rows": ROWS, "levels": LEVELS, "top": TOP, "ranks": RANKS}
MODES = ("immediate", "commit", "deferred", "manual")
ALL = [(name, mode) for name in VIEWS if name != "ranks" for mode in MODES]
# Each view and each mode, not each of both.
SOME = ALL if os.environ.get("DJANGO_IVM_EVERY_MOMENT") else [*ALL[::5], ("top", "immediate")]


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


class Bar:
    """What the commands show on a terminal."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.counts: list[tuple[str, int, int]] = []

    def __call__(self, text: str) -> None:
        self.texts.append(text)

    def rows(self, what: str, done: int, estimated: int) -> None:
        self.counts.append((what, done, estimated))


def test_progress_counts_rows(area: Area) -> None:
    area.run(TABLES)
    area.run("INSERT INTO child (pid, v) SELECT 1 + i % 8, i % 7 FROM generate_series(1, 200000) i; ANALYZE child")
    area.queries["v1"] = ROWS
    bar = Bar()
    online.install_online(ViewSpec(name="v1", sql=ROWS, schema=area.schema), connection, progress=bar)
    area.check()
    stored = area.value("SELECT count(*) FROM django_ivm." + area.installed("v1").storage[1])
    assert bar.counts[0][:2] == ("v1", 0)
    assert bar.counts[-1] == ("v1", stored, stored)
    assert all(0 <= done <= estimated for _, done, estimated in bar.counts)
    assert [what for what in ("capturing child", "indexes", "switching", "publishing")
            if not any(what in text for text in bar.texts)] == []  # fmt: skip


def test_partitions_and_failing_views(area: Area) -> None:
    """What has more triggers or tables than others."""
    area.run(
        "CREATE TABLE sale (id int, g int, v int) PARTITION BY RANGE (id); "
        "CREATE TABLE sale_1 PARTITION OF sale FOR VALUES FROM (0) TO (100); "
        "CREATE TABLE sale_2 PARTITION OF sale FOR VALUES FROM (100) TO (200); "
        "INSERT INTO sale SELECT i, i % 5, i FROM generate_series(0, 150) i"
    )
    area.queries |= {
        "v1": "SELECT a.id, b.v FROM sale a JOIN sale b ON a.g = b.g AND a.id < b.id AND b.v > 100",
        "v2": "SELECT g, 100 / min(v) AS n FROM sale WHERE v > 3 GROUP BY g",
    }
    nothing = catalog(area)
    for mode in ("immediate", "commit", "deferred"):
        for name, on_error in (("v1", "raise"), ("v2", "stale")):
            if on_error == "stale" and mode != "immediate":
                continue
            spec = ViewSpec(name=name, sql=area.queries[name], mode=mode, schema=area.schema, on_error=on_error)
            online.install_online(spec, connection)
            area.run("UPDATE sale SET v = v + 1 WHERE id % 3 = 0; INSERT INTO sale_2 VALUES (160, 2, 9); "
                     "UPDATE sale SET id = 199 - id WHERE id IN (1, 101); DELETE FROM sale WHERE id = 160")  # fmt: skip
            django_ivm.get_view(name).refresh()
            area.check(name)
            assert django_ivm.get_view(name).is_fresh()
            django_ivm.drop_view(name)
            assert catalog(area) == nothing
    area.queries.clear()


def test_over_other_views(area: Area) -> None:
    area.run(TABLES)
    below = area.view("below", SUMS, mode="deferred")
    area.queries["v1"] = "SELECT p.grp, b.n, b.top FROM below b JOIN parent p ON p.id = b.pid"
    area.queries["v2"] = "SELECT grp, sum(n) AS n FROM v1 GROUP BY grp"
    with Traffic(area, 2) as traffic:
        for name, mode in (("v1", "commit"), ("v2", "immediate")):
            online.install_online(
                ViewSpec(name=name, sql=area.queries[name], mode=mode, schema=area.schema), connection
            )
            below.refresh()  # though writers of the views that read it are always faster
    assert set(traffic.errors) <= {"40P01"}
    below.refresh()
    area.check()
    area.step("UPDATE parent SET grp = 'y' WHERE id = 5")
