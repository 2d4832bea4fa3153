"""`ivm_refresh`: bring views up to date."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from ...errors import IVMError
from ..selection import Target, ViewCommand, progress, with_dependents


class Command(ViewCommand):
    help = "Refresh views, each after the views it reads."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--full", action="store_true", help="Recompute, whatever is pending.")
        parser.add_argument("--with-dependents", action="store_true", help="Also the views that read the chosen ones.")
        parser.add_argument("--stale", action="store_true", help="Only the views that are stale.")
        parser.add_argument("--watch", action="store_true", help="Go on refreshing what becomes stale.")
        parser.add_argument("--jobs", type=int, default=1, metavar="N", help="Views refreshed at a time.")
        parser.add_argument("--fail-fast", action="store_true", help="Stop at the first failure.")
        parser.add_argument("--no-progress", action="store_true", help="No progress bar.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["watch"]:
            raise CommandError("--watch is not available yet: run ivm_refresh --stale from a scheduler.")
        if options["jobs"] != 1:
            raise CommandError("--jobs above 1 is not available yet: views are refreshed one by one.")
        targets = self.targets(options)
        if options["with_dependents"]:
            targets = with_dependents(targets, self.targets({**options, "labels": []}))
        if not options["labels"]:
            targets = [target for target in targets if target.installed is not None]
        failures = done = 0
        with progress(targets, options) as (walk, _):
            for target in walk:
                try:
                    # Asked when its turn comes: refreshing a parent changes its children.
                    if options["stale"] and target.handle().is_fresh():
                        continue
                    self._report(target, options)
                    done += 1
                except (IVMError, DatabaseError) as error:
                    failures += 1
                    self.fail(target, error)
                    if options["fail_fast"]:
                        break
        if failures:
            raise CommandError(f"{failures} of {len(targets)} refreshes failed.")
        self.note(options, f"{done} refreshed.")

    def _report(self, target: Target, options: dict[str, Any]) -> None:
        result = target.handle().refresh(full=options["full"], trigger="command")
        self.note(
            options,
            f"{target.label}: {result.strategy}, +{result.inserted} ~{result.updated} -{result.deleted}"
            + (f" ({result.reason})" if result.reason else ""),
        )
