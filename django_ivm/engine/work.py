"""What there is to refresh."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from . import witness
from .introspect import registered, rows
from .order import ancestors
from .register import all_views

Name = tuple[str, str]
Names = frozenset[tuple[str | None, str]] | None  # (schema, name), the schema None for any; None: all views

# What no refresh can do anything about (a detached view, missing triggers) is none of the worker's business.
_NEEDED = """
SELECT v.view_schema, v.view_name, v.depends_on::text, CASE WHEN %(every)s OR EXISTS (
    SELECT FROM unnest(%(schemas)s::text[], %(names)s::text[]) c(s, n)
    WHERE c.n = v.view_name AND coalesce(c.s, v.view_schema) = v.view_schema)
THEN
    EXISTS (SELECT FROM django_ivm.stale s WHERE s.view_schema = v.view_schema AND s.view_name = v.view_name)
    OR v.mode = 'deferred' AND (
        django_ivm.pending_rows(v.view_schema, v.view_name) > 0
        OR EXISTS (SELECT FROM django_ivm.cursor c WHERE c.view_schema = v.view_schema AND c.view_name = v.view_name
                   AND c.identity <> django_ivm.identity()))
END
FROM django_ivm.view v WHERE NOT v.detached AND v.view_schema <> 'django_ivm' ORDER BY v.id
"""


def needed(cursor: Any, names: Names = None, also: frozenset[Name] = frozenset()) -> dict[Name, set[Name]]:
    """The views that are marked stale or have changes pending, and those in `also` → all views that they read,
    directly or not, among them.

    `names` are (schema, name) of those that count, the schema None for any; without, all do.
    """
    if not registered(cursor):
        return {}
    parents: dict[Name, set[Name]] = {}
    found = []
    for schema, name, depends_on, wanted in rows(cursor, _NEEDED, _asked_for(names)):
        parents[schema, name] = {(s, n) for s, n in json.loads(depends_on)}
        if wanted or (schema, name) in also:
            found.append((schema, name))
    above = ancestors(parents)
    return {name: above[name] & set(found) for name in found}


def _asked_for(names: Names) -> dict[str, Any]:
    pairs = list(names or ())
    return {"every": names is None, "schemas": [schema for schema, _ in pairs], "names": [name for _, name in pairs]}


def doubted(cursor: Any, names: Names = None) -> frozenset[Name]:
    """The views whose triggers may have missed writes, as far as computing them anew settles it: what a subscription
    writes is missed for ever."""
    found = set()
    for view in all_views(cursor):
        chosen = names is None or view.full_name in names or (None, view.name) in names
        if chosen and not view.detached:
            seen = replace(witness.look(cursor, view), subscribed=())
            if witness.doubts(cursor, view, seen):
                found.add(view.full_name)
    return frozenset(found)
