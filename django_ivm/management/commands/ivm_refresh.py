"""`ivm_refresh`: bring views up to date, once or from now on."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, connections

from ...engine.crew import in_turn
from ...engine.order import ancestors
from ...engine.register import all_views
from ...engine.results import RefreshResult
from ...engine.worker import POLL, Worker
from ...errors import IVMError
from ..selection import Target, ViewCommand, counter, progress, with_dependents


class Command(ViewCommand):
    help = (
        "Refresh views, each after the views it reads. With --watch it goes on with what becomes stale or pending "
        "until it is told to end (SIGTERM, SIGINT), and finishes what it is at; run as many of them as you like."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--full", action="store_true", help="Recompute, whatever is pending.")
        parser.add_argument("--with-dependents", action="store_true", help="Also the views that read the chosen ones.")
        parser.add_argument("--stale", action="store_true", help="Only the views that are stale.")
        parser.add_argument("--watch", action="store_true", help="Go on refreshing what becomes stale.")
        parser.add_argument("--jobs", type=int, default=1, metavar="N", help="Views refreshed at a time.")
        parser.add_argument(
            "--poll",
            type=float,
            default=POLL,
            metavar="SECONDS",
            help="With --watch: the longest time between two looks without a notification (default %(default)s).",
        )
        parser.add_argument("--fail-fast", action="store_true", help="Stop at the first failure.")
        parser.add_argument("--no-progress", action="store_true", help="No progress bar.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["jobs"] < 1:
            raise CommandError("--jobs takes a number from 1 on.")
        targets = self.targets(options)
        if options["with_dependents"]:
            targets = with_dependents(targets, self.targets({**options, "labels": []}))
        if options["watch"]:
            self._watch(targets, options)
        else:
            self._once(targets, options)

    # Once

    def _once(self, targets: list[Target], options: dict[str, Any]) -> None:
        if not options["labels"]:
            targets = [target for target in targets if target.installed is not None]

        def refresh(target: Target) -> RefreshResult | None:
            handle = target.handle()
            # Asked when its turn comes: refreshing a parent changes its children.
            if options["stale"] and handle.is_fresh():
                return None
            return handle.refresh(full=options["full"], trigger="command")

        failures = done = 0
        using = options["database"]
        outcomes = in_turn(_graph(targets, using), using, options["jobs"], refresh)
        with contextlib.closing(outcomes), progress(targets, options) as (walk, _):
            for target, outcome in outcomes:
                next(walk, None)
                if isinstance(outcome, IVMError | DatabaseError):
                    failures += 1
                    self.fail(target, outcome)
                    if options["fail_fast"]:
                        break
                elif isinstance(outcome, Exception):
                    raise outcome
                elif outcome is not None:
                    done += 1
                    self._tell(target.label, outcome, options)
        if failures:
            raise CommandError(f"{failures} of {len(targets)} refreshes failed.")
        self.note(options, f"{done} refreshed.")

    def _tell(self, label: str, result: RefreshResult, options: dict[str, Any]) -> None:
        counts = f"+{result.inserted} ~{result.updated} -{result.deleted}"
        if result.strategy == "incremental":
            counts = f"{result.deltas} changes"
        why = f" ({result.reason})" if result.reason else ""
        self.note(options, f"{label}: {result.strategy}, {counts}{why}")

    # From now on

    def _watch(self, targets: list[Target], options: dict[str, Any]) -> None:
        if options["full"]:
            raise CommandError("--full is for once: --watch recomputes where it has to.")
        if connections[options["database"]].in_atomic_block:
            raise CommandError("--watch can't work inside of a transaction.")
        named = {(target.schema, target.name): target for target in targets}
        by_name = {target.name: target for target in targets}
        failed: list[str] = []

        def report(name: tuple[str, str], outcome: RefreshResult | Exception) -> None:
            target = named.get(name) or by_name.get(name[1])
            label = target.label if target else name[1]
            if isinstance(outcome, RefreshResult):
                if not count(label):
                    self._tell(label, outcome, options)
                return
            self.stderr.write(f"{label}: {str(outcome).removeprefix(f'{label}: ')}")
            if options["fail_fast"]:
                failed.append(label)
                worker.stop()

        # Without labels also the views that are installed later.
        names = frozenset(named) if options["labels"] else None
        worker = Worker(options["database"], names, jobs=options["jobs"], poll=options["poll"], report=report)
        with _signals(worker.stop), counter(options, "refreshes") as count:
            self.note(options, "watching; end it with SIGTERM or Ctrl-C.")
            worker.run()
        if failed:
            raise CommandError(f"{failed[0]} could not be refreshed.")
        self.note(options, "ended.")


def _graph(targets: list[Target], using: str) -> dict[Target, set[Target]]:
    """Each target → those that it reads, directly or through views that aren't chosen."""
    with connections[using].cursor() as cursor:
        above = ancestors({view.full_name: view.parents for view in all_views(cursor)})
    named = {target.installed.full_name: target for target in targets if target.installed}
    return {
        target: {named[name] for name in above.get(target.installed.full_name, ()) if name in named}
        if target.installed
        else set()
        for target in targets
    }


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT end the work in order; the second of them ends it as ever."""
    if threading.current_thread() is not threading.main_thread():  # only there can signals be handled
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def handle(_number: int, _frame: Any) -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop()

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
