"""Tables under a query with all that is above and below them: partitions, inheritance, ordinary views.

A statement fires the statement triggers of the table that it names, and of no other: its transition tables hold the
rows of all tables below, in that table's columns. So a source is watched when it and everything below it carries
triggers, and when nothing else is above any of those.
"""

from __future__ import annotations

from typing import Any

from .introspect import rows

# What a view reads, through ordinary and materialized views, with the outermost view on the way there; then the tables
# among that, all below them, all above those. A table is mixed that has a foreign one below it.
BELOW = """
WITH RECURSIVE root AS (
    SELECT to_regclass(%(root)s)::oid AS oid
), below AS (
    SELECT oid, 'v'::"char" AS relkind, 0::oid AS view FROM root
    UNION
    SELECT c.oid, c.relkind, CASE WHEN b.view = 0 AND b.oid <> (SELECT oid FROM root) THEN b.oid ELSE b.view END
    FROM below b
    JOIN pg_rewrite r ON r.ev_class = b.oid AND r.ev_type = '1' AND b.relkind IN ('v', 'm')
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
    JOIN pg_class c ON c.oid = d.refobjid
), down AS (
    SELECT oid FROM below WHERE relkind IN ('r', 'p', 'f')
    UNION
    SELECT i.inhrelid FROM down d JOIN pg_inherits i ON i.inhparent = d.oid
), up AS (
    SELECT oid FROM down UNION SELECT i.inhparent FROM up u JOIN pg_inherits i ON i.inhrelid = u.oid
), mixed AS (
    SELECT c.oid FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid WHERE c.relkind = 'f'
    UNION
    SELECT i.inhparent FROM mixed m JOIN pg_inherits i ON i.inhrelid = m.oid
) """

_BASE_TABLES = """
SELECT n.nspname, c.relname, c.oid IN (SELECT oid FROM mixed) FROM up u JOIN pg_class c ON c.oid = u.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relpersistence <> 't' AND c.relkind IN ('r', 'p')
ORDER BY 1, 2
"""

_UNWATCHED = """
SELECT EXISTS (SELECT 1 FROM below WHERE relkind = 'm')
    OR EXISTS (SELECT 1 FROM up u JOIN pg_class c ON c.oid = u.oid WHERE c.relkind = 'f' OR c.relpersistence = 't')
    OR EXISTS (SELECT 1 FROM up u JOIN mixed m ON m.oid = u.oid)
"""

# Ordinary views that the definition reads through nothing but such views: not ours, which stand for a table, and not
# the system's.
_VIEWS = """
SELECT c.oid, n.nspname, c.relname, pg_get_viewdef(c.oid),
       (SELECT r.ev_action::text FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type = '1'),
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
       coalesce((SELECT o.relname FROM pg_class o WHERE o.oid = min(b.view)), c.relname)
FROM below b JOIN pg_class c ON c.oid = b.oid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid <> (SELECT oid FROM root) AND c.relkind = 'v' AND c.relpersistence <> 't' AND c.oid <> ALL(%(ours)s)
AND n.nspname NOT IN ('pg_catalog', 'information_schema')
AND NOT EXISTS (SELECT 1 FROM pg_class o WHERE o.oid = b.view AND o.relkind = 'm')
GROUP BY c.oid, n.nspname, c.relname ORDER BY 2, 3
"""

_REFERENCED = """
SELECT d.refobjid, r.ev_class FROM pg_rewrite r
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
WHERE r.ev_class = ANY(%s) AND r.ev_type = '1' AND d.refobjid <> r.ev_class
"""

# Descendants; a table above one of them that isn't one; a member without triggers.
_FAMILY = """
WITH RECURSIVE down AS (
    SELECT %(root)s::oid AS oid UNION SELECT i.inhrelid FROM down d JOIN pg_inherits i ON i.inhparent = d.oid
)
SELECT
    ARRAY(SELECT ARRAY[n.nspname::text, c.relname::text] FROM down d JOIN pg_class c ON c.oid = d.oid
          JOIN pg_namespace n ON n.oid = c.relnamespace WHERE d.oid <> %(root)s ORDER BY n.nspname, c.relname),
    (SELECT min(c.relname) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent
     WHERE i.inhrelid IN (SELECT oid FROM down) AND i.inhparent NOT IN (SELECT oid FROM down)),
    (SELECT min(CASE WHEN c.relkind = 'f' THEN 'the foreign table ' ELSE 'the temporary table ' END || c.relname)
     FROM down d JOIN pg_class c ON c.oid = d.oid
     WHERE d.oid <> %(root)s AND (c.relkind = 'f' OR c.relpersistence = 't')),
    ARRAY(SELECT d.oid::int8 FROM down d WHERE d.oid <> %(root)s ORDER BY 1)
"""


def base_tables(cursor: Any, view: str) -> tuple[tuple[tuple[str, str], ...], frozenset[tuple[str, str]]]:
    """(tables whose writes may change what a view reads, those of them on which no transition table may be)."""
    found = rows(cursor, BELOW + _BASE_TABLES, {"root": view})
    return tuple((s, t) for s, t, _ in found), frozenset((s, t) for s, t, mixed in found if mixed)


def watched(cursor: Any, definition_view: str) -> set[tuple[str, str]]:
    """The tables on which an installed view that writes only mark must have its triggers, as things are now."""
    return set(base_tables(cursor, ours(definition_view))[0])


def reads_unwatched(cursor: Any, definition_view: str) -> bool:
    """A view's definition reads what changes without a trigger: materialized views, foreign and temporary tables,
    among partitions and descendants too."""
    return bool(rows(cursor, BELOW + _UNWATCHED, {"root": ours(definition_view)})[0][0])


def ours(name: str) -> str:
    """A relation of our schema, quoted."""
    return "django_ivm." + '"' + name.replace('"', '""') + '"'


def ordinary_views(cursor: Any, view: str, ours: list[int]) -> list[tuple[Any, ...]]:
    """Ordinary views that a definition reads, inside each other too: oid, schema, name, text, tree, columns, and the
    name of the one that the definition itself names."""
    return rows(cursor, BELOW + _VIEWS, {"root": view, "ours": ours})


def referenced(cursor: Any, view_oids: list[int]) -> list[tuple[int, int]]:
    """(relation, view that reads it) for each view."""
    return [(table, view) for table, view in rows(cursor, _REFERENCED, (view_oids,))]


def family(cursor: Any, oid: int) -> tuple[tuple[tuple[str, str], ...], str, str, list[int]]:
    """(descendants, a table above one of them but outside, a member that takes no triggers, descendants' oids)."""
    below, outside, unwatched, oids = rows(cursor, _FAMILY, {"root": oid})[0]
    return tuple((schema, name) for schema, name in below), outside or "", unwatched or "", oids
