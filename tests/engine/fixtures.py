"""Fixtures that the conftest modules of several directories share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .area import Area, an_area


@pytest.fixture
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """In the place of pytest-django's: an area drops what it made, so that the flush of all tables can be saved."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def area(transactional_db: None) -> Iterator[Area]:
    """A schema of the test's own, for writes that are really committed."""
    with an_area() as made:
        yield made
