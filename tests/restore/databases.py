"""Databases that a test makes, with their views and the questions that are asked of them."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any, Self
from urllib.parse import quote, urlencode

import psycopg
from django.db import connections
from psycopg import sql

import django_ivm
from django_ivm.engine import install as installer
from django_ivm.engine.spec import ViewSpec

from . import shop


class Database:
    """One database under an alias of Django's, which is its name. Leaving the `with` block drops it."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.queries = {**shop.VIEWS, **shop.CHAIN, **shop.NUMBERED}
        self.marked = {**shop.FULL, **shop.MANUAL}

    @classmethod
    def of(cls, alias: str) -> Database:
        return cls(alias)

    @classmethod
    def create(cls, name: str, server: str = "default") -> Database:
        """An empty database; `server` is an alias of that server."""
        settings = {**connections[server].settings_dict, "NAME": name}
        with connections[server].cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        connections.databases[name] = settings
        made = cls(name)
        made.server = server
        return made

    server = "default"

    def drop(self) -> None:
        self.close()
        del connections[self.alias]
        del connections.databases[self.alias]
        with connections[self.server].cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{self.alias}" WITH (FORCE)')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.drop()

    def close(self) -> None:
        connections[self.alias].close()

    @property
    def url(self) -> str:
        known = connections[self.alias].get_connection_params()
        given = {name: str(known[name]) for name in ("dbname", "user", "password", "host", "port") if known.get(name)}
        return "postgresql:///?" + urlencode(given, quote_via=quote)

    def connect(self, **arguments: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, autocommit=True, **arguments)

    def run(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Statements in a session of their own; rows of the last one."""
        with contextlib.closing(self.connect()) as session:
            return self._run(session, statement, *parameters)

    @staticmethod
    def _run(session: psycopg.Connection[Any], statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        cursor = session.execute(statement.encode(), parameters or None)
        while cursor.nextset():
            pass
        return cursor.fetchall() if cursor.description else []

    # Views

    def fill(self) -> None:
        """Tables and views; some writes, so that what was kept isn't just what was filled."""
        self.run(shop.TABLES + "CREATE SCHEMA views;" + shop.ROWS)
        self.install()
        self.run(f"INSERT INTO {shop.ORDERS} (customer_id, amount) VALUES (1, 3), (2, 4)")

    def install(self) -> None:
        with connections[self.alias].cursor() as cursor:
            cursor.execute("SET search_path = views")
        for name, query in shop.NUMBERED.items():
            spec = ViewSpec(name=name, sql=query, surrogate="id", strategy="incremental")
            installer.install(spec, connections[self.alias])
        for name, query in {**shop.VIEWS, **shop.CHAIN}.items():
            django_ivm.create_view(name, query, strategy="incremental", using=self.alias)
        for name, query in shop.FULL.items():
            django_ivm.create_view(name, query, using=self.alias)
        for name, query in shop.MANUAL.items():
            django_ivm.create_view(name, query, mode="manual", using=self.alias)
        self.close()

    def install_again(self) -> None:
        """What `ivm_install` does: the declarations are those of the register."""
        for view in self.installed():
            installer.install(replace(view.spec, schema=view.schema), connections[self.alias])
        self.close()

    def view(self, name: str) -> django_ivm.View:
        return django_ivm.View(name, self.alias, "views")

    def differences(self, *names: str) -> dict[str, list[tuple[Any, ...]]]:
        """Views that differ from their queries, with the rows, as text."""
        with contextlib.closing(self.connect()) as session:
            found = {name: self._run(session, self._compared(name)) for name in names or self.queries}
        return {name: rows for name, rows in found.items() if rows}

    def _compared(self, name: str) -> str:
        query = {**self.queries, **self.marked}[name]
        statement = sql.SQL(
            "WITH wanted AS (SELECT ivm_row::text AS r FROM ({query}) ivm_row), "
            "stored AS (SELECT ivm_row::text AS r FROM {view} ivm_row) "
            "(SELECT 'missing', r FROM wanted EXCEPT ALL SELECT 'missing', r FROM stored) UNION ALL "
            "(SELECT 'unexpected', r FROM stored EXCEPT ALL SELECT 'unexpected', r FROM wanted)"
        ).format(query=sql.SQL(query), view=sql.SQL(self.shown(name)))
        return statement.as_string(None)

    def shown(self, name: str) -> str:
        """The query's columns of the view, whatever its table has beside them."""
        table = sql.Identifier("views", name)
        shown = sql.SQL("(SELECT state, region FROM {})").format(table) if name in shop.NUMBERED else table
        return shown.as_string(None)

    def check(self, *names: str) -> None:
        """Views equal their queries, both ways."""
        assert not (found := self.differences(*names)), f"views differ from their queries: {found}"

    def refresh(self, *names: str) -> None:
        """Those that others read first."""
        for view in self.installed():
            if view.name in names:
                self.view(view.name).refresh()

    def stale(self) -> set[str]:
        """Installed views that say they aren't fresh."""
        return {name for name in (*self.queries, *self.marked) if not self.view(name).is_fresh()}

    def states(self) -> set[str]:
        """What `ivm_install --check` says of what is installed, by its own declarations."""
        connection = connections[self.alias]
        return {installer.state(view.spec, connection).value for view in self.installed()}

    def installed(self) -> list[Any]:
        connection = connections[self.alias]
        with connection.cursor() as cursor:
            cursor.execute("SET search_path = views")
        return installer.installed(connection)

    def uninstall(self) -> None:
        """Everything goes, without a rest."""
        connection = connections[self.alias]
        for view in reversed(self.installed()):
            installer.uninstall(view.name, connection, schema=view.schema)
        installer.remove_runtime(connection)
        left = self.run(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname IN ('django_ivm', 'views') AND c.relkind IN ('r', 'v', 'S') "
            "UNION ALL SELECT 'trigger', tgname FROM pg_trigger WHERE NOT tgisinternal "
            "UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = to_regnamespace('django_ivm')"
        )
        assert left == []
