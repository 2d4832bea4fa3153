"""A backlog is applied, or the view is computed anew where that is expected to take less time."""

from __future__ import annotations

import pytest

import django_ivm
from django_ivm.models import RefreshLog

from .area import Area

QUERY = "SELECT k, count(*) AS n, sum(v) AS s FROM item GROUP BY k"
ALL = "UPDATE item SET v = v + 1"  # 16,000 changes
FEW = "UPDATE item SET v = v + 1 WHERE id <= 400"


@pytest.fixture
def items(area: Area) -> Area:
    area.run(
        "CREATE TABLE item (id int PRIMARY KEY, k int, v int); "
        "INSERT INTO item SELECT i, i % 50, i FROM generate_series(1, 8000) i; ANALYZE item"
    )
    area.view("sums", QUERY, mode="deferred")
    return area


def takes(area: Area, anew: float | None, change: float | None) -> None:
    """What has been measured, in seconds."""
    area.run("UPDATE django_ivm.cursor SET anew_takes = %s, change_takes = %s WHERE view_name = 'sums'", anew, change)


def measured(area: Area) -> tuple[float | None, float | None]:
    ((anew, change),) = area.run("SELECT anew_takes, change_takes FROM django_ivm.cursor WHERE view_name = 'sums'")
    return anew, change


@pytest.mark.parametrize(
    ("write", "anew", "change", "strategy"),
    [
        (ALL, 1.0, 0.001, "full"),
        (ALL, 1.0, 0.000001, "incremental"),
        (ALL, 1000.0, 0.001, "incremental"),
        (FEW, 0.001, 0.001, "incremental"),  # too few to think about
    ],
)
def test_what_was_measured_decides(items: Area, write: str, anew: float, change: float, strategy: str) -> None:
    view = django_ivm.get_view("sums")
    takes(items, anew, change)
    items.run(write)
    assert view.refresh().strategy == strategy
    items.check()
    if strategy == "full":
        reason = RefreshLog.objects.latest("id").reason
        assert "16000 changes: computing anew is cheaper, by an estimate of 1.00 s against 16.00 s" in str(reason)


def test_each_drain_measures(items: Area) -> None:
    view = django_ivm.get_view("sums")
    assert measured(items) == (None, None)
    items.run(FEW)
    view.refresh()
    assert measured(items) == (None, None)  # too few to tell
    takes(items, 1000.0, None)
    items.run(ALL)
    view.refresh()
    anew, change = measured(items)
    assert anew == 1000
    assert change is not None
    assert 0 < change < 0.01
    view.refresh(full=True)
    anew, _ = measured(items)
    assert anew is not None
    assert 0 < anew < 100


def test_what_nobody_has_measured_is_estimated(items: Area) -> None:
    expected = items.value("SELECT django_ivm.seconds_anew(%s, 'sums')", items.schema)
    assert 0.0005 < expected < 0.05
    items.run("INSERT INTO item SELECT i, i % 50, i FROM generate_series(8001, 80000) i; ANALYZE item")
    assert items.value("SELECT django_ivm.seconds_anew(%s, 'sums')", items.schema) > 5 * expected


def test_the_estimate_counts_every_level(area: Area) -> None:
    area.run(
        "CREATE TABLE item (id int PRIMARY KEY, k int, v int); "
        "INSERT INTO item SELECT i, i % 50, i FROM generate_series(1, 8000) i; ANALYZE item"
    )
    for name, query in (
        ("one", "SELECT k, count(*) AS n FROM item GROUP BY k"),
        ("two", "SELECT n, count(*) AS m FROM (SELECT id, count(*) AS n FROM item GROUP BY id) x GROUP BY n"),
    ):
        area.view(name, query, mode="deferred")
    one, two = (area.value("SELECT django_ivm.seconds_anew(%s, %s)", area.schema, name) for name in ("one", "two"))
    assert two > one + 8e-6 * 0.5 * 8000
