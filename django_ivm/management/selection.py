"""What the commands share: labels → views, in dependency order; progress; tables for people, JSON for
programs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import difflib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections
from tqdm import tqdm

from .. import registry
from ..errors import IVMError
from ..registry import Target


def select(labels: Sequence[str], using: str) -> list[Target]:
    """The views that labels mean (all, without labels), each after the views it reads.

    Raises CommandError for a label that means none.
    """
    targets = registry.targets(using)
    if not labels:
        return targets
    chosen: set[Target] = set()
    for label in labels:
        meant = {target for target in targets if _means(label, target)}
        if not meant:
            raise CommandError(_unknown(label, targets, using))
        chosen |= meant
    return [target for target in targets if target in chosen]


def _means(label: str, target: Target) -> bool:
    if label == target.name or (target.schema and label == f"{target.schema}.{target.name}"):
        return True
    if target.model is None:
        return target.orphan and label == target.installed.label  # type: ignore[union-attr]
    meta = target.model._meta
    return label.lower() in (meta.label_lower, meta.app_label.lower(), meta.model_name)


def _unknown(label: str, targets: list[Target], using: str) -> str:
    known = sorted({target.label for target in targets} | {target.name for target in targets})
    close = difflib.get_close_matches(label, known, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return f"No view of the database {using!r} is called {label!r}.{hint}"


def with_dependents(chosen: Iterable[Target], targets: Iterable[Target]) -> list[Target]:
    """`chosen` and everything among `targets` (in dependency order) that reads them, directly or not."""
    names = {target.name for target in chosen}
    result = []
    for target in targets:
        parents = set(target.installed.depends_on) if target.installed is not None else set()
        if target.name in names or parents & names:
            names.add(target.name)
            result.append(target)
    return result


class ViewCommand(BaseCommand):
    """A command that takes labels of views and one database."""

    requires_system_checks: Sequence[str] = ()
    labels_help = "app, app.View or a view's name; without one, all views."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("labels", nargs="*", metavar="label", help=self.labels_help)
        parser.add_argument(
            "--database",
            default=DEFAULT_DB_ALIAS,
            choices=tuple(connections),
            help='Alias of the database. Default: "default".',
        )

    def targets(self, options: dict[str, Any]) -> list[Target]:
        """The views the command line means."""
        try:
            return select(options["labels"], options["database"])
        except IVMError as error:
            raise CommandError(str(error)) from error

    def note(self, options: dict[str, Any], text: str, verbosity: int = 1) -> None:
        """A line for people, at a verbosity."""
        if options["verbosity"] >= verbosity:
            self.stdout.write(text)

    def fail(self, target: Target, error: BaseException) -> None:
        """Report one view's failure; the command goes on with the next."""
        self.stderr.write(f"{target.label}: {str(error).removeprefix(f'{target.label}: ')}")

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Print aligned columns; numbers to the right."""
        cells = [[_cell(value) for value in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
        right = [bool(rows) and all(isinstance(row[i], int | float) for row in rows) for i in range(len(headings))]
        for line in [list(headings), *cells]:
            padded = [
                cell.rjust(width) if flush else cell.ljust(width)
                for cell, width, flush in zip(line, widths, right, strict=True)
            ]
            self.stdout.write("  ".join(padded).rstrip())

    def json(self, value: Any) -> None:
        """Print a value as JSON."""
        self.stdout.write(json.dumps(value, indent=2, default=_plain, ensure_ascii=False))


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


@contextlib.contextmanager
def progress(
    targets: Sequence[Target], options: dict[str, Any]
) -> Iterator[tuple[Iterator[Target], Callable[[str], None] | None]]:
    """(the targets to walk, a function that shows what is going on): a bar with the time left, on a
    terminal only.
    """
    quiet = options.get("no_progress") or options["verbosity"] < 1 or not sys.stderr.isatty()
    if quiet:
        yield iter(targets), None
        return
    with tqdm(total=len(targets), unit="view", file=sys.stderr, dynamic_ncols=True) as bar:

        def walk() -> Iterator[Target]:
            for target in targets:
                bar.set_description_str(target.label)
                yield target
                bar.update()

        shown = _Shown(bar)
        try:
            yield walk(), shown
        finally:
            shown.close()


class _Shown:
    """What is going on at one target: text behind the bar of targets, and a bar of rows beneath it while there are
    rows to count."""

    def __init__(self, bar: tqdm[Any]) -> None:
        self._bar = bar
        self._rows: tqdm[Any] | None = None

    def __call__(self, text: str) -> None:
        self._bar.set_postfix_str(text)

    def rows(self, what: str, done: int, estimated: int) -> None:
        """`done` of about `estimated` rows, with the time left."""
        if self._rows is None:
            self._rows = tqdm(
                total=estimated, unit="row", unit_scale=True, file=sys.stderr, dynamic_ncols=True, leave=False
            )
        self._rows.set_description_str(f"filling {what}", refresh=False)
        self._rows.total = estimated
        self._rows.update(done - self._rows.n)
        if done >= estimated:
            self.close()

    def close(self) -> None:
        """No rows to count any more."""
        if self._rows is not None:
            self._rows.close()
            self._rows = None


@contextlib.contextmanager
def counter(options: dict[str, Any], unit: str) -> Iterator[Callable[[str], bool]]:
    """A function that counts one thing more and shows what it was, on a terminal only; it says whether it did."""
    if options.get("no_progress") or options["verbosity"] != 1 or not sys.stderr.isatty():
        yield lambda _text: False
        return
    with tqdm(unit=f" {unit}", file=sys.stderr, dynamic_ncols=True) as bar:

        def count(text: str) -> bool:
            bar.set_description_str(text, refresh=False)
            bar.update()
            return True

        yield count
