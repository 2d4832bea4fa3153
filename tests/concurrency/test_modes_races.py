"""Races of modes `commit` and `deferred` by themselves: drains, cleaners, own transactions, changes of mode."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from django.db import connections

import django_ivm
from django_ivm.engine import install as installer
from tests.engine.area import Area

from .modes import clean_script, drain_lock, drain_script, drained, logged
from .scenarios import BAGS, FAMILY, JOINS
from .stepping import LEVELS, Outcome, Session, Stage, interleavings, transaction
from .test_interleavings import put_back
from .traffic import JOIN, ROWS, SUMS, TABLES, aside, until, waiting

BAG, GROUPED = JOINS["bag"], JOINS["grouped"]
VIEWS = {"bag": BAG, "grouped": GROUPED}
PARENT = "UPDATE parent SET grp = grp || 'z' WHERE id = 1"
CHILD = "INSERT INTO child VALUES (10, 1, 9, '')"
MOVE = "UPDATE child SET pid = 1 WHERE id = 3"


@pytest.fixture
def stage(area: Area) -> Iterator[Stage]:
    made = Stage(area, 3)
    yield made
    made.close()


def views(area: Area, mode: str) -> None:
    area.run(BAGS)
    area.run(FAMILY)
    for name, query in VIEWS.items():
        area.view(name, query, mode=mode)


def orders(area: Area, stage: Stage, scripts: list[list[str]], seed: int, most: int = 5) -> Iterator[Outcome]:
    """Outcomes of some interleavings, each from the same rows."""
    schedules = list(interleavings([len(script) for script in scripts]))
    for schedule in random.Random(f"{seed} {scripts}").sample(schedules, min(most, len(schedules))):
        put_back(area, FAMILY, *VIEWS)
        outcome = stage.play(scripts, schedule)
        outcome.messages.append(f"schedule {schedule} of {scripts}")
        yield outcome


def states(outcome: Outcome, *levels: str) -> None:
    """Only sessions whose snapshot may be too old may fail, with 40001."""
    for state, level in zip(outcome.states, levels, strict=True):
        assert state in {None, *(("40001",) if level in LEVELS[1:] else ())}, outcome


HOWS = (
    ("alone", "alone"), ("alone", "READ COMMITTED"), ("READ COMMITTED", "READ COMMITTED"),
    ("alone", "REPEATABLE READ"), ("READ COMMITTED", "SERIALIZABLE"),
)  # fmt: skip


@pytest.mark.parametrize("hows", HOWS, ids=" and ".join)
def test_two_drains_and_a_writer(area: Area, stage: Stage, seed: int, hows: tuple[str, str]) -> None:
    views(area, "deferred")
    scripts = [drain_script(area, VIEWS, how) for how in hows]
    scripts.append(transaction([CHILD, PARENT], "READ COMMITTED"))
    for outcome in orders(area, stage, scripts, seed):
        states(outcome, *hows, "READ COMMITTED")
        drained(area, VIEWS)
        area.check()
        assert logged(area) == 0, outcome


@pytest.mark.parametrize("level", LEVELS)
def test_a_drain_within_a_transaction_that_writes(area: Area, stage: Stage, seed: int, level: str) -> None:
    """Before, between and after its own writes, and taken back with a savepoint."""
    views(area, "deferred")
    drains = "; ".join(f"SELECT django_ivm.drain('{area.schema}', '{name}', '')" for name in VIEWS)
    own = [
        f"UPDATE child SET v = v + 1 WHERE id = 1; {drains}",
        f"INSERT INTO child VALUES (20, 2, 6, ''); SAVEPOINT s; DELETE FROM child WHERE id = 2; {drains}",
        f"ROLLBACK TO s; {drains}; INSERT INTO child VALUES (21, 1, 6, '')",
    ]
    other = [CHILD, "UPDATE parent SET rate = 5 WHERE id = 2"]
    scripts = [transaction(own, level), transaction(other, level), drain_script(area, VIEWS, "alone")]
    for outcome in orders(area, stage, scripts, seed, 8):
        states(outcome, level, level, "alone")
        drained(area, VIEWS)
        area.check()
        assert logged(area) == 0, outcome


@pytest.mark.parametrize("level", LEVELS)
def test_constraints_set_to_immediate_within_a_transaction(area: Area, stage: Stage, seed: int, level: str) -> None:
    """The views are exact inside, further writes are met, and others' changes are neither missed nor met twice."""
    views(area, "commit")
    own = [
        f"{CHILD}; SET CONSTRAINTS ALL IMMEDIATE",
        f"{MOVE}; SET CONSTRAINTS ALL DEFERRED",
        "SAVEPOINT s; DELETE FROM child WHERE id = 10; SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK TO s; "
        "UPDATE child SET v = 8 WHERE id = 10",
    ]
    other = ["UPDATE child SET v = 77 WHERE id = 4", "UPDATE parent SET rate = 9 WHERE id = 1"]
    scripts = [transaction(own, level), transaction(other, level)]
    for outcome in orders(area, stage, scripts, seed, 8):
        states(outcome, level, level)
        area.check()
        assert logged(area) == 0, outcome


TRIGGERS = """
CREATE FUNCTION on_child() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
  UPDATE parent SET rate = rate + 1 WHERE id = NEW.pid; RETURN NULL; END$$;
CREATE FUNCTION on_parent() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
  UPDATE child SET v = v + 100 WHERE pid = NEW.id; RETURN NULL; END$$;
CREATE CONSTRAINT TRIGGER zz AFTER INSERT ON child DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION on_child();
CREATE CONSTRAINT TRIGGER aa AFTER UPDATE ON parent DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (OLD.rate IS DISTINCT FROM NEW.rate) EXECUTE FUNCTION on_parent();
"""


@pytest.mark.parametrize("mode", ["commit", "deferred", "immediate"])
@pytest.mark.parametrize("level", LEVELS[:2])
def test_deferred_triggers_of_the_user_that_write_sources(
    area: Area, stage: Stage, seed: int, mode: str, level: str
) -> None:
    """One that fires before ours writes a table whose trigger fires after ours and writes again."""
    views(area, mode)
    area.run(f"SET search_path = {area.schema}, public; {TRIGGERS}")
    scripts = [
        transaction(["INSERT INTO child VALUES (10, 1, 9, '')"], level),
        transaction(["INSERT INTO child VALUES (11, 3, 9, '')", "UPDATE child SET v = 0 WHERE id = 4"], level),
    ]
    for outcome in orders(area, stage, scripts, seed):
        states(outcome, level, level)
        if mode == "deferred":
            drained(area, VIEWS)
        area.check()
        assert mode == "immediate" or logged(area) == 0, outcome


def test_a_cleaner_never_takes_what_a_drain_may_still_need(area: Area, stage: Stage) -> None:
    views(area, "deferred")
    drainer, cleaner, writer = (session.connection for session in stage.sessions)
    (clean,) = clean_script(area)
    writer.execute(CHILD)
    writer.execute("BEGIN")
    writer.execute(PARENT)
    begin, *drains, _ = drain_script(area, VIEWS, "alone")
    drainer.execute(begin)
    for drain in drains:
        drainer.execute(drain)
    cleaner.execute(clean)
    drainer.execute("ROLLBACK")  # its cursors are as they were
    assert logged(area) > 0
    cleaner.execute(clean)
    drained(area, VIEWS)
    area.check()
    writer.execute("COMMIT")
    cleaner.execute(clean)  # what was open at the last drain's snapshot stays
    drained(area, VIEWS)
    area.check()
    assert logged(area) == 0


def test_a_cleaner_waits_for_nobody_and_holds_nobody(area: Area, stage: Stage) -> None:
    views(area, "deferred")
    drainer, cleaner, writer = (session.connection for session in stage.sessions)
    (clean,) = clean_script(area)
    for session in (drainer, cleaner, writer):
        session.execute("SET lock_timeout = '1s'")
    area.run(CHILD)
    drained(area, VIEWS)
    area.run(PARENT)
    cleaner.execute("BEGIN")
    cleaner.execute(clean)
    stage.area.run(clean)  # a second one goes away
    writer.execute("BEGIN")
    writer.execute(MOVE)
    for script in drain_script(area, VIEWS, "alone"):
        drainer.execute(script)
    writer.execute("COMMIT")
    cleaner.execute("COMMIT")
    drained(area, VIEWS)
    area.check()
    assert logged(area) == 0


def test_drains_of_a_chain_in_any_order(area: Area, stage: Stage, seed: int) -> None:
    """A view over a view, drained by different sessions, beside one at commit and one in its place."""
    area.run(BAGS)
    area.run(FAMILY)
    area.view("bag", BAG, mode="deferred")
    area.view("grouped", "SELECT grp, count(*) AS n FROM bag GROUP BY grp", mode="deferred")
    area.view("at_commit", "SELECT grp, max(v) AS top FROM bag GROUP BY grp", mode="commit")
    area.view("at_once", "SELECT n, count(*) AS k FROM grouped GROUP BY n")
    scripts = [drain_script(area, [name], "alone") for name in VIEWS]
    scripts.append(transaction([CHILD, PARENT], "READ COMMITTED"))
    schedules = list(interleavings([len(script) for script in scripts]))
    for schedule in random.Random(seed).sample(schedules, 8):
        put_back(area, FAMILY, *area.queries)
        outcome = stage.play(scripts, schedule)
        # A drain in whose snapshot another view wasn't drained yet can't maintain what reads both: it runs again.
        assert {*outcome.states} <= {None, "40001"}, outcome
        assert outcome.states[2] is None, outcome
        drained(area, ["bag"])
        drained(area, ["grouped"])
        area.check()
        assert logged(area) == 0, outcome


@pytest.mark.parametrize("query", [JOIN, SUMS, ROWS], ids=["join", "sums", "rows"])
@pytest.mark.parametrize("mode", ["commit", "deferred"])
def test_installing_waits_for_an_uncommitted_write(area: Area, stage: Stage, mode: str, query: str) -> None:
    area.run(TABLES)
    writer, old, _ = (session.connection for session in stage.sessions)
    old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
    writer.execute("BEGIN; INSERT INTO child (pid, v) VALUES (1, 1000)")
    area.queries["v"] = query
    with aside(area, lambda: django_ivm.create_view("v", query, strategy="incremental", mode=mode)) as installing:
        until(lambda: waiting(area) > 0)
        writer.execute("DELETE FROM child WHERE id = 4; COMMIT")
        installing.result(30)
    area.check()
    finish(old, "UPDATE parent SET grp = 'q' WHERE id = 2; UPDATE child SET v = v + 10 WHERE pid = 3")
    area.run("UPDATE child SET v = v + 1 WHERE pid < 4")
    django_ivm.get_view("v").refresh()
    area.check()


def finish(session: object, statement: str) -> None:
    """A transaction whose snapshot is older than what happened: it is exact, or ends with 40001."""
    try:
        session.execute(statement)  # type: ignore[attr-defined]
        session.execute("COMMIT")  # type: ignore[attr-defined]
    except psycopg.Error as error:
        assert getattr(error, "sqlstate", None) == "40001", error
        session.execute("ROLLBACK")  # type: ignore[attr-defined]


CHANGES = [(a, b) for a in ("immediate", "commit", "deferred") for b in ("immediate", "commit", "deferred") if a != b]


@pytest.mark.parametrize("change", CHANGES, ids=" to ".join)
def test_a_change_of_mode_waits_for_open_writers(area: Area, stage: Stage, change: tuple[str, str]) -> None:
    """One that has written is met in the old mode, one that comes in the new one; an older snapshot is exact or fails."""
    before, after = change
    area.run(TABLES)
    for name, query in (("v", JOIN), ("bag", ROWS)):
        area.view(name, query, mode=before)
    writer, old, late = stage.sessions
    old.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
    writer.connection.execute(
        "BEGIN; INSERT INTO child (pid, v) VALUES (1, 1000); UPDATE parent SET grp = 'x' WHERE id = 1"
    )

    def convert() -> None:
        for name in ("v", "bag"):
            installer.install(replace(area.installed(name).spec, mode=after), connections["default"])

    with aside(area, convert) as converting:
        until(lambda: waiting(area) > 0)
        late.start("INSERT INTO child (pid, v) VALUES (1, 2000), (2, 2000)")
        assert not stage.settle(late)
        writer.connection.execute("COMMIT")
        converting.result(30)
    assert late.running is not None
    late.running.result(20)
    late.running = None
    assert {area.installed(name).mode for name in ("v", "bag")} == {after}
    finish(old.connection, "INSERT INTO child (pid, v) VALUES (1, 3000)")
    bring_up(area, after)
    area.run("UPDATE parent SET grp = grp || 'y' WHERE id < 3; DELETE FROM child WHERE v = 1000")
    bring_up(area, after)


def bring_up(area: Area, mode: str) -> None:
    if mode == "deferred":
        drained(area, ["v", "bag"])
    area.check()
    for name in ("v", "bag"):
        assert django_ivm.get_view(name).is_fresh()


@pytest.mark.parametrize("mode", ["commit", "deferred"])
@pytest.mark.parametrize("level", LEVELS)
def test_a_full_refresh_against_open_writes(area: Area, stage: Stage, mode: str, level: str) -> None:
    """It meets what has committed; the rest is met afterwards, and nothing twice."""
    views(area, mode)
    writer, other, _ = (session.connection for session in stage.sessions)
    for session, statement in ((writer, CHILD), (other, PARENT)):
        session.execute(f"BEGIN ISOLATION LEVEL {level}; SELECT 1")
        session.execute(statement)

    def refresh() -> None:
        for name in VIEWS:
            django_ivm.get_view(name).refresh(full=True)

    with aside(area, refresh) as refreshing:
        if mode == "deferred":  # it waits for nobody
            refreshing.result(30)
        writer.execute("COMMIT")
        refreshing.result(30)
    try:
        other.execute("COMMIT")
    except psycopg.Error as error:
        assert (getattr(error, "sqlstate", None), level != "READ COMMITTED") == ("40001", True), error
    for name in VIEWS:
        django_ivm.get_view(name).refresh()
    area.check()
    assert logged(area) == 0


def test_without_its_lock_a_second_drain_fails_instead_of_applying_twice(area: Area, stage: Stage) -> None:
    """The cursor's row guards what the lock orders: a drain with an older snapshot ends with 40001."""
    views(area, "deferred")
    area.run(CHILD)
    one, two, _ = stage.sessions
    lock = drain_lock(area, "bag")
    two.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
    drained(area, ["bag"])
    with pytest.raises(Exception, match="could not serialize") as failure:
        two.connection.execute(f"SELECT django_ivm.drain('{area.schema}', 'bag', '')")
    assert getattr(failure.value, "sqlstate", "") == "40001"
    two.connection.execute("ROLLBACK")
    one.connection.execute(f"BEGIN; LOCK TABLE django_ivm.{lock} IN EXCLUSIVE MODE")
    assert waits(stage, two, drain_script(area, ["bag"], "alone")[0])
    one.connection.execute("ROLLBACK")
    drained(area, VIEWS)
    area.check()


def waits(stage: Stage, session: Session, statement: str) -> bool:
    session.start(statement)
    done = stage.settle(session)
    stage.sessions[0].connection.execute("ROLLBACK")
    assert session.running is not None
    session.running.result(20)
    session.running = None
    session.connection.execute("ROLLBACK")
    return not done
