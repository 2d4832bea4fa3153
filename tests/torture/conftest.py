"""Areas for the torture."""

from tests.engine.fixtures import transactional_db

__all__ = ["transactional_db"]
