"""Bumping lock buckets: the statements that come before a join's delta."""

from __future__ import annotations

from collections.abc import Sequence

from ..ir import statement
from ..ir.statement import Bump, Each, Run, Step, When, variable
from ..maintenance.locks import LockPlan, Role
from ..operators import Scan
from ..pg import names
from ..pg import sql as q
from ..pg.shared import STRIPES
from .objects import Function
from .plpgsql import block

DECLARED = (("ivm_whole", "integer[]"), ("ivm_bucket", "integer"), ("ivm_all", "boolean"))
_BUCKET = variable("ivm_bucket")
_STRIPE = q.sql("pg_backend_pid() % {n}", n=q.literal(STRIPES))


def lock_steps(
    table: q.Fragment, plan: LockPlan, changed: Sequence[tuple[Scan, q.Fragment]], ctes: Sequence[q.Fragment] = ()
) -> tuple[Step, ...]:
    """Bump the buckets of changed rows, in order, in statements of their own before the delta is computed.

    `changed` pairs scans with SELECTs of their changed rows, which may use `ctes`. Keys that are found by following
    joins are read once those on the way are locked, in the next statement.
    """
    stages: dict[int, list[tuple[Role, q.Fragment]]] = {}
    for scan, rows in changed:
        for role in plan.roles.get(scan.leaf, ()):
            stages.setdefault(role.stage, []).append((role, _buckets(role, rows)))
    head = q.sql("WITH {c} ", c=ctes) if ctes else q.EMPTY
    steps: list[Step] = []
    for _, found in sorted(stages.items(), key=lambda item: item[0]):
        rows = q.sql("{head}{rows}", head=head, rows=q.join(" UNION ALL ", [buckets for _, buckets in found]))
        parents = {role.parent for role, _ in found}
        steps += _bump(table, rows, share=False in parents, whole=True in parents)
    return tuple(steps)


def _buckets(role: Role, rows: q.Fragment) -> q.Fragment:
    """SELECT of the buckets (b) that a role has for changed rows, and whether it takes them whole."""
    tables = [q.sql("({r}) ivm_k", r=rows)]
    near, where = "ivm_k", []
    for i, hop in enumerate(role.path):
        far = f"ivm_h{i}"
        tables.append(q.sql("({r}) {a}", r=hop.scan.to_select(()).select, a=q.ident(far)))
        for one, other in ((hop.near, hop.far), *hop.also):
            where.append(q.sql("{a} = {b}", a=q.column(near, one), b=q.column(far, other)))
        near = far
    return q.sql(
        "SELECT {b} AS b, {p} AS ivm_parent FROM {t}{where}",
        b=role.bucket(),
        p=q.literal(role.parent),
        t=tables,
        where=q.sql(" WHERE {w}", w=q.conjunction(where)) if where else q.EMPTY,
    )


def _bump(table: q.Fragment, rows: q.Fragment, *, share: bool, whole: bool) -> tuple[Step, ...]:
    """`rows` yields (b, ivm_parent); `share` and `whole` say which roles can occur in it."""
    if not share:
        found = q.sql("SELECT array_agg(DISTINCT b) FROM ({r}) ivm_b WHERE b IS NOT NULL", r=rows)
        mine = q.sql("b = ANY({v})", v=variable("ivm_whole"))
        return (Run(found, ("ivm_whole",)), When(q.Fragment("ivm_whole IS NOT NULL"), _take(table, mine)))
    if not whole:
        found = q.sql("SELECT DISTINCT b FROM ({r}) ivm_b WHERE b IS NOT NULL ORDER BY b", r=rows)
        return (Each(found, ("ivm_bucket",), _share(table)),)
    found = q.sql("SELECT b, bool_or(ivm_parent) FROM ({r}) ivm_b WHERE b IS NOT NULL GROUP BY b ORDER BY b", r=rows)
    every = _take(table, q.sql("b = {v}", v=_BUCKET))
    return (Each(found, ("ivm_bucket", "ivm_all"), (When(q.Fragment("ivm_all"), every, _share(table)),)),)


def _take(table: q.Fragment, mine: q.Fragment) -> tuple[Step, ...]:
    """All stripes, in order."""
    order = Run(q.sql("SELECT 1 FROM {t} WHERE {m} ORDER BY b, st FOR NO KEY UPDATE", t=table, m=mine))
    return (Bump(table, order, Run(q.sql("UPDATE {t} SET ver = ver + 1 WHERE {m}", t=table, m=mine))),)


def take_all(table: q.Fragment) -> tuple[Step, ...]:
    """Every bucket, for what is computed anew."""
    return _take(table, q.literal(True))


def _share(table: q.Fragment) -> tuple[Step, ...]:
    """One stripe: that of the session, or another that is free, since two sessions must not wait for each other because
    of their numbers alone. Others are looked at only then: whoever reads a stripe in SERIALIZABLE depends on it."""
    own = q.sql("st = {s}", s=_STRIPE)

    def bump(stripe: q.Fragment) -> Run:
        return Run(q.sql("UPDATE {t} SET ver = ver + 1 WHERE b = {v} AND {s}", t=table, v=_BUCKET, s=stripe))

    def free(condition: q.Fragment, order: q.Fragment) -> q.Fragment:
        return q.sql(
            "st = (SELECT ivm_s.st FROM {t} AS ivm_s WHERE ivm_s.b = {v}{c}{o} LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)",
            t=table, v=_BUCKET, c=condition, o=order,
        )  # fmt: skip

    mine = q.sql(" AND ivm_s.{own}", own=own)
    after = q.sql(" ORDER BY (ivm_s.st + pg_backend_pid()) % {n}", n=q.literal(STRIPES))
    wait = Run(q.sql("SELECT 1 FROM {t} WHERE b = {v} AND {s} FOR NO KEY UPDATE", t=table, v=_BUCKET, s=own))
    none = q.Fragment("NOT FOUND")
    otherwise = (bump(free(q.EMPTY, after)), When(none, (Bump(table, wait, bump(own)),)))
    return (bump(free(mine, q.EMPTY)), When(none, otherwise))


def rows_function(table: str, buckets: int) -> Function:
    """Makes the rows of a lock table, where a dump without data left them out."""
    target = q.qualified(names.RUNTIME_SCHEMA, table)
    name = statement.rows_function(q.Fragment(table)).text
    return Function(names.RUNTIME_SCHEMA, name, "void", block((), lock_rows(target, buckets)))


def lock_rows(table: q.Fragment, buckets: int) -> q.Fragment:
    """The statement that makes a lock table's rows."""
    return q.sql(
        "INSERT INTO {t} (b, st) SELECT b, st FROM generate_series(0, {n}) b, generate_series(0, {k}) st "
        "ON CONFLICT DO NOTHING;",
        t=table, n=q.literal(buckets - 1), k=q.literal(STRIPES - 1),
    )  # fmt: skip
