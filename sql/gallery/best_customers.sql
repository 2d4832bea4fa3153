-- The first rows of an order over groups: two levels, each with a table of its own.
-- Made by scripts/gallery.py; changes by hand are lost.
--
-- strategy: incremental
--   best_customers_4a4b9548_level_1: groups by (customer_id); sum(amount): fold
--     hidden columns: ivm_n, ivm_a, ivm_a_2, ivm_a_3
--     on shop.purchase [customer_id, amount] (direct):
--       Δ shop.purchase
--   best_customers: first 10 rows by total DESC NULLS LAST, customer_id ASC NULLS LAST
--     on django_ivm.best_customers_4a4b9548_level_1 [customer_id, total] (direct):
--       Δ django_ivm.best_customers_4a4b9548_level_1

LOCK TABLE shop.purchase IN SHARE ROW EXCLUSIVE MODE;

CREATE SCHEMA IF NOT EXISTS django_ivm;

CREATE OR REPLACE VIEW django_ivm.best_customers_4a4b9548_query AS SELECT customer_id, sum(amount) AS total
FROM shop.purchase
GROUP BY customer_id
ORDER BY total DESC NULLS LAST, customer_id
LIMIT 10;

CREATE TABLE django_ivm.best_customers_4a4b9548_level_1 AS
SELECT customer_id, (CASE WHEN ivm_a < 1 THEN NULL WHEN ivm_a_3 > 0 THEN 'NaN'::numeric
    ELSE ivm_a_2 END) AS total, ivm_n, ivm_a, ivm_a_2, ivm_a_3
FROM (
  SELECT customer_id, ivm_n AS ivm_n, ivm_a AS ivm_a, CASE WHEN ivm_g.ivm_a_2 = 'NaN'::numeric THEN (
    SELECT coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_a
    WHERE (ivm_a.customer_id = ivm_g.customer_id OR (ivm_a.customer_id IS NULL
        AND ivm_g.customer_id IS NULL))) ELSE ivm_g.ivm_a_2 END AS ivm_a_2, CASE
        WHEN ivm_g.ivm_a_2 = 'NaN'::numeric THEN (
    SELECT count(*) FILTER (WHERE ((amount) = 'NaN'::numeric))
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_a
    WHERE (ivm_a.customer_id = ivm_g.customer_id OR (ivm_a.customer_id IS NULL
        AND ivm_g.customer_id IS NULL))) ELSE 0 END AS ivm_a_3
  FROM (
    SELECT customer_id AS customer_id, count(*) AS ivm_n, count(amount) AS ivm_a, coalesce(sum((amount)),
        0)::numeric AS ivm_a_2
    FROM (
      SELECT customer_id AS customer_id, amount AS amount
      FROM shop.purchase) ivm_a
    GROUP BY (customer_id)) ivm_g) ivm_h;

CREATE INDEX ivm_7cac4631_order
ON django_ivm.best_customers_4a4b9548_level_1 (total DESC NULLS LAST, customer_id ASC NULLS LAST);

CREATE UNIQUE INDEX ivm_7cac4631_key
ON django_ivm.best_customers_4a4b9548_level_1 (customer_id) NULLS NOT DISTINCT;

CREATE TABLE shop.best_customers AS
SELECT customer_id, total
FROM (
  SELECT customer_id AS customer_id, total AS total
  FROM django_ivm.best_customers_4a4b9548_level_1
  WHERE ivm_n > 0) ivm_t
ORDER BY total DESC NULLS LAST, customer_id ASC NULLS LAST
LIMIT 10;

CREATE UNIQUE INDEX ivm_4a4b9548_key ON shop.best_customers (customer_id) NULLS NOT DISTINCT;

CREATE TABLE django_ivm.best_customers_4a4b9548_2_lock (b integer, st integer, ver bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (b, st))
WITH (fillfactor = 20);

INSERT INTO django_ivm.best_customers_4a4b9548_2_lock (b, st)
SELECT b, st
FROM generate_series(0, 0) b, generate_series(0, 7) st;

CREATE OR REPLACE FUNCTION django_ivm.best_customers_4a4b9548_1_replace(OUT ivm_inserted bigint,
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
  LOCK TABLE django_ivm.best_customers_4a4b9548_level_1 IN SHARE ROW EXCLUSIVE MODE;
  EXECUTE $ivm_q$
WITH ivm_f AS MATERIALIZED (
  SELECT customer_id, (CASE WHEN ivm_a < 1 THEN NULL WHEN ivm_a_3 > 0 THEN 'NaN'::numeric
      ELSE ivm_a_2 END) AS total, ivm_n, ivm_a, ivm_a_2, ivm_a_3
  FROM (
    SELECT customer_id, ivm_n AS ivm_n, ivm_a AS ivm_a, CASE WHEN ivm_g.ivm_a_2 = 'NaN'::numeric THEN (
      SELECT coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric
      FROM (
        SELECT customer_id AS customer_id, amount AS amount
        FROM shop.purchase) ivm_a
      WHERE (ivm_a.customer_id = ivm_g.customer_id OR (ivm_a.customer_id IS NULL
          AND ivm_g.customer_id IS NULL))) ELSE ivm_g.ivm_a_2 END AS ivm_a_2, CASE
          WHEN ivm_g.ivm_a_2 = 'NaN'::numeric THEN (
      SELECT count(*) FILTER (WHERE ((amount) = 'NaN'::numeric))
      FROM (
        SELECT customer_id AS customer_id, amount AS amount
        FROM shop.purchase) ivm_a
      WHERE (ivm_a.customer_id = ivm_g.customer_id OR (ivm_a.customer_id IS NULL
          AND ivm_g.customer_id IS NULL))) ELSE 0 END AS ivm_a_3
    FROM (
      SELECT customer_id AS customer_id, count(*) AS ivm_n, count(amount) AS ivm_a, coalesce(sum((amount)),
          0)::numeric AS ivm_a_2
      FROM (
        SELECT customer_id AS customer_id, amount AS amount
        FROM shop.purchase) ivm_a
      GROUP BY (customer_id)) ivm_g) ivm_h), ivm_d AS (
  DELETE
  FROM django_ivm.best_customers_4a4b9548_level_1 AS ivm_t
  WHERE NOT EXISTS (
    SELECT
    FROM ivm_f
    WHERE ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record)
  RETURNING 1), ivm_i AS (
  INSERT INTO django_ivm.best_customers_4a4b9548_level_1 AS ivm_s (customer_id, total, ivm_n, ivm_a, ivm_a_2,
      ivm_a_3)
  SELECT ivm_f.customer_id, ivm_f.total, ivm_f.ivm_n, ivm_f.ivm_a, ivm_f.ivm_a_2, ivm_f.ivm_a_3
  FROM ivm_f
  LEFT JOIN django_ivm.best_customers_4a4b9548_level_1 AS ivm_t
  ON ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record
  WHERE ivm_t.ctid IS NULL OR ROW(ivm_f.customer_id, ivm_f.total, ivm_f.ivm_n, ivm_f.ivm_a, ivm_f.ivm_a_2,
      ivm_f.ivm_a_3)::record *<> ROW(ivm_t.customer_id, ivm_t.total, ivm_t.ivm_n, ivm_t.ivm_a, ivm_t.ivm_a_2,
      ivm_t.ivm_a_3)::record
  ORDER BY ivm_f.customer_id
  ON CONFLICT (customer_id) DO UPDATE SET customer_id = excluded.customer_id, total = excluded.total,
      ivm_n = excluded.ivm_n, ivm_a = excluded.ivm_a, ivm_a_2 = excluded.ivm_a_2, ivm_a_3 = excluded.ivm_a_3
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

REVOKE ALL ON FUNCTION django_ivm.best_customers_4a4b9548_1_replace() FROM PUBLIC;

CREATE OR REPLACE FUNCTION django_ivm.best_customers_4a4b9548_2_replace(OUT ivm_inserted bigint,
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
  LOCK TABLE shop.best_customers IN SHARE ROW EXCLUSIVE MODE;
  EXECUTE $ivm_q$
WITH ivm_f AS MATERIALIZED (
  SELECT customer_id, total
  FROM (
    SELECT customer_id AS customer_id, total AS total
    FROM django_ivm.best_customers_4a4b9548_level_1
    WHERE ivm_n > 0) ivm_t
  ORDER BY total DESC NULLS LAST, customer_id ASC NULLS LAST
  LIMIT 10), ivm_d AS (
  DELETE
  FROM shop.best_customers AS ivm_t
  WHERE NOT EXISTS (
    SELECT
    FROM ivm_f
    WHERE ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record)
  RETURNING 1), ivm_i AS (
  INSERT INTO shop.best_customers AS ivm_s (customer_id, total)
  SELECT ivm_f.customer_id, ivm_f.total
  FROM ivm_f
  LEFT JOIN shop.best_customers AS ivm_t
  ON ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record
  WHERE ivm_t.ctid IS NULL OR ROW(ivm_f.customer_id, ivm_f.total)::record *<> ROW(ivm_t.customer_id,
      ivm_t.total)::record
  ORDER BY ivm_f.customer_id
  ON CONFLICT (customer_id) DO UPDATE SET customer_id = excluded.customer_id, total = excluded.total
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

REVOKE ALL ON FUNCTION django_ivm.best_customers_4a4b9548_2_replace() FROM PUBLIC;

CREATE OR REPLACE FUNCTION django_ivm.best_customers_4a4b9548_2_lock_rows() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp AS $ivm_body$
#variable_conflict use_column
BEGIN
  INSERT INTO django_ivm.best_customers_4a4b9548_2_lock (b, st)
  SELECT b, st
  FROM generate_series(0, 0) b, generate_series(0, 7) st
  ON CONFLICT DO NOTHING;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.best_customers_4a4b9548_2_lock_rows() FROM PUBLIC;

CREATE OR REPLACE FUNCTION django_ivm.best_customers_4a4b9548_1_0_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_zero tid[];
  ivm_touched tid[];
  ivm_below boolean;
BEGIN
  IF ((TG_TABLE_NAME = 'purchase' AND TG_TABLE_SCHEMA = 'shop') AND pg_trigger_depth() < 200)
      AND coalesce(current_setting('ivm.n4a4b9548_1', true), '') = '' THEN
    INSERT INTO django_ivm.best_customers_4a4b9548_level_1 AS ivm_t (customer_id, ivm_n, ivm_a, ivm_a_2,
        ivm_a_3, total)
    SELECT ivm_d.customer_id, ivm_d.ivm_n, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, CASE
        WHEN ivm_d.ivm_n > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL WHEN ivm_d.ivm_a_3 > 0
        THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
    FROM (
      SELECT customer_id AS customer_id, count(*) AS ivm_n, count(amount) AS ivm_a,
          coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
          count(*) FILTER (WHERE ((amount) = 'NaN'::numeric)) AS ivm_a_3
      FROM (
        SELECT customer_id AS customer_id, amount AS amount, 1 AS ivm_w
        FROM ivm_new) ivm_c
      GROUP BY (customer_id)) ivm_d
    ORDER BY ivm_d.customer_id
    ON CONFLICT (customer_id) DO UPDATE SET ivm_n = (ivm_t.ivm_n + excluded.ivm_n),
        ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
        ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), total = CASE
        WHEN (ivm_t.ivm_n + excluded.ivm_n) > 0 THEN (CASE WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1
        THEN NULL WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
        ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END;
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
  WITH ivm_up AS (
    INSERT INTO django_ivm.best_customers_4a4b9548_level_1 AS ivm_t (customer_id, ivm_n, ivm_a, ivm_a_2,
        ivm_a_3, total)
    SELECT ivm_d.customer_id, ivm_d.ivm_n, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, CASE
        WHEN ivm_d.ivm_n > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL WHEN ivm_d.ivm_a_3 > 0
        THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
    FROM (
      SELECT customer_id AS customer_id, count(*) AS ivm_n, count(amount) AS ivm_a,
          coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
          count(*) FILTER (WHERE ((amount) = 'NaN'::numeric)) AS ivm_a_3
      FROM (
        SELECT customer_id AS customer_id, amount AS amount, 1 AS ivm_w
        FROM ivm_new) ivm_c
      GROUP BY (customer_id)) ivm_d
    ORDER BY ivm_d.customer_id
    ON CONFLICT (customer_id) DO UPDATE SET ivm_n = (ivm_t.ivm_n + excluded.ivm_n),
        ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
        ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), total = CASE
        WHEN (ivm_t.ivm_n + excluded.ivm_n) > 0 THEN (CASE WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1
        THEN NULL WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
        ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
    RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.ivm_n AS ivm_left, false AS ivm_probe)
  SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0), array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0
      AND ivm_probe), bool_or(ivm_left < 0)
  FROM ivm_up INTO ivm_zero, ivm_touched, ivm_below;
  IF ivm_zero IS NOT NULL THEN
    DELETE FROM django_ivm.best_customers_4a4b9548_level_1 WHERE ctid = ANY(ivm_zero);
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.best_customers_4a4b9548_1_0_insert() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_best_customers_4a4b9548_998_0_insert AFTER INSERT
ON shop.purchase
REFERENCING NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.best_customers_4a4b9548_1_0_insert();

COMMENT ON TRIGGER ivm_best_customers_4a4b9548_998_0_insert ON shop.purchase IS '0c79af98';

CREATE OR REPLACE FUNCTION django_ivm.best_customers_4a4b9548_1_0_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_state text;
  ivm_zero tid[];
  ivm_touched tid[];
  ivm_below boolean;
BEGIN
  IF NOT (ARRAY(
      SELECT ROW(customer_id, amount)
      FROM ivm_old) IS DISTINCT FROM ARRAY(
      SELECT ROW(customer_id, amount)
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
  WITH ivm_up AS (
    INSERT INTO django_ivm.best_customers_4a4b9548_level_1 AS ivm_t (customer_id, ivm_n, ivm_a, ivm_a_2,
        ivm_a_3, total)
    SELECT ivm_d.customer_id, ivm_d.ivm_n, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, CASE
        WHEN ivm_d.ivm_n > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL WHEN ivm_d.ivm_a_3 > 0
        THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
    FROM (
      SELECT customer_id AS customer_id, coalesce(sum(ivm_w), 0)::bigint AS ivm_n,
          coalesce(sum(ivm_w) FILTER (WHERE ((amount) IS NOT NULL)), 0)::bigint AS ivm_a,
          coalesce(sum(ivm_w * (amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
          coalesce(sum(ivm_w) FILTER (WHERE ((amount) = 'NaN'::numeric)), 0)::bigint AS ivm_a_3
      FROM (
        SELECT customer_id AS customer_id, amount AS amount, -1 AS ivm_w
        FROM ivm_old
        UNION ALL
        SELECT customer_id AS customer_id, amount AS amount, 1 AS ivm_w
        FROM ivm_new) ivm_c
      GROUP BY (customer_id)
      HAVING coalesce(sum(ivm_w), 0)::bigint <> 0
          OR coalesce(sum(ivm_w) FILTER (WHERE ((amount) IS NOT NULL)), 0)::bigint <> 0
          OR coalesce(sum(ivm_w * (amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric <> 0
          OR coalesce(sum(ivm_w) FILTER (WHERE ((amount) = 'NaN'::numeric)), 0)::bigint <> 0) ivm_d
    ORDER BY ivm_d.customer_id
    ON CONFLICT (customer_id) DO UPDATE SET ivm_n = (ivm_t.ivm_n + excluded.ivm_n),
        ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
        ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), total = CASE
        WHEN (ivm_t.ivm_n + excluded.ivm_n) > 0 THEN (CASE WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1
        THEN NULL WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
        ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
    RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.ivm_n AS ivm_left, false AS ivm_probe)
  SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0), array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0
      AND ivm_probe), bool_or(ivm_left < 0)
  FROM ivm_up INTO ivm_zero, ivm_touched, ivm_below;
  IF ivm_zero IS NOT NULL THEN
    DELETE FROM django_ivm.best_customers_4a4b9548_level_1 WHERE ctid = ANY(ivm_zero);
  END IF;
  IF ivm_below THEN ivm_state := set_config('ivm.n4a4b9548_1', 'below', true); END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.best_customers_4a4b9548_1_0_update() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_best_customers_4a4b9548_998_0_update AFTER UPDATE ON shop.purchase
REFERENCING OLD TABLE AS ivm_old NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.best_customers_4a4b9548_1_0_update();

COMMENT ON TRIGGER ivm_best_customers_4a4b9548_998_0_update ON shop.purchase IS '73b73700';

CREATE OR REPLACE FUNCTION django_ivm.best_customers_4a4b9548_1_0_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_state text;
  ivm_zero tid[];
  ivm_touched tid[];
  ivm_below boolean;
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
  WITH ivm_up AS (
    INSERT INTO django_ivm.best_customers_4a4b9548_level_1 AS ivm_t (customer_id, ivm_n, ivm_a, ivm_a_2,
        ivm_a_3, total)
    SELECT ivm_d.customer_id, ivm_d.ivm_n, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, CASE
        WHEN ivm_d.ivm_n > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL WHEN ivm_d.ivm_a_3 > 0
        THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END
    FROM (
      SELECT customer_id AS customer_id, -(count(*)) AS ivm_n, -(count(amount)) AS ivm_a,
          -(coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric) AS ivm_a_2,
          -(count(*) FILTER (WHERE ((amount) = 'NaN'::numeric))) AS ivm_a_3
      FROM (
        SELECT customer_id AS customer_id, amount AS amount, -1 AS ivm_w
        FROM ivm_old) ivm_c
      GROUP BY (customer_id)) ivm_d
    ORDER BY ivm_d.customer_id
    ON CONFLICT (customer_id) DO UPDATE SET ivm_n = (ivm_t.ivm_n + excluded.ivm_n),
        ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
        ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), total = CASE
        WHEN (ivm_t.ivm_n + excluded.ivm_n) > 0 THEN (CASE WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1
        THEN NULL WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0 THEN 'NaN'::numeric
        ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END
    RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.ivm_n AS ivm_left, false AS ivm_probe)
  SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0), array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0
      AND ivm_probe), bool_or(ivm_left < 0)
  FROM ivm_up INTO ivm_zero, ivm_touched, ivm_below;
  IF ivm_zero IS NOT NULL THEN
    DELETE FROM django_ivm.best_customers_4a4b9548_level_1 WHERE ctid = ANY(ivm_zero);
  END IF;
  IF ivm_below THEN ivm_state := set_config('ivm.n4a4b9548_1', 'below', true); END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.best_customers_4a4b9548_1_0_delete() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_best_customers_4a4b9548_998_0_delete AFTER DELETE
ON shop.purchase
REFERENCING OLD TABLE AS ivm_old FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.best_customers_4a4b9548_1_0_delete();

COMMENT ON TRIGGER ivm_best_customers_4a4b9548_998_0_delete ON shop.purchase IS 'd66c465c';

CREATE OR REPLACE FUNCTION django_ivm.best_customers_4a4b9548_1_0_truncate() RETURNS trigger
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
  PERFORM django_ivm.best_customers_4a4b9548_1_replace();
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('shop', 'best_customers',
        'TRUNCATE of ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME || ' in a transaction whose snapshot stands');
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.best_customers_4a4b9548_1_0_truncate() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_best_customers_4a4b9548_998_0_truncate AFTER TRUNCATE
ON shop.purchase FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.best_customers_4a4b9548_1_0_truncate();

COMMENT ON TRIGGER ivm_best_customers_4a4b9548_998_0_truncate ON shop.purchase IS '7f3677ae';

CREATE OR REPLACE FUNCTION django_ivm.best_customers_4a4b9548_2_0_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_many bigint;
  ivm_near boolean;
  ivm_inserted bigint;
  ivm_updated bigint;
  ivm_deleted bigint;
BEGIN
  IF NOT ((TG_TABLE_NAME = 'best_customers_4a4b9548_level_1' AND TG_TABLE_SCHEMA = 'django_ivm')
      AND pg_trigger_depth() < 200) THEN
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
    SELECT (
      SELECT count(*)
      FROM (
        SELECT 1
        FROM shop.best_customers
        LIMIT 10) ivm_n) < 10 OR EXISTS (
      SELECT 1
      FROM (
        SELECT customer_id AS customer_id, total AS total, 1 AS ivm_w
        FROM ivm_new
        WHERE ivm_n > 0) ivm_c, (
        SELECT total, customer_id
        FROM shop.best_customers
        ORDER BY total ASC NULLS FIRST, customer_id DESC NULLS FIRST
        LIMIT 1) ivm_l
      WHERE coalesce((ivm_c.total > ivm_l.total OR (ivm_l.total IS NULL AND NOT (ivm_c.total IS NULL)))
          OR ((ivm_c.total = ivm_l.total OR (ivm_c.total IS NULL AND ivm_l.total IS NULL))
          AND coalesce((ivm_c.customer_id < ivm_l.customer_id OR (ivm_l.customer_id IS NULL
          AND NOT (ivm_c.customer_id IS NULL))) OR ((ivm_c.customer_id = ivm_l.customer_id
          OR (ivm_c.customer_id IS NULL AND ivm_l.customer_id IS NULL)) AND true), false)),
          false)) INTO ivm_near;
    IF NOT ivm_near THEN
      PERFORM 1
      FROM django_ivm.best_customers_4a4b9548_2_lock
      WHERE b = 0 AND st = pg_backend_pid() % 8
      ORDER BY b, st FOR NO KEY UPDATE;
      UPDATE django_ivm.best_customers_4a4b9548_2_lock
      SET ver = ver + 1
      WHERE b = 0 AND st = pg_backend_pid() % 8;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.best_customers_4a4b9548_2_lock) THEN
          PERFORM django_ivm.best_customers_4a4b9548_2_lock_rows();
          PERFORM 1
          FROM django_ivm.best_customers_4a4b9548_2_lock
          WHERE b = 0 AND st = pg_backend_pid() % 8
          ORDER BY b, st FOR NO KEY UPDATE;
          UPDATE django_ivm.best_customers_4a4b9548_2_lock
          SET ver = ver + 1
          WHERE b = 0 AND st = pg_backend_pid() % 8;
        END IF;
      END IF;
      SELECT (
        SELECT count(*)
        FROM (
          SELECT 1
          FROM shop.best_customers
          LIMIT 10) ivm_n) < 10 OR EXISTS (
        SELECT 1
        FROM (
          SELECT customer_id AS customer_id, total AS total, 1 AS ivm_w
          FROM ivm_new
          WHERE ivm_n > 0) ivm_c, (
          SELECT total, customer_id
          FROM shop.best_customers
          ORDER BY total ASC NULLS FIRST, customer_id DESC NULLS FIRST
          LIMIT 1) ivm_l
        WHERE coalesce((ivm_c.total > ivm_l.total OR (ivm_l.total IS NULL AND NOT (ivm_c.total IS NULL)))
            OR ((ivm_c.total = ivm_l.total OR (ivm_c.total IS NULL AND ivm_l.total IS NULL))
            AND coalesce((ivm_c.customer_id < ivm_l.customer_id OR (ivm_l.customer_id IS NULL
            AND NOT (ivm_c.customer_id IS NULL))) OR ((ivm_c.customer_id = ivm_l.customer_id
            OR (ivm_c.customer_id IS NULL AND ivm_l.customer_id IS NULL)) AND true), false)),
            false)) INTO ivm_near;
    END IF;
    IF ivm_near THEN
      PERFORM 1 FROM django_ivm.best_customers_4a4b9548_2_lock WHERE b = 0 ORDER BY b, st FOR NO KEY UPDATE;
      UPDATE django_ivm.best_customers_4a4b9548_2_lock SET ver = ver + 1 WHERE b = 0;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.best_customers_4a4b9548_2_lock) THEN
          PERFORM django_ivm.best_customers_4a4b9548_2_lock_rows();
          PERFORM 1
          FROM django_ivm.best_customers_4a4b9548_2_lock
          WHERE b = 0
          ORDER BY b, st FOR NO KEY UPDATE;
          UPDATE django_ivm.best_customers_4a4b9548_2_lock SET ver = ver + 1 WHERE b = 0;
        END IF;
      END IF;
      WITH ivm_f AS MATERIALIZED (
        SELECT customer_id, total
        FROM (
          SELECT customer_id AS customer_id, total AS total
          FROM django_ivm.best_customers_4a4b9548_level_1
          WHERE ivm_n > 0) ivm_t
        ORDER BY total DESC NULLS LAST, customer_id ASC NULLS LAST
        LIMIT 10), ivm_d AS (
        DELETE
        FROM shop.best_customers AS ivm_t
        WHERE NOT EXISTS (
          SELECT
          FROM ivm_f
          WHERE ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record)
        RETURNING 1), ivm_i AS (
        INSERT INTO shop.best_customers AS ivm_s (customer_id, total)
        SELECT ivm_f.customer_id, ivm_f.total
        FROM ivm_f
        LEFT JOIN shop.best_customers AS ivm_t
        ON ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record
        WHERE ivm_t.ctid IS NULL OR ROW(ivm_f.customer_id, ivm_f.total)::record *<> ROW(ivm_t.customer_id,
            ivm_t.total)::record
        ORDER BY ivm_f.customer_id
        ON CONFLICT (customer_id) DO UPDATE SET customer_id = excluded.customer_id, total = excluded.total
        RETURNING (ivm_s.xmax = 0) AS ivm_new)
      SELECT (
        SELECT count(*)
        FROM ivm_i
        WHERE ivm_new), (
        SELECT count(*)
        FROM ivm_i
        WHERE NOT ivm_new), (
        SELECT count(*)
        FROM ivm_d) INTO ivm_inserted, ivm_updated, ivm_deleted;
    END IF;
  ELSE
    PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
        set_config('enable_mergejoin', 'on', true);
    EXECUTE $ivm_q$
SELECT (
  SELECT count(*)
  FROM (
    SELECT 1
    FROM shop.best_customers
    LIMIT 10) ivm_n) < 10 OR EXISTS (
  SELECT 1
  FROM (
    SELECT customer_id AS customer_id, total AS total, 1 AS ivm_w
    FROM ivm_new
    WHERE ivm_n > 0) ivm_c, (
    SELECT total, customer_id
    FROM shop.best_customers
    ORDER BY total ASC NULLS FIRST, customer_id DESC NULLS FIRST
    LIMIT 1) ivm_l
  WHERE coalesce((ivm_c.total > ivm_l.total OR (ivm_l.total IS NULL AND NOT (ivm_c.total IS NULL)))
      OR ((ivm_c.total = ivm_l.total OR (ivm_c.total IS NULL AND ivm_l.total IS NULL))
      AND coalesce((ivm_c.customer_id < ivm_l.customer_id OR (ivm_l.customer_id IS NULL
      AND NOT (ivm_c.customer_id IS NULL))) OR ((ivm_c.customer_id = ivm_l.customer_id
      OR (ivm_c.customer_id IS NULL AND ivm_l.customer_id IS NULL)) AND true), false)), false))
$ivm_q$ INTO ivm_near;
    IF NOT ivm_near THEN
      PERFORM 1
      FROM django_ivm.best_customers_4a4b9548_2_lock
      WHERE b = 0 AND st = pg_backend_pid() % 8
      ORDER BY b, st FOR NO KEY UPDATE;
      UPDATE django_ivm.best_customers_4a4b9548_2_lock
      SET ver = ver + 1
      WHERE b = 0 AND st = pg_backend_pid() % 8;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.best_customers_4a4b9548_2_lock) THEN
          PERFORM django_ivm.best_customers_4a4b9548_2_lock_rows();
          PERFORM 1
          FROM django_ivm.best_customers_4a4b9548_2_lock
          WHERE b = 0 AND st = pg_backend_pid() % 8
          ORDER BY b, st FOR NO KEY UPDATE;
          UPDATE django_ivm.best_customers_4a4b9548_2_lock
          SET ver = ver + 1
          WHERE b = 0 AND st = pg_backend_pid() % 8;
        END IF;
      END IF;
      EXECUTE $ivm_q$
SELECT (
  SELECT count(*)
  FROM (
    SELECT 1
    FROM shop.best_customers
    LIMIT 10) ivm_n) < 10 OR EXISTS (
  SELECT 1
  FROM (
    SELECT customer_id AS customer_id, total AS total, 1 AS ivm_w
    FROM ivm_new
    WHERE ivm_n > 0) ivm_c, (
    SELECT total, customer_id
    FROM shop.best_customers
    ORDER BY total ASC NULLS FIRST, customer_id DESC NULLS FIRST
    LIMIT 1) ivm_l
  WHERE coalesce((ivm_c.total > ivm_l.total OR (ivm_l.total IS NULL AND NOT (ivm_c.total IS NULL)))
      OR ((ivm_c.total = ivm_l.total OR (ivm_c.total IS NULL AND ivm_l.total IS NULL))
      AND coalesce((ivm_c.customer_id < ivm_l.customer_id OR (ivm_l.customer_id IS NULL
      AND NOT (ivm_c.customer_id IS NULL))) OR ((ivm_c.customer_id = ivm_l.customer_id
      OR (ivm_c.customer_id IS NULL AND ivm_l.customer_id IS NULL)) AND true), false)), false))
$ivm_q$ INTO ivm_near;
    END IF;
    IF ivm_near THEN
      PERFORM 1 FROM django_ivm.best_customers_4a4b9548_2_lock WHERE b = 0 ORDER BY b, st FOR NO KEY UPDATE;
      UPDATE django_ivm.best_customers_4a4b9548_2_lock SET ver = ver + 1 WHERE b = 0;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.best_customers_4a4b9548_2_lock) THEN
          PERFORM django_ivm.best_customers_4a4b9548_2_lock_rows();
          PERFORM 1
          FROM django_ivm.best_customers_4a4b9548_2_lock
          WHERE b = 0
          ORDER BY b, st FOR NO KEY UPDATE;
          UPDATE django_ivm.best_customers_4a4b9548_2_lock SET ver = ver + 1 WHERE b = 0;
        END IF;
      END IF;
      EXECUTE $ivm_q$
WITH ivm_f AS MATERIALIZED (
  SELECT customer_id, total
  FROM (
    SELECT customer_id AS customer_id, total AS total
    FROM django_ivm.best_customers_4a4b9548_level_1
    WHERE ivm_n > 0) ivm_t
  ORDER BY total DESC NULLS LAST, customer_id ASC NULLS LAST
  LIMIT 10), ivm_d AS (
  DELETE
  FROM shop.best_customers AS ivm_t
  WHERE NOT EXISTS (
    SELECT
    FROM ivm_f
    WHERE ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record)
  RETURNING 1), ivm_i AS (
  INSERT INTO shop.best_customers AS ivm_s (customer_id, total)
  SELECT ivm_f.customer_id, ivm_f.total
  FROM ivm_f
  LEFT JOIN shop.best_customers AS ivm_t
  ON ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record
  WHERE ivm_t.ctid IS NULL OR ROW(ivm_f.customer_id, ivm_f.total)::record *<> ROW(ivm_t.customer_id,
      ivm_t.total)::record
  ORDER BY ivm_f.customer_id
  ON CONFLICT (customer_id) DO UPDATE SET customer_id = excluded.customer_id, total = excluded.total
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
    END IF;
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.best_customers_4a4b9548_2_0_insert() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_best_customers_4a4b9548_997_0_insert AFTER INSERT
ON django_ivm.best_customers_4a4b9548_level_1
REFERENCING NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.best_customers_4a4b9548_2_0_insert();

COMMENT
ON TRIGGER ivm_best_customers_4a4b9548_997_0_insert
ON django_ivm.best_customers_4a4b9548_level_1 IS 'fcb3ba93';

CREATE OR REPLACE FUNCTION django_ivm.best_customers_4a4b9548_2_0_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_many bigint;
  ivm_near boolean;
  ivm_inserted bigint;
  ivm_updated bigint;
  ivm_deleted bigint;
BEGIN
  IF NOT (ARRAY(
      SELECT ROW(customer_id, total)
      FROM ivm_old
      WHERE ivm_n > 0) IS DISTINCT FROM ARRAY(
      SELECT ROW(customer_id, total)
      FROM ivm_new
      WHERE ivm_n > 0)) THEN
    RETURN NULL;
  END IF;
  IF NOT ((TG_TABLE_NAME = 'best_customers_4a4b9548_level_1' AND TG_TABLE_SCHEMA = 'django_ivm')
      AND pg_trigger_depth() < 200) THEN
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
    SELECT (
      SELECT count(*)
      FROM (
        SELECT 1
        FROM shop.best_customers
        LIMIT 10) ivm_n) < 10 OR EXISTS (
      SELECT 1
      FROM (
        SELECT customer_id AS customer_id, total AS total, -1 AS ivm_w
        FROM ivm_old
        WHERE ivm_n > 0
        UNION ALL
        SELECT customer_id AS customer_id, total AS total, 1 AS ivm_w
        FROM ivm_new
        WHERE ivm_n > 0) ivm_c, (
        SELECT total, customer_id
        FROM shop.best_customers
        ORDER BY total ASC NULLS FIRST, customer_id DESC NULLS FIRST
        LIMIT 1) ivm_l
      WHERE coalesce((ivm_c.total > ivm_l.total OR (ivm_l.total IS NULL AND NOT (ivm_c.total IS NULL)))
          OR ((ivm_c.total = ivm_l.total OR (ivm_c.total IS NULL AND ivm_l.total IS NULL))
          AND coalesce((ivm_c.customer_id < ivm_l.customer_id OR (ivm_l.customer_id IS NULL
          AND NOT (ivm_c.customer_id IS NULL))) OR ((ivm_c.customer_id = ivm_l.customer_id
          OR (ivm_c.customer_id IS NULL AND ivm_l.customer_id IS NULL)) AND true), false)),
          false)) INTO ivm_near;
    IF NOT ivm_near THEN
      PERFORM 1
      FROM django_ivm.best_customers_4a4b9548_2_lock
      WHERE b = 0 AND st = pg_backend_pid() % 8
      ORDER BY b, st FOR NO KEY UPDATE;
      UPDATE django_ivm.best_customers_4a4b9548_2_lock
      SET ver = ver + 1
      WHERE b = 0 AND st = pg_backend_pid() % 8;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.best_customers_4a4b9548_2_lock) THEN
          PERFORM django_ivm.best_customers_4a4b9548_2_lock_rows();
          PERFORM 1
          FROM django_ivm.best_customers_4a4b9548_2_lock
          WHERE b = 0 AND st = pg_backend_pid() % 8
          ORDER BY b, st FOR NO KEY UPDATE;
          UPDATE django_ivm.best_customers_4a4b9548_2_lock
          SET ver = ver + 1
          WHERE b = 0 AND st = pg_backend_pid() % 8;
        END IF;
      END IF;
      SELECT (
        SELECT count(*)
        FROM (
          SELECT 1
          FROM shop.best_customers
          LIMIT 10) ivm_n) < 10 OR EXISTS (
        SELECT 1
        FROM (
          SELECT customer_id AS customer_id, total AS total, -1 AS ivm_w
          FROM ivm_old
          WHERE ivm_n > 0
          UNION ALL
          SELECT customer_id AS customer_id, total AS total, 1 AS ivm_w
          FROM ivm_new
          WHERE ivm_n > 0) ivm_c, (
          SELECT total, customer_id
          FROM shop.best_customers
          ORDER BY total ASC NULLS FIRST, customer_id DESC NULLS FIRST
          LIMIT 1) ivm_l
        WHERE coalesce((ivm_c.total > ivm_l.total OR (ivm_l.total IS NULL AND NOT (ivm_c.total IS NULL)))
            OR ((ivm_c.total = ivm_l.total OR (ivm_c.total IS NULL AND ivm_l.total IS NULL))
            AND coalesce((ivm_c.customer_id < ivm_l.customer_id OR (ivm_l.customer_id IS NULL
            AND NOT (ivm_c.customer_id IS NULL))) OR ((ivm_c.customer_id = ivm_l.customer_id
            OR (ivm_c.customer_id IS NULL AND ivm_l.customer_id IS NULL)) AND true), false)),
            false)) INTO ivm_near;
    END IF;
    IF ivm_near THEN
      PERFORM 1 FROM django_ivm.best_customers_4a4b9548_2_lock WHERE b = 0 ORDER BY b, st FOR NO KEY UPDATE;
      UPDATE django_ivm.best_customers_4a4b9548_2_lock SET ver = ver + 1 WHERE b = 0;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.best_customers_4a4b9548_2_lock) THEN
          PERFORM django_ivm.best_customers_4a4b9548_2_lock_rows();
          PERFORM 1
          FROM django_ivm.best_customers_4a4b9548_2_lock
          WHERE b = 0
          ORDER BY b, st FOR NO KEY UPDATE;
          UPDATE django_ivm.best_customers_4a4b9548_2_lock SET ver = ver + 1 WHERE b = 0;
        END IF;
      END IF;
      WITH ivm_f AS MATERIALIZED (
        SELECT customer_id, total
        FROM (
          SELECT customer_id AS customer_id, total AS total
          FROM django_ivm.best_customers_4a4b9548_level_1
          WHERE ivm_n > 0) ivm_t
        ORDER BY total DESC NULLS LAST, customer_id ASC NULLS LAST
        LIMIT 10), ivm_d AS (
        DELETE
        FROM shop.best_customers AS ivm_t
        WHERE NOT EXISTS (
          SELECT
          FROM ivm_f
          WHERE ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record)
        RETURNING 1), ivm_i AS (
        INSERT INTO shop.best_customers AS ivm_s (customer_id, total)
        SELECT ivm_f.customer_id, ivm_f.total
        FROM ivm_f
        LEFT JOIN shop.best_customers AS ivm_t
        ON ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record
        WHERE ivm_t.ctid IS NULL OR ROW(ivm_f.customer_id, ivm_f.total)::record *<> ROW(ivm_t.customer_id,
            ivm_t.total)::record
        ORDER BY ivm_f.customer_id
        ON CONFLICT (customer_id) DO UPDATE SET customer_id = excluded.customer_id, total = excluded.total
        RETURNING (ivm_s.xmax = 0) AS ivm_new)
      SELECT (
        SELECT count(*)
        FROM ivm_i
        WHERE ivm_new), (
        SELECT count(*)
        FROM ivm_i
        WHERE NOT ivm_new), (
        SELECT count(*)
        FROM ivm_d) INTO ivm_inserted, ivm_updated, ivm_deleted;
    END IF;
  ELSE
    PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
        set_config('enable_mergejoin', 'on', true);
    EXECUTE $ivm_q$
SELECT (
  SELECT count(*)
  FROM (
    SELECT 1
    FROM shop.best_customers
    LIMIT 10) ivm_n) < 10 OR EXISTS (
  SELECT 1
  FROM (
    SELECT customer_id AS customer_id, total AS total, -1 AS ivm_w
    FROM ivm_old
    WHERE ivm_n > 0
    UNION ALL
    SELECT customer_id AS customer_id, total AS total, 1 AS ivm_w
    FROM ivm_new
    WHERE ivm_n > 0) ivm_c, (
    SELECT total, customer_id
    FROM shop.best_customers
    ORDER BY total ASC NULLS FIRST, customer_id DESC NULLS FIRST
    LIMIT 1) ivm_l
  WHERE coalesce((ivm_c.total > ivm_l.total OR (ivm_l.total IS NULL AND NOT (ivm_c.total IS NULL)))
      OR ((ivm_c.total = ivm_l.total OR (ivm_c.total IS NULL AND ivm_l.total IS NULL))
      AND coalesce((ivm_c.customer_id < ivm_l.customer_id OR (ivm_l.customer_id IS NULL
      AND NOT (ivm_c.customer_id IS NULL))) OR ((ivm_c.customer_id = ivm_l.customer_id
      OR (ivm_c.customer_id IS NULL AND ivm_l.customer_id IS NULL)) AND true), false)), false))
$ivm_q$ INTO ivm_near;
    IF NOT ivm_near THEN
      PERFORM 1
      FROM django_ivm.best_customers_4a4b9548_2_lock
      WHERE b = 0 AND st = pg_backend_pid() % 8
      ORDER BY b, st FOR NO KEY UPDATE;
      UPDATE django_ivm.best_customers_4a4b9548_2_lock
      SET ver = ver + 1
      WHERE b = 0 AND st = pg_backend_pid() % 8;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.best_customers_4a4b9548_2_lock) THEN
          PERFORM django_ivm.best_customers_4a4b9548_2_lock_rows();
          PERFORM 1
          FROM django_ivm.best_customers_4a4b9548_2_lock
          WHERE b = 0 AND st = pg_backend_pid() % 8
          ORDER BY b, st FOR NO KEY UPDATE;
          UPDATE django_ivm.best_customers_4a4b9548_2_lock
          SET ver = ver + 1
          WHERE b = 0 AND st = pg_backend_pid() % 8;
        END IF;
      END IF;
      EXECUTE $ivm_q$
SELECT (
  SELECT count(*)
  FROM (
    SELECT 1
    FROM shop.best_customers
    LIMIT 10) ivm_n) < 10 OR EXISTS (
  SELECT 1
  FROM (
    SELECT customer_id AS customer_id, total AS total, -1 AS ivm_w
    FROM ivm_old
    WHERE ivm_n > 0
    UNION ALL
    SELECT customer_id AS customer_id, total AS total, 1 AS ivm_w
    FROM ivm_new
    WHERE ivm_n > 0) ivm_c, (
    SELECT total, customer_id
    FROM shop.best_customers
    ORDER BY total ASC NULLS FIRST, customer_id DESC NULLS FIRST
    LIMIT 1) ivm_l
  WHERE coalesce((ivm_c.total > ivm_l.total OR (ivm_l.total IS NULL AND NOT (ivm_c.total IS NULL)))
      OR ((ivm_c.total = ivm_l.total OR (ivm_c.total IS NULL AND ivm_l.total IS NULL))
      AND coalesce((ivm_c.customer_id < ivm_l.customer_id OR (ivm_l.customer_id IS NULL
      AND NOT (ivm_c.customer_id IS NULL))) OR ((ivm_c.customer_id = ivm_l.customer_id
      OR (ivm_c.customer_id IS NULL AND ivm_l.customer_id IS NULL)) AND true), false)), false))
$ivm_q$ INTO ivm_near;
    END IF;
    IF ivm_near THEN
      PERFORM 1 FROM django_ivm.best_customers_4a4b9548_2_lock WHERE b = 0 ORDER BY b, st FOR NO KEY UPDATE;
      UPDATE django_ivm.best_customers_4a4b9548_2_lock SET ver = ver + 1 WHERE b = 0;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.best_customers_4a4b9548_2_lock) THEN
          PERFORM django_ivm.best_customers_4a4b9548_2_lock_rows();
          PERFORM 1
          FROM django_ivm.best_customers_4a4b9548_2_lock
          WHERE b = 0
          ORDER BY b, st FOR NO KEY UPDATE;
          UPDATE django_ivm.best_customers_4a4b9548_2_lock SET ver = ver + 1 WHERE b = 0;
        END IF;
      END IF;
      EXECUTE $ivm_q$
WITH ivm_f AS MATERIALIZED (
  SELECT customer_id, total
  FROM (
    SELECT customer_id AS customer_id, total AS total
    FROM django_ivm.best_customers_4a4b9548_level_1
    WHERE ivm_n > 0) ivm_t
  ORDER BY total DESC NULLS LAST, customer_id ASC NULLS LAST
  LIMIT 10), ivm_d AS (
  DELETE
  FROM shop.best_customers AS ivm_t
  WHERE NOT EXISTS (
    SELECT
    FROM ivm_f
    WHERE ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record)
  RETURNING 1), ivm_i AS (
  INSERT INTO shop.best_customers AS ivm_s (customer_id, total)
  SELECT ivm_f.customer_id, ivm_f.total
  FROM ivm_f
  LEFT JOIN shop.best_customers AS ivm_t
  ON ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record
  WHERE ivm_t.ctid IS NULL OR ROW(ivm_f.customer_id, ivm_f.total)::record *<> ROW(ivm_t.customer_id,
      ivm_t.total)::record
  ORDER BY ivm_f.customer_id
  ON CONFLICT (customer_id) DO UPDATE SET customer_id = excluded.customer_id, total = excluded.total
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
    END IF;
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.best_customers_4a4b9548_2_0_update() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_best_customers_4a4b9548_997_0_update AFTER UPDATE ON django_ivm.best_customers_4a4b9548_level_1
REFERENCING OLD TABLE AS ivm_old NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.best_customers_4a4b9548_2_0_update();

COMMENT
ON TRIGGER ivm_best_customers_4a4b9548_997_0_update
ON django_ivm.best_customers_4a4b9548_level_1 IS '2cfbc41d';

CREATE OR REPLACE FUNCTION django_ivm.best_customers_4a4b9548_2_0_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_many bigint;
  ivm_near boolean;
  ivm_inserted bigint;
  ivm_updated bigint;
  ivm_deleted bigint;
BEGIN
  IF NOT ((TG_TABLE_NAME = 'best_customers_4a4b9548_level_1' AND TG_TABLE_SCHEMA = 'django_ivm')
      AND pg_trigger_depth() < 200) THEN
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
    SELECT (
      SELECT count(*)
      FROM (
        SELECT 1
        FROM shop.best_customers
        LIMIT 10) ivm_n) < 10 OR EXISTS (
      SELECT 1
      FROM (
        SELECT customer_id AS customer_id, total AS total, -1 AS ivm_w
        FROM ivm_old
        WHERE ivm_n > 0) ivm_c, (
        SELECT total, customer_id
        FROM shop.best_customers
        ORDER BY total ASC NULLS FIRST, customer_id DESC NULLS FIRST
        LIMIT 1) ivm_l
      WHERE coalesce((ivm_c.total > ivm_l.total OR (ivm_l.total IS NULL AND NOT (ivm_c.total IS NULL)))
          OR ((ivm_c.total = ivm_l.total OR (ivm_c.total IS NULL AND ivm_l.total IS NULL))
          AND coalesce((ivm_c.customer_id < ivm_l.customer_id OR (ivm_l.customer_id IS NULL
          AND NOT (ivm_c.customer_id IS NULL))) OR ((ivm_c.customer_id = ivm_l.customer_id
          OR (ivm_c.customer_id IS NULL AND ivm_l.customer_id IS NULL)) AND true), false)),
          false)) INTO ivm_near;
    IF NOT ivm_near THEN
      PERFORM 1
      FROM django_ivm.best_customers_4a4b9548_2_lock
      WHERE b = 0 AND st = pg_backend_pid() % 8
      ORDER BY b, st FOR NO KEY UPDATE;
      UPDATE django_ivm.best_customers_4a4b9548_2_lock
      SET ver = ver + 1
      WHERE b = 0 AND st = pg_backend_pid() % 8;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.best_customers_4a4b9548_2_lock) THEN
          PERFORM django_ivm.best_customers_4a4b9548_2_lock_rows();
          PERFORM 1
          FROM django_ivm.best_customers_4a4b9548_2_lock
          WHERE b = 0 AND st = pg_backend_pid() % 8
          ORDER BY b, st FOR NO KEY UPDATE;
          UPDATE django_ivm.best_customers_4a4b9548_2_lock
          SET ver = ver + 1
          WHERE b = 0 AND st = pg_backend_pid() % 8;
        END IF;
      END IF;
      SELECT (
        SELECT count(*)
        FROM (
          SELECT 1
          FROM shop.best_customers
          LIMIT 10) ivm_n) < 10 OR EXISTS (
        SELECT 1
        FROM (
          SELECT customer_id AS customer_id, total AS total, -1 AS ivm_w
          FROM ivm_old
          WHERE ivm_n > 0) ivm_c, (
          SELECT total, customer_id
          FROM shop.best_customers
          ORDER BY total ASC NULLS FIRST, customer_id DESC NULLS FIRST
          LIMIT 1) ivm_l
        WHERE coalesce((ivm_c.total > ivm_l.total OR (ivm_l.total IS NULL AND NOT (ivm_c.total IS NULL)))
            OR ((ivm_c.total = ivm_l.total OR (ivm_c.total IS NULL AND ivm_l.total IS NULL))
            AND coalesce((ivm_c.customer_id < ivm_l.customer_id OR (ivm_l.customer_id IS NULL
            AND NOT (ivm_c.customer_id IS NULL))) OR ((ivm_c.customer_id = ivm_l.customer_id
            OR (ivm_c.customer_id IS NULL AND ivm_l.customer_id IS NULL)) AND true), false)),
            false)) INTO ivm_near;
    END IF;
    IF ivm_near THEN
      PERFORM 1 FROM django_ivm.best_customers_4a4b9548_2_lock WHERE b = 0 ORDER BY b, st FOR NO KEY UPDATE;
      UPDATE django_ivm.best_customers_4a4b9548_2_lock SET ver = ver + 1 WHERE b = 0;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.best_customers_4a4b9548_2_lock) THEN
          PERFORM django_ivm.best_customers_4a4b9548_2_lock_rows();
          PERFORM 1
          FROM django_ivm.best_customers_4a4b9548_2_lock
          WHERE b = 0
          ORDER BY b, st FOR NO KEY UPDATE;
          UPDATE django_ivm.best_customers_4a4b9548_2_lock SET ver = ver + 1 WHERE b = 0;
        END IF;
      END IF;
      WITH ivm_f AS MATERIALIZED (
        SELECT customer_id, total
        FROM (
          SELECT customer_id AS customer_id, total AS total
          FROM django_ivm.best_customers_4a4b9548_level_1
          WHERE ivm_n > 0) ivm_t
        ORDER BY total DESC NULLS LAST, customer_id ASC NULLS LAST
        LIMIT 10), ivm_d AS (
        DELETE
        FROM shop.best_customers AS ivm_t
        WHERE NOT EXISTS (
          SELECT
          FROM ivm_f
          WHERE ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record)
        RETURNING 1), ivm_i AS (
        INSERT INTO shop.best_customers AS ivm_s (customer_id, total)
        SELECT ivm_f.customer_id, ivm_f.total
        FROM ivm_f
        LEFT JOIN shop.best_customers AS ivm_t
        ON ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record
        WHERE ivm_t.ctid IS NULL OR ROW(ivm_f.customer_id, ivm_f.total)::record *<> ROW(ivm_t.customer_id,
            ivm_t.total)::record
        ORDER BY ivm_f.customer_id
        ON CONFLICT (customer_id) DO UPDATE SET customer_id = excluded.customer_id, total = excluded.total
        RETURNING (ivm_s.xmax = 0) AS ivm_new)
      SELECT (
        SELECT count(*)
        FROM ivm_i
        WHERE ivm_new), (
        SELECT count(*)
        FROM ivm_i
        WHERE NOT ivm_new), (
        SELECT count(*)
        FROM ivm_d) INTO ivm_inserted, ivm_updated, ivm_deleted;
    END IF;
  ELSE
    PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
        set_config('enable_mergejoin', 'on', true);
    EXECUTE $ivm_q$
SELECT (
  SELECT count(*)
  FROM (
    SELECT 1
    FROM shop.best_customers
    LIMIT 10) ivm_n) < 10 OR EXISTS (
  SELECT 1
  FROM (
    SELECT customer_id AS customer_id, total AS total, -1 AS ivm_w
    FROM ivm_old
    WHERE ivm_n > 0) ivm_c, (
    SELECT total, customer_id
    FROM shop.best_customers
    ORDER BY total ASC NULLS FIRST, customer_id DESC NULLS FIRST
    LIMIT 1) ivm_l
  WHERE coalesce((ivm_c.total > ivm_l.total OR (ivm_l.total IS NULL AND NOT (ivm_c.total IS NULL)))
      OR ((ivm_c.total = ivm_l.total OR (ivm_c.total IS NULL AND ivm_l.total IS NULL))
      AND coalesce((ivm_c.customer_id < ivm_l.customer_id OR (ivm_l.customer_id IS NULL
      AND NOT (ivm_c.customer_id IS NULL))) OR ((ivm_c.customer_id = ivm_l.customer_id
      OR (ivm_c.customer_id IS NULL AND ivm_l.customer_id IS NULL)) AND true), false)), false))
$ivm_q$ INTO ivm_near;
    IF NOT ivm_near THEN
      PERFORM 1
      FROM django_ivm.best_customers_4a4b9548_2_lock
      WHERE b = 0 AND st = pg_backend_pid() % 8
      ORDER BY b, st FOR NO KEY UPDATE;
      UPDATE django_ivm.best_customers_4a4b9548_2_lock
      SET ver = ver + 1
      WHERE b = 0 AND st = pg_backend_pid() % 8;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.best_customers_4a4b9548_2_lock) THEN
          PERFORM django_ivm.best_customers_4a4b9548_2_lock_rows();
          PERFORM 1
          FROM django_ivm.best_customers_4a4b9548_2_lock
          WHERE b = 0 AND st = pg_backend_pid() % 8
          ORDER BY b, st FOR NO KEY UPDATE;
          UPDATE django_ivm.best_customers_4a4b9548_2_lock
          SET ver = ver + 1
          WHERE b = 0 AND st = pg_backend_pid() % 8;
        END IF;
      END IF;
      EXECUTE $ivm_q$
SELECT (
  SELECT count(*)
  FROM (
    SELECT 1
    FROM shop.best_customers
    LIMIT 10) ivm_n) < 10 OR EXISTS (
  SELECT 1
  FROM (
    SELECT customer_id AS customer_id, total AS total, -1 AS ivm_w
    FROM ivm_old
    WHERE ivm_n > 0) ivm_c, (
    SELECT total, customer_id
    FROM shop.best_customers
    ORDER BY total ASC NULLS FIRST, customer_id DESC NULLS FIRST
    LIMIT 1) ivm_l
  WHERE coalesce((ivm_c.total > ivm_l.total OR (ivm_l.total IS NULL AND NOT (ivm_c.total IS NULL)))
      OR ((ivm_c.total = ivm_l.total OR (ivm_c.total IS NULL AND ivm_l.total IS NULL))
      AND coalesce((ivm_c.customer_id < ivm_l.customer_id OR (ivm_l.customer_id IS NULL
      AND NOT (ivm_c.customer_id IS NULL))) OR ((ivm_c.customer_id = ivm_l.customer_id
      OR (ivm_c.customer_id IS NULL AND ivm_l.customer_id IS NULL)) AND true), false)), false))
$ivm_q$ INTO ivm_near;
    END IF;
    IF ivm_near THEN
      PERFORM 1 FROM django_ivm.best_customers_4a4b9548_2_lock WHERE b = 0 ORDER BY b, st FOR NO KEY UPDATE;
      UPDATE django_ivm.best_customers_4a4b9548_2_lock SET ver = ver + 1 WHERE b = 0;
      IF NOT FOUND THEN
        IF NOT EXISTS (SELECT 1 FROM django_ivm.best_customers_4a4b9548_2_lock) THEN
          PERFORM django_ivm.best_customers_4a4b9548_2_lock_rows();
          PERFORM 1
          FROM django_ivm.best_customers_4a4b9548_2_lock
          WHERE b = 0
          ORDER BY b, st FOR NO KEY UPDATE;
          UPDATE django_ivm.best_customers_4a4b9548_2_lock SET ver = ver + 1 WHERE b = 0;
        END IF;
      END IF;
      EXECUTE $ivm_q$
WITH ivm_f AS MATERIALIZED (
  SELECT customer_id, total
  FROM (
    SELECT customer_id AS customer_id, total AS total
    FROM django_ivm.best_customers_4a4b9548_level_1
    WHERE ivm_n > 0) ivm_t
  ORDER BY total DESC NULLS LAST, customer_id ASC NULLS LAST
  LIMIT 10), ivm_d AS (
  DELETE
  FROM shop.best_customers AS ivm_t
  WHERE NOT EXISTS (
    SELECT
    FROM ivm_f
    WHERE ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record)
  RETURNING 1), ivm_i AS (
  INSERT INTO shop.best_customers AS ivm_s (customer_id, total)
  SELECT ivm_f.customer_id, ivm_f.total
  FROM ivm_f
  LEFT JOIN shop.best_customers AS ivm_t
  ON ROW(ivm_f.customer_id)::record = ROW(ivm_t.customer_id)::record
  WHERE ivm_t.ctid IS NULL OR ROW(ivm_f.customer_id, ivm_f.total)::record *<> ROW(ivm_t.customer_id,
      ivm_t.total)::record
  ORDER BY ivm_f.customer_id
  ON CONFLICT (customer_id) DO UPDATE SET customer_id = excluded.customer_id, total = excluded.total
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
    END IF;
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.best_customers_4a4b9548_2_0_delete() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_best_customers_4a4b9548_997_0_delete AFTER DELETE
ON django_ivm.best_customers_4a4b9548_level_1
REFERENCING OLD TABLE AS ivm_old FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.best_customers_4a4b9548_2_0_delete();

COMMENT
ON TRIGGER ivm_best_customers_4a4b9548_997_0_delete
ON django_ivm.best_customers_4a4b9548_level_1 IS '72b81231';

CREATE OR REPLACE FUNCTION django_ivm.best_customers_4a4b9548_2_0_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp AS $ivm_body$
#variable_conflict use_column
BEGIN
  IF NOT ((TG_TABLE_NAME = 'best_customers_4a4b9548_level_1' AND TG_TABLE_SCHEMA = 'django_ivm')) THEN
    IF pg_trigger_depth() >= 200 THEN
      RAISE EXCEPTION 'a trigger on the maintained table computed from %.% writes to it again',
          TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';
    END IF;
    RAISE EXCEPTION 'this function maintains a view for changes of another table than %.%', TG_TABLE_SCHEMA,
        TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege', HINT = 'After a rename, run ivm_install.';
  END IF;
  PERFORM django_ivm.best_customers_4a4b9548_2_replace();
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('shop', 'best_customers',
        'TRUNCATE of ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME || ' in a transaction whose snapshot stands');
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.best_customers_4a4b9548_2_0_truncate() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_best_customers_4a4b9548_997_0_truncate AFTER TRUNCATE
ON django_ivm.best_customers_4a4b9548_level_1 FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.best_customers_4a4b9548_2_0_truncate();

COMMENT
ON TRIGGER ivm_best_customers_4a4b9548_997_0_truncate
ON django_ivm.best_customers_4a4b9548_level_1 IS '36f50145';

CREATE OR REPLACE FUNCTION django_ivm.best_customers_4a4b9548_alarm() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off AS $ivm_body$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (
    SELECT 1
    FROM django_ivm.stale
    WHERE ctid = nullif(current_setting('ivm.m4a4b9548', true), '')::tid AND xid = pg_current_xact_id()
        AND view_schema = 'shop' AND view_name = 'best_customers') THEN
    DECLARE ivm_mark text;
    BEGIN
      WITH ivm_m AS (
        INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('shop', 'best_customers',
            lower(TG_OP) || ' on ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME || ' under session_replication_role = replica')
        RETURNING ctid)
      SELECT set_config('ivm.m4a4b9548', ctid::text, true)
      FROM ivm_m INTO ivm_mark;
      END;
    END IF;
    RETURN NULL;
  END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.best_customers_4a4b9548_alarm() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_best_customers_4a4b9548_alarm AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON shop.purchase FOR EACH STATEMENT WHEN (current_setting('session_replication_role') = 'replica')
EXECUTE FUNCTION django_ivm.best_customers_4a4b9548_alarm();

SELECT django_ivm.fire_for_replicas('shop.purchase', 'ivm_best_customers_4a4b9548_alarm');

COMMENT ON TRIGGER ivm_best_customers_4a4b9548_alarm ON shop.purchase IS 'af508ad9';

CREATE OR REPLACE TRIGGER ivm_best_customers_4a4b9548_alarm AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON django_ivm.best_customers_4a4b9548_level_1 FOR EACH STATEMENT
    WHEN (current_setting('session_replication_role') = 'replica'
    AND current_setting('search_path') IS DISTINCT FROM 'pg_catalog, django_ivm, pg_temp')
EXECUTE FUNCTION django_ivm.best_customers_4a4b9548_alarm();

SELECT django_ivm.fire_for_replicas('django_ivm.best_customers_4a4b9548_level_1',
    'ivm_best_customers_4a4b9548_alarm');

COMMENT
ON TRIGGER ivm_best_customers_4a4b9548_alarm
ON django_ivm.best_customers_4a4b9548_level_1 IS '260b0a98';

CREATE OR REPLACE TRIGGER ivm_best_customers_4a4b9548_alarm AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON shop.best_customers FOR EACH STATEMENT WHEN (current_setting('session_replication_role') = 'replica'
    AND current_setting('search_path') IS DISTINCT FROM 'pg_catalog, django_ivm, pg_temp')
EXECUTE FUNCTION django_ivm.best_customers_4a4b9548_alarm();

SELECT django_ivm.fire_for_replicas('shop.best_customers', 'ivm_best_customers_4a4b9548_alarm');

COMMENT ON TRIGGER ivm_best_customers_4a4b9548_alarm ON shop.best_customers IS '335a4971';

CREATE OR REPLACE TRIGGER ivm_read_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE
ON django_ivm.best_customers_4a4b9548_level_1 FOR EACH STATEMENT
    WHEN (current_setting('search_path') IS DISTINCT FROM 'pg_catalog, django_ivm, pg_temp')
EXECUTE FUNCTION django_ivm.refuse_write('best_customers');

CREATE OR REPLACE TRIGGER ivm_read_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE
ON shop.best_customers FOR EACH STATEMENT
    WHEN (current_setting('search_path') IS DISTINCT FROM 'pg_catalog, django_ivm, pg_temp')
EXECUTE FUNCTION django_ivm.refuse_write('best_customers');

CREATE OR REPLACE TRIGGER ivm_twin AFTER INSERT
ON django_ivm.best_customers_4a4b9548_level_1 FOR EACH ROW
    WHEN (current_setting('transaction_isolation') <> 'read committed')
EXECUTE FUNCTION django_ivm.refuse_twin('(ivm_old.customer_id = ivm_new.customer_id OR (ivm_old.customer_id IS NULL AND ivm_new.customer_id IS NULL))');

CREATE OR REPLACE TRIGGER ivm_twin AFTER INSERT
ON shop.best_customers FOR EACH ROW WHEN (current_setting('transaction_isolation') <> 'read committed')
EXECUTE FUNCTION django_ivm.refuse_twin('(ivm_old.customer_id = ivm_new.customer_id OR (ivm_old.customer_id IS NULL AND ivm_new.customer_id IS NULL))');
