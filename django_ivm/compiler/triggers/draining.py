"""Applying logged changes: the function that a drain or a commit calls for one view.

It fills the spools of every node that reads a source outside the view from the sources' logs, then lets each node's
flush apply them jointly, inputs first. What a node changes in its store reaches the nodes that read it by their
triggers, which spool too: a node's own count says that an event is in flight until its turn has come. So a node meets
the changes of all its inputs at once, as at the end of one statement that had made all of them.

The statements must see one state of the sources: the caller sees to that (a snapshot, or locks by key).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..maintenance.plan import Source
from ..pg import names
from ..pg import sql as q
from .capture import INDEXED, PLANNED_ONCE, STAMP, Capture
from .log import SourceLog
from .objects import Function
from .plpgsql import block
from .spool import SMALL_ROWS

ARGUMENTS = "ivm_xmax xid8, ivm_xips xid8[], ivm_own xid8, ivm_from bigint, ivm_anew boolean"
# Changes of transactions that the cursor's snapshot didn't see, of its own only those after it. Written so that an
# index finds them while a long writer holds back the snapshot's xmin (`xid >= xmin AND NOT visible` reads all since).
PENDING = q.Fragment(
    "(ivm_xid >= ivm_xmax OR ivm_xid = ANY(ivm_xips)) AND NOT (ivm_xid = ivm_own AND ivm_seq <= ivm_from)"
)


@dataclass(frozen=True)
class Draining:
    """`captures` are the view's nodes, inputs first; `own` its own stores; `logs` one for each source outside."""

    prefix: str
    captures: Sequence[Capture]
    own: frozenset[tuple[str, str]]
    logs: Sequence[SourceLog]

    def apply(self) -> Function:
        """Apply what is pending and say how many changes that were; with `ivm_anew` compute the nodes anew instead."""
        settings: dict[str, str] = dict(INDEXED + PLANNED_ONCE)
        for capture in self.captures:
            settings |= capture.text_settings
        declared = [("ivm_state", "text"), ("ivm_pending", "text"), ("ivm_stamp", f"text := {STAMP}")]
        declared += [(self._count(log), "bigint") for log in self.logs]
        body = [self._counted()]
        outer = [capture for capture in self.captures if self._outside(capture)]
        body += [self._begin(capture) for capture in outer]
        body += [self._flush(capture) if capture in outer else self._anew(capture) for capture in self.captures]
        total = q.join(" + ", [q.Fragment(self._count(log)) for log in self.logs])
        body.append(q.sql("RETURN {total};", total=total))
        return Function(
            names.RUNTIME_SCHEMA, names.derived(self.prefix, "apply"), "bigint",
            block(declared, q.join("\n", body)), tuple(settings.items()), ARGUMENTS,
        )  # fmt: skip

    def _outside(self, capture: Capture) -> tuple[Source, ...]:
        return tuple(source for source in capture.node.sources if source.name not in self.own)

    def _log(self, source: Source) -> SourceLog:
        return next(log for log in self.logs if (log.schema, log.table) == source.name)

    def _count(self, log: SourceLog) -> str:
        return f"ivm_log{self.logs.index(log)}"

    def _counted(self) -> q.Fragment:
        counts = [q.sql("(SELECT count(*) FROM {t} WHERE {p})", t=log.target, p=PENDING) for log in self.logs]
        return q.sql("SELECT {c} INTO {n};", c=counts, n=[q.Fragment(self._count(log)) for log in self.logs])

    def _begin(self, capture: Capture) -> q.Fragment:
        """Fill the node's spools and count one event in flight."""
        filled = [self._fill(capture, source) for source in self._outside(capture)]
        empty = [capture.spool(source).forget() for source in capture.node.sources]
        return q.sql(
            "{empty}\nivm_pending := '';\nIF ivm_anew THEN\nivm_pending := '!';\nELSE\n{filled}\nEND IF;\n"
            "ivm_state := set_config({s}, ivm_stamp || '/1/' || ivm_pending, true);",
            empty=q.join("\n", empty), filled=q.join("\n", filled), s=q.literal(capture.setting),
        )  # fmt: skip

    def _fill(self, capture: Capture, source: Source) -> q.Fragment:
        log, spool = self._log(source), capture.spool(source)
        count = q.Fragment(self._count(log))
        rows = self._rows(log, source)
        return q.sql(
            "IF {n} > 0 THEN\nIF {n} <= {few} THEN\n{small}\nELSE\n{large}\n"
            "IF position('+' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || '+'; END IF;\nEND IF;\n"
            "ivm_pending := ivm_pending || {token};\nEND IF;",
            n=count,
            few=q.literal(SMALL_ROWS),
            small=spool.remember(rows),
            large=spool.store(rows),
            token=q.literal(spool.token),
        )

    def _rows(self, log: SourceLog, source: Source) -> q.Fragment:
        """What is pending of a source, as the node reads it. Changes that undo each other are left out: of a row that
        was written many times the first and the last state are left, and what came and went is met by no expression
        that might fail for it. Only of types whose equal values look the same: else 1.0 would stand for 1.00."""
        columns = [log.column(name) for name in source.read_columns]
        exact = {column.name: column.exact for column in log.columns}
        if not all(exact[name] for name in source.read_columns):
            weighted = [*columns, q.Fragment("ivm_w")]
            return q.sql("SELECT {c} FROM {t} WHERE {pending}", c=weighted, t=log.target, pending=PENDING)
        by = q.sql(" GROUP BY {c}", c=columns) if columns else q.EMPTY
        net = q.sql(
            "SELECT {c} FROM {t} WHERE {pending}{by} HAVING sum(ivm_w) <> 0",
            c=[*columns, q.Fragment("sum(ivm_w) AS ivm_n")], t=log.target, pending=PENDING, by=by,
        )  # fmt: skip
        weighted = [*columns, q.Fragment("sign(ivm_n)::integer")]
        return q.sql(
            "SELECT {c} FROM ({net}) ivm_net CROSS JOIN generate_series(1, abs(ivm_n)) ivm_copy", c=weighted, net=net
        )

    def _anew(self, capture: Capture) -> q.Fragment:
        """A node over levels alone follows them by its triggers, from whatever it holds."""
        replace = q.qualified(names.RUNTIME_SCHEMA, capture.name("replace"))
        return q.sql("IF ivm_anew THEN\nPERFORM {f}();\nEND IF;", f=replace)

    def _flush(self, capture: Capture) -> q.Fragment:
        return q.sql(
            "ivm_pending := split_part(current_setting({s}, true), '/', 3);\n"
            "IF ivm_pending <> '' THEN\n"
            "ivm_state := set_config({s}, ivm_stamp || '/1000000/', true);\nPERFORM {flush}(ivm_pending);\n"
            "IF current_setting({s}, true) <> ivm_state THEN\n{feedback}\nEND IF;\nEND IF;\n"
            "ivm_state := set_config({s}, '', true);",
            s=q.literal(capture.setting),
            flush=q.qualified(names.RUNTIME_SCHEMA, capture.name("flush")),
            feedback=capture.feedback(),
        )
