"""Verify finds what differs, inner levels and hidden columns included, in a bucket of keys too; a repair mends just that."""

from __future__ import annotations

import contextlib
import itertools
import random
import threading
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

import django_ivm
from django_ivm.engine import verify as verifying
from tests.not_kept import NOT_KEPT

from .area import Area

TABLES = """
CREATE TABLE region (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE sale (id int PRIMARY KEY, rid int NOT NULL, v numeric(8,2), f float8);
INSERT INTO region SELECT i, 'r' || i % 3 FROM generate_series(1, 9) i;
INSERT INTO sale SELECT i, i % 9 + 1, i % 7, i / 3.0 FROM generate_series(1, 120) i;
CREATE TABLE loose AS SELECT v, rid FROM sale
"""
# One of each kind of table that an installation has.
VIEWS = {
    "groups": "SELECT rid, avg(v) AS mean, max(v) AS top, sum(f) AS fs FROM sale GROUP BY rid",
    "hidden_key": "SELECT count(*) AS n, min(v) AS low FROM sale GROUP BY rid",
    "rows_by_key": "SELECT s.id, r.name, s.v FROM sale s JOIN region r ON r.id = s.rid",
    "keyless": "SELECT v, rid FROM loose",
    "firsts": "SELECT id, v FROM sale ORDER BY v DESC, id LIMIT 7",
    "levels": "SELECT n, count(*) AS regions FROM (SELECT rid, count(*) AS n, avg(v) FROM sale GROUP BY rid) g GROUP BY n",
    "ranks": "SELECT id, rid, rank() OVER (PARTITION BY rid ORDER BY v) AS p FROM sale",
    "names": "SELECT DISTINCT r.name, s.v FROM sale s JOIN region r ON r.id = s.rid",
    "fully": f"SELECT id, v, rank() OVER (ORDER BY v) AS p FROM sale WHERE {NOT_KEPT}",
}  # fmt: skip


@pytest.fixture
def sales(area: Area) -> Area:
    area.run(TABLES)
    return area


def unseen(area: Area, statement: str) -> None:
    """Behind the back of everything: not even an alarm fires."""
    tables = [one["table"] for name in area.queries for one in area.installed(name).triggers]
    with transaction.atomic():
        area.run("SET LOCAL session_replication_role = replica")
        area.run(statement)
        area.run("DELETE FROM django_ivm.stale WHERE view_schema = current_schema()")
    assert tables


def stores(area: Area, name: str) -> list[str]:
    """Tables that hold the view and its levels, the levels first."""
    view = area.installed(name)
    inner = [("django_ivm", table) for table in view.objects["stores"] if ("django_ivm", table) != view.storage]
    return [".".join(f'"{part}"' for part in table) for table in (*inner, view.storage)]


def rows_of(area: Area, name: str) -> set[tuple[Any, ...]]:
    found: set[tuple[Any, ...]] = set()
    for table in stores(area, name):
        found |= {(table, *row) for row in area.run(f"SELECT ctid::text, xmin::text FROM {table}")}
    return found


def columns(area: Area, table: str) -> list[tuple[str, str]]:
    return area.run(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 "
        "AND NOT attisdropped ORDER BY attnum",
        table,
    )  # type: ignore[return-value]


_OTHER = {
    "integer": "-5",
    "bigint": "-5",
    "numeric": "-5.5",
    "double precision": "-5.5",
    "text": "'odd'",
    "boolean": "true",
}


@pytest.mark.parametrize("name", VIEWS)
def test_each_value_of_each_table_is_compared(sales: Area, name: str) -> None:
    """One row's value at a time, of every stored column; a repair writes no other row, and later writes are exact."""
    view = sales.view(name, VIEWS[name], strategy="full" if name == "fully" else "incremental")
    assert view.verify() == django_ivm.VerifyResult(True, 0, 0, view.status().rows)
    for table in stores(sales, name):
        row = f"ctid = (SELECT min(ctid) FROM {table})"
        changes = [
            f"UPDATE {table} SET {column} = {_OTHER[kind.split('(')[0]]} WHERE {row}"
            for column, kind in columns(sales, table)
            if not column.startswith("ivm_gone")
        ]
        for drift in (*changes, f"DELETE FROM {table} WHERE {row}"):
            unseen(sales, drift)
            result = view.verify()
            assert not result.ok, drift
            assert result.missing + result.unexpected == len(sales.wrong(name)), drift
            before = rows_of(sales, name)
            result = view.verify(repair=True)
            assert not result.ok
            assert result.repaired is not None
            assert view.verify() == django_ivm.VerifyResult(True, 0, 0, view.status().rows), drift
            assert len(before - rows_of(sales, name)) <= 2, drift
            sales.check()
    sales.run("UPDATE sale SET v = v + 1, rid = rid % 9 + 1 WHERE id % 3 = 0; DELETE FROM sale WHERE id % 5 = 0")
    sales.run("UPDATE loose SET v = v + 1 WHERE rid < 4; DELETE FROM loose WHERE rid = 5")
    if name == "fully":
        view.refresh()
    sales.check()
    assert view.verify().ok


def test_a_hash_of_an_older_text(sales: Area) -> None:
    """A row that was changed behind our back and back again carries a hash by which no write would find it."""
    view = sales.view("keyless", VIEWS["keyless"])
    (table,) = stores(sales, "keyless")
    unseen(sales, f"UPDATE {table} SET ivm_hash = 1 WHERE rid = 3")
    result = view.verify()
    assert (result.missing, result.unexpected, result.ok) == (0, 0, False)
    assert "unexpected" in str(result.levels[0])
    assert view.verify(repair=True).repaired is not None
    assert view.verify().ok
    sales.step("DELETE FROM loose WHERE rid = 3")


@pytest.fixture
def buckets(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The next samples' buckets."""
    wanted: list[int] = []
    monkeypatch.setattr(
        verifying.random, "randrange", lambda n: wanted.pop(0) if wanted else random.Random(1).randrange(n)
    )
    return wanted


@pytest.mark.parametrize("name", ["groups", "hidden_key", "rows_by_key", "keyless", "ranks"])
def test_the_buckets_of_a_sample_are_the_whole(sales: Area, buckets: list[int], name: str) -> None:
    view = sales.view(name, VIEWS[name])
    table = stores(sales, name)[-1]
    unseen(sales, f"DELETE FROM {table} WHERE ctid IN (SELECT ctid FROM {table} LIMIT 4)")
    unseen(sales, "UPDATE sale SET v = v + 1, f = 0 WHERE id < 30; UPDATE loose SET v = -1 WHERE rid = 2")
    whole = view.verify()
    parts = []
    for i in range(5):
        buckets.append(i)
        parts.append(view.verify(sample=5))
    assert sum(part.missing for part in parts) == whole.missing > 0
    assert sum(part.unexpected for part in parts) == whole.unexpected
    if verifying.sample_key(sales.installed(name)):
        assert sum(part.rows for part in parts) == whole.rows


def test_a_sample_is_taken_below_the_groups(sales: Area) -> None:
    """The condition on the key stands at the scan of the source, under the aggregate."""
    sales.view("groups", VIEWS["groups"])
    statement = verifying._statement(sales.installed("groups"), 10)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT TEXT) " + statement.as_string(cursor.connection))
        plan = [line for (line,) in cursor.fetchall()]
    scan = next(i for i, line in enumerate(plan) if "Scan on sale" in line)
    assert "hashtextextended" in plan[scan + 1], "\n".join(plan)


def test_a_sample_of_a_key_that_looks_different(area: Area) -> None:
    """1.0 and 1.00 are one group: its key is no means to find its bucket."""
    area.run("CREATE TABLE t (k numeric, v int); INSERT INTO t VALUES (1.0, 1), (1.00, 2), (2, 3)")
    view = area.view("sums", "SELECT k, sum(v) AS s FROM t GROUP BY k")
    area.run("UPDATE t SET k = 1.000 WHERE v = 1")
    assert view.verify().ok
    assert all(view.verify(sample=3).ok for _ in range(6))


def test_a_repair_of_what_is_right_writes_nothing(sales: Area) -> None:
    view = sales.view("levels", VIEWS["levels"])
    before = rows_of(sales, "levels")
    assert view.verify(repair=True).repaired is None
    assert rows_of(sales, "levels") == before


def test_a_repair_hands_the_difference_down(sales: Area) -> None:
    """A view that reads a mended one follows by its triggers."""
    views = [
        sales.view("groups", VIEWS["groups"]),
        sales.view("above", "SELECT top, count(*) AS n FROM groups GROUP BY top"),
    ]
    sales.run("ALTER TABLE sale DISABLE TRIGGER USER")
    sales.run("UPDATE sale SET v = 50 WHERE id < 20")
    sales.run("ALTER TABLE sale ENABLE TRIGGER USER")
    assert views[1].verify().ok  # it equals its query over what it reads
    assert not views[1].is_fresh()
    assert not views[0].verify(repair=True).ok
    sales.check()
    assert all(view.is_fresh() and view.verify().ok for view in views)


def test_verify_in_a_transaction_of_the_callers(sales: Area) -> None:
    view = sales.view("levels", VIEWS["levels"])
    with transaction.atomic():
        sales.run("UPDATE sale SET rid = 1 WHERE id < 9")
        path = sales.value("SELECT current_setting('search_path')")
        assert view.verify().ok
        assert sales.value("SELECT current_setting('search_path')") == path
        table = stores(sales, "levels")[0]
        unseen(sales, f"DELETE FROM {table} WHERE ctid = (SELECT min(ctid) FROM {table})")
        assert view.verify(repair=True).repaired is not None
        assert sales.value("SELECT current_setting('search_path')") == path
        assert view.verify().ok
    sales.check()


@pytest.mark.parametrize("mode", ["deferred", "commit"])
def test_pending_changes_are_no_difference(sales: Area, mode: str) -> None:
    view = sales.view("levels", VIEWS["levels"], mode=mode)
    sales.run("UPDATE sale SET rid = rid % 3 + 1 WHERE id < 50")
    before = rows_of(sales, "levels")
    assert view.verify() == django_ivm.VerifyResult(True, 0, 0, view.verify().rows)
    assert view.verify(sample=2).ok
    assert rows_of(sales, "levels") == before  # nothing was drained
    assert view.is_fresh() is (mode == "commit")
    table = stores(sales, "levels")[0]
    unseen(sales, f"DELETE FROM {table} WHERE ctid = (SELECT min(ctid) FROM {table})")
    assert not view.verify().ok
    assert view.verify(repair=True).repaired is not None
    sales.check()
    assert view.is_fresh()
    assert view.verify().ok


def test_the_command(sales: Area, capsys: pytest.CaptureFixture[str]) -> None:
    sales.view("levels", VIEWS["levels"])
    sales.view("keyless", VIEWS["keyless"])
    labels = (f"{sales.schema}.levels", f"{sales.schema}.keyless")
    call_command("ivm_verify", *labels)
    assert "2 verified" in capsys.readouterr().out
    table = stores(sales, "levels")[0]
    unseen(sales, f"DELETE FROM {table} WHERE ctid = (SELECT min(ctid) FROM {table})")
    with pytest.raises(CommandError, match="1 of 2 views differ"):
        call_command("ivm_verify", *labels)
    assert "inside, " in capsys.readouterr().out
    call_command("ivm_verify", *labels, "--repair")
    out = capsys.readouterr().out
    assert "rows inserted" in out
    assert "2 verified" in out
    call_command("ivm_verify", *labels, "--sample", "3")
    with pytest.raises(CommandError):
        call_command("ivm_verify", *labels, "--sample", "none")


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a transaction"])
def test_a_deferred_view_is_compared_at_one_moment(sales: Area, inside: bool) -> None:
    """Writers commit all the time; whatever they do between drain and comparison is no difference."""
    view = sales.view("levels", VIEWS["levels"], mode="deferred")
    session, stop = sales.connect(), threading.Event()

    def write() -> None:
        for i in itertools.count():
            if stop.is_set():
                return
            session.execute("UPDATE sale SET rid = %s %% 9 + 1 WHERE id %% 7 = %s", (i, i % 7))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(12):
            with transaction.atomic() if inside else contextlib.nullcontext():
                result = view.verify()
            assert result.ok, result
    finally:
        stop.set()
        writer.join()
    assert not view.is_fresh()
    view.refresh()
    sales.check()


def test_the_text_of_rows_is_compared_as_it_was_written(area: Area) -> None:
    area.run(
        "CREATE TABLE seen (at timestamptz, d interval); INSERT INTO seen VALUES ('2024-02-28 12:00+02', '90 min')"
    )
    view = area.view("v", "SELECT at, d FROM seen")
    area.run("SET TimeZone = 'Asia/Tokyo'; SET IntervalStyle = 'iso_8601'")
    try:
        area.run("INSERT INTO seen VALUES ('2024-03-01 12:00+02', '1 day')")
        assert view.verify().ok
        area.run("DELETE FROM seen WHERE d = '90 min'")
        assert view.verify().ok
    finally:
        area.run("RESET TimeZone; RESET IntervalStyle")
