"""Refresh and its log, staleness, chains and diamonds, verify and repair."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, connections, transaction

import django_ivm
from django_ivm import signals
from django_ivm.engine import install
from django_ivm.models import RefreshLog
from tests.not_kept import NOT_KEPT, NOT_KEPT_CODE

from .area import Area

TABLES = """
CREATE TABLE region (id int PRIMARY KEY, name text);
CREATE TABLE sale (id int PRIMARY KEY, rid int, v int, note text); CREATE INDEX ON sale (rid, v);
INSERT INTO region SELECT i, 'r' || i FROM generate_series(1, 4) i;
INSERT INTO sale SELECT i, i % 4 + 1, i % 7, '' FROM generate_series(1, 40) i;
"""
RANKS = f"SELECT id, v, rank() OVER (ORDER BY v, id) AS place FROM sale WHERE {NOT_KEPT}"
RATIOS = f"SELECT id, 10 / (v + 1) AS q, rank() OVER (ORDER BY id) AS place FROM sale WHERE {NOT_KEPT}"
SUMS = "SELECT rid, count(*) AS n, sum(v) AS s FROM sale GROUP BY rid"
WRITES = (
    "INSERT INTO sale VALUES (100, 1, 1, '')", "UPDATE sale SET v = v + 1 WHERE id < 5", "DELETE FROM sale "
        "WHERE id = 7",
    "TRUNCATE sale", "MERGE INTO sale USING (VALUES (1000)) s(id) ON sale.id = s.id WHEN NOT MATCHED THEN "
        "INSERT VALUES (s.id, 1, 1, '')",
)  # fmt: skip


@pytest.fixture
def sales(area: Area) -> Area:
    area.run(TABLES)
    return area


@pytest.mark.parametrize("statement", WRITES, ids=[s.split()[0] for s in WRITES])
@pytest.mark.parametrize("options", [{"strategy": "auto"}, {"strategy": "full"}, {"mode": "manual"}], ids=str)
def test_a_write_marks_a_view_that_it_does_not_maintain(sales: Area, statement: str, options: dict[str, str]) -> None:
    query = SUMS if options != {"strategy": "auto"} else RANKS
    view = sales.view("v1", query, **{"strategy": "auto", **options})
    assert view.is_fresh()
    assert view.status().strategy == ("incremental" if "mode" in options else "full")
    before = sales.run("SELECT * FROM v1 ORDER BY 1")
    sales.run(statement)
    assert not view.is_fresh()
    status = view.status()
    assert status.stale
    assert status.lag is not None
    assert status.lag.total_seconds() > 0
    assert sales.run("SELECT * FROM v1 ORDER BY 1") == before  # a write never recomputes it
    result = view.refresh()
    assert (result.strategy, result.failed, result.view) == ("full", False, "v1")
    assert result.inserted + result.updated + result.deleted > 0
    sales.check()
    assert view.is_fresh()
    assert not view.status().stale


def test_writes_that_change_nothing_leave_it_fresh(sales: Area) -> None:
    view = sales.view("v1", RANKS, strategy="auto")
    sales.run("UPDATE sale SET v = 1 WHERE false")
    sales.run("DELETE FROM sale WHERE id = -1")
    assert view.is_fresh()
    with transaction.atomic():
        sales.run("DELETE FROM sale")
        assert not view.is_fresh()
        transaction.set_rollback(True)
    assert view.is_fresh()


def test_one_mark_for_a_transaction(sales: Area) -> None:
    view = sales.view("v1", RANKS, strategy="auto")
    with transaction.atomic():
        for i in range(5):
            sales.run("UPDATE sale SET v = %s WHERE id = 1", i)
    assert sales.value("SELECT count(*) FROM django_ivm.stale WHERE view_name = 'v1'") == 1
    with transaction.atomic():
        sales.run("UPDATE sale SET v = 50 WHERE id = 1")
        view.refresh()
        assert view.is_fresh()
        sales.run("UPDATE sale SET v = 51 WHERE id = 1")
        assert not view.is_fresh()
    assert not view.is_fresh()
    view.refresh()
    sales.check()


def test_a_mark_in_a_savepoint_that_is_rolled_back(sales: Area) -> None:
    view = sales.view("v1", RANKS, strategy="auto")
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            sales.run("UPDATE sale SET v = 50 WHERE id = 1")
            raise ZeroDivisionError
        assert view.is_fresh()
        sales.run("UPDATE sale SET v = 51 WHERE id = 1")
        assert not view.is_fresh()
    assert not view.is_fresh()


def test_an_incremental_view_has_nothing_to_refresh(sales: Area) -> None:
    view = sales.view("v1", SUMS)
    sales.step("UPDATE sale SET v = v + 1")
    result = view.refresh()
    assert (result.strategy, result.inserted, result.updated, result.deleted) == ("incremental", 0, 0, 0)
    result = view.refresh(full=True)
    assert (result.strategy, result.inserted, result.updated, result.deleted) == ("full", 0, 0, 0)
    assert "asked for" in result.reason


def test_the_log_of_a_refresh(sales: Area) -> None:
    view = sales.view("v1", RANKS, strategy="auto")
    sales.run("DELETE FROM sale WHERE id = 7")
    view.refresh()
    entry = RefreshLog.objects.get(view_name="v1")
    assert (entry.strategy, entry.mode, entry.database, entry.trigger, entry.failed) == (
        "full",
        "immediate",
        "default",
        "api",
        False,
    )
    assert entry.rows_deleted >= 1
    assert entry.updated_at >= entry.started_at
    assert entry.duration is not None
    (reason,) = view.explain().reasons
    assert reason.code == NOT_KEPT_CODE
    assert reason.code in entry.reason
    assert reason.message in entry.reason


def failures() -> list[RefreshLog]:
    return list(RefreshLog.objects.filter(failed=True))


def test_a_failing_refresh_raises_and_is_logged(sales: Area) -> None:
    view = sales.view("v1", RATIOS, strategy="auto")
    before = sales.run("SELECT * FROM v1 ORDER BY id")
    sales.run("UPDATE sale SET v = -1 WHERE id = 8")
    told = []

    def listen(result: django_ivm.RefreshResult, **_: object) -> None:
        told.append(result)

    signals.post_refresh.connect(listen)
    with pytest.raises(django_ivm.RefreshError, match="division by zero") as raised:
        view.refresh()
    signals.post_refresh.disconnect(listen)
    assert raised.value.code == "22012"
    assert [result.failed for result in told] == [True]
    (entry,) = failures()
    assert "division by zero" in entry.error
    assert not view.is_fresh()
    assert sales.run("SELECT * FROM v1 ORDER BY id") == before
    sales.run("UPDATE sale SET v = 1 WHERE id = 8")
    view.refresh()
    sales.check()
    assert view.is_fresh()


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_failing_refresh_in_nested_atomic_blocks_is_logged(sales: Area, depth: int) -> None:
    view = sales.view("v1", RATIOS, strategy="auto")
    sales.run("UPDATE sale SET v = -1 WHERE id = 8")

    def nested(left: int) -> None:
        with transaction.atomic():
            if left:
                nested(left - 1)
            else:
                sales.run("INSERT INTO sale VALUES (500, 1, 1, '')")
                view.refresh()

    with pytest.raises(django_ivm.RefreshError):
        nested(depth - 1)
    assert not connection.in_atomic_block
    assert len(failures()) == 1
    assert sales.value("SELECT count(*) FROM sale WHERE id = 500") == 0
    assert [alias for alias in connections if "log" in alias] == []


def test_a_failing_refresh_in_an_outer_block_that_goes_on(sales: Area) -> None:
    view = sales.view("v1", RATIOS, strategy="auto")
    sales.run("UPDATE sale SET v = -1 WHERE id = 8")
    with transaction.atomic():
        with pytest.raises(django_ivm.RefreshError):
            view.refresh()
        sales.run("UPDATE sale SET v = 2 WHERE id = 8")  # the transaction is not aborted
        view.refresh()
    sales.check()
    assert len(failures()) == 1
    assert RefreshLog.objects.filter(failed=False).count() == 1


def test_a_refresh_of_an_aborted_transaction_says_so(sales: Area) -> None:
    view = sales.view("v1", RANKS, strategy="auto")
    with pytest.raises((django_ivm.RefreshError, DatabaseError)), transaction.atomic():
        with pytest.raises(DatabaseError):
            sales.run("SELECT 1 / 0")
        view.refresh()
    sales.check()


def chain(sales: Area) -> dict[str, django_ivm.View]:
    """full → incremental → incremental, an incremental diamond beside."""
    return {
        "ranks": sales.view("ranks", RANKS, strategy="auto"),
        "tens": sales.view(
            "tens", "SELECT place / 10 AS ten, count(*) AS n, sum(v) AS s FROM ranks GROUP BY place / 10"
        ),
        "sizes": sales.view("sizes", "SELECT n, count(*) AS tens FROM tens GROUP BY n"),
        "sums": sales.view("sums", SUMS),
        "named": sales.view("named", "SELECT r.name, s.n, s.s FROM sums s JOIN region r ON r.id = s.rid"),
        "both": sales.view("both", "SELECT n.name, s.s FROM named n JOIN sums s ON s.n = n.n AND s.s = n.s"),
        "mixed": sales.view("mixed", "SELECT t.ten, s.rid FROM tens t JOIN sums s ON s.rid = t.ten"),
    }


def test_children_of_a_full_view_follow_its_refresh(sales: Area) -> None:
    views = chain(sales)
    below = ("ranks", "tens", "sizes", "mixed")
    for name in ("tens", "sizes", "sums", "named", "both", "mixed"):
        assert views[name].status().strategy == "incremental"
        sales.forbid_recompute(name)
    for statement in (
        *WRITES[:3],
        "INSERT INTO sale SELECT i, i % 5, i % 3, '' FROM generate_series(200, 260) i",
        "DELETE FROM sale WHERE id > 220",
    ):
        sales.run(statement)
        sales.check("sums", "named", "both")
        assert {name for name, view in views.items() if not view.is_fresh()} == set(below), statement
        views["ranks"].refresh()
        sales.check()
        assert all(view.is_fresh() for view in views.values())


def test_only_the_difference_is_handed_down(sales: Area) -> None:
    views = chain(sales)
    sales.run("CREATE TABLE seen (n int)")
    storage = ".".join(f'"{part}"' for part in sales.installed("ranks").storage)
    sales.run(
        "CREATE FUNCTION count_() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS "
        "$$BEGIN INSERT INTO seen VALUES (1); RETURN NULL; END$$; "
        f"CREATE TRIGGER count_ AFTER INSERT OR UPDATE OR DELETE ON {storage} FOR EACH ROW EXECUTE "
        "FUNCTION count_()"
    )
    sales.run("UPDATE sale SET v = 100 WHERE id = (SELECT id FROM sale ORDER BY v DESC, id DESC LIMIT 1)")
    result = views["ranks"].refresh()
    assert sales.value("SELECT count(*) FROM seen") == result.inserted + result.updated + result.deleted <= 2
    sales.check()


def test_a_chain_in_topological_order_from_scratch(sales: Area) -> None:
    chain(sales)
    order = [view.name for view in install.installed(connection) if view.schema == sales.schema]
    for child, parent in (
        ("tens", "ranks"),
        ("sizes", "tens"),
        ("named", "sums"),
        ("both", "named"),
        ("both", "sums"),
        ("mixed", "tens"),
    ):
        assert order.index(parent) < order.index(child)
    assert sales.installed("both").depends_on == ("named", "sums")


def test_replacing_the_middle_of_a_chain(sales: Area) -> None:
    views = chain(sales)
    sales.view("sums", SUMS.replace("sum(v)", "sum(v + 1)"), replace=True)

    sales.run("UPDATE sale SET v = v + 3 WHERE id < 9")
    sales.check("sums", "named", "both")
    views["ranks"].refresh()
    sales.check()
    assert all(view.is_fresh() for view in views.values())


def test_truncate_through_a_chain(sales: Area) -> None:
    views = chain(sales)
    sales.run("TRUNCATE sale, region")
    sales.check("sums", "named", "both")
    views["ranks"].refresh()
    sales.check()
    sales.run(TABLES.split(";", 3)[3].strip())
    sales.check("sums", "named", "both")


def test_drop_needs_cascade(sales: Area) -> None:
    chain(sales)
    with pytest.raises(django_ivm.IVMError, match="sums is read by .*named") as raised:
        django_ivm.drop_view("sums")
    assert raised.value.code == "DEPENDENTS"
    sales.check("sums", "named", "both")
    django_ivm.drop_view("sums", cascade=True)
    for gone in ("sums", "named", "both", "mixed"):
        with pytest.raises(django_ivm.NotInstalledError):
            django_ivm.get_view(gone)
        sales.queries.pop(gone)
    assert django_ivm.get_view("tens").status().installed
    with pytest.raises(django_ivm.NotInstalledError):
        django_ivm.drop_view("sums")


def test_verify_finds_every_kind_of_drift_and_repairs(sales: Area) -> None:
    for name, query in (
        ("v1", SUMS),
        ("v2", "SELECT v, rid FROM sale"),
        ("v3", "SELECT v % 2 AS odd FROM sale"),
        ("v4", RANKS),
    ):
        view = sales.view(name, query, strategy="auto")
        assert view.verify() == django_ivm.VerifyResult(True, 0, 0, view.status().rows, ())
        storage = ".".join(f'"{part}"' for part in sales.installed(name).storage)
        for drift in (
            f"DELETE FROM {storage} WHERE ctid = (SELECT min(ctid) FROM {storage})",
            f"INSERT INTO {storage} SELECT * FROM {storage} LIMIT 1" if name == "v4" else "",
            f"UPDATE {storage} SET {'n = -1' if name == 'v1' else 'odd = 9' if name == 'v3' else 'v = -1'} "
            f"WHERE ctid = (SELECT min(ctid) FROM {storage})",
        ):
            if not drift:
                continue
            with transaction.atomic():
                sales.run("SET LOCAL session_replication_role = replica")
                sales.run(drift)
            found = view.verify()
            assert not found.ok
            assert not found
            assert found.missing + found.unexpected == len(sales.wrong(name)) > 0
            assert found.examples
            assert not view.verify(repair=True).ok
            assert view.verify().ok
            sales.check(name)
    assert RefreshLog.objects.filter(trigger="repair").count() >= 8


def test_verify_of_a_sample(sales: Area) -> None:
    view = sales.view("v1", "SELECT id, v FROM sale")
    assert all(view.verify(sample=3).ok for _ in range(5))
    with transaction.atomic():
        sales.run("SET LOCAL session_replication_role = replica")
        sales.run("UPDATE sale SET v = v + 1000")
    assert not view.verify(sample=2).ok


def test_settings_of_the_session_do_not_matter(sales: Area) -> None:
    """The refresher's and the writers' sessions may print values differently."""
    sales.run(
        "CREATE TABLE odd (id int PRIMARY KEY, f float8, d date, t timestamptz, i interval, b bytea, m "
        "numeric); "
        "INSERT INTO odd SELECT i, i / 3.0, '2024-02-29'::date + i, '2024-02-29 12:00Z', i * interval '25 "
        "hours', '\\x01ff', i FROM generate_series(1, 5) i"
    )
    sales.view("bag", "SELECT f, d, t, i, b, m FROM odd")
    sales.view("groups", "SELECT f, d, t, i, b, count(*) AS n FROM odd GROUP BY f, d, t, i, b", strategy="auto")
    sales.view("values_", "SELECT a.f, b.t, b.i FROM odd a JOIN odd b ON a.d = b.d")
    other = sales.connect()
    for setting in (
        "SET DateStyle = 'SQL, DMY'", "SET IntervalStyle = 'iso_8601'", "SET extra_float_digits = -3",
            "SET TimeZone = 'Asia/Tokyo'",
        "SET bytea_output = 'escape'", "SET standard_conforming_strings = off", "SET transform_null_equals "
            "= on", "SET enable_seqscan = off",
    ):  # fmt: skip
        other.execute(setting)
        other.execute("UPDATE odd SET f = f + 0.1, i = i + interval '1 day 3 seconds' WHERE id < 4")
        other.execute(
            "WITH x AS (DELETE FROM odd WHERE id = 5) INSERT INTO odd SELECT id + 100, f, d, t, "
            "i, b, m FROM odd WHERE id = 2"
        )
        other.execute("DELETE FROM odd WHERE id > 100")
        other.execute("INSERT INTO odd SELECT 5, f, d, t, i, b, m FROM odd WHERE id = 1")
        for name in sales.queries:
            view = django_ivm.get_view(name)
            if view.status().strategy == "full":
                view.refresh()
        sales.check()
