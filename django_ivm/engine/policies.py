"""Row level security that came to apply to the role which maintains a view: it would see a part of the rows only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .introspect import rows

if TYPE_CHECKING:
    from .register import InstalledView

# The functions' owner is that of the tables. Superusers and BYPASSRLS are above policies, owners unless FORCE is set.
_APPLYING = """
SELECT c.relname FROM jsonb_array_elements(%s::jsonb) s
JOIN pg_namespace n ON n.nspname = s->>0 JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s->>1
JOIN pg_class own ON own.oid = to_regclass(quote_ident(%s) || '.' || quote_ident(%s))
JOIN pg_roles r ON r.oid = own.relowner
WHERE c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls
AND (c.relforcerowsecurity OR NOT pg_has_role(r.oid, c.relowner, 'USAGE'))
ORDER BY 1
"""


def applying(cursor: Any, view: InstalledView) -> list[str]:
    """Sources and own tables of a view whose policies apply to its owner."""
    own = [("django_ivm", table) for table in view.objects.get("stores", ())]
    tables = json.dumps([list(name) for name in (*view.sources, view.storage, *own)])
    return [name for (name,) in rows(cursor, _APPLYING, (tables, *view.storage))]
