"""What is dumped: tables of every shape, views of every kind of store, and writes that touch all of them.

The text of a query is what the user wrote, with every table qualified: views are compared with it, whatever the
search_path.
"""

from __future__ import annotations

from tests.not_kept import NOT_KEPT

# One schema that a dump restores before ours and one after it; names that must be quoted.
TABLES = """
CREATE SCHEMA app; CREATE SCHEMA "shop ""1"" x";
CREATE TYPE app.state AS ENUM ('new', 'paid', 'sent');
CREATE DOMAIN app.amount AS numeric(12,2) CHECK (VALUE > -1000000);
CREATE TABLE app.customer (id int PRIMARY KEY, region text, tags text[]);
CREATE TABLE "shop ""1"" x".orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id int REFERENCES app.customer ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    state app.state NOT NULL DEFAULT 'new', amount app.amount, "the ""day"" x" date DEFAULT '2024-02-29',
    twice numeric GENERATED ALWAYS AS (amount * 2) STORED
);
CREATE INDEX ON "shop ""1"" x".orders (customer_id);
CREATE TABLE app.part (id int, k text, v float8, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE app.part_a PARTITION OF app.part FOR VALUES IN ('a');
CREATE TABLE app.part_rest PARTITION OF app.part DEFAULT;
CREATE VIEW app.known AS SELECT id, upper(region) AS region FROM app.customer WHERE region IS NOT NULL;
"""

ORDERS = _O = '"shop ""1"" x".orders'

ROWS = """
INSERT INTO app.customer SELECT i, (ARRAY['n', 's', NULL])[1 + i % 3], ARRAY['t' || i % 2] FROM generate_series(1, 12) i;
INSERT INTO "shop ""1"" x".orders (customer_id, state, amount)
    SELECT nullif(i % 13, 0), (ARRAY['new', 'paid', 'sent']::app.state[])[1 + i % 3], i % 7 FROM generate_series(1, 40) i;
INSERT INTO app.part SELECT i, (ARRAY['a', 'b', 'c'])[1 + i % 3], i / 4.0 FROM generate_series(1, 20) i;
"""

VIEWS: dict[str, str] = {
    "sums": f"SELECT customer_id, count(*) AS n, sum(amount) AS s, max(twice) AS top FROM {_O} GROUP BY customer_id",
    "total": f"SELECT count(*) AS n, sum(amount) AS s, min(amount) AS least FROM {_O}",
    "joined": f"SELECT o.id, c.region, o.amount, c.tags FROM {_O} o JOIN app.customer c ON c.id = o.customer_id",
    "bag": f'SELECT o.state, c.region, o."the ""day"" x" FROM {_O} o LEFT JOIN app.customer c ON c.id = o.customer_id',
    "regions": f"SELECT c.region, sum(o.amount) AS s FROM {_O} o JOIN app.customer c ON c.id = o.customer_id GROUP BY 1",
    "best": f"SELECT id, amount FROM {_O} ORDER BY amount DESC NULLS LAST, id LIMIT 5",
    "idle": f"SELECT id FROM app.customer WHERE id NOT IN (SELECT customer_id FROM {_O} WHERE state = 'sent' "
    "AND customer_id IS NOT NULL)",
    "ranked": f"SELECT id, rank() OVER (PARTITION BY customer_id ORDER BY amount, id) AS place FROM {_O}",
    "states": f"SELECT DISTINCT state, amount FROM {_O}",
    "listed": "SELECT k, string_agg(id::text, ',' ORDER BY id) AS ids, sum(v) AS v FROM app.part GROUP BY k",
    "share": f"SELECT customer_id, sum(amount) AS s FROM {_O} GROUP BY 1 HAVING sum(amount) > "
    f"(SELECT avg(amount) FROM {_O})",
    "known_orders": f"SELECT o.id, k.region FROM {_O} o JOIN app.known k ON k.id = o.customer_id",
    # The dump must put the primary key in before the definition: pg_dump makes a dummy view first.
    "by_key": f"SELECT c.id, c.region, count(o.id) AS n FROM app.customer c LEFT JOIN {_O} o ON o.customer_id = c.id "
    "GROUP BY c.id",
}
CHAIN = {'chain " 2': 'SELECT n, count(*) AS k FROM "views".sums GROUP BY n'}
# As of a model without a key of its own: a column that counts, from a sequence.
NUMBERED = {"numbered": f"SELECT o.state, c.region FROM {_O} o LEFT JOIN app.customer c ON c.id = o.customer_id"}
FULL = {"whole": f"SELECT id, amount FROM {_O} WHERE {NOT_KEPT}"}
MANUAL = {"by_hand": f"SELECT state, count(*) AS n FROM {_O} GROUP BY state"}

# With psql alone, as on a machine that has neither Python nor the package.
WRITES = f"""
INSERT INTO app.customer VALUES (100, 'n', NULL), (101, 'w', '{{x}}');
INSERT INTO {_O} (customer_id, state, amount) VALUES (100, 'sent', 99), (101, 'new', 1), (NULL, 'new', NULL);
UPDATE {_O} SET amount = amount + 1 WHERE id % 3 = 0;
UPDATE app.customer SET region = 'n2' WHERE region = 'n';
WITH gone AS (DELETE FROM app.customer WHERE id IN (3, 4) RETURNING id)
    UPDATE {_O} SET amount = 7 WHERE customer_id = 5;
INSERT INTO app.customer VALUES (1, 'again', NULL), (200, 'new', NULL)
    ON CONFLICT (id) DO UPDATE SET region = excluded.region;
DELETE FROM {_O} WHERE amount = (SELECT max(amount) FROM {_O});
INSERT INTO app.part VALUES (50, 'a', 1.5), (51, 'z', 2.5);
UPDATE app.part SET k = 'q' WHERE id = 1;
DELETE FROM app.part_rest WHERE id = 51;
"""

MORE_WRITES = f"""
UPDATE app.customer SET region = coalesce(region, 'none') || '!';
DELETE FROM {_O} WHERE id % 5 = 0;
INSERT INTO {_O} (customer_id, state, amount) SELECT id, 'paid', 11 FROM app.customer;
"""
