"""Publish a view that was built under another name: in one short transaction its tables get their names, functions and
triggers follow, and what was installed under that name before goes.

What there is afterwards is what an ordinary installation makes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from psycopg import sql as pg

from ..compiler.maintenance.stores import Store
from ..compiler.pg import names
from ..compiler.triggers.installation import Installation
from ..errors import IVMError
from . import install, logs, register, retiring, witness
from .attempts import Patience
from .introspect import rows
from .register import InstalledView


def same_tables(built: Installation, wanted: Installation) -> bool:
    """The tables of one can become those of the other."""
    return _shape(built) == _shape(wanted)


def _shape(installation: Installation) -> list[object]:
    stores = [[(c.name, c.type.sql, c.hidden) for c in store.columns] for store in installation.stores]
    kinds = [[type(store).__name__, store.key, store.live, store.surrogate] for store in installation.stores]
    others = [size for _, size in installation.lock_tables], len(installation.spool_tables)
    return [*stores, *kinds, *others, installation.public_view, bool(installation.logs)]


def publish(
    cursor: Any, built: InstalledView, made: install.Compiled, wanted: install.Compiled, old: InstalledView | None
) -> None:
    """Let the view `built`, compiled as `made`, become `wanted`, in the place of `old`. The caller keeps writers out of
    the sources of all three."""
    new = wanted.installation
    doubts = witness.doubts(cursor, built)
    functions = {f.name for f in new.functions} | {t.function.name for t in new.triggers}
    staying = {(t.schema, t.table, t.name) for t in new.triggers}
    if old is not None:
        remove(cursor, old, staying, kept=functions)
    _drop_public(cursor, built)
    own = {(s.table_schema, s.table) for s in made.installation.stores}
    retiring.retire(cursor, [t["name"] for t in built.triggers], own=own)
    _rename_tables(cursor, made.installation, new)
    for statement in new.naming_statements():
        cursor.execute(statement)
    install.put_functions(cursor, new)
    install.grant(cursor, wanted)
    register.record(cursor, wanted.spec, new, wanted.parents)
    view = register.find(cursor, wanted.spec.name, wanted.schema)
    assert view is not None
    logs.rename(cursor, built.full_name, view, new)
    _move_marks(cursor, built, wanted, old)
    witness.note(cursor, view, witness.look(cursor, view))
    for doubt in doubts:  # its rows were computed before
        register.mark_stale(cursor, view, doubt)
    witness.forget(cursor, built)
    install.drop_definition(cursor, built)
    retiring.drop_functions(cursor, built.objects["functions"])
    cursor.execute("DELETE FROM django_ivm.view WHERE id = %s", (built.id,))


def remove(
    cursor: Any,
    view: InstalledView,
    staying: set[tuple[str, str, str]] | frozenset[tuple[str, str, str]] = frozenset(),
    *,
    kept: set[str] | frozenset[str] = frozenset(),
) -> None:
    """Take out a view without locking readers out of its sources: triggers there are left, but do nothing.

    Triggers that are `staying`, and functions that are `kept`, will be replaced by others of their name.
    """
    retiring.retire(cursor, [t["name"] for t in view.triggers], staying, kept=kept, own={view.storage})
    logs.release(cursor, view, gently=True)
    install.drop_definition(cursor, view)
    _drop_public(cursor, view)
    for table in {view.storage, *((names.RUNTIME_SCHEMA, table) for table in view.objects["tables"])}:
        cursor.execute(pg.SQL("DROP TABLE IF EXISTS {}").format(pg.Identifier(*table)))
    retiring.drop_functions(cursor, view.objects["functions"])
    cursor.execute("DELETE FROM django_ivm.view WHERE id = %s", (view.id,))
    cursor.execute("DELETE FROM django_ivm.stale WHERE view_schema = %s AND view_name = %s", view.full_name)
    witness.forget(cursor, view)


def _drop_public(cursor: Any, view: InstalledView) -> None:
    if view.storage != view.full_name:
        cursor.execute(pg.SQL("DROP VIEW IF EXISTS {}").format(pg.Identifier(*view.full_name)))


def _rename_tables(cursor: Any, before: Installation, after: Installation) -> None:
    for one, other in zip(before.stores, after.stores, strict=True):
        _move(cursor, (one.table_schema, one.table), (other.table_schema, other.table))
        for index, name in _indexes(cursor, one, other):
            rename = pg.SQL("ALTER INDEX {} RENAME TO {}")
            cursor.execute(rename.format(pg.Identifier(other.table_schema, index), pg.Identifier(name)))
    for one, other in ((before.lock_tables, after.lock_tables), (before.spool_tables, after.spool_tables),
                       (before.drain_tables, after.drain_tables)):  # fmt: skip
        for (table, *_), (wanted, *_) in zip(one, other, strict=True):
            _move(cursor, (names.RUNTIME_SCHEMA, table), (names.RUNTIME_SCHEMA, wanted))


def _move(cursor: Any, table: tuple[str, str], wanted: tuple[str, str]) -> None:
    """Schema first: a name of the user's may be one of ours there. What PostgreSQL named after the table follows."""
    if table[0] != wanted[0]:
        statement = pg.SQL("ALTER TABLE {} SET SCHEMA {}")
        cursor.execute(statement.format(pg.Identifier(*table), pg.Identifier(wanted[0])))
    moved = pg.Identifier(wanted[0], table[1])
    cursor.execute(pg.SQL("ALTER TABLE {} RENAME TO {}").format(moved, pg.Identifier(wanted[1])))
    named = {"table": pg.Identifier(*wanted).as_string(None), "prefix": f"{table[1]}_"}
    for kind, name in rows(cursor, _NAMED_AFTER, named):
        follows = wanted[1] + name.removeprefix(table[1])
        if len(follows.encode()) <= names.LIMIT:
            rename = pg.SQL("ALTER SEQUENCE {} RENAME TO {}" if kind == "S" else "ALTER INDEX {} RENAME TO {}")
            cursor.execute(rename.format(pg.Identifier(wanted[0], name), pg.Identifier(follows)))


# The index of a primary key and the sequence of an identity.
_NAMED_AFTER = """
SELECT 'S', c.relname::text FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
AND d.refobjid = to_regclass(%(table)s) AND starts_with(c.relname, %(prefix)s)
UNION ALL
SELECT 'i', c.relname::text FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
WHERE x.indisprimary AND x.indrelid = to_regclass(%(table)s) AND starts_with(c.relname, %(prefix)s)
"""


def _indexes(cursor: Any, one: Store, other: Store) -> Iterator[tuple[str, str]]:
    """Our indexes carry a digest of their table's name."""
    prefix, wanted = one.index_name(""), other.index_name("")
    query = """
    SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
    WHERE x.indrelid = to_regclass(quote_ident(%s) || '.' || quote_ident(%s)) AND starts_with(i.relname, %s)
    """
    for (name,) in rows(cursor, query, (other.table_schema, other.table, prefix)):
        yield name, wanted + name.removeprefix(prefix)


def _move_marks(cursor: Any, built: InstalledView, wanted: install.Compiled, old: InstalledView | None) -> None:
    cursor.execute(
        "UPDATE django_ivm.stale SET view_schema = %s, view_name = %s WHERE view_schema = %s AND view_name = %s",
        (wanted.schema, wanted.spec.name, *built.full_name),
    )


# Transactions with a snapshot, as they are now; one that is between two statements of READ COMMITTED has none.
_SNAPSHOTS = """
SELECT l.virtualtransaction, l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND a.datname = current_database()
AND a.backend_xmin IS NOT NULL AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'
"""


def outlive_snapshots(connection: Any, name: str, patience: Patience, tell: Callable[[str], None]) -> None:
    """Wait until no transaction has a snapshot from before now: it would find a table empty whose rows are younger.

    Raises IVMError (code BUSY) after `patience.limit`.
    """
    end = time.monotonic() + patience.limit
    with connection.cursor() as cursor:
        older = dict(rows(cursor, _SNAPSHOTS))
        while older:
            if time.monotonic() > end:
                raise IVMError(
                    f"{name}: transactions older than it are still open after {patience.limit:g} s, and would find it "
                    f"empty: process {', '.join(map(str, sorted(set(older.values()))))}",
                    code="BUSY",
                    hint="End them, or try again later: what has been done is kept, and is taken up again.",
                )
            tell(f"{name}: waiting for {len(older)} older transactions")
            time.sleep(0.02)
            now = dict(rows(cursor, _SNAPSHOTS))
            older = {transaction: pid for transaction, pid in older.items() if transaction in now}


def tables_to_lock(*views: InstalledView | None) -> set[tuple[str, str]]:
    """Tables of others that triggers of these views are on, or that they read."""
    found: set[tuple[str, str]] = set()
    for view in views:
        if view is not None:
            found |= {(t["schema"], t["table"]) for t in view.triggers} | set(view.sources)
            found -= {view.storage, *((names.RUNTIME_SCHEMA, table) for table in view.objects["tables"])}
    return found
