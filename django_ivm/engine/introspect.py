"""Questions to the system catalogs, for the analyser."""

from __future__ import annotations

import json
import re
from typing import Any

from ..compiler.pg.catalog import ColumnInfo, FunctionInfo, TableInfo, Type

_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), t.typname, tn.nspname, t.typtype, a.atttypmod, a.attnotnull,
       coalesce(c.collisdeterministic, true),
       CASE WHEN a.attcollation <> t.typcollation
            THEN quote_ident(cn.nspname) || '.' || quote_ident(c.collname) END
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_namespace tn ON tn.oid = t.typnamespace
LEFT JOIN pg_collation c ON c.oid = a.attcollation
LEFT JOIN pg_namespace cn ON cn.oid = c.collnamespace
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""

_RELATIONS = """
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity,
       EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhparent = c.oid) AND c.relkind = 'r',
       EXISTS (SELECT 1 FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f'
               AND (f.confupdtype IN ('c', 'n', 'd') OR f.confdeltype IN ('c', 'n', 'd')))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY(%s)
"""

_REFERENCED = """
SELECT DISTINCT d.refobjid FROM pg_rewrite r
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
WHERE r.ev_class = %s AND d.refobjid <> r.ev_class
"""

_BASE_TABLES = """
WITH RECURSIVE below AS (
    SELECT %s::oid AS oid, 'v'::"char" AS relkind
    UNION
    SELECT c.oid, c.relkind FROM below b
    JOIN pg_rewrite r ON r.ev_class = b.oid AND b.relkind IN ('v', 'm')
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
    JOIN pg_class c ON c.oid = d.refobjid
), tables AS (
    SELECT oid FROM below WHERE relkind IN ('r', 'p')
    UNION
    SELECT i.inhrelid FROM tables t JOIN pg_inherits i ON i.inhparent = t.oid
)
SELECT n.nspname, c.relname FROM tables b JOIN pg_class c ON c.oid = b.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relpersistence <> 't'
ORDER BY 1, 2
"""

_KEYS = """
SELECT array_agg(a.attname ORDER BY k.n), i.indisprimary,
       i.indisunique AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND bool_and(a.attnotnull)
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY k(attnum, n)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = %s AND i.indisvalid AND i.indpred IS NULL AND k.n <= i.indnkeyatts
GROUP BY i.indexrelid, i.indisprimary, i.indisunique, i.indimmediate, i.indpred, i.indexprs
ORDER BY i.indisprimary DESC, i.indexrelid
"""

_LEAVES = """
SELECT n.nspname, c.relname FROM pg_partition_tree(%s) t JOIN pg_class c ON c.oid = t.relid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.relid <> %s ORDER BY 1, 2
"""

_FUNCTIONS = """
SELECT p.proname, n.nspname, p.prokind, p.provolatile, p.proretset,
       r.rolsuper OR r.rolname = current_user,
       coalesce((SELECT concat_ws(' ', format_type(nullif(o.oprleft, 0), NULL), o.oprname,
                                  format_type(o.oprright, NULL))
                 FROM pg_operator o WHERE o.oprcode = p.oid AND p.oid = ANY(%s) LIMIT 1), '')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner
WHERE p.oid = ANY(%s) ORDER BY 1, 2
"""

_OURS = """
SELECT view_schema, view_name, storage_schema, storage_name, columns::text, hidden::text, key::text, live
FROM django_ivm.view
"""

_CASTS = """
SELECT format_type(%s::oid, NULL), format_type(%s::oid, NULL),
       (SELECT p.provolatile FROM pg_type t JOIN pg_proc p ON p.oid = t.typoutput WHERE t.oid = %s::oid),
       (SELECT p.provolatile FROM pg_type t JOIN pg_proc p ON p.oid = t.typinput WHERE t.oid = %s::oid)
"""

_FUNCTION_IDS = re.compile(r":(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)")
_OPERATOR_IDS = re.compile(r":opfuncid (\d+)")
_COERCION = re.compile(r"\{COERCEVIAIO :arg \{(\w+)")
_RESULT = {
    "VAR": "vartype", "CONST": "consttype", "FUNCEXPR": "funcresulttype", "OPEXPR": "opresulttype",
    "AGGREF": "aggtype", "CASEEXPR": "casetype", "CASE": "casetype", "COALESCEEXPR": "coalescetype",
    "COALESCE": "coalescetype", "MINMAX": "minmaxtype", "NULLIFEXPR": "opresulttype",
}  # fmt: skip


def rows(cursor: Any, query: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    cursor.execute(query, parameters or None)
    return list(cursor.fetchall())


def registered(cursor: Any) -> bool:
    """Our schema and register are there."""
    return bool(rows(cursor, "SELECT to_regclass('django_ivm.view') IS NOT NULL")[0][0])


def columns(cursor: Any, oid: int) -> tuple[ColumnInfo, ...]:
    """Columns of a relation, in order."""
    found = []
    for name, text, base, schema, kind, typmod, not_null, deterministic, collation in rows(cursor, _COLUMNS, (oid,)):
        type_ = Type(text, base, kind, typmod, _scale(base, typmod), deterministic, collation, schema)
        found.append(ColumnInfo(name, type_, not_null))
    return tuple(found)


def _scale(base: str, typmod: int) -> int | None:
    """Digits after the point that numeric(p, s) gives every value (numeric.c: 11 bits, signed)."""
    if base != "numeric" or typmod < 4:
        return None
    return max((((typmod - 4) & 0x7FF) ^ 1024) - 1024, 0)


def tables(cursor: Any, view_oid: int) -> tuple[TableInfo, ...]:
    """Relations that a view reads directly."""
    oids = [oid for (oid,) in rows(cursor, _REFERENCED, (view_oid,))]
    ours = _our_views(cursor)
    found = []
    for oid, schema, name, kind, persistence, secured, children, cascaded in rows(cursor, _RELATIONS, (oids,)):
        keys = rows(cursor, _KEYS, (oid,))
        info = TableInfo(
            schema=schema,
            name=name,
            kind=kind,
            columns=columns(cursor, oid),
            keys=tuple(tuple(names) for names, _, unique in keys if unique),
            indexes=tuple(tuple(names) for names, _, _ in keys),
            leaves=tuple(rows(cursor, _LEAVES, (oid, oid))) if kind == "p" else (),
            persistence=persistence,
            children=children,
            row_security=secured,
            cascaded=cascaded,
        )
        found.append(_maintained(cursor, info, ours))
    return tuple(sorted(found, key=lambda t: (t.schema, t.name)))


def _our_views(cursor: Any) -> list[dict[str, Any]]:
    if not registered(cursor):
        return []
    names = ("view_schema", "view_name", "storage_schema", "storage_name", "columns", "hidden", "key", "live")
    found = [dict(zip(names, row, strict=True)) for row in rows(cursor, _OURS)]
    return [view | {name: json.loads(view[name]) for name in ("columns", "hidden", "key")} for view in found]


def _maintained(cursor: Any, info: TableInfo, ours: list[dict[str, Any]]) -> TableInfo:
    """What a table is when it stores one of our views, or is the SELECT-only view over one."""
    name = (info.schema, info.name)
    for view in ours:
        public, storage = (view["view_schema"], view["view_name"]), (view["storage_schema"], view["storage_name"])
        if name not in (public, storage):
            continue
        stored = info.columns
        if name != storage:
            found = rows(cursor, "SELECT to_regclass(quote_ident(%s) || '.' || quote_ident(%s))::oid", storage)
            stored = columns(cursor, found[0][0])
        visible = tuple(c for c in stored if c.name not in view["hidden"])
        return TableInfo(
            schema=info.schema,
            name=info.name,
            kind="r",
            columns=visible,
            keys=(tuple(view["key"]),) if view["key"] else (),
            indexes=info.indexes,
            live=view["live"],
            hidden=tuple(c for c in stored if c.name in view["hidden"]),
            stands_for=storage if name != storage else None,
            view=public,
        )
    return info


def base_tables(cursor: Any, view_oid: int) -> tuple[tuple[str, str], ...]:
    """Tables, partitions included, under everything that a view reads."""
    return tuple(rows(cursor, _BASE_TABLES, (view_oid,)))


_UNWATCHED = """
WITH RECURSIVE below AS (
    SELECT to_regclass(%s)::oid AS oid, 'v'::"char" AS relkind
    UNION
    SELECT c.oid, c.relkind FROM below b
    JOIN pg_rewrite r ON r.ev_class = b.oid AND b.relkind = 'v'
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
    JOIN pg_class c ON c.oid = d.refobjid
)
SELECT EXISTS (SELECT 1 FROM below WHERE relkind IN ('m', 'f'))
"""


def reads_unwatched(cursor: Any, definition_view: str) -> bool:
    """A view's definition reads materialized views or foreign tables, whose changes no trigger sees."""
    qualified = "django_ivm." + '"' + definition_view.replace('"', '""') + '"'
    return bool(rows(cursor, _UNWATCHED, (qualified,))[0][0])


def functions(cursor: Any, tree: str) -> tuple[FunctionInfo, ...]:
    """Functions, operators' functions and aggregates in a stored query tree; pg_depend leaves out built-in ones."""
    oids = sorted({int(oid) for oid in _FUNCTION_IDS.findall(tree)} - {0})
    operators = sorted({int(oid) for oid in _OPERATOR_IDS.findall(tree)} - {0})
    return tuple(FunctionInfo(*row) for row in rows(cursor, _FUNCTIONS, (operators, oids)))


def mutable_casts(cursor: Any, tree: str) -> tuple[tuple[str, str], ...]:
    """Casts through text whose result depends on settings, such as date → text."""
    found: dict[tuple[str, str], None] = {}
    for match in _COERCION.finditer(tree):
        rest = tree[match.end() :]
        field = _RESULT.get(match.group(1))
        source = re.search(rf":{field} (\d+)", rest) if field else None
        if source is None:
            found["a cast of a complex expression to or from text", "s"] = None
            continue
        target = _coercion_target(tree, match.start())
        row = rows(cursor, _CASTS, (int(source.group(1)), target, int(source.group(1)), target))[0]
        # Declared immutable, though they follow bytea_output and extra_float_digits.
        if "s" in row[2:] or "v" in row[2:] or row[0] in ("bytea", "real", "double precision"):
            found[f"the cast of {row[0]} to {row[1]}", "s"] = None
    return tuple(found)


def _coercion_target(tree: str, start: int) -> int:
    """resulttype of the COERCEVIAIO node that begins at `start`: the field after its argument."""
    depth = 0
    for at in range(start, len(tree)):
        depth += {"{": 1, "}": -1}.get(tree[at], 0)
        if depth == 1 and tree.startswith(":resulttype ", at):
            return int(re.match(r":resulttype (\d+)", tree[at:]).group(1))  # type: ignore[union-attr]
    return 25
