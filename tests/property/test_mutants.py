"""The property tests can fail: each broken rule is noticed within a few dozen drawn examples."""

from __future__ import annotations

import pytest

from .hunt import Found, hunt
from .mutants import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_a_broken_rule_is_noticed(mutant: Mutant, transactional_db: None, capsys: pytest.CaptureFixture[str]) -> None:
    found = hunt(mutant, "1")
    assert isinstance(found, Found), f"{mutant.rule}: {mutant.mutation}: not noticed: {found}"
    with capsys.disabled():
        print(f"\n{mutant.rule}, {mutant.mutation}: {found.kind} in example {found.example}")
