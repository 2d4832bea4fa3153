"""One server for the faults of a module, with views of several kinds in every mode."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import SEED_VARIABLE

from .world import World, a_world

KINDS = ["extremes", "kinds", "chain"]


@pytest.fixture(scope="module")
def world(django_db_blocker: Any) -> Iterator[World]:
    """Its views stay; a test leaves them exact and the server running."""
    with django_db_blocker.unblock(), a_world(random.Random(os.environ[SEED_VARIABLE])) as made:
        made.install(KINDS)
        yield made
