"""Drawn schemas, queries and traces: the view equals its original SQL after every statement."""

from __future__ import annotations

import os

import hypothesis
import pytest
from hypothesis import strategies as st

from .dice import Dice
from .oracle import Run, Tally, Wrong
from .scenarios import draw_script
from .shrink import shrink

EXAMPLES = "FUZZ_EXAMPLES"  # examples of each test; the fuzz profile's own number without it
FUZZING = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
SHRINKING = 60  # seconds for one failure

# name: examples in CI, arguments of draw_script, committed
FAMILIES: dict[str, tuple[int, dict[str, int], bool]] = {
    "views": (60, {"chains": 0, "large": 0}, False),
    "chains": (50, {"chains": 100, "large": 0}, False),
    "large": (15, {"chains": 30, "large": 100}, False),
    "committed": (30, {"chains": 40, "large": 4}, True),
}


def _examples(ci: int) -> int:
    if EXAMPLES in os.environ:
        return int(os.environ[EXAMPLES])
    return hypothesis.settings().max_examples if FUZZING else ci


@pytest.mark.hypothesis
@pytest.mark.parametrize("family", FAMILIES)
def test_views_equal_their_queries(
    family: str, seed: int, transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    ci, arguments, committed = FAMILIES[family]
    tally = Tally()

    # Its own choices for each family; no shrinking of choices, since scripts shrink better as SQL.
    @hypothesis.seed(f"{seed} {family}")
    @hypothesis.settings(
        max_examples=_examples(ci), phases=[hypothesis.Phase.generate], database=None, derandomize=False
    )
    @hypothesis.given(st.data())
    def run(data: st.DataObject) -> None:
        dice = Dice(lambda low, high: data.draw(st.integers(low, high)))
        script = draw_script(dice, **arguments)
        try:
            Run(script, tally, committed=committed).run()
        except Wrong as wrong:
            # Not within this example, which hypothesis would run again.
            found.append(wrong)
            raise

    found: list[Wrong] = []
    try:
        run()
    except Wrong:
        pass
    if found:
        small = shrink(found[0], SHRINKING, committed=committed)
        pytest.fail(f"seed {seed}, {family}; run the script with python -m tests.property.soak --replay\n{small}")
    with capsys.disabled():
        print(f"\n{family}, seed {seed}: {tally}")
    assert tally.checks >= tally.examples * 5, "nearly nothing was compared"
    assert tally.share >= 0.8, f"too few of the drawn queries are kept: {tally}"
    assert tally.invalid.total() <= 0.1 * (tally.kept + 1), f"PostgreSQL refuses too many: {tally}"
