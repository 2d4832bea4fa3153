"""Installing and uninstalling while others write."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections, transaction

import django_ivm
from django_ivm.engine import install as installer
from django_ivm.signals import view_installed
from tests.engine.area import Area

from .stepping import Stage
from .traffic import JOIN, ROWS, SUMS, TABLES, Traffic, aside, until, waiting


@pytest.mark.parametrize("query", [JOIN, SUMS, ROWS], ids=["join", "sums", "rows"])
@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_install_waits_for_an_uncommitted_write(area: Area, query: str, end: str) -> None:
    area.run(TABLES)
    writer = area.connect()
    writer.execute("BEGIN")
    writer.execute("INSERT INTO child (pid, v) VALUES (1, 1000)")
    writer.execute("DELETE FROM child WHERE id = 4")
    area.queries["v1"] = query
    with aside(area, lambda: django_ivm.create_view("v1", query, strategy="incremental")) as installing:
        until(lambda: waiting(area) > 0)
        writer.execute(end)
        installing.result(30)
    area.check()
    area.step("UPDATE child SET v = v + 1")


@pytest.mark.parametrize("query", [JOIN, SUMS, ROWS], ids=["join", "sums", "rows"])
def test_a_writer_that_comes_during_an_install(area: Area, query: str) -> None:
    """It waits for the triggers, and is seen by them; one with an older snapshot is exact or fails with 40001."""
    area.run(TABLES)
    stage = Stage(area, 2)
    try:
        late, old = stage.sessions
        old.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        old.connection.execute("SELECT 1")
        area.queries["v1"] = query
        with transaction.atomic():
            area.run("LOCK TABLE child IN SHARE ROW EXCLUSIVE MODE")
            late.start("INSERT INTO child (pid, v) VALUES (2, 500)")
            assert not stage.settle(late)
            django_ivm.create_view("v1", query, strategy="incremental")
        assert late.running is not None
        late.running.result(20)
        area.check()
        old.start("UPDATE child SET v = v + 10 WHERE pid = 3")
        assert stage.settle(old)
        assert old.running is not None
        if old.running.exception():
            assert getattr(old.running.exception(), "sqlstate", "") == "40001"
            old.connection.execute("ROLLBACK")
        else:
            old.connection.execute("COMMIT")
        area.check()
    finally:
        stage.close()


def test_two_installers_of_one_view(area: Area) -> None:
    area.run(TABLES)
    spec = installer.ViewSpec(name="v1", sql=JOIN, schema=area.schema)
    area.queries["v1"] = JOIN
    told: list[str] = []

    def count(view: str, **_: Any) -> None:
        told.append(view)

    view_installed.connect(count)
    holder = area.connect()
    holder.execute("BEGIN; LOCK TABLE child IN SHARE ROW EXCLUSIVE MODE")
    with (
        aside(area, lambda: installer.install(spec, connections["default"])) as one,
        aside(area, lambda: installer.install(spec, connections["default"])) as two,
    ):
        until(lambda: waiting(area) == 2)
        holder.execute("COMMIT")
        assert {one.result(30), two.result(30)} <= set(installer.InstallState)
    view_installed.disconnect(count)
    assert told == ["v1"]  # the other found it done
    area.check()
    area.step("UPDATE child SET v = v + 1")
    assert area.value("SELECT count(*) FROM django_ivm.view WHERE view_schema = %s", area.schema) == 1


def test_two_installers_of_different_views(area: Area) -> None:
    area.run(TABLES)
    queries = {"v1": JOIN, "v2": SUMS, "v3": ROWS}
    area.queries |= queries
    pools = [ThreadPoolExecutor(1) for _ in queries]

    def install(name: str, query: str) -> None:
        try:
            area.enter()
            django_ivm.create_view(name, query, strategy="incremental")
        finally:
            connections.close_all()

    futures = [pool.submit(install, *item) for pool, item in zip(pools, queries.items(), strict=True)]
    for future in futures:
        future.result(30)
    for pool in pools:
        pool.shutdown()
    area.step("UPDATE child SET v = v + 1")
    area.step("DELETE FROM parent WHERE id = 2")


def test_drop_and_install_at_once(area: Area) -> None:
    area.run(TABLES)
    area.view("v1", JOIN)
    holder = area.connect()
    holder.execute("BEGIN; LOCK TABLE child IN ROW EXCLUSIVE MODE")
    with (
        aside(area, lambda: django_ivm.drop_view("v1")) as dropping,
        aside(area, lambda: django_ivm.create_view("v1", JOIN, replace=True)) as creating,
    ):
        until(lambda: waiting(area) > 0)
        holder.execute("COMMIT")
        dropping.exception(30)
        creating.result(30)
    found = area.value("SELECT count(*) FROM django_ivm.view WHERE view_name = 'v1'")
    triggers = area.value("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'child'::regclass AND tgname LIKE 'ivm%%'")
    assert bool(found) == bool(triggers)
    if found:
        area.step("UPDATE child SET v = v + 1")


@pytest.mark.parametrize("query", [JOIN, SUMS, ROWS], ids=["join", "sums", "rows"])
def test_install_under_traffic(area: Area, query: str) -> None:
    area.run(TABLES)
    with Traffic(area) as traffic:
        for _ in range(4):
            area.view("v1", query, replace=True)
            time.sleep(0.05)
            django_ivm.drop_view("v1")
        area.view("v1", query)
        until(lambda: traffic.done > 100)
    assert traffic.errors == []
    area.check()


def test_without_the_lock_rows_a_row_is_lost(area: Area) -> None:
    """These tests can fail: with the buckets emptied, the schedule that they guard against loses a row."""
    area.run(
        "CREATE TABLE parent (id int, grp text); CREATE TABLE child (pid int, v int); INSERT INTO "
        "parent VALUES (1, 'a')"
    )
    area.view("v1", "SELECT c.v, p.grp FROM child c JOIN parent p ON p.id = c.pid")
    stage = Stage(area, 2)
    scripts = [
        ["BEGIN; INSERT INTO child VALUES (1, 5)", "COMMIT"], ["BEGIN; UPDATE parent SET grp = grp || 'z'",
            "COMMIT"],
    ]  # fmt: skip
    try:
        outcome = stage.play(scripts, (0, 1, 0, 1))
        assert outcome.waited == {1}
        area.check()
        for (table,) in area.run(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'django_ivm' AND tablename LIKE '%%lock'"
        ):
            # A write makes missing rows, which a dump without data leaves out.
            nothing = f'CREATE OR REPLACE FUNCTION django_ivm."{table}_rows"() RETURNS void LANGUAGE plpgsql AS'
            area.run(f"{nothing} $$BEGIN END$$")
            area.run(f'DELETE FROM django_ivm."{table}"')
        outcome = stage.play(scripts, (0, 1, 0, 1))
        assert not outcome.waited
        assert area.wrong("v1")
    finally:
        stage.close()
