"""Pieces of SQL that several trigger functions share."""

from __future__ import annotations

from ..ir.relation import WEIGHT
from ..maintenance.plan import Source
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


def transition(scan: Scan, event: str) -> q.Fragment:
    """The weighted change of a scan from the transition tables."""
    parts = []
    for table, weight in (("ivm_old", -1), ("ivm_new", 1)):
        if table in NEEDS[event]:
            columns = [*scan.select_list(), q.sql("{n} AS {w}", n=q.literal(weight), w=q.ident(WEIGHT))]
            parts.append(q.sql("SELECT {c} FROM {t}{a}", c=columns, t=q.Fragment(table), a=scan.alive()))
    return q.join(" UNION ALL ", parts)


def own_table(source: Source, *, once: bool = False) -> q.Fragment:
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


def spool_ctes(spools: tuple[Spool, ...]) -> list[q.Fragment]:
    """The spooled changes as CTEs `ivm_s0`, `ivm_s1` …"""
    return [
        q.sql("{n} AS MATERIALIZED ({r})", n=q.Fragment(f"ivm_s{spool.source.number}"), r=spool.relation())
        for spool in spools
    ]
