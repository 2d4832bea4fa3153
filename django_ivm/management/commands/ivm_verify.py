"""`ivm_verify`: compare views with their queries."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from ...errors import IVMError
from ..selection import ViewCommand


class Command(ViewCommand):
    help = "Compare each view with its query, both ways; exit 1 when one differs."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--sample", type=int, metavar="N", help="Compare one row of N, chosen by chance.")
        parser.add_argument("--repair", action="store_true", help="Mend what differs.")
        parser.add_argument("--fail-fast", action="store_true", help="Stop at the first that differs.")
        parser.add_argument("--json", action="store_true", help="For programs.")

    def handle(self, *args: Any, **options: Any) -> None:
        targets = self.targets(options)
        if not options["labels"]:
            targets = [target for target in targets if target.installed is not None]
        found: list[dict[str, Any]] = []
        for target in targets:
            entry: dict[str, Any] = {"view": target.label, "table": target.name}
            try:
                result = target.handle().verify(sample=options["sample"], repair=options["repair"])
                if options["repair"] and not result.ok:
                    entry["repaired"] = target.handle().verify(sample=options["sample"]).ok
            except (IVMError, DatabaseError) as error:
                entry |= {"ok": False, "error": str(error)}
                if not options["json"]:
                    self.fail(target, error)
            else:
                entry |= {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
                if not options["json"]:
                    self._report(target.label, result, options)
            found.append(entry)
            if options["fail_fast"] and not _right(entry):
                break
        if options["json"]:
            self.json(found)
        wrong = sum(not _right(entry) for entry in found)
        if wrong:
            raise CommandError(f"{wrong} of {len(found)} views differ from their queries.")
        if not options["json"]:
            self.note(options, f"{len(found)} verified.")

    def _report(self, label: str, result: Any, options: dict[str, Any]) -> None:
        if result.ok:
            left_out = f", not compared: {', '.join(result.left_out)}" if result.left_out else ""
            self.note(options, f"{label}: ok, {result.rows} rows{left_out}")
            return
        verb = "repaired, had" if options["repair"] else "has"
        self.note(options, f"{label}: {verb} {result.missing} missing and {result.unexpected} unexpected rows")
        for example in result.examples:
            self.note(options, f"  {example}")


def _right(entry: dict[str, Any]) -> bool:
    return bool(entry["ok"] or entry.get("repaired"))
