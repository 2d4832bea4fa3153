"""Fill tables that are there and empty, and show how far that is.

An INSERT says nothing until it is done. But the table's file grows while it runs, and another connection may look.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import psycopg
from psycopg import sql as pg

from .introspect import rows

if TYPE_CHECKING:
    from ..compiler import Installation
    from ..compiler.maintenance.stores import Store

_ROW_HEADER = 28  # bytes of a row's header and line pointer
_EVERY = 0.25  # seconds between two looks


@runtime_checkable
class Bar(Protocol):
    """Progress that also counts rows; a plain function is told of them as text."""

    def __call__(self, text: str) -> None: ...

    def rows(self, what: str, done: int, estimated: int) -> None:
        """`done` of about `estimated` rows of `what`; `done == estimated` ends it."""


def fill(cursor: Any, installation: Installation, name: str, session: Any, tell: Callable[[str], None]) -> int:
    """Fill all tables of a view in the cursor's transaction; the number of rows of the view's own.

    `session` is psycopg's connection by which the tables are watched meanwhile.
    """
    count = 0
    for store, statement in zip(installation.stores, installation.fill_statements(), strict=True):
        estimated, width = _estimate(cursor, statement)
        what = name if store is installation.stores[-1] else f"{name} ({store.table})"
        with _watching(session, store, what, estimated, width, tell):
            cursor.execute(statement)
            count = cursor.rowcount
        _tell(tell, what, count, count)
    return count


def _estimate(cursor: Any, statement: str) -> tuple[int, int]:
    """The planner's guess of (rows, bytes a row)."""
    plan = rows(cursor, f"EXPLAIN (FORMAT JSON) {statement}")[0][0]
    top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plans"][0]
    return max(1, int(top["Plan Rows"])), int(top["Plan Width"])


def _tell(tell: Callable[[str], None], what: str, done: int, estimated: int) -> None:
    if isinstance(tell, Bar):
        tell.rows(what, done, estimated)
    else:
        tell(f"{what}: filling, {done:,} of about {estimated:,} rows")


@contextlib.contextmanager
def _watching(
    session: Any, store: Store, what: str, estimated: int, width: int, tell: Callable[[str], None]
) -> Iterator[None]:
    """Tell of the table's growth while the block runs."""
    done = threading.Event()
    table = pg.Identifier(store.table_schema, store.table).as_string(None)

    def watch() -> None:
        while not done.wait(_EVERY):
            with contextlib.suppress(psycopg.Error):
                size = session.execute("SELECT pg_relation_size(to_regclass(%s))", (table,)).fetchone()[0] or 0
                written = size // (_ROW_HEADER + width)
                _tell(tell, what, written, max(estimated, written + 1))

    _tell(tell, what, 0, estimated)
    thread = threading.Thread(target=watch, name=f"ivm progress of {what}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
