"""The joint path: what several events of one statement changed, applied together when the last of them is done.

Small changes run statements that are planned once in a connection; large ones are planned for the data at hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.relation import WEIGHT, Compiled, Relation
from ..ir.statement import Step, variable
from ..maintenance.delta import Before, Change, emit_delta
from ..maintenance.plan import Node
from ..operators import Scan
from ..pg import sql as q
from .locking import DECLARED, lock_steps
from .pieces import spool_ctes
from .plpgsql import render
from .spool import Spool


@dataclass(frozen=True)
class Joint:
    """`locks` is the node's table of lock buckets."""

    node: Node
    spools: tuple[Spool, ...]
    locks: q.Fragment

    def flush(self, replace: q.Fragment, free: q.Fragment) -> tuple[tuple[tuple[str, str], ...], q.Fragment]:
        """(declarations, body) of the function that applies what is pending; one term when only one source changed.

        `replace` computes the node anew, `free` lets PostgreSQL choose any plan.
        """
        branches = [q.sql("IF position('!' IN ivm_pending) > 0 THEN\nPERFORM {r}();", r=replace)]
        for spool in self.spools:
            if len(self.spools) > 1 and self.node.direct(spool.source):
                only = q.literal(spool.token)
                steps = self._steps((spool,), self.node.change(spool.source))
                branches.append(q.sql("ELSIF replace(ivm_pending, '+', '') = {o} THEN\n{s}", o=only, s=steps))
        branches.append(q.sql("ELSE\n{s}\nEND IF;", s=self._steps(self.spools, self.node.joint_change())))
        body = q.sql(
            "IF ivm_large THEN\n{free}\nEND IF;\n{branches}\n{clear}\nRETURN;",
            free=free,
            branches=q.join("\n", branches),
            clear=q.join("\n", [spool.clear() for spool in self.spools]),
        )
        changed = tuple(
            (_changed(spool), q.sql("boolean := position({t} IN ivm_pending) > 0", t=q.literal(spool.token)).text)
            for spool in self.spools
        )
        declared = (
            ("ivm_large", "boolean := position('+' IN ivm_pending) > 0"),
            *changed,
            ("ivm_state", "text"),
            *(DECLARED if self.node.locks else ()),
            *self.node.store.declarations,
        )
        return declared, body

    def _steps(self, spools: tuple[Spool, ...], change: Relation) -> q.Fragment:
        compiled = self._change(spools, change)
        steps = [*self._locks(spools), *self.node.store.apply(compiled, joint=True, event="joint")]
        return q.sql(
            "IF ivm_large THEN\n{replanned}\nELSE\n{static}\nEND IF;",
            replanned=render(steps, replanned=True), static=render(steps),
        )  # fmt: skip

    def _change(self, spools: tuple[Spool, ...], change: Relation) -> Compiled:
        by_source = {spool.source.name: spool for spool in spools}

        def leaf(node: Relation) -> Compiled:
            assert isinstance(node, Change | Before)
            spooled = self._spooled(by_source[node.scan.source], node.scan)
            if isinstance(node, Change):
                # Without a row in Δ the term isn't begun anywhere else either: the condition is one of the whole join.
                has = variable(_changed(by_source[node.scan.source]))
                return Compiled(q.sql("{s} WHERE {has}", s=spooled, has=has), True)
            # OFFSET 0 keeps the second branch a subquery of its own: PostgreSQL can push a join key into an Append of
            # an index scan and a subquery, not into one with a bare CTE scan, and would read the whole index.
            # For the same reason no branch has a condition of its own.
            live = q.ident(node.scan.live) if node.scan.live else None
            now = [*node.scan.select_list(), *([q.sql("{l} AS ivm_live", l=live)] if live else [])]
            gone = [*(q.ident(name) for name in node.scan.names), *([q.Fragment("1::bigint")] if live else [])]
            both = q.sql(
                "SELECT {now}, 1 AS {w} FROM {t} UNION ALL (SELECT {gone}, -{w} FROM ({spooled}) ivm_o OFFSET 0)",
                now=now or [q.Fragment("1 AS ivm_row")],
                w=q.ident(WEIGHT),
                t=q.qualified(*node.scan.source),
                gone=gone or [q.literal(1)],
                spooled=spooled,
            )
            if live:
                columns = [*(q.ident(name) for name in node.scan.names), q.ident(WEIGHT)]
                both = q.sql("SELECT {c} FROM ({both}) ivm_b WHERE ivm_live > 0", c=columns, both=both)
            return Compiled(both, True)

        inner = emit_delta(change, leaf)
        return Compiled(q.sql("WITH {s} {i}", s=spool_ctes(spools), i=inner.select), True)

    def _spooled(self, spool: Spool, scan: Scan) -> q.Fragment:
        columns = [
            q.sql("{c} AS {n}", c=spool.column(stored), n=q.ident(column.name)) for column, stored in scan.columns
        ]
        return q.sql("SELECT {c} FROM {t}", c=[*columns, q.ident(WEIGHT)], t=q.Fragment(f"ivm_s{spool.source.number}"))

    def _locks(self, spools: tuple[Spool, ...]) -> tuple[Step, ...]:
        if self.node.locks is None:
            return ()
        changed = [(scan, self._spooled(spool, scan)) for spool in spools for scan in spool.source.leaves]
        return lock_steps(self.locks, self.node.locks, changed, spool_ctes(spools))


def _changed(spool: Spool) -> str:
    """The variable that says whether the spool holds anything."""
    return f"ivm_has{spool.source.number}"
