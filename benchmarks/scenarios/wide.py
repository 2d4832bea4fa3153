"""Scenario c: three tables joined, no aggregate, one row an order."""

from __future__ import annotations

from ..core import Operation, Scenario, Table, one_by_one
from ._common import AMOUNT, CUSTOMER, HERE, IDS, PRODUCT, SPAN, foreign_key

QUERY = (
    "SELECT o.id, o.amount, c.name AS customer, p.name AS product"
    " FROM orders AS o JOIN customer AS c ON c.id = o.customer_id JOIN product AS p ON p.id = o.product_id"
)

CUSTOMERS = Table(
    "customer",
    "SELECT id, 'name ' || id AS name, 'phone ' || id AS phone FROM generate_series(1::bigint, {customers}) AS id",
    ("ALTER TABLE customer ADD PRIMARY KEY (id)",),
)
PRODUCTS = Table(
    "product",
    "SELECT id, 'product ' || id AS name, 'shelf ' || id AS shelf FROM generate_series(1::bigint, {products}) AS id",
    ("ALTER TABLE product ADD PRIMARY KEY (id)",),
)
ORDERS = Table(
    "orders",
    f"SELECT id, {CUSTOMER} AS customer_id, {PRODUCT} AS product_id, {AMOUNT} AS amount,"
    f" 'note ' || id AS note FROM {IDS}",
    (
        "ALTER TABLE orders ADD PRIMARY KEY (id)",
        *foreign_key("orders", "customer_id", "customer"),
        *foreign_key("orders", "product_id", "product"),
    ),
)

OPERATIONS = (
    Operation(
        "insert 1",
        "INSERT INTO orders (id, customer_id, product_id, amount, note)"
        " VALUES ($1::bigint, $2::bigint, $3::bigint, $4::numeric, $5::text)",
        one_by_one(lambda f: (f.fresh(), f.customer(), f.product(), f.amount(), f.text())),
    ),
    Operation(
        "update 1",
        "UPDATE orders SET amount = $2::numeric WHERE id = $1::bigint",
        one_by_one(lambda f: (f.existing(), f.amount())),
    ),
    Operation("delete 1", "DELETE FROM orders WHERE id = $1::bigint", one_by_one(lambda f: (f.victim(),))),
    Operation(
        "rename a customer",
        "UPDATE customer SET name = $2::text WHERE id = $1::bigint",
        one_by_one(lambda f: (f.customer(), f.text())),
        share=0.3,
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
        "INSERT INTO orders (id, customer_id, product_id, amount, note)"
        f" SELECT id, {CUSTOMER}, {PRODUCT}, {AMOUNT}, 'bulk' FROM {SPAN}",
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
    "INSERT INTO orders VALUES (:fresh, :customer, :product, :amount, 'x')",
    "INSERT INTO orders SELECT :fresh + i, CASE WHEN i % 5 > 0 THEN 1 + i % 2 END, 1 + i % 3, i, 'x'"
    " FROM generate_series(1, :few) AS i",
    "INSERT INTO orders SELECT :fresh + i, 1, 1 + i % 3, i, 'x' FROM generate_series(1, 120) AS i",
    "UPDATE orders SET amount = :amount WHERE id % :mod = 0",
    "UPDATE orders SET amount = NULL WHERE customer_id = :customer",
    "UPDATE orders SET customer_id = :customer, amount = :amount WHERE id % :mod = 1",
    "UPDATE orders SET product_id = :product WHERE customer_id = :customer",
    "UPDATE orders SET id = id + 100000 * :few WHERE id % :mod = 2",
    "UPDATE orders SET note = 'y' WHERE id % :mod = 0",
    "UPDATE orders SET amount = amount + 1",
    "DELETE FROM orders WHERE id % :mod = 0",
    "DELETE FROM orders WHERE id > 60 AND id % 2 = 0",
    "UPDATE customer SET name = :region WHERE id = :customer",
    "UPDATE customer SET name = :region WHERE id % :mod = 0",
    "UPDATE customer SET phone = 'y' WHERE id = :customer",
    "UPDATE product SET name = :region WHERE id = :product",
    "UPDATE customer SET id = id + 1000 WHERE id = :customer;"
    " UPDATE customer SET id = id - 1000, name = :region WHERE id > 1000",
    "UPDATE product SET id = id + 1000, name = :region WHERE id = :product;"
    " UPDATE product SET id = id - 1000 WHERE id > 1000",
    "DELETE FROM product WHERE id = 2; INSERT INTO product VALUES (2, :region, 's')"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name",
    "DELETE FROM customer WHERE id = 2; INSERT INTO customer VALUES (2, :region, 'p')"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name",
)

SCENARIO = Scenario(
    key="c",
    title="three tables joined, no aggregate",
    tables=(CUSTOMERS, PRODUCTS, ORDERS),
    query=QUERY,
    columns=("id", "amount", "customer", "product"),
    unique=("id",),
    hand_sql=HERE / "wide.hand.sql",
    operations=OPERATIONS,
    inserts={
        "own customer": "INSERT INTO orders (id, customer_id, product_id, amount, note)"
        " VALUES (nextval('ids'), :client_id + 1, :client_id + 1, 1.5, 'x')",
        "one hot customer": "INSERT INTO orders (id, customer_id, product_id, amount, note)"
        " VALUES (nextval('ids'), 1, 1, 1.5, 'x')",
    },
    fuzz=FUZZ,
)
