"""What a dump left behind that came without the register's rows: the objects of a view that nobody knows.

A schema-only dump restores tables, functions and triggers, but no row of `django_ivm.view`. Such a view isn't
installed; to install it, its remains go first. They are told from anybody else's relation by our own trigger on the
table, or by its being a view over a table of our schema, and by names that are made from the view's.
"""

from __future__ import annotations

from typing import Any

from psycopg import sql as pg

from ..compiler.pg import names
from .introspect import rows

_OURS = """
SELECT c.relkind IN ('r', 'p') AND EXISTS (
    SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'ivm_read_only'
    AND t.tgfoid = to_regprocedure('django_ivm.refuse_write()')
) OR c.relkind = 'v' AND EXISTS (
    SELECT 1 FROM pg_catalog.pg_rewrite r
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
         AND d.refclassid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class o ON o.oid = d.refobjid AND o.relnamespace = to_regnamespace('django_ivm')
         AND starts_with(o.relname::text, %(prefix)s)
    WHERE r.ev_class = c.oid
), c.relkind::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s
"""

# Definitions of other unknown views that read this one: they can't stay without it.
_READERS = """
WITH RECURSIVE gone AS (
    SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relname = %(name)s
    OR n.nspname = 'django_ivm' AND starts_with(c.relname::text, %(prefix)s)
    UNION
    SELECT r.ev_class FROM gone g
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = g.oid
         AND d.classid = 'pg_catalog.pg_rewrite'::regclass
    JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
    JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relnamespace = to_regnamespace('django_ivm')
)
SELECT c.relname FROM gone g JOIN pg_catalog.pg_class c ON c.oid = g.oid
WHERE c.relnamespace = to_regnamespace('django_ivm') AND c.relkind = 'v'
"""

_FUNCTIONS = """
SELECT p.oid::regprocedure::text FROM pg_catalog.pg_proc p
WHERE p.pronamespace = to_regnamespace('django_ivm') AND starts_with(p.proname::text, %(prefix)s)
"""

_TABLES = """
SELECT c.relname FROM pg_catalog.pg_class c
WHERE c.relnamespace = to_regnamespace('django_ivm') AND c.relkind = 'r' AND starts_with(c.relname::text, %(prefix)s)
"""


def clear(cursor: Any, schema: str, name: str) -> bool:
    """Take away what a view of that name, which the register doesn't know, left behind; whether there was anything.

    A relation that isn't ours stays. Somebody's own view over the table makes the caller's statement fail.
    """
    values = {"schema": schema, "name": name, "prefix": names.prefix(schema, name) + "_"}
    found = rows(cursor, _OURS, values)
    if not found or not found[0][0]:
        return False
    for (view,) in rows(cursor, _READERS, values):
        cursor.execute(pg.SQL("DROP VIEW IF EXISTS {} CASCADE").format(pg.Identifier(names.RUNTIME_SCHEMA, view)))
    for (signature,) in rows(cursor, _FUNCTIONS, values):  # their triggers, on the sources, go with them
        cursor.execute(f"DROP FUNCTION IF EXISTS {signature} CASCADE")
    kind = pg.SQL("VIEW" if found[0][1] == "v" else "TABLE")
    cursor.execute(pg.SQL("DROP {} IF EXISTS {}").format(kind, pg.Identifier(schema, name)))
    for (table,) in rows(cursor, _TABLES, values):
        cursor.execute(pg.SQL("DROP TABLE IF EXISTS {}").format(pg.Identifier(names.RUNTIME_SCHEMA, table)))
    return True
