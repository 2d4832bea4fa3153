"""Every order in which the steps of two or three transactions can interleave, at every isolation level.

Whatever happens, each view equals its query afterwards; a transaction that can't be fitted in fails with a retryable
error, and succeeds when it is run again.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter

import pytest

from tests.engine.area import Area

from .aggregates import AGGREGATES
from .matches import MATCHES
from .scenarios import SCENARIOS, Scenario
from .stepping import LEVELS, RETRYABLE, Outcome, Stage, interleavings, transaction

MIXED = bool(os.environ.get("DJANGO_IVM_ALL_LEVELS"))  # every pair of levels, not only equal ones
MOST = 400 if MIXED else 16  # schedules of one scenario at one choice of levels


@pytest.mark.parametrize("scenario", [*SCENARIOS, *AGGREGATES, *MATCHES], ids=lambda s: s.name)
def test_every_order(area: Area, scenario: Scenario, record_property: object) -> None:
    area.run(scenario.schema)
    area.run(scenario.rows)
    for name, query in scenario.views.items():
        area.view(name, query)
    stage = Stage(area, len(scenario.transactions))
    counts: Counter[str] = Counter()
    try:
        for levels in _levels(len(scenario.transactions)):
            scripts = [
                transaction(one, level, scenario.snapshot)
                for one, level in zip(scenario.transactions, levels, strict=True)
            ]
            most = MOST if MIXED or "SERIALIZABLE" not in levels else MOST // 4
            for schedule in _spread(list(interleavings([len(script) for script in scripts])), most):
                put_back(area, scenario.rows, *scenario.views)
                outcome = stage.play(scripts, schedule)
                where = f"{levels}, schedule {schedule}: {outcome}"
                counts["schedules"] += 1
                counts.update(state or "committed" for state in outcome.states)
                different = {name: area.wrong(name) for name in scenario.views if area.wrong(name)}
                assert not different, f"wrong rows {different} after {where}"
                _judge(scenario, levels, outcome, where)
                if scenario.retry:
                    stage.again(scripts, outcome)
                    area.check()
    finally:
        stage.close()
    print(f"{scenario.name}: {dict(counts)}")


def _levels(sessions: int) -> list[tuple[str, ...]]:
    if MIXED:
        return list(itertools.product(LEVELS, repeat=sessions))
    return [(level,) * sessions for level in LEVELS]


def _spread(schedules: list[tuple[int, ...]], most: int) -> list[tuple[int, ...]]:
    """At most so many of them, evenly chosen."""
    return schedules[:: -(-len(schedules) // most)]


def _judge(scenario: Scenario, levels: tuple[str, ...], outcome: Outcome, where: str) -> None:
    for level, state in zip(levels, outcome.states, strict=True):
        allowed = {None, *scenario.errors}
        if level != "READ COMMITTED" and not scenario.free:
            allowed.add("40001")
        assert state in allowed, f"{state} is not among {allowed}: {where}"
    if all(state in RETRYABLE for state in outcome.states):
        assert "40P01" not in outcome.states, f"a deadlock took every transaction: {where}"
    if scenario.free:
        assert not outcome.waited, f"somebody waited: {where}"


def put_back(area: Area, rows: str, *views: str) -> None:
    """The area's tables, but for the views' own, hold these rows again."""
    tables = [name for (name,) in area.run(
        "SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables WHERE schemaname = %s AND "
        "tablename <> ALL(%s)",
        area.schema, list(views),
    )]  # fmt: skip
    emptied = "; ".join(f"DELETE FROM {table}" for table in tables)
    area.run(f"BEGIN; {emptied}; {rows}; COMMIT")
