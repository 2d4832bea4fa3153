"""Runs a property under hypothesis; a failure is shown as a shrunk SQL script."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import replace

import hypothesis
import pytest
from hypothesis import strategies as st

from .dice import Dice
from .oracle import Run
from .outcome import Wrong
from .shrink import shrink

EXAMPLES = "FUZZ_EXAMPLES"  # examples of each property; without it, the fuzz profile's own number
SHRINKING = 60  # seconds for one failure


def check(name: str, seed: int, ci_examples: int, draw: Callable[[Dice], Run]) -> None:
    """Run what `draw` draws, again and again. Fails the test with the script that went wrong."""
    fuzzing = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
    profile = hypothesis.settings().max_examples if fuzzing else ci_examples
    found: list[Run] = []

    # Its own choices for each property; no shrinking of choices, since scripts shrink better as SQL.
    @hypothesis.seed(f"{seed} {name}")
    @hypothesis.settings(
        max_examples=int(os.environ.get(EXAMPLES, profile)), phases=[hypothesis.Phase.generate], database=None
    )
    @hypothesis.given(st.data())
    def prop(data: st.DataObject) -> None:
        run = draw(Dice(lambda low, high: data.draw(st.integers(low, high))))
        try:
            run.run()
        except Wrong as wrong:
            found.append(replace(run, script=wrong.script))
            wrongs.append(wrong)
            raise

    wrongs: list[Wrong] = []
    with contextlib.suppress(Wrong):
        prop()
    if found:
        small = shrink(wrongs[0], SHRINKING, found[0])
        pytest.fail(
            f"seed {seed}, {name}; to run the script: python -m tests.property.soak --replay FILE\n{small}",
            pytrace=False,
        )
