-- A query without a plan: writes only mark the view stale, a refresh writes the difference.
-- Made by scripts/gallery.py; changes by hand are lost.
--
-- strategy: full
-- VOLATILE: the value changes with time or session (line 3, column 26: current_user = 'auditor')

LOCK TABLE shop.purchase IN SHARE ROW EXCLUSIVE MODE;

CREATE SCHEMA IF NOT EXISTS django_ivm;

CREATE OR REPLACE VIEW django_ivm.visible_purchases_27ec04fd_query AS SELECT id, customer_id, amount
FROM shop.purchase
WHERE status = 'open' OR current_user = 'auditor';

CREATE TABLE django_ivm.visible_purchases_27ec04fd_data AS
SELECT id, customer_id, amount, hashtextextended(ROW(id, customer_id, amount)::text, 0) AS ivm_hash
FROM (
  SELECT id AS id, customer_id AS customer_id, amount AS amount
  FROM django_ivm.visible_purchases_27ec04fd_query) ivm_b;

CREATE INDEX ivm_4f480e34_hash ON django_ivm.visible_purchases_27ec04fd_data (ivm_hash);

CREATE VIEW shop.visible_purchases AS
SELECT id, customer_id, amount
FROM django_ivm.visible_purchases_27ec04fd_data;

CREATE OR REPLACE FUNCTION django_ivm.visible_purchases_27ec04fd_1_replace(OUT ivm_inserted bigint,
    OUT ivm_updated bigint, OUT ivm_deleted bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan =
on
SET enable_hashjoin =
on
SET enable_mergejoin =
on AS $ivm_body$
#variable_conflict use_column
BEGIN
  LOCK TABLE django_ivm.visible_purchases_27ec04fd_data IN SHARE ROW EXCLUSIVE MODE;
  EXECUTE $ivm_q$
WITH ivm_d AS MATERIALIZED (
  SELECT DISTINCT ON (ivm_text) id, customer_id, amount, ivm_text, hashtextextended(ivm_text, 0) AS ivm_h,
      sum(ivm_w) OVER (PARTITION BY ivm_text) AS ivm_w
  FROM (
    SELECT id, customer_id, amount, ivm_w, ROW(id, customer_id, amount)::text AS ivm_text
    FROM (
      SELECT id, customer_id, amount, 1 AS ivm_w
      FROM (
        SELECT id AS id, customer_id AS customer_id, amount AS amount
        FROM django_ivm.visible_purchases_27ec04fd_query) ivm_b
      UNION ALL
      SELECT id, customer_id, amount, -1
      FROM django_ivm.visible_purchases_27ec04fd_data) ivm_c) ivm_n), ivm_x AS (
  DELETE
  FROM django_ivm.visible_purchases_27ec04fd_data
  WHERE ctid = ANY (ARRAY(
      SELECT ivm_m.ivm_ctid
      FROM (
        SELECT ivm_t.ctid AS ivm_ctid, ivm_d.ivm_w,
            row_number() OVER (PARTITION BY ivm_d.ivm_text) AS ivm_rank
        FROM ivm_d JOIN django_ivm.visible_purchases_27ec04fd_data AS ivm_t
        ON ROW(ivm_t.id, ivm_t.customer_id, ivm_t.amount)::text = ivm_d.ivm_text
        WHERE ivm_d.ivm_w < 0) ivm_m
      WHERE ivm_rank <= -ivm_w))
  RETURNING 1), ivm_i AS (
  INSERT INTO django_ivm.visible_purchases_27ec04fd_data (id, customer_id, amount, ivm_hash)
  SELECT id, customer_id, amount, ivm_h
  FROM ivm_d, generate_series(1, ivm_w)
  WHERE ivm_w > 0
  RETURNING 1)
SELECT (
  SELECT count(*)
  FROM ivm_i), 0::bigint, (
  SELECT count(*)
  FROM ivm_x)
$ivm_q$ INTO ivm_inserted, ivm_updated, ivm_deleted;
END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.visible_purchases_27ec04fd_1_replace() FROM PUBLIC;

CREATE OR REPLACE FUNCTION django_ivm.visible_purchases_27ec04fd_mark_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off AS $ivm_body$
#variable_conflict use_column
BEGIN
  IF EXISTS (
    SELECT 1
    FROM ivm_new) AND NOT EXISTS (
    SELECT 1
    FROM django_ivm.stale
    WHERE ctid = nullif(current_setting('ivm.m27ec04fd', true), '')::tid AND xid = pg_current_xact_id()
        AND view_schema = 'shop' AND view_name = 'visible_purchases') THEN
    DECLARE ivm_mark text;
    BEGIN
      WITH ivm_m AS (
        INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('shop', 'visible_purchases',
            lower(TG_OP) || ' on ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME)
        RETURNING ctid)
      SELECT set_config('ivm.m27ec04fd', ctid::text, true)
      FROM ivm_m INTO ivm_mark;
      END;
      IF EXISTS (
        SELECT 1
        FROM django_ivm.listening
        WHERE since > clock_timestamp() - interval '1 minute') THEN
        PERFORM pg_notify('django_ivm', '');
      END IF;
    END IF;
    RETURN NULL;
  END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.visible_purchases_27ec04fd_mark_insert() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_visible_purchases_27ec04fd_mark_insert AFTER INSERT
ON shop.purchase
REFERENCING NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.visible_purchases_27ec04fd_mark_insert();

COMMENT ON TRIGGER ivm_visible_purchases_27ec04fd_mark_insert ON shop.purchase IS '315dfac0';

CREATE OR REPLACE FUNCTION django_ivm.visible_purchases_27ec04fd_mark_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off AS $ivm_body$
#variable_conflict use_column
BEGIN
  IF EXISTS (
    SELECT 1
    FROM ivm_new) AND NOT EXISTS (
    SELECT 1
    FROM django_ivm.stale
    WHERE ctid = nullif(current_setting('ivm.m27ec04fd', true), '')::tid AND xid = pg_current_xact_id()
        AND view_schema = 'shop' AND view_name = 'visible_purchases') THEN
    DECLARE ivm_mark text;
    BEGIN
      WITH ivm_m AS (
        INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('shop', 'visible_purchases',
            lower(TG_OP) || ' on ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME)
        RETURNING ctid)
      SELECT set_config('ivm.m27ec04fd', ctid::text, true)
      FROM ivm_m INTO ivm_mark;
      END;
      IF EXISTS (
        SELECT 1
        FROM django_ivm.listening
        WHERE since > clock_timestamp() - interval '1 minute') THEN
        PERFORM pg_notify('django_ivm', '');
      END IF;
    END IF;
    RETURN NULL;
  END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.visible_purchases_27ec04fd_mark_update() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_visible_purchases_27ec04fd_mark_update AFTER UPDATE ON shop.purchase
REFERENCING OLD TABLE AS ivm_old NEW TABLE AS ivm_new FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.visible_purchases_27ec04fd_mark_update();

COMMENT ON TRIGGER ivm_visible_purchases_27ec04fd_mark_update ON shop.purchase IS '59afd0ab';

CREATE OR REPLACE FUNCTION django_ivm.visible_purchases_27ec04fd_mark_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off AS $ivm_body$
#variable_conflict use_column
BEGIN
  IF EXISTS (
    SELECT 1
    FROM ivm_old) AND NOT EXISTS (
    SELECT 1
    FROM django_ivm.stale
    WHERE ctid = nullif(current_setting('ivm.m27ec04fd', true), '')::tid AND xid = pg_current_xact_id()
        AND view_schema = 'shop' AND view_name = 'visible_purchases') THEN
    DECLARE ivm_mark text;
    BEGIN
      WITH ivm_m AS (
        INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('shop', 'visible_purchases',
            lower(TG_OP) || ' on ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME)
        RETURNING ctid)
      SELECT set_config('ivm.m27ec04fd', ctid::text, true)
      FROM ivm_m INTO ivm_mark;
      END;
      IF EXISTS (
        SELECT 1
        FROM django_ivm.listening
        WHERE since > clock_timestamp() - interval '1 minute') THEN
        PERFORM pg_notify('django_ivm', '');
      END IF;
    END IF;
    RETURN NULL;
  END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.visible_purchases_27ec04fd_mark_delete() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_visible_purchases_27ec04fd_mark_delete AFTER DELETE
ON shop.purchase
REFERENCING OLD TABLE AS ivm_old FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.visible_purchases_27ec04fd_mark_delete();

COMMENT ON TRIGGER ivm_visible_purchases_27ec04fd_mark_delete ON shop.purchase IS '7e67599d';

CREATE OR REPLACE FUNCTION django_ivm.visible_purchases_27ec04fd_mark_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off AS $ivm_body$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (
    SELECT 1
    FROM django_ivm.stale
    WHERE ctid = nullif(current_setting('ivm.m27ec04fd', true), '')::tid AND xid = pg_current_xact_id()
        AND view_schema = 'shop' AND view_name = 'visible_purchases') THEN
    DECLARE ivm_mark text;
    BEGIN
      WITH ivm_m AS (
        INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('shop', 'visible_purchases',
            lower(TG_OP) || ' on ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME)
        RETURNING ctid)
      SELECT set_config('ivm.m27ec04fd', ctid::text, true)
      FROM ivm_m INTO ivm_mark;
      END;
      IF EXISTS (
        SELECT 1
        FROM django_ivm.listening
        WHERE since > clock_timestamp() - interval '1 minute') THEN
        PERFORM pg_notify('django_ivm', '');
      END IF;
    END IF;
    RETURN NULL;
  END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.visible_purchases_27ec04fd_mark_truncate() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_visible_purchases_27ec04fd_mark_truncate AFTER TRUNCATE
ON shop.purchase FOR EACH STATEMENT
EXECUTE FUNCTION django_ivm.visible_purchases_27ec04fd_mark_truncate();

COMMENT ON TRIGGER ivm_visible_purchases_27ec04fd_mark_truncate ON shop.purchase IS '57347752';

CREATE OR REPLACE FUNCTION django_ivm.visible_purchases_27ec04fd_alarm() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, django_ivm, pg_temp
SET enable_seqscan = off AS $ivm_body$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (
    SELECT 1
    FROM django_ivm.stale
    WHERE ctid = nullif(current_setting('ivm.m27ec04fd', true), '')::tid AND xid = pg_current_xact_id()
        AND view_schema = 'shop' AND view_name = 'visible_purchases') THEN
    DECLARE ivm_mark text;
    BEGIN
      WITH ivm_m AS (
        INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('shop', 'visible_purchases',
            lower(TG_OP) || ' on ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME || ' under session_replication_role = replica')
        RETURNING ctid)
      SELECT set_config('ivm.m27ec04fd', ctid::text, true)
      FROM ivm_m INTO ivm_mark;
      END;
    END IF;
    RETURN NULL;
  END
$ivm_body$;

REVOKE ALL ON FUNCTION django_ivm.visible_purchases_27ec04fd_alarm() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivm_visible_purchases_27ec04fd_alarm AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON shop.purchase FOR EACH STATEMENT WHEN (current_setting('session_replication_role') = 'replica')
EXECUTE FUNCTION django_ivm.visible_purchases_27ec04fd_alarm();

SELECT django_ivm.fire_for_replicas('shop.purchase', 'ivm_visible_purchases_27ec04fd_alarm');

COMMENT ON TRIGGER ivm_visible_purchases_27ec04fd_alarm ON shop.purchase IS 'deb08891';

CREATE OR REPLACE TRIGGER ivm_visible_purchases_27ec04fd_alarm AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON django_ivm.visible_purchases_27ec04fd_data FOR EACH STATEMENT
    WHEN (current_setting('session_replication_role') = 'replica'
    AND current_setting('search_path') IS DISTINCT FROM 'pg_catalog, django_ivm, pg_temp')
EXECUTE FUNCTION django_ivm.visible_purchases_27ec04fd_alarm();

SELECT django_ivm.fire_for_replicas('django_ivm.visible_purchases_27ec04fd_data',
    'ivm_visible_purchases_27ec04fd_alarm');

COMMENT
ON TRIGGER ivm_visible_purchases_27ec04fd_alarm
ON django_ivm.visible_purchases_27ec04fd_data IS '4ac8d657';

CREATE OR REPLACE TRIGGER ivm_read_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE
ON django_ivm.visible_purchases_27ec04fd_data FOR EACH STATEMENT
    WHEN (current_setting('search_path') IS DISTINCT FROM 'pg_catalog, django_ivm, pg_temp')
EXECUTE FUNCTION django_ivm.refuse_write('visible_purchases');
