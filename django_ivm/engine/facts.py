"""What a plan relies on beyond columns' names, and which state an installation keeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..compiler.pg import names
from ..compiler.pg.shared import STRIPES
from .introspect import rows

if TYPE_CHECKING:
    from ..compiler import Installation

Reads = tuple[tuple[str, str, str], ...]

# Unique keys among the columns that are read, those of them that are NOT NULL, and tables that foreign keys with an
# action write to.
_HELD = """
WITH read AS (
    SELECT c.oid, n.nspname, c.relname, array_agg(DISTINCT (r->>2)) AS columns
    FROM jsonb_array_elements(%s::jsonb) r
    JOIN pg_namespace n ON n.nspname = r->>0 JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = r->>1
    GROUP BY c.oid, n.nspname, c.relname
)
SELECT coalesce((SELECT jsonb_agg(DISTINCT jsonb_build_array(t.nspname, t.relname, k.columns)) FROM read t
    JOIN pg_index i ON i.indrelid = t.oid
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(a.attname ORDER BY a.attname) AS columns, bool_and(a.attname = ANY(t.columns)) AS read
        FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = ANY(i.indkey[0:i.indnkeyatts - 1])
    ) k
    WHERE i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND k.read
), '[]')::text, coalesce((SELECT jsonb_agg(DISTINCT jsonb_build_array(t.nspname, t.relname, a.attname)) FROM read t
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = ANY(t.columns) AND a.attnotnull
), '[]')::text, coalesce((SELECT jsonb_agg(DISTINCT jsonb_build_array(t.nspname, t.relname)) FROM read t
    JOIN pg_constraint f ON f.conrelid = t.oid AND f.contype = 'f'
    WHERE f.confupdtype IN ('c', 'n', 'd') OR f.confdeltype IN ('c', 'n', 'd')
), '[]')::text
"""


def held(cursor: Any, reads: Reads) -> dict[str, list[Any]]:
    """What holds of the tables that a view reads."""
    if not reads:
        return {}
    keys, filled, cascaded = rows(cursor, _HELD, (json.dumps([list(item) for item in reads]),))[0]
    return {"keys": json.loads(keys), "filled": json.loads(filled), "cascaded": json.loads(cascaded)}


def lost(cursor: Any, then: dict[str, list[Any]] | None, reads: Reads) -> list[str]:
    """What held at the installation and doesn't any more, in words."""
    if not then:
        return []
    now = held(cursor, reads)
    found = [
        f"the key ({', '.join(columns)}) of {schema}.{table} is gone"
        for schema, table, columns in then["keys"]
        if [schema, table, columns] not in now["keys"]
    ]
    found += [
        f"{schema}.{table}.{column} may be NULL"
        for schema, table, column in then["filled"]
        if [schema, table, column] not in now["filled"]
    ]
    return found + [
        f"a foreign key of {schema}.{table} has an action that it didn't have"
        for schema, table in now["cascaded"]
        if [schema, table] not in then["cascaded"]
    ]


def state(installation: Installation) -> dict[str, Any]:
    """What verifying compares beside the view's own rows: each level's table with its query."""
    own = [s.table for s in installation.stores if s.table_schema == names.RUNTIME_SCHEMA]
    return {
        "stores": own,
        "levels": [level.as_json() for level in installation.levels],
        "buckets": {name: buckets * STRIPES for name, buckets in installation.lock_tables},
    }
