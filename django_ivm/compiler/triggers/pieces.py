"""Pieces of SQL that several trigger functions share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..ir.relation import WEIGHT
from ..operators import Scan
from ..pg import sql as q
from .spool import Spool

NEEDS = {"insert": ("", "ivm_new"), "update": ("ivm_old", "ivm_new"), "delete": ("ivm_old", "")}
FOREIGN = q.Fragment(
    "IF pg_trigger_depth() >= 200 THEN\n"
    "RAISE EXCEPTION 'a trigger on the maintained table computed from %.% writes to it again', TG_TABLE_SCHEMA, "
    "TG_TABLE_NAME USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';\n"
    "END IF;\n"
    "RAISE EXCEPTION 'this function maintains a view for changes of another table than %.%', TG_TABLE_SCHEMA, "
    "TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege', HINT = 'After a rename, run ivm_install.';"
)


# PostgreSQL (15–18) leaves rows that a MERGE moves between partitions out of the transition tables.
DOUBTFUL_MERGE = q.Fragment(
    "current_query() ~* '\\mmerge\\M' OR (current_query() !~* '\\m(insert|update|delete|copy)\\M' AND "
    "NOT EXISTS (SELECT 1 FROM ivm_new))"
)
# A worker sleeps and is to be woken at commit. One that died asleep is forgotten after a while.
LISTENING = q.Fragment(
    "IF EXISTS (SELECT 1 FROM django_ivm.listening WHERE since > clock_timestamp() - interval '1 minute') THEN\n"
    "PERFORM pg_notify('django_ivm', '');\nEND IF;"
)


class Watched(Protocol):
    """A table and the partitions or descendants that hold its rows."""

    @property
    def relations(self) -> tuple[tuple[str, str], ...]: ...


def transition(scan: Scan, event: str) -> q.Fragment:
    """The weighted change of a scan from the transition tables."""
    parts = []
    for table, weight in (("ivm_old", -1), ("ivm_new", 1)):
        if table in NEEDS[event]:
            columns = [*scan.select_list(), q.sql("{n} AS {w}", n=q.literal(weight), w=q.ident(WEIGHT))]
            parts.append(q.sql("SELECT {c} FROM {t}{a}", c=columns, t=q.Fragment(table), a=scan.alive()))
    return q.join(" UNION ALL ", parts)


def own_table(source: Watched, *, once: bool = False) -> q.Fragment:
    """The trigger fired on the table that its function was made for (nobody may forge rows through another one).
    `once`: and not from within itself, over and over."""
    tables = q.join(
        " OR ",
        [
            q.sql("TG_TABLE_NAME = {t} AND TG_TABLE_SCHEMA = {s}", t=q.literal(table), s=q.literal(schema))
            for schema, table in source.relations
        ],
    )
    return q.sql("({tables}){once}", tables=tables, once=q.Fragment(" AND pg_trigger_depth() < 200" if once else ""))


def changed_rows(event: str, columns: Sequence[tuple[str, bool]], live: str | None) -> q.Fragment:
    """Some row came or went, or some column of these changed: (name, whether equal values look the same)."""
    alive = q.sql(" WHERE {l} > 0", l=q.ident(live)) if live else q.EMPTY
    if event != "update":
        table = q.Fragment("ivm_new" if event == "insert" else "ivm_old")
        return q.sql("EXISTS (SELECT 1 FROM {t}{a})", t=table, a=alive)
    if not columns and not live:
        return q.literal(False)
    read = [q.ident(name) if exact else q.sql('{c}::text COLLATE "C"', c=q.ident(name)) for name, exact in columns]
    row = q.sql("ROW({c})", c=read or [q.literal(1)])
    return q.sql("ARRAY(SELECT {r} FROM ivm_old{a}) IS DISTINCT FROM ARRAY(SELECT {r} FROM ivm_new{a})", r=row, a=alive)


def spool_ctes(spools: tuple[Spool, ...]) -> list[q.Fragment]:
    """The spooled changes as CTEs `ivm_s0`, `ivm_s1` …"""
    return [
        q.sql("{n} AS MATERIALIZED ({r})", n=q.Fragment(f"ivm_s{spool.source.number}"), r=spool.relation())
        for spool in spools
    ]
