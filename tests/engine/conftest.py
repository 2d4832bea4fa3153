"""Areas for the tests of the engine."""

from tests.engine.fixtures import area

__all__ = ["area"]
