"""Operations of Django's side, cut off before their n-th statement or after a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import DatabaseError, connections

import django_ivm

from .world import ALIAS, World

Act = Callable[[], Any]
RETRYABLE = ("40001", "40P01")


class Interruption:
    """Runs work on Django's connection; `at`: act before that statement (None: never). `count` is how many there
    were, `acted` whether it came to that, `error` what the work raised."""

    def __init__(self, act: Act, at: int | None) -> None:
        self.act, self.at = act, at
        self.count = 0
        self.acted = False
        self.error: Exception | None = None

    def run(self, work: Act) -> Interruption:
        connections[ALIAS].ensure_connection()
        try:
            with connections[ALIAS].execute_wrapper(self._execute):
                work()
        except (DatabaseError, psycopg.Error, django_ivm.IVMError) as error:
            self.error = error
        return self

    def _execute(self, execute: Any, sql: Any, parameters: Any, many: bool, context: Any) -> Any:
        self.count += 1
        if self.count == self.at:
            self.acted = True
            self.act()
        return execute(sql, parameters, many, context)


def cut_off(world: World, work: Act, act: Act, at: int | None = None, after: float = 0.0) -> Interruption:
    """Run work and let the act happen before a statement, or so many seconds after its beginning."""
    made = Interruption(act, at)
    if at is not None:
        made.run(work)
    else:
        timer = threading.Timer(after, act)
        timer.start()
        made.run(work)
        timer.join()
        made.acted = True
    world.recover()
    return made


def statements(world: World, work: Act) -> int:
    """How many statements the work takes when nothing is in its way."""
    made = Interruption(lambda: None, None).run(work)
    world.recover()
    if made.error is not None:
        raise made.error
    return made.count


def insist(work: Act, tries: int = 20) -> None:
    """Do it again while it fails for what others do at the same time."""
    for attempt in range(tries):
        try:
            work()
            return
        except (DatabaseError, django_ivm.RefreshError) as error:
            code = (
                error.code if isinstance(error, django_ivm.RefreshError) else getattr(error.__cause__, "sqlstate", "")
            )
            if code not in RETRYABLE or attempt == tries - 1:
                raise


def end_own_session(world: World) -> None:
    """As an administrator, or a network that broke, ends the session that the work runs in."""
    pid = connections[ALIAS].connection.info.backend_pid
    world.run(f"SELECT pg_terminate_backend({pid}, 10000)")


def whole_or_nothing(world: World, name: str, work: Act, act: Act, at: int | None, after: float = 0.0) -> Interruption:
    """Cut off an operation, then do it again: what is in the database between was as before, or as in the end.

    Raises AssertionError for anything between, and whatever the second run raises.
    """
    before = world.objects()
    made = cut_off(world, work, act, at, after)
    # Elsewhere the statements that look for the place of an error, or end a transaction, may be what finds it closed.
    assert at is None or not name.startswith("refreshing") or "connection is closed" not in str(made.error), (
        f"{name} hides what ended it: {made.error}"
    )
    world.cluster_is_up()
    between = world.objects()
    work()
    world.recover()
    then = world.objects()
    if between not in (before, then):
        left = sorted(set(between) ^ set(before))
        raise AssertionError(f"{name}, cut off before statement {at}, left half of its objects: {left[:10]}")
    if made.error is None and between != then:
        raise AssertionError(f"{name} succeeded, and its objects aren't there: {set(then) ^ set(between)}")
    return made
