"""Change the mode of an installed view in place: its tables stay, no row is lost and none is computed again.

Writers are kept out of the sources while what is pending is applied and the triggers are exchanged. The lock rows are
bumped: a transaction whose snapshot is older than the exchange then fails with 40001 rather than maintain what it
can't see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psycopg import sql as pg

from ..compiler.pg import names
from ..errors import IVMError
from . import drain, logs, refresh, register, retiring, witness
from .register import InstalledView, intact
from .spec import ViewSpec

if TYPE_CHECKING:
    from ..compiler import Installation
    from .install import Compiled

CONVERTIBLE = ("immediate", "commit", "deferred")


def possible(cursor: Any, old: InstalledView, spec: ViewSpec) -> bool:
    """The declaration differs in its mode alone, both modes keep the same tables, and what is installed is whole."""
    same = replace(spec, mode=old.mode).hash == old.spec_hash
    modes = old.mode in CONVERTIBLE and spec.mode in CONVERTIBLE and old.mode != spec.mode
    return same and modes and old.strategy == "incremental" and not old.detached and intact(cursor, old)


def convert(
    connection: Any, cursor: Any, old: InstalledView, spec: ViewSpec, tell: Callable[[str], None]
) -> Compiled | None:
    """Exchange triggers and functions; None when the tables turn out to differ (another compiler wrote them)."""
    after = planned(connection, old, spec)
    if after is None:
        return None
    tell(f"{spec.name}: waiting for writers")
    for statement in after.installation.lock_statements():
        cursor.execute(statement)
    tell(f"{spec.name}: from {old.mode} to {spec.mode}")
    exchange(cursor, old, after)
    return after


def planned(connection: Any, old: InstalledView, spec: ViewSpec) -> Compiled | None:
    """The view compiled for its new mode; None when the tables turn out to differ."""
    from . import install

    kept = {"schema": old.schema, "settings": old.spec.settings, "settled": old.spec.settled}
    try:
        before = install.plan(replace(old.spec, **kept), connection)
        after = install.plan(replace(spec, **kept), connection)
    except IVMError:
        return None
    same = before.installation.hash == old.hash and _tables(before.installation) == _tables(after.installation)
    return after if same else None


def exchange(cursor: Any, old: InstalledView, after: Compiled, *, gently: bool = False) -> None:
    """Apply what is pending and exchange triggers and functions, while the caller keeps writers out of the sources.

    `gently`: triggers on sources that aren't needed any more are left to do nothing, for to drop one would lock
    readers out of its table.
    """
    from . import install

    new = after.installation
    doubts = witness.doubts(cursor, old)
    if drain.deferred(old):
        cursor.execute("SELECT django_ivm.drain(%s, %s, '')", old.full_name)
        if failures := refresh.own_table(old, "failed"):  # from an earlier mode, and mended by a drain since
            cursor.execute(pg.SQL("DELETE FROM {}").format(failures))
    elif drain.later(old):
        drain.flush_own(cursor)
    if gently:
        own = {(store.table_schema, store.table) for store in new.stores}
        staying = {(t.schema, t.table, t.name) for t in new.triggers}
        retiring.retire(cursor, [one["name"] for one in old.triggers], staying, own=own)
    else:
        install.drop_triggers(cursor, old)
    keeps = drain.later(old) and bool(new.logs)
    if not keeps:
        logs.release(cursor, old, gently=gently)
    _exchange(cursor, old, new)
    install.put_functions(cursor, new)
    for name, _ in new.lock_tables:
        cursor.execute(pg.SQL("UPDATE {} SET ver = ver + 1").format(pg.Identifier(names.RUNTIME_SCHEMA, name)))
    register.record(cursor, replace(after.spec, schema=old.spec.schema), new, after.parents, old.id)
    view = register.find(cursor, after.spec.name, old.schema)
    assert view is not None
    if not (keeps and logs.change(cursor, old, view, new)):
        if keeps:
            logs.release(cursor, old, gently=gently)
        logs.attach(cursor, view, new)
    witness.note(cursor, view, witness.look(cursor, view))
    for doubt in doubts:  # its rows are those of before
        register.mark_stale(cursor, view, doubt)


def _tables(installation: Installation) -> tuple[object, ...]:
    """The stored tables, as the script makes them."""
    stores = [(s.table_schema, s.table, s.fill().text, *(i.text for i in s.indexes())) for s in installation.stores]
    return (*stores, installation.lock_tables)


def _exchange(cursor: Any, old: InstalledView, new: Installation) -> None:
    """Drop functions and helper tables that only the old mode has, make those that only the new one has."""
    objects = new.objects()
    retiring.drop_functions(cursor, [f for f in old.objects["functions"] if f not in objects["functions"]])
    for table in old.objects["tables"]:
        if table not in objects["tables"] and (names.RUNTIME_SCHEMA, table) != old.storage:
            cursor.execute(pg.SQL("DROP TABLE IF EXISTS {}").format(pg.Identifier(names.RUNTIME_SCHEMA, table)))
    for name, create in (*new.spool_tables, *new.drain_tables):
        if name not in old.objects["tables"]:
            cursor.execute(create)
