"""Short transactions that need locks others may hold: they give up quickly, and try again a little later.

While a statement waits for a lock on a table, everybody who comes after it waits too. So the waits of one attempt
share a small allowance; when it is used up the attempt is taken back, and the tables are left alone for longer than
they were held up.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import DatabaseError, transaction
from psycopg import sql as pg

from ..errors import IVMError
from .introspect import rows

T = TypeVar("T")
_RETRIED = ("55P03", "40P01", "40001")  # lock_timeout, deadlock, serialization failure
_LONGEST_PAUSE = 1.0
_SHORT = 4  # attempts before the waits grow

# Who holds locks on tables (by name), except this session.
_HOLDERS = """
SELECT DISTINCT l.pid, coalesce(to_char(a.xact_start, 'YYYY-MM-DD HH24:MI:SS'), '?')
FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND l.relation IN (SELECT to_regclass(t)::oid FROM unnest(%s::text[]) t)
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: `lock` is how long the waits of one attempt may hold others up, `limit` how long to go on trying.

    After some attempts in vain they may wait longer, up to `lock * 8`: where there is always somebody at work for
    longer than `lock`, no shorter wait gets there.
    """

    lock: float = 0.05
    limit: float = 600.0

    def allowance(self, tries: int) -> float:
        """Seconds for the waits of that attempt, of which the first is 1."""
        return self.lock * min(1 + max(0, tries - _SHORT) / 2, 8)


class Attempt:
    """One short transaction: its cursor, and what is left of its allowance for waiting."""

    def __init__(self, cursor: Any, allowance: float) -> None:
        self.cursor = cursor
        self._left = allowance
        self._wait()

    def _wait(self) -> None:
        milliseconds = max(1, round(1000 * self._left))
        self.cursor.execute("SELECT set_config('lock_timeout', %s, true)", (f"{milliseconds}ms",))

    def serialize(self, number: int) -> None:
        """Take our advisory lock. Nobody waits for whoever waits for it, so that it may last a while."""
        self.cursor.execute("SELECT set_config('lock_timeout', '1s', true)")
        self.cursor.execute("SELECT pg_advisory_xact_lock(%s)", (number,))
        self._wait()

    def lock(self, tables: Iterable[tuple[str, str]], mode: str = "SHARE ROW EXCLUSIVE") -> None:
        """Lock those of the tables that are there, in the order of their names. SHARE ROW EXCLUSIVE keeps writers out
        and lets readers in."""
        for table in existing(self.cursor, tables):
            before = time.perf_counter()
            statement = pg.SQL("LOCK TABLE {} IN {} MODE").format(pg.Identifier(*table), pg.SQL(mode))  # type: ignore[arg-type]
            self.cursor.execute(statement)
            self._left -= time.perf_counter() - before
            self._wait()


def existing(cursor: Any, tables: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of the tables that are there, in the order of their names."""
    found = sorted(set(tables))
    query = "SELECT to_regclass(t) IS NOT NULL FROM unnest(%s::text[]) WITH ORDINALITY t(t, n) ORDER BY n"
    there = rows(cursor, query, ([pg.Identifier(*table).as_string(None) for table in found],))
    return [table for table, (exists,) in zip(found, there, strict=True) if exists]


def briefly(
    connection: Any,
    what: str,
    work: Callable[[Attempt], T],
    patience: Patience,
    tell: Callable[[str], None],
    tables: Iterable[tuple[str, str]] = (),
    before: Callable[[], None] | None = None,
) -> T:
    """Run `work` in a READ COMMITTED transaction of its own, again and again until it gets its locks; `before` runs
    ahead of each attempt.

    `tables` are those whose holders are named when it doesn't. Raises IVMError (code BUSY) after `patience.limit`.
    """
    end = time.monotonic() + patience.limit
    tries = 0
    while True:
        tries += 1
        if before is not None:
            before()
        try:
            with transaction.atomic(using=connection.alias, durable=True), connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
                tell(what if tries == 1 else f"{what}: locks are held, attempt {tries}")
                return work(Attempt(cursor, patience.allowance(tries)))
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", None) not in _RETRIED:
                raise
            if time.monotonic() > end:
                raise _busy(connection, what, patience, tables) from error
        pause = min(2 * patience.lock * 2 ** min(tries, 10), _LONGEST_PAUSE)
        time.sleep(random.uniform(pause / 2, pause))  # noqa: S311  (no secret)


def _busy(connection: Any, what: str, patience: Patience, tables: Iterable[tuple[str, str]]) -> IVMError:
    names = [pg.Identifier(*table).as_string(None) for table in tables]
    with connection.cursor() as cursor:
        holders = rows(cursor, _HOLDERS, (names,)) if names else []
    held = ", ".join(f"process {pid} (in a transaction since {since})" for pid, since in holders)
    return IVMError(
        f"{what}: the locks weren't to be had for {patience.limit:g} s"
        + (f"; they are held by {held}" if held else ""),
        code="BUSY",
        hint="End that transaction, or try again later: what has been done is kept, and is taken up again.",
    )
