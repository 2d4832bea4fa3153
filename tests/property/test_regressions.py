"""Cases that once went wrong, shrunk: plain SQL scripts in `regressions/`, one file each."""

from __future__ import annotations

from pathlib import Path

import pytest

from .oracle import Run
from .outcome import Tally
from .script import Script

SCRIPTS = sorted((Path(__file__).parent / "regressions").glob("*.sql"))


@pytest.mark.parametrize("committed", [False, True], ids=["together", "committed"])
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path, committed: bool, transactional_db: None) -> None:
    script = Script.parse(path.read_text())
    tally = Tally()
    Run(script, tally, committed=committed).run()
    refused = path.read_text().startswith("-- Refused")
    assert tally.kept == (0 if refused else len(script.views)), tally
    assert tally.kept + tally.refused.total() == len(script.views), tally
    assert refused or tally.steps == len(script.steps)


def test_a_script_is_read_as_it_was_written() -> None:
    for path in SCRIPTS:
        script = Script.parse(path.read_text())
        assert Script.parse(str(script)) == script
