"""Which indexes a plan misses on the tables it reads; and that those it names are those it would use."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

import django_ivm
from django_ivm.engine import install
from django_ivm.engine.spec import ViewSpec
from tests.engine.area import Area

ROWS = 4_000
GROUPED = "SELECT shop, at, max(amount) AS most FROM sale GROUP BY shop, at"


@pytest.fixture
def shop(area: Area) -> Area:
    area.run("CREATE TABLE cust (id int PRIMARY KEY, nation int, region text)")
    area.run("CREATE TABLE sale (id int PRIMARY KEY, cust int, amount numeric(10,2), at date, shop int, kind text)")
    area.run(f"INSERT INTO cust SELECT i, i % 25, 'r' || i % 5 FROM generate_series(1, {ROWS}) i")
    area.run(
        f"INSERT INTO sale SELECT i, i % {ROWS} + 1, i, date '2024-01-01' + i % 100, i % 50, 'k' || i % 3 "
        f"FROM generate_series(1, {ROWS}) i"
    )
    area.run("ANALYZE")
    return area


def missing(query: str) -> list[tuple[str, tuple[str, ...]]]:
    compiled = install.plan(ViewSpec(name="advised", sql=query), connection)
    assert compiled.strategy == "incremental"
    return [(table, columns) for _, table, columns in compiled.installation.missing_indexes]


def reads(area: Area, table: str) -> int:
    """Rows read from a table, in order or by index, as this session has counted so far."""
    query = "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_all_tables WHERE relname = %s"
    return int(area.value(query, table))


@pytest.mark.parametrize(
    "query, expected",
    [
        ("SELECT shop, sum(amount) AS s FROM sale GROUP BY shop", []),
        ("SELECT s.id, c.region FROM sale s JOIN cust c ON c.id = s.cust", [("sale", ("cust",))]),
        ("SELECT s.id, c.region FROM sale s LEFT JOIN cust c ON c.id = s.cust", [("sale", ("cust",))]),
        ("SELECT id FROM cust c WHERE EXISTS (SELECT 1 FROM sale s WHERE s.cust = c.id)", [("sale", ("cust",))]),
        (
            "SELECT a.id AS x, b.id AS y FROM sale a JOIN sale b ON a.shop = b.shop AND a.at = b.at",
            [("sale", ("shop", "at"))],
        ),
        (GROUPED, [("sale", ("shop", "at", "amount"))]),
        ("SELECT shop, string_agg(kind, ',' ORDER BY id) AS s FROM sale GROUP BY shop", [("sale", ("shop",))]),
        ("SELECT upper(kind) AS k, max(amount) AS m FROM sale GROUP BY upper(kind)", []),  # no column: nothing to name
        ("SELECT id, rank() OVER (PARTITION BY shop ORDER BY amount) AS r FROM sale", [("sale", ("shop",))]),
        ("SELECT max(amount) AS m, min(id) AS l FROM sale", [("sale", ("amount",))]),
        (
            "SELECT c.region, s.shop, max(s.amount) AS m FROM sale s JOIN cust c ON c.id = s.cust GROUP BY 1, 2",
            [("sale", ("cust",)), ("sale", ("shop",))],  # of the keys the one that tells more apart
        ),
        (
            "SELECT a.id AS x, b.id AS y FROM sale a JOIN sale b ON a.cust = b.cust AND a.amount < b.amount",
            [("sale", ("cust",))],  # and the amounts of those are compared
        ),
        ("SELECT a.id AS x, b.id AS y FROM cust a JOIN sale b ON a.id < b.shop", [("sale", ("shop",))]),
        (  # s.cust = c.id = m.cust: a sale is found by its customer from both
            "SELECT s.id FROM cust c JOIN sale s ON s.cust = c.id JOIN (SELECT cust, sum(amount) AS most FROM sale "
            "GROUP BY cust) m ON m.cust = c.id AND s.amount = m.most",
            [("sale", ("cust",))],
        ),
        ("SELECT n, count(*) AS c FROM (SELECT cust, count(*) AS n FROM sale GROUP BY cust) x GROUP BY n", []),
        ("SELECT max(t) AS m FROM (SELECT cust, sum(amount) AS t FROM sale GROUP BY cust) x", []),
    ],
)
def test_what_is_missing(shop: Area, query: str, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    assert missing(query) == expected
    for table, columns in expected:
        shop.run(f"CREATE INDEX ON {table} ({', '.join(columns)})")
    assert missing(query) == []


def test_an_index_on_leading_columns_serves(shop: Area) -> None:
    shop.run("CREATE INDEX ON sale (at, shop)")
    assert missing(GROUPED) == []


@pytest.mark.parametrize("index", ["(shop) WHERE amount > 5", "((shop + 0))", "(amount, shop)", "USING hash (shop)"])
def test_an_index_that_does_not_help(shop: Area, index: str) -> None:
    shop.run(f"CREATE INDEX ON sale {index}")
    assert missing("SELECT shop, string_agg(kind, ',' ORDER BY id) AS s FROM sale GROUP BY shop") == [
        ("sale", ("shop",))
    ]


def test_what_is_named_is_what_helps(shop: Area) -> None:
    """Without the indexes a small write reads the table, with them a few rows."""
    shop.view("v", "SELECT s.id, c.region FROM sale s JOIN cust c ON c.id = s.cust")
    shop.view("w", GROUPED)

    def cost() -> int:
        with transaction.atomic():
            before = reads(shop, "sale")
            shop.run("UPDATE cust SET region = 'x' WHERE id = 5")
            shop.run("DELETE FROM sale WHERE id = 1000")
            after = reads(shop, "sale")
            transaction.set_rollback(True)
        return after - before

    assert cost() >= ROWS
    for index in (*django_ivm.get_view("v").explain().indexes, *django_ivm.get_view("w").explain().indexes):
        shop.run(index.definition)
    shop.run("ANALYZE sale")
    assert cost() < 300


def test_the_first_of_all_rows_is_found_in_an_index(shop: Area) -> None:
    """Of a table that the user has indexed, and of a level of our own: a write doesn't read all groups."""
    query = "SELECT max(amount) AS m, min(at) AS a FROM sale"
    whole = shop.view("plain", query)
    assert [reason.code for reason in whole.explain().reasons] == ["WHOLE"]
    shop.run("CREATE INDEX ON sale (amount)")
    assert [reason.code for reason in whole.explain().reasons] == ["WHOLE"]
    shop.run("CREATE INDEX ON sale (at DESC)")
    assert whole.explain().reasons == ()
    filtered = shop.view("filtered", query + " WHERE kind = 'k1'")  # the index says nothing of the filter
    assert [reason.code for reason in filtered.explain().reasons] == ["WHOLE"]
    shop.view("most", "SELECT max(t) AS m, min(t) AS l FROM (SELECT cust, sum(amount) AS t FROM sale GROUP BY cust) x")
    assert shop.installed("most").reasons == ()
    level = next(name for name in shop.installed("most").objects["tables"] if "level" in name)
    shop.run("ANALYZE")
    for statement in (
        "UPDATE sale SET amount = 0 WHERE amount = (SELECT max(amount) FROM sale)",
        "DELETE FROM sale WHERE cust = 1",
        "INSERT INTO sale VALUES (0, 7, -10, '2020-01-01', 1, 'k1')",
        "UPDATE sale SET amount = NULL WHERE id = 9",
        "WITH x AS (DELETE FROM sale WHERE id = 0) UPDATE sale SET at = at + 1 WHERE id < 5",
    ):
        with transaction.atomic():
            before = reads(shop, level)
            shop.run(statement)
            more = reads(shop, level) - before
        assert more < 50, (statement, more)
        shop.check()


def test_estimates(shop: Area) -> None:
    """Rows and values as statistics have them, of partitions together; a guess where nobody counted."""
    shop.run("CREATE TABLE log (id int, day int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)")
    shop.run("CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (50)")
    shop.run("CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (50) TO (100)")
    shop.run("INSERT INTO log SELECT i, i % 100 FROM generate_series(1, 3000) i")
    query = "SELECT day, count(*) AS n FROM log GROUP BY day"

    def table() -> tuple[float, float | None]:
        (info,) = install.plan(ViewSpec(name="advised", sql=query), connection).catalog.tables
        column = info.column("day")
        assert info.rows is not None
        assert column is not None
        return info.rows, column.distinct

    rows, distinct = table()
    assert 1000 < rows < 10_000
    assert distinct is None
    shop.run("ANALYZE log")
    assert table() == (pytest.approx(3000, rel=0.01), pytest.approx(100, rel=0.01))


def test_a_view_that_is_read_is_advised_too(shop: Area) -> None:
    """By the table that stores it, where its own name is a SELECT-only view over hidden columns."""
    shop.view("shown", "SELECT c.region, s.amount FROM sale s JOIN cust c ON c.id = s.cust")
    storage = shop.installed("shown").storage
    joined = shop.view("joined", "SELECT c.id, r.amount FROM cust c JOIN shown r ON r.region = c.region AND c.id < 9")
    found = {index.table: index for index in joined.explain().indexes}
    assert set(found) == {f"{shop.schema}.cust", ".".join(storage)}
    assert found[".".join(storage)].definition == f'CREATE INDEX ON "{storage[0]}"."{storage[1]}" ("region")'
    assert not found[f"{shop.schema}.cust"].small
    for index in found.values():
        shop.run(index.definition)
    assert joined.explain().indexes == ()
    shop.step("UPDATE cust SET region = 'r9' WHERE id IN (3, 30)")
    shop.step("UPDATE sale SET amount = amount + 1 WHERE id < 20")
