"""Alarms: triggers that say "stale" where no other trigger of ours fires, under session_replication_role = replica.

They fire in that role alone (ENABLE REPLICA), and so cost other writes nothing. They maintain nothing, since a replica
may well be given the view's rows with the others. ENABLE TRIGGER ALL makes ordinary ones of them: hence the condition.
"""

from __future__ import annotations

from ..maintenance.stores import Store
from ..pg import names
from ..pg import sql as q
from ..pg.shared import MAINTAINING_PATH
from .marking import SETTINGS, is_marked, mark
from .marks import HERE
from .objects import Function, TriggerSpec
from .plpgsql import block

EVENTS = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
_REPLICA = q.Fragment("current_setting('session_replication_role') = 'replica'")


def alarms(
    prefix: str, view: tuple[str, str], sources: tuple[tuple[str, str], ...], stores: tuple[Store, ...]
) -> list[TriggerSpec]:
    """An alarm on each source, and on each table of the view's own unless a refresh writes it."""
    where = q.sql("{h} || ' under session_replication_role = replica'", h=HERE)
    body = q.sql(
        "IF NOT {marked} THEN\n{mark}\nEND IF;\nRETURN NULL;",
        marked=is_marked(prefix, view), mark=mark(prefix, view, where),
    )  # fmt: skip
    function = Function(names.RUNTIME_SCHEMA, names.derived(prefix, "alarm"), "trigger", block((), body), SETTINGS)
    name = names.shorten(f"ivm_{function.name}")
    other = q.sql(
        "{r} AND current_setting('search_path') IS DISTINCT FROM {p}", r=_REPLICA, p=q.literal(MAINTAINING_PATH)
    )
    watched = [(source, _REPLICA) for source in dict.fromkeys(sources)]
    watched += [((store.table_schema, store.table), other) for store in stores]
    return [
        TriggerSpec(name, *table, "AFTER", EVENTS, function, when=when.text, replica=True) for table, when in watched
    ]
