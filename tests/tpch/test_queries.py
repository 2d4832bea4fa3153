"""Each query as a view: incremental, and equal to its text after refresh pairs and random writes to every table."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

import django_ivm
from benchmarks import tpch_data
from tests.golden import oracle

from .conftest import PAIRS
from .data import tables_of, writes
from .hits import WRITES, find

pytestmark = pytest.mark.usefixtures("shop")


def run(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return list(cursor.fetchall()) if cursor.description else []


class Checked:
    """A view, its query and what was done so far; ``changes`` counts the times that its rows were others."""

    def __init__(self, name: str, mode: str, strategy: str = "auto") -> None:
        self.query = tpch_data.query(name)
        self.view = django_ivm.create_view(name, self.query, mode=mode, strategy=strategy)
        self.done: list[str] = []
        self.changes = 0
        self.before = self.rows()

    def rows(self) -> str:
        return str(run(f"SELECT md5(string_agg(v::text, '/' ORDER BY v::text)) FROM {self.view.table} v")[0][0])

    def do(self, statement: str, *parameters: Any) -> None:
        self.done.append(f"{statement}; {parameters or ''}")
        run(statement, *parameters)

    def pair(self, number: int) -> None:
        for statement in (*tpch_data.RF1, *tpch_data.RF2):
            self.do(statement, number)

    def check(self, *, verify: bool = False) -> None:
        wrong = oracle.difference(f"SELECT * FROM {self.view.table}", self.query)
        last = "\n".join(self.done[-3:])
        assert not wrong, f"< only in the view, > only in the query:\n{wrong[:10]}\nafter\n{last}"
        assert self.view.is_fresh(), f"stale after\n{last}"
        if verify:
            assert self.view.verify().ok, last
        now = self.rows()
        self.changes += now != self.before
        self.before = now


def refresh_pairs(checked: Checked, check: Callable[[], None]) -> None:
    for number in range(1, PAIRS + 1):
        checked.pair(number)
        check()


def mixed(name: str, query: str, rng: random.Random) -> Iterator[list[str]]:
    """Writes of rows on which the result rests, then random ones."""
    for _, statements in WRITES.values():
        hit = find(name, run)
        if hit:
            yield [statement.format(**hit) for statement in statements]
    for statement in writes(query, run, rng, more=16):
        yield [statement]


@pytest.mark.parametrize("name", tpch_data.QUERIES)
def test_kept_by_every_write(name: str, rng: random.Random) -> None:
    oracle.count_calls()
    checked = Checked(name, "immediate", strategy="incremental")
    assert checked.view.explain().strategy == "incremental"
    full = oracle.full_refreshes()
    refresh_pairs(checked, lambda: checked.check(verify=True))
    for statements in mixed(name, checked.query, rng):
        for statement in statements:
            checked.do(statement)
        checked.check()
    assert checked.view.verify().ok
    assert oracle.full_refreshes() == full, "a full refresh ran"
    assert checked.changes >= 1, "the writes didn't touch the view"


@pytest.mark.parametrize("name", tpch_data.QUERIES)
def test_drained_when_asked(name: str, rng: random.Random) -> None:
    checked = Checked(name, "deferred", strategy="incremental")
    run("UPDATE django_ivm.cursor SET anew_takes = 'Infinity' WHERE view_name = %s", name)  # every backlog is applied

    def drain() -> None:
        result = checked.view.refresh()
        assert result.strategy == "incremental", result.reason
        checked.check()

    refresh_pairs(checked, drain)
    for number, statements in enumerate(mixed(name, checked.query, rng), 1):
        for statement in statements:
            checked.do(statement)
        if number % 3 == 0:
            drain()
    drain()
    assert checked.view.verify().ok
    assert checked.changes >= 1, "the writes didn't touch the view"


@pytest.mark.parametrize("name", tpch_data.QUERIES[::3])  # by the same function that the immediate mode verifies
def test_refreshed_when_asked(name: str, rng: random.Random) -> None:
    checked = Checked(name, "manual")

    touched = {"orders", "lineitem"} & {*tables_of(checked.query)}

    def refresh() -> None:
        assert checked.view.is_fresh() == (not touched)
        checked.view.refresh()
        checked.check(verify=True)

    refresh_pairs(checked, refresh)
    for number, statement in enumerate(writes(checked.query, run, rng, more=25), 1):
        checked.do(statement)
        if number % 3 == 0:
            checked.view.refresh()
            checked.check()
    assert checked.changes >= 1, "the writes didn't touch the view"
