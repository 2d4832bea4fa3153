"""The worker of `ivm_refresh --watch`: woken, in order, several at once, never stuck on one that fails."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

import django_ivm
from django_ivm.engine.results import RefreshResult
from django_ivm.engine.worker import Worker
from django_ivm.models import RefreshLog
from tests.not_kept import NOT_KEPT

from .area import Area

LIMIT = 60.0  # seconds after which something that doesn't happen is an error
NEVER = 600.0  # a poll that no test waits for: only a notification can be faster
TABLES = """
CREATE TABLE sale (id int PRIMARY KEY, rid int, v int);
INSERT INTO sale SELECT i, i % 4 + 1, i % 7 FROM generate_series(1, 40) i;
"""
SUMS = "SELECT rid, count(*) AS n, sum(v) AS s FROM sale GROUP BY rid"
RANKS = f"SELECT id, v, rank() OVER (ORDER BY v, id) AS place FROM sale WHERE {NOT_KEPT}"
RATIOS = "SELECT id, 10 / (v - 1000) AS q FROM sale"


@pytest.fixture
def sales(area: Area) -> Area:
    area.run(TABLES)
    return area


def until(happened: Callable[[], Any], what: str) -> None:
    """Wait for it; an error when it takes too long."""
    end = time.monotonic() + LIMIT
    while not happened():
        assert time.monotonic() < end, f"in {LIMIT:.0f} s it didn't happen: {what}"
        time.sleep(0.02)


class Watching:
    """A worker in a thread, with what it reported."""

    def __init__(self, **options: Any) -> None:
        self.reports: list[tuple[str, RefreshResult | Exception]] = []
        self.error: BaseException | None = None
        self.worker = Worker("default", report=self._report, **{"poll": NEVER, **options})
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _report(self, name: tuple[str, str], outcome: RefreshResult | Exception) -> None:
        self.reports.append((name[1], outcome))

    def _run(self) -> None:
        try:
            self.worker.run()
        except BaseException as error:  # noqa: BLE001 -- told to the test
            self.error = error
        finally:
            connections.close_all()

    @property
    def refreshed(self) -> list[str]:
        """Names of the views, in the order in which they were refreshed."""
        return [name for name, outcome in self.reports if isinstance(outcome, RefreshResult)]

    @property
    def failed(self) -> list[str]:
        return [name for name, outcome in self.reports if isinstance(outcome, Exception)]

    def end(self) -> None:
        self.worker.stop()
        self.thread.join(LIMIT)
        assert not self.thread.is_alive(), "the worker didn't stop"
        assert self.error is None


@contextlib.contextmanager
def watching(**options: Any) -> Iterator[Watching]:
    found = Watching(**options)
    try:
        yield found
    finally:
        found.end()


def sleepers(area: Area) -> list[int]:
    return [pid for (pid,) in area.run("SELECT pid FROM django_ivm.listening ORDER BY pid")]


def test_a_write_wakes_it(sales: Area) -> None:
    ranks = sales.view("ranks", RANKS, strategy="auto", mode="manual")
    with watching() as at:
        until(lambda: sleepers(sales), "it sleeps")
        sales.run("INSERT INTO sale VALUES (100, 1, 1)")
        until(ranks.is_fresh, "the view is fresh")
        until(lambda: sleepers(sales), "it sleeps again")
        sales.check()
        sales.run("UPDATE sale SET v = 9 WHERE id = 100")
        until(ranks.is_fresh, "the view is fresh again")
        sales.check()
    assert at.refreshed == ["ranks", "ranks"]
    assert not sleepers(sales)
    assert set(RefreshLog.objects.values_list("trigger", flat=True)) == {"worker"}


def test_what_was_stale_before_it_came(sales: Area) -> None:
    ranks = sales.view("ranks", RANKS, strategy="auto")
    sales.run("DELETE FROM sale WHERE id = 3")
    assert not ranks.is_fresh()
    with watching():
        until(ranks.is_fresh, "the view is fresh")
    sales.check()


def test_deferred_views_are_drained(sales: Area) -> None:
    sums = sales.view("sums", SUMS, mode="deferred")
    with watching():
        until(lambda: sleepers(sales), "it sleeps")
        for i in range(5):
            sales.run("INSERT INTO sale VALUES (%s, 1, 1)", 100 + i)
            until(sums.is_fresh, "the view is fresh")
            sales.check()


def test_views_after_those_that_they_read(sales: Area) -> None:
    sales.view("first", RANKS, strategy="auto", mode="manual")
    sales.view("second", f"SELECT place, count(*) AS n FROM first WHERE {NOT_KEPT} GROUP BY place", strategy="auto")
    third = sales.view("third", "SELECT n, count(*) AS m FROM second GROUP BY n", strategy="auto", mode="manual")
    sales.run("INSERT INTO sale VALUES (100, 1, 1)")
    with watching(jobs=3) as at:
        until(third.is_fresh, "the last view is fresh")
        until(lambda: sleepers(sales), "it sleeps")
    sales.check()
    assert at.refreshed == ["first", "second", "third"]


def test_writes_that_no_trigger_saw(sales: Area) -> None:
    sums = sales.view("sums", SUMS, mode="deferred")
    sales.run("ALTER TABLE sale DISABLE TRIGGER USER; UPDATE sale SET v = v + 1; ALTER TABLE sale ENABLE TRIGGER USER")
    assert not sums.is_fresh()
    with watching() as at:
        until(sums.is_fresh, "the view is fresh")
        until(lambda: sleepers(sales), "it sleeps")
    sales.check()
    assert at.refreshed == ["sums"]


def test_only_the_views_that_were_asked_for(sales: Area) -> None:
    ranks, other = (sales.view(name, RANKS, strategy="auto", mode="manual") for name in ("ranks", "other"))
    with watching(names=frozenset([(sales.schema, "ranks")])) as at:
        until(lambda: sleepers(sales), "it sleeps")
        sales.run("INSERT INTO sale VALUES (100, 1, 1)")
        until(ranks.is_fresh, "the view is fresh")
    assert at.refreshed == ["ranks"]
    assert not other.is_fresh()


def test_a_transaction_that_began_before_it_slept(sales: Area) -> None:
    """The writer looked for sleepers before there were any, and commits when the worker has looked for work."""
    ranks = sales.view("ranks", RANKS, strategy="auto", mode="manual")
    writer = sales.connect(autocommit=False)
    writer.execute("INSERT INTO sale VALUES (100, 1, 1)")
    with watching():
        until(lambda: sleepers(sales), "it sleeps")
        writer.commit()
        until(lambda: not ranks.is_fresh() or "100" in str(sales.run("SELECT id FROM ranks")), "the write is there")
        until(ranks.is_fresh, "the view is fresh, long before the next poll")
    sales.check()


def test_a_failing_view_is_tried_less_and_less_often(sales: Area) -> None:
    bad = sales.view("bad", RATIOS, mode="manual")
    good = sales.view("good", RANKS, strategy="auto", mode="manual")
    sales.run("INSERT INTO sale VALUES (100, 1, 1000)")  # 10 / 0
    begun = time.monotonic()
    with watching() as at:
        until(good.is_fresh, "the other view is fresh")
        until(lambda: len(at.failed) >= 2, "it is tried again")
        assert len(at.failed) <= 2 + time.monotonic() - begun, "it is tried all the time"  # after 1, 2, 4 … seconds
        assert at.refreshed == ["good"]
        assert not bad.is_fresh()
        assert "division by zero" in RefreshLog.objects.filter(view_name="bad", failed=True)[0].error
        sales.run("DELETE FROM sale WHERE id = 100")
        until(bad.is_fresh, "it is mended by the next try")
    sales.check()


def test_it_stops_when_what_it_is_at_is_done(sales: Area) -> None:
    ranks = sales.view("ranks", RANKS, strategy="auto", mode="manual")
    sales.view("other", RANKS, strategy="auto", mode="manual")
    sales.run("INSERT INTO sale VALUES (100, 1, 1)")
    holder = sales.connect(autocommit=False)
    holder.execute("LOCK TABLE ranks IN SHARE MODE")
    with watching() as at:
        until(lambda: waiting(sales), "a refresh waits for the lock")
        at.worker.stop()
        at.thread.join(0.3)
        assert at.thread.is_alive()
        holder.rollback()
    assert at.refreshed == ["ranks"]
    assert ranks.is_fresh()


def waiting(area: Area) -> int:
    """How many backends wait for a lock."""
    return int(
        area.value(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    )


def test_two_workers_do_the_work_once(sales: Area) -> None:
    names = [f"v{i}" for i in range(3)]
    views = [sales.view(name, RANKS, strategy="auto", mode="manual") for name in names]
    with watching(jobs=2) as one, watching(jobs=2) as other:
        until(lambda: len(sleepers(sales)) == 2, "both sleep")
        for i in range(4):
            RefreshLog.objects.all().delete()
            sales.run("INSERT INTO sale VALUES (%s, 1, 1)", 100 + i)
            until(lambda: all(view.is_fresh() for view in views), "all are fresh")
            until(lambda: len(sleepers(sales)) == 2, "both sleep again")
            assert sorted(RefreshLog.objects.values_list("view_name", flat=True)) == names
    sales.check()
    assert len(one.refreshed) + len(other.refreshed) == 12


def test_jobs_refresh_independent_views_at_once(sales: Area) -> None:
    for name in ("one", "two"):
        sales.view(name, RANKS, strategy="auto", mode="manual")
    sales.run("INSERT INTO sale VALUES (100, 1, 1)")
    holder = sales.connect(autocommit=False)
    holder.execute("LOCK TABLE one, two IN SHARE MODE")
    with watching(jobs=2) as at:
        until(lambda: waiting(sales) == 2, "two refreshes wait for the locks")
        holder.rollback()
        until(lambda: len(at.refreshed) == 2, "both are done")
    sales.check()


def test_a_lost_connection(sales: Area, caplog: pytest.LogCaptureFixture) -> None:
    ranks = sales.view("ranks", RANKS, strategy="auto", mode="manual")
    with watching() as at:
        until(lambda: sleepers(sales), "it sleeps")
        sales.run("INSERT INTO sale VALUES (100, 1, 1)")
        until(ranks.is_fresh, "the view is fresh")
        until(lambda: sleepers(sales), "it sleeps again")
        # All of its connections, those of its threads too.
        sales.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        until(lambda: "lost" in caplog.text, "it noticed")
        sales.run("INSERT INTO sale VALUES (101, 1, 1)")
        until(ranks.is_fresh, "the view is fresh")
    assert at.refreshed == ["ranks", "ranks"]
    assert not at.failed
    sales.check()


def test_a_view_that_goes_and_one_that_comes(sales: Area) -> None:
    sales.view("gone", RANKS, strategy="auto", mode="manual")
    with watching() as at:
        until(lambda: sleepers(sales), "it sleeps")
        django_ivm.drop_view("gone")
        sales.queries.clear()
        come = sales.view("come", RANKS, strategy="auto", mode="manual")
        sales.run("INSERT INTO sale VALUES (100, 1, 1)")
        until(come.is_fresh, "the new view is fresh")
        until(lambda: at.refreshed == ["come"], "it said so")


def test_writers_notify_only_while_a_worker_sleeps(sales: Area) -> None:
    sales.view("ranks", RANKS, strategy="auto", mode="manual")
    sales.view("sums", SUMS, mode="deferred")
    ear = sales.connect()
    ear.execute("LISTEN django_ivm")

    def heard() -> bool:
        ear.execute("SELECT 1")
        return any(ear.notifies(timeout=0.01))

    write = "INSERT INTO sale SELECT max(id) + 1, 1, 1 FROM sale"
    sales.run(write)
    assert not heard()
    sales.run("INSERT INTO django_ivm.listening (pid) VALUES (pg_backend_pid())")
    try:
        sales.run(write)
        until(heard, "a notification")
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(write)
            cursor.execute("ROLLBACK")
        assert not heard()
        sales.run("UPDATE django_ivm.listening SET since = now() - interval '1 day'")  # it died asleep
        sales.run(write)
        assert not heard()
    finally:
        sales.run("DELETE FROM django_ivm.listening")


def test_a_sleeper_that_died_is_forgotten(sales: Area) -> None:
    sales.view("ranks", RANKS, strategy="auto", mode="manual")
    dead = sales.connect()
    pid = dead.info.backend_pid
    dead.execute("INSERT INTO django_ivm.listening (pid) VALUES (pg_backend_pid())")
    dead.close()
    with watching():
        until(lambda: sleepers(sales) and pid not in sleepers(sales), "only the living one is there")


def test_drains_of_a_minute_are_one_entry_of_the_log(sales: Area) -> None:
    view = sales.view("v", "SELECT id, v FROM sale", mode="deferred")
    for i in range(3):
        sales.run("INSERT INTO sale VALUES (%s, 1, 1)", 200 + i)
        view.refresh(trigger="worker")
    assert list(RefreshLog.objects.values_list("deltas", flat=True)) == [3]
    sales.run("INSERT INTO sale VALUES (300, 1, 1)")
    view.refresh(trigger="fresh")
    view.refresh(full=True, trigger="worker")
    assert list(RefreshLog.objects.order_by("id").values_list("strategy", flat=True)) == ["incremental", "full"]


# The command


def run(**options: Any) -> None:
    call_command("ivm_refresh", verbosity=0, **options)


def test_jobs_of_one_refresh(sales: Area) -> None:
    sales.view("first", RANKS, strategy="auto", mode="manual")
    sales.view("between", "SELECT place, count(*) AS n FROM first GROUP BY place")
    sales.view("last", "SELECT n, count(*) AS m FROM between GROUP BY n", strategy="auto", mode="manual")
    sales.view("bad", RATIOS, mode="manual")
    sales.run("INSERT INTO sale VALUES (100, 1, 1000)")
    with pytest.raises(CommandError, match="1 of"):
        run(jobs=3, stale=True)
    assert list(RefreshLog.objects.filter(failed=False, view_name__in=["first", "between", "last"]).order_by("id").values_list("view_name", flat=True)) == [
        "first", "last"
    ]  # fmt: skip
    sales.check("first", "between", "last")
    with pytest.raises(CommandError, match="number"):
        run(jobs=0)


def test_the_process_ends_in_order_at_sigterm(sales: Area) -> None:
    ranks = sales.view("ranks", RANKS, strategy="auto", mode="manual")
    name = connection.settings_dict["NAME"]
    program = (
        "import django; from django.conf import settings; "
        f"settings.DATABASES['default']['NAME'] = {name!r}; django.setup(); "
        "from django.core.management import call_command; call_command('ivm_refresh', watch=True)"
    )
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(root)}
    process = subprocess.Popen([sys.executable, "-c", program], env=environment, cwd=root, stdout=subprocess.PIPE)
    try:
        until(lambda: sleepers(sales) or process.poll() is not None, "it sleeps")
        sales.run("INSERT INTO sale VALUES (100, 1, 1)")
        until(ranks.is_fresh, "the view is fresh")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=LIMIT)
        assert process.returncode == 0
        assert b"ranks: full" in out
        assert out.splitlines()[-1] == b"ended."
        until(lambda: not sleepers(sales), "nobody sleeps")
    finally:
        process.kill()
        process.communicate()
    sales.check()
