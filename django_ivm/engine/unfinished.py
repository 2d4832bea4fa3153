"""Online installations that have to give way: to an ordinary installation, to an uninstallation, to a migration."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from psycopg import sql as pg

from . import builds, publishing
from .attempts import existing
from .builds import Build

logger = logging.getLogger("django_ivm")


def give_way(cursor: Any, schema: str, name: str, *, installing: bool = False) -> None:
    """Remove unfinished builds of the view `schema.name`, and of views that read it, in the caller's transaction.

    `installing`: a build of the view that somebody is at stays; it will find the view installed.
    """
    for build in builds.every(cursor):
        if (build.schema, build.name) == (schema, name):
            if not (installing and build.alive):
                remove(cursor, build)
            continue
        built = builds.view(cursor, build)
        if built is not None and (schema, name) in built.parents:
            remove(cursor, build)


def give_way_to_migrations(cursor: Any, tables: set[str] | None) -> list[Build]:
    """Remove unfinished builds of views that read one of these tables, as `db_table` has them (None: any table)."""
    found = []
    for build in builds.every(cursor):
        built = builds.view(cursor, build)
        sources = built.sources if built else ()
        names = {name for _, name in sources} | {f'"{schema}"."{name}"' for schema, name in sources}
        if tables is None or names & tables or (built and built.parents):
            found.append(build)
            remove(cursor, build)
    return found


def remove(cursor: Any, build: Build) -> None:
    """Remove an unfinished build in the caller's transaction, once its sources' writers have let it."""
    built = builds.view(cursor, build)
    if built is not None:
        tables = [pg.Identifier(*table) for table in existing(cursor, publishing.tables_to_lock(built))]
        if tables:
            cursor.execute(pg.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(pg.SQL(", ").join(tables)))
        publishing.remove(cursor, built)
    builds.forget(cursor, build)
    logger.info("removed the unfinished online installation of %s.%s", build.schema, build.name)


def describe(cursor: Any) -> Iterable[tuple[str, str, str]]:
    """(schema, view, what people should know) of online installations that aren't done."""
    return [(build.schema, build.name, str(build)) for build in builds.every(cursor)]
