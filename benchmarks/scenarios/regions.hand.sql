-- Scenario b, by hand: count and sum by an attribute of the joined parent.
-- Without a lock between them, an order and a move of its customer that run at once each miss the other. So each order bumps one of 8
-- stripes of its customer's bucket (orders seldom wait for each other) and a change of the customer bumps all 8: the two
-- sides exclude each other, and in REPEATABLE READ the later one fails with 40001 instead of losing a row.
-- Statements of up to 100 rows run static plans; larger ones are planned afresh, as a plan made for one row serves 10,000 badly,
-- and a plan made for 10,000 serves one row worse.
CREATE TABLE hand_view AS
SELECT c.region, count(*) AS n, sum(o.amount) AS total, count(o.amount) AS filled
FROM orders AS o JOIN customer AS c ON c.id = o.customer_id GROUP BY c.region;
ALTER TABLE hand_view
    ALTER n SET NOT NULL, ALTER filled SET NOT NULL, ADD UNIQUE NULLS NOT DISTINCT (region);
CREATE TABLE hand_stripe (bucket int, stripe int, bumped bigint NOT NULL DEFAULT 0, PRIMARY KEY (bucket, stripe))
    WITH (fillfactor = 20);

INSERT INTO hand_stripe SELECT b, s FROM generate_series(0, 1023) AS b, generate_series(0, 7) AS s;

-- PostgreSQL takes a plan for any array for dearer than one for this array, and would plan anew each time.
CREATE FUNCTION hand_lock_many(buckets int[]) RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    mine int := hashint4(pg_backend_pid()) & 7;
BEGIN
    PERFORM FROM hand_stripe WHERE bucket = ANY (buckets) AND stripe = mine ORDER BY bucket FOR NO KEY UPDATE;
    UPDATE hand_stripe SET bumped = bumped + 1 WHERE bucket = ANY (buckets) AND stripe = mine;
END $$;

CREATE FUNCTION hand_lock_parent(buckets int[]) RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM FROM hand_stripe WHERE bucket = ANY (buckets) ORDER BY bucket, stripe FOR NO KEY UPDATE;
    UPDATE hand_stripe SET bumped = bumped + 1 WHERE bucket = ANY (buckets);
END $$;

CREATE FUNCTION hand_orders_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    buckets int[] := ARRAY(SELECT DISTINCT hashint8(customer_id) & 1023 AS b FROM added WHERE customer_id IS NOT NULL ORDER BY b);
BEGIN
    IF buckets = '{}' THEN
        RETURN NULL;
    ELSIF buckets[2] IS NULL THEN
        UPDATE hand_stripe SET bumped = bumped + 1 WHERE bucket = buckets[1] AND stripe = hashint4(pg_backend_pid()) & 7;
    ELSE
        PERFORM hand_lock_many(buckets);
    END IF;
    IF (SELECT count(*) FROM (SELECT FROM added LIMIT 101) AS few) <= 100 THEN
        INSERT INTO hand_view AS v (region, n, total, filled)
        SELECT c.region, count(*), sum(o.amount), count(o.amount)
        FROM added AS o JOIN customer AS c ON c.id = o.customer_id GROUP BY c.region ORDER BY c.region
        ON CONFLICT (region) DO UPDATE SET
            n = v.n + excluded.n,
            filled = v.filled + excluded.filled,
            total = CASE WHEN excluded.filled = 0 THEN v.total ELSE coalesce(v.total, 0) + excluded.total END;
    ELSE
        EXECUTE 'INSERT INTO hand_view AS v (region, n, total, filled)
            SELECT c.region, count(*), sum(o.amount), count(o.amount)
            FROM added AS o JOIN customer AS c ON c.id = o.customer_id GROUP BY c.region ORDER BY c.region
            ON CONFLICT (region) DO UPDATE SET
                n = v.n + excluded.n,
                filled = v.filled + excluded.filled,
                total = CASE WHEN excluded.filled = 0 THEN v.total ELSE coalesce(v.total, 0) + excluded.total END';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION hand_orders_delete() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    buckets int[] := ARRAY(SELECT DISTINCT hashint8(customer_id) & 1023 AS b FROM gone WHERE customer_id IS NOT NULL ORDER BY b);
    emptied tid[];
    apply   text;
BEGIN
    IF buckets = '{}' THEN
        RETURN NULL;
    ELSIF buckets[2] IS NULL THEN
        UPDATE hand_stripe SET bumped = bumped + 1 WHERE bucket = buckets[1] AND stripe = hashint4(pg_backend_pid()) & 7;
    ELSE
        PERFORM hand_lock_many(buckets);
    END IF;
    IF (SELECT count(*) FROM (SELECT FROM gone LIMIT 101) AS few) <= 100 THEN
        WITH touched AS (
            INSERT INTO hand_view AS v (region, n, total, filled)
            SELECT c.region, -count(*), -sum(o.amount), -count(o.amount)
            FROM gone AS o JOIN customer AS c ON c.id = o.customer_id GROUP BY c.region ORDER BY c.region
            ON CONFLICT (region) DO UPDATE SET
                n = v.n + excluded.n,
                filled = v.filled + excluded.filled,
                total = CASE WHEN v.filled + excluded.filled = 0 THEN NULL ELSE v.total + coalesce(excluded.total, 0) END
            RETURNING v.ctid, v.n
        )
        SELECT array_agg(ctid) FILTER (WHERE n = 0) INTO emptied FROM touched;
    ELSE
        EXECUTE 'WITH touched AS (
            INSERT INTO hand_view AS v (region, n, total, filled)
            SELECT c.region, -count(*), -sum(o.amount), -count(o.amount)
            FROM gone AS o JOIN customer AS c ON c.id = o.customer_id GROUP BY c.region ORDER BY c.region
            ON CONFLICT (region) DO UPDATE SET
                n = v.n + excluded.n,
                filled = v.filled + excluded.filled,
                total = CASE WHEN v.filled + excluded.filled = 0 THEN NULL ELSE v.total + coalesce(excluded.total, 0) END
            RETURNING v.ctid, v.n
        )
        SELECT array_agg(ctid) FILTER (WHERE n = 0) FROM touched' INTO emptied;
    END IF;
    IF emptied IS NOT NULL THEN
        DELETE FROM hand_view WHERE ctid = ANY (emptied);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION hand_orders_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    buckets int[];
    emptied tid[];
BEGIN
    IF ARRAY(SELECT ROW(customer_id, amount) FROM gone)
       IS NOT DISTINCT FROM ARRAY(SELECT ROW(customer_id, amount) FROM added) THEN
        RETURN NULL;
    END IF;
    buckets := ARRAY(
        SELECT DISTINCT hashint8(customer_id) & 1023 AS b
        FROM (SELECT customer_id FROM gone UNION ALL SELECT customer_id FROM added) AS keys
        WHERE customer_id IS NOT NULL ORDER BY b);
    IF buckets = '{}' THEN
        RETURN NULL;
    ELSIF buckets[2] IS NULL THEN
        UPDATE hand_stripe SET bumped = bumped + 1 WHERE bucket = buckets[1] AND stripe = hashint4(pg_backend_pid()) & 7;
    ELSE
        PERFORM hand_lock_many(buckets);
    END IF;
    IF (SELECT count(*) FROM (SELECT FROM added LIMIT 101) AS few) <= 100 THEN
        WITH touched AS (
            INSERT INTO hand_view AS v (region, n, total, filled)
            SELECT c.region, sum(w), sum(w * o.amount), coalesce(sum(w) FILTER (WHERE o.amount IS NOT NULL), 0)
            FROM (SELECT customer_id, amount, -1 AS w FROM gone UNION ALL SELECT customer_id, amount, 1 FROM added) AS o
            JOIN customer AS c ON c.id = o.customer_id
            GROUP BY c.region
            HAVING sum(w) <> 0 OR sum(w * o.amount) <> 0 OR sum(w) FILTER (WHERE o.amount IS NOT NULL) <> 0
            ORDER BY c.region
            ON CONFLICT (region) DO UPDATE SET
                n = v.n + excluded.n,
                filled = v.filled + excluded.filled,
                total = CASE WHEN v.filled + excluded.filled = 0 THEN NULL
                             ELSE coalesce(v.total, 0) + coalesce(excluded.total, 0) END
            RETURNING v.ctid, v.n
        )
        SELECT array_agg(ctid) FILTER (WHERE n = 0) INTO emptied FROM touched;
    ELSE
        EXECUTE 'WITH touched AS (
            INSERT INTO hand_view AS v (region, n, total, filled)
            SELECT c.region, sum(w), sum(w * o.amount), coalesce(sum(w) FILTER (WHERE o.amount IS NOT NULL), 0)
            FROM (SELECT customer_id, amount, -1 AS w FROM gone UNION ALL SELECT customer_id, amount, 1 FROM added) AS o
            JOIN customer AS c ON c.id = o.customer_id
            GROUP BY c.region
            HAVING sum(w) <> 0 OR sum(w * o.amount) <> 0 OR sum(w) FILTER (WHERE o.amount IS NOT NULL) <> 0
            ORDER BY c.region
            ON CONFLICT (region) DO UPDATE SET
                n = v.n + excluded.n,
                filled = v.filled + excluded.filled,
                total = CASE WHEN v.filled + excluded.filled = 0 THEN NULL
                             ELSE coalesce(v.total, 0) + coalesce(excluded.total, 0) END
            RETURNING v.ctid, v.n
        )
        SELECT array_agg(ctid) FILTER (WHERE n = 0) FROM touched' INTO emptied;
    END IF;
    IF emptied IS NOT NULL THEN
        DELETE FROM hand_view WHERE ctid = ANY (emptied);
    END IF;
    RETURN NULL;
END $$;

-- The parent's three events share one body; `signed` is each event's delta.
DO $build$
DECLARE
    event  text;
    signed text;
    ids    text;
    skip   text;
BEGIN
    FOR event, signed, ids, skip IN VALUES
        ('insert', 'SELECT id, region, 1 AS w FROM added', 'SELECT id FROM added', 'false'),
        ('delete', 'SELECT id, region, -1 AS w FROM gone', 'SELECT id FROM gone', 'false'),
        ('update', 'SELECT id, region, -1 AS w FROM gone UNION ALL SELECT id, region, 1 FROM added',
         'SELECT id FROM gone UNION ALL SELECT id FROM added',
         'ARRAY(SELECT ROW(id, region) FROM gone) IS NOT DISTINCT FROM ARRAY(SELECT ROW(id, region) FROM added)')
    LOOP
        EXECUTE format($make$
            CREATE FUNCTION hand_customer_%1$s() RETURNS trigger LANGUAGE plpgsql AS $body$
            DECLARE
                buckets int[];
                emptied tid[];
            BEGIN
                IF %4$s THEN
                    RETURN NULL;
                END IF;
                buckets := ARRAY(SELECT DISTINCT hashint8(id) & 1023 AS b FROM (%3$s) AS keys ORDER BY b);
                IF buckets = '{}' THEN
                    RETURN NULL;
                END IF;
                PERFORM hand_lock_parent(buckets);
                IF cardinality(buckets) <= 100 THEN
                    WITH touched AS (
                        INSERT INTO hand_view AS v (region, n, total, filled)
                        SELECT c.region, sum(w), sum(w * o.amount), coalesce(sum(w) FILTER (WHERE o.amount IS NOT NULL), 0)
                        FROM (%2$s) AS c JOIN orders AS o ON o.customer_id = c.id
                        GROUP BY c.region
                        HAVING sum(w) <> 0 OR sum(w * o.amount) <> 0 OR sum(w) FILTER (WHERE o.amount IS NOT NULL) <> 0
                        ORDER BY c.region
                        ON CONFLICT (region) DO UPDATE SET
                            n = v.n + excluded.n,
                            filled = v.filled + excluded.filled,
                            total = CASE WHEN v.filled + excluded.filled = 0 THEN NULL
                                         ELSE coalesce(v.total, 0) + coalesce(excluded.total, 0) END
                        RETURNING v.ctid, v.n
                    )
                    SELECT array_agg(ctid) FILTER (WHERE n = 0) INTO emptied FROM touched;
                ELSE
                    EXECUTE 'WITH touched AS (
                        INSERT INTO hand_view AS v (region, n, total, filled)
                        SELECT c.region, sum(w), sum(w * o.amount), coalesce(sum(w) FILTER (WHERE o.amount IS NOT NULL), 0)
                        FROM (%2$s) AS c JOIN orders AS o ON o.customer_id = c.id
                        GROUP BY c.region
                        HAVING sum(w) <> 0 OR sum(w * o.amount) <> 0 OR sum(w) FILTER (WHERE o.amount IS NOT NULL) <> 0
                        ORDER BY c.region
                        ON CONFLICT (region) DO UPDATE SET
                            n = v.n + excluded.n,
                            filled = v.filled + excluded.filled,
                            total = CASE WHEN v.filled + excluded.filled = 0 THEN NULL
                                         ELSE coalesce(v.total, 0) + coalesce(excluded.total, 0) END
                        RETURNING v.ctid, v.n
                    )
                    SELECT array_agg(ctid) FILTER (WHERE n = 0) FROM touched' INTO emptied;
                END IF;
                IF emptied IS NOT NULL THEN
                    DELETE FROM hand_view WHERE ctid = ANY (emptied);
                END IF;
                RETURN NULL;
            END $body$ $make$, event, signed, ids, skip);
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
CREATE TRIGGER hand_insert AFTER INSERT ON customer
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION hand_customer_insert();
CREATE TRIGGER hand_delete AFTER DELETE ON customer
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION hand_customer_delete();
CREATE TRIGGER hand_update AFTER UPDATE ON customer
    REFERENCING OLD TABLE AS gone NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION hand_customer_update();
CREATE TRIGGER hand_truncate AFTER TRUNCATE ON customer FOR EACH STATEMENT EXECUTE FUNCTION hand_truncate();
