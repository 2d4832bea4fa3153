"""Modes `commit` and `deferred`: what is pending, what a drain leaves, and from one mode to another."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from tests.engine.area import Area

VIEWS = {
    "bag": "SELECT c.v, p.grp FROM child c JOIN parent p ON p.id = c.pid",
    "keyed": "SELECT c.id, c.v, p.grp FROM child c JOIN parent p ON p.id = c.pid",
    "sums": "SELECT p.grp, count(*) AS n, sum(c.v) AS s, max(c.v) AS top FROM child c JOIN parent p ON p.id = c.pid GROUP BY p.grp",
    "single": "SELECT pid, count(*) AS n, sum(v) AS s FROM child GROUP BY pid",
    "levels": "SELECT n, count(*) AS groups FROM (SELECT pid, count(*) AS n FROM child GROUP BY pid) q GROUP BY n",
    "mixed": "SELECT p.id, p.grp, q.n FROM parent p LEFT JOIN (SELECT pid, count(*) AS n FROM child GROUP BY pid) q ON q.pid = p.id",
    "twice": "SELECT a.id AS a, b.id AS b FROM child a JOIN child b ON a.v = b.v AND a.id < b.id",
    "missing": "SELECT id FROM parent p WHERE NOT EXISTS (SELECT 1 FROM child c WHERE c.pid = p.id)",
    "ranks": "SELECT id, pid, rank() OVER (PARTITION BY pid ORDER BY v, id) AS place FROM child",
    "top": "SELECT id, v FROM child ORDER BY v DESC, id LIMIT 3",
    "all_of_it": "SELECT count(*) AS n, max(v) AS top FROM child",
    "either": "SELECT v AS x FROM child UNION SELECT id FROM parent",
}
WRITES = (
    "INSERT INTO child (id, pid, v) VALUES (100, 1, 5), (101, 2, 6)",
    "UPDATE child SET v = v + 1 WHERE id % 3 = 0",
    "UPDATE parent SET grp = 'x' WHERE id = 1",
    "WITH gone AS (DELETE FROM child WHERE id = 100 RETURNING pid) UPDATE parent SET grp = 'y' FROM gone WHERE id = gone.pid",
    "INSERT INTO parent VALUES (9, 'new'); INSERT INTO child (id, pid, v) SELECT i, 9, i FROM generate_series(200, 340) i",
    "DELETE FROM child WHERE pid = 2",
    "UPDATE child SET pid = 2 WHERE id BETWEEN 210 AND 215",
    "UPDATE child SET note = 'unread'",
    "DELETE FROM parent WHERE id IN (3, 4)",
)


@pytest.fixture
def family(area: Area) -> Area:
    area.run("""
        CREATE TABLE parent (id int PRIMARY KEY, grp text);
        CREATE TABLE child (id int PRIMARY KEY, pid int, v int, note text); CREATE INDEX ON child (pid);
        INSERT INTO parent SELECT i, 'g' || i % 3 FROM generate_series(1, 8) i;
        INSERT INTO child SELECT i, i % 8 + 1, i % 7 FROM generate_series(1, 60) i;
        """)
    return area


@pytest.mark.parametrize("name", VIEWS)
def test_a_deferred_view_equals_its_query_after_each_drain(family: Area, name: str) -> None:
    view = family.view(name, VIEWS[name], mode="deferred")
    family.forbid_recompute()
    for write in WRITES:
        before = family.run(f'SELECT t::text FROM "{name}" t ORDER BY 1')
        family.run(write)
        assert family.run(f'SELECT t::text FROM "{name}" t ORDER BY 1') == before
        pending = view.status().pending
        assert view.is_fresh() == (pending == 0)
        result = view.refresh()
        assert (result.strategy, result.deltas) == ("incremental", pending)
        family.check()
        assert view.is_fresh()
    for write in WRITES[:4]:
        family.run(write.replace("100", "1000").replace("101", "1001"))
    view.refresh()
    family.check()
    assert family.value("SELECT count(*) FROM django_ivm.stale WHERE view_schema = %s", family.schema) == 0


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_in_mode_commit_equals_its_query_after_each_transaction(family: Area, name: str) -> None:
    view = family.view(name, VIEWS[name], mode="commit")
    family.forbid_recompute()
    for write in WRITES:
        family.step(write)
        assert view.is_fresh()
    with transaction.atomic():
        for write in WRITES[:4]:
            family.run(write.replace("100", "1000").replace("101", "1001"))
        assert not view.is_fresh()
    family.check()
    assert family.value("SELECT count(*) FROM django_ivm.pending") == 0
    assert family.value("SELECT count(*) FROM django_ivm.stale WHERE view_schema = %s", family.schema) == 0
    for (log,) in family.run("SELECT log FROM django_ivm.log"):
        assert family.value(f"SELECT count(*) FROM django_ivm.{log}") == 0


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_goes_from_mode_to_mode(family: Area, name: str) -> None:
    from django_ivm.engine import install as installer

    view = family.view(name, VIEWS[name])
    storage = ".".join(family.installed(name).storage)
    oid = family.value("SELECT to_regclass(%s)::oid", storage)
    modes = ["deferred", "commit", "immediate", "commit", "deferred", "immediate"]
    for mode, write in zip(modes, WRITES, strict=False):
        spec = family.installed(name).spec
        family.run(write.replace("child", "child"))
        from dataclasses import replace

        installer.install(replace(spec, mode=mode), connection)
        assert family.installed(name).mode == mode
        assert family.value("SELECT to_regclass(%s)::oid", storage) == oid
        family.check()
        family.run("UPDATE child SET v = v + 1 WHERE id % 5 = 0; UPDATE parent SET grp = 'z' || grp WHERE id = 5")
        view.refresh()
        family.check()
        assert view.is_fresh()


def test_truncate_is_met_by_computing_anew(family: Area) -> None:
    later = family.view("later", VIEWS["sums"], mode="deferred")
    family.view("at_commit", VIEWS["sums"], mode="commit")
    family.run("TRUNCATE child; INSERT INTO child VALUES (1, 1, 1)")
    family.check("at_commit")
    assert not later.is_fresh()
    assert later.refresh().strategy == "full"
    family.check()
    family.run("INSERT INTO child VALUES (2, 1, 1)")
    assert later.refresh().strategy == "incremental"
    family.check()


def test_a_drain_inside_a_transaction_meets_its_own_writes_once(family: Area) -> None:
    view = family.view("v", VIEWS["sums"], mode="deferred")
    with transaction.atomic():
        family.run(WRITES[0])
        view.refresh()
        family.check()
        family.run(WRITES[1])
        with transaction.atomic():
            family.run(WRITES[2])
            view.refresh()
            family.check()
            transaction.set_rollback(True)
        assert not view.is_fresh()
        view.refresh()
        family.check()
        family.run(WRITES[3])
    assert not view.is_fresh()
    view.refresh()
    family.check()


def test_constraints_set_to_immediate_flush(family: Area) -> None:
    family.view("v", VIEWS["sums"], mode="commit")
    family.view("other", VIEWS["bag"], mode="deferred")
    with transaction.atomic():
        family.run(WRITES[0])
        family.run("SET CONSTRAINTS ALL IMMEDIATE")
        family.check("v")
        family.run(WRITES[3])
        family.run("SET CONSTRAINTS ALL IMMEDIATE")
        family.check("v")
        family.run("SET CONSTRAINTS ALL DEFERRED")
        family.run(WRITES[2])
    family.check("v")


def test_views_of_all_modes_over_one_another(family: Area) -> None:
    first = family.view("first", VIEWS["single"], mode="deferred")
    family.view("at_once", "SELECT n, count(*) AS k FROM first GROUP BY n")
    family.view("at_commit", "SELECT f.pid, p.grp, f.n FROM first f JOIN parent p ON p.id = f.pid", mode="commit")
    last = family.view("last", "SELECT grp, sum(n) AS n FROM at_commit GROUP BY grp", mode="deferred")
    for write in WRITES:
        family.run(write)
        family.check("at_once", "at_commit")
        last.refresh()
        family.check()
        assert last.is_fresh()
        assert first.is_fresh()


def test_a_row_that_came_and_went_is_met_by_no_expression(family: Area) -> None:
    family.run("UPDATE child SET v = 2")
    view = family.view("v", "SELECT id, 10 / v AS share FROM child", mode="deferred")
    family.run("INSERT INTO child VALUES (500, 1, 0); DELETE FROM child WHERE id = 500")
    assert view.refresh().strategy == "incremental"
    family.check()


def test_changes_that_cannot_be_applied_are_computed_anew(family: Area) -> None:
    family.run("UPDATE child SET v = 2; ALTER TABLE child ADD share numeric; UPDATE child SET share = id")
    view = family.view("v", "SELECT id, v / share AS s FROM child", mode="deferred")
    family.run("INSERT INTO child VALUES (500, 1, 1, '', 0); DELETE FROM child WHERE id = 500")
    result = view.refresh()
    assert (result.strategy, "division by zero" in result.reason) == ("full", True)
    family.check()


def test_a_row_written_often_costs_its_first_and_last_state(family: Area) -> None:
    view = family.view("v", VIEWS["keyed"], mode="deferred")
    family.run(
        "CREATE TABLE seen (n int); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
        f"INSERT INTO {family.schema}.seen SELECT count(*) FROM ivm_new; RETURN NULL; END$$"
    )
    storage = ".".join(family.installed("v").storage)
    family.run(
        f"CREATE TRIGGER note AFTER INSERT ON {storage} REFERENCING NEW TABLE AS ivm_new "
        "FOR EACH STATEMENT EXECUTE FUNCTION note()"
    )
    for i in range(10):
        family.run("UPDATE child SET v = %s WHERE id = 7", 100 + i)
    assert view.refresh().deltas == 20
    family.check()
    assert family.value("SELECT coalesce(sum(n), 0) FROM seen") <= 1
