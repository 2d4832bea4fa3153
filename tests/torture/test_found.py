"""What the torture has found, step by step."""

from __future__ import annotations

import random

import psycopg
import pytest

from .client import RETRYABLE
from .world import World

pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.mark.parametrize("mode", ["immediate", "commit"])
@pytest.mark.parametrize(
    "view, table, other",
    [
        ("both", "loose", "INSERT INTO side VALUES (1, 'new')"),
        ("not_in", "side", "INSERT INTO loose VALUES (1, 1, 'x')"),
        ("bag", "loose", "INSERT INTO loose VALUES (77, 1, 'x')"),
    ],
)
def test_truncate_under_an_older_snapshot(mode: str, view: str, table: str, other: str) -> None:
    """What is computed anew at a snapshot that doesn't see another's committed row can't be right: it fails, or the view
    says that it is stale."""
    world = World("storm", mode, [view], random.Random(1), truncates=True)
    state = None
    try:
        older, newer = world.area.connect(), world.area.connect()
        older.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        older.execute("SELECT count(*) FROM region")
        newer.execute(other)
        try:
            older.execute(f"TRUNCATE {table}")
            older.execute("COMMIT")
        except psycopg.Error as error:
            state = error.sqlstate
            older.execute("ROLLBACK")
        assert state in (None, *RETRYABLE)
        assert world.area.run(world.silently_different(view)) == []
        older.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        older.execute(f"TRUNCATE {table}")
        older.execute("COMMIT")
        assert world.quiet()[1] == []
    finally:
        world.drop()
