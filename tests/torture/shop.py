"""The workload that is measured: what a web shop written with Django sends, and the handful of views it would keep.

What makes it fair, that is, neither kind nor hard on views:

* Transactions are a request's: one to five short statements, found by primary key, one round trip each. Nine of ten write
  rows that nobody else is writing. Some go where everybody goes: a fifth of the orders come from ten of the customers and
  half of the lines are of ten products, so that their groups in the views are contended (`sold` and `regions` keep
  few, hot groups, which is what people keep views for).
* Between two statements the client needs a moment (`--think`, 1 ms on average): Django builds the next statement and
  the network carries it, while locks are held. Between two transactions it needs another (`--rest`, 5 ms): the rest of
  the request. A site at its processor's limit is another matter; the same workload without pauses ("rush") shows it.
* Four statements of ten touch nothing that a view reads: a `save()` that writes all columns and changes a note,
  a session, a stock counter. That is so on a site, and views must be cheap there too.
* Three in a hundred are bulks: an import of fifty lines, a new price for a shelf of products.
* Foreign keys are deferred, and deletes go children first, as Django's collector sends them.
* The bare run has the same tables, indexes, constraints, seeds and clients, its own rows, and turns with the others
  every few seconds, so that what else the machine does hits all of them.
"""

from __future__ import annotations

import random

from .step import Step

CUSTOMERS, PRODUCTS, ORDERS = 1000, 300, 20_000

SCHEMA = f"""
CREATE TABLE region (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE customer (id int PRIMARY KEY, region_id int NOT NULL REFERENCES region DEFERRABLE INITIALLY DEFERRED,
    name text NOT NULL, note text NOT NULL, visits int NOT NULL);
CREATE TABLE product (id int PRIMARY KEY, shelf int NOT NULL, name text NOT NULL, price numeric(10, 2) NOT NULL,
    stock int NOT NULL);
CREATE TABLE "order" (id bigserial PRIMARY KEY,
    customer_id int NOT NULL REFERENCES customer DEFERRABLE INITIALLY DEFERRED,
    status text NOT NULL, placed timestamptz NOT NULL DEFAULT now(), note text NOT NULL);
CREATE TABLE line (id bigserial PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES "order" DEFERRABLE INITIALLY DEFERRED,
    product_id int NOT NULL REFERENCES product DEFERRABLE INITIALLY DEFERRED,
    quantity int NOT NULL, price numeric(10, 2) NOT NULL);
CREATE TABLE session (id int PRIMARY KEY, seen timestamptz, data text);
INSERT INTO region SELECT i, 'region ' || i FROM generate_series(1, 25) i;
INSERT INTO customer SELECT i, i % 25 + 1, 'customer ' || i, '', 0 FROM generate_series(1, {CUSTOMERS}) i;
INSERT INTO product SELECT i, i % 15, 'product ' || i, i % 90 + 9.99, 1000000 FROM generate_series(1, {PRODUCTS}) i;
INSERT INTO "order" (customer_id, status, note)
    SELECT i % {CUSTOMERS} + 1, CASE WHEN i % 5 = 0 THEN 'open' ELSE 'done' END, '' FROM generate_series(1, {ORDERS}) i;
INSERT INTO line (order_id, product_id, quantity, price)
    SELECT i % {ORDERS} + 1, i * 7 % {PRODUCTS} + 1, i % 4 + 1, i % 90 + 9.99 FROM generate_series(1, {2 * ORDERS}) i;
SET CONSTRAINTS ALL IMMEDIATE;  -- indexes wait for no check
CREATE INDEX ON customer (region_id); CREATE INDEX ON "order" (customer_id); CREATE INDEX ON line (order_id);
CREATE INDEX ON line (product_id); CREATE INDEX ON product (shelf);
ANALYZE;
"""

VIEWS = {
    # Revenue of a customer, for the list in the admin.
    "revenue": 'SELECT o.customer_id, count(*) AS lines, sum(l.quantity * l.price) AS revenue FROM "order" o '
    "JOIN line l ON l.order_id = o.id WHERE o.status <> 'cancelled' GROUP BY o.customer_id",
    # What a product has sold.
    "sold": "SELECT product_id, sum(quantity) AS sold, max(price) AS dearest FROM line GROUP BY product_id",
    # Orders to be packed, with the names that the page shows.
    "open_orders": 'SELECT o.id, o.placed, c.name, r.name AS region FROM "order" o JOIN customer c ON c.id = o.customer_id '
    "JOIN region r ON r.id = c.region_id WHERE o.status = 'open'",
    # Customers of a region.
    "regions": "SELECT region_id, count(*) AS customers FROM customer GROUP BY region_id",
}
DEPENDENT: dict[str, tuple[str, tuple[str, ...]]] = {}


def _customer(rng: random.Random) -> int:
    return rng.randint(1, 10) if rng.random() < 0.2 else rng.randint(1, CUSTOMERS)


def _product(rng: random.Random) -> int:
    return rng.randint(1, 10) if rng.random() < 0.5 else rng.randint(1, PRODUCTS)


def _order(rng: random.Random) -> int:
    return rng.randint(1, ORDERS)


def place(rng: random.Random) -> list[Step]:
    """An order with its lines; the stock goes down in the order of keys."""
    lines = sorted({_product(rng) for _ in range(rng.randint(1, 3))})
    values = ", ".join(f"(currval('order_id_seq'), {p}, {rng.randint(1, 4)}, {p % 90}.99)" for p in lines)
    return [
        f"INSERT INTO \"order\" (customer_id, status, note) VALUES ({_customer(rng)}, 'open', '') RETURNING id",
        f"INSERT INTO line (order_id, product_id, quantity, price) VALUES {values} RETURNING id",
        *(f"UPDATE product SET stock = stock - 1 WHERE id = {p}" for p in lines),
    ]


def proceed(rng: random.Random) -> list[Step]:
    order, status = _order(rng), rng.choice(("open", "packed", "done", "done"))
    return [
        f'SELECT * FROM "order" WHERE id = {order}',
        f"UPDATE \"order\" SET status = '{status}', note = 'x' WHERE id = {order}",
    ]


def change_line(rng: random.Random) -> list[Step]:
    order = _order(rng)
    return [
        f"SELECT * FROM line WHERE order_id = {order}",
        f"UPDATE line SET quantity = {rng.randint(1, 6)} WHERE id = (SELECT min(id) FROM line WHERE order_id = {order})",
    ]


def save_customer(rng: random.Random) -> list[Step]:
    """save(): all columns are written, one is changed that no view reads."""
    customer = _customer(rng)
    return [
        f"UPDATE customer SET name = name, region_id = region_id, note = note, visits = visits + 1 WHERE id = {customer}"
    ]


def rename(rng: random.Random) -> list[Step]:
    customer = rng.randint(1, CUSTOMERS)
    return [
        f"SELECT * FROM customer WHERE id = {customer}",
        f"UPDATE customer SET name = 'c{rng.randint(1, 9)}', region_id = {rng.randint(1, 25)} WHERE id = {customer}",
    ]


def cancel(rng: random.Random) -> list[Step]:
    """delete(): children first."""
    order = _order(rng)
    return [
        f"SELECT id FROM line WHERE order_id IN ({order})",
        f"DELETE FROM line WHERE order_id IN ({order})",
        f'DELETE FROM "order" WHERE id IN ({order})',
    ]


def session(rng: random.Random) -> list[Step]:
    key = rng.randint(1, 3000)
    return [
        f"INSERT INTO session VALUES ({key}, now(), repeat('x', 200)) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen"
    ]


def receive(rng: random.Random) -> list[Step]:
    return [f"UPDATE product SET stock = stock + 10, name = name WHERE id = {_product(rng)}"]


def many(rng: random.Random) -> list[Step]:
    if rng.random() < 0.5:
        return [
            f"UPDATE product SET price = price + 0.01 WHERE id IN (SELECT id FROM product WHERE shelf = "
            f"{rng.randrange(15)} ORDER BY id FOR UPDATE)"
        ]
    return [
        f"INSERT INTO \"order\" (customer_id, status, note) VALUES ({_customer(rng)}, 'open', 'import') RETURNING id",
        "INSERT INTO line (order_id, product_id, quantity, price) SELECT currval('order_id_seq'), i, 1, 9.99 FROM "
        f"generate_series({rng.randint(1, PRODUCTS - 50)}, {PRODUCTS}) i LIMIT 50",
    ]


_REQUESTS = ((24, place), (16, proceed), (8, change_line), (14, save_customer), (4, rename), (7, cancel),
    (16, session), (8, receive), (3, many))  # fmt: skip


def transaction(rng: random.Random, truncates: bool = False) -> list[Step]:
    """A request's."""
    return rng.choices([r for _, r in _REQUESTS], [w for w, _ in _REQUESTS])[0](rng)
