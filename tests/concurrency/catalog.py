"""All that there is of views in a database, by name and meaning."""

from __future__ import annotations

from tests.engine.area import Area

CATALOG = """
SELECT 'class', c.relname::text, c.relkind::text FROM pg_class c
    WHERE c.relnamespace IN ('django_ivm'::regnamespace, current_schema()::regnamespace)
UNION ALL SELECT 'trigger', t.tgname::text, t.tgrelid::regclass::text || ' ' || obj_description(t.oid, 'pg_trigger')
    FROM pg_trigger t WHERE NOT t.tgisinternal
UNION ALL SELECT 'function', p.oid::regprocedure::text, md5(pg_get_functiondef(p.oid)) FROM pg_proc p
    WHERE p.pronamespace = 'django_ivm'::regnamespace
UNION ALL SELECT 'view', c.relname::text, pg_get_viewdef(c.oid) FROM pg_class c
    WHERE c.relnamespace IN ('django_ivm'::regnamespace, current_schema()::regnamespace) AND c.relkind = 'v'
UNION ALL SELECT 'column', a.attrelid::regclass::text || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || a.attnum
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'django_ivm'::regnamespace
    AND a.attnum > 0 AND c.relkind IN ('r', 'v')
UNION ALL SELECT 'register', view_name, md5((to_jsonb(v) - 'id' - 'installed_at')::text) FROM django_ivm.view v
UNION ALL SELECT 'reader', view_name, concat_ws(' ', log, view_schema, mode, apply, drain_lock) FROM django_ivm.reader
UNION ALL SELECT 'cursor', view_name, view_schema FROM django_ivm.cursor
UNION ALL SELECT 'log', log, spec::text || triggers::text FROM django_ivm.log
UNION ALL SELECT 'witness', view_name, view_schema FROM django_ivm.witness
UNION ALL SELECT 'stale', view_name, view_schema FROM django_ivm.stale
UNION ALL SELECT 'building', view_name, view_schema FROM django_ivm.building
"""


def catalog(area: Area) -> set[tuple[str, str, str]]:
    """Kind, name and meaning of each object and register entry."""
    return set(area.run(CATALOG))
