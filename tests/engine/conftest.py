"""Areas for the tests of engine."""

from tests.engine.fixtures import area, transactional_db

__all__ = ["area", "transactional_db"]
