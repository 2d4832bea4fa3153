"""Areas for the tests of capture."""

from tests.engine.fixtures import area

__all__ = ["area"]
