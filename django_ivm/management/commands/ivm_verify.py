"""`ivm_verify`: compare views with their queries."""

from __future__ import annotations

import dataclasses
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from ...engine.results import VerifyResult
from ...errors import IVMError
from ..selection import ViewCommand


class Command(ViewCommand):
    help = "Compare each view with its query, both ways; exit 1 when one differs."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--sample", type=_buckets, metavar="N", help="Compare one of N buckets of keys, chosen by chance."
        )
        parser.add_argument(
            "--repair", action="store_true", help="Mend by key what differs, and views that may have missed writes."
        )
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
                entry |= _shown(result)
                if result.repaired is not None:
                    entry["ok_now"] = target.handle().verify(sample=options["sample"]).ok
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

    def _report(self, label: str, result: VerifyResult, options: dict[str, Any]) -> None:
        if result.ok:
            left_out = f", not compared: {', '.join(result.left_out)}" if result.left_out else ""
            self.note(options, f"{label}: ok, {result.rows} rows{left_out}")
        else:
            verb = "has" if result.repaired is None else "repaired, had"
            self.note(options, f"{label}: {verb} {result.missing} missing and {result.unexpected} unexpected rows")
        for found in (*result.examples, *(f"inside, {level}" for level in result.levels)):
            self.note(options, f"  {found}")
        if result.repaired is not None:
            done = result.repaired
            rows = f"{done.inserted} rows inserted, {done.updated} updated, {done.deleted} deleted"
            self.note(options, f"  computed anew ({done.reason}): {rows}")


def _buckets(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f"{text} is no number of buckets: give 1 or more")
    return int(text)


def _shown(result: VerifyResult) -> dict[str, Any]:
    return {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}


def _right(entry: dict[str, Any]) -> bool:
    return bool(entry.get("ok_now", entry["ok"]))
