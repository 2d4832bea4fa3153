"""Who works beside the writers: those who refresh, who clean up, who look, each on a connection of Django's."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator

from django.db import DatabaseError, connection, connections, transaction

import django_ivm

from . import storm
from .client import ORDINARY, RETRYABLE, processor
from .modes import AT_ONCE
from .world import World


class Helper(threading.Thread):
    """Does its `work` again and again until the with block ends."""

    def __init__(self, world: World, rng: random.Random, pause: float) -> None:
        super().__init__(daemon=True)
        self.world, self.rng, self.pause = world, random.Random(rng.random()), pause
        self.ended = threading.Event()
        self.done = self.checks = 0
        self.aborts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.processor = 0.0  # see client.processor

    def work(self) -> None:
        raise NotImplementedError

    def run(self) -> None:
        try:
            self.world.area.enter()
            process = connection.connection.info.backend_pid
            while not self.ended.wait(self.pause):
                try:
                    self.work()
                    self.done += 1
                except (DatabaseError, django_ivm.IVMError) as error:
                    self.judge(error)
            self.processor = processor(process)
        except Exception as error:  # noqa: BLE001 told by the run
            self.wrong.append(f"{type(self).__name__}: {error!r}")
        finally:
            connections.close_all()

    def judge(self, error: BaseException) -> None:
        """It may lose to another, as a writer may."""
        cause: BaseException | None = error
        while cause is not None:
            if state := getattr(cause, "sqlstate", None):
                self.aborts[state] += 1
                if state not in (*RETRYABLE, *ORDINARY):
                    self.wrong.append(f"{type(self).__name__}: {state}: {error}")
                return
            cause = cause.__cause__ or cause.__context__
        self.wrong.append(f"{type(self).__name__}: {error!r}")

    def compare(self, name: str, when: str) -> None:
        rows = self.world.area.run(self.world.silently_different(name))
        self.checks += 1
        if rows:
            self.wrong.append(f"{name} ({self.world.modes[name]}) differs {when}: {rows}")


class Refresher(Helper):
    """Brings views up to date that aren't kept at once."""

    def work(self) -> None:
        self.world.handle(self.rng.choice(self.world.later)).refresh()


class Cleaner(Helper):
    """Deletes what every cursor has seen, at any moment."""

    def work(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT log FROM django_ivm.log ORDER BY log")
            for (log,) in cursor.fetchall():
                cursor.execute("SELECT django_ivm.clean(%s)", (log,))


class Watcher(Helper):
    """Compares a view with its query in one statement while others write: any snapshot must find them equal."""

    def work(self) -> None:
        at_once = [name for name, mode in self.world.modes.items() if mode in AT_ONCE]
        self.compare(self.rng.choice(at_once), "between writes")


class Visitor(Helper):
    """Refreshes inside a transaction of its own, after writes of its own."""

    def work(self) -> None:
        name = self.rng.choice(list(self.world.modes))
        # Where all statements see one state of the tables they can be compared; elsewhere the quiet point tells.
        # An older snapshot sees a truncated table empty.
        standing = not self.world.truncates and self.rng.random() < 0.6
        with transaction.atomic():
            if standing:
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for _ in range(self.rng.randint(1, 2)):
                if self.rng.random() < 0.7:
                    self.world.area.run(storm.one(self.rng))
                if self.world.modes[name] != "immediate":
                    self.world.handle(name).refresh()
                if standing:
                    self.compare(name, "inside a transaction that has refreshed it")
            if self.rng.random() < 0.3:
                transaction.set_rollback(True)


@contextlib.contextmanager
def helpers(world: World, rng: random.Random, pause: float, watched: bool) -> Iterator[list[Helper]]:
    """As many of them as the world's modes want."""
    hired: list[Helper] = []
    if world.later:
        hired.append(Refresher(world, rng, pause))
    if "deferred" in world.modes.values():
        hired += [Refresher(world, rng, pause * 3), Cleaner(world, rng, pause * 2)]  # drains meet
    if watched and set(AT_ONCE) & set(world.modes.values()):
        hired.append(Watcher(world, rng, 0.02))
    if watched and world.modes:
        hired.append(Visitor(world, rng, 0.04))
    for helper in hired:
        helper.start()
    try:
        yield hired
    finally:
        for helper in hired:
            helper.ended.set()
        end = time.monotonic() + 120
        for helper in hired:
            helper.join(max(0.0, end - time.monotonic()))
            if helper.is_alive():
                helper.wrong.append(f"{type(helper).__name__} hangs")
