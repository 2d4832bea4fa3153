"""Installing and refreshing while others write."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections, transaction

import django_ivm
from django_ivm.engine import install as installer
from django_ivm.signals import view_installed
from tests.engine.area import Area

from .stepping import Stage

TABLES = """
CREATE TABLE parent (id int PRIMARY KEY, grp text);
CREATE TABLE child (id bigserial PRIMARY KEY, pid int, v int, note text); CREATE INDEX ON child (pid);
INSERT INTO parent SELECT i, 'g' || i % 3 FROM generate_series(1, 8) i;
INSERT INTO child (pid, v) SELECT i % 8 + 1, i % 7 FROM generate_series(1, 60) i;
"""
JOIN = "SELECT p.grp, count(*) AS n, sum(c.v) AS s FROM child c JOIN parent p ON p.id = c.pid GROUP BY p.grp"
SUMS = "SELECT pid, count(*) AS n, max(v) AS top FROM child GROUP BY pid"
ROWS = "SELECT c.v, p.grp FROM child c JOIN parent p ON p.id = c.pid"
RANKS = "SELECT id, rank() OVER (ORDER BY v, id) AS place FROM child"


@contextmanager
def aside(area: Area, work: Callable[[], Any]) -> Iterator[Future[Any]]:
    """Run something of Django's in a thread with a connection of its own."""

    def run() -> Any:
        try:
            area.enter()
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '20s'")
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run)


def waiting(area: Area) -> int:
    """Sessions of this database that wait for a lock."""
    return int(area.value(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
        "cardinality(pg_blocking_pids(pid)) > 0"
    ))  # fmt: skip


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


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


class Traffic:
    """Sessions that write until the with block ends."""

    def __init__(self, area: Area, sessions: int = 3) -> None:
        self.area, self.stop, self.errors, self.done = area, threading.Event(), [], 0
        self.threads = [threading.Thread(target=self.write, args=(area.connect(), i)) for i in range(sessions)]

    def write(self, session: Any, number: int) -> None:
        rng = random.Random(number)
        while not self.stop.is_set():
            try:
                session.execute(rng.choice((
                    f"INSERT INTO child (pid, v) VALUES ({rng.randint(1, 9)}, {rng.randint(0, 9)})",
                    f"UPDATE child SET v = {rng.randint(0, 9)} WHERE id % 20 = {rng.randrange(20)}",
                    f"DELETE FROM child WHERE id % 50 = {rng.randrange(50)}",
                    f"UPDATE parent SET grp = 'g{rng.randrange(4)}' WHERE id = {rng.randint(1, 8)}",
                )))  # fmt: skip
                self.done += 1
            except Exception as error:  # noqa: BLE001 -- judged by the test
                self.errors.append(getattr(error, "sqlstate", None) or str(error))

    def __enter__(self) -> Traffic:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(30)


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
    # A deadlock is possible while triggers come and go: the writer holds the table that the installer asks for next.
    assert set(traffic.errors) <= {"40P01"}
    area.check()


@pytest.mark.parametrize("query", [JOIN, SUMS, ROWS, "SELECT v, pid FROM child", "SELECT id, v FROM child "
    "ORDER BY v, id LIMIT 3"],
                         ids=["join", "sums", "rows", "bag", "top"])  # fmt: skip
def test_full_refresh_under_traffic(area: Area, query: str) -> None:
    """A recompute beside incremental maintenance neither loses a write nor counts it twice, and nobody deadlocks."""
    area.run(TABLES)
    view = area.view("v1", query)
    failed = 0
    with Traffic(area) as traffic:
        for _ in range(15):
            try:
                view.refresh(full=True)
            except django_ivm.RefreshError as error:
                assert error.code in ("40001", "40P01")
                failed += 1
    area.check()
    assert traffic.errors == []
    assert failed == 0
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
            area.run(f'DELETE FROM django_ivm."{table}"')
        outcome = stage.play(scripts, (0, 1, 0, 1))
        assert not outcome.waited
        assert area.wrong("v1")
    finally:
        stage.close()
