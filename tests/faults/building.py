"""Online installations are cut off between any two of their steps; the next one takes them up."""

from __future__ import annotations

import contextlib
import inspect
from contextlib import nullcontext, suppress

from django.db import connections

import django_ivm
from django_ivm.engine import register

from .interruption import cut_off, end_own_session
from .outcome import Outcome
from .workload import writing
from .world import ALIAS, World, modes

# Kinds of views, each with a condition that another definition of it has.
KINDS = {"sums": "g <> 2", "lines": "id % 2 = 0", "extremes": "g <> 3", "outer_": "id > 9", "parts": "k <> 1"}


def no_online() -> str:
    there = "online" in inspect.signature(django_ivm.create_view).parameters
    return "" if there else "views can't be installed online yet"


def online_installation(world: World) -> Outcome:
    """The server or the session dies before a random statement: what was there before stays, or the new view is there;
    the second run finishes what the first began, and an uninstallation leaves nothing of either."""
    kind, mode = world.rng.choice(sorted(KINDS)), world.rng.choice(modes())
    name = world.name(kind, mode)
    with suppress(django_ivm.NotInstalledError):
        django_ivm.drop_view(name, using=ALIAS)
    before = _objects(world)
    changing = world.rng.random() < 0.5
    if changing:
        old = f"SELECT * FROM ({world.queries[name]}) q WHERE {KINDS[kind]}"
        django_ivm.create_view(name, old, mode=mode, using=ALIAS, **world.lenient())
    killed = world.rng.random() < 0.5
    with _writers(world, alive=not killed):
        made = cut_off(
            world,
            lambda: world.view(kind, mode, replace=True, online=True),
            world.cluster.kill if killed else lambda: end_own_session(world),
            world.rng.randrange(1, 120),
        )
    world.cluster_is_up()
    outcome = Outcome(1, int(made.error is not None), told=f"{name}{', changed' if changing else ''}")
    with connections[ALIAS].cursor() as cursor:
        found = register.find(cursor, name)
    wanted = world.queries.pop(name)
    if found is None:
        if changing or made.error is None:
            outcome.wrong.append(f"{name} is gone after {made.error}")
    else:
        world.queries[name] = found.definition
    outcome.add(world.judge())
    world.queries[name] = wanted
    with _writers(world, alive=world.rng.random() < 0.5):
        world.view(kind, mode, replace=True, online=True)
    outcome.add(world.judge())
    django_ivm.drop_view(name, using=ALIAS)
    if (left := _objects(world)) != before:
        outcome.wrong.append(f"left of {name} after it was dropped: {sorted(set(left) ^ set(before))[:10]}")
    world.view(kind, mode)
    return outcome


def _writers(world: World, alive: bool) -> contextlib.AbstractContextManager[object]:
    """Others write meanwhile, or nobody does."""
    return writing(world.connect, world.rng, 2) if alive else nullcontext()


def _objects(world: World) -> list[tuple[object, ...]]:
    """What is in the database when nothing waits to be cleared away."""
    from django_ivm.engine.attempts import Patience
    from django_ivm.engine.online import prune

    prune(connections[ALIAS], Patience(), lambda _text: None)
    return world.objects()
