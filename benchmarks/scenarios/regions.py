"""Scenario b: orders joined to their customers, count and sum by the customer's region."""

from __future__ import annotations

from ..core import Operation, Scenario, Table, one_by_one
from ._common import AMOUNT, CUSTOMER, HERE, IDS, SPAN, foreign_key

QUERY = (
    "SELECT c.region, count(*) AS n, sum(o.amount) AS total"
    " FROM orders AS o JOIN customer AS c ON c.id = o.customer_id GROUP BY c.region"
)

CUSTOMERS = Table(
    "customer",
    "SELECT id, CASE WHEN id % 211 > 0 THEN 'region ' || (hashint8(id) & 1048575) % 50 END AS region,"
    " 'name ' || id AS name, 'phone ' || id AS phone FROM generate_series(1::bigint, {customers}) AS id",
    ("ALTER TABLE customer ADD PRIMARY KEY (id)",),
)
ORDERS = Table(
    "orders",
    f"SELECT id, {CUSTOMER} AS customer_id, {AMOUNT} AS amount, 'note ' || id AS note FROM {IDS}",
    ("ALTER TABLE orders ADD PRIMARY KEY (id)", *foreign_key("orders", "customer_id", "customer")),
)

OPERATIONS = (
    Operation(
        "insert 1",
        "INSERT INTO orders (id, customer_id, amount, note) VALUES ($1::bigint, $2::bigint, $3::numeric, $4::text)",
        one_by_one(lambda f: (f.fresh(), f.customer(), f.amount(), f.text())),
        target="row",
    ),
    Operation(
        "update 1",
        "UPDATE orders SET amount = $2::numeric WHERE id = $1::bigint",
        one_by_one(lambda f: (f.existing(), f.amount())),
        target="row",
    ),
    Operation(
        "delete 1",
        "DELETE FROM orders WHERE id = $1::bigint",
        one_by_one(lambda f: (f.victim(),)),
        target="row",
    ),
    Operation(
        "move a customer's region",
        "UPDATE customer SET region = $2::text WHERE id = $1::bigint",
        one_by_one(lambda f: (f.customer(), f"region {f.rng.randrange(50)}")),
        target="row",
        share=0.5,
    ),
    Operation(
        "update 1, unread column",
        "UPDATE orders SET note = $2::text WHERE id = $1::bigint",
        one_by_one(lambda f: (f.existing(), f.text())),
        target="unread",
    ),
    Operation(
        "update customer, unread",
        "UPDATE customer SET phone = $2::text WHERE id = $1::bigint",
        one_by_one(lambda f: (f.customer(), f.text())),
        target="unread",
    ),
    Operation(
        "insert {bulk}",
        f"INSERT INTO orders (id, customer_id, amount, note) SELECT id, {CUSTOMER}, {AMOUNT}, 'bulk' FROM {SPAN}",
        one_by_one(lambda f: f.fresh_span()),
        bulk=True,
        target="bulk",
    ),
    Operation(
        "update {bulk}",
        "UPDATE orders SET amount = amount + 1 WHERE id BETWEEN $1::bigint AND $2::bigint",
        one_by_one(lambda f: f.span()),
        bulk=True,
        target="bulk",
    ),
    Operation(
        "delete {bulk}",
        "DELETE FROM orders WHERE id BETWEEN $1::bigint AND $2::bigint",
        one_by_one(lambda f: f.last_span()),
        bulk=True,
        target="bulk",
    ),
)

FUZZ = (
    "INSERT INTO orders VALUES (:fresh, :customer, :amount, 'x')",
    "INSERT INTO orders SELECT :fresh + i, CASE WHEN i % 5 > 0 THEN 1 + i % 2 END,"
    " CASE WHEN i % 3 > 0 THEN i END, 'x' FROM generate_series(1, :few) AS i",
    "INSERT INTO orders SELECT :fresh + i, 1, i, 'x' FROM generate_series(1, 120) AS i",
    "UPDATE orders SET amount = :amount WHERE id % :mod = 0",
    "UPDATE orders SET amount = NULL WHERE customer_id = :customer",
    "UPDATE orders SET customer_id = :customer, amount = :amount WHERE id % :mod = 1",
    "UPDATE orders SET note = 'y' WHERE id % :mod = 0",
    "UPDATE orders SET amount = amount + 1",
    "DELETE FROM orders WHERE id % :mod = 0",
    "DELETE FROM orders WHERE customer_id IS NOT DISTINCT FROM :customer",
    "DELETE FROM orders WHERE id > 60 AND id % 2 = 0",
    "UPDATE customer SET region = :region WHERE id = :customer",
    "UPDATE customer SET region = :region WHERE id % :mod = 0",
    "UPDATE customer SET phone = 'y' WHERE id = :customer",
    # A parent that comes and goes under its children: deferred keys allow it until the commit.
    "WITH d AS (UPDATE customer SET id = id + 1000 WHERE id = :customer RETURNING 1) SELECT 1 FROM d;"
    " UPDATE customer SET id = id - 1000, region = :region WHERE id > 1000",
    "DELETE FROM customer WHERE id = 2; INSERT INTO customer VALUES (2, :region, 'n', 'p')"
    " ON CONFLICT (id) DO UPDATE SET region = excluded.region",
)

SCENARIO = Scenario(
    key="b",
    title="orders join customers, count and sum by region",
    tables=(CUSTOMERS, ORDERS),
    query=QUERY,
    columns=("region", "n", "total"),
    unique=("region",),
    hand_sql=HERE / "regions.hand.sql",
    operations=OPERATIONS,
    inserts={
        "own customer": "INSERT INTO orders VALUES (nextval('ids'), :client_id + 1, 1.5, 'x')",
        "one hot customer": "INSERT INTO orders VALUES (nextval('ids'), 1, 1.5, 'x')",
    },
    fuzz=FUZZ,
)
