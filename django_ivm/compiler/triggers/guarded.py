"""`on_error="stale"`: a failing maintenance leaves a mark and lets the write through.

The body of each trigger function on a source outside the view runs in a subtransaction. What fails in it is rolled
back, the view is marked stale with the error, and the write goes on. Serialization failures and deadlocks (class 40),
cancels and shutdowns (class 57) and lock_timeout, a cancel by the user's own limit, raise as ever: a retry is what they
ask for. A failure inside the view's own levels or in the views that read it is a failure of the body.

From then on nobody maintains the view, since what is stored is of no known state: a writer that sees a failure leaves a
mark of its own instead, once in a transaction, with its change. Failures are told by a table of the view's own: the
table of all marks is written by writers of other views, whom reading it would tie to ours under SERIALIZABLE.

That nothing is lost, whatever runs at once:

* A writer that fails or skips marks the view in the transaction of its change. Whoever sees the change sees the mark. A
  refresh deletes the marks that it sees, and computes later than that: what it deletes it has met, others stay.
* A writer that maintains may have missed the change of one that failed beside it, for the failing one's locks on
  buckets and groups went with its subtransaction. So it locks the view's epoch table (ROW EXCLUSIVE, until its end)
  before it reads anything. A refresh locks that table in SHARE ROW EXCLUSIVE mode first: then every writer that
  maintained has ended, and the refresh meets its change. Who maintains after the refresh reads, in READ COMMITTED, what
  it left.
* Above READ COMMITTED a writer may come after the refresh with a snapshot from before. Where that shows the failure, it
  skips and marks. Where it is older than the failure too, the writer would maintain what it can't see. So a refresh
  that deletes marks bumps the epoch's rows, and such a writer locks one of them (FOR SHARE; KEY SHARE would let it
  pass): it ends in 40001.
* A refresh above READ COMMITTED doesn't see who maintained since its snapshot, maybe beside the failing writer. It
  computes, and leaves the marks; `refresh()` opens its own transactions in READ COMMITTED.

A writer that maintains a view that is stale already (it doesn't see the failure) does no harm: the next refresh waits
for it and computes anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..pg import names
from ..pg import sql as q
from ..pg.shared import STRIPES
from .marking import is_marked, mark
from .objects import Function
from .plpgsql import block

REASON_LIMIT = 500  # characters of an error that are kept
DECLARED = ("ivm_context", "text")
_HERE = q.Fragment("lower(TG_OP) || ' on ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME")


def epoch_table(prefix: str) -> str:
    """The table by which refreshes of a view and its writers know of each other."""
    return names.derived(prefix, "epoch")


def failure_table(prefix: str) -> str:
    """The table with a row for each failure since the last refresh."""
    return names.derived(prefix, "failed")


@dataclass(frozen=True)
class Guard:
    """What a view does about failures. `view` is (schema, name), `own` are its stores."""

    prefix: str
    view: tuple[str, str]
    own: frozenset[tuple[str, str]] = frozenset()

    @property
    def _epoch(self) -> q.Fragment:
        return q.qualified(names.RUNTIME_SCHEMA, epoch_table(self.prefix))

    def create(self) -> tuple[str, str]:
        """The table of failures: its name and CREATE statement."""
        create = q.sql("CREATE TABLE {t} (xid xid8 NOT NULL DEFAULT pg_current_xact_id())", t=self._failures)
        return failure_table(self.prefix), create.text

    @property
    def _failures(self) -> q.Fragment:
        return q.qualified(names.RUNTIME_SCHEMA, failure_table(self.prefix))

    def enter(self, met: q.Fragment, drop: q.Fragment, leave: q.Fragment) -> q.Fragment:
        """plpgsql that skips an event of a stale view, else keeps refreshes away. `met`: the event, or what waits to be
        applied with it, has changed something; `drop` forgets that, `leave` ends the function."""
        once = q.sql(
            "IF NOT {marked} THEN\n{mark}\nEND IF;",
            marked=is_marked(self.prefix, self.view),
            mark=self._mark(q.sql("'not applied to a stale view: ' || {h}", h=_HERE)),
        )  # fmt: skip
        return q.sql(
            "IF EXISTS (SELECT 1 FROM {f}) THEN\nIF {met} THEN\n{once}\n{drop}\nEND IF;\n{leave}\nEND IF;\n{keep}\n",
            f=self._failures, met=met, once=once, drop=drop, leave=leave, keep=self._keep_out_refreshes(),
        )  # fmt: skip

    def wrapped(self, body: q.Fragment, drop: q.Fragment, leave: q.Fragment) -> q.Fragment:
        """A trigger function's body, with what is done about its failure."""
        # What fails inside a maintenance of the same view, by a trigger on its table that writes a source, is left to
        # the outermost: all that its maintenance led to is taken back.
        nested = q.sql(
            "GET DIAGNOSTICS ivm_context = PG_CONTEXT;\nIF ivm_context ~ {n} THEN\nRAISE;\nEND IF;\n",
            n=q.literal(f"\\n.*{self.prefix}_\\w*[(]"),
        )
        return self._caught(body, _HERE, q.join("\n", [part for part in (drop, leave) if part]), nested)

    def at_commit(self, apply: str, arguments: str) -> Function:
        """The function that a commit calls in the place of `apply`, which has the same arguments."""
        given = [q.Fragment(part.split()[0]) for part in arguments.split(", ")]
        # The caller has taken back this transaction's marks, for it can't tell these from those of a TRUNCATE.
        body = q.sql(
            "IF EXISTS (SELECT 1 FROM {f}) THEN\n{mark}\nRETURN 0;\nEND IF;\n{keep}\nRETURN {apply}({given});",
            f=self._failures,
            mark=self._mark(q.literal("not applied to a stale view: the changes of a transaction")),
            keep=self._keep_out_refreshes(),
            apply=q.qualified(names.RUNTIME_SCHEMA, apply),
            given=given,
        )
        body = self._caught(body, q.literal("commit"), q.Fragment("RETURN 0;"))
        name = names.derived(self.prefix, "guarded")
        return Function(names.RUNTIME_SCHEMA, name, "bigint", block((), body), (), arguments)

    def _mark(self, reason: q.Fragment) -> q.Fragment:
        return mark(self.prefix, self.view, reason)

    def _keep_out_refreshes(self) -> q.Fragment:
        return q.sql(
            "LOCK TABLE {epoch} IN ROW EXCLUSIVE MODE;\n"
            "IF current_setting('transaction_isolation') <> 'read committed' THEN\n"
            "PERFORM 1 FROM {epoch} WHERE b = 0 AND st = pg_backend_pid() % {n} FOR SHARE;\n"
            "IF NOT FOUND THEN\nRAISE EXCEPTION 'the view % was installed after this transaction''s snapshot', {view} "
            "USING ERRCODE = 'serialization_failure', HINT = 'Run the transaction again.';\nEND IF;\nEND IF;",
            epoch=self._epoch, n=q.literal(STRIPES), view=q.literal(".".join(self.view)),
        )  # fmt: skip

    def _caught(
        self, body: q.Fragment, where: q.Fragment, afterwards: q.Fragment, first: q.Fragment = q.EMPTY
    ) -> q.Fragment:
        """The body, and after a failure `first`, the mark and `afterwards`. OTHERS leaves out failed assertions."""
        return q.sql(
            "BEGIN\n{body}\n"
            "EXCEPTION\n"
            "WHEN transaction_rollback OR operator_intervention OR lock_not_available THEN\nRAISE;\n"
            "WHEN OTHERS OR assert_failure THEN\n"
            "{first}INSERT INTO {f} DEFAULT VALUES;\n{mark}\n"
            "RAISE WARNING 'maintenance of the view % failed, it is stale from now on: %', {view}, "
            "left(SQLERRM, {limit}) USING DETAIL = SQLSTATE || ' by ' || {where}, "
            "HINT = 'Correct the cause, then refresh the view; until then its rows stay as they are.';\n"
            "{afterwards}\nEND;",
            body=body,
            f=self._failures,
            first=first,
            mark=self._mark(
                q.sql(
                    "left('maintenance failed by ' || {w} || ': ' || SQLSTATE || ' ' || SQLERRM, {limit})",
                    w=where, limit=q.literal(REASON_LIMIT),
                )
            ),
            view=q.literal(".".join(self.view)),
            limit=q.literal(REASON_LIMIT),
            where=where,
            afterwards=afterwards,
        )  # fmt: skip
