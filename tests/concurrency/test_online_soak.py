"""Views installed online one after another, changed, killed and taken up again, while transactions of every isolation
level write. Short of DJANGO_IVM_ONLINE_SECONDS it is left out."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

import django_ivm
from django_ivm.engine import online
from django_ivm.engine.attempts import Patience
from django_ivm.engine.spec import ViewSpec
from tests.engine.area import Area

from .traffic import JOIN, ROWS, SUMS, TABLES

SECONDS = float(os.environ.get("DJANGO_IVM_ONLINE_SECONDS", "0"))
QUERIES = (
    JOIN, SUMS, ROWS,
    "SELECT n, count(*) AS groups FROM (SELECT pid, count(*) AS n FROM child GROUP BY pid) q GROUP BY n",
    "SELECT grp, count(*) AS n FROM parent p WHERE EXISTS (SELECT 1 FROM child c WHERE c.pid = p.id AND c.v > 3) GROUP BY grp",
    "SELECT p.grp, c.v FROM parent p LEFT JOIN child c ON c.pid = p.id",
)  # fmt: skip
LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


def statement(rng: random.Random) -> str:
    return rng.choice((
        f"INSERT INTO child (pid, v) VALUES ({rng.randint(1, 9)}, {rng.randint(0, 9)})",
        f"UPDATE child SET v = {rng.randint(0, 9)}, pid = {rng.randint(1, 9)} WHERE id % 20 = {rng.randrange(20)}",
        f"DELETE FROM child WHERE id % 50 = {rng.randrange(50)}",
        f"UPDATE parent SET grp = 'g{rng.randrange(4)}' WHERE id = {rng.randint(1, 8)}",
        "SELECT count(*) FROM child",
    ))  # fmt: skip


class Writer(threading.Thread):
    def __init__(self, area: Area, seed: str, stop: threading.Event) -> None:
        super().__init__()
        self.session, self.rng, self.stop = area.connect(), random.Random(seed), stop
        self.states: Counter[str | None] = Counter()

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                with self.session.transaction():
                    self.session.execute(f"SET TRANSACTION ISOLATION LEVEL {self.rng.choice(LEVELS)}")
                    for _ in range(self.rng.randint(1, 3)):
                        self.session.execute(statement(self.rng))
                        if self.rng.random() < 0.05:
                            time.sleep(self.rng.random() * 0.3)
                    if self.rng.random() < 0.005:
                        self.session.execute("TRUNCATE child")
                self.states[None] += 1
            except psycopg.Error as error:
                self.states[error.sqlstate] += 1


def equal(area: Area, view: django_ivm.View, mode: str) -> None:
    """The view equals its query: as it is, or deferred, drained at a moment when nobody writes."""
    while mode == "deferred":
        try:
            with transaction.atomic():
                area.run("SET LOCAL lock_timeout = '300ms'; LOCK TABLE child, parent IN SHARE MODE")
                view.refresh()
                area.check()
            return
        except (DatabaseError, django_ivm.RefreshError) as error:
            assert "lock" in str(error)
    area.check()


@pytest.mark.skipif(not SECONDS, reason="DJANGO_IVM_ONLINE_SECONDS isn't set")
def test_online_installations_one_after_another(area: Area, rng: random.Random, seed: int) -> None:
    area.run(TABLES)
    stop = threading.Event()
    writers = [Writer(area, f"{seed} {number}", stop) for number in range(3)]
    for writer in writers:
        writer.start()
    done: Counter[str] = Counter()
    end = time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            mode = rng.choice(("immediate", "commit", "deferred"))
            area.queries["v1"] = rng.choice(QUERIES)
            spec = ViewSpec(name="v1", sql=area.queries["v1"], mode=mode, schema=area.schema)
            left = [rng.choice((0, 0, rng.randint(1, 20)))]

            def tell(text: str, left: list[Any] = left) -> None:
                left[0] -= 1
                if left[0] == 0:
                    raise Killed(text)

            try:
                online.install_online(spec, connection, progress=tell, patience=Patience(limit=120))
            except Killed:
                area.enter()
                done["killed"] += 1
                continue
            done[mode] += 1
            for _ in range(3):
                equal(area, django_ivm.get_view("v1"), mode)
            if rng.random() < 0.3:
                django_ivm.drop_view("v1")
    finally:
        stop.set()
        for writer in writers:
            writer.join(30)
        states = sum((writer.states for writer in writers), Counter())
        print(f"\n{dict(done)}, transactions by SQLSTATE: {dict(states)}")
    assert set(states) <= {None, "40001", "40P01"}
    assert sum(done.values()) > done["killed"]
