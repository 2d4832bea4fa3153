-- A join under a group, with an extreme: lock buckets for the join, a probe when the largest purchase goes.
-- Made by scripts/gallery.py; changes by hand are lost.
--
-- strategy: incremental
--   region_revenue_5790ea3e_data: groups by (region); count(*): fold, sum(amount): fold, max(amount): extreme
--     hidden columns: ivm_a, ivm_a_2, ivm_a_3, ivm_gone
--     on shop.purchase [customer_id, amount] (direct):
--       Join id_2 = customer_id
--         Δ shop.purchase
--         Scan shop.customer [id, region]
--     on shop.customer [id, region] (direct):
--       Join id_2 = customer_id
--         Scan shop.purchase [customer_id, amount]
--         Δ shop.customer
--     locks: join of shop.purchase, shop.customer: 128 buckets by the join key; writers of purchase share it, writers of read columns of the others exclude them

LOCK TABLE shop.purchase, shop.customer IN SHARE ROW EXCLUSIVE MODE;

CREATE SCHEMA IF NOT EXISTS django_ivm;

CREATE OR REPLACE VIEW django_ivm.region_revenue_5790ea3e_query AS
SELECT c.region, count(*) AS purchases, sum(p.amount) AS revenue, max(p.amount) AS largest
FROM shop.purchase p JOIN shop.customer c ON c.id = p.customer_id
GROUP BY c.region;

CREATE TABLE django_ivm.region_revenue_5790ea3e_data AS
SELECT region, purchases, (CASE WHEN ivm_a < 1 THEN NULL WHEN ivm_a_3 > 0 THEN 'NaN'::numeric
    ELSE ivm_a_2 END) AS revenue, largest, ivm_a, ivm_a_2, ivm_a_3, NULL::numeric AS ivm_gone
FROM (
  SELECT region, largest, purchases AS purchases, ivm_a AS ivm_a, CASE
      WHEN ivm_g.ivm_a_2 = 'NaN'::numeric THEN (
    SELECT coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric
    FROM (
      SELECT customer_id, amount, id_2, region
      FROM (
        SELECT customer_id AS customer_id, amount AS amount
        FROM shop.purchase) ivm_j0, (
        SELECT id AS id_2, region AS region
        FROM shop.customer) ivm_j1
      WHERE (id_2 = customer_id)) ivm_a
    WHERE (ivm_a.region = ivm_g.region OR (ivm_a.region IS NULL AND ivm_g.region IS NULL)))
        ELSE ivm_g.ivm_a_2 END AS ivm_a_2, CASE WHEN ivm_g.ivm_a_2 = 'NaN'::numeric THEN (
    SELECT count(*) FILTER (WHERE ((amount) = 'NaN'::numeric))
    FROM (
      SELECT customer_id, amount, id_2, region
      FROM (
        SELECT customer_id AS customer_id, amount AS amount
        FROM shop.purchase) ivm_j0, (
        SELECT id AS id_2, region AS region
        FROM shop.customer) ivm_j1
      WHERE (id_2 = customer_id)) ivm_a
    WHERE (ivm_a.region = ivm_g.region OR (ivm_a.region IS NULL AND ivm_g.region IS NULL)))
        ELSE 0 END AS ivm_a_3
  FROM (
    SELECT region AS region, count(*) AS purchases, count(amount) AS ivm_a, coalesce(sum((amount)),
        0)::numeric AS ivm_a_2, max(amount) AS largest
    FROM (
      SELECT customer_id, amount, id_2, region
      FROM (
        SELECT customer_id AS customer_id, amount AS amount
        FROM shop.purchase) ivm_j0, (
        SELECT id AS id_2, region AS region
        FROM shop.customer) ivm_j1
      WHERE (id_2 = customer_id)) ivm_a
    GROUP BY (region)) ivm_g) ivm_h;

CREATE UNIQUE INDEX ivm_9885c4be_key ON django_ivm.region_revenue_5790ea3e_data (region) NULLS NOT DISTINCT;

CREATE TABLE django_ivm.region_revenue_5790ea3e_1_lock (b integer, st integer, ver bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (b, st))
WITH (fillfactor = 20);

INSERT INTO django_ivm.region_revenue_5790ea3e_1_lock (b, st)
SELECT b, st
FROM generate_series(0, 127) b, generate_series(0, 7) st;

CREATE TABLE django_ivm.region_revenue_5790ea3e_1_spool_0 AS
SELECT customer_id AS c0, amount AS c1, 1 AS ivm_w, NULL::xid8 AS ivm_xid
FROM shop.purchase
WITH NO DATA;

CREATE TABLE django_ivm.region_revenue_5790ea3e_1_spool_1 AS
SELECT id AS c0, region AS c1, 1 AS ivm_w, NULL::xid8 AS ivm_xid
FROM shop.customer
WITH NO DATA;

CREATE VIEW shop.region_revenue AS
SELECT region, purchases, revenue, largest
FROM django_ivm.region_revenue_5790ea3e_data;

CREATE OR REPLACE FUNCTION django_ivm.region_revenue_5790ea3e_1_replace(OUT ivm_inserted bigint,
    OUT ivm_updated bigint, OUT ivm_deleted bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan =
on
SET enable_hashjoin =
on
SET enable_mergejoin =
on
SET jit = off AS $ivm_body$
#variable_conflict use_column
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    PERFORM 1 FROM django_ivm.region_revenue_5790ea3e_1_lock WHERE true ORDER BY b, st FOR NO KEY UPDATE;
    UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE true;
    IF NOT FOUND THEN
      IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
        PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
        PERFORM 1 FROM django_ivm.region_revenue_5790ea3e_1_lock WHERE true ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE true;
      END IF;
    END IF;
  END IF;
  LOCK TABLE django_ivm.region_revenue_5790ea3e_data IN SHARE ROW EXCLUSIVE MODE;
  EXECUTE $ivm_q$
WITH ivm_f AS MATERIALIZED (
  SELECT region, purchases, (CASE WHEN ivm_a < 1 THEN NULL WHEN ivm_a_3 > 0 THEN 'NaN'::numeric
      ELSE ivm_a_2 END) AS revenue, largest, ivm_a, ivm_a_2, ivm_a_3, NULL::numeric AS ivm_gone
  FROM (
    SELECT region, largest, purchases AS purchases, ivm_a AS ivm_a, CASE
        WHEN ivm_g.ivm_a_2 = 'NaN'::numeric THEN (
      SELECT coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE (ivm_a.region = ivm_g.region OR (ivm_a.region IS NULL AND ivm_g.region IS NULL)))
          ELSE ivm_g.ivm_a_2 END AS ivm_a_2, CASE WHEN ivm_g.ivm_a_2 = 'NaN'::numeric THEN (
      SELECT count(*) FILTER (WHERE ((amount) = 'NaN'::numeric))
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE (ivm_a.region = ivm_g.region OR (ivm_a.region IS NULL AND ivm_g.region IS NULL)))
          ELSE 0 END AS ivm_a_3
    FROM (
      SELECT region AS region, count(*) AS purchases, count(amount) AS ivm_a, coalesce(sum((amount)),
          0)::numeric AS ivm_a_2, max(amount) AS largest
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      GROUP BY (region)) ivm_g) ivm_h), ivm_d AS (
  DELETE
  FROM django_ivm.region_revenue_5790ea3e_data AS ivm_t
  WHERE NOT EXISTS (
    SELECT
    FROM ivm_f
    WHERE ROW(ivm_f.region)::record = ROW(ivm_t.region)::record)
  RETURNING 1), ivm_i AS (
  INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_s (region, purchases, revenue, largest, ivm_a,
      ivm_a_2, ivm_a_3, ivm_gone)
  SELECT ivm_f.region, ivm_f.purchases, ivm_f.revenue, ivm_f.largest, ivm_f.ivm_a, ivm_f.ivm_a_2,
      ivm_f.ivm_a_3, ivm_f.ivm_gone
  FROM ivm_f
  LEFT JOIN django_ivm.region_revenue_5790ea3e_data AS ivm_t
  ON ROW(ivm_f.region)::record = ROW(ivm_t.region)::record
  WHERE ivm_t.ctid IS NULL OR ROW(ivm_f.region, ivm_f.purchases, ivm_f.revenue, ivm_f.largest, ivm_f.ivm_a,
      ivm_f.ivm_a_2, ivm_f.ivm_a_3)::record *<> ROW(ivm_t.region, ivm_t.purchases, ivm_t.revenue,
      ivm_t.largest, ivm_t.ivm_a, ivm_t.ivm_a_2, ivm_t.ivm_a_3)::record
  ORDER BY ivm_f.region
  ON CONFLICT (region) DO UPDATE SET region = excluded.region, purchases = excluded.purchases,
      revenue = excluded.revenue, largest = excluded.largest, ivm_a = excluded.ivm_a,
      ivm_a_2 = excluded.ivm_a_2, ivm_a_3 = excluded.ivm_a_3, ivm_gone = excluded.ivm_gone
  RETURNING (ivm_s.xmax = 0) AS ivm_new)
SELECT (
  SELECT count(*)
  FROM ivm_i
  WHERE ivm_new), (
  SELECT count(*)
  FROM ivm_i
  WHERE NOT ivm_new), (
  SELECT count(*)
  FROM ivm_d)
$ivm_q$ INTO ivm_inserted, ivm_updated, ivm_deleted;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.region_revenue_5790ea3e_1_replace() FROM PUBLIC;

CREATE OR REPLACE FUNCTION django_ivm.region_revenue_5790ea3e_1_flush(ivm_pending text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_large boolean := position('+' IN ivm_pending) > 0;
  ivm_has0 boolean := position(',0,' IN ivm_pending) > 0;
  ivm_has1 boolean := position(',1,' IN ivm_pending) > 0;
  ivm_state text;
  ivm_whole integer[];
  ivm_bucket integer;
  ivm_all boolean;
  ivm_zero tid[];
  ivm_touched tid[];
  ivm_below boolean;
BEGIN
  IF ivm_large THEN
    PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
        set_config('enable_mergejoin', 'on', true);
  END IF;
  IF position('!' IN ivm_pending) > 0 THEN
    PERFORM django_ivm.region_revenue_5790ea3e_1_replace();
    ELSIF replace(ivm_pending, '+', '') = ',0,' THEN
      IF ivm_large THEN
        FOR ivm_bucket IN EXECUTE $ivm_q$
SELECT DISTINCT b
FROM (
  WITH ivm_s0 AS MATERIALIZED (
    SELECT c0, c1, ivm_w
    FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s0', true),
        '')::django_ivm.region_revenue_5790ea3e_1_spool_0[])
    UNION ALL
    SELECT c0, c1, ivm_w
    FROM django_ivm.region_revenue_5790ea3e_1_spool_0
    WHERE $1 AND ivm_xid = pg_current_xact_id())
  SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
  FROM (
    SELECT c0 AS customer_id, c1 AS amount, ivm_w
    FROM ivm_s0) ivm_k) ivm_b
WHERE b IS NOT NULL
ORDER BY b
$ivm_q$ USING ivm_large LOOP
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = (
          SELECT ivm_s.st
          FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
          WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
          LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND THEN
          UPDATE django_ivm.region_revenue_5790ea3e_1_lock
          SET ver = ver + 1
          WHERE b = ivm_bucket AND st = (
            SELECT ivm_s.st
            FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
            WHERE ivm_s.b = ivm_bucket
            ORDER BY (ivm_s.st + pg_backend_pid()) % 8
            LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
          IF NOT FOUND THEN
            PERFORM 1
            FROM django_ivm.region_revenue_5790ea3e_1_lock
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
            UPDATE django_ivm.region_revenue_5790ea3e_1_lock
            SET ver = ver + 1
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
            IF NOT FOUND THEN
              IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
                PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
                PERFORM 1
                FROM django_ivm.region_revenue_5790ea3e_1_lock
                WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
                UPDATE django_ivm.region_revenue_5790ea3e_1_lock
                SET ver = ver + 1
                WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
              END IF;
            END IF;
          END IF;
        END IF;
      END LOOP;
      EXECUTE $ivm_q$
WITH ivm_up AS (
  INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2, ivm_a_3,
      largest, ivm_gone, revenue)
  SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
      ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
      WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
  FROM (
    SELECT region AS region, coalesce(sum(ivm_w), 0)::bigint AS purchases,
        coalesce(sum(ivm_w) FILTER (WHERE ((amount) IS NOT NULL)), 0)::bigint AS ivm_a,
        coalesce(sum(ivm_w * (amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
        coalesce(sum(ivm_w) FILTER (WHERE ((amount) = 'NaN'::numeric)), 0)::bigint AS ivm_a_3,
        max(amount) FILTER (WHERE ivm_w > 0) AS largest, max(amount) FILTER (WHERE ivm_w < 0) AS ivm_gone
    FROM (
      WITH ivm_s0 AS MATERIALIZED (
        SELECT c0, c1, ivm_w
        FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s0', true),
            '')::django_ivm.region_revenue_5790ea3e_1_spool_0[])
        UNION ALL
        SELECT c0, c1, ivm_w
        FROM django_ivm.region_revenue_5790ea3e_1_spool_0
        WHERE $1 AND ivm_xid = pg_current_xact_id())
      SELECT customer_id, amount, id_2, region, ivm_j0.ivm_w AS ivm_w
      FROM (
        SELECT c0 AS customer_id, c1 AS amount, ivm_w
        FROM ivm_s0
        WHERE $2) ivm_j0, (
        SELECT id AS id_2, region AS region
        FROM shop.customer) ivm_j1
      WHERE (id_2 = customer_id)) ivm_c
    GROUP BY (region)) ivm_d
  ORDER BY ivm_d.region
  ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
      ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
      ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest, excluded.largest),
      ivm_gone = excluded.ivm_gone, revenue = CASE WHEN (ivm_t.purchases + excluded.purchases) > 0
      THEN (CASE WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL
      WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
      ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
  RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, (NOT (ivm_t.ivm_gone IS NULL)
      AND (ivm_t.largest IS NULL OR ivm_t.ivm_gone >= ivm_t.largest)) AS ivm_probe)
SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0), array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0
    AND ivm_probe), bool_or(ivm_left < 0)
FROM ivm_up
$ivm_q$ INTO ivm_zero, ivm_touched, ivm_below USING ivm_large, ivm_has0;
      IF ivm_zero IS NOT NULL THEN
        EXECUTE $ivm_q$DELETE FROM django_ivm.region_revenue_5790ea3e_data WHERE ctid = ANY($1)$ivm_q$
        USING ivm_zero;
      END IF;
      IF ivm_touched IS NOT NULL THEN
        IF cardinality(ivm_touched) <= 25 THEN
          EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET (largest) = (
  SELECT ivm_r.largest
  FROM (
    SELECT CASE WHEN ivm_t.region IS NULL THEN (
      SELECT max(amount)
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE ivm_a.region IS NULL) ELSE (
      SELECT max(amount)
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE ivm_a.region = ivm_t.region) END AS largest) ivm_r)
WHERE ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
        ELSE
          EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET largest = ivm_r.largest
FROM (
  SELECT ivm_a.region AS region, max(ivm_a.amount) AS largest
  FROM (
    SELECT customer_id, amount, id_2, region
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_j0, (
      SELECT id AS id_2, region AS region
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_a, (
    SELECT region
    FROM django_ivm.region_revenue_5790ea3e_data
    WHERE ctid = ANY($1)) ivm_k
  WHERE ROW(ivm_a.region)::record = ROW(ivm_k.region)::record
  GROUP BY ivm_a.region) ivm_r
WHERE ROW(ivm_r.region)::record = ROW(ivm_t.region)::record AND ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
        END IF;
      END IF;
    ELSE
      FOR ivm_bucket IN
      SELECT DISTINCT b
      FROM (
        WITH ivm_s0 AS MATERIALIZED (
          SELECT c0, c1, ivm_w
          FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s0', true),
              '')::django_ivm.region_revenue_5790ea3e_1_spool_0[])
          UNION ALL
          SELECT c0, c1, ivm_w
          FROM django_ivm.region_revenue_5790ea3e_1_spool_0
          WHERE ivm_large AND ivm_xid = pg_current_xact_id())
        SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
        FROM (
          SELECT c0 AS customer_id, c1 AS amount, ivm_w
          FROM ivm_s0) ivm_k) ivm_b
      WHERE b IS NOT NULL
      ORDER BY b LOOP
      UPDATE django_ivm.region_revenue_5790ea3e_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = (
          SELECT ivm_s.st
          FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
          WHERE ivm_s.b = ivm_bucket
          ORDER BY (ivm_s.st + pg_backend_pid()) % 8
          LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND THEN
          PERFORM 1
          FROM django_ivm.region_revenue_5790ea3e_1_lock
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
          UPDATE django_ivm.region_revenue_5790ea3e_1_lock
          SET ver = ver + 1
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          IF NOT FOUND THEN
            IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
              PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
              PERFORM 1
              FROM django_ivm.region_revenue_5790ea3e_1_lock
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
              UPDATE django_ivm.region_revenue_5790ea3e_1_lock
              SET ver = ver + 1
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
            END IF;
          END IF;
        END IF;
      END IF;
    END LOOP;
    WITH ivm_up AS (
      INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2,
          ivm_a_3, largest, ivm_gone, revenue)
      SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
          ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
          WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
      FROM (
        SELECT region AS region, coalesce(sum(ivm_w), 0)::bigint AS purchases,
            coalesce(sum(ivm_w) FILTER (WHERE ((amount) IS NOT NULL)), 0)::bigint AS ivm_a,
            coalesce(sum(ivm_w * (amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)),
            0)::numeric AS ivm_a_2, coalesce(sum(ivm_w) FILTER (WHERE ((amount) = 'NaN'::numeric)),
            0)::bigint AS ivm_a_3, max(amount) FILTER (WHERE ivm_w > 0) AS largest,
            max(amount) FILTER (WHERE ivm_w < 0) AS ivm_gone
        FROM (
          WITH ivm_s0 AS MATERIALIZED (
            SELECT c0, c1, ivm_w
            FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s0', true),
                '')::django_ivm.region_revenue_5790ea3e_1_spool_0[])
            UNION ALL
            SELECT c0, c1, ivm_w
            FROM django_ivm.region_revenue_5790ea3e_1_spool_0
            WHERE ivm_large AND ivm_xid = pg_current_xact_id())
          SELECT customer_id, amount, id_2, region, ivm_j0.ivm_w AS ivm_w
          FROM (
            SELECT c0 AS customer_id, c1 AS amount, ivm_w
            FROM ivm_s0
            WHERE ivm_has0) ivm_j0, (
            SELECT id AS id_2, region AS region
            FROM shop.customer) ivm_j1
          WHERE (id_2 = customer_id)) ivm_c
        GROUP BY (region)) ivm_d
      ORDER BY ivm_d.region
      ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
          ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
          ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest, excluded.largest),
          ivm_gone = excluded.ivm_gone, revenue = CASE WHEN (ivm_t.purchases + excluded.purchases) > 0
          THEN (CASE WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL
          WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
          ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
      RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, (NOT (ivm_t.ivm_gone IS NULL)
          AND (ivm_t.largest IS NULL OR ivm_t.ivm_gone >= ivm_t.largest)) AS ivm_probe)
    SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0),
        array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0 AND ivm_probe), bool_or(ivm_left < 0)
    FROM ivm_up INTO ivm_zero, ivm_touched, ivm_below;
    IF ivm_zero IS NOT NULL THEN
      DELETE FROM django_ivm.region_revenue_5790ea3e_data WHERE ctid = ANY(ivm_zero);
    END IF;
    IF ivm_touched IS NOT NULL THEN
      IF cardinality(ivm_touched) <= 25 THEN
        UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
        SET (largest) = (
          SELECT ivm_r.largest
          FROM (
            SELECT CASE WHEN ivm_t.region IS NULL THEN (
              SELECT max(amount)
              FROM (
                SELECT customer_id, amount, id_2, region
                FROM (
                  SELECT customer_id AS customer_id, amount AS amount
                  FROM shop.purchase) ivm_j0, (
                  SELECT id AS id_2, region AS region
                  FROM shop.customer) ivm_j1
                WHERE (id_2 = customer_id)) ivm_a
              WHERE ivm_a.region IS NULL) ELSE (
              SELECT max(amount)
              FROM (
                SELECT customer_id, amount, id_2, region
                FROM (
                  SELECT customer_id AS customer_id, amount AS amount
                  FROM shop.purchase) ivm_j0, (
                  SELECT id AS id_2, region AS region
                  FROM shop.customer) ivm_j1
                WHERE (id_2 = customer_id)) ivm_a
              WHERE ivm_a.region = ivm_t.region) END AS largest) ivm_r)
        WHERE ivm_t.ctid = ANY(ivm_touched);
      ELSE
        EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET largest = ivm_r.largest
FROM (
  SELECT ivm_a.region AS region, max(ivm_a.amount) AS largest
  FROM (
    SELECT customer_id, amount, id_2, region
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_j0, (
      SELECT id AS id_2, region AS region
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_a, (
    SELECT region
    FROM django_ivm.region_revenue_5790ea3e_data
    WHERE ctid = ANY($1)) ivm_k
  WHERE ROW(ivm_a.region)::record = ROW(ivm_k.region)::record
  GROUP BY ivm_a.region) ivm_r
WHERE ROW(ivm_r.region)::record = ROW(ivm_t.region)::record AND ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
      END IF;
    END IF;
  END IF;
  ELSIF replace(ivm_pending, '+', '') = ',1,' THEN
    IF ivm_large THEN
      EXECUTE $ivm_q$
SELECT array_agg(DISTINCT b)
FROM (
  WITH ivm_s1 AS MATERIALIZED (
    SELECT c0, c1, ivm_w
    FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s1', true),
        '')::django_ivm.region_revenue_5790ea3e_1_spool_1[])
    UNION ALL
    SELECT c0, c1, ivm_w
    FROM django_ivm.region_revenue_5790ea3e_1_spool_1
    WHERE $1 AND ivm_xid = pg_current_xact_id())
  SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
  FROM (
    SELECT c0 AS id_2, c1 AS region, ivm_w
    FROM ivm_s1) ivm_k) ivm_b
WHERE b IS NOT NULL
$ivm_q$ INTO ivm_whole USING ivm_large;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.region_revenue_5790ea3e_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
            PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
            PERFORM 1
            FROM django_ivm.region_revenue_5790ea3e_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      EXECUTE $ivm_q$
WITH ivm_up AS (
  INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2, ivm_a_3,
      largest, ivm_gone, revenue)
  SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
      ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
      WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
  FROM (
    SELECT region AS region, coalesce(sum(ivm_w), 0)::bigint AS purchases,
        coalesce(sum(ivm_w) FILTER (WHERE ((amount) IS NOT NULL)), 0)::bigint AS ivm_a,
        coalesce(sum(ivm_w * (amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
        coalesce(sum(ivm_w) FILTER (WHERE ((amount) = 'NaN'::numeric)), 0)::bigint AS ivm_a_3,
        max(amount) FILTER (WHERE ivm_w > 0) AS largest, max(amount) FILTER (WHERE ivm_w < 0) AS ivm_gone
    FROM (
      WITH ivm_s1 AS MATERIALIZED (
        SELECT c0, c1, ivm_w
        FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s1', true),
            '')::django_ivm.region_revenue_5790ea3e_1_spool_1[])
        UNION ALL
        SELECT c0, c1, ivm_w
        FROM django_ivm.region_revenue_5790ea3e_1_spool_1
        WHERE $1 AND ivm_xid = pg_current_xact_id())
      SELECT customer_id, amount, id_2, region, ivm_j1.ivm_w AS ivm_w
      FROM (
        SELECT customer_id AS customer_id, amount AS amount
        FROM shop.purchase) ivm_j0, (
        SELECT c0 AS id_2, c1 AS region, ivm_w
        FROM ivm_s1
        WHERE $2) ivm_j1
      WHERE (id_2 = customer_id)) ivm_c
    GROUP BY (region)) ivm_d
  ORDER BY ivm_d.region
  ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
      ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
      ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest, excluded.largest),
      ivm_gone = excluded.ivm_gone, revenue = CASE WHEN (ivm_t.purchases + excluded.purchases) > 0
      THEN (CASE WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL
      WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
      ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
  RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, (NOT (ivm_t.ivm_gone IS NULL)
      AND (ivm_t.largest IS NULL OR ivm_t.ivm_gone >= ivm_t.largest)) AS ivm_probe)
SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0), array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0
    AND ivm_probe), bool_or(ivm_left < 0)
FROM ivm_up
$ivm_q$ INTO ivm_zero, ivm_touched, ivm_below USING ivm_large, ivm_has1;
      IF ivm_zero IS NOT NULL THEN
        EXECUTE $ivm_q$DELETE FROM django_ivm.region_revenue_5790ea3e_data WHERE ctid = ANY($1)$ivm_q$
        USING ivm_zero;
      END IF;
      IF ivm_touched IS NOT NULL THEN
        IF cardinality(ivm_touched) <= 25 THEN
          EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET (largest) = (
  SELECT ivm_r.largest
  FROM (
    SELECT CASE WHEN ivm_t.region IS NULL THEN (
      SELECT max(amount)
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE ivm_a.region IS NULL) ELSE (
      SELECT max(amount)
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE ivm_a.region = ivm_t.region) END AS largest) ivm_r)
WHERE ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
        ELSE
          EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET largest = ivm_r.largest
FROM (
  SELECT ivm_a.region AS region, max(ivm_a.amount) AS largest
  FROM (
    SELECT customer_id, amount, id_2, region
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_j0, (
      SELECT id AS id_2, region AS region
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_a, (
    SELECT region
    FROM django_ivm.region_revenue_5790ea3e_data
    WHERE ctid = ANY($1)) ivm_k
  WHERE ROW(ivm_a.region)::record = ROW(ivm_k.region)::record
  GROUP BY ivm_a.region) ivm_r
WHERE ROW(ivm_r.region)::record = ROW(ivm_t.region)::record AND ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
        END IF;
      END IF;
    ELSE
      SELECT array_agg(DISTINCT b)
      FROM (
        WITH ivm_s1 AS MATERIALIZED (
          SELECT c0, c1, ivm_w
          FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s1', true),
              '')::django_ivm.region_revenue_5790ea3e_1_spool_1[])
          UNION ALL
          SELECT c0, c1, ivm_w
          FROM django_ivm.region_revenue_5790ea3e_1_spool_1
          WHERE ivm_large AND ivm_xid = pg_current_xact_id())
        SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
        FROM (
          SELECT c0 AS id_2, c1 AS region, ivm_w
          FROM ivm_s1) ivm_k) ivm_b
      WHERE b IS NOT NULL INTO ivm_whole;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.region_revenue_5790ea3e_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
            PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
            PERFORM 1
            FROM django_ivm.region_revenue_5790ea3e_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      WITH ivm_up AS (
        INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2,
            ivm_a_3, largest, ivm_gone, revenue)
        SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
            ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
            WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
        FROM (
          SELECT region AS region, coalesce(sum(ivm_w), 0)::bigint AS purchases,
              coalesce(sum(ivm_w) FILTER (WHERE ((amount) IS NOT NULL)), 0)::bigint AS ivm_a,
              coalesce(sum(ivm_w * (amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)),
              0)::numeric AS ivm_a_2, coalesce(sum(ivm_w) FILTER (WHERE ((amount) = 'NaN'::numeric)),
              0)::bigint AS ivm_a_3, max(amount) FILTER (WHERE ivm_w > 0) AS largest,
              max(amount) FILTER (WHERE ivm_w < 0) AS ivm_gone
          FROM (
            WITH ivm_s1 AS MATERIALIZED (
              SELECT c0, c1, ivm_w
              FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s1', true),
                  '')::django_ivm.region_revenue_5790ea3e_1_spool_1[])
              UNION ALL
              SELECT c0, c1, ivm_w
              FROM django_ivm.region_revenue_5790ea3e_1_spool_1
              WHERE ivm_large AND ivm_xid = pg_current_xact_id())
            SELECT customer_id, amount, id_2, region, ivm_j1.ivm_w AS ivm_w
            FROM (
              SELECT customer_id AS customer_id, amount AS amount
              FROM shop.purchase) ivm_j0, (
              SELECT c0 AS id_2, c1 AS region, ivm_w
              FROM ivm_s1
              WHERE ivm_has1) ivm_j1
            WHERE (id_2 = customer_id)) ivm_c
          GROUP BY (region)) ivm_d
        ORDER BY ivm_d.region
        ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
            ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
            ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest,
            excluded.largest), ivm_gone = excluded.ivm_gone, revenue = CASE
            WHEN (ivm_t.purchases + excluded.purchases) > 0 THEN (CASE
            WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL
            WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
            ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
        RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, (NOT (ivm_t.ivm_gone IS NULL)
            AND (ivm_t.largest IS NULL OR ivm_t.ivm_gone >= ivm_t.largest)) AS ivm_probe)
      SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0),
          array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0 AND ivm_probe), bool_or(ivm_left < 0)
      FROM ivm_up INTO ivm_zero, ivm_touched, ivm_below;
      IF ivm_zero IS NOT NULL THEN
        DELETE FROM django_ivm.region_revenue_5790ea3e_data WHERE ctid = ANY(ivm_zero);
      END IF;
      IF ivm_touched IS NOT NULL THEN
        IF cardinality(ivm_touched) <= 25 THEN
          UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
          SET (largest) = (
            SELECT ivm_r.largest
            FROM (
              SELECT CASE WHEN ivm_t.region IS NULL THEN (
                SELECT max(amount)
                FROM (
                  SELECT customer_id, amount, id_2, region
                  FROM (
                    SELECT customer_id AS customer_id, amount AS amount
                    FROM shop.purchase) ivm_j0, (
                    SELECT id AS id_2, region AS region
                    FROM shop.customer) ivm_j1
                  WHERE (id_2 = customer_id)) ivm_a
                WHERE ivm_a.region IS NULL) ELSE (
                SELECT max(amount)
                FROM (
                  SELECT customer_id, amount, id_2, region
                  FROM (
                    SELECT customer_id AS customer_id, amount AS amount
                    FROM shop.purchase) ivm_j0, (
                    SELECT id AS id_2, region AS region
                    FROM shop.customer) ivm_j1
                  WHERE (id_2 = customer_id)) ivm_a
                WHERE ivm_a.region = ivm_t.region) END AS largest) ivm_r)
          WHERE ivm_t.ctid = ANY(ivm_touched);
        ELSE
          EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET largest = ivm_r.largest
FROM (
  SELECT ivm_a.region AS region, max(ivm_a.amount) AS largest
  FROM (
    SELECT customer_id, amount, id_2, region
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_j0, (
      SELECT id AS id_2, region AS region
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_a, (
    SELECT region
    FROM django_ivm.region_revenue_5790ea3e_data
    WHERE ctid = ANY($1)) ivm_k
  WHERE ROW(ivm_a.region)::record = ROW(ivm_k.region)::record
  GROUP BY ivm_a.region) ivm_r
WHERE ROW(ivm_r.region)::record = ROW(ivm_t.region)::record AND ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
        END IF;
      END IF;
    END IF;
  ELSE
    IF ivm_large THEN
      FOR ivm_bucket, ivm_all IN EXECUTE $ivm_q$
SELECT b, bool_or(ivm_parent)
FROM (
  WITH ivm_s0 AS MATERIALIZED (
    SELECT c0, c1, ivm_w
    FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s0', true),
        '')::django_ivm.region_revenue_5790ea3e_1_spool_0[])
    UNION ALL
    SELECT c0, c1, ivm_w
    FROM django_ivm.region_revenue_5790ea3e_1_spool_0
    WHERE $1 AND ivm_xid = pg_current_xact_id()), ivm_s1 AS MATERIALIZED (
    SELECT c0, c1, ivm_w
    FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s1', true),
        '')::django_ivm.region_revenue_5790ea3e_1_spool_1[])
    UNION ALL
    SELECT c0, c1, ivm_w
    FROM django_ivm.region_revenue_5790ea3e_1_spool_1
    WHERE $1 AND ivm_xid = pg_current_xact_id())
  SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
  FROM (
    SELECT c0 AS customer_id, c1 AS amount, ivm_w
    FROM ivm_s0) ivm_k
  UNION ALL
  SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
  FROM (
    SELECT c0 AS id_2, c1 AS region, ivm_w
    FROM ivm_s1) ivm_k) ivm_b
WHERE b IS NOT NULL
GROUP BY b
ORDER BY b
$ivm_q$ USING ivm_large LOOP
      IF ivm_all THEN
        PERFORM 1
        FROM django_ivm.region_revenue_5790ea3e_1_lock
        WHERE b = ivm_bucket
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ivm_bucket;
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
            PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
            PERFORM 1
            FROM django_ivm.region_revenue_5790ea3e_1_lock
            WHERE b = ivm_bucket
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ivm_bucket;
          END IF;
        END IF;
      ELSE
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = (
          SELECT ivm_s.st
          FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
          WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
          LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND THEN
          UPDATE django_ivm.region_revenue_5790ea3e_1_lock
          SET ver = ver + 1
          WHERE b = ivm_bucket AND st = (
            SELECT ivm_s.st
            FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
            WHERE ivm_s.b = ivm_bucket
            ORDER BY (ivm_s.st + pg_backend_pid()) % 8
            LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
          IF NOT FOUND THEN
            PERFORM 1
            FROM django_ivm.region_revenue_5790ea3e_1_lock
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
            UPDATE django_ivm.region_revenue_5790ea3e_1_lock
            SET ver = ver + 1
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
            IF NOT FOUND THEN
              IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
                PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
                PERFORM 1
                FROM django_ivm.region_revenue_5790ea3e_1_lock
                WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
                UPDATE django_ivm.region_revenue_5790ea3e_1_lock
                SET ver = ver + 1
                WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
              END IF;
            END IF;
          END IF;
        END IF;
      END IF;
    END LOOP;
    EXECUTE $ivm_q$
WITH ivm_up AS (
  INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2, ivm_a_3,
      largest, ivm_gone, revenue)
  SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
      ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
      WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
  FROM (
    SELECT region AS region, coalesce(sum(ivm_w), 0)::bigint AS purchases,
        coalesce(sum(ivm_w) FILTER (WHERE ((amount) IS NOT NULL)), 0)::bigint AS ivm_a,
        coalesce(sum(ivm_w * (amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
        coalesce(sum(ivm_w) FILTER (WHERE ((amount) = 'NaN'::numeric)), 0)::bigint AS ivm_a_3,
        max(amount) FILTER (WHERE ivm_w > 0) AS largest, max(amount) FILTER (WHERE ivm_w < 0) AS ivm_gone
    FROM (
      WITH ivm_s0 AS MATERIALIZED (
        SELECT c0, c1, ivm_w
        FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s0', true),
            '')::django_ivm.region_revenue_5790ea3e_1_spool_0[])
        UNION ALL
        SELECT c0, c1, ivm_w
        FROM django_ivm.region_revenue_5790ea3e_1_spool_0
        WHERE $1 AND ivm_xid = pg_current_xact_id()), ivm_s1 AS MATERIALIZED (
        SELECT c0, c1, ivm_w
        FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s1', true),
            '')::django_ivm.region_revenue_5790ea3e_1_spool_1[])
        UNION ALL
        SELECT c0, c1, ivm_w
        FROM django_ivm.region_revenue_5790ea3e_1_spool_1
        WHERE $1 AND ivm_xid = pg_current_xact_id())
      SELECT customer_id AS customer_id, amount AS amount, id_2 AS id_2, region AS region, ivm_w
      FROM (
        SELECT customer_id, amount, id_2, region, ivm_j0.ivm_w * ivm_j1.ivm_w AS ivm_w
        FROM (
          SELECT c0 AS customer_id, c1 AS amount, ivm_w
          FROM ivm_s0
          WHERE $2) ivm_j0, (
          SELECT id AS id_2, region AS region, 1 AS ivm_w
          FROM shop.customer
          UNION ALL (
            SELECT id_2, region, -ivm_w
            FROM (
              SELECT c0 AS id_2, c1 AS region, ivm_w
              FROM ivm_s1) ivm_o OFFSET 0)) ivm_j1
        WHERE (id_2 = customer_id)) ivm_u0
      UNION ALL
      SELECT customer_id AS customer_id, amount AS amount, id_2 AS id_2, region AS region, ivm_w
      FROM (
        SELECT customer_id, amount, id_2, region, ivm_j1.ivm_w AS ivm_w
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT c0 AS id_2, c1 AS region, ivm_w
          FROM ivm_s1
          WHERE $3) ivm_j1
        WHERE (id_2 = customer_id)) ivm_u1) ivm_c
    GROUP BY (region)) ivm_d
  ORDER BY ivm_d.region
  ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
      ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
      ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest, excluded.largest),
      ivm_gone = excluded.ivm_gone, revenue = CASE WHEN (ivm_t.purchases + excluded.purchases) > 0
      THEN (CASE WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL
      WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
      ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
  RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, (NOT (ivm_t.ivm_gone IS NULL)
      AND (ivm_t.largest IS NULL OR ivm_t.ivm_gone >= ivm_t.largest)) AS ivm_probe)
SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0), array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0
    AND ivm_probe), bool_or(ivm_left < 0)
FROM ivm_up
$ivm_q$ INTO ivm_zero, ivm_touched, ivm_below USING ivm_large, ivm_has0, ivm_has1;
    IF ivm_zero IS NOT NULL THEN
      EXECUTE $ivm_q$DELETE FROM django_ivm.region_revenue_5790ea3e_data WHERE ctid = ANY($1)$ivm_q$
      USING ivm_zero;
    END IF;
    IF ivm_touched IS NOT NULL THEN
      IF cardinality(ivm_touched) <= 25 THEN
        EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET (largest) = (
  SELECT ivm_r.largest
  FROM (
    SELECT CASE WHEN ivm_t.region IS NULL THEN (
      SELECT max(amount)
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE ivm_a.region IS NULL) ELSE (
      SELECT max(amount)
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE ivm_a.region = ivm_t.region) END AS largest) ivm_r)
WHERE ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
      ELSE
        EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET largest = ivm_r.largest
FROM (
  SELECT ivm_a.region AS region, max(ivm_a.amount) AS largest
  FROM (
    SELECT customer_id, amount, id_2, region
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_j0, (
      SELECT id AS id_2, region AS region
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_a, (
    SELECT region
    FROM django_ivm.region_revenue_5790ea3e_data
    WHERE ctid = ANY($1)) ivm_k
  WHERE ROW(ivm_a.region)::record = ROW(ivm_k.region)::record
  GROUP BY ivm_a.region) ivm_r
WHERE ROW(ivm_r.region)::record = ROW(ivm_t.region)::record AND ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
      END IF;
    END IF;
  ELSE
    FOR ivm_bucket, ivm_all IN
    SELECT b, bool_or(ivm_parent)
    FROM (
      WITH ivm_s0 AS MATERIALIZED (
        SELECT c0, c1, ivm_w
        FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s0', true),
            '')::django_ivm.region_revenue_5790ea3e_1_spool_0[])
        UNION ALL
        SELECT c0, c1, ivm_w
        FROM django_ivm.region_revenue_5790ea3e_1_spool_0
        WHERE ivm_large AND ivm_xid = pg_current_xact_id()), ivm_s1 AS MATERIALIZED (
        SELECT c0, c1, ivm_w
        FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s1', true),
            '')::django_ivm.region_revenue_5790ea3e_1_spool_1[])
        UNION ALL
        SELECT c0, c1, ivm_w
        FROM django_ivm.region_revenue_5790ea3e_1_spool_1
        WHERE ivm_large AND ivm_xid = pg_current_xact_id())
      SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
      FROM (
        SELECT c0 AS customer_id, c1 AS amount, ivm_w
        FROM ivm_s0) ivm_k
      UNION ALL
      SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
      FROM (
        SELECT c0 AS id_2, c1 AS region, ivm_w
        FROM ivm_s1) ivm_k) ivm_b
    WHERE b IS NOT NULL
    GROUP BY b
    ORDER BY b LOOP
    IF ivm_all THEN
      PERFORM 1
      FROM django_ivm.region_revenue_5790ea3e_1_lock
      WHERE b = ivm_bucket
      ORDER BY b, st FOR NO KEY UPDATE;
      UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ivm_bucket;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
          PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
          PERFORM 1
          FROM django_ivm.region_revenue_5790ea3e_1_lock
          WHERE b = ivm_bucket
          ORDER BY b, st FOR NO KEY UPDATE;
          UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ivm_bucket;
        END IF;
      END IF;
    ELSE
      UPDATE django_ivm.region_revenue_5790ea3e_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = (
          SELECT ivm_s.st
          FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
          WHERE ivm_s.b = ivm_bucket
          ORDER BY (ivm_s.st + pg_backend_pid()) % 8
          LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND THEN
          PERFORM 1
          FROM django_ivm.region_revenue_5790ea3e_1_lock
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
          UPDATE django_ivm.region_revenue_5790ea3e_1_lock
          SET ver = ver + 1
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          IF NOT FOUND THEN
            IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
              PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
              PERFORM 1
              FROM django_ivm.region_revenue_5790ea3e_1_lock
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
              UPDATE django_ivm.region_revenue_5790ea3e_1_lock
              SET ver = ver + 1
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
            END IF;
          END IF;
        END IF;
      END IF;
    END IF;
  END LOOP;
  WITH ivm_up AS (
    INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2, ivm_a_3,
        largest, ivm_gone, revenue)
    SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
        ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
        WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
    FROM (
      SELECT region AS region, coalesce(sum(ivm_w), 0)::bigint AS purchases,
          coalesce(sum(ivm_w) FILTER (WHERE ((amount) IS NOT NULL)), 0)::bigint AS ivm_a,
          coalesce(sum(ivm_w * (amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
          coalesce(sum(ivm_w) FILTER (WHERE ((amount) = 'NaN'::numeric)), 0)::bigint AS ivm_a_3,
          max(amount) FILTER (WHERE ivm_w > 0) AS largest, max(amount) FILTER (WHERE ivm_w < 0) AS ivm_gone
      FROM (
        WITH ivm_s0 AS MATERIALIZED (
          SELECT c0, c1, ivm_w
          FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s0', true),
              '')::django_ivm.region_revenue_5790ea3e_1_spool_0[])
          UNION ALL
          SELECT c0, c1, ivm_w
          FROM django_ivm.region_revenue_5790ea3e_1_spool_0
          WHERE ivm_large AND ivm_xid = pg_current_xact_id()), ivm_s1 AS MATERIALIZED (
          SELECT c0, c1, ivm_w
          FROM unnest(nullif(current_setting('ivm.n5790ea3e_1_s1', true),
              '')::django_ivm.region_revenue_5790ea3e_1_spool_1[])
          UNION ALL
          SELECT c0, c1, ivm_w
          FROM django_ivm.region_revenue_5790ea3e_1_spool_1
          WHERE ivm_large AND ivm_xid = pg_current_xact_id())
        SELECT customer_id AS customer_id, amount AS amount, id_2 AS id_2, region AS region, ivm_w
        FROM (
          SELECT customer_id, amount, id_2, region, ivm_j0.ivm_w * ivm_j1.ivm_w AS ivm_w
          FROM (
            SELECT c0 AS customer_id, c1 AS amount, ivm_w
            FROM ivm_s0
            WHERE ivm_has0) ivm_j0, (
            SELECT id AS id_2, region AS region, 1 AS ivm_w
            FROM shop.customer
            UNION ALL (
              SELECT id_2, region, -ivm_w
              FROM (
                SELECT c0 AS id_2, c1 AS region, ivm_w
                FROM ivm_s1) ivm_o OFFSET 0)) ivm_j1
          WHERE (id_2 = customer_id)) ivm_u0
        UNION ALL
        SELECT customer_id AS customer_id, amount AS amount, id_2 AS id_2, region AS region, ivm_w
        FROM (
          SELECT customer_id, amount, id_2, region, ivm_j1.ivm_w AS ivm_w
          FROM (
            SELECT customer_id AS customer_id, amount AS amount
            FROM shop.purchase) ivm_j0, (
            SELECT c0 AS id_2, c1 AS region, ivm_w
            FROM ivm_s1
            WHERE ivm_has1) ivm_j1
          WHERE (id_2 = customer_id)) ivm_u1) ivm_c
      GROUP BY (region)) ivm_d
    ORDER BY ivm_d.region
    ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
        ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
        ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest, excluded.largest),
        ivm_gone = excluded.ivm_gone, revenue = CASE WHEN (ivm_t.purchases + excluded.purchases) > 0
        THEN (CASE WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL
        WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
        ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
    RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, (NOT (ivm_t.ivm_gone IS NULL)
        AND (ivm_t.largest IS NULL OR ivm_t.ivm_gone >= ivm_t.largest)) AS ivm_probe)
  SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0), array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0
      AND ivm_probe), bool_or(ivm_left < 0)
  FROM ivm_up INTO ivm_zero, ivm_touched, ivm_below;
  IF ivm_zero IS NOT NULL THEN
    DELETE FROM django_ivm.region_revenue_5790ea3e_data WHERE ctid = ANY(ivm_zero);
  END IF;
  IF ivm_touched IS NOT NULL THEN
    IF cardinality(ivm_touched) <= 25 THEN
      UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
      SET (largest) = (
        SELECT ivm_r.largest
        FROM (
          SELECT CASE WHEN ivm_t.region IS NULL THEN (
            SELECT max(amount)
            FROM (
              SELECT customer_id, amount, id_2, region
              FROM (
                SELECT customer_id AS customer_id, amount AS amount
                FROM shop.purchase) ivm_j0, (
                SELECT id AS id_2, region AS region
                FROM shop.customer) ivm_j1
              WHERE (id_2 = customer_id)) ivm_a
            WHERE ivm_a.region IS NULL) ELSE (
            SELECT max(amount)
            FROM (
              SELECT customer_id, amount, id_2, region
              FROM (
                SELECT customer_id AS customer_id, amount AS amount
                FROM shop.purchase) ivm_j0, (
                SELECT id AS id_2, region AS region
                FROM shop.customer) ivm_j1
              WHERE (id_2 = customer_id)) ivm_a
            WHERE ivm_a.region = ivm_t.region) END AS largest) ivm_r)
      WHERE ivm_t.ctid = ANY(ivm_touched);
    ELSE
      EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET largest = ivm_r.largest
FROM (
  SELECT ivm_a.region AS region, max(ivm_a.amount) AS largest
  FROM (
    SELECT customer_id, amount, id_2, region
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_j0, (
      SELECT id AS id_2, region AS region
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_a, (
    SELECT region
    FROM django_ivm.region_revenue_5790ea3e_data
    WHERE ctid = ANY($1)) ivm_k
  WHERE ROW(ivm_a.region)::record = ROW(ivm_k.region)::record
  GROUP BY ivm_a.region) ivm_r
WHERE ROW(ivm_r.region)::record = ROW(ivm_t.region)::record AND ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
    END IF;
  END IF;
END IF;
END IF;
ivm_state := set_config('ivm.n5790ea3e_1_s0', '', true);
IF ivm_large THEN
DELETE
FROM django_ivm.region_revenue_5790ea3e_1_spool_0
WHERE ivm_xid = pg_current_xact_id(); END IF;
ivm_state := set_config('ivm.n5790ea3e_1_s1', '', true);
IF ivm_large THEN
DELETE
FROM django_ivm.region_revenue_5790ea3e_1_spool_1
WHERE ivm_xid = pg_current_xact_id(); END IF;
RETURN;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.region_revenue_5790ea3e_1_flush(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION django_ivm.region_revenue_5790ea3e_1_lock_rows() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp AS $ivm_body$
#variable_conflict use_column
BEGIN
  INSERT INTO django_ivm.region_revenue_5790ea3e_1_lock (b, st)
  SELECT b, st
  FROM generate_series(0, 127) b, generate_series(0, 7) st
  ON CONFLICT DO NOTHING;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.region_revenue_5790ea3e_1_lock_rows() FROM PUBLIC;

CREATE OR REPLACE FUNCTION django_ivm.region_revenue_5790ea3e_1_enter() RETURNS trigger LANGUAGE plpgsql AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_state text;
BEGIN
  IF coalesce(pg_catalog.current_setting('ivm.n5790ea3e_1', true), '') OPERATOR(pg_catalog.=) '' THEN
    ivm_state := pg_catalog.set_config('ivm.n5790ea3e_1', pg_catalog.concat((pg_catalog.date_part('epoch',
        pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text, '/1/'),
        true);
  ELSE
    ivm_state := pg_catalog.set_config('ivm.n5790ea3e_1', CASE
        WHEN pg_catalog.split_part(coalesce(pg_catalog.current_setting('ivm.n5790ea3e_1', true), ''), '/',
        1) OPERATOR(pg_catalog.=) (pg_catalog.date_part('epoch',
        pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text
        THEN pg_catalog.concat((pg_catalog.date_part('epoch',
        pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text, '/',
        pg_catalog.split_part(coalesce(pg_catalog.current_setting('ivm.n5790ea3e_1', true), ''), '/',
        2)::integer OPERATOR(pg_catalog.+) 1, '/',
        pg_catalog.split_part(coalesce(pg_catalog.current_setting('ivm.n5790ea3e_1', true), ''), '/',
        3)) ELSE pg_catalog.concat((pg_catalog.date_part('epoch',
        pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text,
        '/1/!') END, true);
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.region_revenue_5790ea3e_1_enter() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_region_revenue_5790ea3e_998_0_enter BEFORE INSERT OR UPDATE OR DELETE
    OR TRUNCATE
ON shop.purchase FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.region_revenue_5790ea3e_1_enter();

COMMENT ON TRIGGER ivm_region_revenue_5790ea3e_998_0_enter ON shop.purchase IS 'ec140a21';

CREATE OR REPLACE FUNCTION django_ivm.region_revenue_5790ea3e_1_0_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_state text;
  ivm_stamp text;
  ivm_depth integer;
  ivm_pending text;
  ivm_whole integer[];
  ivm_bucket integer;
  ivm_all boolean;
  ivm_many bigint;
  ivm_zero tid[];
  ivm_touched tid[];
  ivm_below boolean;
BEGIN
  IF current_setting('ivm.n5790ea3e_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND ((TG_TABLE_NAME = 'purchase' AND TG_TABLE_SCHEMA = 'shop')) THEN
    ivm_many := (SELECT count(*) FROM (SELECT 1 FROM ivm_new LIMIT 101) ivm_z);
    IF ivm_many <= 100 THEN
      FOR ivm_bucket IN
      SELECT DISTINCT b
      FROM (
        SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
        FROM (
          SELECT customer_id AS customer_id, amount AS amount, 1 AS ivm_w
          FROM ivm_new) ivm_k) ivm_b
      WHERE b IS NOT NULL
      ORDER BY b LOOP
      UPDATE django_ivm.region_revenue_5790ea3e_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = (
          SELECT ivm_s.st
          FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
          WHERE ivm_s.b = ivm_bucket
          ORDER BY (ivm_s.st + pg_backend_pid()) % 8
          LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND THEN
          PERFORM 1
          FROM django_ivm.region_revenue_5790ea3e_1_lock
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
          UPDATE django_ivm.region_revenue_5790ea3e_1_lock
          SET ver = ver + 1
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          IF NOT FOUND THEN
            IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
              PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
              PERFORM 1
              FROM django_ivm.region_revenue_5790ea3e_1_lock
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
              UPDATE django_ivm.region_revenue_5790ea3e_1_lock
              SET ver = ver + 1
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
            END IF;
          END IF;
        END IF;
      END IF;
    END LOOP;
    INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2, ivm_a_3,
        largest, ivm_gone, revenue)
    SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
        ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
        WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
    FROM (
      SELECT region AS region, count(*) AS purchases, count(amount) AS ivm_a,
          coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
          count(*) FILTER (WHERE ((amount) = 'NaN'::numeric)) AS ivm_a_3, max(amount) AS largest,
          NULL::numeric AS ivm_gone
      FROM (
        SELECT customer_id, amount, id_2, region, ivm_j0.ivm_w AS ivm_w
        FROM (
          SELECT customer_id AS customer_id, amount AS amount, 1 AS ivm_w
          FROM ivm_new) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_c
      GROUP BY (region)) ivm_d
    ORDER BY ivm_d.region
    ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
        ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
        ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest, excluded.largest),
        revenue = CASE WHEN (ivm_t.purchases + excluded.purchases) > 0 THEN (CASE
        WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0
        THEN 'NaN'::numeric ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END;
  ELSE
    PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
        set_config('enable_mergejoin', 'on', true);
    FOR ivm_bucket IN EXECUTE $ivm_q$
SELECT DISTINCT b
FROM (
  SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
  FROM (
    SELECT customer_id AS customer_id, amount AS amount, 1 AS ivm_w
    FROM ivm_new) ivm_k) ivm_b
WHERE b IS NOT NULL
ORDER BY b
$ivm_q$ LOOP
    UPDATE django_ivm.region_revenue_5790ea3e_1_lock
    SET ver = ver + 1
    WHERE b = ivm_bucket AND st = (
      SELECT ivm_s.st
      FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
      WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
      LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
      UPDATE django_ivm.region_revenue_5790ea3e_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket
        ORDER BY (ivm_s.st + pg_backend_pid()) % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        PERFORM 1
        FROM django_ivm.region_revenue_5790ea3e_1_lock
        WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
            PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
            PERFORM 1
            FROM django_ivm.region_revenue_5790ea3e_1_lock
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
            UPDATE django_ivm.region_revenue_5790ea3e_1_lock
            SET ver = ver + 1
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          END IF;
        END IF;
      END IF;
    END IF;
  END LOOP;
  EXECUTE $ivm_q$
INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2, ivm_a_3,
    largest, ivm_gone, revenue)
SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
    ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
    WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
FROM (
  SELECT region AS region, count(*) AS purchases, count(amount) AS ivm_a,
      coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
      count(*) FILTER (WHERE ((amount) = 'NaN'::numeric)) AS ivm_a_3, max(amount) AS largest,
      NULL::numeric AS ivm_gone
  FROM (
    SELECT customer_id, amount, id_2, region, ivm_j0.ivm_w AS ivm_w
    FROM (
      SELECT customer_id AS customer_id, amount AS amount, 1 AS ivm_w
      FROM ivm_new) ivm_j0, (
      SELECT id AS id_2, region AS region
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_c
  GROUP BY (region)) ivm_d
ORDER BY ivm_d.region
ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
    ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
    ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest, excluded.largest),
    revenue = CASE WHEN (ivm_t.purchases + excluded.purchases) > 0 THEN (CASE
    WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0
    THEN 'NaN'::numeric ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
$ivm_q$;
END IF;
IF current_setting('ivm.n5790ea3e_1', true) = (pg_catalog.date_part('epoch',
    pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
    AND set_config('ivm.n5790ea3e_1', '', true) = '' THEN
  RETURN NULL;
END IF;
RAISE EXCEPTION 'a trigger on the maintained table region_revenue_5790ea3e_data writes a table that it is computed from'
USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
END IF;
IF NOT ((TG_TABLE_NAME = 'purchase' AND TG_TABLE_SCHEMA = 'shop')) THEN
IF pg_trigger_depth() >= 200 THEN
  RAISE EXCEPTION 'a trigger on the maintained table computed from %.% writes to it again', TG_TABLE_SCHEMA,
      TG_TABLE_NAME
  USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
END IF;
RAISE EXCEPTION 'this function maintains a view for changes of another table than %.%', TG_TABLE_SCHEMA,
    TG_TABLE_NAME
USING ERRCODE = 'insufficient_privilege', HINT = 'After a rename, run ivm_install.';
END IF;
ivm_state := coalesce(current_setting('ivm.n5790ea3e_1', true), '');
ivm_stamp := (pg_catalog.date_part('epoch',
    pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text;
IF split_part(ivm_state, '/', 1) <> ivm_stamp THEN
RAISE EXCEPTION 'the events of this statement were miscounted on %.%', TG_TABLE_SCHEMA, TG_TABLE_NAME
USING ERRCODE = 'triggered_action_exception',
    HINT = 'A trigger was dropped or a setting ivm.* was changed inside the statement; run it again.';
END IF;
ivm_depth := split_part(ivm_state, '/', 2)::integer;
ivm_pending := split_part(ivm_state, '/', 3);
IF EXISTS (SELECT 1 FROM ivm_new) THEN
IF ivm_pending = '' THEN
  ivm_state := set_config('ivm.n5790ea3e_1_s0', '', true);
  ivm_state := set_config('ivm.n5790ea3e_1_s1', '', true);
END IF;
IF length(coalesce(current_setting('ivm.n5790ea3e_1_s0', true), '')) < 4096 AND (
  SELECT count(*)
  FROM (
    SELECT 1
    FROM ivm_new
    LIMIT 101) ivm_z) <= 100 THEN
  PERFORM set_config('ivm.n5790ea3e_1_s0', (coalesce(nullif(current_setting('ivm.n5790ea3e_1_s0', true), ''),
      '{}')::django_ivm.region_revenue_5790ea3e_1_spool_0[] || ARRAY(
        SELECT ROW(c0, c1, ivm_w, NULL)::django_ivm.region_revenue_5790ea3e_1_spool_0
        FROM (
          SELECT customer_id, amount, 1
          FROM ivm_new) ivm_z(c0, c1, ivm_w)))::text, true);
ELSE
  INSERT INTO django_ivm.region_revenue_5790ea3e_1_spool_0 (c0, c1, ivm_w, ivm_xid)
  SELECT ivm_z.*, pg_current_xact_id()
  FROM (
    SELECT customer_id, amount, 1
    FROM ivm_new) ivm_z;
  IF position('+' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || '+'; END IF;
END IF;
IF position(',0,' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || ',0,'; END IF;
END IF;
IF ivm_depth <= 1 THEN
IF ivm_pending <> '' THEN
  ivm_state := set_config('ivm.n5790ea3e_1', ivm_stamp || '/1000000/', true);
  PERFORM django_ivm.region_revenue_5790ea3e_1_flush(ivm_pending);
  IF current_setting('ivm.n5790ea3e_1', true) <> ivm_state THEN
    RAISE EXCEPTION 'a trigger on the maintained table region_revenue_5790ea3e_data writes a table that it is computed from'
    USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
  END IF;
END IF;
ivm_state := set_config('ivm.n5790ea3e_1', '', true);
ELSE
ivm_state := set_config('ivm.n5790ea3e_1', ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending,
    true);
END IF;
RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.region_revenue_5790ea3e_1_0_insert() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_region_revenue_5790ea3e_998_0_insert AFTER INSERT
ON shop.purchase
REFERENCING NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.region_revenue_5790ea3e_1_0_insert();

COMMENT ON TRIGGER ivm_region_revenue_5790ea3e_998_0_insert ON shop.purchase IS '626b3f23';

CREATE OR REPLACE FUNCTION django_ivm.region_revenue_5790ea3e_1_0_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_state text;
  ivm_stamp text;
  ivm_depth integer;
  ivm_pending text;
  ivm_whole integer[];
  ivm_bucket integer;
  ivm_all boolean;
  ivm_many bigint;
  ivm_zero tid[];
  ivm_touched tid[];
  ivm_below boolean;
BEGIN
  IF current_setting('ivm.n5790ea3e_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND NOT (ARRAY(
      SELECT ROW(customer_id, amount)
      FROM ivm_old) IS DISTINCT FROM ARRAY(
      SELECT ROW(customer_id, amount)
      FROM ivm_new)) THEN
    ivm_state := set_config('ivm.n5790ea3e_1', '', true);
    RETURN NULL;
  END IF;
  IF current_setting('ivm.n5790ea3e_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND ((TG_TABLE_NAME = 'purchase' AND TG_TABLE_SCHEMA = 'shop')) THEN
    ivm_many := (SELECT count(*) FROM (SELECT 1 FROM ivm_new LIMIT 101) ivm_z);
    IF ivm_many <= 100 THEN
      FOR ivm_bucket IN
      SELECT DISTINCT b
      FROM (
        SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
        FROM (
          SELECT customer_id AS customer_id, amount AS amount, -1 AS ivm_w
          FROM ivm_old
          UNION ALL
          SELECT customer_id AS customer_id, amount AS amount, 1 AS ivm_w
          FROM ivm_new) ivm_k) ivm_b
      WHERE b IS NOT NULL
      ORDER BY b LOOP
      UPDATE django_ivm.region_revenue_5790ea3e_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = (
          SELECT ivm_s.st
          FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
          WHERE ivm_s.b = ivm_bucket
          ORDER BY (ivm_s.st + pg_backend_pid()) % 8
          LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND THEN
          PERFORM 1
          FROM django_ivm.region_revenue_5790ea3e_1_lock
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
          UPDATE django_ivm.region_revenue_5790ea3e_1_lock
          SET ver = ver + 1
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          IF NOT FOUND THEN
            IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
              PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
              PERFORM 1
              FROM django_ivm.region_revenue_5790ea3e_1_lock
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
              UPDATE django_ivm.region_revenue_5790ea3e_1_lock
              SET ver = ver + 1
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
            END IF;
          END IF;
        END IF;
      END IF;
    END LOOP;
    WITH ivm_up AS (
      INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2,
          ivm_a_3, largest, ivm_gone, revenue)
      SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
          ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
          WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
      FROM (
        SELECT region AS region, coalesce(sum(ivm_w), 0)::bigint AS purchases,
            coalesce(sum(ivm_w) FILTER (WHERE ((amount) IS NOT NULL)), 0)::bigint AS ivm_a,
            coalesce(sum(ivm_w * (amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)),
            0)::numeric AS ivm_a_2, coalesce(sum(ivm_w) FILTER (WHERE ((amount) = 'NaN'::numeric)),
            0)::bigint AS ivm_a_3, max(amount) FILTER (WHERE ivm_w > 0) AS largest,
            max(amount) FILTER (WHERE ivm_w < 0) AS ivm_gone
        FROM (
          SELECT customer_id, amount, id_2, region, ivm_j0.ivm_w AS ivm_w
          FROM (
            SELECT customer_id AS customer_id, amount AS amount, -1 AS ivm_w
            FROM ivm_old
            UNION ALL
            SELECT customer_id AS customer_id, amount AS amount, 1 AS ivm_w
            FROM ivm_new) ivm_j0, (
            SELECT id AS id_2, region AS region
            FROM shop.customer) ivm_j1
          WHERE (id_2 = customer_id)) ivm_c
        GROUP BY (region)) ivm_d
      ORDER BY ivm_d.region
      ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
          ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
          ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest, excluded.largest),
          ivm_gone = excluded.ivm_gone, revenue = CASE WHEN (ivm_t.purchases + excluded.purchases) > 0
          THEN (CASE WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL
          WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
          ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
      RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, (NOT (ivm_t.ivm_gone IS NULL)
          AND (ivm_t.largest IS NULL OR ivm_t.ivm_gone >= ivm_t.largest)) AS ivm_probe)
    SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0),
        array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0 AND ivm_probe), bool_or(ivm_left < 0)
    FROM ivm_up INTO ivm_zero, ivm_touched, ivm_below;
    IF ivm_zero IS NOT NULL THEN
      DELETE FROM django_ivm.region_revenue_5790ea3e_data WHERE ctid = ANY(ivm_zero);
    END IF;
    IF ivm_touched IS NOT NULL THEN
      IF cardinality(ivm_touched) <= 25 THEN
        UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
        SET (largest) = (
          SELECT ivm_r.largest
          FROM (
            SELECT CASE WHEN ivm_t.region IS NULL THEN (
              SELECT max(amount)
              FROM (
                SELECT customer_id, amount, id_2, region
                FROM (
                  SELECT customer_id AS customer_id, amount AS amount
                  FROM shop.purchase) ivm_j0, (
                  SELECT id AS id_2, region AS region
                  FROM shop.customer) ivm_j1
                WHERE (id_2 = customer_id)) ivm_a
              WHERE ivm_a.region IS NULL) ELSE (
              SELECT max(amount)
              FROM (
                SELECT customer_id, amount, id_2, region
                FROM (
                  SELECT customer_id AS customer_id, amount AS amount
                  FROM shop.purchase) ivm_j0, (
                  SELECT id AS id_2, region AS region
                  FROM shop.customer) ivm_j1
                WHERE (id_2 = customer_id)) ivm_a
              WHERE ivm_a.region = ivm_t.region) END AS largest) ivm_r)
        WHERE ivm_t.ctid = ANY(ivm_touched);
      ELSE
        EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET largest = ivm_r.largest
FROM (
  SELECT ivm_a.region AS region, max(ivm_a.amount) AS largest
  FROM (
    SELECT customer_id, amount, id_2, region
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_j0, (
      SELECT id AS id_2, region AS region
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_a, (
    SELECT region
    FROM django_ivm.region_revenue_5790ea3e_data
    WHERE ctid = ANY($1)) ivm_k
  WHERE ROW(ivm_a.region)::record = ROW(ivm_k.region)::record
  GROUP BY ivm_a.region) ivm_r
WHERE ROW(ivm_r.region)::record = ROW(ivm_t.region)::record AND ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
      END IF;
    END IF;
  ELSE
    PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
        set_config('enable_mergejoin', 'on', true);
    FOR ivm_bucket IN EXECUTE $ivm_q$
SELECT DISTINCT b
FROM (
  SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
  FROM (
    SELECT customer_id AS customer_id, amount AS amount, -1 AS ivm_w
    FROM ivm_old
    UNION ALL
    SELECT customer_id AS customer_id, amount AS amount, 1 AS ivm_w
    FROM ivm_new) ivm_k) ivm_b
WHERE b IS NOT NULL
ORDER BY b
$ivm_q$ LOOP
    UPDATE django_ivm.region_revenue_5790ea3e_1_lock
    SET ver = ver + 1
    WHERE b = ivm_bucket AND st = (
      SELECT ivm_s.st
      FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
      WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
      LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
      UPDATE django_ivm.region_revenue_5790ea3e_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket
        ORDER BY (ivm_s.st + pg_backend_pid()) % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        PERFORM 1
        FROM django_ivm.region_revenue_5790ea3e_1_lock
        WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
            PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
            PERFORM 1
            FROM django_ivm.region_revenue_5790ea3e_1_lock
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
            UPDATE django_ivm.region_revenue_5790ea3e_1_lock
            SET ver = ver + 1
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          END IF;
        END IF;
      END IF;
    END IF;
  END LOOP;
  EXECUTE $ivm_q$
WITH ivm_up AS (
  INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2, ivm_a_3,
      largest, ivm_gone, revenue)
  SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
      ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
      WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
  FROM (
    SELECT region AS region, coalesce(sum(ivm_w), 0)::bigint AS purchases,
        coalesce(sum(ivm_w) FILTER (WHERE ((amount) IS NOT NULL)), 0)::bigint AS ivm_a,
        coalesce(sum(ivm_w * (amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
        coalesce(sum(ivm_w) FILTER (WHERE ((amount) = 'NaN'::numeric)), 0)::bigint AS ivm_a_3,
        max(amount) FILTER (WHERE ivm_w > 0) AS largest, max(amount) FILTER (WHERE ivm_w < 0) AS ivm_gone
    FROM (
      SELECT customer_id, amount, id_2, region, ivm_j0.ivm_w AS ivm_w
      FROM (
        SELECT customer_id AS customer_id, amount AS amount, -1 AS ivm_w
        FROM ivm_old
        UNION ALL
        SELECT customer_id AS customer_id, amount AS amount, 1 AS ivm_w
        FROM ivm_new) ivm_j0, (
        SELECT id AS id_2, region AS region
        FROM shop.customer) ivm_j1
      WHERE (id_2 = customer_id)) ivm_c
    GROUP BY (region)) ivm_d
  ORDER BY ivm_d.region
  ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
      ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
      ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest, excluded.largest),
      ivm_gone = excluded.ivm_gone, revenue = CASE WHEN (ivm_t.purchases + excluded.purchases) > 0
      THEN (CASE WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL
      WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
      ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
  RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, (NOT (ivm_t.ivm_gone IS NULL)
      AND (ivm_t.largest IS NULL OR ivm_t.ivm_gone >= ivm_t.largest)) AS ivm_probe)
SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0), array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0
    AND ivm_probe), bool_or(ivm_left < 0)
FROM ivm_up
$ivm_q$ INTO ivm_zero, ivm_touched, ivm_below;
  IF ivm_zero IS NOT NULL THEN
    EXECUTE $ivm_q$DELETE FROM django_ivm.region_revenue_5790ea3e_data WHERE ctid = ANY($1)$ivm_q$
    USING ivm_zero;
  END IF;
  IF ivm_touched IS NOT NULL THEN
    IF cardinality(ivm_touched) <= 25 THEN
      EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET (largest) = (
  SELECT ivm_r.largest
  FROM (
    SELECT CASE WHEN ivm_t.region IS NULL THEN (
      SELECT max(amount)
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE ivm_a.region IS NULL) ELSE (
      SELECT max(amount)
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE ivm_a.region = ivm_t.region) END AS largest) ivm_r)
WHERE ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
    ELSE
      EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET largest = ivm_r.largest
FROM (
  SELECT ivm_a.region AS region, max(ivm_a.amount) AS largest
  FROM (
    SELECT customer_id, amount, id_2, region
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_j0, (
      SELECT id AS id_2, region AS region
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_a, (
    SELECT region
    FROM django_ivm.region_revenue_5790ea3e_data
    WHERE ctid = ANY($1)) ivm_k
  WHERE ROW(ivm_a.region)::record = ROW(ivm_k.region)::record
  GROUP BY ivm_a.region) ivm_r
WHERE ROW(ivm_r.region)::record = ROW(ivm_t.region)::record AND ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
    END IF;
  END IF;
END IF;
IF current_setting('ivm.n5790ea3e_1', true) = (pg_catalog.date_part('epoch',
    pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
    AND set_config('ivm.n5790ea3e_1', '', true) = '' THEN
  RETURN NULL;
END IF;
RAISE EXCEPTION 'a trigger on the maintained table region_revenue_5790ea3e_data writes a table that it is computed from'
USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
END IF;
IF NOT ((TG_TABLE_NAME = 'purchase' AND TG_TABLE_SCHEMA = 'shop')) THEN
IF pg_trigger_depth() >= 200 THEN
  RAISE EXCEPTION 'a trigger on the maintained table computed from %.% writes to it again', TG_TABLE_SCHEMA,
      TG_TABLE_NAME
  USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
END IF;
RAISE EXCEPTION 'this function maintains a view for changes of another table than %.%', TG_TABLE_SCHEMA,
    TG_TABLE_NAME
USING ERRCODE = 'insufficient_privilege', HINT = 'After a rename, run ivm_install.';
END IF;
ivm_state := coalesce(current_setting('ivm.n5790ea3e_1', true), '');
ivm_stamp := (pg_catalog.date_part('epoch',
    pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text;
IF split_part(ivm_state, '/', 1) <> ivm_stamp THEN
RAISE EXCEPTION 'the events of this statement were miscounted on %.%', TG_TABLE_SCHEMA, TG_TABLE_NAME
USING ERRCODE = 'triggered_action_exception',
    HINT = 'A trigger was dropped or a setting ivm.* was changed inside the statement; run it again.';
END IF;
ivm_depth := split_part(ivm_state, '/', 2)::integer;
ivm_pending := split_part(ivm_state, '/', 3);
IF ARRAY(
  SELECT ROW(customer_id, amount)
  FROM ivm_old) IS DISTINCT FROM ARRAY(
  SELECT ROW(customer_id, amount)
  FROM ivm_new) THEN
IF ivm_pending = '' THEN
  ivm_state := set_config('ivm.n5790ea3e_1_s0', '', true);
  ivm_state := set_config('ivm.n5790ea3e_1_s1', '', true);
END IF;
IF length(coalesce(current_setting('ivm.n5790ea3e_1_s0', true), '')) < 4096 AND (
  SELECT count(*)
  FROM (
    SELECT 1
    FROM ivm_new
    LIMIT 101) ivm_z) <= 100 THEN
  PERFORM set_config('ivm.n5790ea3e_1_s0', (coalesce(nullif(current_setting('ivm.n5790ea3e_1_s0', true), ''),
      '{}')::django_ivm.region_revenue_5790ea3e_1_spool_0[] || ARRAY(
        SELECT ROW(c0, c1, ivm_w, NULL)::django_ivm.region_revenue_5790ea3e_1_spool_0
        FROM (
          SELECT customer_id, amount, -1
          FROM ivm_old
          UNION ALL
          SELECT customer_id, amount, 1
          FROM ivm_new) ivm_z(c0, c1, ivm_w)))::text, true);
ELSE
  INSERT INTO django_ivm.region_revenue_5790ea3e_1_spool_0 (c0, c1, ivm_w, ivm_xid)
  SELECT ivm_z.*, pg_current_xact_id()
  FROM (
    SELECT customer_id, amount, -1
    FROM ivm_old
    UNION ALL
    SELECT customer_id, amount, 1
    FROM ivm_new) ivm_z;
  IF position('+' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || '+'; END IF;
END IF;
IF position(',0,' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || ',0,'; END IF;
END IF;
IF ivm_depth <= 1 THEN
IF ivm_pending <> '' THEN
  ivm_state := set_config('ivm.n5790ea3e_1', ivm_stamp || '/1000000/', true);
  PERFORM django_ivm.region_revenue_5790ea3e_1_flush(ivm_pending);
  IF current_setting('ivm.n5790ea3e_1', true) <> ivm_state THEN
    RAISE EXCEPTION 'a trigger on the maintained table region_revenue_5790ea3e_data writes a table that it is computed from'
    USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
  END IF;
END IF;
ivm_state := set_config('ivm.n5790ea3e_1', '', true);
ELSE
ivm_state := set_config('ivm.n5790ea3e_1', ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending,
    true);
END IF;
RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.region_revenue_5790ea3e_1_0_update() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_region_revenue_5790ea3e_998_0_update AFTER UPDATE ON shop.purchase
REFERENCING OLD TABLE AS ivm_old NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.region_revenue_5790ea3e_1_0_update();

COMMENT ON TRIGGER ivm_region_revenue_5790ea3e_998_0_update ON shop.purchase IS '3375b297';

CREATE OR REPLACE FUNCTION django_ivm.region_revenue_5790ea3e_1_0_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_state text;
  ivm_stamp text;
  ivm_depth integer;
  ivm_pending text;
  ivm_whole integer[];
  ivm_bucket integer;
  ivm_all boolean;
  ivm_many bigint;
  ivm_zero tid[];
  ivm_touched tid[];
  ivm_below boolean;
BEGIN
  IF current_setting('ivm.n5790ea3e_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND ((TG_TABLE_NAME = 'purchase' AND TG_TABLE_SCHEMA = 'shop')) THEN
    ivm_many := (SELECT count(*) FROM (SELECT 1 FROM ivm_old LIMIT 101) ivm_z);
    IF ivm_many <= 100 THEN
      FOR ivm_bucket IN
      SELECT DISTINCT b
      FROM (
        SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
        FROM (
          SELECT customer_id AS customer_id, amount AS amount, -1 AS ivm_w
          FROM ivm_old) ivm_k) ivm_b
      WHERE b IS NOT NULL
      ORDER BY b LOOP
      UPDATE django_ivm.region_revenue_5790ea3e_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = (
          SELECT ivm_s.st
          FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
          WHERE ivm_s.b = ivm_bucket
          ORDER BY (ivm_s.st + pg_backend_pid()) % 8
          LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND THEN
          PERFORM 1
          FROM django_ivm.region_revenue_5790ea3e_1_lock
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
          UPDATE django_ivm.region_revenue_5790ea3e_1_lock
          SET ver = ver + 1
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          IF NOT FOUND THEN
            IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
              PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
              PERFORM 1
              FROM django_ivm.region_revenue_5790ea3e_1_lock
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
              UPDATE django_ivm.region_revenue_5790ea3e_1_lock
              SET ver = ver + 1
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
            END IF;
          END IF;
        END IF;
      END IF;
    END LOOP;
    WITH ivm_up AS (
      INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2,
          ivm_a_3, largest, ivm_gone, revenue)
      SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
          ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
          WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
      FROM (
        SELECT region AS region, -(count(*)) AS purchases, -(count(amount)) AS ivm_a,
            -(coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric) AS ivm_a_2,
            -(count(*) FILTER (WHERE ((amount) = 'NaN'::numeric))) AS ivm_a_3, NULL::numeric AS largest,
            max(amount) AS ivm_gone
        FROM (
          SELECT customer_id, amount, id_2, region, ivm_j0.ivm_w AS ivm_w
          FROM (
            SELECT customer_id AS customer_id, amount AS amount, -1 AS ivm_w
            FROM ivm_old) ivm_j0, (
            SELECT id AS id_2, region AS region
            FROM shop.customer) ivm_j1
          WHERE (id_2 = customer_id)) ivm_c
        GROUP BY (region)) ivm_d
      ORDER BY ivm_d.region
      ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
          ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
          ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest, excluded.largest),
          ivm_gone = excluded.ivm_gone, revenue = CASE WHEN (ivm_t.purchases + excluded.purchases) > 0
          THEN (CASE WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL
          WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
          ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
      RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, (NOT (ivm_t.ivm_gone IS NULL)
          AND (ivm_t.largest IS NULL OR ivm_t.ivm_gone >= ivm_t.largest)) AS ivm_probe)
    SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0),
        array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0 AND ivm_probe), bool_or(ivm_left < 0)
    FROM ivm_up INTO ivm_zero, ivm_touched, ivm_below;
    IF ivm_zero IS NOT NULL THEN
      DELETE FROM django_ivm.region_revenue_5790ea3e_data WHERE ctid = ANY(ivm_zero);
    END IF;
    IF ivm_touched IS NOT NULL THEN
      IF cardinality(ivm_touched) <= 25 THEN
        UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
        SET (largest) = (
          SELECT ivm_r.largest
          FROM (
            SELECT CASE WHEN ivm_t.region IS NULL THEN (
              SELECT max(amount)
              FROM (
                SELECT customer_id, amount, id_2, region
                FROM (
                  SELECT customer_id AS customer_id, amount AS amount
                  FROM shop.purchase) ivm_j0, (
                  SELECT id AS id_2, region AS region
                  FROM shop.customer) ivm_j1
                WHERE (id_2 = customer_id)) ivm_a
              WHERE ivm_a.region IS NULL) ELSE (
              SELECT max(amount)
              FROM (
                SELECT customer_id, amount, id_2, region
                FROM (
                  SELECT customer_id AS customer_id, amount AS amount
                  FROM shop.purchase) ivm_j0, (
                  SELECT id AS id_2, region AS region
                  FROM shop.customer) ivm_j1
                WHERE (id_2 = customer_id)) ivm_a
              WHERE ivm_a.region = ivm_t.region) END AS largest) ivm_r)
        WHERE ivm_t.ctid = ANY(ivm_touched);
      ELSE
        EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET largest = ivm_r.largest
FROM (
  SELECT ivm_a.region AS region, max(ivm_a.amount) AS largest
  FROM (
    SELECT customer_id, amount, id_2, region
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_j0, (
      SELECT id AS id_2, region AS region
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_a, (
    SELECT region
    FROM django_ivm.region_revenue_5790ea3e_data
    WHERE ctid = ANY($1)) ivm_k
  WHERE ROW(ivm_a.region)::record = ROW(ivm_k.region)::record
  GROUP BY ivm_a.region) ivm_r
WHERE ROW(ivm_r.region)::record = ROW(ivm_t.region)::record AND ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
      END IF;
    END IF;
  ELSE
    PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
        set_config('enable_mergejoin', 'on', true);
    FOR ivm_bucket IN EXECUTE $ivm_q$
SELECT DISTINCT b
FROM (
  SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
  FROM (
    SELECT customer_id AS customer_id, amount AS amount, -1 AS ivm_w
    FROM ivm_old) ivm_k) ivm_b
WHERE b IS NOT NULL
ORDER BY b
$ivm_q$ LOOP
    UPDATE django_ivm.region_revenue_5790ea3e_1_lock
    SET ver = ver + 1
    WHERE b = ivm_bucket AND st = (
      SELECT ivm_s.st
      FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
      WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
      LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
      UPDATE django_ivm.region_revenue_5790ea3e_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.region_revenue_5790ea3e_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket
        ORDER BY (ivm_s.st + pg_backend_pid()) % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        PERFORM 1
        FROM django_ivm.region_revenue_5790ea3e_1_lock
        WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
            PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
            PERFORM 1
            FROM django_ivm.region_revenue_5790ea3e_1_lock
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
            UPDATE django_ivm.region_revenue_5790ea3e_1_lock
            SET ver = ver + 1
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          END IF;
        END IF;
      END IF;
    END IF;
  END LOOP;
  EXECUTE $ivm_q$
WITH ivm_up AS (
  INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2, ivm_a_3,
      largest, ivm_gone, revenue)
  SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
      ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
      WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
  FROM (
    SELECT region AS region, -(count(*)) AS purchases, -(count(amount)) AS ivm_a,
        -(coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric) AS ivm_a_2,
        -(count(*) FILTER (WHERE ((amount) = 'NaN'::numeric))) AS ivm_a_3, NULL::numeric AS largest,
        max(amount) AS ivm_gone
    FROM (
      SELECT customer_id, amount, id_2, region, ivm_j0.ivm_w AS ivm_w
      FROM (
        SELECT customer_id AS customer_id, amount AS amount, -1 AS ivm_w
        FROM ivm_old) ivm_j0, (
        SELECT id AS id_2, region AS region
        FROM shop.customer) ivm_j1
      WHERE (id_2 = customer_id)) ivm_c
    GROUP BY (region)) ivm_d
  ORDER BY ivm_d.region
  ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
      ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
      ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest, excluded.largest),
      ivm_gone = excluded.ivm_gone, revenue = CASE WHEN (ivm_t.purchases + excluded.purchases) > 0
      THEN (CASE WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL
      WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
      ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
  RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, (NOT (ivm_t.ivm_gone IS NULL)
      AND (ivm_t.largest IS NULL OR ivm_t.ivm_gone >= ivm_t.largest)) AS ivm_probe)
SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0), array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0
    AND ivm_probe), bool_or(ivm_left < 0)
FROM ivm_up
$ivm_q$ INTO ivm_zero, ivm_touched, ivm_below;
  IF ivm_zero IS NOT NULL THEN
    EXECUTE $ivm_q$DELETE FROM django_ivm.region_revenue_5790ea3e_data WHERE ctid = ANY($1)$ivm_q$
    USING ivm_zero;
  END IF;
  IF ivm_touched IS NOT NULL THEN
    IF cardinality(ivm_touched) <= 25 THEN
      EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET (largest) = (
  SELECT ivm_r.largest
  FROM (
    SELECT CASE WHEN ivm_t.region IS NULL THEN (
      SELECT max(amount)
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE ivm_a.region IS NULL) ELSE (
      SELECT max(amount)
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE ivm_a.region = ivm_t.region) END AS largest) ivm_r)
WHERE ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
    ELSE
      EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET largest = ivm_r.largest
FROM (
  SELECT ivm_a.region AS region, max(ivm_a.amount) AS largest
  FROM (
    SELECT customer_id, amount, id_2, region
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_j0, (
      SELECT id AS id_2, region AS region
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_a, (
    SELECT region
    FROM django_ivm.region_revenue_5790ea3e_data
    WHERE ctid = ANY($1)) ivm_k
  WHERE ROW(ivm_a.region)::record = ROW(ivm_k.region)::record
  GROUP BY ivm_a.region) ivm_r
WHERE ROW(ivm_r.region)::record = ROW(ivm_t.region)::record AND ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
    END IF;
  END IF;
END IF;
IF current_setting('ivm.n5790ea3e_1', true) = (pg_catalog.date_part('epoch',
    pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
    AND set_config('ivm.n5790ea3e_1', '', true) = '' THEN
  RETURN NULL;
END IF;
RAISE EXCEPTION 'a trigger on the maintained table region_revenue_5790ea3e_data writes a table that it is computed from'
USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
END IF;
IF NOT ((TG_TABLE_NAME = 'purchase' AND TG_TABLE_SCHEMA = 'shop')) THEN
IF pg_trigger_depth() >= 200 THEN
  RAISE EXCEPTION 'a trigger on the maintained table computed from %.% writes to it again', TG_TABLE_SCHEMA,
      TG_TABLE_NAME
  USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
END IF;
RAISE EXCEPTION 'this function maintains a view for changes of another table than %.%', TG_TABLE_SCHEMA,
    TG_TABLE_NAME
USING ERRCODE = 'insufficient_privilege', HINT = 'After a rename, run ivm_install.';
END IF;
ivm_state := coalesce(current_setting('ivm.n5790ea3e_1', true), '');
ivm_stamp := (pg_catalog.date_part('epoch',
    pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text;
IF split_part(ivm_state, '/', 1) <> ivm_stamp THEN
RAISE EXCEPTION 'the events of this statement were miscounted on %.%', TG_TABLE_SCHEMA, TG_TABLE_NAME
USING ERRCODE = 'triggered_action_exception',
    HINT = 'A trigger was dropped or a setting ivm.* was changed inside the statement; run it again.';
END IF;
ivm_depth := split_part(ivm_state, '/', 2)::integer;
ivm_pending := split_part(ivm_state, '/', 3);
IF EXISTS (SELECT 1 FROM ivm_old) THEN
IF ivm_pending = '' THEN
  ivm_state := set_config('ivm.n5790ea3e_1_s0', '', true);
  ivm_state := set_config('ivm.n5790ea3e_1_s1', '', true);
END IF;
IF length(coalesce(current_setting('ivm.n5790ea3e_1_s0', true), '')) < 4096 AND (
  SELECT count(*)
  FROM (
    SELECT 1
    FROM ivm_old
    LIMIT 101) ivm_z) <= 100 THEN
  PERFORM set_config('ivm.n5790ea3e_1_s0', (coalesce(nullif(current_setting('ivm.n5790ea3e_1_s0', true), ''),
      '{}')::django_ivm.region_revenue_5790ea3e_1_spool_0[] || ARRAY(
        SELECT ROW(c0, c1, ivm_w, NULL)::django_ivm.region_revenue_5790ea3e_1_spool_0
        FROM (
          SELECT customer_id, amount, -1
          FROM ivm_old) ivm_z(c0, c1, ivm_w)))::text, true);
ELSE
  INSERT INTO django_ivm.region_revenue_5790ea3e_1_spool_0 (c0, c1, ivm_w, ivm_xid)
  SELECT ivm_z.*, pg_current_xact_id()
  FROM (
    SELECT customer_id, amount, -1
    FROM ivm_old) ivm_z;
  IF position('+' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || '+'; END IF;
END IF;
IF position(',0,' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || ',0,'; END IF;
END IF;
IF ivm_depth <= 1 THEN
IF ivm_pending <> '' THEN
  ivm_state := set_config('ivm.n5790ea3e_1', ivm_stamp || '/1000000/', true);
  PERFORM django_ivm.region_revenue_5790ea3e_1_flush(ivm_pending);
  IF current_setting('ivm.n5790ea3e_1', true) <> ivm_state THEN
    RAISE EXCEPTION 'a trigger on the maintained table region_revenue_5790ea3e_data writes a table that it is computed from'
    USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
  END IF;
END IF;
ivm_state := set_config('ivm.n5790ea3e_1', '', true);
ELSE
ivm_state := set_config('ivm.n5790ea3e_1', ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending,
    true);
END IF;
RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.region_revenue_5790ea3e_1_0_delete() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_region_revenue_5790ea3e_998_0_delete AFTER DELETE
ON shop.purchase
REFERENCING OLD TABLE AS ivm_old FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.region_revenue_5790ea3e_1_0_delete();

COMMENT ON TRIGGER ivm_region_revenue_5790ea3e_998_0_delete ON shop.purchase IS 'e9196eb1';

CREATE OR REPLACE FUNCTION django_ivm.region_revenue_5790ea3e_1_0_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_state text;
  ivm_stamp text;
  ivm_depth integer;
  ivm_pending text;
BEGIN
  IF NOT ((TG_TABLE_NAME = 'purchase' AND TG_TABLE_SCHEMA = 'shop')) THEN
    IF pg_trigger_depth() >= 200 THEN
      RAISE EXCEPTION 'a trigger on the maintained table computed from %.% writes to it again',
          TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
    END IF;
    RAISE EXCEPTION 'this function maintains a view for changes of another table than %.%', TG_TABLE_SCHEMA,
        TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege', HINT = 'After a rename, run ivm_install.';
  END IF;
  ivm_state := coalesce(current_setting('ivm.n5790ea3e_1', true), '');
  ivm_stamp := (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text;
  IF split_part(ivm_state, '/', 1) <> ivm_stamp THEN
    RAISE EXCEPTION 'the events of this statement were miscounted on %.%', TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'triggered_action_exception',
        HINT = 'A trigger was dropped or a setting ivm.* was changed inside the statement; run it again.';
  END IF;
  ivm_depth := split_part(ivm_state, '/', 2)::integer;
  ivm_pending := split_part(ivm_state, '/', 3);
  ivm_pending := ivm_pending || '!';
  IF ivm_depth <= 1 THEN
    IF ivm_pending <> '' THEN
      ivm_state := set_config('ivm.n5790ea3e_1', ivm_stamp || '/1000000/', true);
      PERFORM django_ivm.region_revenue_5790ea3e_1_flush(ivm_pending);
      IF current_setting('ivm.n5790ea3e_1', true) <> ivm_state THEN
        RAISE EXCEPTION 'a trigger on the maintained table region_revenue_5790ea3e_data writes a table that it is computed from'
        USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
      END IF;
    END IF;
    ivm_state := set_config('ivm.n5790ea3e_1', '', true);
  ELSE
    ivm_state := set_config('ivm.n5790ea3e_1',
        ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending, true);
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.region_revenue_5790ea3e_1_0_truncate() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_region_revenue_5790ea3e_998_0_truncate AFTER TRUNCATE
ON shop.purchase FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.region_revenue_5790ea3e_1_0_truncate();

COMMENT ON TRIGGER ivm_region_revenue_5790ea3e_998_0_truncate ON shop.purchase IS 'ecf9198d';

CREATE OR REPLACE TRIGGER ivm_region_revenue_5790ea3e_998_1_enter BEFORE INSERT OR UPDATE OR DELETE
    OR TRUNCATE
ON shop.customer FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.region_revenue_5790ea3e_1_enter();

COMMENT ON TRIGGER ivm_region_revenue_5790ea3e_998_1_enter ON shop.customer IS '275add31';

CREATE OR REPLACE FUNCTION django_ivm.region_revenue_5790ea3e_1_1_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_state text;
  ivm_stamp text;
  ivm_depth integer;
  ivm_pending text;
  ivm_whole integer[];
  ivm_bucket integer;
  ivm_all boolean;
  ivm_many bigint;
  ivm_zero tid[];
  ivm_touched tid[];
  ivm_below boolean;
BEGIN
  IF current_setting('ivm.n5790ea3e_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND ((TG_TABLE_NAME = 'customer' AND TG_TABLE_SCHEMA = 'shop')) THEN
    ivm_many := (SELECT count(*) FROM (SELECT 1 FROM ivm_new LIMIT 101) ivm_z);
    IF ivm_many <= 100 THEN
      SELECT array_agg(DISTINCT b)
      FROM (
        SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
        FROM (
          SELECT id AS id_2, region AS region, 1 AS ivm_w
          FROM ivm_new) ivm_k) ivm_b
      WHERE b IS NOT NULL INTO ivm_whole;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.region_revenue_5790ea3e_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
            PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
            PERFORM 1
            FROM django_ivm.region_revenue_5790ea3e_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2,
          ivm_a_3, largest, ivm_gone, revenue)
      SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
          ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
          WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
      FROM (
        SELECT region AS region, count(*) AS purchases, count(amount) AS ivm_a,
            coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
            count(*) FILTER (WHERE ((amount) = 'NaN'::numeric)) AS ivm_a_3, max(amount) AS largest,
            NULL::numeric AS ivm_gone
        FROM (
          SELECT customer_id, amount, id_2, region, ivm_j1.ivm_w AS ivm_w
          FROM (
            SELECT customer_id AS customer_id, amount AS amount
            FROM shop.purchase) ivm_j0, (
            SELECT id AS id_2, region AS region, 1 AS ivm_w
            FROM ivm_new) ivm_j1
          WHERE (id_2 = customer_id)) ivm_c
        GROUP BY (region)) ivm_d
      ORDER BY ivm_d.region
      ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
          ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
          ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest, excluded.largest),
          revenue = CASE WHEN (ivm_t.purchases + excluded.purchases) > 0 THEN (CASE
          WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL
          WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
          ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END;
    ELSE
      PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
          set_config('enable_mergejoin', 'on', true);
      EXECUTE $ivm_q$
SELECT array_agg(DISTINCT b)
FROM (
  SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
  FROM (
    SELECT id AS id_2, region AS region, 1 AS ivm_w
    FROM ivm_new) ivm_k) ivm_b
WHERE b IS NOT NULL
$ivm_q$ INTO ivm_whole;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.region_revenue_5790ea3e_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
            PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
            PERFORM 1
            FROM django_ivm.region_revenue_5790ea3e_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      EXECUTE $ivm_q$
INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2, ivm_a_3,
    largest, ivm_gone, revenue)
SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
    ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
    WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
FROM (
  SELECT region AS region, count(*) AS purchases, count(amount) AS ivm_a,
      coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
      count(*) FILTER (WHERE ((amount) = 'NaN'::numeric)) AS ivm_a_3, max(amount) AS largest,
      NULL::numeric AS ivm_gone
  FROM (
    SELECT customer_id, amount, id_2, region, ivm_j1.ivm_w AS ivm_w
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_j0, (
      SELECT id AS id_2, region AS region, 1 AS ivm_w
      FROM ivm_new) ivm_j1
    WHERE (id_2 = customer_id)) ivm_c
  GROUP BY (region)) ivm_d
ORDER BY ivm_d.region
ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
    ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
    ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest, excluded.largest),
    revenue = CASE WHEN (ivm_t.purchases + excluded.purchases) > 0 THEN (CASE
    WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0
    THEN 'NaN'::numeric ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
$ivm_q$;
    END IF;
    IF current_setting('ivm.n5790ea3e_1', true) = (pg_catalog.date_part('epoch',
        pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
        AND set_config('ivm.n5790ea3e_1', '', true) = '' THEN
      RETURN NULL;
    END IF;
    RAISE EXCEPTION 'a trigger on the maintained table region_revenue_5790ea3e_data writes a table that it is computed from'
    USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
  END IF;
  IF NOT ((TG_TABLE_NAME = 'customer' AND TG_TABLE_SCHEMA = 'shop')) THEN
    IF pg_trigger_depth() >= 200 THEN
      RAISE EXCEPTION 'a trigger on the maintained table computed from %.% writes to it again',
          TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
    END IF;
    RAISE EXCEPTION 'this function maintains a view for changes of another table than %.%', TG_TABLE_SCHEMA,
        TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege', HINT = 'After a rename, run ivm_install.';
  END IF;
  ivm_state := coalesce(current_setting('ivm.n5790ea3e_1', true), '');
  ivm_stamp := (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text;
  IF split_part(ivm_state, '/', 1) <> ivm_stamp THEN
    RAISE EXCEPTION 'the events of this statement were miscounted on %.%', TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'triggered_action_exception',
        HINT = 'A trigger was dropped or a setting ivm.* was changed inside the statement; run it again.';
  END IF;
  ivm_depth := split_part(ivm_state, '/', 2)::integer;
  ivm_pending := split_part(ivm_state, '/', 3);
  IF EXISTS (SELECT 1 FROM ivm_new) THEN
    IF ivm_pending = '' THEN
      ivm_state := set_config('ivm.n5790ea3e_1_s0', '', true);
      ivm_state := set_config('ivm.n5790ea3e_1_s1', '', true);
    END IF;
    IF length(coalesce(current_setting('ivm.n5790ea3e_1_s1', true), '')) < 4096 AND (
      SELECT count(*)
      FROM (
        SELECT 1
        FROM ivm_new
        LIMIT 101) ivm_z) <= 100 THEN
      PERFORM set_config('ivm.n5790ea3e_1_s1', (coalesce(nullif(current_setting('ivm.n5790ea3e_1_s1', true),
          ''), '{}')::django_ivm.region_revenue_5790ea3e_1_spool_1[] || ARRAY(
            SELECT ROW(c0, c1, ivm_w, NULL)::django_ivm.region_revenue_5790ea3e_1_spool_1
            FROM (
              SELECT id, region, 1
              FROM ivm_new) ivm_z(c0, c1, ivm_w)))::text, true);
    ELSE
      INSERT INTO django_ivm.region_revenue_5790ea3e_1_spool_1 (c0, c1, ivm_w, ivm_xid)
      SELECT ivm_z.*, pg_current_xact_id()
      FROM (
        SELECT id, region, 1
        FROM ivm_new) ivm_z;
      IF position('+' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || '+'; END IF;
    END IF;
    IF position(',1,' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || ',1,'; END IF;
  END IF;
  IF ivm_depth <= 1 THEN
    IF ivm_pending <> '' THEN
      ivm_state := set_config('ivm.n5790ea3e_1', ivm_stamp || '/1000000/', true);
      PERFORM django_ivm.region_revenue_5790ea3e_1_flush(ivm_pending);
      IF current_setting('ivm.n5790ea3e_1', true) <> ivm_state THEN
        RAISE EXCEPTION 'a trigger on the maintained table region_revenue_5790ea3e_data writes a table that it is computed from'
        USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
      END IF;
    END IF;
    ivm_state := set_config('ivm.n5790ea3e_1', '', true);
  ELSE
    ivm_state := set_config('ivm.n5790ea3e_1',
        ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending, true);
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.region_revenue_5790ea3e_1_1_insert() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_region_revenue_5790ea3e_998_1_insert AFTER INSERT
ON shop.customer
REFERENCING NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.region_revenue_5790ea3e_1_1_insert();

COMMENT ON TRIGGER ivm_region_revenue_5790ea3e_998_1_insert ON shop.customer IS '70776270';

CREATE OR REPLACE FUNCTION django_ivm.region_revenue_5790ea3e_1_1_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_state text;
  ivm_stamp text;
  ivm_depth integer;
  ivm_pending text;
  ivm_whole integer[];
  ivm_bucket integer;
  ivm_all boolean;
  ivm_many bigint;
  ivm_zero tid[];
  ivm_touched tid[];
  ivm_below boolean;
BEGIN
  IF current_setting('ivm.n5790ea3e_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND NOT (ARRAY(
      SELECT ROW(id, region)
      FROM ivm_old) IS DISTINCT FROM ARRAY(
      SELECT ROW(id, region)
      FROM ivm_new)) THEN
    ivm_state := set_config('ivm.n5790ea3e_1', '', true);
    RETURN NULL;
  END IF;
  IF current_setting('ivm.n5790ea3e_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND ((TG_TABLE_NAME = 'customer' AND TG_TABLE_SCHEMA = 'shop')) THEN
    ivm_many := (SELECT count(*) FROM (SELECT 1 FROM ivm_new LIMIT 101) ivm_z);
    IF ivm_many <= 100 THEN
      SELECT array_agg(DISTINCT b)
      FROM (
        SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
        FROM (
          SELECT id AS id_2, region AS region, -1 AS ivm_w
          FROM ivm_old
          UNION ALL
          SELECT id AS id_2, region AS region, 1 AS ivm_w
          FROM ivm_new) ivm_k) ivm_b
      WHERE b IS NOT NULL INTO ivm_whole;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.region_revenue_5790ea3e_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
            PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
            PERFORM 1
            FROM django_ivm.region_revenue_5790ea3e_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      WITH ivm_up AS (
        INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2,
            ivm_a_3, largest, ivm_gone, revenue)
        SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
            ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
            WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
        FROM (
          SELECT region AS region, coalesce(sum(ivm_w), 0)::bigint AS purchases,
              coalesce(sum(ivm_w) FILTER (WHERE ((amount) IS NOT NULL)), 0)::bigint AS ivm_a,
              coalesce(sum(ivm_w * (amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)),
              0)::numeric AS ivm_a_2, coalesce(sum(ivm_w) FILTER (WHERE ((amount) = 'NaN'::numeric)),
              0)::bigint AS ivm_a_3, max(amount) FILTER (WHERE ivm_w > 0) AS largest,
              max(amount) FILTER (WHERE ivm_w < 0) AS ivm_gone
          FROM (
            SELECT customer_id, amount, id_2, region, ivm_j1.ivm_w AS ivm_w
            FROM (
              SELECT customer_id AS customer_id, amount AS amount
              FROM shop.purchase) ivm_j0, (
              SELECT id AS id_2, region AS region, -1 AS ivm_w
              FROM ivm_old
              UNION ALL
              SELECT id AS id_2, region AS region, 1 AS ivm_w
              FROM ivm_new) ivm_j1
            WHERE (id_2 = customer_id)) ivm_c
          GROUP BY (region)) ivm_d
        ORDER BY ivm_d.region
        ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
            ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
            ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest,
            excluded.largest), ivm_gone = excluded.ivm_gone, revenue = CASE
            WHEN (ivm_t.purchases + excluded.purchases) > 0 THEN (CASE
            WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL
            WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
            ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
        RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, (NOT (ivm_t.ivm_gone IS NULL)
            AND (ivm_t.largest IS NULL OR ivm_t.ivm_gone >= ivm_t.largest)) AS ivm_probe)
      SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0),
          array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0 AND ivm_probe), bool_or(ivm_left < 0)
      FROM ivm_up INTO ivm_zero, ivm_touched, ivm_below;
      IF ivm_zero IS NOT NULL THEN
        DELETE FROM django_ivm.region_revenue_5790ea3e_data WHERE ctid = ANY(ivm_zero);
      END IF;
      IF ivm_touched IS NOT NULL THEN
        IF cardinality(ivm_touched) <= 25 THEN
          UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
          SET (largest) = (
            SELECT ivm_r.largest
            FROM (
              SELECT CASE WHEN ivm_t.region IS NULL THEN (
                SELECT max(amount)
                FROM (
                  SELECT customer_id, amount, id_2, region
                  FROM (
                    SELECT customer_id AS customer_id, amount AS amount
                    FROM shop.purchase) ivm_j0, (
                    SELECT id AS id_2, region AS region
                    FROM shop.customer) ivm_j1
                  WHERE (id_2 = customer_id)) ivm_a
                WHERE ivm_a.region IS NULL) ELSE (
                SELECT max(amount)
                FROM (
                  SELECT customer_id, amount, id_2, region
                  FROM (
                    SELECT customer_id AS customer_id, amount AS amount
                    FROM shop.purchase) ivm_j0, (
                    SELECT id AS id_2, region AS region
                    FROM shop.customer) ivm_j1
                  WHERE (id_2 = customer_id)) ivm_a
                WHERE ivm_a.region = ivm_t.region) END AS largest) ivm_r)
          WHERE ivm_t.ctid = ANY(ivm_touched);
        ELSE
          EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET largest = ivm_r.largest
FROM (
  SELECT ivm_a.region AS region, max(ivm_a.amount) AS largest
  FROM (
    SELECT customer_id, amount, id_2, region
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_j0, (
      SELECT id AS id_2, region AS region
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_a, (
    SELECT region
    FROM django_ivm.region_revenue_5790ea3e_data
    WHERE ctid = ANY($1)) ivm_k
  WHERE ROW(ivm_a.region)::record = ROW(ivm_k.region)::record
  GROUP BY ivm_a.region) ivm_r
WHERE ROW(ivm_r.region)::record = ROW(ivm_t.region)::record AND ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
        END IF;
      END IF;
    ELSE
      PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
          set_config('enable_mergejoin', 'on', true);
      EXECUTE $ivm_q$
SELECT array_agg(DISTINCT b)
FROM (
  SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
  FROM (
    SELECT id AS id_2, region AS region, -1 AS ivm_w
    FROM ivm_old
    UNION ALL
    SELECT id AS id_2, region AS region, 1 AS ivm_w
    FROM ivm_new) ivm_k) ivm_b
WHERE b IS NOT NULL
$ivm_q$ INTO ivm_whole;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.region_revenue_5790ea3e_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
            PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
            PERFORM 1
            FROM django_ivm.region_revenue_5790ea3e_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      EXECUTE $ivm_q$
WITH ivm_up AS (
  INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2, ivm_a_3,
      largest, ivm_gone, revenue)
  SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
      ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
      WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
  FROM (
    SELECT region AS region, coalesce(sum(ivm_w), 0)::bigint AS purchases,
        coalesce(sum(ivm_w) FILTER (WHERE ((amount) IS NOT NULL)), 0)::bigint AS ivm_a,
        coalesce(sum(ivm_w * (amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
        coalesce(sum(ivm_w) FILTER (WHERE ((amount) = 'NaN'::numeric)), 0)::bigint AS ivm_a_3,
        max(amount) FILTER (WHERE ivm_w > 0) AS largest, max(amount) FILTER (WHERE ivm_w < 0) AS ivm_gone
    FROM (
      SELECT customer_id, amount, id_2, region, ivm_j1.ivm_w AS ivm_w
      FROM (
        SELECT customer_id AS customer_id, amount AS amount
        FROM shop.purchase) ivm_j0, (
        SELECT id AS id_2, region AS region, -1 AS ivm_w
        FROM ivm_old
        UNION ALL
        SELECT id AS id_2, region AS region, 1 AS ivm_w
        FROM ivm_new) ivm_j1
      WHERE (id_2 = customer_id)) ivm_c
    GROUP BY (region)) ivm_d
  ORDER BY ivm_d.region
  ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
      ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
      ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest, excluded.largest),
      ivm_gone = excluded.ivm_gone, revenue = CASE WHEN (ivm_t.purchases + excluded.purchases) > 0
      THEN (CASE WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL
      WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
      ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
  RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, (NOT (ivm_t.ivm_gone IS NULL)
      AND (ivm_t.largest IS NULL OR ivm_t.ivm_gone >= ivm_t.largest)) AS ivm_probe)
SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0), array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0
    AND ivm_probe), bool_or(ivm_left < 0)
FROM ivm_up
$ivm_q$ INTO ivm_zero, ivm_touched, ivm_below;
      IF ivm_zero IS NOT NULL THEN
        EXECUTE $ivm_q$DELETE FROM django_ivm.region_revenue_5790ea3e_data WHERE ctid = ANY($1)$ivm_q$
        USING ivm_zero;
      END IF;
      IF ivm_touched IS NOT NULL THEN
        IF cardinality(ivm_touched) <= 25 THEN
          EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET (largest) = (
  SELECT ivm_r.largest
  FROM (
    SELECT CASE WHEN ivm_t.region IS NULL THEN (
      SELECT max(amount)
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE ivm_a.region IS NULL) ELSE (
      SELECT max(amount)
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE ivm_a.region = ivm_t.region) END AS largest) ivm_r)
WHERE ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
        ELSE
          EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET largest = ivm_r.largest
FROM (
  SELECT ivm_a.region AS region, max(ivm_a.amount) AS largest
  FROM (
    SELECT customer_id, amount, id_2, region
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_j0, (
      SELECT id AS id_2, region AS region
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_a, (
    SELECT region
    FROM django_ivm.region_revenue_5790ea3e_data
    WHERE ctid = ANY($1)) ivm_k
  WHERE ROW(ivm_a.region)::record = ROW(ivm_k.region)::record
  GROUP BY ivm_a.region) ivm_r
WHERE ROW(ivm_r.region)::record = ROW(ivm_t.region)::record AND ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
        END IF;
      END IF;
    END IF;
    IF current_setting('ivm.n5790ea3e_1', true) = (pg_catalog.date_part('epoch',
        pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
        AND set_config('ivm.n5790ea3e_1', '', true) = '' THEN
      RETURN NULL;
    END IF;
    RAISE EXCEPTION 'a trigger on the maintained table region_revenue_5790ea3e_data writes a table that it is computed from'
    USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
  END IF;
  IF NOT ((TG_TABLE_NAME = 'customer' AND TG_TABLE_SCHEMA = 'shop')) THEN
    IF pg_trigger_depth() >= 200 THEN
      RAISE EXCEPTION 'a trigger on the maintained table computed from %.% writes to it again',
          TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
    END IF;
    RAISE EXCEPTION 'this function maintains a view for changes of another table than %.%', TG_TABLE_SCHEMA,
        TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege', HINT = 'After a rename, run ivm_install.';
  END IF;
  ivm_state := coalesce(current_setting('ivm.n5790ea3e_1', true), '');
  ivm_stamp := (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text;
  IF split_part(ivm_state, '/', 1) <> ivm_stamp THEN
    RAISE EXCEPTION 'the events of this statement were miscounted on %.%', TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'triggered_action_exception',
        HINT = 'A trigger was dropped or a setting ivm.* was changed inside the statement; run it again.';
  END IF;
  ivm_depth := split_part(ivm_state, '/', 2)::integer;
  ivm_pending := split_part(ivm_state, '/', 3);
  IF ARRAY(
    SELECT ROW(id, region)
    FROM ivm_old) IS DISTINCT FROM ARRAY(
    SELECT ROW(id, region)
    FROM ivm_new) THEN
    IF ivm_pending = '' THEN
      ivm_state := set_config('ivm.n5790ea3e_1_s0', '', true);
      ivm_state := set_config('ivm.n5790ea3e_1_s1', '', true);
    END IF;
    IF length(coalesce(current_setting('ivm.n5790ea3e_1_s1', true), '')) < 4096 AND (
      SELECT count(*)
      FROM (
        SELECT 1
        FROM ivm_new
        LIMIT 101) ivm_z) <= 100 THEN
      PERFORM set_config('ivm.n5790ea3e_1_s1', (coalesce(nullif(current_setting('ivm.n5790ea3e_1_s1', true),
          ''), '{}')::django_ivm.region_revenue_5790ea3e_1_spool_1[] || ARRAY(
            SELECT ROW(c0, c1, ivm_w, NULL)::django_ivm.region_revenue_5790ea3e_1_spool_1
            FROM (
              SELECT id, region, -1
              FROM ivm_old
              UNION ALL
              SELECT id, region, 1
              FROM ivm_new) ivm_z(c0, c1, ivm_w)))::text, true);
    ELSE
      INSERT INTO django_ivm.region_revenue_5790ea3e_1_spool_1 (c0, c1, ivm_w, ivm_xid)
      SELECT ivm_z.*, pg_current_xact_id()
      FROM (
        SELECT id, region, -1
        FROM ivm_old
        UNION ALL
        SELECT id, region, 1
        FROM ivm_new) ivm_z;
      IF position('+' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || '+'; END IF;
    END IF;
    IF position(',1,' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || ',1,'; END IF;
  END IF;
  IF ivm_depth <= 1 THEN
    IF ivm_pending <> '' THEN
      ivm_state := set_config('ivm.n5790ea3e_1', ivm_stamp || '/1000000/', true);
      PERFORM django_ivm.region_revenue_5790ea3e_1_flush(ivm_pending);
      IF current_setting('ivm.n5790ea3e_1', true) <> ivm_state THEN
        RAISE EXCEPTION 'a trigger on the maintained table region_revenue_5790ea3e_data writes a table that it is computed from'
        USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
      END IF;
    END IF;
    ivm_state := set_config('ivm.n5790ea3e_1', '', true);
  ELSE
    ivm_state := set_config('ivm.n5790ea3e_1',
        ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending, true);
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.region_revenue_5790ea3e_1_1_update() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_region_revenue_5790ea3e_998_1_update AFTER UPDATE ON shop.customer
REFERENCING OLD TABLE AS ivm_old NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.region_revenue_5790ea3e_1_1_update();

COMMENT ON TRIGGER ivm_region_revenue_5790ea3e_998_1_update ON shop.customer IS '83b5850c';

CREATE OR REPLACE FUNCTION django_ivm.region_revenue_5790ea3e_1_1_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_state text;
  ivm_stamp text;
  ivm_depth integer;
  ivm_pending text;
  ivm_whole integer[];
  ivm_bucket integer;
  ivm_all boolean;
  ivm_many bigint;
  ivm_zero tid[];
  ivm_touched tid[];
  ivm_below boolean;
BEGIN
  IF current_setting('ivm.n5790ea3e_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND ((TG_TABLE_NAME = 'customer' AND TG_TABLE_SCHEMA = 'shop')) THEN
    ivm_many := (SELECT count(*) FROM (SELECT 1 FROM ivm_old LIMIT 101) ivm_z);
    IF ivm_many <= 100 THEN
      SELECT array_agg(DISTINCT b)
      FROM (
        SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
        FROM (
          SELECT id AS id_2, region AS region, -1 AS ivm_w
          FROM ivm_old) ivm_k) ivm_b
      WHERE b IS NOT NULL INTO ivm_whole;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.region_revenue_5790ea3e_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
            PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
            PERFORM 1
            FROM django_ivm.region_revenue_5790ea3e_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      WITH ivm_up AS (
        INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2,
            ivm_a_3, largest, ivm_gone, revenue)
        SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
            ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
            WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
        FROM (
          SELECT region AS region, -(count(*)) AS purchases, -(count(amount)) AS ivm_a,
              -(coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric) AS ivm_a_2,
              -(count(*) FILTER (WHERE ((amount) = 'NaN'::numeric))) AS ivm_a_3, NULL::numeric AS largest,
              max(amount) AS ivm_gone
          FROM (
            SELECT customer_id, amount, id_2, region, ivm_j1.ivm_w AS ivm_w
            FROM (
              SELECT customer_id AS customer_id, amount AS amount
              FROM shop.purchase) ivm_j0, (
              SELECT id AS id_2, region AS region, -1 AS ivm_w
              FROM ivm_old) ivm_j1
            WHERE (id_2 = customer_id)) ivm_c
          GROUP BY (region)) ivm_d
        ORDER BY ivm_d.region
        ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
            ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
            ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest,
            excluded.largest), ivm_gone = excluded.ivm_gone, revenue = CASE
            WHEN (ivm_t.purchases + excluded.purchases) > 0 THEN (CASE
            WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL
            WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
            ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
        RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, (NOT (ivm_t.ivm_gone IS NULL)
            AND (ivm_t.largest IS NULL OR ivm_t.ivm_gone >= ivm_t.largest)) AS ivm_probe)
      SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0),
          array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0 AND ivm_probe), bool_or(ivm_left < 0)
      FROM ivm_up INTO ivm_zero, ivm_touched, ivm_below;
      IF ivm_zero IS NOT NULL THEN
        DELETE FROM django_ivm.region_revenue_5790ea3e_data WHERE ctid = ANY(ivm_zero);
      END IF;
      IF ivm_touched IS NOT NULL THEN
        IF cardinality(ivm_touched) <= 25 THEN
          UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
          SET (largest) = (
            SELECT ivm_r.largest
            FROM (
              SELECT CASE WHEN ivm_t.region IS NULL THEN (
                SELECT max(amount)
                FROM (
                  SELECT customer_id, amount, id_2, region
                  FROM (
                    SELECT customer_id AS customer_id, amount AS amount
                    FROM shop.purchase) ivm_j0, (
                    SELECT id AS id_2, region AS region
                    FROM shop.customer) ivm_j1
                  WHERE (id_2 = customer_id)) ivm_a
                WHERE ivm_a.region IS NULL) ELSE (
                SELECT max(amount)
                FROM (
                  SELECT customer_id, amount, id_2, region
                  FROM (
                    SELECT customer_id AS customer_id, amount AS amount
                    FROM shop.purchase) ivm_j0, (
                    SELECT id AS id_2, region AS region
                    FROM shop.customer) ivm_j1
                  WHERE (id_2 = customer_id)) ivm_a
                WHERE ivm_a.region = ivm_t.region) END AS largest) ivm_r)
          WHERE ivm_t.ctid = ANY(ivm_touched);
        ELSE
          EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET largest = ivm_r.largest
FROM (
  SELECT ivm_a.region AS region, max(ivm_a.amount) AS largest
  FROM (
    SELECT customer_id, amount, id_2, region
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_j0, (
      SELECT id AS id_2, region AS region
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_a, (
    SELECT region
    FROM django_ivm.region_revenue_5790ea3e_data
    WHERE ctid = ANY($1)) ivm_k
  WHERE ROW(ivm_a.region)::record = ROW(ivm_k.region)::record
  GROUP BY ivm_a.region) ivm_r
WHERE ROW(ivm_r.region)::record = ROW(ivm_t.region)::record AND ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
        END IF;
      END IF;
    ELSE
      PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
          set_config('enable_mergejoin', 'on', true);
      EXECUTE $ivm_q$
SELECT array_agg(DISTINCT b)
FROM (
  SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
  FROM (
    SELECT id AS id_2, region AS region, -1 AS ivm_w
    FROM ivm_old) ivm_k) ivm_b
WHERE b IS NOT NULL
$ivm_q$ INTO ivm_whole;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.region_revenue_5790ea3e_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.region_revenue_5790ea3e_1_lock) THEN
            PERFORM django_ivm.region_revenue_5790ea3e_1_lock_rows();
            PERFORM 1
            FROM django_ivm.region_revenue_5790ea3e_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.region_revenue_5790ea3e_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      EXECUTE $ivm_q$
WITH ivm_up AS (
  INSERT INTO django_ivm.region_revenue_5790ea3e_data AS ivm_t (region, purchases, ivm_a, ivm_a_2, ivm_a_3,
      largest, ivm_gone, revenue)
  SELECT ivm_d.region, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, ivm_d.largest,
      ivm_d.ivm_gone, CASE WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL
      WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
  FROM (
    SELECT region AS region, -(count(*)) AS purchases, -(count(amount)) AS ivm_a,
        -(coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric) AS ivm_a_2,
        -(count(*) FILTER (WHERE ((amount) = 'NaN'::numeric))) AS ivm_a_3, NULL::numeric AS largest,
        max(amount) AS ivm_gone
    FROM (
      SELECT customer_id, amount, id_2, region, ivm_j1.ivm_w AS ivm_w
      FROM (
        SELECT customer_id AS customer_id, amount AS amount
        FROM shop.purchase) ivm_j0, (
        SELECT id AS id_2, region AS region, -1 AS ivm_w
        FROM ivm_old) ivm_j1
      WHERE (id_2 = customer_id)) ivm_c
    GROUP BY (region)) ivm_d
  ORDER BY ivm_d.region
  ON CONFLICT (region) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
      ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
      ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), largest = GREATEST(ivm_t.largest, excluded.largest),
      ivm_gone = excluded.ivm_gone, revenue = CASE WHEN (ivm_t.purchases + excluded.purchases) > 0
      THEN (CASE WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL
      WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
      ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
  RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, (NOT (ivm_t.ivm_gone IS NULL)
      AND (ivm_t.largest IS NULL OR ivm_t.ivm_gone >= ivm_t.largest)) AS ivm_probe)
SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0), array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0
    AND ivm_probe), bool_or(ivm_left < 0)
FROM ivm_up
$ivm_q$ INTO ivm_zero, ivm_touched, ivm_below;
      IF ivm_zero IS NOT NULL THEN
        EXECUTE $ivm_q$DELETE FROM django_ivm.region_revenue_5790ea3e_data WHERE ctid = ANY($1)$ivm_q$
        USING ivm_zero;
      END IF;
      IF ivm_touched IS NOT NULL THEN
        IF cardinality(ivm_touched) <= 25 THEN
          EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET (largest) = (
  SELECT ivm_r.largest
  FROM (
    SELECT CASE WHEN ivm_t.region IS NULL THEN (
      SELECT max(amount)
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE ivm_a.region IS NULL) ELSE (
      SELECT max(amount)
      FROM (
        SELECT customer_id, amount, id_2, region
        FROM (
          SELECT customer_id AS customer_id, amount AS amount
          FROM shop.purchase) ivm_j0, (
          SELECT id AS id_2, region AS region
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_a
      WHERE ivm_a.region = ivm_t.region) END AS largest) ivm_r)
WHERE ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
        ELSE
          EXECUTE $ivm_q$
UPDATE django_ivm.region_revenue_5790ea3e_data AS ivm_t
SET largest = ivm_r.largest
FROM (
  SELECT ivm_a.region AS region, max(ivm_a.amount) AS largest
  FROM (
    SELECT customer_id, amount, id_2, region
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_j0, (
      SELECT id AS id_2, region AS region
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_a, (
    SELECT region
    FROM django_ivm.region_revenue_5790ea3e_data
    WHERE ctid = ANY($1)) ivm_k
  WHERE ROW(ivm_a.region)::record = ROW(ivm_k.region)::record
  GROUP BY ivm_a.region) ivm_r
WHERE ROW(ivm_r.region)::record = ROW(ivm_t.region)::record AND ivm_t.ctid = ANY($1)
$ivm_q$ USING ivm_touched;
        END IF;
      END IF;
    END IF;
    IF current_setting('ivm.n5790ea3e_1', true) = (pg_catalog.date_part('epoch',
        pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
        AND set_config('ivm.n5790ea3e_1', '', true) = '' THEN
      RETURN NULL;
    END IF;
    RAISE EXCEPTION 'a trigger on the maintained table region_revenue_5790ea3e_data writes a table that it is computed from'
    USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
  END IF;
  IF NOT ((TG_TABLE_NAME = 'customer' AND TG_TABLE_SCHEMA = 'shop')) THEN
    IF pg_trigger_depth() >= 200 THEN
      RAISE EXCEPTION 'a trigger on the maintained table computed from %.% writes to it again',
          TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
    END IF;
    RAISE EXCEPTION 'this function maintains a view for changes of another table than %.%', TG_TABLE_SCHEMA,
        TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege', HINT = 'After a rename, run ivm_install.';
  END IF;
  ivm_state := coalesce(current_setting('ivm.n5790ea3e_1', true), '');
  ivm_stamp := (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text;
  IF split_part(ivm_state, '/', 1) <> ivm_stamp THEN
    RAISE EXCEPTION 'the events of this statement were miscounted on %.%', TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'triggered_action_exception',
        HINT = 'A trigger was dropped or a setting ivm.* was changed inside the statement; run it again.';
  END IF;
  ivm_depth := split_part(ivm_state, '/', 2)::integer;
  ivm_pending := split_part(ivm_state, '/', 3);
  IF EXISTS (SELECT 1 FROM ivm_old) THEN
    IF ivm_pending = '' THEN
      ivm_state := set_config('ivm.n5790ea3e_1_s0', '', true);
      ivm_state := set_config('ivm.n5790ea3e_1_s1', '', true);
    END IF;
    IF length(coalesce(current_setting('ivm.n5790ea3e_1_s1', true), '')) < 4096 AND (
      SELECT count(*)
      FROM (
        SELECT 1
        FROM ivm_old
        LIMIT 101) ivm_z) <= 100 THEN
      PERFORM set_config('ivm.n5790ea3e_1_s1', (coalesce(nullif(current_setting('ivm.n5790ea3e_1_s1', true),
          ''), '{}')::django_ivm.region_revenue_5790ea3e_1_spool_1[] || ARRAY(
            SELECT ROW(c0, c1, ivm_w, NULL)::django_ivm.region_revenue_5790ea3e_1_spool_1
            FROM (
              SELECT id, region, -1
              FROM ivm_old) ivm_z(c0, c1, ivm_w)))::text, true);
    ELSE
      INSERT INTO django_ivm.region_revenue_5790ea3e_1_spool_1 (c0, c1, ivm_w, ivm_xid)
      SELECT ivm_z.*, pg_current_xact_id()
      FROM (
        SELECT id, region, -1
        FROM ivm_old) ivm_z;
      IF position('+' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || '+'; END IF;
    END IF;
    IF position(',1,' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || ',1,'; END IF;
  END IF;
  IF ivm_depth <= 1 THEN
    IF ivm_pending <> '' THEN
      ivm_state := set_config('ivm.n5790ea3e_1', ivm_stamp || '/1000000/', true);
      PERFORM django_ivm.region_revenue_5790ea3e_1_flush(ivm_pending);
      IF current_setting('ivm.n5790ea3e_1', true) <> ivm_state THEN
        RAISE EXCEPTION 'a trigger on the maintained table region_revenue_5790ea3e_data writes a table that it is computed from'
        USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
      END IF;
    END IF;
    ivm_state := set_config('ivm.n5790ea3e_1', '', true);
  ELSE
    ivm_state := set_config('ivm.n5790ea3e_1',
        ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending, true);
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.region_revenue_5790ea3e_1_1_delete() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_region_revenue_5790ea3e_998_1_delete AFTER DELETE
ON shop.customer
REFERENCING OLD TABLE AS ivm_old FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.region_revenue_5790ea3e_1_1_delete();

COMMENT ON TRIGGER ivm_region_revenue_5790ea3e_998_1_delete ON shop.customer IS 'b428c2ef';

CREATE OR REPLACE FUNCTION django_ivm.region_revenue_5790ea3e_1_1_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_state text;
  ivm_stamp text;
  ivm_depth integer;
  ivm_pending text;
BEGIN
  IF NOT ((TG_TABLE_NAME = 'customer' AND TG_TABLE_SCHEMA = 'shop')) THEN
    IF pg_trigger_depth() >= 200 THEN
      RAISE EXCEPTION 'a trigger on the maintained table computed from %.% writes to it again',
          TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
    END IF;
    RAISE EXCEPTION 'this function maintains a view for changes of another table than %.%', TG_TABLE_SCHEMA,
        TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege', HINT = 'After a rename, run ivm_install.';
  END IF;
  ivm_state := coalesce(current_setting('ivm.n5790ea3e_1', true), '');
  ivm_stamp := (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text;
  IF split_part(ivm_state, '/', 1) <> ivm_stamp THEN
    RAISE EXCEPTION 'the events of this statement were miscounted on %.%', TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'triggered_action_exception',
        HINT = 'A trigger was dropped or a setting ivm.* was changed inside the statement; run it again.';
  END IF;
  ivm_depth := split_part(ivm_state, '/', 2)::integer;
  ivm_pending := split_part(ivm_state, '/', 3);
  ivm_pending := ivm_pending || '!';
  IF ivm_depth <= 1 THEN
    IF ivm_pending <> '' THEN
      ivm_state := set_config('ivm.n5790ea3e_1', ivm_stamp || '/1000000/', true);
      PERFORM django_ivm.region_revenue_5790ea3e_1_flush(ivm_pending);
      IF current_setting('ivm.n5790ea3e_1', true) <> ivm_state THEN
        RAISE EXCEPTION 'a trigger on the maintained table region_revenue_5790ea3e_data writes a table that it is computed from'
        USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
      END IF;
    END IF;
    ivm_state := set_config('ivm.n5790ea3e_1', '', true);
  ELSE
    ivm_state := set_config('ivm.n5790ea3e_1',
        ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending, true);
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.region_revenue_5790ea3e_1_1_truncate() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_region_revenue_5790ea3e_998_1_truncate AFTER TRUNCATE
ON shop.customer FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.region_revenue_5790ea3e_1_1_truncate();

COMMENT ON TRIGGER ivm_region_revenue_5790ea3e_998_1_truncate ON shop.customer IS '0c6a6e66';

CREATE OR REPLACE FUNCTION django_ivm.region_revenue_5790ea3e_alarm() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off AS $ivm_body$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (
    SELECT 1
    FROM django_ivm.stale
    WHERE ctid = nullif(current_setting('ivm.m5790ea3e', true), '')::tid AND xid = pg_current_xact_id()
        AND view_schema = 'shop' AND view_name = 'region_revenue') THEN
    DECLARE ivm_mark text;
    BEGIN
      WITH ivm_m AS (
        INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('shop', 'region_revenue',
            lower(TG_OP) || ' on ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME || ' under session_replication_role = replica')
        RETURNING ctid)
      SELECT set_config('ivm.m5790ea3e', ctid::text, true)
      FROM ivm_m INTO ivm_mark;
      END;
    END IF;
    RETURN NULL;
  END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.region_revenue_5790ea3e_alarm() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_region_revenue_5790ea3e_alarm AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON shop.purchase FOR EACH STATEMENT WHEN (current_setting('session_replication_role') = 'replica')
EXECUTE FUNCTION django_ivm.region_revenue_5790ea3e_alarm();

SELECT django_ivm.fire_for_replicas('shop.purchase', 'ivm_region_revenue_5790ea3e_alarm');

COMMENT ON TRIGGER ivm_region_revenue_5790ea3e_alarm ON shop.purchase IS 'bbdc29a9';

CREATE OR REPLACE TRIGGER ivm_region_revenue_5790ea3e_alarm AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON shop.customer FOR EACH STATEMENT WHEN (current_setting('session_replication_role') = 'replica')
EXECUTE FUNCTION django_ivm.region_revenue_5790ea3e_alarm();

SELECT django_ivm.fire_for_replicas('shop.customer', 'ivm_region_revenue_5790ea3e_alarm');

COMMENT ON TRIGGER ivm_region_revenue_5790ea3e_alarm ON shop.customer IS 'f022e683';

CREATE OR REPLACE TRIGGER ivm_region_revenue_5790ea3e_alarm AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON django_ivm.region_revenue_5790ea3e_data FOR EACH STATEMENT
    WHEN (current_setting('session_replication_role') = 'replica'
    AND current_setting('search_path') IS DISTINCT FROM 'pg_catalog, django_ivm, pg_temp')
EXECUTE FUNCTION django_ivm.region_revenue_5790ea3e_alarm();

SELECT django_ivm.fire_for_replicas('django_ivm.region_revenue_5790ea3e_data',
    'ivm_region_revenue_5790ea3e_alarm');

COMMENT ON TRIGGER ivm_region_revenue_5790ea3e_alarm ON django_ivm.region_revenue_5790ea3e_data IS 'e20cefa3';

CREATE OR REPLACE TRIGGER ivm_read_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE
ON django_ivm.region_revenue_5790ea3e_data FOR EACH STATEMENT
    WHEN (current_setting('search_path') IS DISTINCT FROM 'pg_catalog, django_ivm, pg_temp')
EXECUTE FUNCTION django_ivm.refuse_write('region_revenue');

CREATE OR REPLACE TRIGGER ivm_twin AFTER INSERT
ON django_ivm.region_revenue_5790ea3e_data FOR EACH ROW
    WHEN (current_setting('transaction_isolation') <> 'read committed')
EXECUTE FUNCTION django_ivm.refuse_twin('(ivm_old.region = ivm_new.region OR (ivm_old.region IS NULL AND ivm_new.region IS NULL))');
