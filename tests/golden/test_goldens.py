"""Each golden file in its own transaction; and proof that the runner itself fails where it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import oracle
from .datadriven import BadFile, parse, run
from .directives import Session

TESTS = Path(__file__).parent.parent
FILES = sorted([*TESTS.glob("operators/*.ivm"), *TESTS.glob("rewrites/*.ivm"), TESTS / "unsupported.ivm"])


@pytest.mark.django_db
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_golden(path: Path) -> None:
    run(path, Session().execute).settle()
