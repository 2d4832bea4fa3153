"""Refreshing while others write and read."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

import django_ivm
from tests.engine.area import Area

from .stepping import Stage
from .traffic import JOIN, RANKS, ROWS, SUMS, TABLES, Traffic, aside


@pytest.mark.parametrize("query", [JOIN, SUMS, ROWS, "SELECT v, pid FROM child", "SELECT id, v FROM child "
    "ORDER BY v, id LIMIT 3"],
                         ids=["join", "sums", "rows", "bag", "top"])  # fmt: skip
def test_full_refresh_under_traffic(area: Area, query: str) -> None:
    """A recompute beside incremental maintenance neither loses a write nor counts it twice, and nobody deadlocks."""
    area.run(TABLES)
    view = area.view("v1", query)
    with Traffic(area) as traffic:
        for _ in range(15):
            view.refresh(full=True)
    area.check()
    assert traffic.errors == []
    assert traffic.done > 20


@pytest.mark.parametrize("query", [JOIN, SUMS, ROWS], ids=["join", "sums", "rows"])
@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_full_refresh_against_an_open_write(area: Area, query: str, level: str) -> None:
    """In each order: a writer that hasn't committed when the refresh begins, one that comes while it runs."""
    area.run(TABLES)
    view = area.view("v1", query)
    stage = Stage(area, 1)
    try:
        (writer,) = stage.sessions
        for statement in ("INSERT INTO child (pid, v) VALUES (1, 50)", "UPDATE parent SET grp = 'q' WHERE id = 2"):
            writer.connection.execute(f"BEGIN ISOLATION LEVEL {level}")
            writer.connection.execute("SELECT 1")
            writer.connection.execute(statement)
            with aside(area, lambda: view.refresh(full=True)) as refreshing:
                time.sleep(0.2)
                writer.connection.execute("COMMIT")
                refreshing.result(30)
            area.check()
            writer.connection.execute(f"BEGIN ISOLATION LEVEL {level}")
            writer.connection.execute("SELECT 1")
            with transaction.atomic():
                view.refresh(full=True)
                writer.start(statement.replace("1, 50", "1, 60").replace("'q'", "'r'"))
                stage.settle(writer)
            assert writer.running is not None
            error = writer.running.exception(20)
            writer.running = None
            assert getattr(error, "sqlstate", None) in (None, *(("40001",) if level != "READ COMMITTED" else ()))
            writer.connection.execute("ROLLBACK" if error else "COMMIT")
            area.check()
    finally:
        stage.close()


def test_refresh_of_a_full_view_keeps_the_mark_of_what_it_did_not_see(area: Area) -> None:
    area.run(TABLES)
    view = area.view("v1", RANKS, strategy="auto")
    assert view.is_fresh()
    writer = area.connect()
    writer.execute("BEGIN")
    writer.execute("INSERT INTO child (pid, v) VALUES (1, -5)")
    assert view.is_fresh()  # not committed
    view.refresh()
    writer.execute("COMMIT")
    assert not view.is_fresh()
    view.refresh()
    area.check()
    assert view.is_fresh()


def test_writers_of_a_full_view_never_wait_for_each_other_or_a_refresh(area: Area) -> None:
    area.run(TABLES)
    view = area.view("v1", RANKS, strategy="auto")
    one, two = area.connect(), area.connect()
    for session in (one, two):
        session.execute("SET lock_timeout = '2s'")
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        session.execute("SELECT 1")
    one.execute("INSERT INTO child (pid, v) VALUES (1, -5)")
    two.execute("INSERT INTO child (pid, v) VALUES (1, -6)")
    view.refresh()
    one.execute("INSERT INTO child (pid, v) VALUES (1, -7)")
    one.execute("COMMIT")
    view.refresh()
    two.execute("COMMIT")
    assert not view.is_fresh()
    view.refresh()
    area.check()
    assert view.is_fresh()


def test_marks_that_a_refresh_saw_but_which_came_after_its_snapshot_stay(area: Area) -> None:
    """A refresh in a REPEATABLE READ transaction computes at its own snapshot."""
    area.run(TABLES)
    view = area.view("v1", RANKS, strategy="auto")
    with contextlib.suppress(django_ivm.IVMError), transaction.atomic():
        area.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        area.run("SELECT count(*) FROM child")
        area.connect().execute("INSERT INTO child (pid, v) VALUES (1, -5)")
        view.refresh()
    assert not view.is_fresh()
    view.refresh()
    area.check()


def refreshed(area: Area, view: django_ivm.View) -> None:
    try:
        area.enter()
        view.refresh(full=True)
    finally:
        connections.close_all()


def test_two_refreshes_at_once(area: Area) -> None:
    area.run(TABLES)
    for name, query, strategy in (("v1", JOIN, "incremental"), ("v2", RANKS, "auto"), ("v3", ROWS, "incremental")):
        view = area.view(name, query, strategy=strategy)
        area.run("UPDATE child SET v = v + 1")
        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                view.refresh(full=True)
                other = pool.submit(refreshed, area, view)
                time.sleep(0.1)
            other.result(30)
        assert view.is_fresh()
        area.check()


def test_refresh_of_full_views_under_traffic(area: Area) -> None:
    area.run(TABLES)
    view = area.view("v1", RANKS, strategy="auto")
    counts = area.view("v2", "SELECT place % 5 AS k, count(*) AS n FROM v1 GROUP BY place % 5", strategy="auto")
    with Traffic(area) as traffic:
        for _ in range(15):
            view.refresh()
    assert traffic.errors == []
    view.refresh()
    counts.refresh()
    area.check()
    assert view.is_fresh()
    assert counts.is_fresh()


def test_readers_never_wait(area: Area) -> None:
    area.run(TABLES)
    view = area.view("v1", JOIN)
    reader = area.connect()
    reader.execute("SET lock_timeout = '500ms'")
    with transaction.atomic():
        area.run("UPDATE parent SET grp = 'w'")
        reader.execute("SELECT * FROM v1")
        view.refresh(full=True)
        before = reader.execute("SELECT sum(n) FROM v1").fetchone()
    assert before == reader.execute("SELECT sum(n) FROM v1").fetchone() == (60,)
    reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    reader.execute("SELECT * FROM v1")
    area.run("SET lock_timeout = '500ms'")
    area.step("UPDATE parent SET grp = 'x'")
    area.run("RESET lock_timeout")
