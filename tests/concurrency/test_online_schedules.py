"""Others at each moment of an online installation: writers, readers, cleaners, old snapshots, other installers.

What happens at a moment hangs on what the installation tells of itself, so it happens there every time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction

import django_ivm
from django_ivm.engine import builds, online, unfinished
from django_ivm.engine import install as installer
from django_ivm.engine.attempts import Patience
from django_ivm.engine.spec import ViewSpec
from tests.engine.area import Area

from .traffic import JOIN, RANKS, ROWS, SUMS, TABLES, Traffic, aside, until

QUERIES = {"join": JOIN, "sums": SUMS, "rows": ROWS}


class At:
    """Does something once, when the installation tells that it is there."""

    def __init__(self, moment: str, what: Callable[[], Any]) -> None:
        self.moment, self.what, self.done = moment, what, False

    def __call__(self, text: str) -> None:
        if self.moment in text and not self.done:
            self.done = True
            self.what()


def install(area: Area, query: str, *told: Callable[[str], None], mode: str = "immediate", limit: float = 30,
            online_: bool = True) -> django_ivm.View:  # fmt: skip
    area.queries["v1"] = query
    spec = ViewSpec(name="v1", sql=query, mode=mode, schema=area.schema)

    def tell(text: str) -> None:
        for one in told:
            one(text)

    if online_:
        online.install_online(spec, connections["default"], progress=tell, patience=Patience(limit=limit))
    else:
        installer.install(spec, connections["default"], progress=tell)
    return django_ivm.get_view("v1")


def settled(area: Area, view: django_ivm.View) -> None:
    """Drained, the view equals its query; and after more writes."""
    view.refresh()
    area.check()
    area.run("UPDATE child SET v = v + 1 WHERE id % 2 = 0; UPDATE parent SET grp = grp || 'q' WHERE id = 4")
    view.refresh()
    area.check()
    assert view.is_fresh()


# Writers


@pytest.mark.parametrize("level, end", [("READ COMMITTED", "ROLLBACK"), ("REPEATABLE READ", "COMMIT")])
def test_a_writer_that_was_there_before_the_capture(area: Area, level: str, end: str) -> None:
    """The capture tries in vain until it ends; others write meanwhile, and never wait for long."""
    area.run(TABLES)
    writer, other = area.connect(), area.connect()
    writer.execute(f"BEGIN ISOLATION LEVEL {level}")
    writer.execute("INSERT INTO child (pid, v) VALUES (1, 1000)")
    writer.execute("DELETE FROM child WHERE id = 4")
    tried: list[str] = []
    with aside(area, lambda: install(area, JOIN, tried.append)) as installing:
        until(lambda: sum("locks are held" in text for text in tried) > 2)
        other.execute("SET lock_timeout = '5s'")
        other.execute("INSERT INTO child (pid, v) VALUES (2, 7)")
        writer.execute("UPDATE child SET v = 3 WHERE id = 9")
        writer.execute(end)
        view = installing.result(60)
    settled(area, view)


@pytest.mark.parametrize("name, mode", [
    ("join", "immediate"), ("rows", "immediate"), ("join", "commit"), ("sums", "commit"), ("rows", "deferred"),
])  # fmt: skip
def test_snapshots_older_than_each_step_write_after_it(area: Area, name: str, mode: str) -> None:
    """Writes are met, or refused by 40001: nothing is lost."""
    area.run(TABLES)
    sessions: list[psycopg.Connection[Any]] = []
    outcomes: list[str | None] = []

    def begin() -> None:
        session = area.connect()
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        session.execute("SELECT count(*) FROM child")
        sessions.append(session)

    def write() -> None:
        for number, session in enumerate(sessions):
            try:
                session.execute(f"UPDATE child SET v = v + 100 WHERE id = {number + 20}")
                session.execute(f"INSERT INTO child (pid, v) VALUES ({number + 1}, 50)")
                session.execute(f"UPDATE parent SET grp = grp || 'w' WHERE id = {number + 2}")
                session.execute("COMMIT")
                outcomes.append(None)
            except psycopg.Error as error:
                outcomes.append(error.sqlstate)
                session.execute("ROLLBACK")
        sessions.clear()

    begin()
    moments = [
        At("capturing child", begin), At("filling", write), At("filling, 0", begin), At("indexes", begin),
        At("drained", write), At("switching", begin), At("older transactions", write),
        At("publishing", begin),
    ]  # fmt: skip
    view = install(area, QUERIES[name], *moments, mode=mode)
    assert [at.moment for at in moments if not at.done] == []
    begin()
    write()
    settled(area, view)
    assert set(outcomes) <= {None, "40001"}
    assert outcomes[:2] == [None, None]  # before the switch nobody is in their way


def test_the_last_writes_before_the_switch_fail_or_are_met(area: Area) -> None:
    """A transaction with a snapshot from before the fill would maintain what it can't see, were it not for the lock
    rows: to it the parent has no child."""
    area.run(TABLES)
    area.run("DELETE FROM child WHERE pid = 1")
    old = area.connect()
    states: list[str | None] = []

    def begin() -> None:
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        old.execute("SELECT 1 FROM parent")
        area.connect().execute("INSERT INTO child (pid, v) VALUES (1, 5)")

    def write() -> None:
        try:
            old.execute("UPDATE parent SET grp = 'late' WHERE id = 1")
            old.execute("COMMIT")
            states.append(None)
        except psycopg.Error as error:
            states.append(error.sqlstate)
            old.execute("ROLLBACK")

    view = install(area, ROWS, At("capturing", begin), At("older transactions", write))
    assert states == ["40001"]
    settled(area, view)


def test_a_cleaner_at_work_leaves_what_the_fill_needs(area: Area) -> None:
    area.run(TABLES)
    other = django_ivm.create_view("other", SUMS, mode="deferred")
    writer = area.connect()

    def write_and_clean() -> None:
        writer.execute("INSERT INTO child (pid, v) SELECT 1 + i % 8, i FROM generate_series(1, 40) i")
        area.connect().execute("DELETE FROM child WHERE id % 5 = 0")
        with aside(area, other.refresh) as refreshing:
            refreshing.result(30)

    view = install(area, JOIN, At("filling, 0", write_and_clean), At("indexes", write_and_clean))
    settled(area, view)


def test_truncate_during_the_fill(area: Area) -> None:
    area.run(TABLES)
    writer = area.connect()
    told: list[str] = []
    view = install(area, JOIN, told.append, At("indexes", lambda: writer.execute(
        "TRUNCATE child; INSERT INTO child (pid, v) VALUES (1, 1), (2, 2)")))  # fmt: skip
    settled(area, view)


def test_a_source_that_is_held_for_too_long(area: Area) -> None:
    """The error names who holds it; what was done is taken up by the next call."""
    area.run(TABLES)
    holder = area.connect()
    holder.execute("BEGIN; INSERT INTO parent VALUES (100, 'h')")
    started = time.monotonic()
    with Traffic(area, 1) as traffic, pytest.raises(django_ivm.IVMError) as caught:
        install(area, JOIN, limit=1)
    assert caught.value.code == "BUSY"
    assert str(holder.info.backend_pid) in str(caught.value)
    assert time.monotonic() - started < 30
    assert traffic.done > 5
    with connection.cursor() as cursor:
        (build,) = builds.every(cursor)
    assert (build.phase, build.alive) == ("reserved", False)
    assert "ended before its sources were captured" in str(build)
    holder.execute("COMMIT")
    told: list[str] = []
    settled(area, install(area, JOIN, told.append))
    assert any("going on" in text for text in told)


# Readers


def replaced(area: Area, old: str, new: str, *told: Callable[[str], None]) -> None:
    django_ivm.create_view("v1", old)
    install(area, new, *told)


NEW = "SELECT p.grp, count(*) AS n, sum(c.v) * 2 AS s FROM child c JOIN parent p ON p.id = c.pid WHERE c.v > 1 GROUP BY p.grp"


def shows(session: Any, query: str) -> bool:
    """The view equals a query, at one snapshot."""
    wanted, stored = f"SELECT q::text FROM ({query}) q", "SELECT v::text FROM v1 v"
    return not session.execute(
        f"({wanted} EXCEPT ALL {stored}) UNION ALL ({stored} EXCEPT ALL {wanted}) LIMIT 1"
    ).fetchall()


def test_readers_see_the_old_view_or_the_new_one(area: Area) -> None:
    """Never an empty or a half one, and never one that lags behind, while others write."""
    area.run(TABLES)
    django_ivm.create_view("v1", JOIN)
    wrong: list[Any] = []
    seen: set[str] = set()
    stop = threading.Event()

    def read(level: str) -> None:
        session = area.connect()
        while not stop.is_set():
            try:
                with session.transaction():
                    session.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
                    session.execute("SELECT 1 FROM parent LIMIT 1")
                    which = "old" if shows(session, JOIN) else "new"
                    seen.add(which)
                    if level != "READ COMMITTED" and which == "new" and not shows(session, NEW):
                        wrong.append(session.execute("SELECT * FROM v1").fetchall())
                    elif session.execute("SELECT count(*) FROM v1").fetchone() == (0,):
                        wrong.append("empty")
            except psycopg.Error as error:
                wrong.append(str(error))

    threads = [threading.Thread(target=read, args=(level,)) for level in ("READ COMMITTED", "REPEATABLE READ")]
    for thread in threads:
        thread.start()
    try:
        with Traffic(area, 1) as traffic:
            until(lambda: seen == {"old"} and traffic.done > 5)
            install(area, NEW)
            until(lambda: "new" in seen)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert wrong == []
    area.check()


def test_the_old_view_is_kept_until_the_new_one_takes_its_place(area: Area) -> None:
    area.run(TABLES)
    django_ivm.create_view("v1", JOIN)
    other = area.connect()

    def write_and_look() -> None:
        other.execute("UPDATE child SET v = v + 1 WHERE id % 3 = 0")
        assert shows(other, JOIN)

    moments = [
        At(text, write_and_look) for text in ("reserv", "capturing", "filling", "indexes", "switching", "publishing")
    ]
    install(area, NEW, *moments)
    assert [at.moment for at in moments if not at.done] == ["reserv"]
    assert shows(other, NEW)
    other.execute("UPDATE child SET v = v + 1 WHERE id % 3 = 0")
    assert shows(other, NEW)


def test_snapshots_of_readers_around_the_exchange(area: Area) -> None:
    """One from before the switch is waited for; one from after it reads the new view as of its snapshot."""
    area.run(TABLES)
    django_ivm.create_view("v1", JOIN)
    early, late, writer = area.connect(), area.connect(), area.connect()
    for session in (early, late):
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    early.execute("SELECT 1 FROM pg_class")

    def look() -> None:
        assert shows(early, JOIN)
        early.execute("COMMIT")
        late.execute("SELECT 1 FROM pg_class")  # its snapshot
        writer.execute("UPDATE child SET v = v + 5; UPDATE parent SET grp = 'z' WHERE id = 2")

    install(area, NEW, At("older transactions", look))
    assert shows(late, NEW)
    late.execute("COMMIT")
    settled(area, django_ivm.get_view("v1"))


def test_a_reader_of_the_sources_is_never_waited_for(area: Area) -> None:
    """A report that reads the sources for hours doesn't keep the view from being published; triggers that do nothing
    stay until a later call."""
    area.run(TABLES)
    report = area.connect()

    def read() -> None:
        report.execute("BEGIN")
        report.execute("SELECT * FROM child, parent")

    view = install(area, JOIN, At("capturing", read), limit=2)
    area.check()
    settled(area, view)
    with connection.cursor() as cursor:
        assert online.retiring.retired(cursor)
    report.execute("COMMIT")
    install(area, JOIN)
    with connection.cursor() as cursor:
        assert not online.retiring.retired(cursor)


# Other installers


def test_two_at_once(area: Area) -> None:
    area.run(TABLES)
    holder = area.connect()
    holder.execute("BEGIN; UPDATE parent SET grp = 'h' WHERE id = 1")
    told: list[str] = []
    with (
        aside(area, lambda: install(area, JOIN, told.append)) as one,
        aside(area, lambda: install(area, JOIN, told.append)) as two,
    ):
        until(lambda: any("another online" in text for text in told))
        holder.execute("COMMIT")
        one.result(60), two.result(60)
    settled(area, django_ivm.get_view("v1"))


def test_an_ordinary_installation_is_faster(area: Area) -> None:
    area.run(TABLES)

    def ordinary() -> None:
        with aside(area, lambda: install(area, JOIN, online_=False)) as installing:
            installing.result(30)

    view = install(area, JOIN, At("indexes", ordinary))
    settled(area, view)
    with connection.cursor() as cursor:
        assert builds.every(cursor) == []


@pytest.mark.parametrize("moment", ["capturing", "indexes", "switching"])
def test_the_build_is_removed_meanwhile(area: Area, moment: str) -> None:
    area.run(TABLES)

    def remove() -> None:
        def give_way() -> None:
            with transaction.atomic(), connection.cursor() as cursor:
                unfinished.give_way_to_migrations(cursor, {"child"})

        with aside(area, give_way) as removing:
            removing.result(30)

    with pytest.raises(django_ivm.IVMError) as caught:
        install(area, JOIN, At(moment, remove))
    assert caught.value.code == "BUILD"
    area.queries.clear()
    area.run("ALTER TABLE child DROP COLUMN v CASCADE; INSERT INTO child (pid) VALUES (1)")


def test_what_is_refused(area: Area) -> None:
    area.run(TABLES)
    with transaction.atomic(), pytest.raises(django_ivm.IVMError) as inside:
        django_ivm.create_view("v1", JOIN, online=True)
    assert inside.value.code == "TRANSACTION"
    django_ivm.create_view("v1", JOIN, online=True)
    django_ivm.create_view("v2", "SELECT n, count(*) AS k FROM v1 GROUP BY n", online=True)
    with pytest.raises(django_ivm.IVMError, match="v1 is read by v2") as read:
        django_ivm.create_view("v1", NEW, replace=True, online=True)
    assert read.value.code == "DEPENDENTS"
    area.queries |= {"v1": JOIN, "v2": "SELECT n, count(*) AS k FROM v1 GROUP BY n"}
    area.step("UPDATE child SET v = v + 1; DELETE FROM child WHERE pid = 3")


def test_views_that_are_marked_are_filled_online_too(area: Area) -> None:
    area.run(TABLES)
    area.queries["v1"] = RANKS
    writer = area.connect()
    view = install(area, RANKS, At("indexes", lambda: writer.execute("INSERT INTO child (pid, v) VALUES (1, 2)")))
    assert not view.is_fresh()
    view.refresh()
    area.check()
    assert view.is_fresh()
