"""The residual read of deferred views: put in and taken out with the logs that it reads, and who may use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql as pg

from ..compiler.pg.names import RUNTIME_SCHEMA
from .introspect import rows

if TYPE_CHECKING:
    from ..compiler import Installation
    from .register import InstalledView

_READERS = """
SELECT DISTINCT r.rolname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
WHERE n.nspname = %s AND c.relname = %s AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
"""


def put(cursor: Any, view: InstalledView, installation: Installation) -> None:
    """Create it, when the plan allows one, for the roles that may read the view; its logs are there."""
    statements = installation.residual.statements()
    for statement in statements:
        cursor.execute(statement)
    for (role,) in rows(cursor, _READERS, view.full_name) if statements else ():
        grant(cursor, view, role)


def grant(cursor: Any, view: InstalledView, role: str) -> None:
    """Let a role that may read the view read it with what is pending added."""
    if name := view.objects.get("residual"):
        schema, relation, reader = (
            pg.Identifier(RUNTIME_SCHEMA),
            pg.Identifier(RUNTIME_SCHEMA, name),
            pg.Identifier(role),
        )
        cursor.execute(pg.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, reader))
        cursor.execute(pg.SQL("GRANT SELECT ON {} TO {}").format(relation, reader))


def drop(cursor: Any, view: InstalledView) -> None:
    """Take it out, before what it reads."""
    if name := view.objects.get("residual"):
        cursor.execute(pg.SQL("DROP VIEW IF EXISTS {}").format(pg.Identifier(RUNTIME_SCHEMA, name)))


def table_of(view: InstalledView) -> str | None:
    """What to select from: quoted and qualified, or None."""
    name = view.objects.get("residual")
    return pg.Identifier(RUNTIME_SCHEMA, name).as_string(None) if name and not view.detached else None
