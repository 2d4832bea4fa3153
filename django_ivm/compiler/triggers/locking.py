"""Bumping lock buckets: the statements that come before a join's delta."""

from __future__ import annotations

from ..ir.statement import Bump, Run, Step, When, variable
from ..maintenance.locks import STRIPES, LockPlan
from ..operators import Scan
from ..pg import sql as q


def bump_buckets(table: q.Fragment, rows: q.Fragment, *, share: bool, whole: bool) -> tuple[Step, ...]:
    """Bump the buckets of the rows' keys, in order, in statements of their own before the delta is computed.

    `rows` yields (b, ivm_parent); `share` and `whole` say which roles can occur in it. One stripe of one bucket needs
    no order.
    """
    mine = q.sql("b = ANY({v}) AND st = pg_backend_pid() % {n}", v=variable("ivm_share"), n=q.literal(STRIPES))
    every = q.sql("b = ANY({v})", v=variable("ivm_whole"))
    if share and whole:
        found = q.sql(
            "SELECT array_agg(DISTINCT b) FILTER (WHERE NOT ivm_parent AND b IS NOT NULL), "
            "array_agg(DISTINCT b) FILTER (WHERE ivm_parent AND b IS NOT NULL), count(*) FROM ({rows}) ivm_b",
            rows=rows,
        )
        buckets = Run(found, ("ivm_share", "ivm_whole", "ivm_many"))
        where = q.sql("({m}) OR {e}", m=mine, e=every)
        ordered = q.Fragment("ivm_share IS NOT NULL OR ivm_whole IS NOT NULL")
    else:
        name = "ivm_share" if share else "ivm_whole"
        found = q.sql("SELECT array_agg(DISTINCT b) FILTER (WHERE b IS NOT NULL), count(*) FROM ({r}) ivm_b", r=rows)
        buckets = Run(found, (name, "ivm_many"))
        where = mine if share else every
        ordered = q.Fragment(f"cardinality({name}) > 1" if share else f"{name} IS NOT NULL")
    order = Run(q.sql("SELECT 1 FROM {t} WHERE {w} ORDER BY b, st FOR NO KEY UPDATE", t=table, w=where))
    bump = Run(q.sql("UPDATE {t} SET ver = ver + 1 WHERE {w}", t=table, w=where))
    return (buckets, Bump(table, When(ordered, (order,)), bump))


def role_columns(plan: LockPlan, scan: Scan) -> list[q.Fragment]:
    """The bucket of a scan's row, and whether its writer takes it whole."""
    role = plan.roles[scan.leaf]
    return [q.sql("{b} AS b", b=role.bucket()), q.sql("{p} AS ivm_parent", p=q.literal(role.parent))]
