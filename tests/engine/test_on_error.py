"""on_error="stale": what fails in a view's maintenance marks the view and lets the write through."""

from __future__ import annotations

import logging
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, transaction

import django_ivm
from django_ivm.models import RefreshLog
from tests.concurrency.catalog import catalog

from .area import Area

TABLES = """
CREATE TABLE shop (id int PRIMARY KEY, name text);
CREATE TABLE sale (id int PRIMARY KEY, sid int REFERENCES shop ON DELETE CASCADE, v int, note text);
CREATE INDEX ON sale (sid);
INSERT INTO shop SELECT i, 's' || i FROM generate_series(1, 4) i;
INSERT INTO sale SELECT i, i % 4 + 1, i % 7, '' FROM generate_series(1, 40) i;
"""
QUERIES = {
    "sums": "SELECT sid, count(*) AS n, sum(v) AS s FROM sale GROUP BY sid",
    "extremes": "SELECT sid, max(v) AS top FROM sale GROUP BY sid",
    "rows": "SELECT s.id, h.name, s.v FROM sale s JOIN shop h ON h.id = s.sid",
    "grouped": "SELECT h.name, count(*) AS n, sum(s.v) AS t FROM sale s JOIN shop h ON h.id = s.sid GROUP BY h.name",
    "levels": "SELECT n, count(*) AS m FROM (SELECT sid, count(*) AS n FROM sale GROUP BY sid) x GROUP BY n",
    "top": "SELECT id, v FROM sale ORDER BY v, id LIMIT 3",
    "ranks": "SELECT id, rank() OVER (PARTITION BY sid ORDER BY v, id) AS place FROM sale",
    "outer": "SELECT h.id, s.v FROM shop h LEFT JOIN sale s ON s.sid = h.id",
}
# All but one at most change each view, or make it be computed anew.
WRITES = (
    "INSERT INTO sale SELECT 100 + i, i, -50, '' FROM generate_series(1, 4) i",
    "UPDATE sale SET v = v + 10",
    "DELETE FROM sale",
    "DELETE FROM shop",
    "TRUNCATE sale",
    "WITH a AS (INSERT INTO sale VALUES (100, 1, -50, '')), b AS (UPDATE sale SET v = v + 20 WHERE id < 30) "
    "DELETE FROM sale WHERE id > 30",
    "INSERT INTO sale SELECT 100 + i, i % 4 + 1, i + 50, '' FROM generate_series(1, 300) i "
    "ON CONFLICT (id) DO UPDATE SET v = 1",
)
RETRIED = ("40001", "40P01", "40002", "57014", "55P03")


def fail(area: Area, code: str = "23514", *, only: str = "true") -> None:
    """From now on each change of the stored rows of any view fails, where the condition holds."""
    area.run(
        f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF {only} THEN "
        f"RAISE EXCEPTION 'no change of % today', TG_TABLE_NAME USING ERRCODE = '{code}'; END IF; RETURN NULL; END$$"
    )
    for name in area.queries:
        schema, table = area.installed(name).storage
        area.run(
            f'CREATE TRIGGER refuse AFTER INSERT OR UPDATE OR DELETE ON {schema}."{table}" EXECUTE FUNCTION refuse()'
        )


def mend(area: Area) -> None:
    area.run("DROP FUNCTION refuse() CASCADE")


def marks(area: Area, name: str) -> list[str]:
    found = area.run("SELECT reason FROM django_ivm.stale WHERE view_name = %s ORDER BY marked_at", name)
    return [reason for (reason,) in found]


def nothing_in_flight(area: Area, name: str) -> None:
    """Neither a count of events nor a spooled change is left."""
    view = area.installed(name)
    prefix = view.definition_view.removesuffix("_query")
    for table in view.objects["tables"]:
        if "_spool_" in table:
            assert area.value(f'SELECT count(*) FROM django_ivm."{table}"') == 0
    for number in range(1, len(view.replaces) + 1):
        state = area.value("SELECT current_setting(%s, true)", f"ivm.n{prefix[-8:]}_{number}")
        assert state in (None, "", "below")


@pytest.mark.parametrize("kind", QUERIES)
def test_a_failing_maintenance_lets_the_write_through(area: Area, kind: str) -> None:
    area.run(TABLES)
    view = area.view("v1", QUERIES[kind], on_error="stale")
    kept = area.run("SELECT * FROM v1")
    failures = 0
    for statement in WRITES:
        with transaction.atomic():
            fail(area)
            area.run(statement)
            if not marks(area, "v1"):  # nothing of it reaches the view
                area.check()
                transaction.set_rollback(True)
                continue
            failures += 1
            nothing_in_flight(area, "v1")
            assert not view.is_fresh()
            (reason,) = marks(area, "v1")
            assert reason.startswith("maintenance failed by ")
            assert ": 23514 no change of " in reason
            area.run("UPDATE sale SET v = v - 1 WHERE id < 10")
            area.run(
                "WITH a AS (INSERT INTO sale SELECT 500, min(id), 3, '' FROM shop HAVING min(id) IS NOT NULL) "
                "UPDATE sale SET v = v + 2 WHERE id > 20"
            )
            nothing_in_flight(area, "v1")
            assert len(marks(area, "v1")) == 1  # one for a transaction
            shown = area.run("SELECT * FROM v1")
            assert sorted(map(repr, shown)) == sorted(map(repr, kept)), "nothing is applied to a stale view"
            mend(area)
            result = view.refresh()
            assert result.strategy == "full"
            area.check()
            assert view.is_fresh()
            # Maintained again, by deltas: what was in flight when it failed has left nothing behind.
            with transaction.atomic():
                area.forbid_recompute()
                area.step("UPDATE sale SET v = v + 1")
                area.step("INSERT INTO shop VALUES (9, 'nine')")
                area.step("INSERT INTO sale VALUES (600, 9, 2, ''), (601, 9, -60, '')")
                area.step("DELETE FROM shop WHERE id = 9")
                assert view.is_fresh()
                transaction.set_rollback(True)
            area.check()
            transaction.set_rollback(True)
        area.check()
        assert view.is_fresh()
    assert failures >= len(WRITES) - 1


def test_the_failure_is_told(area: Area, caplog: pytest.LogCaptureFixture) -> None:
    area.run(TABLES)
    view = area.view("v1", "SELECT sid, sum(100 / (v + 1)) AS s FROM sale GROUP BY sid", on_error="stale")
    session = area.connect()
    notices: list[Any] = []
    session.add_notice_handler(
        lambda said: notices.append((said.severity, said.message_primary, said.message_detail, said.message_hint))
    )
    session.execute("INSERT INTO sale VALUES (100, 1, -1, '')")
    (notice,) = notices
    assert notice == (
        "WARNING",
        f"maintenance of the view {area.schema}.v1 failed, it is stale from now on: division by zero",
        f"22012 by insert on {area.schema}.sale",
        "Correct the cause, then refresh the view; until then its rows stay as they are.",
    )
    reason = f"maintenance failed by insert on {area.schema}.sale: 22012 division by zero"
    assert marks(area, "v1") == [reason]
    session.execute("UPDATE sale SET v = 5 WHERE id = 7")
    session.execute("UPDATE sale SET note = 'unread'")
    assert marks(area, "v1") == [reason, f"not applied to a stale view: update on {area.schema}.sale"]
    assert len(notices) == 1
    assert view.status().cause == reason
    # The cause is there still.
    with pytest.raises(django_ivm.RefreshError, match="division by zero"):
        view.refresh()
    assert not view.is_fresh()
    session.execute("UPDATE sale SET v = 1 WHERE id = 100")
    with caplog.at_level(logging.WARNING, "django_ivm"):
        result = view.refresh()
    assert result.reason == f"the view is stale: {reason}"
    assert RefreshLog.objects.filter(view_name="v1", failed=False).latest("id").reason == result.reason
    assert reason in caplog.text
    assert view.status().cause == ""
    area.check()
    assert view.is_fresh()
    area.step("INSERT INTO sale VALUES (101, 1, 2, '')")


def test_a_long_message_is_cut(area: Area) -> None:
    area.run(TABLES)
    area.view("v1", "SELECT sid, sum(note::int) AS s FROM sale WHERE note <> '' GROUP BY sid", on_error="stale")
    area.run("INSERT INTO sale VALUES (100, 1, 1, %s)", "x" * 100_000)
    (reason,) = marks(area, "v1")
    assert len(reason) == 500
    assert "22P02" in reason


@pytest.mark.parametrize("kind", ["sums", "rows", "levels"])
def test_what_a_retry_may_mend_is_raised(area: Area, kind: str) -> None:
    area.run(TABLES)
    view = area.view("v1", QUERIES[kind], on_error="stale")
    session = area.connect()
    for code in RETRIED:
        fail(area, code)
        with pytest.raises(psycopg.Error) as raised:
            session.execute("INSERT INTO sale VALUES (100, 1, 1, '')")
        assert raised.value.sqlstate == code
        mend(area)
        assert view.is_fresh()
        assert marks(area, "v1") == []
    area.check()
    area.step("INSERT INTO sale VALUES (100, 1, 1, '')")


def test_timeouts_are_raised(area: Area) -> None:
    area.run(TABLES)
    view = area.view("v1", QUERIES["sums"], on_error="stale")
    holder, writer = area.connect(), area.connect()
    holder.execute("BEGIN; INSERT INTO sale VALUES (100, 1, 1, '')")
    for setting, code in (("lock_timeout", "55P03"), ("statement_timeout", "57014")):
        writer.execute(f"SET {setting} = '100ms'")
        with pytest.raises(psycopg.Error) as raised:
            writer.execute("INSERT INTO sale VALUES (101, 1, 1, '')")
        assert raised.value.sqlstate == code
        writer.execute(f"RESET {setting}")
    holder.execute("COMMIT")
    assert view.is_fresh()
    area.check()


def test_a_failed_assertion_is_a_failure(area: Area) -> None:
    area.run(TABLES)
    area.run(
        "CREATE FUNCTION half(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS "
        "$$BEGIN ASSERT $1 % 2 = 0, 'odd'; RETURN $1 / 2; END$$"
    )
    view = area.view("v1", "SELECT sid, sum(half(v * 2)) AS s FROM sale GROUP BY sid", on_error="stale")
    area.run("CREATE OR REPLACE FUNCTION half(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS "
             "$$BEGIN ASSERT $1 < 20, 'big'; RETURN $1 / 2; END$$")  # fmt: skip
    area.run("INSERT INTO sale VALUES (100, 1, 10, '')")
    assert not view.is_fresh()
    assert marks(area, "v1")[0].endswith("P0004 big")


def test_savepoints(area: Area) -> None:
    """A failure that is rolled back never was; one that is healed and then rolled back is there again."""
    area.run(TABLES)
    view = area.view("v1", QUERIES["rows"], on_error="stale")
    fail(area)
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            area.run("INSERT INTO sale VALUES (100, 1, 1, '')")
            assert not view.is_fresh()
            raise ZeroDivisionError
        assert view.is_fresh()
        mend(area)
        area.forbid_recompute()
        area.step("INSERT INTO sale VALUES (101, 1, 1, '')")
    assert view.is_fresh()
    area.check()


def test_a_refresh_that_is_rolled_back_heals_nothing(area: Area) -> None:
    area.run(TABLES)
    view = area.view("v1", QUERIES["grouped"], on_error="stale")
    fail(area)
    area.run("INSERT INTO sale VALUES (100, 1, 1, '')")
    mend(area)
    with transaction.atomic():
        area.run("INSERT INTO sale VALUES (101, 1, 1, '')")
        with transaction.atomic():
            view.refresh()
            area.step("INSERT INTO sale VALUES (102, 1, 1, '')")
            assert view.is_fresh()
            transaction.set_rollback(True)
        assert not view.is_fresh()
        area.run("INSERT INTO sale VALUES (103, 1, 1, '')")
        assert len(marks(area, "v1")) == 2
    assert not view.is_fresh()
    view.refresh()
    assert view.is_fresh()
    area.check()


def test_one_view_fails_another_doesn_t(area: Area) -> None:
    area.run(TABLES)
    failing = area.view("v1", "SELECT sid, sum(100 / v) AS s FROM sale WHERE v > 0 OR id > 99 GROUP BY sid",
                        on_error="stale")  # fmt: skip
    others = [area.view(f"v{n}", QUERIES[kind], on_error=how)
              for n, (kind, how) in enumerate((("rows", "raise"), ("sums", "stale"), ("levels", "raise")), 2)]  # fmt: skip
    area.run("INSERT INTO sale VALUES (100, 1, 0, '')")
    assert not failing.is_fresh()
    assert all(view.is_fresh() for view in others)
    area.check("v2", "v3", "v4")


def test_chains(area: Area) -> None:
    """A view that reads a stale one is stale. What fails in a view that reads ours, and doesn't guard itself, fails our
    maintenance; one that guards itself is stale alone."""
    area.run(TABLES)
    parent = area.view("v1", QUERIES["sums"], on_error="stale")
    raising = area.view("v2", "SELECT n, count(*) AS m FROM v1 GROUP BY n")
    guarded = area.view("v3", "SELECT sid, 100 / (s + 5) AS q FROM v1", on_error="stale")
    area.run("INSERT INTO sale SELECT 100, 1, -5 - s, '' FROM v1 WHERE sid = 1")
    assert parent.is_fresh()
    assert raising.is_fresh()
    assert not guarded.is_fresh()
    area.check("v1", "v2")
    area.run("DELETE FROM sale WHERE id = 100")
    guarded.refresh()
    area.check()
    schema, table = area.installed("v2").storage
    area.run(f'ALTER TABLE {schema}."{table}" ADD CONSTRAINT few CHECK (n < 12)')
    area.run("INSERT INTO sale SELECT 200 + i, 1, 1, '' FROM generate_series(1, 20) i")
    assert not parent.is_fresh()
    assert "few" in marks(area, "v1")[0]
    assert not raising.is_fresh()
    assert not guarded.is_fresh()
    assert marks(area, "v2") == marks(area, "v3") == []
    area.run(f'ALTER TABLE {schema}."{table}" DROP CONSTRAINT few')
    parent.refresh()
    assert parent.is_fresh()
    assert raising.is_fresh()
    assert guarded.is_fresh()
    area.check()


@pytest.mark.parametrize("kind", ["sums", "rows"])
def test_a_trigger_that_writes_a_source_again_is_taken_back_as_a_whole(area: Area, kind: str) -> None:
    area.run(TABLES)
    view = area.view("v1", QUERIES[kind], on_error="stale")
    schema, table = area.installed("v1").storage
    area.run("CREATE SEQUENCE more START 1000")
    area.run("CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS "
             f"$$BEGIN INSERT INTO {area.schema}.sale SELECT nextval('{area.schema}.more'), 1, 1, ''; "
             "RETURN NULL; END$$")  # fmt: skip
    area.run(f'CREATE TRIGGER again AFTER INSERT OR UPDATE ON {schema}."{table}" EXECUTE FUNCTION again()')
    area.run("INSERT INTO sale VALUES (100, 1, 1, '')")
    assert not view.is_fresh()
    assert area.value("SELECT count(*) FROM sale WHERE id >= 100") == 1
    area.run(f'DROP TRIGGER again ON {schema}."{table}"')
    view.refresh()
    area.check()
    area.step("INSERT INTO sale VALUES (101, 1, 1, '')")


def test_a_source_that_was_renamed(area: Area) -> None:
    """The functions know their tables by name."""
    area.run(TABLES)
    view = area.view("v1", QUERIES["sums"], on_error="stale")
    area.run("ALTER TABLE sale RENAME TO purchase")
    area.run("INSERT INTO purchase VALUES (100, 1, 1, '')")
    assert not view.is_fresh()
    assert "42501" in marks(area, "v1")[0]


def test_by_default_the_write_fails(area: Area) -> None:
    area.run(TABLES)
    view = area.view("v1", QUERIES["rows"])
    fail(area)
    with pytest.raises(DatabaseError, match="no change of"):
        area.run("INSERT INTO sale VALUES (100, 1, 1, '')")
    assert view.is_fresh()
    bodies = area.value("SELECT string_agg(prosrc, '') FROM pg_proc WHERE proname LIKE 'v1\\_%' "
                        "AND pronamespace = 'django_ivm'::regnamespace")  # fmt: skip
    assert "EXCEPTION\nWHEN" not in bodies
    assert "_epoch" not in bodies


def test_the_option_is_checked_and_shown(area: Area) -> None:
    area.run(TABLES)
    with pytest.raises(django_ivm.DefinitionError, match="on_error"):
        area.view("v1", QUERIES["sums"], on_error="ignore")
    view = area.view("v1", QUERIES["sums"], on_error="stale")
    assert area.installed("v1").on_error == "stale"
    assert any("on_error" in line for line in view.explain().locks)
    area.view("v1", QUERIES["sums"], on_error="raise", replace=True)
    assert area.installed("v1").on_error == "raise"
    assert area.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'v1%epoch'") == 0


def test_at_commit(area: Area) -> None:
    """In mode commit the failure comes at the end; the transaction commits all the same."""
    area.run(TABLES)
    view = area.view("v1", QUERIES["grouped"], mode="commit", on_error="stale")
    other = area.view("v2", QUERIES["rows"], mode="commit")
    inner = area.view("v3", QUERIES["levels"], mode="commit", on_error="stale")
    area.run("INSERT INTO sale VALUES (99, 1, 1, '')")
    area.check()
    fail(area)
    schema, table = area.installed("v2").storage
    area.run(f'DROP TRIGGER refuse ON {schema}."{table}"')
    with transaction.atomic():
        area.run("INSERT INTO sale VALUES (100, 1, 1, '')")
        area.run("UPDATE sale SET v = 3, sid = 2 WHERE id = 5")
        area.run("SET CONSTRAINTS django_ivm.ivm_commit IMMEDIATE")
        assert len(marks(area, "v1")) == 1
        area.run("SET CONSTRAINTS django_ivm.ivm_commit DEFERRED")
        area.run("DELETE FROM sale WHERE id = 7")
    assert other.is_fresh()
    area.check("v2")
    for name, one in (("v1", view), ("v3", inner)):
        assert not one.is_fresh()
        assert any("23514 no change of" in reason or "not applied" in reason for reason in marks(area, name))
    before = area.run("SELECT * FROM v1 ORDER BY 1")
    mend(area)
    area.run("INSERT INTO sale VALUES (101, 1, 1, '')")
    area.run("TRUNCATE sale")
    area.run("INSERT INTO sale VALUES (101, 1, 1, '')")
    assert area.run("SELECT * FROM v1 ORDER BY 1") == before
    assert not view.is_fresh()
    with transaction.atomic():
        area.run("INSERT INTO sale VALUES (102, 1, 1, '')")
        for one in (view, inner):
            one.refresh()
            assert one.is_fresh()
        area.check()
        area.forbid_recompute()
        area.run("INSERT INTO sale VALUES (103, 1, 1, '')")
    area.check()
    assert view.is_fresh()
    assert inner.is_fresh()
    area.run("INSERT INTO sale VALUES (104, 1, 1, '')")
    area.check()


@pytest.mark.parametrize("code", RETRIED[:2])
def test_what_a_retry_may_mend_fails_the_commit(area: Area, code: str) -> None:
    area.run(TABLES)
    view = area.view("v1", QUERIES["grouped"], mode="commit", on_error="stale")
    fail(area, code)
    session = area.connect()
    session.execute("BEGIN; INSERT INTO sale VALUES (100, 1, 1, '')")
    with pytest.raises(psycopg.Error) as raised:
        session.execute("COMMIT")
    assert raised.value.sqlstate == code
    mend(area)
    assert view.is_fresh()
    area.check()


def test_a_drain_fails_by_itself(area: Area) -> None:
    area.run(TABLES)
    view = area.view("v1", QUERIES["grouped"], mode="deferred", on_error="stale")
    fail(area)
    area.run("INSERT INTO sale VALUES (100, 1, 1, '')")
    with pytest.raises(django_ivm.RefreshError, match="no change of"):
        view.refresh()
    mend(area)
    view.refresh()
    area.check()
    assert view.is_fresh()


def test_a_stale_view_changes_its_mode(area: Area) -> None:
    area.run(TABLES)
    for mode in ("immediate", "deferred", "commit", "immediate"):
        view = area.view("v1", QUERIES["grouped"], mode=mode, on_error="stale", replace=True)
        fail(area)
        area.run("UPDATE sale SET v = v + 1")
        assert not view.is_fresh()
        mend(area)
    view.refresh()
    area.check()
    assert view.is_fresh()
    area.forbid_recompute()
    area.step("UPDATE sale SET v = v + 1")


@pytest.mark.parametrize("mode", ["immediate", "commit"])
def test_an_online_installation_leaves_what_an_ordinary_one_does(area: Area, mode: str) -> None:
    area.run(TABLES + "ANALYZE")
    nothing = catalog(area)
    area.view("v1", QUERIES["grouped"], mode=mode, on_error="stale")
    expected = catalog(area)
    django_ivm.drop_view("v1")
    assert catalog(area) == nothing
    view = area.view("v1", QUERIES["grouped"], mode=mode, on_error="stale", online=True)
    assert catalog(area) == expected
    fail(area)
    area.run("INSERT INTO sale VALUES (100, 1, 1, '')")
    assert "23514" in view.status().cause
    mend(area)
    area.run("INSERT INTO sale VALUES (101, 1, 1, '')")
    view.refresh()
    area.check()
    area.forbid_recompute()
    area.step("INSERT INTO sale VALUES (102, 1, 1, '')")
    assert view.is_fresh()
