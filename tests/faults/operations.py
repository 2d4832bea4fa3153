"""What is cut off: each operation that changes what is installed or stored, with what has to be there before it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import connections, transaction

import django_ivm

from .world import ALIAS, World, modes

Prepared = tuple[str, Callable[[], Any]]


def create(world: World, kind: str, mode: str) -> Prepared:
    """A view that isn't installed yet."""
    name = world.name(kind, mode)
    with suppress(django_ivm.NotInstalledError):
        django_ivm.drop_view(name, using=ALIAS)
    return f"installing {name}", lambda: world.view(kind, mode, replace=True)


def replace(world: World, kind: str, mode: str) -> Prepared:
    """A view whose definition has changed."""
    name = world.name(kind, mode)
    old = f"SELECT * FROM ({world.queries[name]}) q LIMIT 3"
    django_ivm.create_view(name, old, mode=mode, using=ALIAS, replace=True, **world.lenient())
    return f"replacing {name}", lambda: world.view(kind, mode, replace=True)


def convert(world: World, kind: str, mode: str) -> Prepared:
    """A view whose declared mode has changed."""
    others = [other for other in modes() if other != mode]
    name = world.name(kind, mode)
    before = world.rng.choice(others)
    django_ivm.create_view(name, world.queries[name], mode=before, using=ALIAS, replace=True, **world.lenient())
    return f"changing {name} from {before} to {mode}", lambda: world.view(kind, mode, replace=True)


def drop(world: World, kind: str, mode: str) -> Prepared:
    """A view that goes."""
    name = world.name(kind, mode)
    world.view(kind, mode, replace=True)
    world.forget(name)

    def work() -> None:
        with suppress(django_ivm.NotInstalledError):
            django_ivm.drop_view(name, using=ALIAS)

    return f"dropping {name}", work


def refresh(world: World, kind: str, mode: str, full: bool = False) -> Prepared:
    """A view that has something to do: writes came after it."""
    name = world.name(kind, mode)
    view = world.view(kind, mode, replace=True)
    with world.connect() as session:
        session.execute("UPDATE sale SET v = v + 1, g = (g + 1) % 6 WHERE id % 3 = 0")
        session.execute("UPDATE person SET kind = 'k' || id % 3, boss = id / 4")
        session.execute("DELETE FROM reading WHERE day = 1; INSERT INTO reading VALUES (1, 1, 7), (9, 9, 9)")

    def work() -> None:
        result = view.refresh(full=full)
        drained = mode == "deferred" and not full
        assert not drained or result.strategy == "incremental", f"{name} lost its place in the logs: {result.reason}"

    return f"refreshing {name}{' in full' if full else ''}", work


def recompute(world: World, kind: str, mode: str) -> Prepared:
    return refresh(world, kind, mode, full=True)


def refresh_within(world: World, kind: str, mode: str) -> Prepared:
    """A refresh between the writes of one transaction, and one in a savepoint that is rolled back."""
    name, _ = refresh(world, kind, mode)
    view = world.get(world.name(kind, mode))

    def work() -> None:
        with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
            cursor.execute("UPDATE sale SET v = v + 2 WHERE id % 5 = 0")
            view.refresh()
            cursor.execute("UPDATE person SET kind = kind || 'y' WHERE id = 4")
            with suppress(_Again), transaction.atomic(using=ALIAS):
                cursor.execute("DELETE FROM reading WHERE k = 1")
                view.refresh()
                raise _Again
            cursor.execute("INSERT INTO sale (pid, g, v) VALUES (4, 1, 9)")
            view.refresh()

    return f"inside a transaction {name}", work


class _Again(Exception):
    """Rolls a savepoint back."""


OPERATIONS = (create, replace, convert, drop, refresh, recompute, refresh_within)
