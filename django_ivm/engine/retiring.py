"""Triggers that are no longer wanted on users' tables.

To drop a trigger is to lock its table against readers too, and to wait for each of them. So its function is made to do
nothing, in the transaction that has writers kept out anyway, and trigger and function go later, at a quiet moment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from typing import Any

from psycopg import sql as pg

from ..compiler.pg import names
from ..errors import IVMError
from .attempts import Attempt, Patience, briefly
from .introspect import rows

logger = logging.getLogger("django_ivm")

_DROP = pg.SQL("DROP TRIGGER {} ON {}")
_NOTHING = pg.SQL("CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS {}")
_BODY = "BEGIN RETURN NULL; END -- retired"
_ON_TABLES = """
SELECT n.nspname, c.relname, t.tgname, p.proname FROM pg_trigger t
JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace pn ON pn.oid = p.pronamespace AND pn.nspname = 'django_ivm'
JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
"""


def retire(
    cursor: Any,
    triggers: Iterable[str],
    staying: Collection[tuple[str, str, str]] = (),
    *,
    kept: Collection[str] = (),
    own: Collection[tuple[str, str]] = (),
) -> None:
    """Let the functions behind these triggers do nothing from now on; the caller keeps writers out of the tables.

    Triggers that are `staying` (schema, table, name) are left alone. Those on a view's `own` tables are dropped at
    once, and so are those whose function is `kept`.
    """
    found = rows(cursor, _ON_TABLES + "WHERE t.tgname = ANY(%s) ORDER BY 1, 2, 3", (list(triggers),))
    going: dict[str, None] = {}
    for schema, table, name, function in found:
        if (schema, table, name) in staying:
            continue
        if (schema, table) in own or function in kept:
            statement = _DROP.format(pg.Identifier(name), pg.Identifier(schema, table))
        else:
            statement = _NOTHING.format(pg.Identifier(names.RUNTIME_SCHEMA, function), pg.Literal(_BODY))
        going[statement.as_string(None)] = None
    if going:
        cursor.execute(";\n".join(going))  # as one script: writers wait meanwhile


def drop_functions(cursor: Any, signatures: Iterable[str]) -> None:
    """Drop functions, except those that a trigger still calls."""
    unused = (
        "SELECT s FROM unnest(%s::text[]) s "
        "WHERE NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgfoid = to_regprocedure(s)) ORDER BY 1"
    )
    found = [signature for (signature,) in rows(cursor, unused, (list(signatures),))]
    if found:
        cursor.execute(f"DROP FUNCTION IF EXISTS {', '.join(found)}")


def retired(cursor: Any) -> dict[tuple[str, str], list[str]]:
    """Tables with triggers on them that do nothing any more."""
    found: dict[tuple[str, str], list[str]] = {}
    for schema, table, trigger, _ in rows(cursor, _ON_TABLES + "WHERE p.prosrc = %s ORDER BY 1, 2, 3", (_BODY,)):
        found.setdefault((schema, table), []).append(trigger)
    return found


def clear(connection: Any, patience: Patience, tell: Callable[[str], None]) -> None:
    """Drop retired triggers and their functions, a table at a time. What can't be had stays for the next time: it does
    nothing, and is told by ivm_status."""
    with connection.cursor() as cursor:
        tables = retired(cursor)
    for table in tables:

        def drop(attempt: Attempt, table: tuple[str, str] = table) -> None:
            attempt.lock([table], "ACCESS EXCLUSIVE")
            for trigger in retired(attempt.cursor).get(table, ()):
                attempt.cursor.execute(
                    pg.SQL("DROP TRIGGER {} ON {}").format(pg.Identifier(trigger), pg.Identifier(*table))
                )

        try:
            briefly(connection, f"clearing {table[1]}", drop, patience, tell, [table])
        except IVMError as error:
            logger.warning("%s; triggers that do nothing stay on it until the next ivm_install --online", error)
    with connection.cursor() as cursor:
        for (name,) in rows(cursor, _UNUSED, (_BODY,)):
            cursor.execute(pg.SQL("DROP FUNCTION IF EXISTS {}()").format(pg.Identifier(names.RUNTIME_SCHEMA, name)))


_UNUSED = """
SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'django_ivm'
WHERE p.prosrc = %s AND p.prorettype = 'trigger'::regtype
AND NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgfoid = p.oid) ORDER BY 1
"""
