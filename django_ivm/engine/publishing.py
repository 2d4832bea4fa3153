"""Publish a view that was built under another name: in one short transaction its tables get their names, functions and
triggers follow, and what was installed under that name before goes.

What there is afterwards is what an ordinary installation makes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from psycopg import sql as pg

from ..compiler.pg import names
from ..errors import IVMError
from . import install, logs, pinning, register, retiring, witness
from .attempts import Patience
from .introspect import rows
from .register import InstalledView

if TYPE_CHECKING:
    from ..compiler import Installation


def same_tables(built: Installation, wanted: Installation) -> bool:
    """The tables of one can become those of the other."""
    return _shape(built) == _shape(wanted)


def _shape(installation: Installation) -> list[object]:
    stores = [[(c.name, c.type.sql, c.hidden) for c in store.columns] for store in installation.stores]
    kinds = [[type(store).__name__, store.key, store.live, store.surrogate] for store in installation.stores]
    others = [size for _, size in installation.lock_tables], len(installation.spool_tables)
    return [*stores, *kinds, *others, installation.public_view, bool(installation.logs)]


def publish(
    cursor: Any,
    built: InstalledView,
    made: install.Compiled,
    wanted: install.Compiled,
    old: InstalledView | None,
    renames: pg.Composed,
) -> None:
    """Let the view `built`, compiled as `made`, become `wanted`, in the place of `old`. The caller keeps writers out of
    the sources of all three; `renames` is what `renaming` has found."""
    new = wanted.installation
    doubts = witness.doubts(cursor, built)
    functions = {f.name for f in new.functions} | {t.function.name for t in new.triggers}
    staying = {(t.schema, t.table, t.name) for t in new.triggers}
    granted = _granted(cursor, old) if old is not None else []
    if old is not None:
        remove(cursor, old, staying, kept=functions)
    _drop_public(cursor, built)
    own = {(s.table_schema, s.table) for s in made.installation.stores}
    retiring.retire(cursor, [t["name"] for t in built.triggers], own=own)
    cursor.execute(renames)
    before = pinning.values(cursor, [name for name, _ in new.settings])
    cursor.execute(";\n".join(new.naming_statements()))
    pinning.pin(cursor, before)
    install.put_functions(cursor, new)
    install.grant(cursor, wanted)
    for role in granted:
        target = pg.Identifier(wanted.schema, wanted.spec.name)
        cursor.execute(pg.SQL("GRANT SELECT ON {} TO {}").format(target, pg.SQL(role)))
    register.record(cursor, wanted.spec, new, wanted.parents)
    view = register.find(cursor, wanted.spec.name, wanted.schema)
    assert view is not None
    logs.rename(cursor, built.full_name, view, new)
    cursor.execute(
        "UPDATE django_ivm.stale SET view_schema = %s, view_name = %s WHERE view_schema = %s AND view_name = %s",
        (*view.full_name, *built.full_name),
    )
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
    tables = {view.storage, *((names.RUNTIME_SCHEMA, table) for table in view.objects["tables"])}
    retiring.retire(cursor, [t["name"] for t in view.triggers], staying, kept=kept, own=tables)
    logs.release(cursor, view, gently=True)
    install.drop_definition(cursor, view)
    _drop_public(cursor, view)
    listed = pg.SQL(", ").join(pg.Identifier(*table) for table in sorted(tables))
    cursor.execute(pg.SQL("DROP TABLE IF EXISTS {}").format(listed))
    retiring.drop_functions(cursor, view.objects["functions"])
    cursor.execute("DELETE FROM django_ivm.view WHERE id = %s", (view.id,))
    cursor.execute("DELETE FROM django_ivm.stale WHERE view_schema = %s AND view_name = %s", view.full_name)
    witness.forget(cursor, view)


def _granted(cursor: Any, view: InstalledView) -> list[str]:
    """Who may read the view, as GRANT wants it written."""
    query = """
    SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END
    FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE c.oid = to_regclass(%s) AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
    """
    return [role for (role,) in rows(cursor, query, (pg.Identifier(*view.full_name).as_string(None),))]


def strangers(cursor: Any, view: InstalledView) -> list[str]:
    """Views of the user's own over this one, with which it can't be replaced."""
    query = """
    SELECT DISTINCT c.oid::regclass::text FROM pg_depend d
    JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = ANY(ARRAY(SELECT to_regclass(t)::oid FROM unnest(%s::text[]) t))
    AND c.relnamespace <> 'django_ivm'::regnamespace AND c.oid <> ALL(ARRAY(SELECT to_regclass(t)::oid
        FROM unnest(%s::text[]) t)) ORDER BY 1
    """
    own = [pg.Identifier(*name).as_string(None) for name in (view.full_name, view.storage)]
    return [name for (name,) in rows(cursor, query, (own, own))]


def _drop_public(cursor: Any, view: InstalledView) -> None:
    if view.storage != view.full_name:
        cursor.execute(pg.SQL("DROP VIEW IF EXISTS {}").format(pg.Identifier(*view.full_name)))


def renaming(cursor: Any, before: Installation, after: Installation) -> pg.Composed:
    """The script that gives the tables of one the names that the other has for them."""
    found: list[pg.Composed] = []
    for one, other in zip(before.stores, after.stores, strict=True):
        table, wanted = (one.table_schema, one.table), (other.table_schema, other.table)
        # Our indexes carry a digest of their table's name.
        found += _renamed(cursor, table, wanted, [(one.index_name(""), other.index_name(""))])
    for ones, others in ((before.lock_tables, after.lock_tables), (before.spool_tables, after.spool_tables),
                         (before.drain_tables, after.drain_tables)):  # fmt: skip
        for (name, *_), (other_name, *_) in zip(ones, others, strict=True):
            found += _renamed(cursor, (names.RUNTIME_SCHEMA, name), (names.RUNTIME_SCHEMA, other_name), [])
    return pg.SQL(";\n").join(found)


# Indexes and sequences that PostgreSQL or we have named after a table.
_NAMED = """
SELECT c.relkind = 'S', c.relname::text FROM pg_class c WHERE c.oid IN (
    SELECT x.indexrelid FROM pg_index x WHERE x.indrelid = to_regclass(%(table)s)
    UNION ALL
    SELECT d.objid FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.deptype IN ('a', 'i') AND d.refobjid = to_regclass(%(table)s) AND d.refobjsubid > 0
) ORDER BY 2
"""


def _renamed(
    cursor: Any, table: tuple[str, str], wanted: tuple[str, str], prefixes: list[tuple[str, str]]
) -> Iterator[pg.Composed]:
    """Schema first: a name of the user's may be one of ours there. What is named after the table follows."""
    if table[0] != wanted[0]:
        yield pg.SQL("ALTER TABLE {} SET SCHEMA {}").format(pg.Identifier(*table), pg.Identifier(wanted[0]))
    moved = pg.Identifier(wanted[0], table[1])
    yield pg.SQL("ALTER TABLE {} RENAME TO {}").format(moved, pg.Identifier(wanted[1]))
    for sequence, name in rows(cursor, _NAMED, {"table": pg.Identifier(*table).as_string(None)}):
        for prefix, follows in (*prefixes, (f"{table[1]}_", f"{wanted[1]}_")):
            new = follows + name.removeprefix(prefix)
            if name.startswith(prefix) and len(new.encode()) <= names.LIMIT:
                rename = pg.SQL("ALTER SEQUENCE {} RENAME TO {}" if sequence else "ALTER INDEX {} RENAME TO {}")
                yield rename.format(pg.Identifier(wanted[0], name), pg.Identifier(new))
                break


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
