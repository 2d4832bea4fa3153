"""Marks: triggers that only say "stale", for views that are refreshed in full or by hand.

The mark is a row of its own per transaction, inserted without a conflict target: updating a flag would make
concurrent writers wait for each other.
"""

from __future__ import annotations

from ..pg import names
from ..pg import sql as q
from .marking import SETTINGS, is_marked, mark
from .objects import Function, TriggerSpec
from .pieces import LISTENING
from .plpgsql import block

HERE = q.Fragment("lower(TG_OP) || ' on ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME")
_TABLES = {"INSERT": ("", "ivm_new"), "UPDATE": ("ivm_old", "ivm_new"), "DELETE": ("ivm_old", "")}


def mark_triggers(
    prefix: str,
    view: tuple[str, str],
    tables: tuple[tuple[str, str], ...],
    mixed: frozenset[tuple[str, str]] = frozenset(),
) -> list[TriggerSpec]:
    """Triggers on each table that mark the view stale once per transaction. Writes to a table of `mixed`, which has
    foreign tables below it, would fail if there were transition tables."""
    found = _marks(prefix, view, tuple(table for table in tables if table not in mixed), ("mark",), _TABLES)
    return found + _marks(prefix, view, tuple(table for table in tables if table in mixed), ("mark", "any"), {})


def _marks(
    prefix: str,
    view: tuple[str, str],
    tables: tuple[tuple[str, str], ...],
    kind: tuple[str, ...],
    transition: dict[str, tuple[str, str]],
) -> list[TriggerSpec]:
    found = []
    for event in ("INSERT", "UPDATE", "DELETE", "TRUNCATE"):
        old, new = transition.get(event, ("", ""))
        some = q.sql("EXISTS (SELECT 1 FROM {t}) AND ", t=q.Fragment(new or old)) if old or new else q.EMPTY
        body = q.sql(
            "IF {some}NOT {marked} THEN\n{mark}\n{listening}\nEND IF;\nRETURN NULL;",
            some=some,
            marked=is_marked(prefix, view),
            mark=mark(prefix, view, HERE),
            listening=LISTENING,
        )
        function = Function(
            names.RUNTIME_SCHEMA, names.derived(prefix, *kind, event.lower()), "trigger", block((), body), SETTINGS
        )
        for table in tables:
            name = names.shorten(f"ivm_{function.name}")
            found.append(TriggerSpec(name, *table, "AFTER", (event,), function, old, new))
    return found
