-- One table, sums and counts: a change is folded per group and added to the stored group.
-- Made by scripts/gallery.py; changes by hand are lost.
--
-- strategy: incremental
--   status_totals_f24c16d2_data: groups by (status); count(*): fold, sum(amount): fold, avg(amount): fold
--     hidden columns: ivm_a, ivm_a_2, ivm_a_3
--     on shop.purchase [status, amount] (direct):
--       Δ shop.purchase

LOCK TABLE shop.purchase IN SHARE ROW EXCLUSIVE MODE;

CREATE SCHEMA IF NOT EXISTS django_ivm;

CREATE OR REPLACE VIEW django_ivm.status_totals_f24c16d2_query AS
SELECT status, count(*) AS purchases, sum(amount) AS total, avg(amount) AS mean
FROM shop.purchase
GROUP BY status;

CREATE TABLE django_ivm.status_totals_f24c16d2_data AS
SELECT status, purchases, (CASE WHEN ivm_a < 1 THEN NULL WHEN ivm_a_3 > 0 THEN 'NaN'::numeric
    ELSE ivm_a_2 END) AS total, (CASE WHEN ivm_a < 1 THEN NULL WHEN ivm_a_3 > 0 THEN 'NaN'::numeric
    ELSE ivm_a_2 / ivm_a END) AS mean, ivm_a, ivm_a_2, ivm_a_3
FROM (
  SELECT status, purchases AS purchases, ivm_a AS ivm_a, CASE WHEN ivm_g.ivm_a_2 = 'NaN'::numeric THEN (
    SELECT coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric
    FROM (
      SELECT status AS status, amount AS amount
      FROM shop.purchase) ivm_a
    WHERE ivm_a.status = ivm_g.status) ELSE ivm_g.ivm_a_2 END AS ivm_a_2, CASE
        WHEN ivm_g.ivm_a_2 = 'NaN'::numeric THEN (
    SELECT count(*) FILTER (WHERE ((amount) = 'NaN'::numeric))
    FROM (
      SELECT status AS status, amount AS amount
      FROM shop.purchase) ivm_a
    WHERE ivm_a.status = ivm_g.status) ELSE 0 END AS ivm_a_3
  FROM (
    SELECT status AS status, count(*) AS purchases, count(amount) AS ivm_a, coalesce(sum((amount)),
        0)::numeric AS ivm_a_2
    FROM (
      SELECT status AS status, amount AS amount
      FROM shop.purchase) ivm_a
    GROUP BY (status)) ivm_g) ivm_h;

CREATE UNIQUE INDEX ivm_d4733d53_key ON django_ivm.status_totals_f24c16d2_data (status) NULLS NOT DISTINCT;

CREATE VIEW shop.status_totals AS
SELECT status, purchases, total, mean
FROM django_ivm.status_totals_f24c16d2_data;

CREATE OR REPLACE FUNCTION django_ivm.status_totals_f24c16d2_1_replace(OUT ivm_inserted bigint,
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
  LOCK TABLE django_ivm.status_totals_f24c16d2_data IN SHARE ROW EXCLUSIVE MODE;
  EXECUTE $ivm_q$
WITH ivm_f AS MATERIALIZED (
  SELECT status, purchases, (CASE WHEN ivm_a < 1 THEN NULL WHEN ivm_a_3 > 0 THEN 'NaN'::numeric
      ELSE ivm_a_2 END) AS total, (CASE WHEN ivm_a < 1 THEN NULL WHEN ivm_a_3 > 0 THEN 'NaN'::numeric
      ELSE ivm_a_2 / ivm_a END) AS mean, ivm_a, ivm_a_2, ivm_a_3
  FROM (
    SELECT status, purchases AS purchases, ivm_a AS ivm_a, CASE WHEN ivm_g.ivm_a_2 = 'NaN'::numeric THEN (
      SELECT coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric
      FROM (
        SELECT status AS status, amount AS amount
        FROM shop.purchase) ivm_a
      WHERE ivm_a.status = ivm_g.status) ELSE ivm_g.ivm_a_2 END AS ivm_a_2, CASE
          WHEN ivm_g.ivm_a_2 = 'NaN'::numeric THEN (
      SELECT count(*) FILTER (WHERE ((amount) = 'NaN'::numeric))
      FROM (
        SELECT status AS status, amount AS amount
        FROM shop.purchase) ivm_a
      WHERE ivm_a.status = ivm_g.status) ELSE 0 END AS ivm_a_3
    FROM (
      SELECT status AS status, count(*) AS purchases, count(amount) AS ivm_a, coalesce(sum((amount)),
          0)::numeric AS ivm_a_2
      FROM (
        SELECT status AS status, amount AS amount
        FROM shop.purchase) ivm_a
      GROUP BY (status)) ivm_g) ivm_h), ivm_d AS (
  DELETE
  FROM django_ivm.status_totals_f24c16d2_data AS ivm_t
  WHERE NOT EXISTS (
    SELECT
    FROM ivm_f
    WHERE ivm_f.status = ivm_t.status)
  RETURNING 1), ivm_i AS (
  INSERT INTO django_ivm.status_totals_f24c16d2_data AS ivm_s (status, purchases, total, mean, ivm_a, ivm_a_2,
      ivm_a_3)
  SELECT ivm_f.status, ivm_f.purchases, ivm_f.total, ivm_f.mean, ivm_f.ivm_a, ivm_f.ivm_a_2, ivm_f.ivm_a_3
  FROM ivm_f
  LEFT JOIN django_ivm.status_totals_f24c16d2_data AS ivm_t
  ON ivm_f.status = ivm_t.status
  WHERE ivm_t.ctid IS NULL OR ROW(ivm_f.status, ivm_f.purchases, ivm_f.total, ivm_f.mean, ivm_f.ivm_a,
      ivm_f.ivm_a_2, ivm_f.ivm_a_3)::record *<> ROW(ivm_t.status, ivm_t.purchases, ivm_t.total, ivm_t.mean,
      ivm_t.ivm_a, ivm_t.ivm_a_2, ivm_t.ivm_a_3)::record
  ORDER BY ivm_f.status
  ON CONFLICT (status) DO UPDATE SET status = excluded.status, purchases = excluded.purchases,
      total = excluded.total, mean = excluded.mean, ivm_a = excluded.ivm_a, ivm_a_2 = excluded.ivm_a_2,
      ivm_a_3 = excluded.ivm_a_3
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

REVOKE ALL ON FUNCTION django_ivm.status_totals_f24c16d2_1_replace() FROM PUBLIC;

CREATE OR REPLACE FUNCTION django_ivm.status_totals_f24c16d2_1_0_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp AS $ivm_body$
#variable_conflict use_column
DECLARE
  ivm_zero tid[];
  ivm_touched tid[];
  ivm_below boolean;
BEGIN
  IF ((TG_TABLE_NAME = 'purchase' AND TG_TABLE_SCHEMA = 'shop') AND pg_trigger_depth() < 200)
      AND coalesce(current_setting('ivm.nf24c16d2_1', true), '') = '' THEN
    INSERT INTO django_ivm.status_totals_f24c16d2_data AS ivm_t (status, purchases, ivm_a, ivm_a_2, ivm_a_3,
        total, mean)
    SELECT ivm_d.status, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, CASE
        WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL WHEN ivm_d.ivm_a_3 > 0
        THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END, CASE WHEN ivm_d.purchases > 0 THEN (CASE
        WHEN ivm_d.ivm_a < 1 THEN NULL WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric
        ELSE ivm_d.ivm_a_2 / ivm_d.ivm_a END) END
    FROM (
      SELECT status AS status, count(*) AS purchases, count(amount) AS ivm_a,
          coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
          count(*) FILTER (WHERE ((amount) = 'NaN'::numeric)) AS ivm_a_3
      FROM (
        SELECT status AS status, amount AS amount, 1 AS ivm_w
        FROM ivm_new) ivm_c
      GROUP BY (status)) ivm_d
    ORDER BY ivm_d.status
    ON CONFLICT (status) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
        ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
        ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), total = CASE
        WHEN (ivm_t.purchases + excluded.purchases) > 0 THEN (CASE
        WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0
        THEN 'NaN'::numeric ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END, mean = CASE
        WHEN (ivm_t.purchases + excluded.purchases) > 0 THEN (CASE
        WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0
        THEN 'NaN'::numeric
        ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) / ((ivm_t.ivm_a + excluded.ivm_a)) END) END;
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
    INSERT INTO django_ivm.status_totals_f24c16d2_data AS ivm_t (status, purchases, ivm_a, ivm_a_2, ivm_a_3,
        total, mean)
    SELECT ivm_d.status, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, CASE
        WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL WHEN ivm_d.ivm_a_3 > 0
        THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END, CASE WHEN ivm_d.purchases > 0 THEN (CASE
        WHEN ivm_d.ivm_a < 1 THEN NULL WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric
        ELSE ivm_d.ivm_a_2 / ivm_d.ivm_a END) END
    FROM (
      SELECT status AS status, count(*) AS purchases, count(amount) AS ivm_a,
          coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
          count(*) FILTER (WHERE ((amount) = 'NaN'::numeric)) AS ivm_a_3
      FROM (
        SELECT status AS status, amount AS amount, 1 AS ivm_w
        FROM ivm_new) ivm_c
      GROUP BY (status)) ivm_d
    ORDER BY ivm_d.status
    ON CONFLICT (status) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
        ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
        ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), total = CASE
        WHEN (ivm_t.purchases + excluded.purchases) > 0 THEN (CASE
        WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0
        THEN 'NaN'::numeric ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END, mean = CASE
        WHEN (ivm_t.purchases + excluded.purchases) > 0 THEN (CASE
        WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0
        THEN 'NaN'::numeric
        ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) / ((ivm_t.ivm_a + excluded.ivm_a)) END) END
    RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, false AS ivm_probe)
  SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0), array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0
      AND ivm_probe), bool_or(ivm_left < 0)
  FROM ivm_up INTO ivm_zero, ivm_touched, ivm_below;
  IF ivm_zero IS NOT NULL THEN
    DELETE FROM django_ivm.status_totals_f24c16d2_data WHERE ctid = ANY(ivm_zero);
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.status_totals_f24c16d2_1_0_insert() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_status_totals_f24c16d2_998_0_insert AFTER INSERT
ON shop.purchase
REFERENCING NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.status_totals_f24c16d2_1_0_insert();

COMMENT ON TRIGGER ivm_status_totals_f24c16d2_998_0_insert ON shop.purchase IS 'eb843da8';

CREATE OR REPLACE FUNCTION django_ivm.status_totals_f24c16d2_1_0_update() RETURNS trigger
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
      SELECT ROW(status, amount)
      FROM ivm_old) IS DISTINCT FROM ARRAY(
      SELECT ROW(status, amount)
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
    INSERT INTO django_ivm.status_totals_f24c16d2_data AS ivm_t (status, purchases, ivm_a, ivm_a_2, ivm_a_3,
        total, mean)
    SELECT ivm_d.status, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, CASE
        WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL WHEN ivm_d.ivm_a_3 > 0
        THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END, CASE WHEN ivm_d.purchases > 0 THEN (CASE
        WHEN ivm_d.ivm_a < 1 THEN NULL WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric
        ELSE ivm_d.ivm_a_2 / ivm_d.ivm_a END) END
    FROM (
      SELECT status AS status, coalesce(sum(ivm_w), 0)::bigint AS purchases,
          coalesce(sum(ivm_w) FILTER (WHERE ((amount) IS NOT NULL)), 0)::bigint AS ivm_a,
          coalesce(sum(ivm_w * (amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric AS ivm_a_2,
          coalesce(sum(ivm_w) FILTER (WHERE ((amount) = 'NaN'::numeric)), 0)::bigint AS ivm_a_3
      FROM (
        SELECT status AS status, amount AS amount, -1 AS ivm_w
        FROM ivm_old
        UNION ALL
        SELECT status AS status, amount AS amount, 1 AS ivm_w
        FROM ivm_new) ivm_c
      GROUP BY (status)
      HAVING coalesce(sum(ivm_w), 0)::bigint <> 0
          OR coalesce(sum(ivm_w) FILTER (WHERE ((amount) IS NOT NULL)), 0)::bigint <> 0
          OR coalesce(sum(ivm_w * (amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric <> 0
          OR coalesce(sum(ivm_w) FILTER (WHERE ((amount) = 'NaN'::numeric)), 0)::bigint <> 0) ivm_d
    ORDER BY ivm_d.status
    ON CONFLICT (status) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
        ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
        ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), total = CASE
        WHEN (ivm_t.purchases + excluded.purchases) > 0 THEN (CASE
        WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0
        THEN 'NaN'::numeric ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END, mean = CASE
        WHEN (ivm_t.purchases + excluded.purchases) > 0 THEN (CASE
        WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0
        THEN 'NaN'::numeric
        ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) / ((ivm_t.ivm_a + excluded.ivm_a)) END) END
    RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, false AS ivm_probe)
  SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0), array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0
      AND ivm_probe), bool_or(ivm_left < 0)
  FROM ivm_up INTO ivm_zero, ivm_touched, ivm_below;
  IF ivm_zero IS NOT NULL THEN
    DELETE FROM django_ivm.status_totals_f24c16d2_data WHERE ctid = ANY(ivm_zero);
  END IF;
  IF ivm_below THEN ivm_state := set_config('ivm.nf24c16d2_1', 'below', true); END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.status_totals_f24c16d2_1_0_update() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_status_totals_f24c16d2_998_0_update AFTER UPDATE ON shop.purchase
REFERENCING OLD TABLE AS ivm_old NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.status_totals_f24c16d2_1_0_update();

COMMENT ON TRIGGER ivm_status_totals_f24c16d2_998_0_update ON shop.purchase IS 'bb1b9157';

CREATE OR REPLACE FUNCTION django_ivm.status_totals_f24c16d2_1_0_delete() RETURNS trigger
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
    INSERT INTO django_ivm.status_totals_f24c16d2_data AS ivm_t (status, purchases, ivm_a, ivm_a_2, ivm_a_3,
        total, mean)
    SELECT ivm_d.status, ivm_d.purchases, ivm_d.ivm_a, ivm_d.ivm_a_2, ivm_d.ivm_a_3, CASE
        WHEN ivm_d.purchases > 0 THEN (CASE WHEN ivm_d.ivm_a < 1 THEN NULL WHEN ivm_d.ivm_a_3 > 0
        THEN 'NaN'::numeric ELSE ivm_d.ivm_a_2 END) END, CASE WHEN ivm_d.purchases > 0 THEN (CASE
        WHEN ivm_d.ivm_a < 1 THEN NULL WHEN ivm_d.ivm_a_3 > 0 THEN 'NaN'::numeric
        ELSE ivm_d.ivm_a_2 / ivm_d.ivm_a END) END
    FROM (
      SELECT status AS status, -(count(*)) AS purchases, -(count(amount)) AS ivm_a,
          -(coalesce(sum((amount)) FILTER (WHERE ((amount) <> 'NaN'::numeric)), 0)::numeric) AS ivm_a_2,
          -(count(*) FILTER (WHERE ((amount) = 'NaN'::numeric))) AS ivm_a_3
      FROM (
        SELECT status AS status, amount AS amount, -1 AS ivm_w
        FROM ivm_old) ivm_c
      GROUP BY (status)) ivm_d
    ORDER BY ivm_d.status
    ON CONFLICT (status) DO UPDATE SET purchases = (ivm_t.purchases + excluded.purchases),
        ivm_a = (ivm_t.ivm_a + excluded.ivm_a), ivm_a_2 = (ivm_t.ivm_a_2 + excluded.ivm_a_2),
        ivm_a_3 = (ivm_t.ivm_a_3 + excluded.ivm_a_3), total = CASE
        WHEN (ivm_t.purchases + excluded.purchases) > 0 THEN (CASE
        WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0
        THEN 'NaN'::numeric ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) END) END, mean = CASE
        WHEN (ivm_t.purchases + excluded.purchases) > 0 THEN (CASE
        WHEN ((ivm_t.ivm_a + excluded.ivm_a)) < 1 THEN NULL WHEN ((ivm_t.ivm_a_3 + excluded.ivm_a_3)) > 0
        THEN 'NaN'::numeric
        ELSE ((ivm_t.ivm_a_2 + excluded.ivm_a_2)) / ((ivm_t.ivm_a + excluded.ivm_a)) END) END
    RETURNING ivm_t.ctid AS ivm_ctid, ivm_t.purchases AS ivm_left, false AS ivm_probe)
  SELECT array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0), array_agg(ivm_ctid) FILTER (WHERE ivm_left <> 0
      AND ivm_probe), bool_or(ivm_left < 0)
  FROM ivm_up INTO ivm_zero, ivm_touched, ivm_below;
  IF ivm_zero IS NOT NULL THEN
    DELETE FROM django_ivm.status_totals_f24c16d2_data WHERE ctid = ANY(ivm_zero);
  END IF;
  IF ivm_below THEN ivm_state := set_config('ivm.nf24c16d2_1', 'below', true); END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.status_totals_f24c16d2_1_0_delete() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_status_totals_f24c16d2_998_0_delete AFTER DELETE
ON shop.purchase
REFERENCING OLD TABLE AS ivm_old FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.status_totals_f24c16d2_1_0_delete();

COMMENT ON TRIGGER ivm_status_totals_f24c16d2_998_0_delete ON shop.purchase IS 'b338a418';

CREATE OR REPLACE FUNCTION django_ivm.status_totals_f24c16d2_1_0_truncate() RETURNS trigger
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
  PERFORM django_ivm.status_totals_f24c16d2_1_replace();
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('shop', 'status_totals',
        'TRUNCATE of ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME || ' in a transaction whose snapshot stands');
  END IF;
  RETURN NULL;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.status_totals_f24c16d2_1_0_truncate() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_status_totals_f24c16d2_998_0_truncate AFTER TRUNCATE
ON shop.purchase FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.status_totals_f24c16d2_1_0_truncate();

COMMENT ON TRIGGER ivm_status_totals_f24c16d2_998_0_truncate ON shop.purchase IS '339058fe';

CREATE OR REPLACE FUNCTION django_ivm.status_totals_f24c16d2_alarm() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off AS $ivm_body$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (
    SELECT 1
    FROM django_ivm.stale
    WHERE ctid = nullif(current_setting('ivm.mf24c16d2', true), '')::tid AND xid = pg_current_xact_id()
        AND view_schema = 'shop' AND view_name = 'status_totals') THEN
    DECLARE ivm_mark text;
    BEGIN
      WITH ivm_m AS (
        INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('shop', 'status_totals',
            lower(TG_OP) || ' on ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME || ' under session_replication_role = replica')
        RETURNING ctid)
      SELECT set_config('ivm.mf24c16d2', ctid::text, true)
      FROM ivm_m INTO ivm_mark;
      END;
    END IF;
    RETURN NULL;
  END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.status_totals_f24c16d2_alarm() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_status_totals_f24c16d2_alarm AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON shop.purchase FOR EACH STATEMENT WHEN (current_setting('session_replication_role') = 'replica')
EXECUTE FUNCTION django_ivm.status_totals_f24c16d2_alarm();

SELECT django_ivm.fire_for_replicas('shop.purchase', 'ivm_status_totals_f24c16d2_alarm');

COMMENT ON TRIGGER ivm_status_totals_f24c16d2_alarm ON shop.purchase IS 'faee7df8';

CREATE OR REPLACE TRIGGER ivm_status_totals_f24c16d2_alarm AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON django_ivm.status_totals_f24c16d2_data FOR EACH STATEMENT
    WHEN (current_setting('session_replication_role') = 'replica'
    AND current_setting('search_path') IS DISTINCT FROM 'pg_catalog, django_ivm, pg_temp')
EXECUTE FUNCTION django_ivm.status_totals_f24c16d2_alarm();

SELECT django_ivm.fire_for_replicas('django_ivm.status_totals_f24c16d2_data',
    'ivm_status_totals_f24c16d2_alarm');

COMMENT ON TRIGGER ivm_status_totals_f24c16d2_alarm ON django_ivm.status_totals_f24c16d2_data IS 'dbfc677d';

CREATE OR REPLACE TRIGGER ivm_read_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE
ON django_ivm.status_totals_f24c16d2_data FOR EACH STATEMENT
    WHEN (current_setting('search_path') IS DISTINCT FROM 'pg_catalog, django_ivm, pg_temp')
EXECUTE FUNCTION django_ivm.refuse_write('status_totals');

CREATE OR REPLACE TRIGGER ivm_twin AFTER INSERT
ON django_ivm.status_totals_f24c16d2_data FOR EACH ROW
    WHEN (current_setting('transaction_isolation') <> 'read committed')
EXECUTE FUNCTION django_ivm.refuse_twin('ivm_old.status = ivm_new.status');
