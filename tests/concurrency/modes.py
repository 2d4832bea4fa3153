"""Scenarios in modes `commit` and `deferred`: sessions that drain, and what is brought up to date in the end."""

from __future__ import annotations

from collections.abc import Iterable

from tests.engine.area import Area

from .scenarios import Scenario


def drain_script(area: Area, names: Iterable[str], how: str) -> list[str]:
    """Steps that drain views as the engine does outside of a transaction ("alone"), or as a user's transaction does
    that has read before, at the level `how`."""
    drains = [f"SELECT django_ivm.drain('{area.schema}', '{name}', '')" for name in names]
    if how != "alone":
        return [f"BEGIN ISOLATION LEVEL {how}; SELECT count(*) FROM pg_class", *drains, "COMMIT"]
    locks = "; ".join(f"LOCK TABLE django_ivm.{drain_lock(area, name)} IN EXCLUSIVE MODE" for name in names)
    return [f"BEGIN ISOLATION LEVEL REPEATABLE READ; {locks}", *drains, "COMMIT"]


def clean_script(area: Area) -> list[str]:
    """One statement that cleans all logs of the area."""
    return [
        "SELECT django_ivm.clean(log) FROM (SELECT DISTINCT log FROM django_ivm.reader WHERE "
        f"view_schema = '{area.schema}') l"
    ]


def drain_lock(area: Area, name: str) -> str:
    """The table by which drains of a view wait for each other."""
    query = "SELECT drain_lock FROM django_ivm.reader WHERE view_schema = %s AND view_name = %s LIMIT 1"
    return f'"{area.value(query, area.schema, name)}"'


def make(area: Area, scenario: Scenario, mode: str) -> None:
    """The scenario's tables, rows and views."""
    area.run(scenario.schema)
    area.run(scenario.rows)
    for name, query in scenario.views.items():
        area.view(name, query, mode=mode)


def drained(area: Area, names: Iterable[str], anew: bool = False) -> None:
    """All that has committed is applied; incrementally, unless it may be `anew`."""
    locks = "; ".join(f"LOCK TABLE django_ivm.{drain_lock(area, name)} IN EXCLUSIVE MODE" for name in names)
    area.run(f"BEGIN ISOLATION LEVEL REPEATABLE READ; {locks}")
    for name in names:
        why = area.value("SELECT anew FROM django_ivm.drain(%s, %s, '')", area.schema, name)
        assert anew or not why, why
    area.run("COMMIT")
    area.run(*clean_script(area))


def logged(area: Area) -> int:
    """Rows in the logs of the area's tables."""
    logs = area.run("SELECT DISTINCT log FROM django_ivm.reader WHERE view_schema = %s", area.schema)
    return sum(area.value(f'SELECT count(*) FROM django_ivm."{log}"') for (log,) in logs)
