"""The relations that a definition reads, as the compiler wants to know them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ..compiler.pg.catalog import ColumnInfo, TableInfo, ViewInfo
from . import families
from .introspect import columns, registered, rows

_RELATIONS = """
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity, row_security_active(c.oid),
       EXISTS (SELECT 1 FROM pg_constraint f WHERE f.conrelid = ANY(c.oid || %s::oid[]) AND f.contype = 'f'
               AND (f.confupdtype IN ('c', 'n', 'd') OR f.confdeltype IN ('c', 'n', 'd'))),
       has_table_privilege(c.oid, 'SELECT')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = %s
"""

# Of each index the leading columns that it compares as the columns themselves do: up to an expression, another
# collation or another operator class. A unique index is a key when that is all of it.
_KEYS = """
SELECT array_agg(a.attname ORDER BY k.n), i.indisprimary,
       i.indisunique AND i.indimmediate AND g.columns = i.indnkeyatts AND bool_and(a.attnotnull)
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
CROSS JOIN LATERAL (
    SELECT coalesce(min(p.n) FILTER (WHERE b.attnum IS NULL OR NOT o.opcdefault
                                     OR i.indcollation[p.n - 1] <> b.attcollation) - 1, i.indnkeyatts) AS columns
    FROM unnest(i.indkey::smallint[]) WITH ORDINALITY p(attnum, n)
    LEFT JOIN pg_attribute b ON b.attrelid = i.indrelid AND b.attnum = p.attnum
    LEFT JOIN pg_opclass o ON o.oid = i.indclass[p.n - 1]
    WHERE p.n <= i.indnkeyatts
) g
CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY k(attnum, n)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = %s AND i.indisvalid AND i.indpred IS NULL AND k.n <= g.columns
GROUP BY i.indexrelid, i.indisprimary, i.indisunique, i.indimmediate, i.indnkeyatts, g.columns
ORDER BY i.indisprimary DESC, i.indexrelid
"""

# Rows per page as they were counted last, times the pages that there are now; a guess where nobody counted.
_ROWS = """
SELECT sum(CASE WHEN c.relpages > 0 AND c.reltuples >= 0
                THEN c.reltuples / c.relpages * s.bytes / current_setting('block_size')::int ELSE s.bytes / 100 END)
FROM pg_class c CROSS JOIN LATERAL (SELECT pg_relation_size(c.oid)) s (bytes) WHERE c.oid = ANY(%s)
"""

_DISTINCT = """
SELECT s.attname, CASE WHEN s.n_distinct < 0 THEN -s.n_distinct * %s ELSE s.n_distinct END
FROM pg_stats s WHERE s.schemaname = %s AND s.tablename = %s AND s.n_distinct <> 0 ORDER BY s.inherited
"""

_OURS = """
SELECT view_schema, view_name, storage_schema, storage_name, columns::text, hidden::text, key::text, live,
       objects ? 'at_read', to_regclass(quote_ident(view_schema) || '.' || quote_ident(view_name))::oid::int8
FROM django_ivm.view
"""

Keys = list[tuple[Any, ...]]


def relations(
    cursor: Any, view: str, view_oid: int
) -> tuple[tuple[TableInfo, ...], tuple[ViewInfo, ...], list[tuple[str, str]]]:
    """(tables that a view reads, directly or through ordinary views; those views; their query trees, each with the
    name of the view that the definition itself names)."""
    ours = _our_views(cursor)
    inner = families.ordinary_views(cursor, view, [one["oid"] for one in ours if one["oid"]])
    names = {oid: name for oid, _schema, name, *_ in inner}
    read: dict[int, str] = {}
    for table, reader in families.referenced(cursor, [view_oid, *names]):
        if table not in names:
            read[table] = "" if reader == view_oid else read.get(table, names[reader])
    found = [_maintained(cursor, _table(cursor, oid, through), ours) for oid, through in read.items()]
    views = tuple(
        ViewInfo(schema, name, sql.strip().rstrip(";"), tuple(outputs)) for _, schema, name, sql, _, outputs, _ in inner
    )
    trees = [(tree, within) for *_, tree, _outputs, within in inner]
    return tuple(sorted(found, key=lambda t: (t.schema, t.name))), views, trees


def _table(cursor: Any, oid: int, through: str) -> TableInfo:
    below, outside, unwatched, oids = families.family(cursor, oid)
    _, schema, name, kind, persistence, secured, active, cascaded, readable = rows(cursor, _RELATIONS, (oids, oid))[0]
    keys = rows(cursor, _KEYS, (oid,))
    info = TableInfo(
        schema=schema,
        name=name,
        kind=kind,
        columns=columns(cursor, oid),
        keys=tuple(tuple(names) for names, _, unique in keys if unique),
        indexes=tuple(tuple(names) for names, _, _ in keys),
        leaves=below,
        persistence=persistence,
        outside=outside,
        unwatched=unwatched,
        through=through,
        readable=readable or not through,
        # Behind an ordinary view they apply to that view's owner, whoever installs ours.
        row_security=active or (secured and bool(through)),
        policies=secured,
        cascaded=cascaded,
    )
    return _counted(cursor, _parent(cursor, info, oids) if below and kind == "r" else info, [oid, *oids])


def _counted(cursor: Any, info: TableInfo, oids: list[int]) -> TableInfo:
    """With what statistics tell of a table and its members."""
    estimate = float(rows(cursor, _ROWS, (oids,))[0][0] or 0)
    distinct = dict(rows(cursor, _DISTINCT, (estimate, info.schema, info.name)))
    found = tuple(replace(c, distinct=distinct.get(c.name)) for c in info.columns)
    return replace(info, rows=estimate, columns=found)


def _parent(cursor: Any, info: TableInfo, below: list[int]) -> TableInfo:
    """A parent of plain inheritance: its unique keys say nothing of the children's rows, an index or NOT NULL of its
    own doesn't hold in a child that lacks it."""
    indexes = set(info.indexes)
    nullable: set[str] = set()
    for oid in below:
        indexes &= {tuple(names) for names, _, _ in rows(cursor, _KEYS, (oid,))}
        nullable |= {column.name for column in columns(cursor, oid) if not column.not_null}
    return replace(
        info,
        children=True,
        keys=(),
        indexes=tuple(index for index in info.indexes if index in indexes),
        columns=tuple(ColumnInfo(c.name, c.type, c.not_null and c.name not in nullable) for c in info.columns),
    )


def _our_views(cursor: Any) -> list[dict[str, Any]]:
    if not registered(cursor):
        return []
    names = (
        "view_schema", "view_name", "storage_schema", "storage_name", "columns", "hidden", "key", "live", "timed",
        "oid",
    )  # fmt: skip
    found = [dict(zip(names, row, strict=True)) for row in rows(cursor, _OURS)]
    return [view | {name: json.loads(view[name]) for name in ("columns", "hidden", "key")} for view in found]


def _maintained(cursor: Any, info: TableInfo, ours: list[dict[str, Any]]) -> TableInfo:
    """What a table is when it stores one of our views, or is the SELECT-only view over one."""
    name = (info.schema, info.name)
    for view in ours:
        public, storage = (view["view_schema"], view["view_name"]), (view["storage_schema"], view["storage_name"])
        if name not in (public, storage):
            continue
        stored, indexes, estimate = info.columns, info.indexes, info.rows
        if name != storage:
            oid = rows(cursor, "SELECT to_regclass(quote_ident(%s) || '.' || quote_ident(%s))::oid", storage)[0][0]
            behind = _table(cursor, oid, info.through)
            stored, indexes, estimate = behind.columns, behind.indexes, behind.rows
        visible = tuple(c for c in stored if c.name not in view["hidden"])
        return TableInfo(
            schema=info.schema,
            name=info.name,
            kind="r",
            columns=visible,
            keys=(tuple(view["key"]),) if view["key"] else (),
            indexes=indexes,
            live=view["live"],
            hidden=tuple(c for c in stored if c.name in view["hidden"]),
            stands_for=storage if name != storage else None,
            view=public,
            timed=view["timed"],
            through=info.through,
            readable=info.readable,
            rows=estimate,
        )
    return info
