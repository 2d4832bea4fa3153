-- A window: the partitions of the changed rows are computed anew, and what differs is written.
-- Made by scripts/gallery.py; changes by hand are lost.
--
-- strategy: incremental
--   ranking_c61838f5_data: partitions by (status), rows by key (id)
--     hidden columns: ivm_by
--     on shop.purchase [id, status, amount] (direct):
--       Δ shop.purchase

LOCK TABLE shop.purchase IN SHARE ROW EXCLUSIVE MODE;

CREATE SCHEMA IF NOT EXISTS django_ivm;

CREATE OR REPLACE VIEW django_ivm.ranking_c61838f5_query AS
SELECT id, rank() OVER (PARTITION BY status
  ORDER BY amount DESC) AS place
FROM shop.purchase;

CREATE TABLE django_ivm.ranking_c61838f5_data AS
SELECT id AS id, rank AS place, status AS ivm_by
FROM (
  SELECT id, status, amount, rank() OVER (PARTITION BY status
    ORDER BY amount DESC) AS rank
  FROM (
    SELECT id AS id, status AS status, amount AS amount
    FROM shop.purchase) ivm_o) ivm_p;

CREATE UNIQUE INDEX ivm_0813f832_key ON django_ivm.ranking_c61838f5_data (id) NULLS NOT DISTINCT;

CREATE INDEX ivm_0813f832_partition ON django_ivm.ranking_c61838f5_data (ivm_by);

CREATE TABLE django_ivm.ranking_c61838f5_1_lock (b integer, st integer, ver bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (b, st))
WITH (fillfactor = 20);

INSERT INTO django_ivm.ranking_c61838f5_1_lock (b, st)
SELECT b, st
FROM generate_series(0, 127) b, generate_series(0, 7) st;

CREATE VIEW shop.ranking AS SELECT id, place FROM django_ivm.ranking_c61838f5_data;

CREATE OR REPLACE FUNCTION django_ivm.ranking_c61838f5_1_replace(OUT ivm_inserted bigint,
    OUT ivm_updated bigint, OUT ivm_deleted bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan =
on
SET enable_hashjoin =
on
SET enable_mergejoin =
on
SET jit = off
SET DateStyle = ISO, MDY
SET IntervalStyle = postgres
SET TimeZone = 'UTC'
SET extra_float_digits = 1
SET bytea_output = hex
SET lc_monetary = 'C' AS $ivm_body$
#variable_conflict use_column
BEGIN
  LOCK TABLE django_ivm.ranking_c61838f5_data IN SHARE ROW EXCLUSIVE MODE;
  EXECUTE $ivm_q$
WITH ivm_f AS MATERIALIZED (
  SELECT id AS id, rank AS place, status AS ivm_by
  FROM (
    SELECT id, status, amount, rank() OVER (PARTITION BY status
      ORDER BY amount DESC) AS rank
    FROM (
      SELECT id AS id, status AS status, amount AS amount
      FROM shop.purchase) ivm_o) ivm_p), ivm_d AS (
  DELETE
  FROM django_ivm.ranking_c61838f5_data AS ivm_t
  WHERE NOT EXISTS (
    SELECT
    FROM ivm_f
    WHERE ivm_f.id = ivm_t.id)
  RETURNING 1), ivm_i AS (
  INSERT INTO django_ivm.ranking_c61838f5_data AS ivm_s (id, place, ivm_by)
  SELECT ivm_f.id, ivm_f.place, ivm_f.ivm_by
  FROM ivm_f
  LEFT JOIN django_ivm.ranking_c61838f5_data AS ivm_t
  ON ivm_f.id = ivm_t.id
  WHERE ivm_t.ctid IS NULL OR ROW(ivm_f.id, ivm_f.place, ivm_f.ivm_by)::record *<> ROW(ivm_t.id, ivm_t.place,
      ivm_t.ivm_by)::record
  ORDER BY ivm_f.id
  ON CONFLICT (id) DO UPDATE SET id = excluded.id, place = excluded.place, ivm_by = excluded.ivm_by
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

REVOKE ALL ON FUNCTION django_ivm.ranking_c61838f5_1_replace() FROM PUBLIC;

CREATE OR REPLACE FUNCTION django_ivm.ranking_c61838f5_1_lock_rows() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp AS $ivm_body$
#variable_conflict use_column
BEGIN
  INSERT INTO django_ivm.ranking_c61838f5_1_lock (b, st)
  SELECT b, st
  FROM generate_series(0, 127) b, generate_series(0, 7) st
  ON CONFLICT DO NOTHING;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.ranking_c61838f5_1_lock_rows() FROM PUBLIC;

CREATE OR REPLACE FUNCTION django_ivm.ranking_c61838f5_1_0_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan
SET DateStyle = ISO, MDY
SET IntervalStyle = postgres
SET TimeZone = 'UTC'
SET extra_float_digits = 1
SET bytea_output = hex
SET lc_monetary = 'C' AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_many bigint;
  ivm_touched0 text[];
  ivm_locked integer[];
BEGIN
  IF NOT ((TG_TABLE_NAME = 'purchase' AND TG_TABLE_SCHEMA = 'shop') AND pg_trigger_depth() < 200) THEN
    IF pg_trigger_depth() >= 200 THEN
      RAISE EXCEPTION 'a trigger on the maintained table computed from %.% writes to it again',
          TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
    END IF;
    RAISE EXCEPTION 'this function maintains a view for changes of another table than %.%', TG_TABLE_SCHEMA,
        TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege', HINT = 'After a rename, run ivm_install.';
  END IF;
  ivm_many := (SELECT count(*) FROM (SELECT 1 FROM ivm_new LIMIT 101) ivm_z);
  IF ivm_many <= 100 THEN
    SELECT array_agg(ivm_p0::text), array_agg(DISTINCT (0 + (hashtextextended(ROW(ivm_p0)::text,
        0) & 127))::integer)
    FROM (
      SELECT DISTINCT status AS ivm_p0
      FROM (
        SELECT id AS id, status AS status, amount AS amount, 1 AS ivm_w
        FROM ivm_new) ivm_c) ivm_k INTO ivm_touched0, ivm_locked;
    IF ivm_locked IS NOT NULL THEN
      PERFORM 1
      FROM django_ivm.ranking_c61838f5_1_lock
      WHERE b = ANY(ivm_locked) AND st = 0
      ORDER BY b FOR NO KEY UPDATE;
      UPDATE django_ivm.ranking_c61838f5_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_locked) AND st = 0;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.ranking_c61838f5_1_lock) THEN
          PERFORM django_ivm.ranking_c61838f5_1_lock_rows();
          PERFORM 1
          FROM django_ivm.ranking_c61838f5_1_lock
          WHERE b = ANY(ivm_locked) AND st = 0
          ORDER BY b FOR NO KEY UPDATE;
          UPDATE django_ivm.ranking_c61838f5_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_locked) AND st = 0;
        END IF;
      END IF;
      IF cardinality(ivm_touched0) <= 25 THEN
        WITH ivm_n AS MATERIALIZED (
          SELECT id, place, ivm_by, ivm_at, ivm_w, count(*) OVER ivm_o = 2 AS ivm_both,
              min(ivm_text) OVER ivm_o = max(ivm_text) OVER ivm_o AS ivm_same
          FROM (
            SELECT id, place, ivm_by, NULL::tid AS ivm_at, 1 AS ivm_w, ROW(id, place,
                ivm_by)::text COLLATE pg_catalog."C" AS ivm_text
            FROM (
              SELECT id AS id, rank AS place, status AS ivm_by
              FROM (
                SELECT id, status, amount, rank() OVER (PARTITION BY status
                  ORDER BY amount DESC) AS rank
                FROM (
                  SELECT ivm_r.id, ivm_r.status, ivm_r.amount
                  FROM (
                    SELECT id AS id, status AS status, amount AS amount
                    FROM shop.purchase) ivm_r, unnest(ivm_touched0) AS ivm_k (ivm_p0)
                  WHERE ivm_r.status = ivm_k.ivm_p0) ivm_o) ivm_p) ivm_f
            UNION ALL
            SELECT ivm_t.id, ivm_t.place, ivm_t.ivm_by, ivm_t.ctid, -1, ROW(ivm_t.id, ivm_t.place,
                ivm_t.ivm_by)::text COLLATE pg_catalog."C"
            FROM django_ivm.ranking_c61838f5_data AS ivm_t, unnest(ivm_touched0) AS ivm_k (ivm_p0)
            WHERE ivm_t.ivm_by = ivm_k.ivm_p0) ivm_u WINDOW ivm_o AS (PARTITION BY id)), ivm_x AS (
          DELETE
          FROM django_ivm.ranking_c61838f5_data
          WHERE ctid = ANY (ARRAY(
              SELECT ivm_at
              FROM ivm_n
              WHERE ivm_w < 0 AND NOT ivm_both)))
        INSERT INTO django_ivm.ranking_c61838f5_data AS ivm_t (id, place, ivm_by)
        SELECT id, place, ivm_by
        FROM ivm_n
        WHERE ivm_w > 0 AND NOT (ivm_both AND ivm_same)
        ORDER BY id
        ON CONFLICT (id) DO UPDATE SET id = excluded.id, place = excluded.place, ivm_by = excluded.ivm_by;
      ELSE
        PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
            set_config('enable_mergejoin', 'on', true);
        EXECUTE $ivm_q$
WITH ivm_n AS MATERIALIZED (
  SELECT id, place, ivm_by, ivm_at, ivm_w, count(*) OVER ivm_o = 2 AS ivm_both,
      min(ivm_text) OVER ivm_o = max(ivm_text) OVER ivm_o AS ivm_same
  FROM (
    SELECT id, place, ivm_by, NULL::tid AS ivm_at, 1 AS ivm_w, ROW(id, place,
        ivm_by)::text COLLATE pg_catalog."C" AS ivm_text
    FROM (
      SELECT id AS id, rank AS place, status AS ivm_by
      FROM (
        SELECT id, status, amount, rank() OVER (PARTITION BY status
          ORDER BY amount DESC) AS rank
        FROM (
          SELECT ivm_r.id, ivm_r.status, ivm_r.amount
          FROM (
            SELECT id AS id, status AS status, amount AS amount
            FROM shop.purchase) ivm_r, unnest($1) AS ivm_k (ivm_p0)
          WHERE ivm_r.status = ivm_k.ivm_p0) ivm_o) ivm_p) ivm_f
    UNION ALL
    SELECT ivm_t.id, ivm_t.place, ivm_t.ivm_by, ivm_t.ctid, -1, ROW(ivm_t.id, ivm_t.place,
        ivm_t.ivm_by)::text COLLATE pg_catalog."C"
    FROM django_ivm.ranking_c61838f5_data AS ivm_t, unnest($1) AS ivm_k (ivm_p0)
    WHERE ivm_t.ivm_by = ivm_k.ivm_p0) ivm_u WINDOW ivm_o AS (PARTITION BY id)), ivm_x AS (
  DELETE
  FROM django_ivm.ranking_c61838f5_data
  WHERE ctid = ANY (ARRAY(
      SELECT ivm_at
      FROM ivm_n
      WHERE ivm_w < 0 AND NOT ivm_both)))
INSERT INTO django_ivm.ranking_c61838f5_data AS ivm_t (id, place, ivm_by)
SELECT id, place, ivm_by
FROM ivm_n
WHERE ivm_w > 0 AND NOT (ivm_both AND ivm_same)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET id = excluded.id, place = excluded.place, ivm_by = excluded.ivm_by
$ivm_q$ USING ivm_touched0;
      END IF;
    END IF;
  ELSE
    PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
        set_config('enable_mergejoin', 'on', true);
    EXECUTE $ivm_q$
SELECT array_agg(ivm_p0::text), array_agg(DISTINCT (0 + (hashtextextended(ROW(ivm_p0)::text,
    0) & 127))::integer)
FROM (
  SELECT DISTINCT status AS ivm_p0
  FROM (
    SELECT id AS id, status AS status, amount AS amount, 1 AS ivm_w
    FROM ivm_new) ivm_c) ivm_k
$ivm_q$ INTO ivm_touched0, ivm_locked;
    IF ivm_locked IS NOT NULL THEN
      PERFORM 1
      FROM django_ivm.ranking_c61838f5_1_lock
      WHERE b = ANY(ivm_locked) AND st = 0
      ORDER BY b FOR NO KEY UPDATE;
      UPDATE django_ivm.ranking_c61838f5_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_locked) AND st = 0;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.ranking_c61838f5_1_lock) THEN
          PERFORM django_ivm.ranking_c61838f5_1_lock_rows();
          PERFORM 1
          FROM django_ivm.ranking_c61838f5_1_lock
          WHERE b = ANY(ivm_locked) AND st = 0
          ORDER BY b FOR NO KEY UPDATE;
          UPDATE django_ivm.ranking_c61838f5_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_locked) AND st = 0;
        END IF;
      END IF;
      IF cardinality(ivm_touched0) <= 25 THEN
        EXECUTE $ivm_q$
WITH ivm_n AS MATERIALIZED (
  SELECT id, place, ivm_by, ivm_at, ivm_w, count(*) OVER ivm_o = 2 AS ivm_both,
      min(ivm_text) OVER ivm_o = max(ivm_text) OVER ivm_o AS ivm_same
  FROM (
    SELECT id, place, ivm_by, NULL::tid AS ivm_at, 1 AS ivm_w, ROW(id, place,
        ivm_by)::text COLLATE pg_catalog."C" AS ivm_text
    FROM (
      SELECT id AS id, rank AS place, status AS ivm_by
      FROM (
        SELECT id, status, amount, rank() OVER (PARTITION BY status
          ORDER BY amount DESC) AS rank
        FROM (
          SELECT ivm_r.id, ivm_r.status, ivm_r.amount
          FROM (
            SELECT id AS id, status AS status, amount AS amount
            FROM shop.purchase) ivm_r, unnest($1) AS ivm_k (ivm_p0)
          WHERE ivm_r.status = ivm_k.ivm_p0) ivm_o) ivm_p) ivm_f
    UNION ALL
    SELECT ivm_t.id, ivm_t.place, ivm_t.ivm_by, ivm_t.ctid, -1, ROW(ivm_t.id, ivm_t.place,
        ivm_t.ivm_by)::text COLLATE pg_catalog."C"
    FROM django_ivm.ranking_c61838f5_data AS ivm_t, unnest($1) AS ivm_k (ivm_p0)
    WHERE ivm_t.ivm_by = ivm_k.ivm_p0) ivm_u WINDOW ivm_o AS (PARTITION BY id)), ivm_x AS (
  DELETE
  FROM django_ivm.ranking_c61838f5_data
  WHERE ctid = ANY (ARRAY(
      SELECT ivm_at
      FROM ivm_n
      WHERE ivm_w < 0 AND NOT ivm_both)))
INSERT INTO django_ivm.ranking_c61838f5_data AS ivm_t (id, place, ivm_by)
SELECT id, place, ivm_by
FROM ivm_n
WHERE ivm_w > 0 AND NOT (ivm_both AND ivm_same)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET id = excluded.id, place = excluded.place, ivm_by = excluded.ivm_by
$ivm_q$ USING ivm_touched0;
      ELSE
        EXECUTE $ivm_q$
SELECT set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
    set_config('enable_mergejoin', 'on', true)
$ivm_q$;
        EXECUTE $ivm_q$
WITH ivm_n AS MATERIALIZED (
  SELECT id, place, ivm_by, ivm_at, ivm_w, count(*) OVER ivm_o = 2 AS ivm_both,
      min(ivm_text) OVER ivm_o = max(ivm_text) OVER ivm_o AS ivm_same
  FROM (
    SELECT id, place, ivm_by, NULL::tid AS ivm_at, 1 AS ivm_w, ROW(id, place,
        ivm_by)::text COLLATE pg_catalog."C" AS ivm_text
    FROM (
      SELECT id AS id, rank AS place, status AS ivm_by
      FROM (
        SELECT id, status, amount, rank() OVER (PARTITION BY status
          ORDER BY amount DESC) AS rank
        FROM (
          SELECT ivm_r.id, ivm_r.status, ivm_r.amount
          FROM (
            SELECT id AS id, status AS status, amount AS amount
            FROM shop.purchase) ivm_r, unnest($1) AS ivm_k (ivm_p0)
          WHERE ivm_r.status = ivm_k.ivm_p0) ivm_o) ivm_p) ivm_f
    UNION ALL
    SELECT ivm_t.id, ivm_t.place, ivm_t.ivm_by, ivm_t.ctid, -1, ROW(ivm_t.id, ivm_t.place,
        ivm_t.ivm_by)::text COLLATE pg_catalog."C"
    FROM django_ivm.ranking_c61838f5_data AS ivm_t, unnest($1) AS ivm_k (ivm_p0)
    WHERE ivm_t.ivm_by = ivm_k.ivm_p0) ivm_u WINDOW ivm_o AS (PARTITION BY id)), ivm_x AS (
  DELETE
  FROM django_ivm.ranking_c61838f5_data
  WHERE ctid = ANY (ARRAY(
      SELECT ivm_at
      FROM ivm_n
      WHERE ivm_w < 0 AND NOT ivm_both)))
INSERT INTO django_ivm.ranking_c61838f5_data AS ivm_t (id, place, ivm_by)
SELECT id, place, ivm_by
FROM ivm_n
WHERE ivm_w > 0 AND NOT (ivm_both AND ivm_same)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET id = excluded.id, place = excluded.place, ivm_by = excluded.ivm_by
$ivm_q$ USING ivm_touched0;
      END IF;
    END IF;
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.ranking_c61838f5_1_0_insert() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_ranking_c61838f5_998_0_insert AFTER INSERT
ON shop.purchase
REFERENCING NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.ranking_c61838f5_1_0_insert();

COMMENT ON TRIGGER ivm_ranking_c61838f5_998_0_insert ON shop.purchase IS '85b25b92';

CREATE OR REPLACE FUNCTION django_ivm.ranking_c61838f5_1_0_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan
SET DateStyle = ISO, MDY
SET IntervalStyle = postgres
SET TimeZone = 'UTC'
SET extra_float_digits = 1
SET bytea_output = hex
SET lc_monetary = 'C' AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_many bigint;
  ivm_touched0 text[];
  ivm_locked integer[];
BEGIN
  IF NOT (ARRAY(
      SELECT ROW(id, status, amount)
      FROM ivm_old) IS DISTINCT FROM ARRAY(
      SELECT ROW(id, status, amount)
      FROM ivm_new)) THEN
    RETURN NULL;
  END IF;
  IF NOT ((TG_TABLE_NAME = 'purchase' AND TG_TABLE_SCHEMA = 'shop') AND pg_trigger_depth() < 200) THEN
    IF pg_trigger_depth() >= 200 THEN
      RAISE EXCEPTION 'a trigger on the maintained table computed from %.% writes to it again',
          TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
    END IF;
    RAISE EXCEPTION 'this function maintains a view for changes of another table than %.%', TG_TABLE_SCHEMA,
        TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege', HINT = 'After a rename, run ivm_install.';
  END IF;
  ivm_many := (SELECT count(*) FROM (SELECT 1 FROM ivm_new LIMIT 101) ivm_z);
  IF ivm_many <= 100 THEN
    SELECT array_agg(ivm_p0::text), array_agg(DISTINCT (0 + (hashtextextended(ROW(ivm_p0)::text,
        0) & 127))::integer)
    FROM (
      SELECT DISTINCT status AS ivm_p0
      FROM (
        SELECT id AS id, status AS status, amount AS amount, -1 AS ivm_w
        FROM ivm_old
        UNION ALL
        SELECT id AS id, status AS status, amount AS amount, 1 AS ivm_w
        FROM ivm_new) ivm_c) ivm_k INTO ivm_touched0, ivm_locked;
    IF ivm_locked IS NOT NULL THEN
      PERFORM 1
      FROM django_ivm.ranking_c61838f5_1_lock
      WHERE b = ANY(ivm_locked) AND st = 0
      ORDER BY b FOR NO KEY UPDATE;
      UPDATE django_ivm.ranking_c61838f5_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_locked) AND st = 0;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.ranking_c61838f5_1_lock) THEN
          PERFORM django_ivm.ranking_c61838f5_1_lock_rows();
          PERFORM 1
          FROM django_ivm.ranking_c61838f5_1_lock
          WHERE b = ANY(ivm_locked) AND st = 0
          ORDER BY b FOR NO KEY UPDATE;
          UPDATE django_ivm.ranking_c61838f5_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_locked) AND st = 0;
        END IF;
      END IF;
      IF cardinality(ivm_touched0) <= 25 THEN
        WITH ivm_n AS MATERIALIZED (
          SELECT id, place, ivm_by, ivm_at, ivm_w, count(*) OVER ivm_o = 2 AS ivm_both,
              min(ivm_text) OVER ivm_o = max(ivm_text) OVER ivm_o AS ivm_same
          FROM (
            SELECT id, place, ivm_by, NULL::tid AS ivm_at, 1 AS ivm_w, ROW(id, place,
                ivm_by)::text COLLATE pg_catalog."C" AS ivm_text
            FROM (
              SELECT id AS id, rank AS place, status AS ivm_by
              FROM (
                SELECT id, status, amount, rank() OVER (PARTITION BY status
                  ORDER BY amount DESC) AS rank
                FROM (
                  SELECT ivm_r.id, ivm_r.status, ivm_r.amount
                  FROM (
                    SELECT id AS id, status AS status, amount AS amount
                    FROM shop.purchase) ivm_r, unnest(ivm_touched0) AS ivm_k (ivm_p0)
                  WHERE ivm_r.status = ivm_k.ivm_p0) ivm_o) ivm_p) ivm_f
            UNION ALL
            SELECT ivm_t.id, ivm_t.place, ivm_t.ivm_by, ivm_t.ctid, -1, ROW(ivm_t.id, ivm_t.place,
                ivm_t.ivm_by)::text COLLATE pg_catalog."C"
            FROM django_ivm.ranking_c61838f5_data AS ivm_t, unnest(ivm_touched0) AS ivm_k (ivm_p0)
            WHERE ivm_t.ivm_by = ivm_k.ivm_p0) ivm_u WINDOW ivm_o AS (PARTITION BY id)), ivm_x AS (
          DELETE
          FROM django_ivm.ranking_c61838f5_data
          WHERE ctid = ANY (ARRAY(
              SELECT ivm_at
              FROM ivm_n
              WHERE ivm_w < 0 AND NOT ivm_both)))
        INSERT INTO django_ivm.ranking_c61838f5_data AS ivm_t (id, place, ivm_by)
        SELECT id, place, ivm_by
        FROM ivm_n
        WHERE ivm_w > 0 AND NOT (ivm_both AND ivm_same)
        ORDER BY id
        ON CONFLICT (id) DO UPDATE SET id = excluded.id, place = excluded.place, ivm_by = excluded.ivm_by;
      ELSE
        PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
            set_config('enable_mergejoin', 'on', true);
        EXECUTE $ivm_q$
WITH ivm_n AS MATERIALIZED (
  SELECT id, place, ivm_by, ivm_at, ivm_w, count(*) OVER ivm_o = 2 AS ivm_both,
      min(ivm_text) OVER ivm_o = max(ivm_text) OVER ivm_o AS ivm_same
  FROM (
    SELECT id, place, ivm_by, NULL::tid AS ivm_at, 1 AS ivm_w, ROW(id, place,
        ivm_by)::text COLLATE pg_catalog."C" AS ivm_text
    FROM (
      SELECT id AS id, rank AS place, status AS ivm_by
      FROM (
        SELECT id, status, amount, rank() OVER (PARTITION BY status
          ORDER BY amount DESC) AS rank
        FROM (
          SELECT ivm_r.id, ivm_r.status, ivm_r.amount
          FROM (
            SELECT id AS id, status AS status, amount AS amount
            FROM shop.purchase) ivm_r, unnest($1) AS ivm_k (ivm_p0)
          WHERE ivm_r.status = ivm_k.ivm_p0) ivm_o) ivm_p) ivm_f
    UNION ALL
    SELECT ivm_t.id, ivm_t.place, ivm_t.ivm_by, ivm_t.ctid, -1, ROW(ivm_t.id, ivm_t.place,
        ivm_t.ivm_by)::text COLLATE pg_catalog."C"
    FROM django_ivm.ranking_c61838f5_data AS ivm_t, unnest($1) AS ivm_k (ivm_p0)
    WHERE ivm_t.ivm_by = ivm_k.ivm_p0) ivm_u WINDOW ivm_o AS (PARTITION BY id)), ivm_x AS (
  DELETE
  FROM django_ivm.ranking_c61838f5_data
  WHERE ctid = ANY (ARRAY(
      SELECT ivm_at
      FROM ivm_n
      WHERE ivm_w < 0 AND NOT ivm_both)))
INSERT INTO django_ivm.ranking_c61838f5_data AS ivm_t (id, place, ivm_by)
SELECT id, place, ivm_by
FROM ivm_n
WHERE ivm_w > 0 AND NOT (ivm_both AND ivm_same)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET id = excluded.id, place = excluded.place, ivm_by = excluded.ivm_by
$ivm_q$ USING ivm_touched0;
      END IF;
    END IF;
  ELSE
    PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
        set_config('enable_mergejoin', 'on', true);
    EXECUTE $ivm_q$
SELECT array_agg(ivm_p0::text), array_agg(DISTINCT (0 + (hashtextextended(ROW(ivm_p0)::text,
    0) & 127))::integer)
FROM (
  SELECT DISTINCT status AS ivm_p0
  FROM (
    SELECT id AS id, status AS status, amount AS amount, -1 AS ivm_w
    FROM ivm_old
    UNION ALL
    SELECT id AS id, status AS status, amount AS amount, 1 AS ivm_w
    FROM ivm_new) ivm_c) ivm_k
$ivm_q$ INTO ivm_touched0, ivm_locked;
    IF ivm_locked IS NOT NULL THEN
      PERFORM 1
      FROM django_ivm.ranking_c61838f5_1_lock
      WHERE b = ANY(ivm_locked) AND st = 0
      ORDER BY b FOR NO KEY UPDATE;
      UPDATE django_ivm.ranking_c61838f5_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_locked) AND st = 0;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.ranking_c61838f5_1_lock) THEN
          PERFORM django_ivm.ranking_c61838f5_1_lock_rows();
          PERFORM 1
          FROM django_ivm.ranking_c61838f5_1_lock
          WHERE b = ANY(ivm_locked) AND st = 0
          ORDER BY b FOR NO KEY UPDATE;
          UPDATE django_ivm.ranking_c61838f5_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_locked) AND st = 0;
        END IF;
      END IF;
      IF cardinality(ivm_touched0) <= 25 THEN
        EXECUTE $ivm_q$
WITH ivm_n AS MATERIALIZED (
  SELECT id, place, ivm_by, ivm_at, ivm_w, count(*) OVER ivm_o = 2 AS ivm_both,
      min(ivm_text) OVER ivm_o = max(ivm_text) OVER ivm_o AS ivm_same
  FROM (
    SELECT id, place, ivm_by, NULL::tid AS ivm_at, 1 AS ivm_w, ROW(id, place,
        ivm_by)::text COLLATE pg_catalog."C" AS ivm_text
    FROM (
      SELECT id AS id, rank AS place, status AS ivm_by
      FROM (
        SELECT id, status, amount, rank() OVER (PARTITION BY status
          ORDER BY amount DESC) AS rank
        FROM (
          SELECT ivm_r.id, ivm_r.status, ivm_r.amount
          FROM (
            SELECT id AS id, status AS status, amount AS amount
            FROM shop.purchase) ivm_r, unnest($1) AS ivm_k (ivm_p0)
          WHERE ivm_r.status = ivm_k.ivm_p0) ivm_o) ivm_p) ivm_f
    UNION ALL
    SELECT ivm_t.id, ivm_t.place, ivm_t.ivm_by, ivm_t.ctid, -1, ROW(ivm_t.id, ivm_t.place,
        ivm_t.ivm_by)::text COLLATE pg_catalog."C"
    FROM django_ivm.ranking_c61838f5_data AS ivm_t, unnest($1) AS ivm_k (ivm_p0)
    WHERE ivm_t.ivm_by = ivm_k.ivm_p0) ivm_u WINDOW ivm_o AS (PARTITION BY id)), ivm_x AS (
  DELETE
  FROM django_ivm.ranking_c61838f5_data
  WHERE ctid = ANY (ARRAY(
      SELECT ivm_at
      FROM ivm_n
      WHERE ivm_w < 0 AND NOT ivm_both)))
INSERT INTO django_ivm.ranking_c61838f5_data AS ivm_t (id, place, ivm_by)
SELECT id, place, ivm_by
FROM ivm_n
WHERE ivm_w > 0 AND NOT (ivm_both AND ivm_same)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET id = excluded.id, place = excluded.place, ivm_by = excluded.ivm_by
$ivm_q$ USING ivm_touched0;
      ELSE
        EXECUTE $ivm_q$
SELECT set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
    set_config('enable_mergejoin', 'on', true)
$ivm_q$;
        EXECUTE $ivm_q$
WITH ivm_n AS MATERIALIZED (
  SELECT id, place, ivm_by, ivm_at, ivm_w, count(*) OVER ivm_o = 2 AS ivm_both,
      min(ivm_text) OVER ivm_o = max(ivm_text) OVER ivm_o AS ivm_same
  FROM (
    SELECT id, place, ivm_by, NULL::tid AS ivm_at, 1 AS ivm_w, ROW(id, place,
        ivm_by)::text COLLATE pg_catalog."C" AS ivm_text
    FROM (
      SELECT id AS id, rank AS place, status AS ivm_by
      FROM (
        SELECT id, status, amount, rank() OVER (PARTITION BY status
          ORDER BY amount DESC) AS rank
        FROM (
          SELECT ivm_r.id, ivm_r.status, ivm_r.amount
          FROM (
            SELECT id AS id, status AS status, amount AS amount
            FROM shop.purchase) ivm_r, unnest($1) AS ivm_k (ivm_p0)
          WHERE ivm_r.status = ivm_k.ivm_p0) ivm_o) ivm_p) ivm_f
    UNION ALL
    SELECT ivm_t.id, ivm_t.place, ivm_t.ivm_by, ivm_t.ctid, -1, ROW(ivm_t.id, ivm_t.place,
        ivm_t.ivm_by)::text COLLATE pg_catalog."C"
    FROM django_ivm.ranking_c61838f5_data AS ivm_t, unnest($1) AS ivm_k (ivm_p0)
    WHERE ivm_t.ivm_by = ivm_k.ivm_p0) ivm_u WINDOW ivm_o AS (PARTITION BY id)), ivm_x AS (
  DELETE
  FROM django_ivm.ranking_c61838f5_data
  WHERE ctid = ANY (ARRAY(
      SELECT ivm_at
      FROM ivm_n
      WHERE ivm_w < 0 AND NOT ivm_both)))
INSERT INTO django_ivm.ranking_c61838f5_data AS ivm_t (id, place, ivm_by)
SELECT id, place, ivm_by
FROM ivm_n
WHERE ivm_w > 0 AND NOT (ivm_both AND ivm_same)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET id = excluded.id, place = excluded.place, ivm_by = excluded.ivm_by
$ivm_q$ USING ivm_touched0;
      END IF;
    END IF;
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.ranking_c61838f5_1_0_update() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_ranking_c61838f5_998_0_update AFTER UPDATE ON shop.purchase
REFERENCING OLD TABLE AS ivm_old NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.ranking_c61838f5_1_0_update();

COMMENT ON TRIGGER ivm_ranking_c61838f5_998_0_update ON shop.purchase IS 'c5a1dc0b';

CREATE OR REPLACE FUNCTION django_ivm.ranking_c61838f5_1_0_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan
SET DateStyle = ISO, MDY
SET IntervalStyle = postgres
SET TimeZone = 'UTC'
SET extra_float_digits = 1
SET bytea_output = hex
SET lc_monetary = 'C' AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_many bigint;
  ivm_touched0 text[];
  ivm_locked integer[];
BEGIN
  IF NOT ((TG_TABLE_NAME = 'purchase' AND TG_TABLE_SCHEMA = 'shop') AND pg_trigger_depth() < 200) THEN
    IF pg_trigger_depth() >= 200 THEN
      RAISE EXCEPTION 'a trigger on the maintained table computed from %.% writes to it again',
          TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
    END IF;
    RAISE EXCEPTION 'this function maintains a view for changes of another table than %.%', TG_TABLE_SCHEMA,
        TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege', HINT = 'After a rename, run ivm_install.';
  END IF;
  ivm_many := (SELECT count(*) FROM (SELECT 1 FROM ivm_old LIMIT 101) ivm_z);
  IF ivm_many <= 100 THEN
    SELECT array_agg(ivm_p0::text), array_agg(DISTINCT (0 + (hashtextextended(ROW(ivm_p0)::text,
        0) & 127))::integer)
    FROM (
      SELECT DISTINCT status AS ivm_p0
      FROM (
        SELECT id AS id, status AS status, amount AS amount, -1 AS ivm_w
        FROM ivm_old) ivm_c) ivm_k INTO ivm_touched0, ivm_locked;
    IF ivm_locked IS NOT NULL THEN
      PERFORM 1
      FROM django_ivm.ranking_c61838f5_1_lock
      WHERE b = ANY(ivm_locked) AND st = 0
      ORDER BY b FOR NO KEY UPDATE;
      UPDATE django_ivm.ranking_c61838f5_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_locked) AND st = 0;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.ranking_c61838f5_1_lock) THEN
          PERFORM django_ivm.ranking_c61838f5_1_lock_rows();
          PERFORM 1
          FROM django_ivm.ranking_c61838f5_1_lock
          WHERE b = ANY(ivm_locked) AND st = 0
          ORDER BY b FOR NO KEY UPDATE;
          UPDATE django_ivm.ranking_c61838f5_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_locked) AND st = 0;
        END IF;
      END IF;
      IF cardinality(ivm_touched0) <= 25 THEN
        WITH ivm_n AS MATERIALIZED (
          SELECT id, place, ivm_by, ivm_at, ivm_w, count(*) OVER ivm_o = 2 AS ivm_both,
              min(ivm_text) OVER ivm_o = max(ivm_text) OVER ivm_o AS ivm_same
          FROM (
            SELECT id, place, ivm_by, NULL::tid AS ivm_at, 1 AS ivm_w, ROW(id, place,
                ivm_by)::text COLLATE pg_catalog."C" AS ivm_text
            FROM (
              SELECT id AS id, rank AS place, status AS ivm_by
              FROM (
                SELECT id, status, amount, rank() OVER (PARTITION BY status
                  ORDER BY amount DESC) AS rank
                FROM (
                  SELECT ivm_r.id, ivm_r.status, ivm_r.amount
                  FROM (
                    SELECT id AS id, status AS status, amount AS amount
                    FROM shop.purchase) ivm_r, unnest(ivm_touched0) AS ivm_k (ivm_p0)
                  WHERE ivm_r.status = ivm_k.ivm_p0) ivm_o) ivm_p) ivm_f
            UNION ALL
            SELECT ivm_t.id, ivm_t.place, ivm_t.ivm_by, ivm_t.ctid, -1, ROW(ivm_t.id, ivm_t.place,
                ivm_t.ivm_by)::text COLLATE pg_catalog."C"
            FROM django_ivm.ranking_c61838f5_data AS ivm_t, unnest(ivm_touched0) AS ivm_k (ivm_p0)
            WHERE ivm_t.ivm_by = ivm_k.ivm_p0) ivm_u WINDOW ivm_o AS (PARTITION BY id)), ivm_x AS (
          DELETE
          FROM django_ivm.ranking_c61838f5_data
          WHERE ctid = ANY (ARRAY(
              SELECT ivm_at
              FROM ivm_n
              WHERE ivm_w < 0 AND NOT ivm_both)))
        INSERT INTO django_ivm.ranking_c61838f5_data AS ivm_t (id, place, ivm_by)
        SELECT id, place, ivm_by
        FROM ivm_n
        WHERE ivm_w > 0 AND NOT (ivm_both AND ivm_same)
        ORDER BY id
        ON CONFLICT (id) DO UPDATE SET id = excluded.id, place = excluded.place, ivm_by = excluded.ivm_by;
      ELSE
        PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
            set_config('enable_mergejoin', 'on', true);
        EXECUTE $ivm_q$
WITH ivm_n AS MATERIALIZED (
  SELECT id, place, ivm_by, ivm_at, ivm_w, count(*) OVER ivm_o = 2 AS ivm_both,
      min(ivm_text) OVER ivm_o = max(ivm_text) OVER ivm_o AS ivm_same
  FROM (
    SELECT id, place, ivm_by, NULL::tid AS ivm_at, 1 AS ivm_w, ROW(id, place,
        ivm_by)::text COLLATE pg_catalog."C" AS ivm_text
    FROM (
      SELECT id AS id, rank AS place, status AS ivm_by
      FROM (
        SELECT id, status, amount, rank() OVER (PARTITION BY status
          ORDER BY amount DESC) AS rank
        FROM (
          SELECT ivm_r.id, ivm_r.status, ivm_r.amount
          FROM (
            SELECT id AS id, status AS status, amount AS amount
            FROM shop.purchase) ivm_r, unnest($1) AS ivm_k (ivm_p0)
          WHERE ivm_r.status = ivm_k.ivm_p0) ivm_o) ivm_p) ivm_f
    UNION ALL
    SELECT ivm_t.id, ivm_t.place, ivm_t.ivm_by, ivm_t.ctid, -1, ROW(ivm_t.id, ivm_t.place,
        ivm_t.ivm_by)::text COLLATE pg_catalog."C"
    FROM django_ivm.ranking_c61838f5_data AS ivm_t, unnest($1) AS ivm_k (ivm_p0)
    WHERE ivm_t.ivm_by = ivm_k.ivm_p0) ivm_u WINDOW ivm_o AS (PARTITION BY id)), ivm_x AS (
  DELETE
  FROM django_ivm.ranking_c61838f5_data
  WHERE ctid = ANY (ARRAY(
      SELECT ivm_at
      FROM ivm_n
      WHERE ivm_w < 0 AND NOT ivm_both)))
INSERT INTO django_ivm.ranking_c61838f5_data AS ivm_t (id, place, ivm_by)
SELECT id, place, ivm_by
FROM ivm_n
WHERE ivm_w > 0 AND NOT (ivm_both AND ivm_same)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET id = excluded.id, place = excluded.place, ivm_by = excluded.ivm_by
$ivm_q$ USING ivm_touched0;
      END IF;
    END IF;
  ELSE
    PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
        set_config('enable_mergejoin', 'on', true);
    EXECUTE $ivm_q$
SELECT array_agg(ivm_p0::text), array_agg(DISTINCT (0 + (hashtextextended(ROW(ivm_p0)::text,
    0) & 127))::integer)
FROM (
  SELECT DISTINCT status AS ivm_p0
  FROM (
    SELECT id AS id, status AS status, amount AS amount, -1 AS ivm_w
    FROM ivm_old) ivm_c) ivm_k
$ivm_q$ INTO ivm_touched0, ivm_locked;
    IF ivm_locked IS NOT NULL THEN
      PERFORM 1
      FROM django_ivm.ranking_c61838f5_1_lock
      WHERE b = ANY(ivm_locked) AND st = 0
      ORDER BY b FOR NO KEY UPDATE;
      UPDATE django_ivm.ranking_c61838f5_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_locked) AND st = 0;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.ranking_c61838f5_1_lock) THEN
          PERFORM django_ivm.ranking_c61838f5_1_lock_rows();
          PERFORM 1
          FROM django_ivm.ranking_c61838f5_1_lock
          WHERE b = ANY(ivm_locked) AND st = 0
          ORDER BY b FOR NO KEY UPDATE;
          UPDATE django_ivm.ranking_c61838f5_1_lock SET ver = ver + 1 WHERE b = ANY(ivm_locked) AND st = 0;
        END IF;
      END IF;
      IF cardinality(ivm_touched0) <= 25 THEN
        EXECUTE $ivm_q$
WITH ivm_n AS MATERIALIZED (
  SELECT id, place, ivm_by, ivm_at, ivm_w, count(*) OVER ivm_o = 2 AS ivm_both,
      min(ivm_text) OVER ivm_o = max(ivm_text) OVER ivm_o AS ivm_same
  FROM (
    SELECT id, place, ivm_by, NULL::tid AS ivm_at, 1 AS ivm_w, ROW(id, place,
        ivm_by)::text COLLATE pg_catalog."C" AS ivm_text
    FROM (
      SELECT id AS id, rank AS place, status AS ivm_by
      FROM (
        SELECT id, status, amount, rank() OVER (PARTITION BY status
          ORDER BY amount DESC) AS rank
        FROM (
          SELECT ivm_r.id, ivm_r.status, ivm_r.amount
          FROM (
            SELECT id AS id, status AS status, amount AS amount
            FROM shop.purchase) ivm_r, unnest($1) AS ivm_k (ivm_p0)
          WHERE ivm_r.status = ivm_k.ivm_p0) ivm_o) ivm_p) ivm_f
    UNION ALL
    SELECT ivm_t.id, ivm_t.place, ivm_t.ivm_by, ivm_t.ctid, -1, ROW(ivm_t.id, ivm_t.place,
        ivm_t.ivm_by)::text COLLATE pg_catalog."C"
    FROM django_ivm.ranking_c61838f5_data AS ivm_t, unnest($1) AS ivm_k (ivm_p0)
    WHERE ivm_t.ivm_by = ivm_k.ivm_p0) ivm_u WINDOW ivm_o AS (PARTITION BY id)), ivm_x AS (
  DELETE
  FROM django_ivm.ranking_c61838f5_data
  WHERE ctid = ANY (ARRAY(
      SELECT ivm_at
      FROM ivm_n
      WHERE ivm_w < 0 AND NOT ivm_both)))
INSERT INTO django_ivm.ranking_c61838f5_data AS ivm_t (id, place, ivm_by)
SELECT id, place, ivm_by
FROM ivm_n
WHERE ivm_w > 0 AND NOT (ivm_both AND ivm_same)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET id = excluded.id, place = excluded.place, ivm_by = excluded.ivm_by
$ivm_q$ USING ivm_touched0;
      ELSE
        EXECUTE $ivm_q$
SELECT set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
    set_config('enable_mergejoin', 'on', true)
$ivm_q$;
        EXECUTE $ivm_q$
WITH ivm_n AS MATERIALIZED (
  SELECT id, place, ivm_by, ivm_at, ivm_w, count(*) OVER ivm_o = 2 AS ivm_both,
      min(ivm_text) OVER ivm_o = max(ivm_text) OVER ivm_o AS ivm_same
  FROM (
    SELECT id, place, ivm_by, NULL::tid AS ivm_at, 1 AS ivm_w, ROW(id, place,
        ivm_by)::text COLLATE pg_catalog."C" AS ivm_text
    FROM (
      SELECT id AS id, rank AS place, status AS ivm_by
      FROM (
        SELECT id, status, amount, rank() OVER (PARTITION BY status
          ORDER BY amount DESC) AS rank
        FROM (
          SELECT ivm_r.id, ivm_r.status, ivm_r.amount
          FROM (
            SELECT id AS id, status AS status, amount AS amount
            FROM shop.purchase) ivm_r, unnest($1) AS ivm_k (ivm_p0)
          WHERE ivm_r.status = ivm_k.ivm_p0) ivm_o) ivm_p) ivm_f
    UNION ALL
    SELECT ivm_t.id, ivm_t.place, ivm_t.ivm_by, ivm_t.ctid, -1, ROW(ivm_t.id, ivm_t.place,
        ivm_t.ivm_by)::text COLLATE pg_catalog."C"
    FROM django_ivm.ranking_c61838f5_data AS ivm_t, unnest($1) AS ivm_k (ivm_p0)
    WHERE ivm_t.ivm_by = ivm_k.ivm_p0) ivm_u WINDOW ivm_o AS (PARTITION BY id)), ivm_x AS (
  DELETE
  FROM django_ivm.ranking_c61838f5_data
  WHERE ctid = ANY (ARRAY(
      SELECT ivm_at
      FROM ivm_n
      WHERE ivm_w < 0 AND NOT ivm_both)))
INSERT INTO django_ivm.ranking_c61838f5_data AS ivm_t (id, place, ivm_by)
SELECT id, place, ivm_by
FROM ivm_n
WHERE ivm_w > 0 AND NOT (ivm_both AND ivm_same)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET id = excluded.id, place = excluded.place, ivm_by = excluded.ivm_by
$ivm_q$ USING ivm_touched0;
      END IF;
    END IF;
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.ranking_c61838f5_1_0_delete() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_ranking_c61838f5_998_0_delete AFTER DELETE
ON shop.purchase
REFERENCING OLD TABLE AS ivm_old FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.ranking_c61838f5_1_0_delete();

COMMENT ON TRIGGER ivm_ranking_c61838f5_998_0_delete ON shop.purchase IS 'e9866498';

CREATE OR REPLACE FUNCTION django_ivm.ranking_c61838f5_1_0_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp AS $ivm_body$
#variable_conflict use_column
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
  PERFORM django_ivm.ranking_c61838f5_1_replace();
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('shop', 'ranking',
        'TRUNCATE of ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME || ' in a transaction whose snapshot stands');
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.ranking_c61838f5_1_0_truncate() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_ranking_c61838f5_998_0_truncate AFTER TRUNCATE
ON shop.purchase FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.ranking_c61838f5_1_0_truncate();

COMMENT ON TRIGGER ivm_ranking_c61838f5_998_0_truncate ON shop.purchase IS '233015cb';

CREATE OR REPLACE FUNCTION django_ivm.ranking_c61838f5_alarm() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off AS $ivm_body$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (
    SELECT 1
    FROM django_ivm.stale
    WHERE ctid = nullif(current_setting('ivm.mc61838f5', true), '')::tid AND xid = pg_current_xact_id()
        AND view_schema = 'shop' AND view_name = 'ranking') THEN
    DECLARE ivm_mark text;
    BEGIN
      WITH ivm_m AS (
        INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('shop', 'ranking',
            lower(TG_OP) || ' on ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME || ' under session_replication_role = replica')
        RETURNING ctid)
      SELECT set_config('ivm.mc61838f5', ctid::text, true)
      FROM ivm_m INTO ivm_mark;
      END;
    END IF;
    RETURN NULL;
  END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.ranking_c61838f5_alarm() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_ranking_c61838f5_alarm AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON shop.purchase FOR EACH STATEMENT WHEN (current_setting('session_replication_role') = 'replica')
EXECUTE FUNCTION django_ivm.ranking_c61838f5_alarm();

SELECT django_ivm.fire_for_replicas('shop.purchase', 'ivm_ranking_c61838f5_alarm');

COMMENT ON TRIGGER ivm_ranking_c61838f5_alarm ON shop.purchase IS '1f5694f2';

CREATE OR REPLACE TRIGGER ivm_ranking_c61838f5_alarm AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON django_ivm.ranking_c61838f5_data FOR EACH STATEMENT
    WHEN (current_setting('session_replication_role') = 'replica'
    AND current_setting('search_path') IS DISTINCT FROM 'pg_catalog, django_ivm, pg_temp')
EXECUTE FUNCTION django_ivm.ranking_c61838f5_alarm();

SELECT django_ivm.fire_for_replicas('django_ivm.ranking_c61838f5_data', 'ivm_ranking_c61838f5_alarm');

COMMENT ON TRIGGER ivm_ranking_c61838f5_alarm ON django_ivm.ranking_c61838f5_data IS '05b51a5a';

CREATE OR REPLACE TRIGGER ivm_read_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE
ON django_ivm.ranking_c61838f5_data FOR EACH STATEMENT
    WHEN (current_setting('search_path') IS DISTINCT FROM 'pg_catalog, django_ivm, pg_temp')
EXECUTE FUNCTION django_ivm.refuse_write('ranking');

CREATE OR REPLACE TRIGGER ivm_twin AFTER INSERT
ON django_ivm.ranking_c61838f5_data FOR EACH ROW
    WHEN (current_setting('transaction_isolation') <> 'read committed')
EXECUTE FUNCTION django_ivm.refuse_twin('ivm_old.id = ivm_new.id');
