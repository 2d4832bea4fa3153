"""Compiled triggers, installed through django-pgtrigger.

pgtrigger checks names and events, tells INSTALLED from OUTDATED by the trigger's comment, enables and disables. What
differs here: the SQL is the compiler's (no ignore prelude, which costs a subtransaction at every firing and would let
`pgtrigger.ignore()` make a view silently stale; CREATE OR REPLACE; rights and search_path pinned in the CREATE), and
the triggers are never registered, so they leak into nobody's migrations.
"""

from __future__ import annotations

from functools import reduce
from types import SimpleNamespace
from typing import Any

import pgtrigger
from pgtrigger import compiler as pgcompiler

from ..compiler.pg import sql as q
from ..compiler.triggers.objects import TriggerSpec

_OPERATIONS = {
    "INSERT": pgtrigger.Insert,
    "UPDATE": pgtrigger.Update,
    "DELETE": pgtrigger.Delete,
    "TRUNCATE": pgtrigger.Truncate,
}


class IVMTriggerSql(pgcompiler.UpsertTriggerSql):
    """The compiler's SQL in the place of pgtrigger's template."""

    def __init__(self, spec: TriggerSpec) -> None:
        self.spec = spec
        self.pgid = q.ident(spec.name).text
        self.table = q.qualified(spec.schema, spec.table).text
        self.hash = spec.hash
        self.kwargs: dict[str, str] = {}
        self.defaults: dict[str, str] = {}
        self.data = ";\n".join(spec.statements())


class IVMTrigger(pgtrigger.Trigger):
    """One trigger of a view, for any table, with or without a Django model."""

    level = pgtrigger.Statement

    def __init__(self, spec: TriggerSpec) -> None:
        self.spec = spec
        referencing = None
        if spec.old or spec.new:
            referencing = pgtrigger.Referencing(old=spec.old or None, new=spec.new or None)
        super().__init__(
            name=spec.name,
            when=pgtrigger.Before if spec.timing == "BEFORE" else pgtrigger.After,
            operation=reduce(lambda left, right: left | right, (_OPERATIONS[event] for event in spec.events)),
            referencing=referencing,
        )

    def validate_name(self) -> None:
        """Names are made and shortened in one place, to 63 bytes."""

    def get_pgid(self, model: Any) -> str:
        return self.spec.name

    def compile(self, model: Any) -> pgcompiler.Trigger:
        return pgcompiler.Trigger(name=self.name, sql=IVMTriggerSql(self.spec))

    def allow_migrate(self, model: Any, database: str | None = None) -> bool:
        """The caller chose the database; the source may be a table that no model knows."""
        return True

    @property
    def target(self) -> Any:
        """What pgtrigger wants to know of a model."""
        table = q.qualified(self.spec.schema, self.spec.table).text
        quoted = table if table.startswith('"') or table.endswith('"') else _fully_quoted(self.spec)
        meta = SimpleNamespace(db_table=quoted, app_label="django_ivm", object_name=self.spec.table, fields=())
        return SimpleNamespace(_meta=meta)


def _fully_quoted(spec: TriggerSpec) -> str:
    """Both names in quotes: pgtrigger puts one pair of quotes round a name that begins without."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in (spec.schema, spec.table))


def status(spec: TriggerSpec, database: str) -> tuple[str, bool | None]:
    """(INSTALLED, OUTDATED or UNINSTALLED; whether it is enabled)."""
    trigger = IVMTrigger(spec)
    return trigger.get_installation_status(trigger.target, database=database)  # type: ignore[no-any-return]


def statements(spec: TriggerSpec) -> list[str]:
    """What creates or replaces the trigger and its function."""
    trigger = IVMTrigger(spec)
    return list(trigger.compile(trigger.target).sql.spec.statements())


def install(spec: TriggerSpec, cursor: Any) -> None:
    """Create or replace the trigger and its function."""
    cursor.execute(";\n".join(statements(spec)))
