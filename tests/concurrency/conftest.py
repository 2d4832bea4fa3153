"""Areas for the tests of concurrency."""

from tests.engine.fixtures import area

__all__ = ["area"]
