"""Views that are refreshed in full or by hand: whenever one differs from its query it says that it is stale."""

from __future__ import annotations

import pytest

from .dice import Dice
from .harness import check
from .marked import Marked, draw_marked
from .outcome import Tally

CI_EXAMPLES = 25


@pytest.mark.hypothesis
def test_a_view_that_differs_says_so(seed: int, transactional_db: None, capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    runs: list[Marked] = []

    def draw(dice: Dice) -> Marked:
        runs.append(draw_marked(dice, tally))
        return runs[-1]

    check("marked", seed, CI_EXAMPLES, draw)
    with capsys.disabled():
        print(f"\nmarked, seed {seed}: {tally}; {sum(r.noticed for r in runs)} times stale")
    if len(runs) >= CI_EXAMPLES:  # fewer, as FUZZ_EXAMPLES may ask for, prove nothing about the generators
        assert tally.refused["full"] > len(runs) / 2, "too few views that have no rule"
        assert sum(run.noticed for run in runs) > len(runs)
        assert sum(run.refreshed for run in runs) > len(runs)
