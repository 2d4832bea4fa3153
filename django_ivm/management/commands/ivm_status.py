"""`ivm_status`: what the database says about each view."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connections
from django.template.defaultfilters import filesizeformat

from ...errors import IVMError
from ..selection import Target, ViewCommand


class Command(ViewCommand):
    help = "Show each view's state: installed, how it is kept, whether it is fresh, its size."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="For programs.")

    def handle(self, *args: Any, **options: Any) -> None:
        targets = self.targets(options)
        try:
            found = [(target, target.status()) for target in targets]
        except IVMError as error:
            raise CommandError(str(error)) from error
        unfinished = self._unfinished(options)
        if options["json"]:
            self.json(
                [
                    {
                        "view": target.label,
                        "table": target.name,
                        "database": target.using,
                        "state": _state(target, status),
                        **{field.name: getattr(status, field.name) for field in dataclasses.fields(status)},
                        "reasons": _reasons(target),
                        "online": next(
                            (
                                text
                                for (schema, name), text in unfinished.items()
                                if name == target.name and target.schema in (None, schema)
                            ),
                            None,
                        ),
                    }
                    for target, status in found
                ]
            )
            return
        for (schema, name), text in unfinished.items():
            self.note(options, f"{schema}.{name}: {text}")
        if not found:
            self.note(options, "No views.")
            return
        rows = [
            (
                target.label,
                _state(target, status),
                status.mode,
                status.strategy,
                status.rows,
                filesizeformat(status.size).replace("\xa0", " ") if status.size is not None else None,
                status.pending,
                status.last_refresh,
            )
            for target, status in found
        ]
        self.table(("view", "state", "mode", "strategy", "rows", "size", "pending", "last refresh"), rows)
        for target, status in found:
            stale = (f"stale: {status.cause}",) if status.cause else ()
            for text in (*stale, *status.faults, *status.doubts):
                self.note(options, f"{target.label}: {text}")
            for reason in _reasons(target):
                where = f" (at {reason['location']})" if reason["location"] else ""
                self.note(options, f"{target.label}: {reason['message']} [{reason['code']}]{where}")

    def _unfinished(self, options: dict[str, Any]) -> dict[tuple[str | None, str], str]:
        """What there is to know of online installations that aren't done, by schema and view."""
        from ...engine import unfinished

        with connections[options["database"]].cursor() as cursor:
            return {(schema, name): text for schema, name, text in unfinished.describe(cursor)}


def _state(target: Target, status: Any) -> str:
    if not status.installed:
        return "missing"
    if target.orphan:
        return "orphan"
    if status.outdated:
        return "outdated"
    return "stale" if status.stale else "fresh"


def _reasons(target: Target) -> list[dict[str, str]]:
    if target.installed is None:
        return []
    return [dataclasses.asdict(reason) for reason in target.installed.reasons]
