-- What the rows of a view rest on and no trigger tells of: a note of it for each view, compared when somebody asks.

-- `seen` holds the catalog rows that were there when the view was last computed, with the transactions that wrote them.
-- It means something in the database that `identity` tells, not in a restored dump.
CREATE TABLE IF NOT EXISTS django_ivm.witness (
    view_schema text NOT NULL,
    view_name   text NOT NULL,
    identity    text NOT NULL,
    seen        jsonb NOT NULL,
    noted_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (view_schema, view_name)
);

-- Views that read or are unlogged tables. After a crash those are empty, and so is this one.
CREATE UNLOGGED TABLE IF NOT EXISTS django_ivm.survivor (
    view_schema text NOT NULL,
    view_name   text NOT NULL,
    PRIMARY KEY (view_schema, view_name)
);

-- Let a trigger fire under session_replication_role = replica, and only there. That takes the table's owner, and a
-- transaction without deferred checks of that table's rows; otherwise the trigger never fires, which a system check
-- tells, until ivm_install is run again.
CREATE OR REPLACE FUNCTION django_ivm.fire_for_replicas(a_table regclass, a_trigger text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = a_table AND tgname = a_trigger AND tgenabled = 'O') THEN
        EXECUTE format('ALTER TABLE %s ENABLE REPLICA TRIGGER %I', a_table, a_trigger);
    END IF;
EXCEPTION WHEN insufficient_privilege OR object_in_use THEN
    NULL;
END
$body$;

REVOKE ALL ON FUNCTION django_ivm.fire_for_replicas(regclass, text) FROM PUBLIC;
