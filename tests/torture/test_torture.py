"""The torture suite's short part: writers at mixed isolation levels on views of every kind, in every mode.

What each writer does follows from DJANGO_IVM_SEED; how they meet does not. `make torture` is the long part.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from . import client
from .client import MIXED
from .deadlocks import cycles
from .modes import AT_WILL, MODES
from .rounds import Plan, Run
from .step import Copy, told
from .world import World

pytestmark = pytest.mark.usefixtures("transactional_db")
WRITERS, SLICE, WANTED, LIMIT = 6, 1.0, 20, 60.0  # LIMIT: seconds after which fewer transactions will do
# Together every kind; each has a view that reads others.
VIEWS = {
    "immediate": ("sums", "lines", "left_lines", "idle", "top", "tree", "chain"),
    "commit": ("extremes", "loosely", "both", "numbered", "either", "shelves", "diamond"),
    "deferred": ("kinds", "pairs", "left_sums", "not_in", "without", "best", "visitors", "top_kinds"),
    "manual": ("rolled", "buyers", "latest", "days", "chain"),
    AT_WILL: ("different", "levels", "various", "common", "counted", "above", "bag", "crossed", "diamond"),
}


@pytest.mark.parametrize("mode", [*MODES, AT_WILL])
def test_exact_at_every_quiet_point(mode: str, seed: int) -> None:
    plan = Plan(
        "storm", [mode], [MIXED], WRITERS, SLICE, views=VIEWS[mode], compared=False, truncates=mode != "immediate"
    )
    with ThreadPoolExecutor(WRITERS) as pool:
        run = Run(plan, seed, pool, client.run_alone)
        end = time.monotonic() + LIMIT
        run.round(0, end)
        while run.figures[mode, MIXED].kept.done < WANTED and time.monotonic() < end and not run.found:
            run.round(0, end)
    figures = run.figures[mode, MIXED]
    print(f"{mode}: {figures.kept.done} transactions, {figures.checks} checks, {dict(figures.kept.aborts)}")
    assert not run.found, "\n".join(run.found)
    assert figures.kept.done > 0
    assert figures.checks >= 2 * len(VIEWS[mode])


def test_a_lost_row_is_found(seed: int) -> None:
    world = World("storm", "immediate", ["bag", "sums"], random.Random(seed))
    try:
        assert world.quiet()[1] == []
        world.area.run("SET session_replication_role = replica; DELETE FROM loose WHERE k = 1")
        world.area.run("RESET session_replication_role")
        found = world.quiet()[1]
    finally:
        world.drop()
    assert found
    assert all(text.startswith("bag") for text in found)


def test_scripts_are_the_same_for_a_seed() -> None:
    for workload in client.WORKLOADS.values():
        first, second = random.Random(7), random.Random(7)
        assert [told(workload(first, True)) for _ in range(200)] == [told(workload(second, True)) for _ in range(200)]


def test_the_storm_has_every_kind_of_write() -> None:
    rng = random.Random(1)
    kinds: Counter[str] = Counter()
    for _ in range(4000):
        for step in client.WORKLOADS["storm"](rng, True):
            kinds["COPY" if isinstance(step, Copy) else step.removeprefix("/* maybe */ ").split()[0]] += 1
            kinds["upsert"] += "ON CONFLICT" in str(step)
    wanted = {
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "WITH",
        "COPY",
        "TRUNCATE",
        "SAVEPOINT",
        "RELEASE",
        "ROLLBACK",
        "upsert",
    }
    assert wanted <= {kind for kind, count in kinds.items() if count}


LOG = """2026-01-01 00:00:00 UTC [7] ERROR:  deadlock detected
2026-01-01 00:00:00 UTC [7] DETAIL:  Process 7 waits for ShareLock on transaction 3; blocked by process 8.
\tProcess 8 waits for ShareLock on transaction 4; blocked by process 7.
\tProcess 7: UPDATE a SET b = 12
\tProcess 8: DELETE FROM c WHERE d = 3
2026-01-01 00:00:00 UTC [7] HINT:  See server log for query details.
2026-01-01 00:00:00 UTC [7] CONTEXT:  while locking tuple (0,5) in relation "view_9_lock"
\tSQL statement "SELECT 1"
\tPL/pgSQL function django_ivm.view_9_update() line 3 at PERFORM
2026-01-01 00:00:00 UTC [7] STATEMENT:  UPDATE a SET b = 12
"""


def test_cycles_are_read_from_the_log() -> None:
    told_of = "while locking view_#_lock in django_ivm.view_#_update: UPDATE a SET b = # | DELETE FROM c WHERE d = #"
    assert cycles(LOG + LOG.replace("12", "13")) == {told_of: 2}
