"""What it costs to make a view (fill), and to bring one up to date that writes don't (refresh)."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from . import data
from .core import Feed, Scenario, Sizes
from .measure import timed, turns
from .session import Session

if TYPE_CHECKING:
    import psycopg

    from .arms import Arm


def fill_rounds(
    admin: psycopg.Connection,
    arms: Sequence[Arm],
    scenario: Scenario,
    *,
    rounds: int,
    step: Callable[[str], None],
) -> dict[str, dict[str, float]]:
    """Seconds to make each arm's view; leaves every view installed.

    ``whole`` is the full call, ``fixed`` the same call over empty tables (planning, compiling, triggers),
    ``fill`` their difference: what grows with the data.
    """
    whole: dict[str, list[float]] = defaultdict(list)
    fixed: dict[str, list[float]] = defaultdict(list)
    stored = [arm for arm in arms if arm.stored]
    empties = {arm.key: type(arm)(arm.dsn, f"{arm.schema}_empty") for arm in stored}
    for empty in empties.values():
        data.copy_to(admin, scenario, empty.schema, empty=True)
    for arm in (*stored, *empties.values()):
        arm.run("SELECT 1")  # connects
    for number in range(rounds):
        for arm in turns(stored, number):
            empty = empties[arm.key]
            if number:
                arm.uninstall(scenario)
            fixed[arm.key].append(timed(lambda a=empty: a.install(scenario)))  # type: ignore[misc]
            empty.uninstall(scenario)
            whole[arm.key].append(timed(lambda a=arm: a.install(scenario)))  # type: ignore[misc]
            step(f"{scenario.key} fill: {arm.label}")
    for empty in empties.values():
        empty.close()
        data.drop(admin, empty.schema)
    # The first call of a process also imports; with several rounds the median leaves it out.
    result = {}
    for arm in stored:
        w, f = statistics.median(whole[arm.key]), statistics.median(fixed[arm.key])
        result[arm.key] = {"whole": w, "fixed": f, "fill": max(w - f, 1e-6)}
    return result


def read_seconds(arm: Arm, scenario: Scenario) -> float:
    """Seconds the server needs to produce every row a reader of this arm would get, without sending them."""
    text = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) SELECT * FROM {arm.relation(scenario)}"
    with arm.connect() as conn:
        row = conn.execute(text.encode()).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]
    return float(plan["Planning Time"] + plan["Execution Time"]) / 1000


def refresh_rounds(
    arms: Sequence[Arm],
    scenario: Scenario,
    sizes: Sizes,
    feed: Feed,
    *,
    rounds: int,
    step: Callable[[str], None],
) -> dict[str, dict[str, float]]:
    """Seconds, by arm: refresh ``after 1`` and ``after bulk`` rows changed, and ``read`` of every row.

    Arms whose view is exact after each write have only ``read``; without a view reading runs the query.
    """
    by_name = {op.name: op for op in scenario.operations}
    writes = (("after 1", by_name["update 1"]), ("after bulk", by_name["update {bulk}"]))
    times: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def nothing(text: str, params: tuple[object, ...]) -> list[tuple[object, ...]]:
        raise AssertionError(text, params)

    for number in range(rounds):
        for label, op in writes:
            params = op.params(feed, nothing, 1)[0]
            for arm in turns(arms, number):
                session = Session(arm, [op], sizes, raw=True)
                session.run(op, params)
                session.close()
                if arm.stored and not arm.maintained:
                    times[arm.key][label].append(timed(lambda a=arm: a.refresh(scenario)))  # type: ignore[misc]
                step(f"{scenario.key} refresh: {arm.label}")
        for arm in turns(arms, number):
            times[arm.key]["read"].append(read_seconds(arm, scenario))
    return {arm: {k: statistics.median(v) for k, v in found.items()} for arm, found in times.items()}
