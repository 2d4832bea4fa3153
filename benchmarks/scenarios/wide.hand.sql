-- Scenario c, by hand: a join of three tables without an aggregate, one view row an order, kept by the order's id.
-- Locks as in scenario b, for two joins: buckets 0-1023 are customers', 1024-2047 products'. Someone who inserts a customer to existing
-- orders (a deferred foreign key allows it) reads their products too, and so stands on the product join as an order would.
-- Statements over more than 100 rows (25 for a parent, where each stands for many) are planned afresh. Deletes name the ids in an
-- array: that is an index scan whatever the number of rows a plan was first made for.
CREATE TABLE hand_view AS
SELECT o.id, o.amount, c.name AS customer, p.name AS product
FROM orders AS o JOIN customer AS c ON c.id = o.customer_id JOIN product AS p ON p.id = o.product_id;
ALTER TABLE hand_view ADD PRIMARY KEY (id);
CREATE TABLE hand_stripe (bucket int, stripe int, bumped bigint NOT NULL DEFAULT 0, PRIMARY KEY (bucket, stripe))
    WITH (fillfactor = 20);

INSERT INTO hand_stripe SELECT b, s FROM generate_series(0, 2047) AS b, generate_series(0, 7) AS s;
-- PostgreSQL takes a plan for any array for dearer than one for this array, and would plan anew each time.
CREATE FUNCTION hand_lock_child(buckets int[]) RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    mine int := hashint4(pg_backend_pid()) & 7;
BEGIN
    IF cardinality(buckets) <= 2 THEN
        UPDATE hand_stripe SET bumped = bumped + 1 WHERE bucket = buckets[1] AND stripe = mine;
        UPDATE hand_stripe SET bumped = bumped + 1 WHERE bucket = buckets[2] AND stripe = mine;
    ELSE
        PERFORM FROM hand_stripe WHERE bucket = ANY (buckets) AND stripe = mine ORDER BY bucket FOR NO KEY UPDATE;
        UPDATE hand_stripe SET bumped = bumped + 1 WHERE bucket = ANY (buckets) AND stripe = mine;
    END IF;
END $$;

CREATE FUNCTION hand_lock_parent(buckets int[]) RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM FROM hand_stripe WHERE bucket = ANY (buckets) ORDER BY bucket, stripe FOR NO KEY UPDATE;
    UPDATE hand_stripe SET bumped = bumped + 1 WHERE bucket = ANY (buckets);
END $$;

CREATE FUNCTION hand_orders_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    buckets int[] := ARRAY(
        SELECT hashint8(customer_id) & 1023 AS b FROM added WHERE customer_id IS NOT NULL
        UNION SELECT 1024 + (hashint8(product_id) & 1023) FROM added WHERE product_id IS NOT NULL
        ORDER BY b);
BEGIN
    IF buckets = '{}' THEN
        RETURN NULL;
    END IF;
    PERFORM hand_lock_child(buckets);
    IF (SELECT count(*) FROM (SELECT FROM added LIMIT 101) AS few) <= 100 THEN
        INSERT INTO hand_view
        SELECT o.id, o.amount, c.name, p.name
        FROM added AS o JOIN customer AS c ON c.id = o.customer_id JOIN product AS p ON p.id = o.product_id;
    ELSE
        EXECUTE 'INSERT INTO hand_view
            SELECT o.id, o.amount, c.name, p.name
            FROM added AS o JOIN customer AS c ON c.id = o.customer_id JOIN product AS p ON p.id = o.product_id';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION hand_orders_delete() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    buckets int[] := ARRAY(
        SELECT hashint8(customer_id) & 1023 AS b FROM gone WHERE customer_id IS NOT NULL
        UNION SELECT 1024 + (hashint8(product_id) & 1023) FROM gone WHERE product_id IS NOT NULL
        ORDER BY b);
BEGIN
    IF buckets = '{}' THEN
        RETURN NULL;
    END IF;
    PERFORM hand_lock_child(buckets);
    DELETE FROM hand_view WHERE id = ANY (ARRAY(SELECT id FROM gone));
    RETURN NULL;
END $$;

CREATE FUNCTION hand_orders_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    buckets int[];
BEGIN
    IF ARRAY(SELECT ROW(id, customer_id, product_id, amount) FROM gone)
       IS NOT DISTINCT FROM ARRAY(SELECT ROW(id, customer_id, product_id, amount) FROM added) THEN
        RETURN NULL;
    END IF;
    buckets := ARRAY(
        SELECT hashint8(customer_id) & 1023 AS b
        FROM (SELECT customer_id FROM gone UNION ALL SELECT customer_id FROM added) AS c WHERE customer_id IS NOT NULL
        UNION SELECT 1024 + (hashint8(product_id) & 1023)
        FROM (SELECT product_id FROM gone UNION ALL SELECT product_id FROM added) AS p WHERE product_id IS NOT NULL
        ORDER BY b);
    IF buckets = '{}' THEN
        RETURN NULL;
    END IF;
    PERFORM hand_lock_child(buckets);
    IF ARRAY(SELECT ROW(id, customer_id, product_id) FROM gone)
       IS NOT DISTINCT FROM ARRAY(SELECT ROW(id, customer_id, product_id) FROM added) THEN
        IF (SELECT count(*) FROM (SELECT FROM added LIMIT 101) AS few) <= 100 THEN
            UPDATE hand_view AS v SET amount = o.amount FROM added AS o WHERE v.id = o.id;
        ELSE
            EXECUTE 'UPDATE hand_view AS v SET amount = o.amount FROM added AS o WHERE v.id = o.id';
        END IF;
    ELSE
        DELETE FROM hand_view WHERE id = ANY (ARRAY(SELECT id FROM gone));
        IF (SELECT count(*) FROM (SELECT FROM added LIMIT 101) AS few) <= 100 THEN
            INSERT INTO hand_view
            SELECT o.id, o.amount, c.name, p.name
            FROM added AS o JOIN customer AS c ON c.id = o.customer_id JOIN product AS p ON p.id = o.product_id;
        ELSE
            EXECUTE 'INSERT INTO hand_view
                SELECT o.id, o.amount, c.name, p.name
                FROM added AS o JOIN customer AS c ON c.id = o.customer_id JOIN product AS p ON p.id = o.product_id';
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- The two parents are alike: `own` is the offset of a parent's buckets, `other` of the other one's.
DO $build$
DECLARE
    parent      text;
    own         int;
    other       int;
    other_table text;
BEGIN
    FOR parent, own, other, other_table IN VALUES ('customer', 0, 1024, 'product'), ('product', 1024, 0, 'customer') LOOP
        EXECUTE format($make$
            CREATE FUNCTION hand_%1$s_insert() RETURNS trigger LANGUAGE plpgsql AS $body$
            DECLARE
                buckets int[] := ARRAY(SELECT DISTINCT %2$s + (hashint8(id) & 1023) AS b FROM added ORDER BY b);
                others  int[];
            BEGIN
                IF buckets = '{}' THEN
                    RETURN NULL;
                END IF;
                PERFORM hand_lock_parent(buckets);
                others := ARRAY(
                    SELECT DISTINCT %3$s + (hashint8(%4$s_id) & 1023) AS b
                    FROM orders WHERE %1$s_id = ANY (ARRAY(SELECT id FROM added)) AND %4$s_id IS NOT NULL ORDER BY b);
                IF others = '{}' THEN
                    RETURN NULL;
                END IF;
                PERFORM hand_lock_child(others);
                EXECUTE 'INSERT INTO hand_view
                    SELECT o.id, o.amount, c.name, p.name
                    FROM orders AS o JOIN customer AS c ON c.id = o.customer_id JOIN product AS p ON p.id = o.product_id
                    WHERE o.%1$s_id IN (SELECT id FROM added)';
                RETURN NULL;
            END $body$;

            CREATE FUNCTION hand_%1$s_delete() RETURNS trigger LANGUAGE plpgsql AS $body$
            DECLARE
                buckets int[] := ARRAY(SELECT DISTINCT %2$s + (hashint8(id) & 1023) AS b FROM gone ORDER BY b);
            BEGIN
                IF buckets = '{}' THEN
                    RETURN NULL;
                END IF;
                PERFORM hand_lock_parent(buckets);
                DELETE FROM hand_view WHERE id = ANY (ARRAY(
                    SELECT id FROM orders WHERE %1$s_id = ANY (ARRAY(SELECT id FROM gone))));
                RETURN NULL;
            END $body$;

            CREATE FUNCTION hand_%1$s_update() RETURNS trigger LANGUAGE plpgsql AS $body$
            DECLARE
                buckets int[];
                others  int[];
            BEGIN
                IF ARRAY(SELECT ROW(id, name) FROM gone) IS NOT DISTINCT FROM ARRAY(SELECT ROW(id, name) FROM added) THEN
                    RETURN NULL;
                END IF;
                buckets := ARRAY(
                    SELECT DISTINCT %2$s + (hashint8(id) & 1023) AS b
                    FROM (SELECT id FROM gone UNION ALL SELECT id FROM added) AS keys ORDER BY b);
                PERFORM hand_lock_parent(buckets);
                IF ARRAY(SELECT id FROM gone) IS NOT DISTINCT FROM ARRAY(SELECT id FROM added) THEN
                    IF cardinality(buckets) <= 25 THEN
                        UPDATE hand_view AS v SET %1$s = n.name
                        FROM added AS n JOIN orders AS o ON o.%1$s_id = n.id
                        WHERE v.id = o.id AND v.%1$s IS DISTINCT FROM n.name;
                    ELSE
                        EXECUTE 'UPDATE hand_view AS v SET %1$s = n.name
                            FROM added AS n JOIN orders AS o ON o.%1$s_id = n.id
                            WHERE v.id = o.id AND v.%1$s IS DISTINCT FROM n.name';
                    END IF;
                ELSE
                    others := ARRAY(
                        SELECT DISTINCT %3$s + (hashint8(%4$s_id) & 1023) AS b
                        FROM orders WHERE %1$s_id = ANY (ARRAY(SELECT id FROM added)) AND %4$s_id IS NOT NULL ORDER BY b);
                    PERFORM hand_lock_child(others);
                    DELETE FROM hand_view WHERE id = ANY (ARRAY(
                        SELECT id FROM orders WHERE %1$s_id = ANY (ARRAY(
                            SELECT id FROM gone UNION ALL SELECT id FROM added))));
                    EXECUTE 'INSERT INTO hand_view
                        SELECT o.id, o.amount, c.name, p.name
                        FROM orders AS o JOIN customer AS c ON c.id = o.customer_id JOIN product AS p ON p.id = o.product_id
                        WHERE o.%1$s_id IN (SELECT id FROM added)';
                END IF;
                RETURN NULL;
            END $body$;

            CREATE TRIGGER hand_insert AFTER INSERT ON %1$s
                REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION hand_%1$s_insert();
            CREATE TRIGGER hand_delete AFTER DELETE ON %1$s
                REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION hand_%1$s_delete();
            CREATE TRIGGER hand_update AFTER UPDATE ON %1$s
                REFERENCING OLD TABLE AS gone NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION hand_%1$s_update();
        $make$, parent, own, other, other_table);
    END LOOP;
END $build$;

CREATE FUNCTION hand_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM hand_view;
    RETURN NULL;
END $$;

CREATE TRIGGER hand_insert AFTER INSERT ON orders
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION hand_orders_insert();
CREATE TRIGGER hand_delete AFTER DELETE ON orders
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION hand_orders_delete();
CREATE TRIGGER hand_update AFTER UPDATE ON orders
    REFERENCING OLD TABLE AS gone NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION hand_orders_update();
CREATE TRIGGER hand_truncate AFTER TRUNCATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION hand_truncate();
CREATE TRIGGER hand_truncate AFTER TRUNCATE ON customer FOR EACH STATEMENT EXECUTE FUNCTION hand_truncate();
CREATE TRIGGER hand_truncate AFTER TRUNCATE ON product FOR EACH STATEMENT EXECUTE FUNCTION hand_truncate();
