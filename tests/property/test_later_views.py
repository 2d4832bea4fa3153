"""Views in modes `commit` and `deferred` are exact after every flush and drain."""

from __future__ import annotations

import pytest

from .dice import Dice
from .harness import check
from .later import Later, draw_later
from .outcome import Tally

CI_EXAMPLES = 15


@pytest.mark.hypothesis
def test_a_view_equals_its_query_after_a_drain(
    seed: int, transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = Tally()

    def draw(dice: Dice) -> Later:
        return draw_later(dice, tally, committed=dice.chance(20))

    check("later", seed, CI_EXAMPLES, draw)
    with capsys.disabled():
        print(f"\nlater, seed {seed}: {tally}")
    assert tally.checks > tally.examples
