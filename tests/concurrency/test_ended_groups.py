"""A group that ends after a transaction's snapshot, and comes back in it: the transaction would see it twice."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from tests.engine.area import Area

VIEWS = {
    "sums": "SELECT g, count(*) AS n, sum(v) AS s FROM sale GROUP BY g",
    "sets": "SELECT DISTINCT g FROM sale",
    "levels": "SELECT n, count(*) AS m FROM (SELECT g, count(*) AS n FROM sale GROUP BY g) x GROUP BY n",
    "union": "SELECT g FROM sale UNION SELECT v FROM sale WHERE v > 1000",
    "texts": "SELECT label, count(*) AS n FROM sale GROUP BY label",
}
ROWS = "INSERT INTO sale VALUES (1, 1, 10, 'a'), (2, 2, 20, NULL), (3, 2, 30, 'b')"


@pytest.fixture
def sales(area: Area) -> Area:
    area.run(f"CREATE TABLE sale (id int PRIMARY KEY, g int, v int, label text); {ROWS}")
    for name, query in VIEWS.items():
        area.view(name, query)
    return area


def look(area: Area, session: psycopg.Connection) -> None:
    """What a transaction sees of the views is what the queries give it."""
    area.check(session=session)


@pytest.mark.parametrize("ended", [1, 2], ids=["of a number", "of NULL"])
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_group_that_ended_comes_back(sales: Area, level: str, ended: int) -> None:
    writer = sales.connect()
    writer.execute(f"BEGIN ISOLATION LEVEL {level}")
    look(sales, writer)
    sales.run("DELETE FROM sale WHERE id = %s", ended)
    look(sales, writer)
    again = "INSERT INTO sale SELECT 10, %s, 5, %s"
    group, label = (1, "a") if ended == 1 else (7, None)
    with pytest.raises(errors.SerializationFailure):
        writer.execute(again, (group, label))
    writer.execute("ROLLBACK")
    writer.execute(f"BEGIN ISOLATION LEVEL {level}")
    writer.execute(again, (group, label))
    look(sales, writer)
    writer.execute("COMMIT")
    sales.check()


def test_read_committed_goes_on(sales: Area) -> None:
    writer = sales.connect()
    writer.execute("BEGIN")
    look(sales, writer)
    sales.run("DELETE FROM sale WHERE id = 1")
    writer.execute("INSERT INTO sale VALUES (10, 1, 5, 'a')")
    look(sales, writer)
    writer.execute("COMMIT")
    sales.check()


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_one_that_ended_and_came_back_in_one_transaction(sales: Area, level: str) -> None:
    writer = sales.connect()
    writer.execute(f"BEGIN ISOLATION LEVEL {level}")
    for statement in (
        "DELETE FROM sale", ROWS, "UPDATE sale SET g = g + 1", "UPDATE sale SET g = g - 1", "SAVEPOINT s",
        "DELETE FROM sale WHERE g = 1", "ROLLBACK TO s", "INSERT INTO sale VALUES (4, 1, 1, 'a'), (5, 9, 1, NULL)",
    ):  # fmt: skip
        writer.execute(statement)
        look(sales, writer)
    writer.execute("COMMIT")
    sales.check()
