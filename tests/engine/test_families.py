"""Tables above and below a source: inheritance, partitions of partitions, and what no trigger tells of."""

from __future__ import annotations

import random

import pytest
from django.db import transaction

import django_ivm
from django_ivm.errors import NotIncrementalError

from .area import Area

# One child has its columns in another order and a dropped one; one has a child of its own; ids repeat over the family.
_TABLES = (
    "CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL, v numeric(8,2)); CREATE TABLE plain_kid (extra text) INHERITS (t); "
    "CREATE TABLE odd_kid (v numeric(8,2), gone text, k int NOT NULL, z int, id int NOT NULL); "
    "ALTER TABLE odd_kid DROP COLUMN gone; ALTER TABLE odd_kid INHERIT t; "
    "CREATE TABLE grandkid (more text) INHERITS (plain_kid); "
    "CREATE TABLE names (k int PRIMARY KEY, name text); INSERT INTO names SELECT i, 'n' || i % 3 FROM generate_series(0, 6) i; "
    "INSERT INTO t SELECT i, i % 5, i FROM generate_series(1, 9) i; "
    "INSERT INTO plain_kid SELECT i, i % 5, i, 'x' FROM generate_series(5, 14) i; "
    "INSERT INTO odd_kid (id, k, v, z) SELECT i, i % 5, i, i FROM generate_series(1, 8) i; "
    "INSERT INTO grandkid SELECT i, i % 5, i, 'y', 'z' FROM generate_series(1, 6) i"
)
_VIEWS = {
    "rows_of_all": "SELECT id, k, v FROM t WHERE v > 2",
    "sums": "SELECT k, count(*) AS n, sum(v) AS s, max(v) AS top FROM t GROUP BY k",
    "joined": "SELECT t.id, n.name, t.v FROM t JOIN names n ON n.k = t.k",
    "by_name": "SELECT n.name, count(*) AS n, min(t.v) AS least FROM t JOIN names n ON n.k = t.k GROUP BY n.name",
    "pairs": "SELECT a.id, b.v FROM t a JOIN t b ON b.id = a.k",
    "ids": "SELECT DISTINCT id FROM t",
    "of_the_kid": "SELECT k, count(*) AS n FROM names GROUP BY k",
}
_TARGETS = ("t", "ONLY t", "plain_kid", "ONLY plain_kid", "odd_kid", "grandkid")


@pytest.fixture
def family(area: Area) -> Area:
    area.run(_TABLES)
    for name, query in _VIEWS.items():
        area.view(name, query)
    return area


def _write(rng: random.Random, fresh: int) -> str:
    target, some = rng.choice(_TARGETS), f"id % {rng.randint(2, 5)} = {rng.randint(0, 1)}"
    one, k = rng.choice(["t", "plain_kid", "odd_kid", "grandkid"]), rng.randint(0, 6)
    return rng.choice(
        [
            f"INSERT INTO {one} (id, k, v) SELECT {fresh} + g, {k}, g FROM generate_series(1, {rng.randint(1, 4)}) g",
            f"UPDATE {target} SET v = v + {rng.randint(0, 2)} WHERE {some}",
            f"UPDATE {target} SET k = {k} WHERE {some}",
            f"DELETE FROM {target} WHERE id % 13 = {rng.randint(0, 12)}",
            f"TRUNCATE {rng.choice(['grandkid', 'ONLY plain_kid', 'odd_kid'])}" if rng.random() < 0.2 else "SELECT 1",
            f"WITH d AS (DELETE FROM {target} WHERE id % 7 = {rng.randint(0, 6)} RETURNING *) "
            f"INSERT INTO {one} (id, k, v) SELECT {fresh} + row_number() OVER (), k, v FROM d",
            f"WITH u AS (UPDATE {target} SET v = v + 1 WHERE {some} RETURNING 1), n AS (UPDATE names SET name = 'w' WHERE k = {k}) "
            f"UPDATE odd_kid SET z = 1, k = {k} WHERE id = {rng.randint(1, 9)}",
            f"MERGE INTO {target} m USING (SELECT DISTINCT id FROM t WHERE id < 9) s ON m.id = s.id WHEN MATCHED AND m.k = {k} "
            "THEN DELETE WHEN MATCHED THEN UPDATE SET v = m.v + 1",
            f"UPDATE names SET name = 'n{k}' WHERE k = {rng.randint(0, 6)}",
            "UPDATE plain_kid SET extra = 'other'",
        ]
    )


def test_writes_anywhere_in_a_family(family: Area, rng: random.Random) -> None:
    for i in range(45):
        family.step(_write(rng, 1000 + 10 * i))
    family.step("TRUNCATE t")
    family.step("INSERT INTO grandkid (id, k, v) VALUES (1, 1, 1)")
    assert all(django_ivm.get_view(name).is_fresh() for name in _VIEWS)


def test_no_write_to_a_family_recomputes_everything(family: Area) -> None:
    family.forbid_recompute()
    for target in _TARGETS:
        family.step(f"UPDATE {target} SET v = v + 1, k = 2 WHERE id % 2 = 0")
        family.step(f"DELETE FROM {target} WHERE id % 3 = 0")


def test_a_key_of_the_parent_is_none_of_the_family(family: Area) -> None:
    """The parent's primary key holds in the parent alone: rows of one id stand as often as the query has them."""
    family.step("INSERT INTO grandkid (id, k, v) VALUES (3, 3, 3), (3, 3, 3)")
    family.step("DELETE FROM ONLY t WHERE id = 3")
    family.step("DELETE FROM grandkid WHERE ctid = (SELECT min(ctid) FROM grandkid WHERE id = 3)")


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE late () INHERITS (t)",
        "CREATE TABLE late () INHERITS (grandkid)",
        "CREATE TEMPORARY TABLE late () INHERITS (t)",
        "CREATE TABLE late (id int NOT NULL, k int NOT NULL, v numeric(8,2)); ALTER TABLE late INHERIT t",
        "CREATE TABLE above (id int); ALTER TABLE grandkid INHERIT above",
        "CREATE TABLE above (id int); ALTER TABLE t INHERIT above",
    ],
)
def test_a_family_that_grows_is_noticed(family: Area, change: str) -> None:
    assert django_ivm.get_view("sums").is_fresh()
    family.run(change)
    for name in _VIEWS.keys() - {"of_the_kid"}:
        assert not django_ivm.get_view(name).is_fresh()
        assert django_ivm.get_view(name).status().outdated
    assert django_ivm.get_view("of_the_kid").is_fresh()


def test_a_child_that_leaves(family: Area) -> None:
    """Its rows go without a trigger: verify tells."""
    family.run("ALTER TABLE odd_kid NO INHERIT t")
    view = django_ivm.get_view("sums")
    assert not view.verify().ok
    view.refresh(full=True)
    family.check("sums")
    family.run("UPDATE odd_kid SET v = 100; DELETE FROM odd_kid")
    assert view.verify().ok or not view.is_fresh()


def _refused(area: Area, query: str) -> str:
    with pytest.raises(NotIncrementalError) as raised:
        area.view("refused", query)
    code = str(raised.value.code)
    area.view("refused", query, strategy="auto")
    return code


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM plain_kid",
        "SELECT id FROM ONLY t",
        "SELECT t.id FROM t JOIN grandkid g ON g.id = t.id",
        "SELECT id FROM t UNION ALL SELECT id FROM odd_kid",
    ],
)
@pytest.mark.parametrize("target", _TARGETS)
def test_what_is_refused_is_marked_by_writes_anywhere(area: Area, query: str, target: str) -> None:
    """A statement fires the triggers of the table it names alone: a fallback is marked through all of them."""
    area.run(_TABLES)
    assert _refused(area, query) == "INHERITANCE"
    view = django_ivm.get_view("refused")
    for write in (f"UPDATE {target} SET id = id + 100", f"DELETE FROM {target} WHERE k = 1"):
        assert view.is_fresh()
        area.run(write)
        assert not area.wrong("refused") or not view.is_fresh()
        view.refresh()
        area.check()


def test_a_leaf_read_by_its_own_name(area: Area) -> None:
    """Writes through the partitioned table fire none of the leaf's triggers."""
    area.run(
        "CREATE TABLE p (k int, v int) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); "
        "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p VALUES (1, 1), (2, 2)"
    )
    assert _refused(area, "SELECT v, count(*) AS n FROM p1 GROUP BY v") == "INHERITANCE"
    view = django_ivm.get_view("refused")
    for write in ("INSERT INTO p VALUES (1, 5)", "UPDATE p SET k = 1", "DELETE FROM p1", "TRUNCATE p"):
        assert view.is_fresh()
        area.run(write)
        assert not view.is_fresh()
        view.refresh()
        area.check()


def test_two_parents_of_one_child(area: Area) -> None:
    area.run(
        "CREATE TABLE a (id int, v int); CREATE TABLE b (id int, w int); CREATE TABLE ab () INHERITS (a, b); "
        "INSERT INTO ab VALUES (1, 2, 3)"
    )
    assert _refused(area, "SELECT id, v FROM a") == "INHERITANCE"
    view = django_ivm.get_view("refused")
    area.run("UPDATE b SET id = 7")
    assert not view.is_fresh()
    view.refresh()
    area.check()


def test_partitions_of_partitions_and_unlogged_tables(area: Area, rng: random.Random) -> None:
    area.run(
        "CREATE TABLE p (id int, k int, v int) PARTITION BY RANGE (k); "
        "CREATE TABLE p1 (v int, id int, k int) PARTITION BY LIST (v); ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (0) TO (5); "
        "CREATE TABLE p11 PARTITION OF p1 DEFAULT; CREATE UNLOGGED TABLE p12 PARTITION OF p1 FOR VALUES IN (1, 2); "
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (5) TO (50); CREATE UNLOGGED TABLE u (k int PRIMARY KEY, name text); "
        "INSERT INTO u SELECT i, 'n' || i % 3 FROM generate_series(0, 9) i; INSERT INTO p SELECT i, i % 10, i % 4 FROM generate_series(1, 40) i"
    )
    area.view("sums", "SELECT u.name, count(*) AS n, sum(p.v) AS s FROM p JOIN u ON u.k = p.k GROUP BY u.name")
    area.view("all_rows", "SELECT id, k, v FROM p")
    area.forbid_recompute()
    for i in range(25):
        target = rng.choice(["p", "p1", "p11", "p12", "p2"])
        k, v = (
            (rng.randint(5, 9), rng.randint(0, 5))
            if target == "p2"
            else (rng.randint(0, 4), {"p11": 9, "p12": 2}.get(target, 1))
        )
        area.step(
            rng.choice(
                [
                    f"INSERT INTO {target} (id, k, v) VALUES ({100 + i}, {k}, {v})",
                    f"UPDATE {target} SET id = id + 1 WHERE id % 3 = 0",
                    f"DELETE FROM {target} WHERE id % 17 = {i % 17}",
                    f"UPDATE p SET k = (k + {i}) % 10, v = v + 1 WHERE id % 4 = 0",
                    f"UPDATE u SET name = 'w{i % 3}' WHERE k % 3 = {i % 3}",
                ]
            )
        )


def test_a_foreign_partition(area: Area) -> None:
    """It takes no trigger, and with transition tables above it writes would fail: the view is never called fresh."""
    area.run(
        "CREATE FOREIGN DATA WRAPPER area_far; CREATE SERVER area_files FOREIGN DATA WRAPPER area_far; "
        "CREATE TABLE p (k int, v int) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); "
        "CREATE FOREIGN TABLE p2 PARTITION OF p FOR VALUES IN (2) SERVER area_files"
    )
    try:
        assert _refused(area, "SELECT v, k FROM p WHERE k = 1") == "SOURCE"
        view = django_ivm.get_view("refused")
        assert not view.is_fresh()
        area.run("INSERT INTO p VALUES (1, 1)")
        area.run("UPDATE p SET v = 2 WHERE k = 1")
        assert area.run("SELECT count(*) FROM django_ivm.stale WHERE view_name = 'refused'") != [(0,)]
        assert not view.status().outdated
    finally:
        django_ivm.drop_view("refused")
        area.queries.clear()
        area.run("DROP FOREIGN DATA WRAPPER area_far CASCADE")


def test_a_foreign_partition_that_comes_later(area: Area) -> None:
    area.run(
        "CREATE FOREIGN DATA WRAPPER area_far; CREATE SERVER area_files FOREIGN DATA WRAPPER area_far; "
        "CREATE TABLE t (k int, v int); CREATE TABLE kid () INHERITS (t)"
    )
    view = area.view("sums", "SELECT k, sum(v) AS s FROM t GROUP BY k")
    assert view.is_fresh()
    with transaction.atomic():
        area.run("CREATE FOREIGN TABLE far () INHERITS (t) SERVER area_files")
        assert not view.is_fresh()
        transaction.set_rollback(True)
    area.run("DROP FOREIGN DATA WRAPPER area_far CASCADE")
