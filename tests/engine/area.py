"""A schema of a test's own, with tables and views whose writes are really committed."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import psycopg
from django.db import DatabaseError, connection, transaction
from psycopg import sql

import django_ivm
from django_ivm.engine import builds, register, unfinished
from django_ivm.engine import install as installer
from django_ivm.engine.register import InstalledView
from django_ivm.models import RefreshLog

_numbers = itertools.count(1)


class Area:
    """Tables and views in a schema of their own; `queries` keeps each view's original text.

    Statements run on Django's connection unless another is given. The text of a query is what the user wrote, and it
    alone is what a view is compared with.
    """

    def __init__(self) -> None:
        self.schema = f"area_{next(_numbers)}"
        self.queries: dict[str, str] = {}
        self.opened = contextlib.ExitStack()
        self.run(f"CREATE SCHEMA {self.schema}")
        self.enter()

    def enter(self) -> None:
        """Let this thread's Django connection find the schema's tables."""
        self.run(f"SET search_path = {self.schema}, public")

    def run(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Statements on Django's connection; rows of the last one."""
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall()) if cursor.description else []

    def value(self, statement: str, *parameters: Any) -> Any:
        """The one value of a query."""
        return self.run(statement, *parameters)[0][0]

    def connect(self, **arguments: Any) -> psycopg.Connection[Any]:
        """One more session, in autocommit, closed with the test."""
        known = connection.get_connection_params()
        given = {k: known[k] for k in ("dbname", "user", "password", "host", "port") if known.get(k)}
        session = psycopg.connect(**{**given, "autocommit": True, **arguments})
        self.opened.callback(session.close)
        session.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(self.schema)))
        return session

    def view(self, name: str, query: str, *, strategy: str = "incremental", **options: Any) -> django_ivm.View:
        """A view that must be kept incrementally, unless another strategy is asked for."""
        self.queries[name] = query
        return django_ivm.create_view(name, query, strategy=strategy, **options)

    def wrong(self, name: str, session: Any = None) -> list[tuple[str, str]]:
        """Rows in which a view differs from its query, as text: ("missing" or "unexpected", row)."""
        query, table = self.queries[name], f'{self.schema}."{name}"'
        statement = (
            f"WITH wanted AS (SELECT ivm_row::text AS r FROM ({query}) ivm_row), stored AS (SELECT ivm_row::text AS r FROM "
            f"{table} ivm_row) "
            "(SELECT 'missing', r FROM wanted EXCEPT ALL SELECT 'missing', r FROM stored) UNION ALL "
            "(SELECT 'unexpected', r FROM stored EXCEPT ALL SELECT 'unexpected', r FROM wanted) ORDER BY "
            "1, 2 LIMIT 20"
        )
        return self.run(statement) if session is None else session.execute(statement).fetchall()

    def check(self, *names: str, session: Any = None) -> None:
        """Views equal their queries, both ways; all of them when none is named."""
        different = {name: rows for name in names or self.queries if (rows := self.wrong(name, session))}
        assert not different, f"views differ from their queries: {different}"

    def step(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """A statement, after which every view equals its query."""
        rows = self.run(statement, *parameters)
        self.check()
        return rows

    def installed(self, name: str) -> InstalledView:
        """The register's entry."""
        with connection.cursor() as cursor:
            found = register.find(cursor, name)
        assert found is not None
        return found

    def forbid_recompute(self, *names: str) -> None:
        """From now on a full recompute of these views (all by default) raises."""
        for name in names or self.queries:
            for signature in self.installed(name).replaces:
                outs = "OUT ivm_inserted bigint, OUT ivm_updated bigint, OUT ivm_deleted bigint"
                self.run(
                    f"CREATE OR REPLACE FUNCTION {signature.removesuffix('()')}({outs}) LANGUAGE plpgsql AS "
                    "$$BEGIN RAISE EXCEPTION 'a full recompute ran'; END$$"
                )

    def _drop_by_force(self, view: InstalledView) -> None:
        """A view that can't be uninstalled mustn't spoil the tests after it."""
        self.run(f"DROP SCHEMA {self.schema} CASCADE")
        for signature in view.objects["functions"]:
            self.run(f"DROP FUNCTION IF EXISTS {signature} CASCADE")
        for table in view.objects["tables"]:
            self.run(f'DROP TABLE IF EXISTS django_ivm."{table}" CASCADE')
        self.run("DELETE FROM django_ivm.view WHERE view_schema = %s", self.schema)

    def drop(self) -> None:
        """Everything goes, whatever a test left behind."""
        self.opened.close()
        if connection.connection is not None and not connection.connection.closed:
            connection.connection.rollback()
        self.enter()
        with transaction.atomic(), connection.cursor() as cursor:
            for build in builds.every(cursor):
                if build.schema == self.schema:
                    unfinished.remove(cursor, build)
        mine = [v for v in installer.installed(connection) if v.schema == self.schema]
        for view in reversed(mine):
            with contextlib.suppress(django_ivm.NotInstalledError):
                try:
                    installer.uninstall(view.name, connection, schema=view.schema, cascade=True)
                except DatabaseError:
                    self._drop_by_force(view)
                    raise
        self.run(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")
        RefreshLog.objects.all().delete()
        self.run("RESET search_path")


@contextlib.contextmanager
def an_area() -> Iterator[Area]:
    """An area for the length of a with block."""
    made = Area()
    try:
        yield made
    finally:
        made.drop()
