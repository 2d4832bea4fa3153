"""`ivm_explain`: how a view is kept, and why not incrementally when it isn't."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from ...errors import IVMError
from ..selection import ViewCommand

STAGES = ("ast", "ir", "plan", "sql")


class Command(ViewCommand):
    help = "Explain views: strategy, reasons, operators, locks, SQL."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--stage", choices=STAGES, help="Show one stage of the compilation.")
        parser.add_argument("--trace", action="store_true", help="Show every step of the compilation.")
        parser.add_argument("--json", action="store_true", help="For programs.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = []
        for target in self.targets(options):
            try:
                found.append((target, target.explain()))
            except (IVMError, DatabaseError) as error:
                raise CommandError(f"{target}: {error}") from error
        if options["json"]:
            self.json(
                [{"view": target.label, "table": target.name, **_as_dict(what, options)} for target, what in found]
            )
            return
        for target, what in found:
            if len(found) > 1:
                self.stdout.write(self.style.MIGRATE_HEADING(target.label))
            if options["trace"]:
                self.stdout.write(what.trace)
            elif options["stage"]:
                self.stdout.write(what.stages.get(options["stage"], "(the compilation ended before this stage)"))
            else:
                self.stdout.write(str(what))


def _as_dict(what: Any, options: dict[str, Any]) -> dict[str, Any]:
    found = {field.name: getattr(what, field.name) for field in dataclasses.fields(what)}
    stages, trace = found.pop("stages"), found.pop("trace")
    if options["stage"]:
        found["stage"] = stages.get(options["stage"])
    if options["trace"]:
        found["trace"] = trace
    return found
