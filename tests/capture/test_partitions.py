"""Partitions, inheritance, and the ways past every trigger, which verify or status must tell of."""

from __future__ import annotations

import pytest
from django.db import transaction

import django_ivm
from tests.engine.area import Area

from .test_what_fires import TABLES


@pytest.fixture
def parts(area: Area) -> Area:
    """A partitioned table, one leaf with its columns in another order and a dropped one among them."""
    area.run(
        "CREATE TABLE p (id int, k int, v int) PARTITION BY RANGE (k); "
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); "
        "CREATE TABLE p2 (v int, gone text, k int, id int); ALTER TABLE p2 DROP COLUMN gone; "
        "ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20); "
        "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (40) PARTITION BY RANGE (k); "
        "CREATE TABLE p31 PARTITION OF p3 FOR VALUES FROM (20) TO (30); CREATE INDEX ON p (k); "
        "CREATE TABLE names (k int PRIMARY KEY, name text); INSERT INTO names SELECT i, 'n' || i % 4 FROM "
        "generate_series(0, 39) i; "
        "INSERT INTO p SELECT i, i, i FROM generate_series(0, 29) i"
    )
    area.view("grouped", "SELECT v % 5 AS g, count(*) AS n, sum(v) AS s, max(v) AS top FROM p GROUP BY v % 5")
    area.view("named", "SELECT n.name, count(*) AS n, sum(p.v) AS s FROM p JOIN names n ON n.k = p.k GROUP BY n.name")
    area.view("plain", "SELECT k, v FROM p WHERE v > 3")
    return area


def test_partitions(parts: Area) -> None:
    parts.forbid_recompute()
    parts.step("INSERT INTO p VALUES (50, 5, 1), (51, 15, 2), (52, 25, 3)")
    parts.step("UPDATE p SET v = v + 1 WHERE k < 15")
    parts.step("UPDATE p SET k = k + 10 WHERE k BETWEEN 5 AND 12")  # rows move to another leaf
    parts.step("DELETE FROM p WHERE id % 7 = 0")
    parts.step("INSERT INTO p1 VALUES (60, 3, 9)")
    parts.step("INSERT INTO p2 (id, k, v) VALUES (61, 13, 9)")
    parts.step("UPDATE p2 SET v = 77")
    parts.step("UPDATE p31 SET v = v * 2 WHERE id % 2 = 0")
    parts.step("DELETE FROM p3 WHERE v > 40")
    parts.step("WITH d AS (DELETE FROM p1 RETURNING *) INSERT INTO p2 (id, k, v) SELECT id, 11, v FROM d")
    parts.step("WITH u AS (UPDATE names SET name = 'x' WHERE k > 9) UPDATE p SET v = v + 1")
    parts.step(
        "MERGE INTO p USING (SELECT id FROM p WHERE k < 10 UNION ALL VALUES (99)) s ON p.id = s.id "
        "WHEN MATCHED AND v > 80 THEN DELETE WHEN MATCHED THEN UPDATE SET v = v + 5 WHEN NOT MATCHED THEN "
        "INSERT VALUES (s.id, 21, 0)"
    )
    with parts.connect() as session, session.cursor() as cursor, cursor.copy("COPY p FROM STDIN") as copy:
        for i in range(200):
            copy.write_row((1000 + i, i % 30, i))
    parts.check()


@pytest.mark.parametrize(
    "insert", ["", "WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.k, 0)"], ids=["", "with an insert"]
)
def test_merge_that_moves_rows_between_partitions(parts: Area, insert: str) -> None:
    """PostgreSQL shows such a row's old image to no statement trigger: the view is exact or says it may not be."""
    parts.run(
        "MERGE INTO p USING (VALUES (12, 4), (99, 21)) s(id, k) ON p.id = s.id WHEN MATCHED THEN UPDATE "
        f"SET k = s.k {insert}"
    )
    for name in parts.queries:
        view = django_ivm.get_view(name)
        assert not (view.is_fresh() and parts.wrong(name))
        view.refresh()
        assert view.is_fresh()
    parts.step("UPDATE p SET v = v + 1 WHERE id < 20")
    assert all(django_ivm.get_view(name).is_fresh() for name in parts.queries)


def test_partitions_truncated(parts: Area) -> None:
    parts.step("TRUNCATE p2")
    parts.step("TRUNCATE p3")
    parts.step("DO $$BEGIN INSERT INTO p VALUES (1, 1, 1); TRUNCATE p1; INSERT INTO p VALUES (2, 2, 2); END$$")
    parts.step("TRUNCATE p")


def test_partitions_come_and_go_unseen(parts: Area) -> None:
    """No trigger tells of ATTACH and DETACH: status or verify does."""
    parts.run("ALTER TABLE p DETACH PARTITION p2")
    for name in parts.queries:
        view = django_ivm.get_view(name)
        assert not view.verify().ok
        assert not view.verify(repair=True).ok  # says what was found
        assert view.verify().ok
    parts.run("ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20)")
    for name in parts.queries:
        assert not django_ivm.get_view(name).verify().ok
        django_ivm.get_view(name).refresh(full=True)
    parts.check()
    parts.run("CREATE TABLE p4 PARTITION OF p FOR VALUES FROM (40) TO (50)")
    parts.step("INSERT INTO p VALUES (1, 41, 1)")  # the parent's own trigger sees it
    parts.run("INSERT INTO p4 VALUES (2, 42, 100)")
    for name in ("grouped", "plain"):
        view = django_ivm.get_view(name)
        assert not view.verify().ok
        assert view.status().outdated or not view.is_fresh()


def test_inheritance(area: Area) -> None:
    area.run("CREATE TABLE t (id int, v int); CREATE TABLE kid (extra int) INHERITS (t); INSERT INTO t VALUES (1, 1)")
    view = area.view("totals", "SELECT v, count(*) AS n FROM t GROUP BY v", strategy="auto")
    area.run("INSERT INTO kid VALUES (2, 2, 2)")
    if view.status().strategy == "full":
        assert not view.is_fresh()
        view.refresh()
        area.check()
    else:
        area.check()


def test_a_child_table_that_comes_later_is_found(area: Area) -> None:
    area.run("CREATE TABLE t (id int, v int); INSERT INTO t VALUES (1, 1)")
    view = area.view("totals", "SELECT v, count(*) AS n FROM t GROUP BY v")
    area.run("CREATE TABLE kid () INHERITS (t)")
    area.run("INSERT INTO kid VALUES (2, 2)")
    assert not view.verify().ok
    view.refresh(full=True)
    area.check()
    area.step("UPDATE t SET v = 3")  # reaches the child's rows too
    area.step("DELETE FROM t WHERE id = 2")


def test_replica_role_is_found(area: Area) -> None:
    area.run(TABLES)
    view = area.view("ab", "SELECT a.g, count(*) AS n, sum(b.w) AS s FROM a JOIN b ON b.aid = a.id GROUP BY a.g")
    with transaction.atomic():
        area.run("SET LOCAL session_replication_role = replica")
        area.run("UPDATE b SET w = w + 1 WHERE id < 5")
        area.run("SET LOCAL session_replication_role = origin")
    result = view.verify()
    assert not result.ok
    assert result.missing == result.unexpected > 0
    assert view.verify(repair=True).ok is False
    assert view.verify().ok
    area.step("UPDATE b SET w = w + 1")


@pytest.mark.parametrize("which", ["ALL", "USER"])
def test_disabled_triggers_are_found(area: Area, which: str) -> None:
    area.run(TABLES)
    view = area.view("sums", "SELECT g, sum(v) AS s FROM a GROUP BY g")
    assert view.is_fresh()
    area.run(f"ALTER TABLE a DISABLE TRIGGER {which}")
    area.run("UPDATE a SET v = v + 1")
    assert not view.is_fresh()
    assert view.status().outdated
    assert not view.verify().ok
    area.run(f"ALTER TABLE a ENABLE TRIGGER {which}")
    view.refresh(full=True)
    assert view.is_fresh()
    area.step("UPDATE a SET v = v + 1")


def test_a_dropped_trigger_is_found(area: Area) -> None:
    area.run(TABLES)
    view = area.view("sums", "SELECT g, sum(v) AS s FROM a GROUP BY g")
    name = area.value("SELECT min(tgname) FROM pg_trigger WHERE tgrelid = 'a'::regclass AND tgname LIKE 'ivm%%'")
    area.run(f'DROP TRIGGER "{name}" ON a')
    assert view.status().outdated
    assert not view.is_fresh()
