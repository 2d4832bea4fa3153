"""Relations that a view may read: tables whose changes triggers can capture, and ordinary views, as what they are
made of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..errors import Unsupported
from ..pg.catalog import TableInfo, ViewInfo


def check_source(info: TableInfo, *, only: bool = False) -> None:
    """Refuse relations whose changes triggers can't capture; `only`: the query reads the table without those below."""
    find = f"table:{info.name}"
    if info.timed:
        raise Unsupported("TEMPORAL", f"{info.name} applies a condition on the time when it is read", find)
    if info.stands_for:
        return
    if info.kind not in ("r", "p"):
        kinds = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}
        raise Unsupported("SOURCE", f"{info.name} is {kinds.get(info.kind, 'not a table')}", find)
    if info.schema in ("pg_catalog", "information_schema"):
        raise Unsupported("SOURCE", f"{info.name} is a system catalog", find)
    if info.persistence == "t":
        raise Unsupported("TEMPORARY", f"{info.name} is a temporary table", find)
    if info.unwatched:
        raise Unsupported("SOURCE", f"{info.unwatched} is a part of {info.name}", find)
    if only and (info.kind == "p" or info.children):
        raise Unsupported("INHERITANCE", f"ONLY {info.name} has no rule: its triggers see rows of other tables", find)
    if info.outside:
        message = f"writes to {info.outside} reach rows of {info.name} and fire only the triggers of {info.outside}"
        raise Unsupported("INHERITANCE", message, find)
    if info.row_security:
        raise Unsupported("ROW_SECURITY", f"row level security of {info.name} decides which rows are seen", find)
    if not info.readable:
        raise Unsupported(
            "SOURCE", f"{info.name} behind {info.through} may not be read by the role that installs", find
        )


@contextlib.contextmanager
def inside(view: ViewInfo) -> Iterator[None]:
    """A refusal in an ordinary view is shown where the query names that view."""
    try:
        yield
    except Unsupported as refusal:
        nested = refusal.find.startswith("view:")
        message = refusal.message if nested else f"{refusal.message} (in the view {view.name})"
        raise Unsupported(refusal.code, message, f"view:{view.name}") from refusal
