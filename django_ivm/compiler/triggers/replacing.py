"""The function that computes a store anew and applies the difference: refresh, TRUNCATE, healing."""

from __future__ import annotations

from ..maintenance.stores import Store
from ..pg import names
from ..pg import sql as q
from .locking import take_all
from .objects import Function
from .plpgsql import block, render

# The functions that call it look rows up by index only; a whole query takes any plan.
_ANY_PLAN = (("enable_seqscan", "on"), ("enable_hashjoin", "on"), ("enable_mergejoin", "on"))
_COUNTS = "OUT ivm_inserted bigint, OUT ivm_updated bigint, OUT ivm_deleted bigint"
# What a transaction's standing snapshot can't see of a join's other side it can't put right either: whoever wrote it
# has bumped a bucket since, and bumping them all fails with 40001.
_STANDING = "IF current_setting('transaction_isolation') <> 'read committed' THEN\n{bump}\nEND IF;\n"


def replace_function(
    name: str, store: Store, settings: tuple[tuple[str, str], ...] = (), locks: q.Fragment | None = None
) -> Function:
    """A function of that name, which keeps other writers out of the store and says how many rows it changed.

    `locks` is the table of the node's lock buckets, if it has one.
    """
    bump = q.sql(_STANDING, bump=render(take_all(locks))) if locks else q.EMPTY
    body = q.sql(
        "{bump}LOCK TABLE {t} IN SHARE ROW EXCLUSIVE MODE;\n{replace}",
        bump=bump, t=store.target, replace=render([store.replace()], replanned=True),
    )  # fmt: skip
    return Function(names.RUNTIME_SCHEMA, name, "", block((), body), (*_ANY_PLAN, *settings), _COUNTS)
