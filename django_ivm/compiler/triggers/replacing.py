"""The function that computes a store anew and applies the difference: refresh, TRUNCATE, healing."""

from __future__ import annotations

from ..maintenance.stores import Store
from ..pg import names
from ..pg import sql as q
from .objects import Function
from .plpgsql import block, render

_COUNTS = "OUT ivm_inserted bigint, OUT ivm_updated bigint, OUT ivm_deleted bigint"


def replace_function(name: str, store: Store, settings: tuple[tuple[str, str], ...] = ()) -> Function:
    """A function of that name, which keeps other writers out of the store and says how many rows it changed."""
    body = q.sql(
        "LOCK TABLE {t} IN SHARE ROW EXCLUSIVE MODE;\n{replace}",
        t=store.target, replace=render([store.replace()], replanned=True),
    )  # fmt: skip
    return Function(names.RUNTIME_SCHEMA, name, "", block((), body), settings, _COUNTS)
