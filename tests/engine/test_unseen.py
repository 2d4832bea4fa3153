"""What no trigger tells of: a view says that it may have missed writes, and a refresh or a repair heals it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import checks
from django.db import connection, transaction

import django_ivm
from django_ivm.checks_installed import check_installed_views
from django_ivm.engine import install as installer
from tests.not_kept import NOT_KEPT

from .area import Area

TABLES = """
CREATE TABLE region (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE sale (id int PRIMARY KEY, rid int NOT NULL, v int, note text);
INSERT INTO region SELECT i, 'r' || i FROM generate_series(1, 4) i;
INSERT INTO sale SELECT i, i % 4 + 1, i % 7, '' FROM generate_series(1, 40) i
"""
SUMS = "SELECT rid, count(*) AS n, sum(v) AS s, avg(v) AS mean FROM sale GROUP BY rid"
NAMED = "SELECT s.id, r.name, s.v FROM sale s JOIN region r ON r.id = s.rid"
PLAIN = "SELECT v, rid FROM sale"
SIZES = "SELECT n, count(*) AS regions FROM (SELECT rid, count(*) AS n FROM sale GROUP BY rid) g GROUP BY n"
MODES = ("immediate", "commit", "deferred", "manual")
UNSEEN = (
    "UPDATE sale SET v = v + 100 WHERE id < 9; DELETE FROM sale WHERE id = 20; INSERT INTO sale VALUES (99, 9, 1, '')"
)


@pytest.fixture
def sales(area: Area) -> Area:
    area.run(TABLES)
    return area


def doubted(area: Area, *names: str) -> None:
    """None of these says that it is fresh, all of them say why, and the checks do too."""
    for name in names or area.queries:
        view = django_ivm.get_view(name)
        status = view.status()
        assert not view.is_fresh(), name
        assert status.stale
        assert status.doubts, name
        assert not status.outdated
        assert any(m.id == "django_ivm.W011" and f".{name} " in m.msg for m in messages()), name


def messages() -> list[checks.CheckMessage]:
    return check_installed_views(databases=["default"])


def healed(area: Area, *names: str) -> None:
    """After an ordinary refresh each is exact and fresh, and kept from there."""
    for name in names or tuple(area.queries):
        result = django_ivm.get_view(name).refresh()
        assert result.strategy == "full"
        assert django_ivm.get_view(name).is_fresh(), name
        assert not django_ivm.get_view(name).status().doubts
    area.check(*names)


def kept(area: Area, statement: str) -> None:
    area.run(statement)
    for name in area.queries:
        django_ivm.get_view(name).refresh()
    area.check()


@pytest.fixture
def in_mode(sales: Area) -> Area:
    """Views in every mode."""
    for mode in MODES:
        sales.view(f"sums_{mode}", SUMS, mode=mode)
    for mode in ("immediate", "deferred"):
        sales.view(f"named_{mode}", NAMED, mode=mode)
    return sales


def test_triggers_disabled_and_enabled_again(in_mode: Area) -> None:
    in_mode.run("ALTER TABLE sale DISABLE TRIGGER ALL")
    assert all(django_ivm.get_view(name).status().outdated for name in in_mode.queries)
    in_mode.run(UNSEEN)
    in_mode.run("ALTER TABLE sale ENABLE TRIGGER ALL")
    assert all(in_mode.wrong(name) for name in in_mode.queries)
    doubted(in_mode)
    healed(in_mode)
    kept(in_mode, "UPDATE sale SET v = v + 1")


def test_the_same_in_one_transaction(in_mode: Area) -> None:
    for ending in ("rolled back", "committed"):
        with transaction.atomic():
            in_mode.run("ALTER TABLE sale DISABLE TRIGGER USER")
            in_mode.run(UNSEEN)
            in_mode.run("ALTER TABLE sale ENABLE TRIGGER USER")
            transaction.set_rollback(ending == "rolled back")
        if ending == "rolled back":
            in_mode.check()
            assert all(django_ivm.get_view(name).is_fresh() for name in in_mode.queries)
    doubted(in_mode)
    healed(in_mode)


def test_one_trigger_alone(sales: Area) -> None:
    sales.view("sums", SUMS)
    sales.view("regions", "SELECT name, count(*) AS n FROM region GROUP BY name")
    name = sales.value(
        "SELECT min(tgname) FROM pg_trigger WHERE tgrelid = 'sale'::regclass AND tgname LIKE 'ivm%%update%%'"
    )
    sales.run(f'ALTER TABLE sale DISABLE TRIGGER "{name}"')
    sales.run("UPDATE sale SET v = 9")
    sales.run(f'ALTER TABLE sale ENABLE TRIGGER "{name}"')
    doubted(sales, "sums")
    assert django_ivm.get_view("regions").is_fresh()
    healed(sales, "sums")


def test_a_refresh_while_they_are_disabled_does_not_make_it_fresh(sales: Area) -> None:
    view = sales.view("sums", SUMS)
    sales.run("ALTER TABLE sale DISABLE TRIGGER USER")
    view.refresh(full=True)
    sales.check()
    assert not view.is_fresh()
    sales.run(UNSEEN)
    sales.run("ALTER TABLE sale ENABLE TRIGGER USER")
    doubted(sales)
    healed(sales)


def test_a_transaction_that_disables_them_during_a_refresh(sales: Area) -> None:
    """The note is of before the refresh: what commits later makes it old."""
    view = sales.view("sums", SUMS)
    other = sales.connect(autocommit=False)
    other.execute("ALTER TABLE sale DISABLE TRIGGER USER")
    other.execute("UPDATE sale SET v = v + 1")
    other.execute("ALTER TABLE sale ENABLE TRIGGER USER")
    view.refresh(full=True)
    assert view.is_fresh()
    other.commit()
    doubted(sales)
    healed(sales)


def test_the_guard_of_the_view_itself(sales: Area) -> None:
    sales.view("plain", PLAIN)
    sales.view("sums", SUMS)
    storage = ".".join(f'"{part}"' for part in sales.installed("plain").storage)
    sales.run(f"ALTER TABLE {storage} DISABLE TRIGGER ivm_read_only")
    assert django_ivm.get_view("plain").status().outdated
    sales.run(f"UPDATE {storage} SET v = 1000 WHERE v = 3")
    sales.run(f"ALTER TABLE {storage} ENABLE TRIGGER ivm_read_only")
    doubted(sales, "plain")
    assert django_ivm.get_view("sums").is_fresh()
    assert not django_ivm.get_view("plain").verify(repair=True).ok
    assert django_ivm.get_view("plain").is_fresh()
    kept(sales, "UPDATE sale SET v = 1000 WHERE v = 4")
    kept(sales, "DELETE FROM sale WHERE v = 1000")


# Replication role


@pytest.fixture
def as_replica(sales: Area) -> Any:
    session = sales.connect()
    session.execute("SET session_replication_role = replica")
    return session


WRITES = (
    "UPDATE sale SET v = v + 1 WHERE id = 7",
    "DELETE FROM sale WHERE id = 7",
    "INSERT INTO sale VALUES (99, 9, 1, '')",
    "COPY sale FROM STDIN",
    "TRUNCATE sale, region",
)


def test_writes_of_a_replica_mark_every_view(in_mode: Area, as_replica: Any) -> None:
    in_mode.view("fully", f"SELECT id, rank() OVER (ORDER BY v, id) AS p FROM sale WHERE {NOT_KEPT}", strategy="full")
    for write in WRITES:
        assert all(django_ivm.get_view(name).is_fresh() for name in in_mode.queries)
        if write.startswith("COPY"):
            with as_replica.cursor().copy(write) as copy:
                copy.write_row((98, 1, 1, ""))
        else:
            as_replica.execute(write)
        for name in in_mode.queries:
            assert not django_ivm.get_view(name).is_fresh(), (name, write)
            reason = in_mode.value("SELECT min(reason) FROM django_ivm.stale WHERE view_name = %s", name)
            assert "session_replication_role" in reason
        healed(in_mode)
    kept(in_mode, "INSERT INTO sale VALUES (100, 2, 2, '')")


def test_a_replica_s_write_that_is_rolled_back(sales: Area, as_replica: Any) -> None:
    view = sales.view("sums", SUMS)
    with as_replica.transaction(force_rollback=True):
        as_replica.execute("UPDATE sale SET v = 0")
    assert view.is_fresh()


def test_a_replica_writes_the_view_itself(sales: Area, as_replica: Any) -> None:
    view = sales.view("sums", SUMS)
    above = sales.view("above", "SELECT n, count(*) AS c FROM sums GROUP BY n")
    as_replica.execute(f"UPDATE {view.table} SET n = 1" if view.table.endswith('"sums"') else "SELECT 1")
    storage = ".".join(f'"{part}"' for part in sales.installed("sums").storage)
    as_replica.execute(f"UPDATE {storage} SET n = 77")
    assert not view.is_fresh()
    assert not above.is_fresh()
    view.refresh()
    above.refresh()
    sales.check()
    assert view.is_fresh()
    assert above.is_fresh()


def test_the_alarm_after_enable_all(sales: Area, as_replica: Any) -> None:
    """ENABLE TRIGGER ALL makes an ordinary trigger of it, which a replica doesn't fire: a check says so."""
    view = sales.view("sums", SUMS)
    sales.run("ALTER TABLE sale DISABLE TRIGGER ALL; ALTER TABLE sale ENABLE TRIGGER ALL")
    healed(sales)
    assert [m.id for m in messages() if ".sums " in m.msg] == ["django_ivm.W012"]
    sales.step("UPDATE sale SET v = v + 1")
    assert view.is_fresh()
    assert installer.install(sales.installed("sums").spec, connection) is installer.InstallState.INSTALLED
    assert not [m for m in messages() if ".sums " in m.msg]
    assert view.is_fresh()
    as_replica.execute("UPDATE sale SET v = 0")
    assert not view.is_fresh()


def test_an_alarm_that_cannot_be_set_now(sales: Area) -> None:
    """ALTER TABLE isn't possible where rows of the transaction still have their deferred checks to come."""
    sales.run("ALTER TABLE sale ADD FOREIGN KEY (rid) REFERENCES region DEFERRABLE INITIALLY DEFERRED")
    with transaction.atomic():
        sales.run("INSERT INTO sale VALUES (200, 1, 1, '')")
        view = sales.view("sums", SUMS)
        sales.step("UPDATE sale SET v = 3 WHERE id = 200")
    assert view.is_fresh()
    assert [m.id for m in messages() if ".sums " in m.msg] == ["django_ivm.W012"]
    installer.install(sales.installed("sums").spec, connection)
    assert not [m for m in messages() if ".sums " in m.msg]
    assert view.is_fresh()


def test_a_subscribed_table(sales: Area) -> None:
    """A subscription's worker fires no statement triggers: such a view is never called fresh."""
    sales.view("sums", SUMS)
    with transaction.atomic():
        sales.run("SET LOCAL allow_system_table_mods = on")
        sales.run(
            "CREATE SUBSCRIPTION area_far CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)"
        )
        sales.run(
            "INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) "
            "SELECT oid, 'sale'::regclass, 'r' FROM pg_subscription WHERE subname = 'area_far'"
        )
        doubted(sales)
        transaction.set_rollback(True)
    assert django_ivm.get_view("sums").is_fresh()


# What a query names besides


def test_partitions_that_come_back(area: Area) -> None:
    """Refreshed in between, the view lacks the rows that come back with a partition; all triggers are as they were."""
    area.run(
        "CREATE TABLE p (k int, v int) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); "
        "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p VALUES (1, 1), (2, 2); "
        "CREATE TABLE t (k int, v int); CREATE TABLE kid () INHERITS (t); INSERT INTO kid VALUES (1, 1), (2, 2)"
    )
    area.view("sums", "SELECT k, sum(v) AS s FROM p GROUP BY k")
    area.view("plain", "SELECT v FROM t")
    area.view("by_hand", "SELECT p.v FROM p JOIN t USING (k)", mode="manual")
    area.run("ALTER TABLE p DETACH PARTITION p2; ALTER TABLE kid NO INHERIT t")
    for name in area.queries:
        view = django_ivm.get_view(name)
        assert view.status().outdated
        assert view.status().faults
        view.refresh(full=True)
        assert not view.is_fresh()
    area.check()
    area.run("ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2); ALTER TABLE kid INHERIT t")
    assert all(area.wrong(name) for name in area.queries)
    doubted(area)
    healed(area)


def test_functions_that_are_replaced(sales: Area) -> None:
    sales.run(
        "CREATE FUNCTION twice(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i * 2'; "
        "CREATE FUNCTION more(i int, j int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i + 2 * j'; "
        "CREATE AGGREGATE total(int) (SFUNC = more, STYPE = int, INITCOND = '0'); "
        "CREATE OPERATOR %%% (FUNCTION = more, LEFTARG = int, RIGHTARG = int); "
        "CREATE VIEW doubled AS SELECT id, twice(v) AS v FROM sale"
    )
    sales.view("direct", "SELECT id, twice(v) AS w FROM sale", strategy="auto")
    sales.view("through", "SELECT v, count(*) AS n FROM doubled GROUP BY v", strategy="auto")
    sales.view("folded", "SELECT rid, total(v) AS t FROM sale GROUP BY rid", strategy="auto")
    sales.view("operated", "SELECT id, v %%% rid AS t FROM sale", strategy="auto")
    sales.view("other", SUMS)
    assert all(django_ivm.get_view(name).is_fresh() for name in sales.queries)
    sales.run("CREATE OR REPLACE FUNCTION twice(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i * 3'")
    doubted(sales, "direct", "through")
    sales.run("CREATE OR REPLACE FUNCTION more(i int, j int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i + 5 * j'")
    doubted(sales, "folded", "operated")
    assert django_ivm.get_view("other").is_fresh()
    healed(sales, "direct", "through", "folded", "operated")


def test_a_generated_column_of_another_expression(area: Area) -> None:
    if connection.pg_version < 170000:
        pytest.skip("SET EXPRESSION is of PostgreSQL 17")
    area.run(
        "CREATE TABLE g (id int PRIMARY KEY, v int, w int GENERATED ALWAYS AS (v * 2) STORED); INSERT INTO g VALUES (1, 1)"
    )
    area.view("ws", "SELECT id, w FROM g")
    area.view("by_hand", "SELECT w FROM g", mode="manual")
    area.run("ALTER TABLE g ALTER w SET EXPRESSION AS (v * 3)")
    assert area.wrong("ws")
    doubted(area)
    healed(area)


def test_columns_that_swap_their_names(sales: Area) -> None:
    """Every name that our functions use is still there; what it means isn't."""
    sales.view("plain", "SELECT id, rid, v FROM sale")
    sales.run("ALTER TABLE sale RENAME rid TO x; ALTER TABLE sale RENAME v TO rid; ALTER TABLE sale RENAME x TO v")
    assert not django_ivm.get_view("plain").is_fresh()
    sales.queries.clear()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("ALTER TABLE sale DROP CONSTRAINT sale_pkey", "key (id)"),
        ("ALTER TABLE sale ALTER rid DROP NOT NULL", "rid may be NULL"),
        ("ALTER TABLE sale ADD FOREIGN KEY (rid) REFERENCES region (id) ON DELETE CASCADE", "foreign key"),
    ],
)
def test_what_a_plan_relies_on(sales: Area, change: str, word: str) -> None:
    view = sales.view("named", NAMED)
    unconcerned = sales.view("vs", "SELECT v FROM region r JOIN sale s ON s.v = r.id", mode="manual")
    sales.run("CREATE UNIQUE INDEX other ON sale (note, id, v)")
    assert view.is_fresh()
    sales.run("DROP INDEX other")
    assert view.is_fresh()
    sales.run(change)
    assert not view.is_fresh()
    assert word in view.status().faults[0]
    assert any(m.id == "django_ivm.W010" and word in m.msg for m in messages())
    view.refresh(full=True)
    assert not view.is_fresh()  # ivm_install makes another plan
    assert unconcerned.is_fresh()
    installer.install(sales.installed("named").spec, connection)
    assert view.is_fresh()
    kept(sales, "UPDATE sale SET v = v + 1")


def test_unlogged_tables_after_a_crash(area: Area) -> None:
    """A crash empties every unlogged table, the one that remembers them included."""
    area.run("CREATE UNLOGGED TABLE u (id int PRIMARY KEY, v int); INSERT INTO u VALUES (1, 1); CREATE TABLE l (v int)")
    area.view("us", "SELECT v, count(*) AS n FROM u GROUP BY v")
    area.view("ls", "SELECT v, count(*) AS n FROM l GROUP BY v")
    assert django_ivm.get_view("us").is_fresh()
    assert area.value("SELECT relpersistence FROM pg_class WHERE oid = 'django_ivm.survivor'::regclass") == "u"
    with transaction.atomic():  # as a crash does it: no trigger, both at once
        area.run("DELETE FROM django_ivm.survivor WHERE view_schema = current_schema()")
        area.run("ALTER TABLE u DISABLE TRIGGER USER; DELETE FROM u; ALTER TABLE u ENABLE TRIGGER USER")
        area.run("UPDATE django_ivm.witness SET identity = '' WHERE view_schema = current_schema()")
    assert area.wrong("us")
    assert any("crash" in doubt for doubt in django_ivm.get_view("us").status().doubts)
    assert django_ivm.get_view("ls").is_fresh()
    healed(area, "us")
    area.run("ALTER TABLE l SET UNLOGGED")
    assert not django_ivm.get_view("ls").is_fresh()


def test_a_restored_dump(sales: Area) -> None:
    """Elsewhere the note means nothing: a trigger is doubted that was changed after its comment was written."""
    view = sales.view("sums", SUMS)
    restored = "UPDATE django_ivm.witness SET identity = '' WHERE view_schema = current_schema()"
    sales.run(restored)
    assert view.is_fresh()
    sales.run("ALTER TABLE sale DISABLE TRIGGER USER; ALTER TABLE sale ENABLE TRIGGER USER")
    doubted(sales)
    healed(sales)
    sales.run(restored)
    doubted(sales)  # still: nothing but a refresh here tells that it was put right
    assert view.verify(repair=True).repaired is not None
    assert view.is_fresh()


def test_a_restored_view_is_adopted(sales: Area) -> None:
    view = sales.view("sums", SUMS)
    noted = sales.value("SELECT identity FROM django_ivm.witness WHERE view_name = 'sums'")
    sales.run("UPDATE django_ivm.witness SET identity = '' WHERE view_schema = current_schema()")
    assert installer.install(sales.installed("sums").spec, connection) is installer.InstallState.INSTALLED
    assert sales.value("SELECT identity FROM django_ivm.witness WHERE view_name = 'sums'") == noted
    sales.run("DELETE FROM django_ivm.witness WHERE view_schema = current_schema()")
    assert view.verify(repair=True).repaired is None
    assert sales.value("SELECT count(*) FROM django_ivm.witness WHERE view_name = 'sums'") == 1


# No false alarm


def test_what_is_no_reason_for_doubt(in_mode: Area) -> None:
    in_mode.run("CREATE TABLE elsewhere (id int); CREATE VIEW beside AS SELECT id FROM sale")
    for statement in (
        "VACUUM FULL pg_trigger",
        "VACUUM FREEZE pg_trigger",
        "ANALYZE sale",
        "CLUSTER sale USING sale_pkey",
        "REINDEX INDEX CONCURRENTLY sale_pkey",
        "VACUUM FULL sale",
        "ALTER TABLE sale ADD COLUMN extra int DEFAULT 7",
        "ALTER TABLE sale RENAME note TO remark",
        "ALTER TABLE sale ALTER extra TYPE bigint",
        "ALTER TABLE sale DROP COLUMN extra",
        "ALTER TABLE sale SET (fillfactor = 90)",
        "CREATE INDEX CONCURRENTLY ON sale (v)",
        "CREATE FUNCTION unrelated() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TRIGGER own AFTER INSERT ON elsewhere EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "ALTER TABLE elsewhere DISABLE TRIGGER ALL",
    ):
        in_mode.run(statement)
        for name in in_mode.queries:
            view = django_ivm.get_view(name)
            assert view.status().doubts == (), statement
            assert view.is_fresh(), statement
    kept(in_mode, "UPDATE sale SET v = v + 1")


def test_other_views_on_the_same_tables(in_mode: Area) -> None:
    """Other views come, change their mode and go; logs are extended on the way."""
    for mode in ("deferred", "commit", "immediate"):
        in_mode.view("other", "SELECT rid, note, count(*) AS n FROM sale GROUP BY rid, note", mode=mode, replace=True)
        for name in in_mode.queries:
            assert django_ivm.get_view(name).status().doubts == (), (mode, name)
    django_ivm.drop_view("other")
    del in_mode.queries["other"]
    assert all(django_ivm.get_view(name).is_fresh() for name in in_mode.queries)


def test_a_change_of_mode_keeps_a_doubt(sales: Area) -> None:
    view = sales.view("sums", SUMS)
    sales.run("ALTER TABLE sale DISABLE TRIGGER USER")
    sales.run(UNSEEN)
    sales.run("ALTER TABLE sale ENABLE TRIGGER USER")
    sales.view("sums", SUMS, mode="deferred", replace=True)
    assert not view.is_fresh() or not sales.wrong("sums")
    view.refresh()
    sales.check()
    assert view.is_fresh()


def test_uninstalling_leaves_no_note(sales: Area) -> None:
    sales.view("sums", SUMS)
    django_ivm.drop_view("sums")
    sales.queries.clear()
    assert sales.value("SELECT count(*) FROM django_ivm.witness WHERE view_schema = current_schema()") == 0
    assert sales.run("SELECT tgname FROM pg_trigger WHERE tgrelid = 'sale'::regclass AND tgname LIKE 'ivm%%'") == []
