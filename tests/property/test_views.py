"""Drawn schemas, queries and traces: the view equals its original SQL after every statement."""

from __future__ import annotations

from typing import Any

import pytest

from .harness import check
from .oracle import Run
from .outcome import Tally
from .queries import FEATURES
from .scenarios import draw_script

# name: examples in CI, arguments of draw_script, every step in a transaction of its own
FAMILIES: dict[str, tuple[int, dict[str, Any], bool]] = {
    "views": (30, {"chains": 0, "large": 0}, False),
    "chains": (30, {"chains": 100, "large": 0}, False),
    "large": (12, {"chains": 30, "large": 100}, False),
    "committed": (20, {"chains": 40, "large": 4}, True),
    # Each kind of construct by itself.
    **{name: (6, {"chains": 20, "large": 0, "features": (name,)}, False) for name in FEATURES},
}


@pytest.mark.hypothesis
@pytest.mark.parametrize("family", FAMILIES)
def test_views_equal_their_queries(
    family: str, seed: int, transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    examples, arguments, committed = FAMILIES[family]
    tally = Tally()
    check(family, seed, examples, lambda dice: Run(draw_script(dice, **arguments), tally, committed=committed))
    with capsys.disabled():
        print(f"\n{family}, seed {seed}: {tally}")
    assert tally.checks >= tally.examples * 4, "nearly nothing was compared"
    assert tally.slow <= 1 + tally.examples // 50, tally
    if tally.examples >= examples:  # FUZZ_EXAMPLES may ask for fewer
        assert tally.share >= 0.6, f"too few of the drawn queries are kept: {tally}"
        assert tally.invalid.total() <= 1 + 0.1 * tally.kept, f"PostgreSQL refuses too many: {tally}"
