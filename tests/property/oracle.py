"""Runs a script twice, side by side: in a schema with maintained views and in one with ordinary views.

The ordinary views over tables of their own are the oracle: PostgreSQL's own answer to the original SQL, on tables that
no trigger of ours has touched. After every statement each maintained view must equal its twin as a bag of rows' text;
a write must succeed or fail as it does without views; and nothing but TRUNCATE may compute a view anew.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import psycopg
from django.db import connections, transaction

from django_ivm import create_view, drop_view, get_view
from django_ivm.errors import DefinitionError, NotIncrementalError, RefreshError

from .outcome import KEPT, Tally, Wrong
from .script import Script, Statement, Step

LIVE, PLAIN = "maintained", "plain"
_CONTROL = re.compile(r"(SAVEPOINT|ROLLBACK|RELEASE|SET)\b", re.IGNORECASE)
_NO_RECOMPUTE = "SELECT coalesce(sum(calls), 0) FROM pg_stat_xact_user_functions WHERE funcname LIKE '%\\_replace'"
TIMEOUT = "57014"
RUNS_OF_A_SESSION = 2
_runs = itertools.count(1)


class _GiveUp(Exception):
    """Nothing to learn from the rest: the oracle itself is too slow, or raises."""


def preference(sql: str) -> str:
    """What is chosen by cost, and would always be the same over small tables: of some views the other way."""
    return "recompute" if crc32(sql.encode()) % 3 == 0 else "auto"


@dataclass
class Run:
    """One run of a script on a Django connection. `committed`: every step is a transaction of its own."""

    script: Script
    tally: Tally
    using: str = "default"
    committed: bool = False
    names: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Raises Wrong; leaves nothing behind."""
        self.tally.examples += 1
        if self.committed:
            try:
                self._all()
            finally:
                self._clean()
            return
        try:
            with transaction.atomic(using=self.using):
                try:
                    self._all()
                finally:
                    transaction.set_rollback(True, using=self.using)
        finally:
            # A server process remembers every function and plan it has seen, and looks them over at each DDL.
            if next(_runs) % RUNS_OF_A_SESSION == 0:
                connections[self.using].close()

    @property
    def raw(self) -> psycopg.Connection[Any]:
        connections[self.using].ensure_connection()
        return connections[self.using].connection

    def _all(self) -> None:
        try:
            self._prepare()
            for name in [view.name for view in self.script.views]:
                self._install(name)
            if not self.names:
                return
            self._check(-1, "after the fill")
            for number, step in enumerate(self.script.steps):
                self._step(number, step)
            self._finish()
        except _GiveUp:
            return

    # Set-up

    def _prepare(self) -> None:
        self._do("SET statement_timeout = '20s'; SET jit = off")
        for schema in (LIVE, PLAIN):
            self._do(f"CREATE SCHEMA {schema}")
            self._enter(schema)
            for statement in self.script.setup:
                with self._savepoint():
                    self._do(statement)
        self._logged_before = self._logged()
        self._counts = self._superuser()
        if self._counts:
            self._do("SET track_functions = 'pl'")

    def _superuser(self) -> bool:
        return not self.committed and self.raw.info.parameter_status("is_superuser") == "on"

    def _install(self, name: str) -> None:
        sql = next(view.sql for view in self.script.views if view.name == name)
        self._enter(PLAIN)
        try:
            with self._savepoint(reraise=True):
                self._do(f"CREATE VIEW {name} AS {sql}")
                self._do(f"SELECT count(*) FROM {name}")
        except psycopg.Error as error:
            self.tally.invalid[error.sqlstate or "?"] += 1
            return
        self._enter(LIVE)
        self._create(name, sql)

    def _create(self, name: str, sql: str) -> None:
        try:
            with transaction.atomic(using=self.using):
                create_view(name, sql, strategy="incremental", using=self.using, prefer=preference(sql))
        except NotIncrementalError as error:
            self.tally.drawn(sql, error.code)
        except DefinitionError as error:
            if error.code != "42P01":  # a view that was refused isn't there to be read
                raise Wrong("install", f"{name}: {error}", self.script, view=name) from error
        except Exception as error:
            raise self._broken(name, error) from error
        else:
            self.names.append(name)
            self.tally.drawn(sql, KEPT)

    def _broken(self, name: str, error: Exception) -> Wrong:
        """The installation of a view failed as none may."""
        first = str(error).partition("\n")[0]
        kind = f"install {type(error).__name__} {re.sub('[^a-z ]', '', first)[:40]}"
        return Wrong(kind, f"{name}: {first}", self.script, view=name)

    # Steps

    def _step(self, number: int, step: Step) -> None:
        read = {f"v{n}" for s in step.statements for n in re.findall(r"FROM v(\d)\)", s.sql)}
        if not read <= set(self.names):
            return
        self.tally.steps += 1
        before = self._recomputed()
        several = len(step.statements) > 1
        begun = not self.committed or several
        if begun:
            self._do("BEGIN" if self.committed else "SAVEPOINT step")
        position = 0
        failure: psycopg.Error | None = None
        for position, statement in enumerate(step.statements):  # noqa: B007 where it stopped is needed
            failure = self._both(statement, number, begun)
            if failure is not None:
                break
            self._check(number, str(statement))
        if begun:
            failure = self._leave(step, position, number, failure)
        if failure is None and begun and self.committed:
            self._check(number, "after COMMIT")  # and after the triggers that were deferred to it
        if failure is not None:
            self.tally.failed[failure.sqlstate or "?"] += 1
            self._check(number, "after a failed statement")
        truncates = any("TRUNCATE" in s.sql for s in step.statements)
        if not truncates and self._recomputed() != before:
            raise Wrong("recomputed", f"step {number + 1} computed a view anew", self.script, number)

    def _both(self, statement: Statement, number: int, begun: bool) -> psycopg.Error | None:
        """Run a statement in both schemas; the error that it fails with in both."""
        self.tally.statements += 1
        if _CONTROL.match(statement.sql):
            return self._try(statement, LIVE)[0]
        plain, count = self._try(statement, PLAIN)
        if plain is not None and begun:
            return plain  # the transaction is lost: `_leave` tries it again in the other schema
        live, live_count = self._try(statement, LIVE)
        self._same(statement, number, plain, live)
        if count != live_count:
            raise Wrong("count", f"{count} rows without views, {live_count} with: {statement}", self.script, number)
        return plain

    def _leave(self, step: Step, position: int, number: int, failure: psycopg.Error | None) -> psycopg.Error | None:
        """End the step's transaction or savepoint; a step that failed must fail in the schema with views too."""
        if failure is None:
            if not self.committed:
                self._do("RELEASE SAVEPOINT step")
                return None
            try:
                self._do("COMMIT")
            except psycopg.Error as error:
                return error  # a deferred constraint, of both schemas
            return None
        self._undo()
        if _CONTROL.match(step.statements[position].sql):
            self._end()
            return failure
        self._do("BEGIN" if self.committed else "SAVEPOINT step")
        error = None
        for statement in step.statements[: position + 1]:
            error, _ = self._try(statement, LIVE)
            if error is not None:
                break
        self._same(step.statements[position], number, failure, error)
        self._undo()
        self._end()
        return failure

    def _undo(self) -> None:
        self._do("ROLLBACK" if self.committed else "ROLLBACK TO SAVEPOINT step")

    def _end(self) -> None:
        if not self.committed:
            self._do("RELEASE SAVEPOINT step")

    def _same(self, statement: Statement, number: int, plain: psycopg.Error | None, live: psycopg.Error | None) -> None:
        state, live_state = (error and error.sqlstate for error in (plain, live))
        if TIMEOUT in (state, live_state):
            self.tally.slow += live_state == TIMEOUT
            raise _GiveUp
        if state == live_state:
            return
        if live is not None:
            if not self.committed:
                self._do("ROLLBACK TO SAVEPOINT step")
                if plain is None and self._raises(statement):
                    raise _GiveUp
            first = str(live).partition("\n")[0]
            raise Wrong(f"error {live_state}", f"{first}\n{statement}", self.script, number) from live
        raise Wrong("no error", f"without views it fails: {plain}\n{statement}", self.script, number)

    def _raises(self, statement: Statement) -> bool:
        """The original query itself raises on the rows that the statement leaves."""
        try:
            with self._savepoint(reraise=True):
                self._try(statement, PLAIN)
                for name in self.names:
                    self._do(f"SELECT r::text FROM {PLAIN}.{name} r")
        except psycopg.Error:
            return True
        return False

    def _try(self, statement: Statement, schema: str) -> tuple[psycopg.Error | None, int]:
        try:
            self._enter(schema)
            with self.raw.cursor() as cursor:
                if statement.data is None:
                    cursor.execute(statement.sql.encode())
                else:
                    with cursor.copy(statement.sql.encode()) as copy:
                        copy.write(statement.data)
                return None, cursor.rowcount
        except psycopg.Error as error:
            return error, 0

    # Checks

    def _check(self, number: int, what: str) -> None:
        self.tally.checks += 1
        for name, missing, unexpected in self._differences(self.names):
            if missing or unexpected:
                self._explain(number, what, name)

    def _differences(self, names: list[str]) -> list[tuple[str, int, int]]:
        # Each relation is read once: rows that are missing are left over with a plus, unexpected ones with a minus.
        one = (
            "SELECT '{n}', coalesce(sum(n) FILTER (WHERE n > 0), 0)::int8, "
            "coalesce(-sum(n) FILTER (WHERE n < 0), 0)::int8 FROM (SELECT sum(n) AS n FROM "
            "(SELECT r::text AS r, 1 AS n FROM {p}.{q} r UNION ALL SELECT r::text, -1 FROM {l}.{q} r) x GROUP BY r) y"
        )
        parts = [one.format(n=n.strip('"'), q=n, p=PLAIN, l=LIVE) for n in names]
        try:
            return self._rows(" UNION ALL ".join(parts))
        except psycopg.Error as error:
            if error.sqlstate and error.sqlstate[:2] in ("22", "57"):
                raise _GiveUp from error
            raise

    def _explain(self, number: int, what: str, name: str) -> None:
        tables = self._rows(
            "SELECT format('%I', relname) FROM pg_class "
            f"WHERE relnamespace = '{PLAIN}'::regnamespace AND relkind IN ('r', 'p')"
        )
        for table, missing, unexpected in self._differences([row[0] for row in tables]):
            if missing or unexpected:
                raise Wrong("source", f"the table {table} itself differs: {what}", self.script, number)
        only = "SELECT r::text FROM {}.{} r EXCEPT ALL SELECT r::text FROM {}.{} r LIMIT 5"
        missing = [r[0] for r in self._rows(only.format(PLAIN, name, LIVE, name))]
        unexpected = [r[0] for r in self._rows(only.format(LIVE, name, PLAIN, name))]
        if self._only_looks(name):
            raise _GiveUp
        raise Wrong(
            "wrong rows", f"{name}: missing {missing}, unexpected {unexpected}\n{what}", self.script, number, name
        )

    def _only_looks(self, name: str) -> bool:
        """The rows are equal, and which of equal values is shown the query leaves to chance: UNION of char(4) and text
        shows 'a' or 'a   '. Where it doesn't, verify tells them apart."""
        differ = "(SELECT * FROM {a}.{n} EXCEPT ALL SELECT * FROM {b}.{n})"
        both = [differ.format(a=a, b=b, n=name) for a, b in ((PLAIN, LIVE), (LIVE, PLAIN))]
        try:
            with self._savepoint(reraise=True):
                if self._rows(" UNION ALL ".join(both)):
                    return False
        except psycopg.Error:  # a type that can't be compared
            return False
        return bool(get_view(name, using=self.using).verify())

    def _recomputed(self) -> int:
        return int(self._rows(_NO_RECOMPUTE)[0][0]) if self._counts else 0

    def _logged(self) -> int:
        return int(self._rows("SELECT count(*) FROM public.django_ivm_refreshlog")[0][0])

    def _finish(self) -> None:
        """Nothing was logged or marked; a full refresh, hidden state included, finds nothing to put right."""
        self._enter(LIVE)
        self._do("SET DateStyle = 'ISO, MDY'")  # psycopg reads no other
        last = len(self.script.steps) - 1
        logged = self._logged() - self._logged_before
        # Marked on suspicion: by any MERGE that writes a partitioned source, if only through a trigger, and by TRUNCATE
        # above READ COMMITTED.
        marked = self._rows(
            f"SELECT view_name, reason FROM django_ivm.stale WHERE view_schema = '{LIVE}' "
            "AND reason NOT LIKE 'a MERGE may%' AND reason NOT LIKE 'TRUNCATE of % whose snapshot stands' AND reason NOT LIKE 'TRUNCATE on %'"
        )
        if logged or marked:
            raise Wrong("refreshed", f"{logged} refreshes logged, marked stale: {marked}", self.script, last)
        for name in self.names:
            view = get_view(name, using=self.using)
            if not self.committed:
                with transaction.atomic(using=self.using):
                    try:
                        result = view.refresh(full=True)
                    except RefreshError as error:
                        raise Wrong("refresh", str(error), self.script, last, name) from error
                    if result.inserted or result.deleted:
                        raise Wrong("state", f"{name}: a full refresh found {result}", self.script, last, name)
            if not view.verify():
                raise Wrong("verify", f"{name}: {view.verify()}", self.script, last, name)

    # SQL

    def _do(self, sql: str) -> None:
        self.raw.execute(sql.encode())

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.raw.execute(sql.encode()).fetchall()

    def _enter(self, schema: str) -> None:
        self._do(f"SET search_path = {schema}, public")

    @contextmanager
    def _savepoint(self, reraise: bool = False) -> Iterator[None]:
        if self.committed and self.raw.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            try:
                yield
            except psycopg.Error:
                if reraise:
                    raise
            return
        self._do("SAVEPOINT ours")
        try:
            yield
        except psycopg.Error:
            self._do("ROLLBACK TO SAVEPOINT ours")
            if reraise:
                raise
        self._do("RELEASE SAVEPOINT ours")

    def _clean(self) -> None:
        if self.raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            self._do("ROLLBACK")
        self._enter(LIVE)
        self._do("SET DateStyle = 'ISO, MDY'")
        for name in reversed(self.names):
            drop_view(name, cascade=True, using=self.using)
        self._do(f"DROP SCHEMA IF EXISTS {LIVE}, {PLAIN} CASCADE")
        connections[self.using].close()  # with all settings of the session
