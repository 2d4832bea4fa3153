"""The mark by which a transaction says that a view is stale: one row of its own, told of by a setting.

Any role may set any setting, so the setting is no proof: it holds where the row is, and the row must be there, of this
transaction and this view. A setting that was forged leads to one mark more, or to an error. Looking a row up by its
place reads no other transaction's marks, to which it would tie this one under SERIALIZABLE; functions with `SETTINGS`
do so however small the table is.
"""

from __future__ import annotations

from ..pg import names
from ..pg import sql as q

SETTINGS = (("enable_seqscan", "off"),)
_STALE = q.qualified(names.RUNTIME_SCHEMA, "stale")


def _setting(prefix: str) -> q.Fragment:
    return q.literal(f"ivm.m{prefix[-8:]}")


def is_marked(prefix: str, view: tuple[str, str]) -> q.Fragment:
    """This transaction has marked the view, as a condition."""
    return q.sql(
        "EXISTS (SELECT 1 FROM {t} WHERE ctid = nullif(current_setting({s}, true), '')::tid "
        "AND xid = pg_current_xact_id() AND view_schema = {schema} AND view_name = {name})",
        t=_STALE, s=_setting(prefix), schema=q.literal(view[0]), name=q.literal(view[1]),
    )  # fmt: skip


def mark(prefix: str, view: tuple[str, str], reason: q.Fragment) -> q.Fragment:
    """plpgsql that marks the view; `reason` is an expression."""
    return q.sql(
        "DECLARE ivm_mark text;\nBEGIN\nWITH ivm_m AS (INSERT INTO {t} (view_schema, view_name, reason) "
        "VALUES ({schema}, {name}, {reason}) RETURNING ctid) "
        "SELECT set_config({s}, ctid::text, true) FROM ivm_m INTO ivm_mark;\nEND;",
        t=_STALE, s=_setting(prefix), schema=q.literal(view[0]), name=q.literal(view[1]), reason=reason,
    )  # fmt: skip
