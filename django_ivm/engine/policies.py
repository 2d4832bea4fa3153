"""Row level security that applies to the role which maintains a view: it would see a part of the rows only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import DefinitionError
from .introspect import rows

if TYPE_CHECKING:
    from ..compiler.pg.catalog import Catalog
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


def refuse(catalog: Catalog) -> None:
    """Raises DefinitionError where policies apply to the role that installs and so maintains the view.

    What it sees of a source then depends on roles and settings, while triggers see all rows of a change.
    """
    for table in catalog.tables:
        if table.row_security and not table.through:
            raise DefinitionError(
                f"row level security of {table.name} applies to the role that installs the view",
                code="ROW_SECURITY",
                hint="Install it as the table's owner (without FORCE ROW LEVEL SECURITY), or a role with BYPASSRLS.",
            )


def applying(cursor: Any, view: InstalledView) -> list[str]:
    """Sources and own tables of a view whose policies apply to its owner."""
    own = [("django_ivm", table) for table in view.objects.get("stores", ())]
    tables = json.dumps([list(name) for name in (*view.sources, view.storage, *own)])
    return [name for (name,) in rows(cursor, _APPLYING, (tables, *view.storage))]
