"""The property tests can fail: each broken rule is noticed within a few dozen drawn examples."""

from __future__ import annotations

from typing import Any

import pytest

from django_ivm.compiler.ir.relation import Relation
from django_ivm.compiler.maintenance import delta
from django_ivm.compiler.maintenance.plan import Node, Source
from django_ivm.compiler.maintenance.stores.aggregate import AggregateStore
from django_ivm.compiler.maintenance.stores.top_n import TopNStore
from django_ivm.compiler.operators import Scan, functions
from django_ivm.compiler.pg import sql as q
from django_ivm.compiler.triggers.capture import Capture
from django_ivm.compiler.triggers.spool import Spool

from .dice import Dice
from .oracle import Run
from .outcome import Tally, Wrong
from .scenarios import draw_script
from .script import Script

EXAMPLES = 60
# How a wrong view shows itself; an installation that fails would prove nothing.
SHOWN = ("wrong rows", "state", "verify")


def _join_without_the_state_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def before(relation: Relation, changed: frozenset[int]) -> Relation:
        return relation

    monkeypatch.setattr(delta, "before", before)


def _groups_that_ended_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scan, "alive", lambda self: q.EMPTY)


def _extreme_that_went_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def probe(self: AggregateStore, joint: bool, event: str) -> q.Fragment:
        return q.literal(False)

    monkeypatch.setattr(AggregateStore, "_probe", probe)


def _nulls_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "_present", lambda call: call.filter.sql() if call.filter else q.EMPTY)


def _events_of_a_statement_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Node, "counted", property(lambda self: False))


def _one_read_column_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Capture.changed

    def changed(self: Capture, source: Source, event: str) -> q.Fragment:
        if event == "update":
            row = q.ident(source.read_columns[0]) if source.read_columns else q.literal(1)
            return q.sql("ARRAY(SELECT {r}::text FROM ivm_old) <> ARRAY(SELECT {r}::text FROM ivm_new)", r=row)
        return original(self, source, event)

    monkeypatch.setattr(Capture, "changed", changed)


def _boundary_never_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TopNStore, "_near", lambda self, change: q.sql("SELECT false"))


def _old_rows_not_spooled(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Spool.write
    monkeypatch.setattr(Spool, "write", lambda self, event: original(self, "insert" if event == "update" else event))


MUTANTS = (
    _join_without_the_state_before,
    _groups_that_ended_still_read,
    _extreme_that_went_kept,
    _nulls_counted,
    _events_of_a_statement_apart,
    _one_read_column_compared,
    _boundary_never_moves,
    _old_rows_not_spooled,
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.__name__.strip("_"))
def test_a_broken_rule_is_noticed(
    mutant: Any, monkeypatch: pytest.MonkeyPatch, transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = Tally()
    for number in range(EXAMPLES):
        script = draw_script(Dice.seeded(f"mutants {number}"), large=0)
        with monkeypatch.context() as broken:
            mutant(broken)
            kind = _run(script, tally)
        if kind in SHOWN:
            assert _run(script, tally) == "", "this script fails with the rule as it is, too"
            with capsys.disabled():
                print(f"\n{mutant.__name__.strip('_')}: {kind} in example {number + 1}")
            return
    pytest.fail(f"not noticed: {tally}")


def _run(script: Script, tally: Tally) -> str:
    """The kind of failure; empty for none."""
    try:
        Run(script, tally).run()
    except Wrong as wrong:
        return wrong.kind
    return ""
