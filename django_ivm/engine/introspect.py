"""Questions to the system catalogs, for the analyser."""

from __future__ import annotations

from typing import Any

from ..compiler.pg.catalog import ColumnInfo, Type
from ..errors import IVMError

_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), t.typname, tn.nspname, t.typtype, a.atttypmod, a.attnotnull,
       coalesce(c.collisdeterministic, true),
       CASE WHEN a.attcollation <> t.typcollation
            THEN quote_ident(cn.nspname) || '.' || quote_ident(c.collname) END,
       i.typname, i.nspname, i.typtype, i.typmod, i.ordered, i.equals
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_namespace tn ON tn.oid = t.typnamespace
LEFT JOIN pg_collation c ON c.oid = a.attcollation
LEFT JOIN pg_namespace cn ON cn.oid = c.collnamespace
-- what a domain, an array or a range is made of, down to the bottom; the equality that a btree of it has
CROSS JOIN LATERAL (
    WITH RECURSIVE part AS (
        SELECT t.oid, a.atttypmod AS typmod, 0 AS depth
        UNION ALL
        SELECT coalesce(nullif(b.typbasetype, 0), r.rngsubtype, b.typelem),
               CASE WHEN b.typtype = 'd' THEN b.typtypmod WHEN b.typtype = 'b' THEN p.typmod ELSE -1 END, p.depth + 1
        FROM part p
        JOIN pg_type b ON b.oid = p.oid
        LEFT JOIN pg_range r ON b.oid IN (r.rngtypid, r.rngmultitypid)
        WHERE b.typtype IN ('d', 'r', 'm') OR (b.typtype = 'b' AND b.typcategory = 'A')
    )
    SELECT b.typname, bn.nspname, b.typtype, p.typmod,
           b.typtype IN ('e', 'c') OR o.name IS NOT NULL AS ordered,
           CASE WHEN p.depth > 0 AND t.typtype <> 'd' THEN '=' ELSE coalesce(o.name, '=') END AS equals
    FROM part p
    JOIN pg_type b ON b.oid = p.oid
    JOIN pg_namespace bn ON bn.oid = b.typnamespace
    LEFT JOIN LATERAL (
        SELECT CASE s.nspname WHEN 'pg_catalog' THEN '='
               ELSE format('OPERATOR(%%I.%%s)', s.nspname, e.oprname) END AS name
        FROM pg_opclass k
        JOIN pg_am m ON m.oid = k.opcmethod AND m.amname = 'btree'
        JOIN pg_amop f ON f.amopfamily = k.opcfamily AND f.amopstrategy = 3
             AND f.amoplefttype = k.opcintype AND f.amoprighttype = k.opcintype
        JOIN pg_operator e ON e.oid = f.amopopr
        JOIN pg_namespace s ON s.oid = e.oprnamespace
        WHERE k.opcdefault AND (k.opcintype = b.oid OR EXISTS (
            SELECT FROM pg_cast x WHERE x.castsource = b.oid AND x.casttarget = k.opcintype AND x.castmethod = 'b'
            AND x.castcontext = 'i'))
        ORDER BY k.opcintype = b.oid DESC LIMIT 1
    ) o ON true
    ORDER BY p.depth DESC LIMIT 1
) i
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""


def rows(cursor: Any, query: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    cursor.execute(query, parameters or None)
    return list(cursor.fetchall())


# Without looking into the schema by its name, which is an error for who may not.
_REGISTERED = """
SELECT c.oid IS NOT NULL,
       c.oid IS NULL OR has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), current_user
FROM (SELECT 1) one LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = 'django_ivm'
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = 'view'
"""


def registered(cursor: Any) -> bool:
    """Our schema and register are there. Raises IVMError for a role that may not look."""
    found, readable, role = rows(cursor, _REGISTERED)[0]
    if not readable:
        raise IVMError(
            f"the role {role} may not read the register of views in schema django_ivm",
            code="PRIVILEGE",
            hint="Ask as the views' owner, or give the role the rights that docs/operations.md names.",
        )
    return bool(found)


def columns(cursor: Any, oid: int) -> tuple[ColumnInfo, ...]:
    """Columns of a relation, in order."""
    found = []
    for row in rows(cursor, _COLUMNS, (oid,)):
        name, text, base, schema, kind, typmod, not_null, deterministic, collation = row[:9]
        bottom, bottom_schema, bottom_kind, bottom_typmod, ordered, equals = row[9:]
        inner = None
        if (bottom, bottom_schema) != (base, schema):
            scale = _scale(bottom, bottom_typmod)
            inner = Type(
                bottom, bottom, bottom_kind, bottom_typmod, scale, deterministic=deterministic, schema=bottom_schema
            )
        type_ = Type(
            text, base, kind, typmod, _scale(base, typmod), deterministic=deterministic, collation=collation,
            schema=schema, inner=inner, ordered=ordered, equals=equals,
        )  # fmt: skip
        found.append(ColumnInfo(name, type_, not_null))
    return tuple(found)


def _scale(base: str, typmod: int) -> int | None:
    """Digits after the point that numeric(p, s) gives every value (numeric.c: 11 bits, signed)."""
    if base != "numeric" or typmod < 4:
        return None
    return max((((typmod - 4) & 0x7FF) ^ 1024) - 1024, 0)
