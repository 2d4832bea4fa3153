"""Faults of each sort, with the seed that the report's header prints; all of them, at length: `make faults`."""

from __future__ import annotations

import pytest
from django.db import connections

from django_ivm.engine import register

from .catalogue import FAULTS, Fault
from .world import ALIAS, World

SHORT = {
    "server killed while writing",
    "server killed while refreshing",
    "server killed while installing",
    "one server process killed",
    "server killed, prepared transactions",
    "sessions terminated",
    "sessions terminated while installing",
    "client processes killed",
    "statement_timeout",
    "lock_timeout",
    "disk of the write-ahead log full",
    "pool in transaction mode",
    "one session for several clients",
}


@pytest.mark.parametrize("fault", [one for one in FAULTS if one.name in SHORT], ids=lambda fault: fault.name)
def test_fault(world: World, fault: Fault) -> None:
    if reason := fault.why_not():
        pytest.skip(reason)
    outcome = fault.run(world)
    assert outcome.wrong == []
    assert outcome.injected
    assert outcome.exact + outcome.healed >= len(world.queries)


def test_nothing_is_left_over(world: World) -> None:
    """After all these faults the logs are as empty as after none."""
    assert world.leftovers() == []


@pytest.mark.parametrize("mode", ["immediate", "deferred"])
def test_the_judge_finds_a_lost_row(world: World, mode: str) -> None:
    """These tests can fail: a row that a store lost, and that nobody told us of, is found."""
    name = f"extremes_{mode}"
    world.get(name).refresh()
    with connections[ALIAS].cursor() as cursor:
        found = register.find(cursor, name)
    assert found is not None
    world.run(
        f"SET session_replication_role = replica; DELETE FROM {found.storage[0]}.{found.storage[1]} WHERE g = 1; "
        f"RESET session_replication_role; DELETE FROM django_ivm.stale WHERE view_name = '{name}'"
    )
    assert any(text.startswith(f"{name} says that it is fresh and differs") for text in world.judge().wrong)
    world.get(name).refresh(full=True)
    assert world.judge().wrong == []
