"""Modes `commit` and `deferred` in every order of two transactions, at every isolation level.

In mode `commit` locks are taken while a transaction commits: writers never wait for each other before, and never in a
circle. In mode `deferred` a third session drains at any moment of the two, alone or in a transaction of its own.
"""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest

from tests.engine.area import Area

from .aggregates import AGGREGATES
from .matches import MATCHES
from .modes import clean_script, drain_script, drained, logged, make
from .scenarios import SCENARIOS, Scenario
from .stepping import LEVELS, RETRYABLE, Stage, interleavings, transaction
from .test_interleavings import put_back

ALL = bool(os.environ.get("DJANGO_IVM_ALL_MODES"))  # every scenario, many schedules
KNOWN = {scenario.name: scenario for scenario in (*SCENARIOS, *AGGREGATES, *MATCHES)}
RACES = (
    "bag: child insert, parent update",
    "grouped: child moves, parent update",
    "bag: child of an absent parent, parent insert",
    "a deferred foreign key: child first, then its parent by another transaction",
    "extremes alone: a group born twice",
    "extremes alone: a group dies, a row comes",
    "extremes alone: the maximum goes, a lesser comes",
    "levels alone: a group born twice",
    "groups: truncate and insert",
    "top: a top row goes, one comes beyond",
    "bag: one of equal rows goes, one comes",
    "three tables: both ends change",
    "self-join: partners come and go",
    "two statements: child, then parent, each of its own",
    "two statements: child, then the same parent",
    "in a savepoint: child insert, parent update",
    "one statement changes both sides, another the parent",
    "union: both inputs",
    "window: a row moves in, another changes there",
    "collected: two of three go",
    "match in bags: two first matches",
)
CHOSEN = [*KNOWN.values()] if ALL else [KNOWN[name] for name in RACES]
MOST = 40 if ALL else 2  # schedules of one scenario at one level
DRAINS = ("alone", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


def some(lengths: list[int], name: str, seed: int, most: int = MOST) -> list[tuple[int, ...]]:
    """Schedules, drawn from all."""
    schedules = list(interleavings(lengths))
    return random.Random(f"{seed} {name}").sample(schedules, min(most, len(schedules)))


@pytest.mark.parametrize("scenario", CHOSEN, ids=lambda s: s.name)
def test_commit(area: Area, scenario: Scenario, seed: int) -> None:
    make(area, scenario, "commit")
    stage = Stage(area, len(scenario.transactions))
    counts: Counter[str] = Counter()
    try:
        for level in LEVELS:
            scripts = [transaction(one, level) for one in scenario.transactions]
            for schedule in some([len(script) for script in scripts], f"{scenario.name} {level}", seed):
                put_back(area, scenario.rows, *scenario.views)
                outcome = stage.play(scripts, schedule)
                where = f"{level}, schedule {schedule}: {outcome}"
                counts.update(state or "committed" for state in outcome.states)
                different = {name: area.wrong(name) for name in scenario.views if area.wrong(name)}
                assert not different, f"wrong rows {different} after {where}"
                judge(scenario, level, outcome.states, where)
                if scenario.retry:
                    stage.again(scripts, outcome)
                    area.check()
        assert logged(area) == 0
    finally:
        stage.close()
    print(f"{scenario.name}: {dict(counts)}")


def judge(scenario: Scenario, level: str, states: list[str | None], where: str) -> None:
    """A session ends committed, or as it would without the view, or with 40001 where its snapshot is older."""
    own = {state for state in scenario.errors if state not in RETRYABLE}
    allowed = {None, *own, *(("40001",) if level != "READ COMMITTED" else ())}
    assert set(states) <= allowed, where
    assert not all(state in RETRYABLE for state in states), where


@pytest.mark.parametrize("scenario", CHOSEN, ids=lambda s: s.name)
def test_deferred(area: Area, scenario: Scenario, seed: int) -> None:
    make(area, scenario, "deferred")
    writers = len(scenario.transactions)
    stage = Stage(area, writers + 1)
    counts: Counter[str] = Counter()
    try:
        for i, level in enumerate(LEVELS):
            for how in (DRAINS[0], DRAINS[1 + i]):
                drain = drain_script(area, scenario.views, how)
                scripts = [*(transaction(one, level) for one in scenario.transactions), [*drain, *clean_script(area)]]
                lengths = [len(script) for script in scripts]
                for schedule in some(lengths, f"{scenario.name} {level} {how}", seed, -(-MOST // 2)):
                    put_back(area, scenario.rows, *scenario.views)
                    outcome = stage.play(scripts, schedule)
                    where = f"{level}, drain {how}, schedule {schedule}: {outcome}"
                    counts.update(state or "committed" for state in outcome.states)
                    judge(scenario, level, outcome.states[:writers], where)
                    free = {None, *(("40001",) if how not in ("alone", "READ COMMITTED") else ())}
                    assert outcome.states[writers] in free, where
                    refresh_all(area, scenario, where)
    finally:
        stage.close()
    print(f"{scenario.name}: {dict(counts)}")


def refresh_all(area: Area, scenario: Scenario, where: str) -> None:
    """After a drain each view is its query; nothing is left in the logs."""
    drained(area, scenario.views, anew="TRUNCATE sale" in str(scenario.transactions))
    different = {name: area.wrong(name) for name in scenario.views if area.wrong(name)}
    assert not different, f"wrong rows {different} after {where}"
    assert logged(area) == 0, where
