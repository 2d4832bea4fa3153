"""Writers that fail, skip or maintain a view with on_error="stale", and its refresh, in every order.

Whatever happens, the view equals its query or says that it is stale, and the next refresh mends it.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import psycopg
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

import django_ivm
from tests.engine.area import Area

from .stepping import LEVELS, RETRYABLE, Outcome, Stage, interleavings
from .stepping import transaction as script
from .traffic import aside

EVERY = bool(os.environ.get("DJANGO_IVM_ALL_LEVELS"))  # every schedule at every level, instead of a few

TABLES = """
CREATE TABLE parent (id int PRIMARY KEY, grp text);
CREATE TABLE child (id int PRIMARY KEY, pid int, v int); CREATE INDEX ON child (pid);
"""
ROWS = """
INSERT INTO parent VALUES (1, 'a'), (2, 'b');
INSERT INTO child VALUES (1, 1, 5), (2, 1, 10), (3, 2, 7), (4, 1, 9), (5, 1, 1);
"""
BAG = "SELECT p.grp, c.v FROM child c JOIN parent p ON p.id = c.pid"
TOPS = "SELECT pid, max(v) AS top FROM child GROUP BY pid"
FOLDS = "SELECT pid, count(*) AS n, sum(v) AS s FROM child GROUP BY pid"
RANKS = "SELECT id, rank() OVER (PARTITION BY pid ORDER BY v, id) AS place FROM child"
LEVELED = "SELECT n, count(*) AS m FROM (SELECT pid, count(*) AS n FROM child GROUP BY pid) x GROUP BY n"
MATCHED = "SELECT p.id FROM parent p WHERE EXISTS (SELECT 1 FROM child c WHERE c.pid = p.id AND c.v > 4)"
# A fault of one session's maintenance, before it has locked any row.
FAULT = "IF current_setting('app.failing', true) = 'on' THEN RAISE division_by_zero; END IF;"


@dataclass(frozen=True)
class Case:
    """What fails, what is written beside it, over which view."""

    name: str
    query: str
    failing: str
    beside: str
    mode: str = "immediate"


CASES = (
    Case("join", BAG, "INSERT INTO child VALUES (9, 9, 9)", "INSERT INTO parent VALUES (9, 'z')"),
    Case("join, other side", BAG, "INSERT INTO parent VALUES (9, 'z')", "INSERT INTO child VALUES (9, 9, 9)"),
    # What is stored doesn't change by the first alone.
    Case("hidden change", TOPS, "DELETE FROM child WHERE id = 4; INSERT INTO child VALUES (9, 1, 8)",
         "DELETE FROM child WHERE id = 2"),
    Case("fold", FOLDS, "INSERT INTO child VALUES (9, 3, 9)", "INSERT INTO child VALUES (10, 3, 1)"),
    Case("ranks", RANKS, "INSERT INTO child VALUES (9, 1, 6)", "DELETE FROM child WHERE id = 1"),
    Case("levels", LEVELED, "INSERT INTO child VALUES (9, 1, 6)", "INSERT INTO child VALUES (10, 2, 6)"),
    Case("exists", MATCHED, "INSERT INTO parent VALUES (9, 'z')", "INSERT INTO child VALUES (9, 9, 9)"),
)  # fmt: skip


class Theatre:
    """A view, sessions, and a switch by which a session's maintenance fails."""

    def __init__(self, area: Area, case: Case) -> None:
        self.area, self.case = area, case
        area.run(TABLES + ROWS)
        self.view = area.view("v1", case.query, mode=case.mode, on_error="stale")
        self.plant()
        self.failing = ["SET LOCAL app.failing = 'on'; " + case.failing]
        self.stage = Stage(area, 3)

    def plant(self) -> None:
        """Into each function that may fail."""
        prefix = self.area.installed("v1").definition_view.removesuffix("_query")
        first = f"LOCK TABLE django_ivm.{prefix}_epoch IN ROW EXCLUSIVE MODE;"
        functions = self.area.run(
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'django_ivm'::regnamespace "
            "AND position(%s IN prosrc) > 0", first
        )  # fmt: skip
        assert len(functions) >= (4 if self.case.mode == "immediate" else 1)
        for (text,) in functions:
            assert text.count(first) == 1
            self.area.run(text.replace(first, f"{first} {FAULT}"))
        self.view.refresh(full=True)

    def put_back(self) -> None:
        self.area.run(f"BEGIN; DELETE FROM parent; DELETE FROM child; {ROWS}; COMMIT")
        self.view.refresh()
        self.area.check()
        assert self.view.is_fresh()

    def break_it(self) -> None:
        self.area.run("BEGIN; SET LOCAL app.failing = 'on'; UPDATE child SET v = v + 1, pid = 2 WHERE id = 5; COMMIT")

    def stale(self) -> int:
        return int(self.area.value("SELECT count(*) FROM django_ivm.stale WHERE view_name = 'v1'"))

    def locks(self, session: int) -> set[str]:
        """What a session holds of the epoch table; a row's lock aside."""
        found = self.area.run(
            "SELECT mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE l.pid = %s "
            "AND c.relname LIKE %s AND mode NOT IN ('RowShareLock', 'SIReadLock')", self.stage.sessions[session].pid, "v1%epoch"
        )  # fmt: skip
        return {mode for (mode,) in found}

    def refreshing(self) -> list[str]:
        """The statements of a refresh that finds marks, as three steps: up to the marks, the computing, the commit."""
        self.break_it()
        with CaptureQueriesContext(connection) as captured:
            self.view.refresh()
        statements = [query["sql"] for query in captured.captured_queries]
        statements = statements[statements.index("BEGIN") : statements.index("COMMIT") + 1]
        assert any("_epoch" in one and "IN SHARE ROW EXCLUSIVE MODE" in one for one in statements)
        first = next(i for i, one in enumerate(statements) if "_replace()" in one)
        return ["; ".join(statements[:first]), "; ".join(statements[first:-1]), "COMMIT"]

    def judge(self, outcome: Outcome, where: str) -> bool:
        """Exact or stale, and mended by a refresh; whether it was exact."""
        exact = not self.stale()
        if exact:
            assert not self.area.wrong("v1"), f"silently wrong: {self.area.wrong('v1')}, {where}"
        self.view.refresh()
        assert not self.area.wrong("v1"), f"wrong after a refresh, {where}"
        assert self.view.is_fresh()
        return exact


@pytest.fixture
def theatre(area: Area, request: pytest.FixtureRequest) -> Iterator[Theatre]:
    made = Theatre(area, request.param)
    yield made
    made.stage.close()


AT_COMMIT = tuple(replace(case, name=f"{case.name}, at commit", mode="commit") for case in CASES)
FEW = (CASES[0], CASES[2], CASES[6])


def over(*cases: Case) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("theatre", cases, ids=lambda case: case.name, indirect=True)


every_case = over(*(CASES + AT_COMMIT if EVERY else (*FEW, AT_COMMIT[2])))


@every_case
def test_every_order(theatre: Theatre) -> None:
    """A failing writer, one beside it, a refresh; then the same with a view that is broken already."""
    refresh = theatre.refreshing()
    counts: Counter[str] = Counter()
    for level in LEVELS if EVERY else LEVELS[:2]:
        for broken in (False, True):
            first = [theatre.case.failing] if broken else theatre.failing
            scripts = [script(first, level), script([theatre.case.beside], level), refresh]
            schedules = list(interleavings([len(one) for one in scripts]))
            for schedule in schedules[:: -(-len(schedules) // 300)] if EVERY else schedules[3 :: len(schedules) // 2]:
                theatre.put_back()
                if broken:
                    theatre.break_it()
                outcome = theatre.stage.play(scripts, schedule)
                where = f"{level}, broken before: {broken}, schedule {schedule}: {outcome}"
                allowed = {None} if level == "READ COMMITTED" else {None, "40001"}
                assert set(outcome.states[:2]) <= allowed, where
                assert outcome.states[2] is None, where
                exact = theatre.judge(outcome, where)
                counts.update([f"{level}: {'exact' if exact else 'stale'}"])
                counts.update(f"{level}: {state}" for state in outcome.states if state)
    print(f"{theatre.case.name}: {dict(counts)}")


def run(theatre: Theatre, session: int, *statements: str) -> None:
    for statement in statements:
        theatre.stage.sessions[session].connection.execute(statement)


def begun(theatre: Theatre, level: str) -> None:
    """The first session's transaction, with its snapshot if it has one for all statements."""
    run(theatre, 0, f"BEGIN ISOLATION LEVEL {level}")
    if level != "READ COMMITTED":
        run(theatre, 0, "SELECT count(*) FROM pg_class")


@over(*(CASES if EVERY else FEW))
def test_a_refresh_waits_for_who_maintained_beside_a_failure(theatre: Theatre) -> None:
    """Neither of the two has seen the other's change, and the failing one left no lock."""
    refresh = theatre.refreshing()
    for level in LEVELS if EVERY else LEVELS[:2]:
        theatre.put_back()
        begun(theatre, level)
        run(theatre, 0, theatre.case.beside)
        assert theatre.locks(0) == {"RowExclusiveLock"}, level
        run(theatre, 1, "BEGIN", *theatre.failing, "COMMIT")
        outcome = theatre.stage.play([["COMMIT"], [], refresh], [2, 2, 2, 0])
        assert outcome.states == [None, None, None], level
        assert outcome.waited == {2}, level
        assert theatre.judge(outcome, level), level


@every_case
def test_a_snapshot_from_before_failure_and_refresh(theatre: Theatre) -> None:
    """READ COMMITTED goes by what is there now; a snapshot that stands still can't be fitted in."""
    refresh = theatre.refreshing()
    for level in LEVELS if EVERY else LEVELS[:2]:
        theatre.put_back()
        begun(theatre, level)
        run(theatre, 1, "BEGIN", *theatre.failing, "COMMIT")
        outcome = theatre.stage.play([[theatre.case.beside, "COMMIT"], [], refresh], [2, 2, 2, 0, 0])
        assert outcome.states == ["40001" if level != "READ COMMITTED" else None, None, None], level
        assert theatre.judge(outcome, level), level


@every_case
def test_a_snapshot_that_shows_the_failure_but_not_the_refresh(theatre: Theatre) -> None:
    """It skips what it can't maintain, and says so."""
    refresh = theatre.refreshing()
    for level in LEVELS if EVERY else LEVELS[:2]:
        theatre.put_back()
        run(theatre, 1, "BEGIN", *theatre.failing, "COMMIT")
        begun(theatre, level)
        assert theatre.locks(0) == set(), level
        outcome = theatre.stage.play([[theatre.case.beside, "COMMIT"], [], refresh], [2, 2, 2, 0, 0])
        assert outcome.states == [None, None, None], level
        assert theatre.judge(outcome, level) is (level == "READ COMMITTED"), level


@over(*(CASES if EVERY else FEW))
def test_a_refresh_at_a_snapshot_doesn_t_vouch_for_what_it_can_t_see(theatre: Theatre) -> None:
    """In a transaction of the caller's that isn't READ COMMITTED: it fails, or the view stays stale."""
    theatre.put_back()
    run(theatre, 0, "BEGIN", theatre.case.beside)
    run(theatre, 1, "BEGIN", *theatre.failing, "COMMIT")
    try:
        with transaction.atomic():
            theatre.area.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            assert theatre.stale() == 1
            run(theatre, 0, "COMMIT")
            theatre.view.refresh()
            assert not theatre.view.is_fresh()
    except django_ivm.RefreshError as error:
        assert error.code == "40001"
    assert theatre.stale() == 1
    theatre.view.refresh()
    theatre.area.check()
    assert theatre.view.is_fresh()


class Writers:
    """Sessions that write at every level, now and then with a maintenance that fails."""

    def __init__(self, area: Area, seed: int, sessions: int = 3) -> None:
        self.stop, self.counts, self.seed = threading.Event(), Counter[str](), seed
        self.threads = [threading.Thread(target=self.write, args=(area.connect(), n)) for n in range(sessions)]

    def write(self, session: psycopg.Connection, number: int) -> None:
        rng = random.Random(f"{self.seed} {number}")
        session.execute("SET deadlock_timeout = '50ms'")
        while not self.stop.is_set():
            try:
                with session.transaction():
                    session.execute(f"SET TRANSACTION ISOLATION LEVEL {rng.choice(LEVELS)}")
                    failing = rng.random() < 0.1
                    session.execute(f"SET LOCAL app.failing = '{'on' if failing else 'off'}'")
                    for _ in range(rng.randint(1, 3)):
                        session.execute(rng.choice((
                            f"INSERT INTO child SELECT max(id) + 1, {rng.randint(1, 4)}, {rng.randint(0, 9)} FROM child "
                            "ON CONFLICT DO NOTHING",
                            f"UPDATE child SET v = {rng.randint(0, 9)}, pid = {rng.randint(1, 4)} "
                            f"WHERE id % 7 = {rng.randrange(7)}",
                            f"DELETE FROM child WHERE id % 5 = {rng.randrange(5)} AND id > 5",
                            f"DELETE FROM parent WHERE id = {rng.randint(1, 4)}",
                            f"INSERT INTO parent VALUES ({rng.randint(1, 4)}, 'x') ON CONFLICT (id) DO UPDATE SET "
                            f"grp = 'g{rng.randrange(3)}'",
                        )))  # fmt: skip
                self.counts["failing" if failing else "committed"] += 1
            except psycopg.Error as error:
                self.counts[error.sqlstate or repr(error)] += 1


@over(*(CASES[:1] + CASES[2:3] + CASES[4:] if EVERY else CASES[:3:2]))
def test_who_says_fresh_is_exact_at_every_snapshot(theatre: Theatre, seed: int) -> None:
    """Writers that fail or don't, refreshes, and a reader that asks in one statement for marks and differences."""
    area, name = theatre.area, f'{theatre.area.schema}."v1"'
    look = (
        "SELECT EXISTS (SELECT 1 FROM django_ivm.stale WHERE view_name = 'v1'), "
        f"ARRAY((SELECT '+' || q::text FROM ({theatre.case.query}) q EXCEPT ALL SELECT '+' || t::text FROM {name} t) "
        f"UNION ALL (SELECT '-' || t::text FROM {name} t EXCEPT ALL SELECT '-' || q::text FROM ({theatre.case.query}) q))"
    )
    reader, writers = area.connect(), Writers(area, seed)
    found: Counter[str] = Counter()

    def refresh() -> None:
        while not writers.stop.is_set():
            try:
                found["refreshes"] += theatre.view.refresh().strategy == "full"
            except django_ivm.RefreshError as error:
                if error.code not in RETRYABLE:
                    raise
                found[error.code] += 1
            time.sleep(0.02)

    with aside(area, refresh) as refreshing:
        for thread in writers.threads:
            thread.start()
        try:
            end = time.monotonic() + (60 if EVERY else 1.5)
            while time.monotonic() < end or not (found["fresh"] and found["stale"] and found["refreshes"]):
                ((stale, different),) = reader.execute(look).fetchall()
                assert stale or not different, f"silently wrong: {different}, seed {seed}, {dict(writers.counts)}"
                found["stale" if stale else "fresh"] += 1
                assert time.monotonic() < end + 60, f"{dict(found)}, {dict(writers.counts)}"
        finally:
            writers.stop.set()
            for thread in writers.threads:
                thread.join()
        refreshing.result(60)
    assert set(writers.counts) <= {"failing", "committed", "40001", "40P01"}
    assert writers.counts["failing"]
    theatre.view.refresh()
    area.check()
    assert theatre.view.is_fresh()
    print(f"{theatre.case.name}: {dict(found)}, {dict(writers.counts)}")


def test_a_refresh_of_its_own_is_read_committed_whatever_the_connection_says(area: Area) -> None:
    area.run(TABLES + ROWS)
    view = area.view("v1", "SELECT pid, sum(100 / v) AS s FROM child GROUP BY pid", on_error="stale")
    area.run("INSERT INTO child VALUES (9, 1, 0)")
    area.run("DELETE FROM child WHERE id = 9")
    area.run("SET default_transaction_isolation = 'repeatable read'")
    try:
        view.refresh()
        assert view.is_fresh()
    finally:
        area.run("RESET default_transaction_isolation")
    area.check()


@pytest.mark.parametrize("level", LEVELS)
def test_writers_of_a_stale_view_never_wait_for_each_other_or_a_refresh_in_flight(area: Area, level: str) -> None:
    area.run(TABLES + ROWS)
    view = area.view("v1", FOLDS.replace("sum(v)", "sum(100 / v)"), on_error="stale")
    area.run("INSERT INTO child VALUES (9, 1, 0)")
    sessions: Sequence = [area.connect() for _ in range(3)]
    for session in sessions:
        session.execute("SET lock_timeout = '2s'")
        session.execute(f"BEGIN ISOLATION LEVEL {level}")
    for number, session in enumerate(sessions):
        session.execute(f"INSERT INTO child VALUES (1{number}, 1, 1)")
    area.run("DELETE FROM child WHERE id = 9")
    with transaction.atomic():  # doesn't wait for them either, and they don't for it
        area.run("SET LOCAL lock_timeout = '2s'")
        view.refresh()
        assert view.is_fresh()
        for number, session in enumerate(sessions):
            session.execute(f"INSERT INTO child VALUES (2{number}, 1, 1)")
    for session in sessions:
        session.execute("COMMIT")
    assert not view.is_fresh()
    view.refresh()
    area.check()
