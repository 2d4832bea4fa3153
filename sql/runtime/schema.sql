-- What every installation needs: our schema, the register of installed views, the marks of stale ones.
-- Plain tables, no Django models: a flush of the test database must not empty them, a dump carries them along.

CREATE SCHEMA IF NOT EXISTS django_ivm;

COMMENT ON SCHEMA django_ivm IS 'Incrementally maintained views: their state, triggers'' functions and register.';

CREATE TABLE IF NOT EXISTS django_ivm.view (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    view_schema     text NOT NULL,
    view_name       text NOT NULL,
    label           text NOT NULL,
    mode            text NOT NULL,
    strategy        text NOT NULL,
    on_error        text NOT NULL,
    reasons         jsonb NOT NULL,
    definition      text NOT NULL,
    canonical       text NOT NULL,
    definition_view text NOT NULL,
    reads           jsonb NOT NULL,
    spec_hash       text NOT NULL,
    hash            text NOT NULL,
    storage_schema  text NOT NULL,
    storage_name    text NOT NULL,
    columns         jsonb NOT NULL,
    hidden          jsonb NOT NULL,
    key             jsonb NOT NULL,
    live            text,
    surrogate       text,
    sources         jsonb NOT NULL,
    depends_on      jsonb NOT NULL,
    objects         jsonb NOT NULL,
    replaces        jsonb NOT NULL,
    triggers        jsonb NOT NULL,
    locks           jsonb NOT NULL,
    spec            jsonb NOT NULL,
    detached        boolean NOT NULL DEFAULT false,
    installed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (view_schema, view_name)
);

-- One row per transaction that made a view stale. Rows are only inserted, so that writers never wait for each other;
-- a refresh deletes exactly those that its snapshot saw.
CREATE TABLE IF NOT EXISTS django_ivm.stale (
    view_schema text NOT NULL,
    view_name   text NOT NULL,
    xid         xid8 NOT NULL DEFAULT pg_current_xact_id(),
    reason      text NOT NULL,
    marked_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- IF NOT EXISTS would lock the table against marks until the installing transaction ends, which waits for their writers.
DO $body$
BEGIN
    IF to_regclass('django_ivm.stale_view') IS NULL THEN
        CREATE INDEX stale_view ON django_ivm.stale (view_schema, view_name);
    END IF;
END
$body$;

CREATE OR REPLACE FUNCTION django_ivm.refuse_write() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    RAISE EXCEPTION '% is maintained from a query and takes no direct %', TG_ARGV[0], lower(TG_OP)
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'Write to the tables that the view reads.';
END
$body$;

REVOKE ALL ON FUNCTION django_ivm.refuse_write() FROM PUBLIC;

-- A group that ended after a transaction's snapshot is still there for it, and a unique index doesn't mind: with the row
-- that its own write has brought, the transaction would see the group twice. It fails instead, and is to be run again.
-- The argument is the equality of two rows' keys.
CREATE OR REPLACE FUNCTION django_ivm.refuse_twin() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, django_ivm, pg_temp SET enable_seqscan = off AS $body$
DECLARE twin boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM (SELECT ($1).*) ivm_new, %s ivm_old WHERE %s AND ivm_old.ctid <> $2)',
                   TG_RELID::regclass, TG_ARGV[0])
    INTO twin USING NEW, NEW.ctid;
    IF twin THEN
        RAISE EXCEPTION 'could not serialize access due to concurrent delete'
            USING ERRCODE = 'serialization_failure', HINT = 'Run the transaction again.';
    END IF;
    RETURN NULL;
END
$body$;

REVOKE ALL ON FUNCTION django_ivm.refuse_twin() FROM PUBLIC;
