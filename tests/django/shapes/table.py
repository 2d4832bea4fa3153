"""The table of querysets, and how each is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

Make = Callable[[], "QuerySet[Any]"]


@dataclass(frozen=True, slots=True)
class Shape:
    """A queryset and what is expected of it.

    `codes` are why it is refreshed in full (`WHOLE` alone: a write may read a whole source), empty where it is kept without
    reservation. `undetermined` are outputs that the query itself leaves open; `alike` those that may be any of several equal values;
    `close` are floats whose last digits depend on the order of a scan. `since` is the PostgreSQL for which
    Django writes what the codes are about.
    """

    make: Make
    codes: tuple[str, ...] = ()
    undetermined: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    extension: str | None = None
    since: int = 0


SHAPES: dict[str, Shape] = {}


def shape(
    *codes: str,
    undetermined: tuple[str, ...] = (),
    alike: tuple[str, ...] = (),
    close: tuple[str, ...] = (),
    extension: str | None = None,
    since: int = 0,
) -> Callable[[Make], Make]:
    """Put a queryset into the table, under its function's name."""

    def note(make: Make) -> Make:
        name = make.__name__.rstrip("_")
        assert name not in SHAPES, name
        SHAPES[name] = Shape(make, codes, undetermined, alike, close, extension, since)
        return make

    return note
