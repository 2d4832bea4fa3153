-- Rows of a filtered join, told apart by the keys of their tables.
-- Made by scripts/gallery.py; changes by hand are lost.
--
-- strategy: incremental
--   open_purchases_0a316a39_data: rows by key (id, ivm_key_id_2)
--     hidden columns: ivm_key_id_2
--     on shop.purchase [id, customer_id, status, amount] (direct):
--       Project [id, amount, name, ivm_key_id_2 = id_2]
--         Join id_2 = customer_id
--           Filter status = CAST('open' AS text)
--             Δ shop.purchase
--           Scan shop.customer [id, name]
--     on shop.customer [id, name] (direct):
--       Project [id, amount, name, ivm_key_id_2 = id_2]
--         Join id_2 = customer_id
--           Filter status = CAST('open' AS text)
--             Scan shop.purchase [id, customer_id, status, amount]
--           Δ shop.customer
--     locks: join of shop.purchase, shop.customer: 128 buckets by the join key; writers of purchase share it, writers of read columns of the others exclude them

LOCK TABLE shop.purchase, shop.customer IN SHARE ROW EXCLUSIVE MODE;

CREATE SCHEMA IF NOT EXISTS django_ivm;

CREATE OR REPLACE VIEW django_ivm.open_purchases_0a316a39_query AS SELECT p.id, p.amount, c.name
FROM shop.purchase p JOIN shop.customer c ON c.id = p.customer_id
WHERE p.status = 'open';

CREATE TABLE django_ivm.open_purchases_0a316a39_data AS
SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2
FROM (
  SELECT id, customer_id, status, amount, id_2, name
  FROM (
    SELECT id, customer_id, status, amount
    FROM (
      SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount
      FROM shop.purchase) ivm_f
    WHERE status = CAST('open' AS text)) ivm_j0, (
    SELECT id AS id_2, name AS name
    FROM shop.customer) ivm_j1
  WHERE (id_2 = customer_id)) ivm_p;

CREATE UNIQUE INDEX ivm_2dae087b_key
ON django_ivm.open_purchases_0a316a39_data (id, ivm_key_id_2) NULLS NOT DISTINCT;

CREATE TABLE django_ivm.open_purchases_0a316a39_1_lock (b integer, st integer, ver bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (b, st))
WITH (fillfactor = 20);

INSERT INTO django_ivm.open_purchases_0a316a39_1_lock (b, st)
SELECT b, st
FROM generate_series(0, 127) b, generate_series(0, 7) st;

CREATE TABLE django_ivm.open_purchases_0a316a39_1_spool_0 AS
SELECT id AS c0, customer_id AS c1, status AS c2, amount AS c3, 1 AS ivm_w, NULL::xid8 AS ivm_xid
FROM shop.purchase
WITH NO DATA;

CREATE TABLE django_ivm.open_purchases_0a316a39_1_spool_1 AS
SELECT id AS c0, name AS c1, 1 AS ivm_w, NULL::xid8 AS ivm_xid
FROM shop.customer
WITH NO DATA;

CREATE VIEW shop.open_purchases AS SELECT id, amount, name FROM django_ivm.open_purchases_0a316a39_data;

CREATE OR REPLACE FUNCTION django_ivm.open_purchases_0a316a39_1_replace(OUT ivm_inserted bigint,
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
    PERFORM 1 FROM django_ivm.open_purchases_0a316a39_1_lock WHERE true ORDER BY b, st FOR NO KEY UPDATE;
    UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE true;
    IF NOT FOUND THEN
      IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
        PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
        PERFORM 1 FROM django_ivm.open_purchases_0a316a39_1_lock WHERE true ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE true;
      END IF;
    END IF;
  END IF;
  LOCK TABLE django_ivm.open_purchases_0a316a39_data IN SHARE ROW EXCLUSIVE MODE;
  EXECUTE $ivm_q$
WITH ivm_f AS MATERIALIZED (
  SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2
  FROM (
    SELECT id, customer_id, status, amount, id_2, name
    FROM (
      SELECT id, customer_id, status, amount
      FROM (
        SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount
        FROM shop.purchase) ivm_f
      WHERE status = CAST('open' AS text)) ivm_j0, (
      SELECT id AS id_2, name AS name
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_p), ivm_d AS (
  DELETE
  FROM django_ivm.open_purchases_0a316a39_data AS ivm_t
  WHERE NOT EXISTS (
    SELECT
    FROM ivm_f
    WHERE ivm_f.id = ivm_t.id AND ivm_f.ivm_key_id_2 = ivm_t.ivm_key_id_2)
  RETURNING 1), ivm_i AS (
  INSERT INTO django_ivm.open_purchases_0a316a39_data AS ivm_s (id, amount, name, ivm_key_id_2)
  SELECT ivm_f.id, ivm_f.amount, ivm_f.name, ivm_f.ivm_key_id_2
  FROM ivm_f
  LEFT JOIN django_ivm.open_purchases_0a316a39_data AS ivm_t
  ON ivm_f.id = ivm_t.id AND ivm_f.ivm_key_id_2 = ivm_t.ivm_key_id_2
  WHERE ivm_t.ctid IS NULL OR ROW(ivm_f.id, ivm_f.amount, ivm_f.name,
      ivm_f.ivm_key_id_2)::record *<> ROW(ivm_t.id, ivm_t.amount, ivm_t.name, ivm_t.ivm_key_id_2)::record
  ORDER BY ivm_f.id, ivm_f.ivm_key_id_2
  ON CONFLICT (id, ivm_key_id_2) DO UPDATE SET id = excluded.id, amount = excluded.amount,
      name = excluded.name, ivm_key_id_2 = excluded.ivm_key_id_2
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

REVOKE ALL ON FUNCTION django_ivm.open_purchases_0a316a39_1_replace() FROM PUBLIC;

CREATE OR REPLACE FUNCTION django_ivm.open_purchases_0a316a39_1_flush(ivm_pending text) RETURNS void
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
BEGIN
  IF ivm_large THEN
    PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
        set_config('enable_mergejoin', 'on', true);
  END IF;
  IF position('!' IN ivm_pending) > 0 THEN
    PERFORM django_ivm.open_purchases_0a316a39_1_replace();
    ELSIF replace(ivm_pending, '+', '') = ',0,' THEN
      IF ivm_large THEN
        FOR ivm_bucket IN EXECUTE $ivm_q$
SELECT DISTINCT b
FROM (
  WITH ivm_s0 AS MATERIALIZED (
    SELECT c0, c1, c2, c3, ivm_w
    FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s0', true),
        '')::django_ivm.open_purchases_0a316a39_1_spool_0[])
    UNION ALL
    SELECT c0, c1, c2, c3, ivm_w
    FROM django_ivm.open_purchases_0a316a39_1_spool_0
    WHERE $1 AND ivm_xid = pg_current_xact_id())
  SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
  FROM (
    SELECT c0 AS id, c1 AS customer_id, c2 AS status, c3 AS amount, ivm_w
    FROM ivm_s0) ivm_k) ivm_b
WHERE b IS NOT NULL
ORDER BY b
$ivm_q$ USING ivm_large LOOP
        UPDATE django_ivm.open_purchases_0a316a39_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = (
          SELECT ivm_s.st
          FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
          WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
          LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND THEN
          UPDATE django_ivm.open_purchases_0a316a39_1_lock
          SET ver = ver + 1
          WHERE b = ivm_bucket AND st = (
            SELECT ivm_s.st
            FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
            WHERE ivm_s.b = ivm_bucket
            ORDER BY (ivm_s.st + pg_backend_pid()) % 8
            LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
          IF NOT FOUND THEN
            PERFORM 1
            FROM django_ivm.open_purchases_0a316a39_1_lock
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
            UPDATE django_ivm.open_purchases_0a316a39_1_lock
            SET ver = ver + 1
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
            IF NOT FOUND THEN
              IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
                PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
                PERFORM 1
                FROM django_ivm.open_purchases_0a316a39_1_lock
                WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
                UPDATE django_ivm.open_purchases_0a316a39_1_lock
                SET ver = ver + 1
                WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
              END IF;
            END IF;
          END IF;
        END IF;
      END LOOP;
      EXECUTE $ivm_q$
WITH ivm_d AS MATERIALIZED (
  SELECT id, amount, name, ivm_key_id_2, ivm_w
  FROM (
    SELECT DISTINCT ON (ivm_text) id, amount, name, ivm_key_id_2, ivm_text,
        sum(ivm_w) OVER (PARTITION BY ivm_text) AS ivm_w
    FROM (
      SELECT id, amount, name, ivm_key_id_2, ivm_w, ROW(id, amount, name, ivm_key_id_2)::text AS ivm_text
      FROM (
        WITH ivm_s0 AS MATERIALIZED (
          SELECT c0, c1, c2, c3, ivm_w
          FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s0', true),
              '')::django_ivm.open_purchases_0a316a39_1_spool_0[])
          UNION ALL
          SELECT c0, c1, c2, c3, ivm_w
          FROM django_ivm.open_purchases_0a316a39_1_spool_0
          WHERE $1 AND ivm_xid = pg_current_xact_id())
        SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
        FROM (
          SELECT id, customer_id, status, amount, id_2, name, ivm_j0.ivm_w AS ivm_w
          FROM (
            SELECT id, customer_id, status, amount, ivm_w
            FROM (
              SELECT c0 AS id, c1 AS customer_id, c2 AS status, c3 AS amount, ivm_w
              FROM ivm_s0
              WHERE $2) ivm_f
            WHERE status = CAST('open' AS text)) ivm_j0, (
            SELECT id AS id_2, name AS name
            FROM shop.customer) ivm_j1
          WHERE (id_2 = customer_id)) ivm_p) ivm_n0) ivm_n1) ivm_n2
  WHERE ivm_w <> 0), ivm_x AS (
  DELETE
  FROM django_ivm.open_purchases_0a316a39_data AS ivm_t
  USING (
    SELECT id, ivm_key_id_2
    FROM ivm_d
    GROUP BY id, ivm_key_id_2
    HAVING sum(ivm_w) < 0) ivm_g
  WHERE ivm_t.id = ivm_g.id AND ivm_t.ivm_key_id_2 = ivm_g.ivm_key_id_2)
INSERT INTO django_ivm.open_purchases_0a316a39_data AS ivm_t (id, amount, name, ivm_key_id_2)
SELECT id, amount, name, ivm_key_id_2
FROM ivm_d ivm_i
WHERE ivm_w > 0
ORDER BY id, ivm_key_id_2
ON CONFLICT (id, ivm_key_id_2) DO UPDATE SET id = excluded.id, amount = excluded.amount, name = excluded.name,
    ivm_key_id_2 = excluded.ivm_key_id_2
WHERE ROW(ivm_t.id, ivm_t.amount, ivm_t.name, ivm_t.ivm_key_id_2)::record *<> ROW(excluded.id,
    excluded.amount, excluded.name, excluded.ivm_key_id_2)::record
$ivm_q$ USING ivm_large, ivm_has0;
    ELSE
      FOR ivm_bucket IN
      SELECT DISTINCT b
      FROM (
        WITH ivm_s0 AS MATERIALIZED (
          SELECT c0, c1, c2, c3, ivm_w
          FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s0', true),
              '')::django_ivm.open_purchases_0a316a39_1_spool_0[])
          UNION ALL
          SELECT c0, c1, c2, c3, ivm_w
          FROM django_ivm.open_purchases_0a316a39_1_spool_0
          WHERE ivm_large AND ivm_xid = pg_current_xact_id())
        SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
        FROM (
          SELECT c0 AS id, c1 AS customer_id, c2 AS status, c3 AS amount, ivm_w
          FROM ivm_s0) ivm_k) ivm_b
      WHERE b IS NOT NULL
      ORDER BY b LOOP
      UPDATE django_ivm.open_purchases_0a316a39_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        UPDATE django_ivm.open_purchases_0a316a39_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = (
          SELECT ivm_s.st
          FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
          WHERE ivm_s.b = ivm_bucket
          ORDER BY (ivm_s.st + pg_backend_pid()) % 8
          LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND THEN
          PERFORM 1
          FROM django_ivm.open_purchases_0a316a39_1_lock
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
          UPDATE django_ivm.open_purchases_0a316a39_1_lock
          SET ver = ver + 1
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          IF NOT FOUND THEN
            IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
              PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
              PERFORM 1
              FROM django_ivm.open_purchases_0a316a39_1_lock
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
              UPDATE django_ivm.open_purchases_0a316a39_1_lock
              SET ver = ver + 1
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
            END IF;
          END IF;
        END IF;
      END IF;
    END LOOP;
    WITH ivm_d AS MATERIALIZED (
      SELECT id, amount, name, ivm_key_id_2, ivm_w
      FROM (
        SELECT DISTINCT ON (ivm_text) id, amount, name, ivm_key_id_2, ivm_text,
            sum(ivm_w) OVER (PARTITION BY ivm_text) AS ivm_w
        FROM (
          SELECT id, amount, name, ivm_key_id_2, ivm_w, ROW(id, amount, name, ivm_key_id_2)::text AS ivm_text
          FROM (
            WITH ivm_s0 AS MATERIALIZED (
              SELECT c0, c1, c2, c3, ivm_w
              FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s0', true),
                  '')::django_ivm.open_purchases_0a316a39_1_spool_0[])
              UNION ALL
              SELECT c0, c1, c2, c3, ivm_w
              FROM django_ivm.open_purchases_0a316a39_1_spool_0
              WHERE ivm_large AND ivm_xid = pg_current_xact_id())
            SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
            FROM (
              SELECT id, customer_id, status, amount, id_2, name, ivm_j0.ivm_w AS ivm_w
              FROM (
                SELECT id, customer_id, status, amount, ivm_w
                FROM (
                  SELECT c0 AS id, c1 AS customer_id, c2 AS status, c3 AS amount, ivm_w
                  FROM ivm_s0
                  WHERE ivm_has0) ivm_f
                WHERE status = CAST('open' AS text)) ivm_j0, (
                SELECT id AS id_2, name AS name
                FROM shop.customer) ivm_j1
              WHERE (id_2 = customer_id)) ivm_p) ivm_n0) ivm_n1) ivm_n2
      WHERE ivm_w <> 0), ivm_x AS (
      DELETE
      FROM django_ivm.open_purchases_0a316a39_data AS ivm_t
      USING (
        SELECT id, ivm_key_id_2
        FROM ivm_d
        GROUP BY id, ivm_key_id_2
        HAVING sum(ivm_w) < 0) ivm_g
      WHERE ivm_t.id = ivm_g.id AND ivm_t.ivm_key_id_2 = ivm_g.ivm_key_id_2)
    INSERT INTO django_ivm.open_purchases_0a316a39_data AS ivm_t (id, amount, name, ivm_key_id_2)
    SELECT id, amount, name, ivm_key_id_2
    FROM ivm_d ivm_i
    WHERE ivm_w > 0
    ORDER BY id, ivm_key_id_2
    ON CONFLICT (id, ivm_key_id_2) DO UPDATE SET id = excluded.id, amount = excluded.amount,
        name = excluded.name, ivm_key_id_2 = excluded.ivm_key_id_2
    WHERE ROW(ivm_t.id, ivm_t.amount, ivm_t.name, ivm_t.ivm_key_id_2)::record *<> ROW(excluded.id,
        excluded.amount, excluded.name, excluded.ivm_key_id_2)::record;
  END IF;
  ELSIF replace(ivm_pending, '+', '') = ',1,' THEN
    IF ivm_large THEN
      EXECUTE $ivm_q$
SELECT array_agg(DISTINCT b)
FROM (
  WITH ivm_s1 AS MATERIALIZED (
    SELECT c0, c1, ivm_w
    FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s1', true),
        '')::django_ivm.open_purchases_0a316a39_1_spool_1[])
    UNION ALL
    SELECT c0, c1, ivm_w
    FROM django_ivm.open_purchases_0a316a39_1_spool_1
    WHERE $1 AND ivm_xid = pg_current_xact_id())
  SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
  FROM (
    SELECT c0 AS id_2, c1 AS name, ivm_w
    FROM ivm_s1) ivm_k) ivm_b
WHERE b IS NOT NULL
$ivm_q$ INTO ivm_whole USING ivm_large;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.open_purchases_0a316a39_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
            PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
            PERFORM 1
            FROM django_ivm.open_purchases_0a316a39_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      EXECUTE $ivm_q$
WITH ivm_d AS MATERIALIZED (
  SELECT id, amount, name, ivm_key_id_2, ivm_w
  FROM (
    SELECT DISTINCT ON (ivm_text) id, amount, name, ivm_key_id_2, ivm_text,
        sum(ivm_w) OVER (PARTITION BY ivm_text) AS ivm_w
    FROM (
      SELECT id, amount, name, ivm_key_id_2, ivm_w, ROW(id, amount, name, ivm_key_id_2)::text AS ivm_text
      FROM (
        WITH ivm_s1 AS MATERIALIZED (
          SELECT c0, c1, ivm_w
          FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s1', true),
              '')::django_ivm.open_purchases_0a316a39_1_spool_1[])
          UNION ALL
          SELECT c0, c1, ivm_w
          FROM django_ivm.open_purchases_0a316a39_1_spool_1
          WHERE $1 AND ivm_xid = pg_current_xact_id())
        SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
        FROM (
          SELECT id, customer_id, status, amount, id_2, name, ivm_j1.ivm_w AS ivm_w
          FROM (
            SELECT id, customer_id, status, amount
            FROM (
              SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount
              FROM shop.purchase) ivm_f
            WHERE status = CAST('open' AS text)) ivm_j0, (
            SELECT c0 AS id_2, c1 AS name, ivm_w
            FROM ivm_s1
            WHERE $2) ivm_j1
          WHERE (id_2 = customer_id)) ivm_p) ivm_n0) ivm_n1) ivm_n2
  WHERE ivm_w <> 0), ivm_x AS (
  DELETE
  FROM django_ivm.open_purchases_0a316a39_data AS ivm_t
  USING (
    SELECT id, ivm_key_id_2
    FROM ivm_d
    GROUP BY id, ivm_key_id_2
    HAVING sum(ivm_w) < 0) ivm_g
  WHERE ivm_t.id = ivm_g.id AND ivm_t.ivm_key_id_2 = ivm_g.ivm_key_id_2)
INSERT INTO django_ivm.open_purchases_0a316a39_data AS ivm_t (id, amount, name, ivm_key_id_2)
SELECT id, amount, name, ivm_key_id_2
FROM ivm_d ivm_i
WHERE ivm_w > 0
ORDER BY id, ivm_key_id_2
ON CONFLICT (id, ivm_key_id_2) DO UPDATE SET id = excluded.id, amount = excluded.amount, name = excluded.name,
    ivm_key_id_2 = excluded.ivm_key_id_2
WHERE ROW(ivm_t.id, ivm_t.amount, ivm_t.name, ivm_t.ivm_key_id_2)::record *<> ROW(excluded.id,
    excluded.amount, excluded.name, excluded.ivm_key_id_2)::record
$ivm_q$ USING ivm_large, ivm_has1;
    ELSE
      SELECT array_agg(DISTINCT b)
      FROM (
        WITH ivm_s1 AS MATERIALIZED (
          SELECT c0, c1, ivm_w
          FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s1', true),
              '')::django_ivm.open_purchases_0a316a39_1_spool_1[])
          UNION ALL
          SELECT c0, c1, ivm_w
          FROM django_ivm.open_purchases_0a316a39_1_spool_1
          WHERE ivm_large AND ivm_xid = pg_current_xact_id())
        SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
        FROM (
          SELECT c0 AS id_2, c1 AS name, ivm_w
          FROM ivm_s1) ivm_k) ivm_b
      WHERE b IS NOT NULL INTO ivm_whole;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.open_purchases_0a316a39_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
            PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
            PERFORM 1
            FROM django_ivm.open_purchases_0a316a39_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      WITH ivm_d AS MATERIALIZED (
        SELECT id, amount, name, ivm_key_id_2, ivm_w
        FROM (
          SELECT DISTINCT ON (ivm_text) id, amount, name, ivm_key_id_2, ivm_text,
              sum(ivm_w) OVER (PARTITION BY ivm_text) AS ivm_w
          FROM (
            SELECT id, amount, name, ivm_key_id_2, ivm_w, ROW(id, amount, name,
                ivm_key_id_2)::text AS ivm_text
            FROM (
              WITH ivm_s1 AS MATERIALIZED (
                SELECT c0, c1, ivm_w
                FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s1', true),
                    '')::django_ivm.open_purchases_0a316a39_1_spool_1[])
                UNION ALL
                SELECT c0, c1, ivm_w
                FROM django_ivm.open_purchases_0a316a39_1_spool_1
                WHERE ivm_large AND ivm_xid = pg_current_xact_id())
              SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
              FROM (
                SELECT id, customer_id, status, amount, id_2, name, ivm_j1.ivm_w AS ivm_w
                FROM (
                  SELECT id, customer_id, status, amount
                  FROM (
                    SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount
                    FROM shop.purchase) ivm_f
                  WHERE status = CAST('open' AS text)) ivm_j0, (
                  SELECT c0 AS id_2, c1 AS name, ivm_w
                  FROM ivm_s1
                  WHERE ivm_has1) ivm_j1
                WHERE (id_2 = customer_id)) ivm_p) ivm_n0) ivm_n1) ivm_n2
        WHERE ivm_w <> 0), ivm_x AS (
        DELETE
        FROM django_ivm.open_purchases_0a316a39_data AS ivm_t
        USING (
          SELECT id, ivm_key_id_2
          FROM ivm_d
          GROUP BY id, ivm_key_id_2
          HAVING sum(ivm_w) < 0) ivm_g
        WHERE ivm_t.id = ivm_g.id AND ivm_t.ivm_key_id_2 = ivm_g.ivm_key_id_2)
      INSERT INTO django_ivm.open_purchases_0a316a39_data AS ivm_t (id, amount, name, ivm_key_id_2)
      SELECT id, amount, name, ivm_key_id_2
      FROM ivm_d ivm_i
      WHERE ivm_w > 0
      ORDER BY id, ivm_key_id_2
      ON CONFLICT (id, ivm_key_id_2) DO UPDATE SET id = excluded.id, amount = excluded.amount,
          name = excluded.name, ivm_key_id_2 = excluded.ivm_key_id_2
      WHERE ROW(ivm_t.id, ivm_t.amount, ivm_t.name, ivm_t.ivm_key_id_2)::record *<> ROW(excluded.id,
          excluded.amount, excluded.name, excluded.ivm_key_id_2)::record;
    END IF;
  ELSE
    IF ivm_large THEN
      FOR ivm_bucket, ivm_all IN EXECUTE $ivm_q$
SELECT b, bool_or(ivm_parent)
FROM (
  WITH ivm_s0 AS MATERIALIZED (
    SELECT c0, c1, c2, c3, ivm_w
    FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s0', true),
        '')::django_ivm.open_purchases_0a316a39_1_spool_0[])
    UNION ALL
    SELECT c0, c1, c2, c3, ivm_w
    FROM django_ivm.open_purchases_0a316a39_1_spool_0
    WHERE $1 AND ivm_xid = pg_current_xact_id()), ivm_s1 AS MATERIALIZED (
    SELECT c0, c1, ivm_w
    FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s1', true),
        '')::django_ivm.open_purchases_0a316a39_1_spool_1[])
    UNION ALL
    SELECT c0, c1, ivm_w
    FROM django_ivm.open_purchases_0a316a39_1_spool_1
    WHERE $1 AND ivm_xid = pg_current_xact_id())
  SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
  FROM (
    SELECT c0 AS id, c1 AS customer_id, c2 AS status, c3 AS amount, ivm_w
    FROM ivm_s0) ivm_k
  UNION ALL
  SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
  FROM (
    SELECT c0 AS id_2, c1 AS name, ivm_w
    FROM ivm_s1) ivm_k) ivm_b
WHERE b IS NOT NULL
GROUP BY b
ORDER BY b
$ivm_q$ USING ivm_large LOOP
      IF ivm_all THEN
        PERFORM 1
        FROM django_ivm.open_purchases_0a316a39_1_lock
        WHERE b = ivm_bucket
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ivm_bucket;
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
            PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
            PERFORM 1
            FROM django_ivm.open_purchases_0a316a39_1_lock
            WHERE b = ivm_bucket
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ivm_bucket;
          END IF;
        END IF;
      ELSE
        UPDATE django_ivm.open_purchases_0a316a39_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = (
          SELECT ivm_s.st
          FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
          WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
          LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND THEN
          UPDATE django_ivm.open_purchases_0a316a39_1_lock
          SET ver = ver + 1
          WHERE b = ivm_bucket AND st = (
            SELECT ivm_s.st
            FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
            WHERE ivm_s.b = ivm_bucket
            ORDER BY (ivm_s.st + pg_backend_pid()) % 8
            LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
          IF NOT FOUND THEN
            PERFORM 1
            FROM django_ivm.open_purchases_0a316a39_1_lock
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
            UPDATE django_ivm.open_purchases_0a316a39_1_lock
            SET ver = ver + 1
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
            IF NOT FOUND THEN
              IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
                PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
                PERFORM 1
                FROM django_ivm.open_purchases_0a316a39_1_lock
                WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
                UPDATE django_ivm.open_purchases_0a316a39_1_lock
                SET ver = ver + 1
                WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
              END IF;
            END IF;
          END IF;
        END IF;
      END IF;
    END LOOP;
    EXECUTE $ivm_q$
WITH ivm_d AS MATERIALIZED (
  SELECT id, amount, name, ivm_key_id_2, ivm_w
  FROM (
    SELECT DISTINCT ON (ivm_text) id, amount, name, ivm_key_id_2, ivm_text,
        sum(ivm_w) OVER (PARTITION BY ivm_text) AS ivm_w
    FROM (
      SELECT id, amount, name, ivm_key_id_2, ivm_w, ROW(id, amount, name, ivm_key_id_2)::text AS ivm_text
      FROM (
        WITH ivm_s0 AS MATERIALIZED (
          SELECT c0, c1, c2, c3, ivm_w
          FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s0', true),
              '')::django_ivm.open_purchases_0a316a39_1_spool_0[])
          UNION ALL
          SELECT c0, c1, c2, c3, ivm_w
          FROM django_ivm.open_purchases_0a316a39_1_spool_0
          WHERE $1 AND ivm_xid = pg_current_xact_id()), ivm_s1 AS MATERIALIZED (
          SELECT c0, c1, ivm_w
          FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s1', true),
              '')::django_ivm.open_purchases_0a316a39_1_spool_1[])
          UNION ALL
          SELECT c0, c1, ivm_w
          FROM django_ivm.open_purchases_0a316a39_1_spool_1
          WHERE $1 AND ivm_xid = pg_current_xact_id())
        SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
        FROM (
          SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, id_2 AS id_2,
              name AS name, ivm_w
          FROM (
            SELECT id, customer_id, status, amount, id_2, name, ivm_j0.ivm_w * ivm_j1.ivm_w AS ivm_w
            FROM (
              SELECT id, customer_id, status, amount, ivm_w
              FROM (
                SELECT c0 AS id, c1 AS customer_id, c2 AS status, c3 AS amount, ivm_w
                FROM ivm_s0
                WHERE $2) ivm_f
              WHERE status = CAST('open' AS text)) ivm_j0, (
              SELECT id AS id_2, name AS name, 1 AS ivm_w
              FROM shop.customer
              UNION ALL (
                SELECT id_2, name, -ivm_w
                FROM (
                  SELECT c0 AS id_2, c1 AS name, ivm_w
                  FROM ivm_s1) ivm_o OFFSET 0)) ivm_j1
            WHERE (id_2 = customer_id)) ivm_u0
          UNION ALL
          SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, id_2 AS id_2,
              name AS name, ivm_w
          FROM (
            SELECT id, customer_id, status, amount, id_2, name, ivm_j1.ivm_w AS ivm_w
            FROM (
              SELECT id, customer_id, status, amount
              FROM (
                SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount
                FROM shop.purchase) ivm_f
              WHERE status = CAST('open' AS text)) ivm_j0, (
              SELECT c0 AS id_2, c1 AS name, ivm_w
              FROM ivm_s1
              WHERE $3) ivm_j1
            WHERE (id_2 = customer_id)) ivm_u1) ivm_p) ivm_n0) ivm_n1) ivm_n2
  WHERE ivm_w <> 0), ivm_x AS (
  DELETE
  FROM django_ivm.open_purchases_0a316a39_data AS ivm_t
  USING (
    SELECT id, ivm_key_id_2
    FROM ivm_d
    GROUP BY id, ivm_key_id_2
    HAVING sum(ivm_w) < 0) ivm_g
  WHERE ivm_t.id = ivm_g.id AND ivm_t.ivm_key_id_2 = ivm_g.ivm_key_id_2)
INSERT INTO django_ivm.open_purchases_0a316a39_data AS ivm_t (id, amount, name, ivm_key_id_2)
SELECT id, amount, name, ivm_key_id_2
FROM ivm_d ivm_i
WHERE ivm_w > 0
ORDER BY id, ivm_key_id_2
ON CONFLICT (id, ivm_key_id_2) DO UPDATE SET id = excluded.id, amount = excluded.amount, name = excluded.name,
    ivm_key_id_2 = excluded.ivm_key_id_2
WHERE ROW(ivm_t.id, ivm_t.amount, ivm_t.name, ivm_t.ivm_key_id_2)::record *<> ROW(excluded.id,
    excluded.amount, excluded.name, excluded.ivm_key_id_2)::record
$ivm_q$ USING ivm_large, ivm_has0, ivm_has1;
  ELSE
    FOR ivm_bucket, ivm_all IN
    SELECT b, bool_or(ivm_parent)
    FROM (
      WITH ivm_s0 AS MATERIALIZED (
        SELECT c0, c1, c2, c3, ivm_w
        FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s0', true),
            '')::django_ivm.open_purchases_0a316a39_1_spool_0[])
        UNION ALL
        SELECT c0, c1, c2, c3, ivm_w
        FROM django_ivm.open_purchases_0a316a39_1_spool_0
        WHERE ivm_large AND ivm_xid = pg_current_xact_id()), ivm_s1 AS MATERIALIZED (
        SELECT c0, c1, ivm_w
        FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s1', true),
            '')::django_ivm.open_purchases_0a316a39_1_spool_1[])
        UNION ALL
        SELECT c0, c1, ivm_w
        FROM django_ivm.open_purchases_0a316a39_1_spool_1
        WHERE ivm_large AND ivm_xid = pg_current_xact_id())
      SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
      FROM (
        SELECT c0 AS id, c1 AS customer_id, c2 AS status, c3 AS amount, ivm_w
        FROM ivm_s0) ivm_k
      UNION ALL
      SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
      FROM (
        SELECT c0 AS id_2, c1 AS name, ivm_w
        FROM ivm_s1) ivm_k) ivm_b
    WHERE b IS NOT NULL
    GROUP BY b
    ORDER BY b LOOP
    IF ivm_all THEN
      PERFORM 1
      FROM django_ivm.open_purchases_0a316a39_1_lock
      WHERE b = ivm_bucket
      ORDER BY b, st FOR NO KEY UPDATE;
      UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ivm_bucket;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
          PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
          PERFORM 1
          FROM django_ivm.open_purchases_0a316a39_1_lock
          WHERE b = ivm_bucket
          ORDER BY b, st FOR NO KEY UPDATE;
          UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ivm_bucket;
        END IF;
      END IF;
    ELSE
      UPDATE django_ivm.open_purchases_0a316a39_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        UPDATE django_ivm.open_purchases_0a316a39_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = (
          SELECT ivm_s.st
          FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
          WHERE ivm_s.b = ivm_bucket
          ORDER BY (ivm_s.st + pg_backend_pid()) % 8
          LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND THEN
          PERFORM 1
          FROM django_ivm.open_purchases_0a316a39_1_lock
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
          UPDATE django_ivm.open_purchases_0a316a39_1_lock
          SET ver = ver + 1
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          IF NOT FOUND THEN
            IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
              PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
              PERFORM 1
              FROM django_ivm.open_purchases_0a316a39_1_lock
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
              UPDATE django_ivm.open_purchases_0a316a39_1_lock
              SET ver = ver + 1
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
            END IF;
          END IF;
        END IF;
      END IF;
    END IF;
  END LOOP;
  WITH ivm_d AS MATERIALIZED (
    SELECT id, amount, name, ivm_key_id_2, ivm_w
    FROM (
      SELECT DISTINCT ON (ivm_text) id, amount, name, ivm_key_id_2, ivm_text,
          sum(ivm_w) OVER (PARTITION BY ivm_text) AS ivm_w
      FROM (
        SELECT id, amount, name, ivm_key_id_2, ivm_w, ROW(id, amount, name, ivm_key_id_2)::text AS ivm_text
        FROM (
          WITH ivm_s0 AS MATERIALIZED (
            SELECT c0, c1, c2, c3, ivm_w
            FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s0', true),
                '')::django_ivm.open_purchases_0a316a39_1_spool_0[])
            UNION ALL
            SELECT c0, c1, c2, c3, ivm_w
            FROM django_ivm.open_purchases_0a316a39_1_spool_0
            WHERE ivm_large AND ivm_xid = pg_current_xact_id()), ivm_s1 AS MATERIALIZED (
            SELECT c0, c1, ivm_w
            FROM unnest(nullif(current_setting('ivm.n0a316a39_1_s1', true),
                '')::django_ivm.open_purchases_0a316a39_1_spool_1[])
            UNION ALL
            SELECT c0, c1, ivm_w
            FROM django_ivm.open_purchases_0a316a39_1_spool_1
            WHERE ivm_large AND ivm_xid = pg_current_xact_id())
          SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
          FROM (
            SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, id_2 AS id_2,
                name AS name, ivm_w
            FROM (
              SELECT id, customer_id, status, amount, id_2, name, ivm_j0.ivm_w * ivm_j1.ivm_w AS ivm_w
              FROM (
                SELECT id, customer_id, status, amount, ivm_w
                FROM (
                  SELECT c0 AS id, c1 AS customer_id, c2 AS status, c3 AS amount, ivm_w
                  FROM ivm_s0
                  WHERE ivm_has0) ivm_f
                WHERE status = CAST('open' AS text)) ivm_j0, (
                SELECT id AS id_2, name AS name, 1 AS ivm_w
                FROM shop.customer
                UNION ALL (
                  SELECT id_2, name, -ivm_w
                  FROM (
                    SELECT c0 AS id_2, c1 AS name, ivm_w
                    FROM ivm_s1) ivm_o OFFSET 0)) ivm_j1
              WHERE (id_2 = customer_id)) ivm_u0
            UNION ALL
            SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, id_2 AS id_2,
                name AS name, ivm_w
            FROM (
              SELECT id, customer_id, status, amount, id_2, name, ivm_j1.ivm_w AS ivm_w
              FROM (
                SELECT id, customer_id, status, amount
                FROM (
                  SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount
                  FROM shop.purchase) ivm_f
                WHERE status = CAST('open' AS text)) ivm_j0, (
                SELECT c0 AS id_2, c1 AS name, ivm_w
                FROM ivm_s1
                WHERE ivm_has1) ivm_j1
              WHERE (id_2 = customer_id)) ivm_u1) ivm_p) ivm_n0) ivm_n1) ivm_n2
    WHERE ivm_w <> 0), ivm_x AS (
    DELETE
    FROM django_ivm.open_purchases_0a316a39_data AS ivm_t
    USING (
      SELECT id, ivm_key_id_2
      FROM ivm_d
      GROUP BY id, ivm_key_id_2
      HAVING sum(ivm_w) < 0) ivm_g
    WHERE ivm_t.id = ivm_g.id AND ivm_t.ivm_key_id_2 = ivm_g.ivm_key_id_2)
  INSERT INTO django_ivm.open_purchases_0a316a39_data AS ivm_t (id, amount, name, ivm_key_id_2)
  SELECT id, amount, name, ivm_key_id_2
  FROM ivm_d ivm_i
  WHERE ivm_w > 0
  ORDER BY id, ivm_key_id_2
  ON CONFLICT (id, ivm_key_id_2) DO UPDATE SET id = excluded.id, amount = excluded.amount,
      name = excluded.name, ivm_key_id_2 = excluded.ivm_key_id_2
  WHERE ROW(ivm_t.id, ivm_t.amount, ivm_t.name, ivm_t.ivm_key_id_2)::record *<> ROW(excluded.id,
      excluded.amount, excluded.name, excluded.ivm_key_id_2)::record;
END IF;
END IF;
ivm_state := set_config('ivm.n0a316a39_1_s0', '', true);
IF ivm_large THEN
DELETE
FROM django_ivm.open_purchases_0a316a39_1_spool_0
WHERE ivm_xid = pg_current_xact_id(); END IF;
ivm_state := set_config('ivm.n0a316a39_1_s1', '', true);
IF ivm_large THEN
DELETE
FROM django_ivm.open_purchases_0a316a39_1_spool_1
WHERE ivm_xid = pg_current_xact_id(); END IF;
RETURN;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.open_purchases_0a316a39_1_flush(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION django_ivm.open_purchases_0a316a39_1_lock_rows() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp AS $ivm_body$
#variable_conflict use_column
BEGIN
  INSERT INTO django_ivm.open_purchases_0a316a39_1_lock (b, st)
  SELECT b, st
  FROM generate_series(0, 127) b, generate_series(0, 7) st
  ON CONFLICT DO NOTHING;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.open_purchases_0a316a39_1_lock_rows() FROM PUBLIC;

CREATE OR REPLACE FUNCTION django_ivm.open_purchases_0a316a39_1_enter() RETURNS trigger LANGUAGE plpgsql AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_state text;
BEGIN
  IF coalesce(pg_catalog.current_setting('ivm.n0a316a39_1', true), '') OPERATOR(pg_catalog.=) '' THEN
    ivm_state := pg_catalog.set_config('ivm.n0a316a39_1', pg_catalog.concat((pg_catalog.date_part('epoch',
        pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text, '/1/'),
        true);
  ELSE
    ivm_state := pg_catalog.set_config('ivm.n0a316a39_1', CASE
        WHEN pg_catalog.split_part(coalesce(pg_catalog.current_setting('ivm.n0a316a39_1', true), ''), '/',
        1) OPERATOR(pg_catalog.=) (pg_catalog.date_part('epoch',
        pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text
        THEN pg_catalog.concat((pg_catalog.date_part('epoch',
        pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text, '/',
        pg_catalog.split_part(coalesce(pg_catalog.current_setting('ivm.n0a316a39_1', true), ''), '/',
        2)::integer OPERATOR(pg_catalog.+) 1, '/',
        pg_catalog.split_part(coalesce(pg_catalog.current_setting('ivm.n0a316a39_1', true), ''), '/',
        3)) ELSE pg_catalog.concat((pg_catalog.date_part('epoch',
        pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text,
        '/1/!') END, true);
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.open_purchases_0a316a39_1_enter() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_open_purchases_0a316a39_998_0_enter BEFORE INSERT OR UPDATE OR DELETE
    OR TRUNCATE
ON shop.purchase FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.open_purchases_0a316a39_1_enter();

COMMENT ON TRIGGER ivm_open_purchases_0a316a39_998_0_enter ON shop.purchase IS 'fd6eb5d4';

CREATE OR REPLACE FUNCTION django_ivm.open_purchases_0a316a39_1_0_insert() RETURNS trigger
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
BEGIN
  IF current_setting('ivm.n0a316a39_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND ((TG_TABLE_NAME = 'purchase' AND TG_TABLE_SCHEMA = 'shop')) THEN
    ivm_many := (SELECT count(*) FROM (SELECT 1 FROM ivm_new LIMIT 101) ivm_z);
    IF ivm_many <= 100 THEN
      FOR ivm_bucket IN
      SELECT DISTINCT b
      FROM (
        SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
        FROM (
          SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, 1 AS ivm_w
          FROM ivm_new) ivm_k) ivm_b
      WHERE b IS NOT NULL
      ORDER BY b LOOP
      UPDATE django_ivm.open_purchases_0a316a39_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        UPDATE django_ivm.open_purchases_0a316a39_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = (
          SELECT ivm_s.st
          FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
          WHERE ivm_s.b = ivm_bucket
          ORDER BY (ivm_s.st + pg_backend_pid()) % 8
          LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND THEN
          PERFORM 1
          FROM django_ivm.open_purchases_0a316a39_1_lock
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
          UPDATE django_ivm.open_purchases_0a316a39_1_lock
          SET ver = ver + 1
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          IF NOT FOUND THEN
            IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
              PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
              PERFORM 1
              FROM django_ivm.open_purchases_0a316a39_1_lock
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
              UPDATE django_ivm.open_purchases_0a316a39_1_lock
              SET ver = ver + 1
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
            END IF;
          END IF;
        END IF;
      END IF;
    END LOOP;
    INSERT INTO django_ivm.open_purchases_0a316a39_data AS ivm_t (id, amount, name, ivm_key_id_2)
    SELECT id, amount, name, ivm_key_id_2
    FROM (
      SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
      FROM (
        SELECT id, customer_id, status, amount, id_2, name, ivm_j0.ivm_w AS ivm_w
        FROM (
          SELECT id, customer_id, status, amount, ivm_w
          FROM (
            SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, 1 AS ivm_w
            FROM ivm_new) ivm_f
          WHERE status = CAST('open' AS text)) ivm_j0, (
          SELECT id AS id_2, name AS name
          FROM shop.customer) ivm_j1
        WHERE (id_2 = customer_id)) ivm_p) ivm_i
    ORDER BY id, ivm_key_id_2
    ON CONFLICT (id, ivm_key_id_2) DO UPDATE SET id = excluded.id, amount = excluded.amount,
        name = excluded.name, ivm_key_id_2 = excluded.ivm_key_id_2
    WHERE ROW(ivm_t.id, ivm_t.amount, ivm_t.name, ivm_t.ivm_key_id_2)::record *<> ROW(excluded.id,
        excluded.amount, excluded.name, excluded.ivm_key_id_2)::record;
  ELSE
    PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
        set_config('enable_mergejoin', 'on', true);
    FOR ivm_bucket IN EXECUTE $ivm_q$
SELECT DISTINCT b
FROM (
  SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
  FROM (
    SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, 1 AS ivm_w
    FROM ivm_new) ivm_k) ivm_b
WHERE b IS NOT NULL
ORDER BY b
$ivm_q$ LOOP
    UPDATE django_ivm.open_purchases_0a316a39_1_lock
    SET ver = ver + 1
    WHERE b = ivm_bucket AND st = (
      SELECT ivm_s.st
      FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
      WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
      LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
      UPDATE django_ivm.open_purchases_0a316a39_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket
        ORDER BY (ivm_s.st + pg_backend_pid()) % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        PERFORM 1
        FROM django_ivm.open_purchases_0a316a39_1_lock
        WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
        UPDATE django_ivm.open_purchases_0a316a39_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
            PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
            PERFORM 1
            FROM django_ivm.open_purchases_0a316a39_1_lock
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
            UPDATE django_ivm.open_purchases_0a316a39_1_lock
            SET ver = ver + 1
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          END IF;
        END IF;
      END IF;
    END IF;
  END LOOP;
  EXECUTE $ivm_q$
INSERT INTO django_ivm.open_purchases_0a316a39_data AS ivm_t (id, amount, name, ivm_key_id_2)
SELECT id, amount, name, ivm_key_id_2
FROM (
  SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
  FROM (
    SELECT id, customer_id, status, amount, id_2, name, ivm_j0.ivm_w AS ivm_w
    FROM (
      SELECT id, customer_id, status, amount, ivm_w
      FROM (
        SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, 1 AS ivm_w
        FROM ivm_new) ivm_f
      WHERE status = CAST('open' AS text)) ivm_j0, (
      SELECT id AS id_2, name AS name
      FROM shop.customer) ivm_j1
    WHERE (id_2 = customer_id)) ivm_p) ivm_i
ORDER BY id, ivm_key_id_2
ON CONFLICT (id, ivm_key_id_2) DO UPDATE SET id = excluded.id, amount = excluded.amount, name = excluded.name,
    ivm_key_id_2 = excluded.ivm_key_id_2
WHERE ROW(ivm_t.id, ivm_t.amount, ivm_t.name, ivm_t.ivm_key_id_2)::record *<> ROW(excluded.id,
    excluded.amount, excluded.name, excluded.ivm_key_id_2)::record
$ivm_q$;
END IF;
IF current_setting('ivm.n0a316a39_1', true) = (pg_catalog.date_part('epoch',
    pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
    AND set_config('ivm.n0a316a39_1', '', true) = '' THEN
  RETURN NULL;
END IF;
RAISE EXCEPTION 'a trigger on the maintained table open_purchases_0a316a39_data writes a table that it is computed from'
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
ivm_state := coalesce(current_setting('ivm.n0a316a39_1', true), '');
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
  ivm_state := set_config('ivm.n0a316a39_1_s0', '', true);
  ivm_state := set_config('ivm.n0a316a39_1_s1', '', true);
END IF;
IF length(coalesce(current_setting('ivm.n0a316a39_1_s0', true), '')) < 4096 AND (
  SELECT count(*)
  FROM (
    SELECT 1
    FROM ivm_new
    LIMIT 101) ivm_z) <= 100 THEN
  PERFORM set_config('ivm.n0a316a39_1_s0', (coalesce(nullif(current_setting('ivm.n0a316a39_1_s0', true), ''),
      '{}')::django_ivm.open_purchases_0a316a39_1_spool_0[] || ARRAY(
        SELECT ROW(c0, c1, c2, c3, ivm_w, NULL)::django_ivm.open_purchases_0a316a39_1_spool_0
        FROM (
          SELECT id, customer_id, status, amount, 1
          FROM ivm_new) ivm_z(c0, c1, c2, c3, ivm_w)))::text, true);
ELSE
  INSERT INTO django_ivm.open_purchases_0a316a39_1_spool_0 (c0, c1, c2, c3, ivm_w, ivm_xid)
  SELECT ivm_z.*, pg_current_xact_id()
  FROM (
    SELECT id, customer_id, status, amount, 1
    FROM ivm_new) ivm_z;
  IF position('+' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || '+'; END IF;
END IF;
IF position(',0,' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || ',0,'; END IF;
END IF;
IF ivm_depth <= 1 THEN
IF ivm_pending <> '' THEN
  ivm_state := set_config('ivm.n0a316a39_1', ivm_stamp || '/1000000/', true);
  PERFORM django_ivm.open_purchases_0a316a39_1_flush(ivm_pending);
  IF current_setting('ivm.n0a316a39_1', true) <> ivm_state THEN
    RAISE EXCEPTION 'a trigger on the maintained table open_purchases_0a316a39_data writes a table that it is computed from'
    USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
  END IF;
END IF;
ivm_state := set_config('ivm.n0a316a39_1', '', true);
ELSE
ivm_state := set_config('ivm.n0a316a39_1', ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending,
    true);
END IF;
RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.open_purchases_0a316a39_1_0_insert() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_open_purchases_0a316a39_998_0_insert AFTER INSERT
ON shop.purchase
REFERENCING NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.open_purchases_0a316a39_1_0_insert();

COMMENT ON TRIGGER ivm_open_purchases_0a316a39_998_0_insert ON shop.purchase IS '1fb41516';

CREATE OR REPLACE FUNCTION django_ivm.open_purchases_0a316a39_1_0_update() RETURNS trigger
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
BEGIN
  IF current_setting('ivm.n0a316a39_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND NOT (ARRAY(
      SELECT ROW(id, customer_id, status, amount)
      FROM ivm_old) IS DISTINCT FROM ARRAY(
      SELECT ROW(id, customer_id, status, amount)
      FROM ivm_new)) THEN
    ivm_state := set_config('ivm.n0a316a39_1', '', true);
    RETURN NULL;
  END IF;
  IF current_setting('ivm.n0a316a39_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND ((TG_TABLE_NAME = 'purchase' AND TG_TABLE_SCHEMA = 'shop')) THEN
    ivm_many := (SELECT count(*) FROM (SELECT 1 FROM ivm_new LIMIT 101) ivm_z);
    IF ivm_many <= 100 THEN
      FOR ivm_bucket IN
      SELECT DISTINCT b
      FROM (
        SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
        FROM (
          SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, -1 AS ivm_w
          FROM ivm_old
          UNION ALL
          SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, 1 AS ivm_w
          FROM ivm_new) ivm_k) ivm_b
      WHERE b IS NOT NULL
      ORDER BY b LOOP
      UPDATE django_ivm.open_purchases_0a316a39_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        UPDATE django_ivm.open_purchases_0a316a39_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = (
          SELECT ivm_s.st
          FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
          WHERE ivm_s.b = ivm_bucket
          ORDER BY (ivm_s.st + pg_backend_pid()) % 8
          LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND THEN
          PERFORM 1
          FROM django_ivm.open_purchases_0a316a39_1_lock
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
          UPDATE django_ivm.open_purchases_0a316a39_1_lock
          SET ver = ver + 1
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          IF NOT FOUND THEN
            IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
              PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
              PERFORM 1
              FROM django_ivm.open_purchases_0a316a39_1_lock
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
              UPDATE django_ivm.open_purchases_0a316a39_1_lock
              SET ver = ver + 1
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
            END IF;
          END IF;
        END IF;
      END IF;
    END LOOP;
    WITH ivm_d AS MATERIALIZED (
      SELECT id, amount, name, ivm_key_id_2, ivm_w
      FROM (
        SELECT DISTINCT ON (ivm_text) id, amount, name, ivm_key_id_2, ivm_text,
            sum(ivm_w) OVER (PARTITION BY ivm_text) AS ivm_w
        FROM (
          SELECT id, amount, name, ivm_key_id_2, ivm_w, ROW(id, amount, name, ivm_key_id_2)::text AS ivm_text
          FROM (
            SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
            FROM (
              SELECT id, customer_id, status, amount, id_2, name, ivm_j0.ivm_w AS ivm_w
              FROM (
                SELECT id, customer_id, status, amount, ivm_w
                FROM (
                  SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, -1 AS ivm_w
                  FROM ivm_old
                  UNION ALL
                  SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, 1 AS ivm_w
                  FROM ivm_new) ivm_f
                WHERE status = CAST('open' AS text)) ivm_j0, (
                SELECT id AS id_2, name AS name
                FROM shop.customer) ivm_j1
              WHERE (id_2 = customer_id)) ivm_p) ivm_n0) ivm_n1) ivm_n2
      WHERE ivm_w <> 0), ivm_x AS (
      DELETE
      FROM django_ivm.open_purchases_0a316a39_data AS ivm_t
      USING (
        SELECT id, ivm_key_id_2
        FROM ivm_d
        GROUP BY id, ivm_key_id_2
        HAVING sum(ivm_w) < 0) ivm_g
      WHERE ivm_t.id = ivm_g.id AND ivm_t.ivm_key_id_2 = ivm_g.ivm_key_id_2)
    INSERT INTO django_ivm.open_purchases_0a316a39_data AS ivm_t (id, amount, name, ivm_key_id_2)
    SELECT id, amount, name, ivm_key_id_2
    FROM ivm_d ivm_i
    WHERE ivm_w > 0
    ORDER BY id, ivm_key_id_2
    ON CONFLICT (id, ivm_key_id_2) DO UPDATE SET id = excluded.id, amount = excluded.amount,
        name = excluded.name, ivm_key_id_2 = excluded.ivm_key_id_2
    WHERE ROW(ivm_t.id, ivm_t.amount, ivm_t.name, ivm_t.ivm_key_id_2)::record *<> ROW(excluded.id,
        excluded.amount, excluded.name, excluded.ivm_key_id_2)::record;
  ELSE
    PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
        set_config('enable_mergejoin', 'on', true);
    FOR ivm_bucket IN EXECUTE $ivm_q$
SELECT DISTINCT b
FROM (
  SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
  FROM (
    SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, -1 AS ivm_w
    FROM ivm_old
    UNION ALL
    SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, 1 AS ivm_w
    FROM ivm_new) ivm_k) ivm_b
WHERE b IS NOT NULL
ORDER BY b
$ivm_q$ LOOP
    UPDATE django_ivm.open_purchases_0a316a39_1_lock
    SET ver = ver + 1
    WHERE b = ivm_bucket AND st = (
      SELECT ivm_s.st
      FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
      WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
      LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
      UPDATE django_ivm.open_purchases_0a316a39_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket
        ORDER BY (ivm_s.st + pg_backend_pid()) % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        PERFORM 1
        FROM django_ivm.open_purchases_0a316a39_1_lock
        WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
        UPDATE django_ivm.open_purchases_0a316a39_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
            PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
            PERFORM 1
            FROM django_ivm.open_purchases_0a316a39_1_lock
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
            UPDATE django_ivm.open_purchases_0a316a39_1_lock
            SET ver = ver + 1
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          END IF;
        END IF;
      END IF;
    END IF;
  END LOOP;
  EXECUTE $ivm_q$
WITH ivm_d AS MATERIALIZED (
  SELECT id, amount, name, ivm_key_id_2, ivm_w
  FROM (
    SELECT DISTINCT ON (ivm_text) id, amount, name, ivm_key_id_2, ivm_text,
        sum(ivm_w) OVER (PARTITION BY ivm_text) AS ivm_w
    FROM (
      SELECT id, amount, name, ivm_key_id_2, ivm_w, ROW(id, amount, name, ivm_key_id_2)::text AS ivm_text
      FROM (
        SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
        FROM (
          SELECT id, customer_id, status, amount, id_2, name, ivm_j0.ivm_w AS ivm_w
          FROM (
            SELECT id, customer_id, status, amount, ivm_w
            FROM (
              SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, -1 AS ivm_w
              FROM ivm_old
              UNION ALL
              SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, 1 AS ivm_w
              FROM ivm_new) ivm_f
            WHERE status = CAST('open' AS text)) ivm_j0, (
            SELECT id AS id_2, name AS name
            FROM shop.customer) ivm_j1
          WHERE (id_2 = customer_id)) ivm_p) ivm_n0) ivm_n1) ivm_n2
  WHERE ivm_w <> 0), ivm_x AS (
  DELETE
  FROM django_ivm.open_purchases_0a316a39_data AS ivm_t
  USING (
    SELECT id, ivm_key_id_2
    FROM ivm_d
    GROUP BY id, ivm_key_id_2
    HAVING sum(ivm_w) < 0) ivm_g
  WHERE ivm_t.id = ivm_g.id AND ivm_t.ivm_key_id_2 = ivm_g.ivm_key_id_2)
INSERT INTO django_ivm.open_purchases_0a316a39_data AS ivm_t (id, amount, name, ivm_key_id_2)
SELECT id, amount, name, ivm_key_id_2
FROM ivm_d ivm_i
WHERE ivm_w > 0
ORDER BY id, ivm_key_id_2
ON CONFLICT (id, ivm_key_id_2) DO UPDATE SET id = excluded.id, amount = excluded.amount, name = excluded.name,
    ivm_key_id_2 = excluded.ivm_key_id_2
WHERE ROW(ivm_t.id, ivm_t.amount, ivm_t.name, ivm_t.ivm_key_id_2)::record *<> ROW(excluded.id,
    excluded.amount, excluded.name, excluded.ivm_key_id_2)::record
$ivm_q$;
END IF;
IF current_setting('ivm.n0a316a39_1', true) = (pg_catalog.date_part('epoch',
    pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
    AND set_config('ivm.n0a316a39_1', '', true) = '' THEN
  RETURN NULL;
END IF;
RAISE EXCEPTION 'a trigger on the maintained table open_purchases_0a316a39_data writes a table that it is computed from'
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
ivm_state := coalesce(current_setting('ivm.n0a316a39_1', true), '');
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
  SELECT ROW(id, customer_id, status, amount)
  FROM ivm_old) IS DISTINCT FROM ARRAY(
  SELECT ROW(id, customer_id, status, amount)
  FROM ivm_new) THEN
IF ivm_pending = '' THEN
  ivm_state := set_config('ivm.n0a316a39_1_s0', '', true);
  ivm_state := set_config('ivm.n0a316a39_1_s1', '', true);
END IF;
IF length(coalesce(current_setting('ivm.n0a316a39_1_s0', true), '')) < 4096 AND (
  SELECT count(*)
  FROM (
    SELECT 1
    FROM ivm_new
    LIMIT 101) ivm_z) <= 100 THEN
  PERFORM set_config('ivm.n0a316a39_1_s0', (coalesce(nullif(current_setting('ivm.n0a316a39_1_s0', true), ''),
      '{}')::django_ivm.open_purchases_0a316a39_1_spool_0[] || ARRAY(
        SELECT ROW(c0, c1, c2, c3, ivm_w, NULL)::django_ivm.open_purchases_0a316a39_1_spool_0
        FROM (
          SELECT id, customer_id, status, amount, -1
          FROM ivm_old
          UNION ALL
          SELECT id, customer_id, status, amount, 1
          FROM ivm_new) ivm_z(c0, c1, c2, c3, ivm_w)))::text, true);
ELSE
  INSERT INTO django_ivm.open_purchases_0a316a39_1_spool_0 (c0, c1, c2, c3, ivm_w, ivm_xid)
  SELECT ivm_z.*, pg_current_xact_id()
  FROM (
    SELECT id, customer_id, status, amount, -1
    FROM ivm_old
    UNION ALL
    SELECT id, customer_id, status, amount, 1
    FROM ivm_new) ivm_z;
  IF position('+' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || '+'; END IF;
END IF;
IF position(',0,' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || ',0,'; END IF;
END IF;
IF ivm_depth <= 1 THEN
IF ivm_pending <> '' THEN
  ivm_state := set_config('ivm.n0a316a39_1', ivm_stamp || '/1000000/', true);
  PERFORM django_ivm.open_purchases_0a316a39_1_flush(ivm_pending);
  IF current_setting('ivm.n0a316a39_1', true) <> ivm_state THEN
    RAISE EXCEPTION 'a trigger on the maintained table open_purchases_0a316a39_data writes a table that it is computed from'
    USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
  END IF;
END IF;
ivm_state := set_config('ivm.n0a316a39_1', '', true);
ELSE
ivm_state := set_config('ivm.n0a316a39_1', ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending,
    true);
END IF;
RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.open_purchases_0a316a39_1_0_update() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_open_purchases_0a316a39_998_0_update AFTER UPDATE ON shop.purchase
REFERENCING OLD TABLE AS ivm_old NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.open_purchases_0a316a39_1_0_update();

COMMENT ON TRIGGER ivm_open_purchases_0a316a39_998_0_update ON shop.purchase IS '5cd6dbc7';

CREATE OR REPLACE FUNCTION django_ivm.open_purchases_0a316a39_1_0_delete() RETURNS trigger
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
BEGIN
  IF current_setting('ivm.n0a316a39_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND ((TG_TABLE_NAME = 'purchase' AND TG_TABLE_SCHEMA = 'shop')) THEN
    ivm_many := (SELECT count(*) FROM (SELECT 1 FROM ivm_old LIMIT 101) ivm_z);
    IF ivm_many <= 100 THEN
      FOR ivm_bucket IN
      SELECT DISTINCT b
      FROM (
        SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
        FROM (
          SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, -1 AS ivm_w
          FROM ivm_old) ivm_k) ivm_b
      WHERE b IS NOT NULL
      ORDER BY b LOOP
      UPDATE django_ivm.open_purchases_0a316a39_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        UPDATE django_ivm.open_purchases_0a316a39_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = (
          SELECT ivm_s.st
          FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
          WHERE ivm_s.b = ivm_bucket
          ORDER BY (ivm_s.st + pg_backend_pid()) % 8
          LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND THEN
          PERFORM 1
          FROM django_ivm.open_purchases_0a316a39_1_lock
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
          UPDATE django_ivm.open_purchases_0a316a39_1_lock
          SET ver = ver + 1
          WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          IF NOT FOUND THEN
            IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
              PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
              PERFORM 1
              FROM django_ivm.open_purchases_0a316a39_1_lock
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
              UPDATE django_ivm.open_purchases_0a316a39_1_lock
              SET ver = ver + 1
              WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
            END IF;
          END IF;
        END IF;
      END IF;
    END LOOP;
    DELETE
    FROM django_ivm.open_purchases_0a316a39_data AS ivm_t
    USING ivm_old AS ivm_g
    WHERE ivm_t.id = ivm_g.id;
  ELSE
    PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
        set_config('enable_mergejoin', 'on', true);
    FOR ivm_bucket IN EXECUTE $ivm_q$
SELECT DISTINCT b
FROM (
  SELECT (0 + abs(customer_id::bigint % 128))::integer AS b, false AS ivm_parent
  FROM (
    SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount, -1 AS ivm_w
    FROM ivm_old) ivm_k) ivm_b
WHERE b IS NOT NULL
ORDER BY b
$ivm_q$ LOOP
    UPDATE django_ivm.open_purchases_0a316a39_1_lock
    SET ver = ver + 1
    WHERE b = ivm_bucket AND st = (
      SELECT ivm_s.st
      FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
      WHERE ivm_s.b = ivm_bucket AND ivm_s.st = pg_backend_pid() % 8
      LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
      UPDATE django_ivm.open_purchases_0a316a39_1_lock
      SET ver = ver + 1
      WHERE b = ivm_bucket AND st = (
        SELECT ivm_s.st
        FROM django_ivm.open_purchases_0a316a39_1_lock AS ivm_s
        WHERE ivm_s.b = ivm_bucket
        ORDER BY (ivm_s.st + pg_backend_pid()) % 8
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
      IF NOT FOUND THEN
        PERFORM 1
        FROM django_ivm.open_purchases_0a316a39_1_lock
        WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
        UPDATE django_ivm.open_purchases_0a316a39_1_lock
        SET ver = ver + 1
        WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
            PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
            PERFORM 1
            FROM django_ivm.open_purchases_0a316a39_1_lock
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8 FOR NO KEY UPDATE;
            UPDATE django_ivm.open_purchases_0a316a39_1_lock
            SET ver = ver + 1
            WHERE b = ivm_bucket AND st = pg_backend_pid() % 8;
          END IF;
        END IF;
      END IF;
    END IF;
  END LOOP;
  EXECUTE $ivm_q$
DELETE FROM django_ivm.open_purchases_0a316a39_data AS ivm_t USING ivm_old AS ivm_g WHERE ivm_t.id = ivm_g.id
$ivm_q$;
END IF;
IF current_setting('ivm.n0a316a39_1', true) = (pg_catalog.date_part('epoch',
    pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
    AND set_config('ivm.n0a316a39_1', '', true) = '' THEN
  RETURN NULL;
END IF;
RAISE EXCEPTION 'a trigger on the maintained table open_purchases_0a316a39_data writes a table that it is computed from'
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
ivm_state := coalesce(current_setting('ivm.n0a316a39_1', true), '');
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
  ivm_state := set_config('ivm.n0a316a39_1_s0', '', true);
  ivm_state := set_config('ivm.n0a316a39_1_s1', '', true);
END IF;
IF length(coalesce(current_setting('ivm.n0a316a39_1_s0', true), '')) < 4096 AND (
  SELECT count(*)
  FROM (
    SELECT 1
    FROM ivm_old
    LIMIT 101) ivm_z) <= 100 THEN
  PERFORM set_config('ivm.n0a316a39_1_s0', (coalesce(nullif(current_setting('ivm.n0a316a39_1_s0', true), ''),
      '{}')::django_ivm.open_purchases_0a316a39_1_spool_0[] || ARRAY(
        SELECT ROW(c0, c1, c2, c3, ivm_w, NULL)::django_ivm.open_purchases_0a316a39_1_spool_0
        FROM (
          SELECT id, customer_id, status, amount, -1
          FROM ivm_old) ivm_z(c0, c1, c2, c3, ivm_w)))::text, true);
ELSE
  INSERT INTO django_ivm.open_purchases_0a316a39_1_spool_0 (c0, c1, c2, c3, ivm_w, ivm_xid)
  SELECT ivm_z.*, pg_current_xact_id()
  FROM (
    SELECT id, customer_id, status, amount, -1
    FROM ivm_old) ivm_z;
  IF position('+' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || '+'; END IF;
END IF;
IF position(',0,' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || ',0,'; END IF;
END IF;
IF ivm_depth <= 1 THEN
IF ivm_pending <> '' THEN
  ivm_state := set_config('ivm.n0a316a39_1', ivm_stamp || '/1000000/', true);
  PERFORM django_ivm.open_purchases_0a316a39_1_flush(ivm_pending);
  IF current_setting('ivm.n0a316a39_1', true) <> ivm_state THEN
    RAISE EXCEPTION 'a trigger on the maintained table open_purchases_0a316a39_data writes a table that it is computed from'
    USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
  END IF;
END IF;
ivm_state := set_config('ivm.n0a316a39_1', '', true);
ELSE
ivm_state := set_config('ivm.n0a316a39_1', ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending,
    true);
END IF;
RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.open_purchases_0a316a39_1_0_delete() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_open_purchases_0a316a39_998_0_delete AFTER DELETE
ON shop.purchase
REFERENCING OLD TABLE AS ivm_old FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.open_purchases_0a316a39_1_0_delete();

COMMENT ON TRIGGER ivm_open_purchases_0a316a39_998_0_delete ON shop.purchase IS 'eb6c98ec';

CREATE OR REPLACE FUNCTION django_ivm.open_purchases_0a316a39_1_0_truncate() RETURNS trigger
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
  ivm_state := coalesce(current_setting('ivm.n0a316a39_1', true), '');
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
      ivm_state := set_config('ivm.n0a316a39_1', ivm_stamp || '/1000000/', true);
      PERFORM django_ivm.open_purchases_0a316a39_1_flush(ivm_pending);
      IF current_setting('ivm.n0a316a39_1', true) <> ivm_state THEN
        RAISE EXCEPTION 'a trigger on the maintained table open_purchases_0a316a39_data writes a table that it is computed from'
        USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
      END IF;
    END IF;
    ivm_state := set_config('ivm.n0a316a39_1', '', true);
  ELSE
    ivm_state := set_config('ivm.n0a316a39_1',
        ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending, true);
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.open_purchases_0a316a39_1_0_truncate() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_open_purchases_0a316a39_998_0_truncate AFTER TRUNCATE
ON shop.purchase FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.open_purchases_0a316a39_1_0_truncate();

COMMENT ON TRIGGER ivm_open_purchases_0a316a39_998_0_truncate ON shop.purchase IS 'e7772233';

CREATE OR REPLACE TRIGGER ivm_open_purchases_0a316a39_998_1_enter BEFORE INSERT OR UPDATE OR DELETE
    OR TRUNCATE
ON shop.customer FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.open_purchases_0a316a39_1_enter();

COMMENT ON TRIGGER ivm_open_purchases_0a316a39_998_1_enter ON shop.customer IS '634a6d41';

CREATE OR REPLACE FUNCTION django_ivm.open_purchases_0a316a39_1_1_insert() RETURNS trigger
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
BEGIN
  IF current_setting('ivm.n0a316a39_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND ((TG_TABLE_NAME = 'customer' AND TG_TABLE_SCHEMA = 'shop')) THEN
    ivm_many := (SELECT count(*) FROM (SELECT 1 FROM ivm_new LIMIT 101) ivm_z);
    IF ivm_many <= 100 THEN
      SELECT array_agg(DISTINCT b)
      FROM (
        SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
        FROM (
          SELECT id AS id_2, name AS name, 1 AS ivm_w
          FROM ivm_new) ivm_k) ivm_b
      WHERE b IS NOT NULL INTO ivm_whole;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.open_purchases_0a316a39_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
            PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
            PERFORM 1
            FROM django_ivm.open_purchases_0a316a39_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      INSERT INTO django_ivm.open_purchases_0a316a39_data AS ivm_t (id, amount, name, ivm_key_id_2)
      SELECT id, amount, name, ivm_key_id_2
      FROM (
        SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
        FROM (
          SELECT id, customer_id, status, amount, id_2, name, ivm_j1.ivm_w AS ivm_w
          FROM (
            SELECT id, customer_id, status, amount
            FROM (
              SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount
              FROM shop.purchase) ivm_f
            WHERE status = CAST('open' AS text)) ivm_j0, (
            SELECT id AS id_2, name AS name, 1 AS ivm_w
            FROM ivm_new) ivm_j1
          WHERE (id_2 = customer_id)) ivm_p) ivm_i
      ORDER BY id, ivm_key_id_2
      ON CONFLICT (id, ivm_key_id_2) DO UPDATE SET id = excluded.id, amount = excluded.amount,
          name = excluded.name, ivm_key_id_2 = excluded.ivm_key_id_2
      WHERE ROW(ivm_t.id, ivm_t.amount, ivm_t.name, ivm_t.ivm_key_id_2)::record *<> ROW(excluded.id,
          excluded.amount, excluded.name, excluded.ivm_key_id_2)::record;
    ELSE
      PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
          set_config('enable_mergejoin', 'on', true);
      EXECUTE $ivm_q$
SELECT array_agg(DISTINCT b)
FROM (
  SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
  FROM (
    SELECT id AS id_2, name AS name, 1 AS ivm_w
    FROM ivm_new) ivm_k) ivm_b
WHERE b IS NOT NULL
$ivm_q$ INTO ivm_whole;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.open_purchases_0a316a39_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
            PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
            PERFORM 1
            FROM django_ivm.open_purchases_0a316a39_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      EXECUTE $ivm_q$
INSERT INTO django_ivm.open_purchases_0a316a39_data AS ivm_t (id, amount, name, ivm_key_id_2)
SELECT id, amount, name, ivm_key_id_2
FROM (
  SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
  FROM (
    SELECT id, customer_id, status, amount, id_2, name, ivm_j1.ivm_w AS ivm_w
    FROM (
      SELECT id, customer_id, status, amount
      FROM (
        SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount
        FROM shop.purchase) ivm_f
      WHERE status = CAST('open' AS text)) ivm_j0, (
      SELECT id AS id_2, name AS name, 1 AS ivm_w
      FROM ivm_new) ivm_j1
    WHERE (id_2 = customer_id)) ivm_p) ivm_i
ORDER BY id, ivm_key_id_2
ON CONFLICT (id, ivm_key_id_2) DO UPDATE SET id = excluded.id, amount = excluded.amount, name = excluded.name,
    ivm_key_id_2 = excluded.ivm_key_id_2
WHERE ROW(ivm_t.id, ivm_t.amount, ivm_t.name, ivm_t.ivm_key_id_2)::record *<> ROW(excluded.id,
    excluded.amount, excluded.name, excluded.ivm_key_id_2)::record
$ivm_q$;
    END IF;
    IF current_setting('ivm.n0a316a39_1', true) = (pg_catalog.date_part('epoch',
        pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
        AND set_config('ivm.n0a316a39_1', '', true) = '' THEN
      RETURN NULL;
    END IF;
    RAISE EXCEPTION 'a trigger on the maintained table open_purchases_0a316a39_data writes a table that it is computed from'
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
  ivm_state := coalesce(current_setting('ivm.n0a316a39_1', true), '');
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
      ivm_state := set_config('ivm.n0a316a39_1_s0', '', true);
      ivm_state := set_config('ivm.n0a316a39_1_s1', '', true);
    END IF;
    IF length(coalesce(current_setting('ivm.n0a316a39_1_s1', true), '')) < 4096 AND (
      SELECT count(*)
      FROM (
        SELECT 1
        FROM ivm_new
        LIMIT 101) ivm_z) <= 100 THEN
      PERFORM set_config('ivm.n0a316a39_1_s1', (coalesce(nullif(current_setting('ivm.n0a316a39_1_s1', true),
          ''), '{}')::django_ivm.open_purchases_0a316a39_1_spool_1[] || ARRAY(
            SELECT ROW(c0, c1, ivm_w, NULL)::django_ivm.open_purchases_0a316a39_1_spool_1
            FROM (
              SELECT id, name, 1
              FROM ivm_new) ivm_z(c0, c1, ivm_w)))::text, true);
    ELSE
      INSERT INTO django_ivm.open_purchases_0a316a39_1_spool_1 (c0, c1, ivm_w, ivm_xid)
      SELECT ivm_z.*, pg_current_xact_id()
      FROM (
        SELECT id, name, 1
        FROM ivm_new) ivm_z;
      IF position('+' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || '+'; END IF;
    END IF;
    IF position(',1,' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || ',1,'; END IF;
  END IF;
  IF ivm_depth <= 1 THEN
    IF ivm_pending <> '' THEN
      ivm_state := set_config('ivm.n0a316a39_1', ivm_stamp || '/1000000/', true);
      PERFORM django_ivm.open_purchases_0a316a39_1_flush(ivm_pending);
      IF current_setting('ivm.n0a316a39_1', true) <> ivm_state THEN
        RAISE EXCEPTION 'a trigger on the maintained table open_purchases_0a316a39_data writes a table that it is computed from'
        USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
      END IF;
    END IF;
    ivm_state := set_config('ivm.n0a316a39_1', '', true);
  ELSE
    ivm_state := set_config('ivm.n0a316a39_1',
        ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending, true);
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.open_purchases_0a316a39_1_1_insert() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_open_purchases_0a316a39_998_1_insert AFTER INSERT
ON shop.customer
REFERENCING NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.open_purchases_0a316a39_1_1_insert();

COMMENT ON TRIGGER ivm_open_purchases_0a316a39_998_1_insert ON shop.customer IS '1437302c';

CREATE OR REPLACE FUNCTION django_ivm.open_purchases_0a316a39_1_1_update() RETURNS trigger
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
BEGIN
  IF current_setting('ivm.n0a316a39_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND NOT (ARRAY(
      SELECT ROW(id, name)
      FROM ivm_old) IS DISTINCT FROM ARRAY(
      SELECT ROW(id, name)
      FROM ivm_new)) THEN
    ivm_state := set_config('ivm.n0a316a39_1', '', true);
    RETURN NULL;
  END IF;
  IF current_setting('ivm.n0a316a39_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND ((TG_TABLE_NAME = 'customer' AND TG_TABLE_SCHEMA = 'shop')) THEN
    ivm_many := (SELECT count(*) FROM (SELECT 1 FROM ivm_new LIMIT 101) ivm_z);
    IF ivm_many <= 100 THEN
      SELECT array_agg(DISTINCT b)
      FROM (
        SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
        FROM (
          SELECT id AS id_2, name AS name, -1 AS ivm_w
          FROM ivm_old
          UNION ALL
          SELECT id AS id_2, name AS name, 1 AS ivm_w
          FROM ivm_new) ivm_k) ivm_b
      WHERE b IS NOT NULL INTO ivm_whole;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.open_purchases_0a316a39_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
            PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
            PERFORM 1
            FROM django_ivm.open_purchases_0a316a39_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      WITH ivm_d AS MATERIALIZED (
        SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
        FROM (
          SELECT id, customer_id, status, amount, id_2, name, ivm_j1.ivm_w AS ivm_w
          FROM (
            SELECT id, customer_id, status, amount
            FROM (
              SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount
              FROM shop.purchase) ivm_f
            WHERE status = CAST('open' AS text)) ivm_j0, (
            SELECT id AS id_2, name AS name, -1 AS ivm_w
            FROM ivm_old
            UNION ALL
            SELECT id AS id_2, name AS name, 1 AS ivm_w
            FROM ivm_new) ivm_j1
          WHERE (id_2 = customer_id)) ivm_p), ivm_x AS (
        DELETE
        FROM django_ivm.open_purchases_0a316a39_data AS ivm_t
        USING (
          SELECT id, ivm_key_id_2
          FROM ivm_d
          GROUP BY id, ivm_key_id_2
          HAVING sum(ivm_w) < 0) ivm_g
        WHERE ivm_t.id = ivm_g.id AND ivm_t.ivm_key_id_2 = ivm_g.ivm_key_id_2)
      INSERT INTO django_ivm.open_purchases_0a316a39_data AS ivm_t (id, amount, name, ivm_key_id_2)
      SELECT id, amount, name, ivm_key_id_2
      FROM ivm_d ivm_i
      WHERE ivm_w > 0
      ORDER BY id, ivm_key_id_2
      ON CONFLICT (id, ivm_key_id_2) DO UPDATE SET id = excluded.id, amount = excluded.amount,
          name = excluded.name, ivm_key_id_2 = excluded.ivm_key_id_2
      WHERE ROW(ivm_t.id, ivm_t.amount, ivm_t.name, ivm_t.ivm_key_id_2)::record *<> ROW(excluded.id,
          excluded.amount, excluded.name, excluded.ivm_key_id_2)::record;
    ELSE
      PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
          set_config('enable_mergejoin', 'on', true);
      EXECUTE $ivm_q$
SELECT array_agg(DISTINCT b)
FROM (
  SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
  FROM (
    SELECT id AS id_2, name AS name, -1 AS ivm_w
    FROM ivm_old
    UNION ALL
    SELECT id AS id_2, name AS name, 1 AS ivm_w
    FROM ivm_new) ivm_k) ivm_b
WHERE b IS NOT NULL
$ivm_q$ INTO ivm_whole;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.open_purchases_0a316a39_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
            PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
            PERFORM 1
            FROM django_ivm.open_purchases_0a316a39_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      EXECUTE $ivm_q$
WITH ivm_d AS MATERIALIZED (
  SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
  FROM (
    SELECT id, customer_id, status, amount, id_2, name, ivm_j1.ivm_w AS ivm_w
    FROM (
      SELECT id, customer_id, status, amount
      FROM (
        SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount
        FROM shop.purchase) ivm_f
      WHERE status = CAST('open' AS text)) ivm_j0, (
      SELECT id AS id_2, name AS name, -1 AS ivm_w
      FROM ivm_old
      UNION ALL
      SELECT id AS id_2, name AS name, 1 AS ivm_w
      FROM ivm_new) ivm_j1
    WHERE (id_2 = customer_id)) ivm_p), ivm_x AS (
  DELETE
  FROM django_ivm.open_purchases_0a316a39_data AS ivm_t
  USING (
    SELECT id, ivm_key_id_2
    FROM ivm_d
    GROUP BY id, ivm_key_id_2
    HAVING sum(ivm_w) < 0) ivm_g
  WHERE ivm_t.id = ivm_g.id AND ivm_t.ivm_key_id_2 = ivm_g.ivm_key_id_2)
INSERT INTO django_ivm.open_purchases_0a316a39_data AS ivm_t (id, amount, name, ivm_key_id_2)
SELECT id, amount, name, ivm_key_id_2
FROM ivm_d ivm_i
WHERE ivm_w > 0
ORDER BY id, ivm_key_id_2
ON CONFLICT (id, ivm_key_id_2) DO UPDATE SET id = excluded.id, amount = excluded.amount, name = excluded.name,
    ivm_key_id_2 = excluded.ivm_key_id_2
WHERE ROW(ivm_t.id, ivm_t.amount, ivm_t.name, ivm_t.ivm_key_id_2)::record *<> ROW(excluded.id,
    excluded.amount, excluded.name, excluded.ivm_key_id_2)::record
$ivm_q$;
    END IF;
    IF current_setting('ivm.n0a316a39_1', true) = (pg_catalog.date_part('epoch',
        pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
        AND set_config('ivm.n0a316a39_1', '', true) = '' THEN
      RETURN NULL;
    END IF;
    RAISE EXCEPTION 'a trigger on the maintained table open_purchases_0a316a39_data writes a table that it is computed from'
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
  ivm_state := coalesce(current_setting('ivm.n0a316a39_1', true), '');
  ivm_stamp := (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text;
  IF split_part(ivm_state, '/', 1) <> ivm_stamp THEN
    RAISE EXCEPTION 'the events of this statement were miscounted on %.%', TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'triggered_action_exception',
        HINT = 'A trigger was dropped or a setting ivm.* was changed inside the statement; run it again.';
  END IF;
  ivm_depth := split_part(ivm_state, '/', 2)::integer;
  ivm_pending := split_part(ivm_state, '/', 3);
  IF ARRAY(SELECT ROW(id, name) FROM ivm_old) IS DISTINCT FROM ARRAY(SELECT ROW(id, name) FROM ivm_new) THEN
    IF ivm_pending = '' THEN
      ivm_state := set_config('ivm.n0a316a39_1_s0', '', true);
      ivm_state := set_config('ivm.n0a316a39_1_s1', '', true);
    END IF;
    IF length(coalesce(current_setting('ivm.n0a316a39_1_s1', true), '')) < 4096 AND (
      SELECT count(*)
      FROM (
        SELECT 1
        FROM ivm_new
        LIMIT 101) ivm_z) <= 100 THEN
      PERFORM set_config('ivm.n0a316a39_1_s1', (coalesce(nullif(current_setting('ivm.n0a316a39_1_s1', true),
          ''), '{}')::django_ivm.open_purchases_0a316a39_1_spool_1[] || ARRAY(
            SELECT ROW(c0, c1, ivm_w, NULL)::django_ivm.open_purchases_0a316a39_1_spool_1
            FROM (
              SELECT id, name, -1
              FROM ivm_old
              UNION ALL
              SELECT id, name, 1
              FROM ivm_new) ivm_z(c0, c1, ivm_w)))::text, true);
    ELSE
      INSERT INTO django_ivm.open_purchases_0a316a39_1_spool_1 (c0, c1, ivm_w, ivm_xid)
      SELECT ivm_z.*, pg_current_xact_id()
      FROM (
        SELECT id, name, -1
        FROM ivm_old
        UNION ALL
        SELECT id, name, 1
        FROM ivm_new) ivm_z;
      IF position('+' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || '+'; END IF;
    END IF;
    IF position(',1,' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || ',1,'; END IF;
  END IF;
  IF ivm_depth <= 1 THEN
    IF ivm_pending <> '' THEN
      ivm_state := set_config('ivm.n0a316a39_1', ivm_stamp || '/1000000/', true);
      PERFORM django_ivm.open_purchases_0a316a39_1_flush(ivm_pending);
      IF current_setting('ivm.n0a316a39_1', true) <> ivm_state THEN
        RAISE EXCEPTION 'a trigger on the maintained table open_purchases_0a316a39_data writes a table that it is computed from'
        USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
      END IF;
    END IF;
    ivm_state := set_config('ivm.n0a316a39_1', '', true);
  ELSE
    ivm_state := set_config('ivm.n0a316a39_1',
        ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending, true);
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.open_purchases_0a316a39_1_1_update() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_open_purchases_0a316a39_998_1_update AFTER UPDATE ON shop.customer
REFERENCING OLD TABLE AS ivm_old NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.open_purchases_0a316a39_1_1_update();

COMMENT ON TRIGGER ivm_open_purchases_0a316a39_998_1_update ON shop.customer IS '251b076d';

CREATE OR REPLACE FUNCTION django_ivm.open_purchases_0a316a39_1_1_delete() RETURNS trigger
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
BEGIN
  IF current_setting('ivm.n0a316a39_1', true) = (pg_catalog.date_part('epoch',
      pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
      AND ((TG_TABLE_NAME = 'customer' AND TG_TABLE_SCHEMA = 'shop')) THEN
    ivm_many := (SELECT count(*) FROM (SELECT 1 FROM ivm_old LIMIT 101) ivm_z);
    IF ivm_many <= 100 THEN
      SELECT array_agg(DISTINCT b)
      FROM (
        SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
        FROM (
          SELECT id AS id_2, name AS name, -1 AS ivm_w
          FROM ivm_old) ivm_k) ivm_b
      WHERE b IS NOT NULL INTO ivm_whole;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.open_purchases_0a316a39_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
            PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
            PERFORM 1
            FROM django_ivm.open_purchases_0a316a39_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      DELETE
      FROM django_ivm.open_purchases_0a316a39_data AS ivm_t
      USING (
        SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
        FROM (
          SELECT id, customer_id, status, amount, id_2, name, ivm_j1.ivm_w AS ivm_w
          FROM (
            SELECT id, customer_id, status, amount
            FROM (
              SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount
              FROM shop.purchase) ivm_f
            WHERE status = CAST('open' AS text)) ivm_j0, (
            SELECT id AS id_2, name AS name, -1 AS ivm_w
            FROM ivm_old) ivm_j1
          WHERE (id_2 = customer_id)) ivm_p) ivm_g
      WHERE ivm_t.id = ivm_g.id AND ivm_t.ivm_key_id_2 = ivm_g.ivm_key_id_2;
    ELSE
      PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
          set_config('enable_mergejoin', 'on', true);
      EXECUTE $ivm_q$
SELECT array_agg(DISTINCT b)
FROM (
  SELECT (0 + abs(id_2::bigint % 128))::integer AS b, true AS ivm_parent
  FROM (
    SELECT id AS id_2, name AS name, -1 AS ivm_w
    FROM ivm_old) ivm_k) ivm_b
WHERE b IS NOT NULL
$ivm_q$ INTO ivm_whole;
      IF ivm_whole IS NOT NULL THEN
        PERFORM 1
        FROM django_ivm.open_purchases_0a316a39_1_lock
        WHERE b = ANY(ivm_whole)
        ORDER BY b, st FOR NO KEY UPDATE;
        UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
        IF NOT FOUND THEN
          IF NOT EXISTS (SELECT 1 FROM django_ivm.open_purchases_0a316a39_1_lock) THEN
            PERFORM django_ivm.open_purchases_0a316a39_1_lock_rows();
            PERFORM 1
            FROM django_ivm.open_purchases_0a316a39_1_lock
            WHERE b = ANY(ivm_whole)
            ORDER BY b, st FOR NO KEY UPDATE;
            UPDATE django_ivm.open_purchases_0a316a39_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_whole);
          END IF;
        END IF;
      END IF;
      EXECUTE $ivm_q$
DELETE
FROM django_ivm.open_purchases_0a316a39_data AS ivm_t
USING (
  SELECT id AS id, amount AS amount, name AS name, id_2 AS ivm_key_id_2, ivm_w
  FROM (
    SELECT id, customer_id, status, amount, id_2, name, ivm_j1.ivm_w AS ivm_w
    FROM (
      SELECT id, customer_id, status, amount
      FROM (
        SELECT id AS id, customer_id AS customer_id, status AS status, amount AS amount
        FROM shop.purchase) ivm_f
      WHERE status = CAST('open' AS text)) ivm_j0, (
      SELECT id AS id_2, name AS name, -1 AS ivm_w
      FROM ivm_old) ivm_j1
    WHERE (id_2 = customer_id)) ivm_p) ivm_g
WHERE ivm_t.id = ivm_g.id AND ivm_t.ivm_key_id_2 = ivm_g.ivm_key_id_2
$ivm_q$;
    END IF;
    IF current_setting('ivm.n0a316a39_1', true) = (pg_catalog.date_part('epoch',
        pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint::pg_catalog.text || '/1/'
        AND set_config('ivm.n0a316a39_1', '', true) = '' THEN
      RETURN NULL;
    END IF;
    RAISE EXCEPTION 'a trigger on the maintained table open_purchases_0a316a39_data writes a table that it is computed from'
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
  ivm_state := coalesce(current_setting('ivm.n0a316a39_1', true), '');
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
      ivm_state := set_config('ivm.n0a316a39_1_s0', '', true);
      ivm_state := set_config('ivm.n0a316a39_1_s1', '', true);
    END IF;
    IF length(coalesce(current_setting('ivm.n0a316a39_1_s1', true), '')) < 4096 AND (
      SELECT count(*)
      FROM (
        SELECT 1
        FROM ivm_old
        LIMIT 101) ivm_z) <= 100 THEN
      PERFORM set_config('ivm.n0a316a39_1_s1', (coalesce(nullif(current_setting('ivm.n0a316a39_1_s1', true),
          ''), '{}')::django_ivm.open_purchases_0a316a39_1_spool_1[] || ARRAY(
            SELECT ROW(c0, c1, ivm_w, NULL)::django_ivm.open_purchases_0a316a39_1_spool_1
            FROM (
              SELECT id, name, -1
              FROM ivm_old) ivm_z(c0, c1, ivm_w)))::text, true);
    ELSE
      INSERT INTO django_ivm.open_purchases_0a316a39_1_spool_1 (c0, c1, ivm_w, ivm_xid)
      SELECT ivm_z.*, pg_current_xact_id()
      FROM (
        SELECT id, name, -1
        FROM ivm_old) ivm_z;
      IF position('+' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || '+'; END IF;
    END IF;
    IF position(',1,' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || ',1,'; END IF;
  END IF;
  IF ivm_depth <= 1 THEN
    IF ivm_pending <> '' THEN
      ivm_state := set_config('ivm.n0a316a39_1', ivm_stamp || '/1000000/', true);
      PERFORM django_ivm.open_purchases_0a316a39_1_flush(ivm_pending);
      IF current_setting('ivm.n0a316a39_1', true) <> ivm_state THEN
        RAISE EXCEPTION 'a trigger on the maintained table open_purchases_0a316a39_data writes a table that it is computed from'
        USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
      END IF;
    END IF;
    ivm_state := set_config('ivm.n0a316a39_1', '', true);
  ELSE
    ivm_state := set_config('ivm.n0a316a39_1',
        ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending, true);
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.open_purchases_0a316a39_1_1_delete() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_open_purchases_0a316a39_998_1_delete AFTER DELETE
ON shop.customer
REFERENCING OLD TABLE AS ivm_old FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.open_purchases_0a316a39_1_1_delete();

COMMENT ON TRIGGER ivm_open_purchases_0a316a39_998_1_delete ON shop.customer IS '0d2719fb';

CREATE OR REPLACE FUNCTION django_ivm.open_purchases_0a316a39_1_1_truncate() RETURNS trigger
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
  ivm_state := coalesce(current_setting('ivm.n0a316a39_1', true), '');
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
      ivm_state := set_config('ivm.n0a316a39_1', ivm_stamp || '/1000000/', true);
      PERFORM django_ivm.open_purchases_0a316a39_1_flush(ivm_pending);
      IF current_setting('ivm.n0a316a39_1', true) <> ivm_state THEN
        RAISE EXCEPTION 'a trigger on the maintained table open_purchases_0a316a39_data writes a table that it is computed from'
        USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
      END IF;
    END IF;
    ivm_state := set_config('ivm.n0a316a39_1', '', true);
  ELSE
    ivm_state := set_config('ivm.n0a316a39_1',
        ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending, true);
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.open_purchases_0a316a39_1_1_truncate() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_open_purchases_0a316a39_998_1_truncate AFTER TRUNCATE
ON shop.customer FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.open_purchases_0a316a39_1_1_truncate();

COMMENT ON TRIGGER ivm_open_purchases_0a316a39_998_1_truncate ON shop.customer IS '43458cf2';

CREATE OR REPLACE FUNCTION django_ivm.open_purchases_0a316a39_alarm() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off AS $ivm_body$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (
    SELECT 1
    FROM django_ivm.stale
    WHERE ctid = nullif(current_setting('ivm.m0a316a39', true), '')::tid AND xid = pg_current_xact_id()
        AND view_schema = 'shop' AND view_name = 'open_purchases') THEN
    DECLARE ivm_mark text;
    BEGIN
      WITH ivm_m AS (
        INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('shop', 'open_purchases',
            lower(TG_OP) || ' on ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME || ' under session_replication_role = replica')
        RETURNING ctid)
      SELECT set_config('ivm.m0a316a39', ctid::text, true)
      FROM ivm_m INTO ivm_mark;
      END;
    END IF;
    RETURN NULL;
  END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.open_purchases_0a316a39_alarm() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_open_purchases_0a316a39_alarm AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON shop.purchase FOR EACH STATEMENT WHEN (current_setting('session_replication_role') = 'replica')
EXECUTE FUNCTION django_ivm.open_purchases_0a316a39_alarm();

SELECT django_ivm.fire_for_replicas('shop.purchase', 'ivm_open_purchases_0a316a39_alarm');

COMMENT ON TRIGGER ivm_open_purchases_0a316a39_alarm ON shop.purchase IS 'b1be4f4d';

CREATE OR REPLACE TRIGGER ivm_open_purchases_0a316a39_alarm AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON shop.customer FOR EACH STATEMENT WHEN (current_setting('session_replication_role') = 'replica')
EXECUTE FUNCTION django_ivm.open_purchases_0a316a39_alarm();

SELECT django_ivm.fire_for_replicas('shop.customer', 'ivm_open_purchases_0a316a39_alarm');

COMMENT ON TRIGGER ivm_open_purchases_0a316a39_alarm ON shop.customer IS 'e13e4d8e';

CREATE OR REPLACE TRIGGER ivm_open_purchases_0a316a39_alarm AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON django_ivm.open_purchases_0a316a39_data FOR EACH STATEMENT
    WHEN (current_setting('session_replication_role') = 'replica'
    AND current_setting('search_path') IS DISTINCT FROM 'pg_catalog, django_ivm, pg_temp')
EXECUTE FUNCTION django_ivm.open_purchases_0a316a39_alarm();

SELECT django_ivm.fire_for_replicas('django_ivm.open_purchases_0a316a39_data',
    'ivm_open_purchases_0a316a39_alarm');

COMMENT ON TRIGGER ivm_open_purchases_0a316a39_alarm ON django_ivm.open_purchases_0a316a39_data IS 'cff29766';

CREATE OR REPLACE TRIGGER ivm_read_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE
ON django_ivm.open_purchases_0a316a39_data FOR EACH STATEMENT
    WHEN (current_setting('search_path') IS DISTINCT FROM 'pg_catalog, django_ivm, pg_temp')
EXECUTE FUNCTION django_ivm.refuse_write('open_purchases');

CREATE OR REPLACE TRIGGER ivm_twin AFTER INSERT
ON django_ivm.open_purchases_0a316a39_data FOR EACH ROW
    WHEN (current_setting('transaction_isolation') <> 'read committed')
EXECUTE FUNCTION django_ivm.refuse_twin('ivm_old.id = ivm_new.id AND ivm_old.ivm_key_id_2 = ivm_new.ivm_key_id_2');
