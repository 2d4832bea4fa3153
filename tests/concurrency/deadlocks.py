"""Deadlocks that views cause: `python -m tests.concurrency.deadlocks` counts them, beside the same writes without views.

Sessions run transactions of one to four statements in READ COMMITTED, in slices that alternate between tables with
views and tables without. `site` writes as a site does, by primary key, with a few rows that many refer to; `rough`
writes the tables of `test_race`, small ones, by condition. Options name views, a mode, seconds and seeds; `--detail`
shows what the victims waited for and what the transactions had done.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

RETRYABLE = ("40001", "40P01")

SITE = """
CREATE TABLE region (id int PRIMARY KEY, name text, note text);
CREATE TABLE person (id int PRIMARY KEY, rid int REFERENCES region DEFERRABLE INITIALLY DEFERRED, kind text, note text);
CREATE TABLE sale (id bigserial PRIMARY KEY, pid int REFERENCES person DEFERRABLE INITIALLY DEFERRED, g int, v int,
  p numeric(10, 2), f float8, note text);
CREATE TABLE loose (id bigserial PRIMARY KEY, k int, v int, tag text);
CREATE TABLE side (id bigserial PRIMARY KEY, k int, name text);
CREATE INDEX ON person (rid); CREATE INDEX ON sale (pid); CREATE INDEX ON sale (g, v);
CREATE INDEX ON loose (k); CREATE INDEX ON side (k); CREATE INDEX ON person (kind);
INSERT INTO region SELECT i, 'r' || i, '' FROM generate_series(1, 20) i;
INSERT INTO person SELECT i, i % 20 + 1, 'k' || i % 40, '' FROM generate_series(1, 1000) i;
INSERT INTO sale (pid, g, v, p, f) SELECT i % 1000 + 1, i % 50, i % 997, i, i / 4.0 FROM generate_series(1, 5000) i;
INSERT INTO loose (k, v, tag) SELECT i % 300, i % 40, 't' || i % 5 FROM generate_series(1, 1000) i;
INSERT INTO side (k, name) SELECT i % 300, 'n' || i % 30 FROM generate_series(1, 600) i;
"""


def site(rng: random.Random) -> str:
    """One write of a site: `save()`, `create()`, `delete()` or a small `bulk_create()`."""
    person = rng.randint(1, 1000) if rng.random() < 0.8 else rng.randint(1, 5)
    sale, region, value = rng.randint(1, 5000), rng.randint(1, 20), rng.randrange(1000)
    insert = "INSERT INTO sale (pid, g, v, p, f) VALUES "
    row = f"({person}, {value % 50}, {value}, {value}, {value / 4})"
    others = ", ".join(f"({rng.randint(1, 1000)}, {value % 50}, {value + i}, {i}, {i})" for i in range(3))
    weighed = (
        (30, insert + row),
        (4, insert + others),
        (20, f"UPDATE sale SET v = {value}, note = 'x' WHERE id = {sale}"),
        (8, f"UPDATE sale SET note = 'y' WHERE id = {sale}"),
        (3, f"UPDATE sale SET g = {value % 50}, pid = {person} WHERE id = {sale}"),
        (5, f"DELETE FROM sale WHERE id = {sale}"),
        (6, f"UPDATE person SET kind = 'k{value % 40}', note = 'x' WHERE id = {person}"),
        (4, f"UPDATE person SET note = 'y' WHERE id = {person}"),
        (2, f"UPDATE person SET rid = {region} WHERE id = {person}"),
        (3, f"INSERT INTO person VALUES ({rng.randint(2000, 10**8)}, {region}, 'k{value % 40}', '')"),
        (1, f"UPDATE region SET name = 'r{value % 30}' WHERE id = {region}"),
        (6, f"INSERT INTO loose (k, v, tag) VALUES ({value % 300}, {value % 40}, 't')"),
        (3, f"UPDATE loose SET v = {value % 40} WHERE id = {rng.randint(1, 1000)}"),
        (2, f"DELETE FROM loose WHERE id = {rng.randint(1, 1000)}"),
        (2, f"INSERT INTO side (k, name) VALUES ({value % 300}, 'n{value % 30}')"),
        (1, f"UPDATE side SET name = 'n{value % 30}' WHERE id = {rng.randint(1, 600)}"),
    )
    return rng.choices([text for _, text in weighed], [weight for weight, _ in weighed])[0]


WORKLOADS = ("site", "rough")


MORE = {
    "buyers": "SELECT p.id, p.kind, q.n FROM person p LEFT JOIN (SELECT pid, count(*) AS n FROM sale GROUP BY pid) q "
    "ON q.pid = p.id",
    "star": "SELECT s.id, p.kind, l.tag, d.name FROM sale s JOIN person p ON p.id = s.pid JOIN loose l ON l.id = s.g "
    "JOIN side d ON d.id = s.v",
}


@dataclass
class Victim:
    """A deadlock: what its victim did when it was ended, and the statements of all who took part."""

    where: str
    scripts: list[list[str]]


@dataclass
class Tally:
    """What became of transactions, by SQLSTATE ("ok": committed)."""

    states: Counter[str] = field(default_factory=Counter)
    victims: list[Victim] = field(default_factory=list)
    seconds: float = 0

    @property
    def ended(self) -> int:
        return self.states["ok"]

    def per_hundred(self, state: str) -> float:
        return 100 * self.states[state] / max(self.ended, 1)


class Writers:
    """Sessions over one schema, which write for a slice of time at a time."""

    def __init__(self, sessions: list[Any], statement: Any, longest: int, seed: str) -> None:
        self.sessions, self.statement, self.longest = sessions, statement, longest
        self.dice = [random.Random(f"{seed} {i}") for i in range(len(sessions))]
        self.doing: dict[int, list[str]] = {}
        self.tally = Tally()
        self.lock = threading.Lock()

    def write(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._session, args=(session, rng, end))
            for session, rng in zip(self.sessions, self.dice, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.tally.seconds += seconds

    def _session(self, session: Any, rng: random.Random, end: float) -> None:
        while time.monotonic() < end:
            script = [self.statement(rng) for _ in range(rng.randint(1, self.longest))]
            for _ in range(20):
                state = self._transaction(session, script)
                with self.lock:
                    self.tally.states[state] += 1
                if state not in RETRYABLE:
                    break

    def _transaction(self, session: Any, script: list[str]) -> str:
        self.doing[session.info.backend_pid] = done = []
        try:
            session.execute("BEGIN")
            for one in (*script, "COMMIT"):
                done.append(one)
                session.execute(one)
        except psycopg.Error as error:
            if error.sqlstate == "40P01":
                self._note(error)
            session.execute("ROLLBACK")
            return error.sqlstate or "?"
        return "ok"

    def _note(self, error: psycopg.Error) -> None:
        pids = {int(pid) for pid in re.findall(r"Process (\d+) waits", error.diag.message_detail or "")}
        lines = (error.diag.context or "").splitlines()
        where = " < ".join(line for line in lines if not line.startswith("SQL statement"))
        scripts = [list(self.doing.get(pid, ())) for pid in pids]
        with self.lock:
            self.tally.victims.append(Victim(where, scripts))


@contextmanager
def draining(area: Any, views: dict[str, str], wanted: bool) -> Iterator[None]:
    """Deferred views are drained and logs cleaned all the time by a session of its own, which must not fail."""
    from .modes import clean_script, drain_script

    if not wanted:
        yield
        return
    session, stop = area.connect(), threading.Event()
    scripts = [drain_script(area, [name], "alone") for name in views]
    (clean,) = clean_script(area)

    def work() -> None:
        while not stop.is_set():
            for statement in (*(one for script in scripts for one in script), clean):
                session.execute(statement)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(work)
        try:
            yield
        finally:
            stop.set()
            running.result(60)


def measure(views: dict[str, str], options: argparse.Namespace, seed: int) -> tuple[Tally, Tally]:
    """(with views, without) over one workload."""
    from tests.engine.area import an_area

    from . import test_race
    from .modes import drained

    schema, statement = (SITE, site) if options.workload == "site" else (test_race.SCHEMA, test_race.statement)
    with an_area() as bare, an_area() as area:
        made = []
        for place in (bare, area):
            place.enter()
            place.run(schema)
            if place is area:
                for name, query in views.items():
                    area.view(name, query, mode=options.mode)
            place.run("ANALYZE")
            sessions = [place.connect() for _ in range(options.writers)]
            for session in sessions:
                session.execute("SET deadlock_timeout = '50ms'; SET lock_timeout = '20s'")
            made.append(Writers(sessions, statement, options.statements, str(seed)))
        for _ in range(options.slices):
            for writers in made:
                with draining(area, views, options.mode == "deferred" and writers is made[1]):
                    writers.write(options.seconds / options.slices)
        area.enter()
        if options.mode == "deferred":
            drained(area, views, anew=True)
        if options.mode != "manual":
            area.check()
        return made[1].tally, made[0].tally


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.concurrency.deadlocks", description=__doc__)
    parser.add_argument("views", nargs="*", help="names of views, joined by commas to be installed together")
    parser.add_argument("--workload", choices=WORKLOADS, default="site")
    parser.add_argument("--mode", default="immediate")
    parser.add_argument("--seconds", type=float, default=8, help="of writing, with views and again without")
    parser.add_argument("--slices", type=int, default=2)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--statements", type=int, default=4, help="most of a transaction")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--detail", type=int, default=0, help="show so many deadlocks of each set of views")
    options = parser.parse_args(given)

    from tests.property.soak import test_database

    with test_database():
        from .test_race import CHAINED, FOLDED, VIEWS

        known = VIEWS | CHAINED | FOLDED | MORE
        sets = [part.split(",") for part in options.views] or [[name] for name in VIEWS]
        print("| views | transactions/s | × | deadlocks/100 | without views | serialization/100 | others |", flush=True)
        print("|---|---|---|---|---|---|---|", flush=True)
        for names in sets:
            views = {name: known[name] for name in known if name in names}
            found, bare = measure(views, options, options.seed)
            others = {s: n for s, n in found.states.items() if s not in ("ok", "40P01", "40001")}
            print(
                f"| {' '.join(names)} | {found.ended / found.seconds:.0f} | {found.ended / max(bare.ended, 1):.2f} | "
                f"{found.per_hundred('40P01'):.2f} | {bare.per_hundred('40P01'):.2f} | "
                f"{found.per_hundred('40001'):.2f} | {others or ''} |",
                flush=True,
            )
            if options.detail:
                show(found, options.detail)
    return 0


def show(tally: Tally, most: int) -> None:
    """The places where victims waited, by frequency, with examples of what the transactions had done."""
    for where, count in Counter(victim.where for victim in tally.victims).most_common(most):
        print(f"  {count} × {where}")
        example = next(victim for victim in tally.victims if victim.where == where)
        for script in example.scripts:
            print("      " + "; ".join(script))


if __name__ == "__main__":
    sys.exit(main())
