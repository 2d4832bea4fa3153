"""Fixtures that the conftest modules of several directories share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .area import Area, an_area


@pytest.fixture
def area(transactional_db: None) -> Iterator[Area]:
    """A schema of the test's own, for writes that are really committed."""
    with an_area() as made:
        yield made
