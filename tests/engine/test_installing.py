"""Installing, replacing, uninstalling: transactional, repeatable, without a trace."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

import django_ivm
from django_ivm.engine import install as installer
from django_ivm.engine.spec import ViewSpec
from tests.not_kept import NOT_KEPT

from .area import Area
from .test_incremental import ON_VIEWS, SCHEMA, VIEWS

FULL = {"ranks": f"SELECT id, rank() OVER (ORDER BY v, id) AS place FROM sale WHERE {NOT_KEPT}"}

CATALOG = """
SELECT 'class', c.oid::text, c.xmin::text, c.relname::text FROM pg_class c
    WHERE c.oid >= 16384 AND c.relnamespace <> 'pg_toast'::regnamespace
UNION ALL SELECT 'trigger', t.oid::text, t.xmin::text, t.tgname::text FROM pg_trigger t WHERE NOT t.tgisinternal
UNION ALL SELECT 'function', p.oid::text, p.xmin::text, p.proname::text FROM pg_proc p WHERE p.oid >= 16384
UNION ALL SELECT 'type', t.oid::text, t.xmin::text, t.typname::text FROM pg_type t WHERE t.oid >= 16384
UNION ALL SELECT 'schema', n.oid::text, n.xmin::text, n.nspname::text FROM pg_namespace n
    WHERE n.oid >= 16384 AND n.nspname NOT LIKE 'pg_%%'
UNION ALL SELECT 'rule', r.oid::text, r.xmin::text, r.rulename::text FROM pg_rewrite r WHERE r.oid >= 16384
UNION ALL SELECT 'constraint', c.oid::text, c.xmin::text, c.conname::text FROM pg_constraint c WHERE c.oid >= 16384
UNION ALL SELECT 'comment', objoid::text, '', description FROM pg_description WHERE objoid >= 16384
"""
SAME = """
UNION ALL SELECT 'view', id::text, xmin::text, view_name FROM django_ivm.view
UNION ALL SELECT 'stale', '', xmin::text, view_name FROM django_ivm.stale
"""


def names(area: Area) -> set[tuple[str, str]]:
    """What the catalogs hold, by kind and name."""
    return {(kind, name) for kind, _, _, name in area.run(CATALOG)}


@pytest.fixture
def tables(area: Area) -> Area:
    area.run(SCHEMA)
    area.run(
        "INSERT INTO region SELECT i, 'r' FROM generate_series(1, 3) i; INSERT INTO person SELECT i, i, i "
        "FROM generate_series(1, 9) i; "
        "INSERT INTO sale SELECT i, i % 9, i % 4, i, i, i FROM generate_series(1, 50) i; INSERT INTO loose "
        "SELECT i % 3, i FROM generate_series(1, 9) i"
    )
    return area


ALL = VIEWS | {name: query for name, (_, query) in ON_VIEWS.items()} | FULL


def test_installing_twice_changes_nothing(tables: Area) -> None:
    for name, query in ALL.items():
        tables.view(name, query, strategy="auto")
    assert {name for name in ALL if django_ivm.get_view(name).status().strategy == "full"} == FULL.keys()
    before = tables.run(CATALOG + SAME + " ORDER BY 1, 2, 3, 4")
    for view in (tables.installed(name) for name in ALL):
        assert installer.install(view.spec, connection) is installer.InstallState.INSTALLED
        assert installer.state(view.spec, connection) is installer.InstallState.INSTALLED
    for name, query in ALL.items():
        django_ivm.create_view(name, query, strategy="auto", replace=True)
    assert tables.run(CATALOG + SAME + " ORDER BY 1, 2, 3, 4") == before


def test_installing_again_takes_no_lock(tables: Area) -> None:
    tables.view("sums", VIEWS["sums"])
    writer = tables.connect()
    writer.execute("BEGIN; UPDATE sale SET v = v + 1 WHERE id = 1; LOCK TABLE region IN ACCESS EXCLUSIVE MODE")
    tables.run("SET lock_timeout = '300ms'")
    spec = tables.installed("sums").spec
    assert installer.install(spec, connection) is installer.InstallState.INSTALLED
    writer.execute("COMMIT")
    tables.run("RESET lock_timeout")
    tables.check()


def test_uninstalling_leaves_nothing(tables: Area) -> None:
    before = names(tables)
    rows = tables.run("SELECT count(*) FROM django_ivm.view") + tables.run("SELECT count(*) FROM django_ivm.stale")
    for name, query in ALL.items():
        tables.view(name, query, strategy="auto")
    tables.run("UPDATE sale SET v = v + 1; UPDATE person SET kind = 1; DELETE FROM loose")
    assert names(tables) > before
    for name in reversed(ALL):
        django_ivm.drop_view(name)
    tables.queries.clear()
    assert names(tables) == before
    assert (
        tables.run("SELECT count(*) FROM django_ivm.view") + tables.run("SELECT count(*) FROM django_ivm.stale") == rows
    )
    tables.run("UPDATE sale SET v = v + 1")


def test_our_schema_goes_with_the_last_view(tables: Area) -> None:
    others = installer.installed(connection)
    before = names(tables)
    with transaction.atomic():
        for view in reversed(others):
            installer.uninstall(view.name, connection, schema=view.schema, cascade=True)
        installer.remove_runtime(connection)
        gone = names(tables)
        assert not {entry for entry in gone if "ivm" in entry[1] and "django_ivm_" not in entry[1]}
        assert installer.installed(connection) == []
        tables.view("sums", VIEWS["sums"])
        tables.step("UPDATE sale SET v = v + 1")
        transaction.set_rollback(True)
    tables.queries.clear()
    assert names(tables) == before


def test_uninstalling_may_keep_the_data(tables: Area) -> None:
    for name in ("sums", "kinds", "bag", "top"):
        view = tables.view(name, VIEWS[name])
        before = sorted(map(str, tables.run(f"SELECT * FROM {view.table}")))
        columns = tables.run(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum", name
        )
        installer.uninstall(name, connection, keep_data=True)
        kept = [row[: len(columns)] for row in tables.run(f"SELECT * FROM {name}")]
        assert sorted(map(str, kept)) == before
        tables.run(f"DELETE FROM {name}")  # an ordinary table now
        tables.run("UPDATE sale SET v = v + 1")
        tables.queries.pop(name)


def test_create_and_drop_roll_back_with_their_transaction(tables: Area) -> None:
    before = tables.run(CATALOG + " ORDER BY 1, 2, 3, 4")
    with transaction.atomic():
        tables.view("sums", VIEWS["sums"])
        tables.view("chain", "SELECT n, count(*) AS groups FROM sums GROUP BY n")
        tables.step("UPDATE sale SET v = v + 1, g = g + 1 WHERE id < 9")
        assert django_ivm.get_view("chain").verify().ok
        transaction.set_rollback(True)
    assert tables.run(CATALOG + " ORDER BY 1, 2, 3, 4") == before
    with pytest.raises(django_ivm.NotInstalledError):
        django_ivm.get_view("sums")
    tables.queries.clear()
    tables.view("sums", VIEWS["sums"])
    with transaction.atomic():
        django_ivm.drop_view("sums")
        tables.run("UPDATE sale SET v = 5 WHERE id = 1")
        transaction.set_rollback(True)
    tables.step("UPDATE sale SET v = v + 1")
    with transaction.atomic():
        tables.view("sums", VIEWS["sums"].replace("sum(v)", "max(v)"), replace=True)
        tables.step("UPDATE sale SET v = v + 1")
        transaction.set_rollback(True)
    tables.queries["sums"] = VIEWS["sums"]
    tables.step("UPDATE sale SET v = v + 1")


def test_create_fill_write_and_drop_in_one_transaction(tables: Area) -> None:
    with transaction.atomic():
        tables.run("UPDATE sale SET v = v + 1")
        tables.view("sums", VIEWS["sums"])
        tables.view("kinds", VIEWS["kinds"])
        tables.step("WITH x AS (DELETE FROM person WHERE id = 1) UPDATE sale SET v = v + 1")
        django_ivm.drop_view("sums")
        tables.queries.pop("sums")
        tables.step("UPDATE sale SET v = v + 1")
    tables.check()


def test_replace(tables: Area) -> None:
    tables.view("sums", VIEWS["sums"])
    with pytest.raises(django_ivm.DefinitionError, match="installed already") as raised:
        tables.view("sums", VIEWS["sums"])
    assert raised.value.code == "NAME"
    for query in (VIEWS["extremes"], VIEWS["kinds"], VIEWS["bag"], FULL["ranks"], VIEWS["top"], VIEWS["sums"]):
        view = tables.view("sums", query, strategy="auto", replace=True)
        if view.status().strategy == "incremental":
            tables.step("UPDATE sale SET v = v + 1")
            tables.step("UPDATE person SET kind = kind + 1")
    for options in ({"mode": "manual"}, {"strategy": "full"}, {}):
        view = tables.view("sums", VIEWS["sums"], **{"strategy": "auto", **options}, replace=True)
        tables.run("UPDATE sale SET v = v + 1")
        view.refresh()
        tables.check()


def test_a_failed_replace_leaves_the_old_view(tables: Area) -> None:
    tables.view("sums", VIEWS["sums"])
    for query in (
        "SELECT nothing FROM sale",
        "SELEC",
        "SELECT 1 / (g - 1) AS q, count(*) AS n FROM sale GROUP BY 1 / (g - 1)",
    ):
        with pytest.raises((django_ivm.DefinitionError, DatabaseError)):
            django_ivm.create_view("sums", query, replace=True)
        tables.step("UPDATE sale SET v = v + 1")
        assert django_ivm.get_view("sums").is_fresh()


def test_not_in_repeatable_read(tables: Area) -> None:
    with pytest.raises(django_ivm.IVMError, match="repeatable read") as raised, transaction.atomic():
        tables.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        django_ivm.create_view("sums", VIEWS["sums"])
    assert raised.value.code == "ISOLATION"


@pytest.mark.parametrize("step", ["analysing", "waiting for writers", "filling", "triggers"])
def test_an_install_that_is_killed_half_way(tables: Area, step: str) -> None:
    before = names(tables)
    killer = tables.connect()
    pid = tables.value("SELECT pg_backend_pid()")

    def progress(text: str) -> None:
        if text.endswith(step):
            killer.execute("SELECT pg_terminate_backend(%s)", (pid,))
            while killer.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone():
                time.sleep(0.01)

    spec = ViewSpec(name="kinds", sql=VIEWS["kinds"], schema=tables.schema)
    with pytest.raises((OperationalError, InterfaceError)):
        installer.install(spec, connection, progress=progress)
    connection.close()
    tables.enter()
    assert names(tables) == before
    tables.run("UPDATE sale SET v = v + 1")
    tables.view("kinds", VIEWS["kinds"])
    tables.step("UPDATE person SET kind = 5")


def test_a_killed_writer_and_a_killed_refresh_leave_no_trace(tables: Area) -> None:
    for name in ("kinds", "top", "bag"):
        tables.view(name, VIEWS[name])
    session = tables.connect()
    session.execute("BEGIN")
    session.execute("UPDATE sale SET v = v + 1")
    session.execute("DELETE FROM loose WHERE k = 1")
    session.execute(f"SELECT * FROM {tables.installed('kinds').replaces[0]}")
    tables.run("SELECT pg_terminate_backend(%s)", session.info.backend_pid)
    with pytest.raises(psycopg.Error):
        session.execute("COMMIT")
    tables.check()
    tables.step("UPDATE sale SET v = v + 2")


def test_a_column_that_a_view_reads_can_t_be_dropped_or_retyped(tables: Area) -> None:
    tables.view("sums", VIEWS["sums"])
    tables.view("lines", VIEWS["lines"])
    for statement in (
        "ALTER TABLE sale DROP COLUMN v", "ALTER TABLE sale ALTER v TYPE bigint", "DROP TABLE sale",
            "DROP TABLE sale, person",
    ):  # fmt: skip
        with pytest.raises(DatabaseError, match="(depend|used by a view)"):
            tables.run(statement)
        tables.step("UPDATE sale SET v = v + 1")
    tables.run("ALTER TABLE sale DROP COLUMN note; ALTER TABLE sale ADD COLUMN more json")
    tables.step("UPDATE sale SET v = v + 1, more = '{}'")
    tables.step("INSERT INTO sale VALUES (777, 1, 1, 1, 1, 1, '{}')")
    assert django_ivm.get_view("sums").is_fresh()


def test_a_column_renamed_by_hand(tables: Area) -> None:
    """Writes are refused rather than lost, status says so, and installing with the new name mends it."""
    tables.view("sums", VIEWS["sums"])
    tables.view("lines", VIEWS["lines"])
    tables.run("ALTER TABLE sale RENAME v TO amount")
    for name in tables.queries:
        view = django_ivm.get_view(name)
        assert view.status().outdated
        assert not view.is_fresh()
    before = tables.run("SELECT * FROM sale ORDER BY id")
    try:
        tables.run("UPDATE sale SET amount = amount + 1")
    except DatabaseError:
        assert tables.run("SELECT * FROM sale ORDER BY id") == before
    for name, query in list(tables.queries.items()):
        renamed = query.replace("sum(v)", "sum(amount)").replace("s.v", "s.amount")
        tables.view(name, renamed, replace=True)
    tables.step("UPDATE sale SET amount = amount + 1")


def test_a_table_renamed_by_hand(tables: Area) -> None:
    tables.view("sums", VIEWS["sums"])
    tables.run("ALTER TABLE sale RENAME TO sales")
    tables.queries["sums"] = VIEWS["sums"].replace("FROM sale", "FROM sales")
    view = django_ivm.get_view("sums")
    assert view.status().outdated
    with pytest.raises(DatabaseError, match="another table|ivm_install"):
        tables.run("UPDATE sales SET v = v + 1")
    tables.view("sums", tables.queries["sums"], replace=True)
    tables.step("UPDATE sales SET v = v + 1")


def test_a_source_dropped_with_cascade(tables: Area) -> None:
    tables.view("sums", VIEWS["sums"])
    tables.view("kinds", VIEWS["kinds"])
    tables.run("DROP TABLE sale CASCADE")
    for name in ("sums", "kinds"):
        view = django_ivm.get_view(name)
        assert view.status().outdated
        assert not view.is_fresh()
        for call in (view.verify, lambda view=view: view.refresh(full=True)):
            with pytest.raises((django_ivm.IVMError, DatabaseError)):
                call()
        django_ivm.drop_view(name)
    tables.run("UPDATE person SET kind = 1")  # no trigger is left on the other source
    tables.queries.clear()


def test_the_register_tells_what_is_installed(tables: Area) -> None:
    view = tables.view("lines", VIEWS["lines"])
    found = tables.installed("lines")
    assert (found.schema, found.name, found.label, found.mode, found.strategy) == (
        tables.schema,
        "lines",
        "",
        "immediate",
        "incremental",
    )
    assert sorted(found.sources) == [(tables.schema, t) for t in ("person", "region", "sale")]
    assert found.definition == VIEWS["lines"]
    assert [
        c
        for (c,) in tables.run(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", view.table
        )
    ] == ["id", "v", "kind", "name"]
    status = view.status()
    assert (status.installed, status.outdated, status.stale, status.pending) == (True, False, False, 0)
    assert status.rows == tables.value("SELECT count(*) FROM lines")
    assert status.size > 0
    explanation = view.explain()
    assert explanation.strategy == "incremental"
    assert explanation.locks
    assert "lines" in str(explanation) + explanation.sql


def test_a_handle_remembers_nothing(tables: Area) -> None:
    view = tables.view("sums", VIEWS["sums"])
    tables.connect().execute("SELECT 1")
    django_ivm.drop_view("sums")
    with pytest.raises(django_ivm.NotInstalledError, match="sums"):
        view.refresh()
    assert view.status() == django_ivm.ViewStatus(False, False, False, "", "")
    tables.view("sums", VIEWS["kinds"])
    assert view.verify().ok
    assert "kind" in view.explain().tree


def test_progress_is_told(tables: Area) -> None:
    told: list[Any] = []
    spec = ViewSpec(name="sums", sql=VIEWS["sums"], schema=tables.schema)
    assert installer.install(spec, connection, progress=told.append) is installer.InstallState.MISSING
    assert [text.split(": ")[0] for text in told] == ["sums"] * len(told)
    assert len(told) >= 3
