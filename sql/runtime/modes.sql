-- Modes `deferred` and `commit`: who has seen what of the delta logs, and the functions that apply the rest.
-- Each source has one log (django_ivm.<source>_log); rows carry the transaction's number and, within it, a sequence.

CREATE SEQUENCE IF NOT EXISTS django_ivm.seq;

CREATE TABLE IF NOT EXISTS django_ivm.log (
    log           text PRIMARY KEY,
    source_schema text NOT NULL,
    source_name   text NOT NULL,
    spec          jsonb NOT NULL,
    triggers      jsonb NOT NULL,
    objects       jsonb NOT NULL,
    identity      text NOT NULL
);

-- The views that read a log. `apply` names the function of the view, `drain_lock` the table by which its drains wait for
-- each other; `rank` orders views after those that they read; `own_log` is the log of the view's own table, if it has one.
CREATE TABLE IF NOT EXISTS django_ivm.reader (
    log         text NOT NULL,
    view_schema text NOT NULL,
    view_name   text NOT NULL,
    mode        text NOT NULL,
    rank        integer NOT NULL,
    apply       text NOT NULL,
    drain_lock  text NOT NULL,
    own_log     text NOT NULL,
    PRIMARY KEY (log, view_schema, view_name)
);

-- How far a deferred view has been drained: the snapshot, and what the drain's own transaction had written by then,
-- for a transaction's own number isn't reliably among those that its snapshot sees.
CREATE TABLE IF NOT EXISTS django_ivm.cursor (
    view_schema text NOT NULL,
    view_name   text NOT NULL,
    snap        pg_snapshot NOT NULL,
    own_xid     xid8 NOT NULL,
    own_seq     bigint NOT NULL,
    identity    text NOT NULL,
    drained_at  timestamptz NOT NULL,
    -- What it took last time, where that was measured: seconds to compute the view anew, and to apply one change.
    anew_takes   float8,
    change_takes float8,
    PRIMARY KEY (view_schema, view_name)
);

-- What a transaction in flight has yet to apply to views in mode `commit`; never seen by another one. Of `logs`, one with
-- `!` before its name: what became of its rows is in doubt. `seq` is that of the first row: those before it, which must be
-- kept for deferred views, have been applied, or came from a restored log with the same transaction's number.
CREATE UNLOGGED TABLE IF NOT EXISTS django_ivm.pending (
    xid  xid8 PRIMARY KEY,
    logs text[] NOT NULL,
    seq  bigint NOT NULL,
    last boolean NOT NULL DEFAULT false
);

-- Workers that sleep: only then does a write notify, for notifications make commits wait for each other.
CREATE TABLE IF NOT EXISTS django_ivm.listening (
    pid   integer PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Transaction numbers mean something in one cluster only, and a log's in one database. Clusters that were copied from
-- one image share an identifier, and their first databases a number: the transaction that made our tables tells them
-- apart.
DO $body$
BEGIN
    IF to_regclass('django_ivm.here') IS NULL THEN
        -- A view, which is read with its owner's rights: those who read a residual may not call functions of ours.
        CREATE VIEW django_ivm.here AS
        SELECT concat_ws('/', c.system_identifier, d.oid, a.attrelid, a.xmin) AS identity
        FROM pg_control_system() c, pg_database d, pg_attribute a
        WHERE d.datname = current_database() AND a.attrelid = 'django_ivm.log'::regclass AND a.attnum = 1;
    END IF;
END
$body$;

CREATE OR REPLACE FUNCTION django_ivm.identity() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT identity FROM django_ivm.here
$body$;

-- Up to where a log has been cleaned, but for transactions that some reader hadn't seen: what is behind isn't looked at
-- again, however many dead rows there are. A table of its own: a log's entry changes with its readers only.
CREATE TABLE IF NOT EXISTS django_ivm.cleaned (
    log   text PRIMARY KEY,
    below xid8 NOT NULL,
    kept  xid8[] NOT NULL
) WITH (fillfactor = 50);

-- Rows of a log that a cursor hasn't seen, as a condition on parameters $1 (xmax), $2 (xip and own), $3, $4.
CREATE OR REPLACE FUNCTION django_ivm.count_pending(a_log text, a_snap pg_snapshot, an_own xid8, a_seq bigint)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $body$
DECLARE found bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM django_ivm.%I WHERE (ivm_xid >= $1 OR ivm_xid = ANY($2)) '
                   'AND NOT (ivm_xid = $3 AND ivm_seq <= $4)', a_log)
    INTO found USING pg_snapshot_xmax(a_snap), ARRAY(SELECT pg_snapshot_xip(a_snap)) || an_own, an_own, a_seq;
    RETURN found;
END
$body$;

-- Changes that a view has yet to meet, as this transaction sees them: of a deferred view all that its cursor hasn't
-- seen, of a view in mode `commit` those of this transaction.
CREATE OR REPLACE FUNCTION django_ivm.pending_rows(a_schema text, a_name text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    total bigint := 0;
    own xid8 := pg_current_xact_id_if_assigned();
    r record;
    n bigint;
BEGIN
    FOR r IN SELECT d.log, c.snap, c.own_xid, c.own_seq FROM django_ivm.reader d
             JOIN django_ivm.cursor c USING (view_schema, view_name)
             WHERE d.view_schema = a_schema AND d.view_name = a_name AND d.mode = 'deferred' LOOP
        total := total + django_ivm.count_pending(r.log, r.snap, r.own_xid, r.own_seq);
    END LOOP;
    FOR r IN SELECT d.log, p.seq FROM django_ivm.reader d
             JOIN django_ivm.pending p ON d.log = ANY(p.logs) AND p.xid = own
             WHERE d.view_schema = a_schema AND d.view_name = a_name AND d.mode = 'commit' LOOP
        EXECUTE format('SELECT count(*) FROM django_ivm.%I WHERE ivm_xid = $1 AND ivm_seq >= $2', r.log)
        INTO n USING own, r.seq;
        total := total + n;
    END LOOP;
    RETURN total;
END
$body$;

-- A log that came from another cluster or database holds rows whose transaction numbers mean nothing here, and so does one
-- with numbers that aren't given yet (a cluster that was set back): they go, and its readers are computed anew.
CREATE OR REPLACE FUNCTION django_ivm.adopt_log(a_log text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE strange boolean;
BEGIN
    UPDATE django_ivm.log SET identity = django_ivm.identity()
    WHERE log = a_log AND identity <> django_ivm.identity();
    strange := FOUND;
    IF NOT strange THEN
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM django_ivm.%I '
                       'WHERE ivm_xid >= pg_snapshot_xmax(pg_current_snapshot()) AND ivm_xid <> $1)', a_log)
        INTO strange USING pg_current_xact_id();
    END IF;
    IF strange THEN
        EXECUTE format('DELETE FROM django_ivm.%I WHERE ivm_xid <> $1', a_log) USING pg_current_xact_id();
        DELETE FROM django_ivm.cleaned WHERE log = a_log;
        INSERT INTO django_ivm.stale (view_schema, view_name, reason)
        SELECT r.view_schema, r.view_name, 'the log ' || a_log || ' came from another database'
        FROM django_ivm.reader r WHERE r.log = a_log;
    END IF;
END
$body$;

-- Whether others have committed anything that a view reads which a snapshot didn't see.
CREATE OR REPLACE FUNCTION django_ivm.committed_since(a_schema text, a_name text, a_snap pg_snapshot) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, django_ivm, pg_temp AS $body$
DECLARE
    own xid8 := pg_current_xact_id();
    found boolean;
    r record;
BEGIN
    SELECT EXISTS (SELECT 1 FROM django_ivm.stale s WHERE s.view_schema = a_schema AND s.view_name = a_name
                   AND s.xid <> own AND NOT pg_visible_in_snapshot(s.xid, a_snap)) INTO found;
    FOR r IN SELECT d.log FROM django_ivm.reader d WHERE d.view_schema = a_schema AND d.view_name = a_name LOOP
        EXIT WHEN found;
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM django_ivm.%I WHERE (ivm_xid >= $1 OR ivm_xid = ANY($2)) '
                       'AND ivm_xid <> $3)', r.log)
        INTO found USING pg_snapshot_xmax(a_snap), ARRAY(SELECT pg_snapshot_xip(a_snap)), own;
    END LOOP;
    RETURN found;
END
$body$;

-- How long it may take to compute a view anew, in seconds, as long as nobody has measured it: what the planner expects of
-- the query, and some for each row that is stored, in all levels, and compared. INSERT … SELECT has no parallel plan.
CREATE OR REPLACE FUNCTION django_ivm.seconds_anew(a_schema text, a_name text) RETURNS float8
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET max_parallel_workers_per_gather = 0 AS $body$
DECLARE
    v django_ivm.view;
    plan json;
    stored float8;
BEGIN
    SELECT * INTO v FROM django_ivm.view o WHERE o.view_schema = a_schema AND o.view_name = a_name;
    EXECUTE format('EXPLAIN (FORMAT JSON) SELECT * FROM django_ivm.%I', v.definition_view) INTO plan;
    SELECT sum(t.reltuples) INTO stored FROM pg_class t
    WHERE t.reltuples > 0 AND (t.oid = to_regclass(format('%I.%I', v.storage_schema, v.storage_name))
        OR t.relnamespace = 'django_ivm'::regnamespace
        AND t.relname = ANY(ARRAY(SELECT jsonb_array_elements_text(v.objects -> 'tables'))));
    RETURN 8e-6 * ((plan -> 0 -> 'Plan' ->> 'Total Cost')::float8 + 0.5 * coalesce(stored, 0));
END
$body$;

-- One drain at one state of the sources, for which the caller answers. `deltas` are change rows met; `anew` says why the
-- view was computed anew instead (empty: it wasn't); `late` that somebody committed meanwhile.
CREATE OR REPLACE FUNCTION django_ivm.drain_once(
    a_schema text, a_name text, a_reason text, OUT deltas bigint, OUT anew text, OUT late boolean
) LANGUAGE plpgsql SET search_path = pg_catalog, django_ivm, pg_temp AS $body$
DECLARE
    c django_ivm.cursor;
    own xid8 := pg_current_xact_id();
    at_snap pg_snapshot;
    at_seq bigint;
    r record;
    f text;
    total bigint := 0;
    estimated float8[];
    begun timestamptz;
    took float8;
BEGIN
    SELECT * INTO c FROM django_ivm.cursor WHERE view_schema = a_schema AND view_name = a_name FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the view %.% has no cursor', a_schema, a_name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'It isn''t in mode deferred; see ivm_status.';
    END IF;
    FOR r IN SELECT d.log FROM django_ivm.reader d WHERE d.view_schema = a_schema AND d.view_name = a_name LOOP
        PERFORM django_ivm.adopt_log(r.log);
    END LOOP;
    -- Whatever the statements below see, they see the same as long as nothing is late.
    SELECT pg_current_snapshot(), nextval('django_ivm.seq') INTO at_snap, at_seq;
    anew := a_reason;
    IF anew = '' THEN
        SELECT coalesce('the view is stale: ' || min(s.reason), '') INTO anew
        FROM django_ivm.stale s WHERE s.view_schema = a_schema AND s.view_name = a_name;
    END IF;
    IF c.identity <> django_ivm.identity() OR pg_snapshot_xmax(c.snap) > pg_snapshot_xmax(at_snap) THEN
        anew := 'its cursor came from another database';
    END IF;
    IF anew = '' THEN
        FOR r IN SELECT d.log FROM django_ivm.reader d WHERE d.view_schema = a_schema AND d.view_name = a_name LOOP
            total := total + django_ivm.count_pending(r.log, c.snap, c.own_xid, c.own_seq);
        END LOOP;
        IF total > 10000 THEN
            estimated := ARRAY[coalesce(c.anew_takes, django_ivm.seconds_anew(a_schema, a_name)),
                               total * coalesce(c.change_takes, 5e-6)];
            IF estimated[1] < estimated[2] THEN
                anew := format('%s changes: computing anew is cheaper, by an estimate of %s s against %s s', total,
                               round(estimated[1]::numeric, 2), round(estimated[2]::numeric, 2));
            END IF;
        END IF;
    END IF;
    SELECT apply INTO f FROM django_ivm.reader
    WHERE view_schema = a_schema AND view_name = a_name AND mode = 'deferred' LIMIT 1;
    begun := clock_timestamp();
    EXECUTE format('SELECT django_ivm.%I($1, $2, $3, $4, $5)', f) INTO deltas
    USING pg_snapshot_xmax(c.snap), ARRAY(SELECT pg_snapshot_xip(c.snap)) || c.own_xid, c.own_xid, c.own_seq, anew <> '';
    took := extract(epoch FROM clock_timestamp() - begun);
    late := django_ivm.committed_since(a_schema, a_name, at_snap);
    IF anew <> '' THEN
        -- A mark that was committed since then isn't met yet.
        WITH gone AS (
            DELETE FROM django_ivm.stale s WHERE s.view_schema = a_schema AND s.view_name = a_name RETURNING s.xid
        )
        SELECT late OR coalesce(bool_or(g.xid <> own AND NOT pg_visible_in_snapshot(g.xid, at_snap)), false) INTO late
        FROM gone g;
    END IF;
    UPDATE django_ivm.cursor v
    SET snap = at_snap, own_xid = own, own_seq = at_seq, identity = django_ivm.identity(),
        drained_at = clock_timestamp(),
        anew_takes = CASE WHEN anew <> '' THEN took ELSE v.anew_takes END,
        change_takes = CASE WHEN anew = '' AND deltas > 1000 THEN took / deltas ELSE v.change_takes END
    WHERE v.view_schema = a_schema AND v.view_name = a_name;
END
$body$;

-- One drain, and where a change can't be applied for its data (a row that came and went may divide by zero, where the
-- query itself doesn't) the view is computed anew.
CREATE OR REPLACE FUNCTION django_ivm.drain_or_recompute(
    a_schema text, a_name text, a_reason text, OUT deltas bigint, OUT anew text, OUT late boolean
) LANGUAGE plpgsql SET search_path = pg_catalog, django_ivm, pg_temp AS $body$
BEGIN
    SELECT d.deltas, d.anew, d.late INTO deltas, anew, late FROM django_ivm.drain_once(a_schema, a_name, a_reason) d;
EXCEPTION WHEN data_exception THEN
    IF a_reason <> '' THEN
        RAISE;
    END IF;
    SELECT d.deltas, d.anew, d.late INTO deltas, anew, late
    FROM django_ivm.drain_once(a_schema, a_name, 'its changes couldn''t be applied: ' || SQLERRM) d;
END
$body$;

-- Drain a deferred view. In REPEATABLE READ all statements have one snapshot; the caller has locked the view's drain lock
-- before it had one. In READ COMMITTED, inside a transaction of the caller's, each statement has its own: the drain is
-- taken back and tried again when somebody committed to a source meanwhile, the last time with writers kept out.
CREATE OR REPLACE FUNCTION django_ivm.drain(
    a_schema text, a_name text, a_reason text, OUT deltas bigint, OUT anew text
) LANGUAGE plpgsql SET search_path = pg_catalog, django_ivm, pg_temp AS $body$
DECLARE
    late boolean;
    at_snap pg_snapshot;
    r record;
BEGIN
    -- Too late for this transaction's snapshot above READ COMMITTED, but other drains wait instead of failing.
    FOR r IN SELECT DISTINCT d.drain_lock FROM django_ivm.reader d
             WHERE d.view_schema = a_schema AND d.view_name = a_name LOOP
        EXECUTE format('LOCK TABLE django_ivm.%I IN EXCLUSIVE MODE', r.drain_lock);
    END LOOP;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        SELECT d.deltas, d.anew INTO deltas, anew FROM django_ivm.drain_or_recompute(a_schema, a_name, a_reason) d;
        RETURN;
    END IF;
    FOR attempt IN 1..4 LOOP
        BEGIN
            IF attempt = 4 THEN
                FOR r IN SELECT d.log FROM django_ivm.reader d
                         WHERE d.view_schema = a_schema AND d.view_name = a_name ORDER BY d.log LOOP
                    EXECUTE format('LOCK TABLE django_ivm.%I IN SHARE ROW EXCLUSIVE MODE', r.log);
                END LOOP;
            END IF;
            SELECT pg_current_snapshot() INTO at_snap;
            SELECT d.deltas, d.anew, d.late INTO deltas, anew, late
            FROM django_ivm.drain_or_recompute(a_schema, a_name, a_reason) d;
            IF late THEN
                RAISE EXCEPTION 'late' USING ERRCODE = 'IVM01';
            END IF;
            RETURN;
        EXCEPTION
            WHEN SQLSTATE 'IVM01' THEN
                NULL;
            WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN
                RAISE;
            WHEN OTHERS THEN
                -- Changes that don't fit what they are joined with fail in many ways, a key twice for one.
                IF NOT django_ivm.committed_since(a_schema, a_name, at_snap) THEN
                    RAISE;
                END IF;
        END;
    END LOOP;
    RAISE EXCEPTION 'the view %.% couldn''t be drained at one state of its sources', a_schema, a_name
        USING ERRCODE = 'serialization_failure', HINT = 'Try again, or refresh outside of a transaction.';
END
$body$;

-- Delete what every reader of a log has seen. It holds nobody: it deletes rows that no writer touches, and a second
-- cleaner goes away.
CREATE OR REPLACE FUNCTION django_ivm.clean(a_log text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    gone bigint;
    upper_end xid8;
    kept xid8[];
    from_xid xid8;
    left_before xid8[];
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('django_ivm.clean ' || a_log, 0)) THEN
        RETURN 0;
    END IF;
    IF EXISTS (SELECT 1 FROM django_ivm.log l WHERE l.log = a_log AND l.identity <> django_ivm.identity()) THEN
        RETURN 0;
    END IF;
    SELECT min(pg_snapshot_xmax(c.snap)),
           array_agg(x.x) FILTER (WHERE x.x IS NOT NULL)
    INTO upper_end, kept
    FROM django_ivm.reader d JOIN django_ivm.cursor c USING (view_schema, view_name)
    CROSS JOIN LATERAL (SELECT pg_snapshot_xip(c.snap) UNION ALL SELECT c.own_xid) x(x)
    WHERE d.log = a_log AND d.mode = 'deferred';
    -- Without a deferred reader a transaction clears its own rows at commit.
    upper_end := coalesce(upper_end, pg_snapshot_xmin(pg_current_snapshot()));
    kept := coalesce(kept, '{}');
    SELECT c.below, c.kept INTO from_xid, left_before FROM django_ivm.cleaned c WHERE c.log = a_log;
    IF from_xid > upper_end THEN
        from_xid := '0';  -- numbers of another database, or a reader that was ahead has gone
    END IF;
    EXECUTE format('DELETE FROM django_ivm.%I WHERE (ivm_xid >= $1 AND ivm_xid < $2 OR ivm_xid = ANY($3)) '
                   'AND NOT ivm_xid = ANY($4)', a_log)
    USING coalesce(from_xid, '0'), upper_end, coalesce(left_before, '{}'), kept;
    GET DIAGNOSTICS gone = ROW_COUNT;
    INSERT INTO django_ivm.cleaned AS c (log, below, kept)
    VALUES (a_log, upper_end, ARRAY(SELECT DISTINCT k FROM unnest(kept) k WHERE k < upper_end ORDER BY k))
    ON CONFLICT (log) DO UPDATE SET below = excluded.below, kept = excluded.kept
    WHERE (c.below, c.kept) IS DISTINCT FROM (excluded.below, excluded.kept);
    RETURN gone;
END
$body$;

-- What a transaction does to the readers of logs, it does to those that its snapshot shows. So one whose snapshot is older
-- than a change of the readers fails, and is to be run again: whoever changes them touches the log's row.
CREATE OR REPLACE FUNCTION django_ivm.know_readers(some_logs text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE found bigint;
BEGIN
    IF current_setting('transaction_isolation') = 'read committed' THEN
        RETURN;  -- each statement sees those of now
    END IF;
    PERFORM 1 FROM django_ivm.log l WHERE l.log = ANY(some_logs) ORDER BY l.log FOR SHARE;
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found < cardinality(some_logs) THEN
        RAISE EXCEPTION 'could not serialize access: a view that reads a changed table was installed meanwhile'
            USING ERRCODE = 'serialization_failure', HINT = 'Run the transaction again.';
    END IF;
END
$body$;

-- Writes `commit_views`, which applies a transaction's own changes to the views in mode `commit`: views after those that
-- they read, each by its own function, called by name so that a session plans the call once. Rows that no deferred view
-- waits for go at once. It says whether it has met a view that another one reads. Where the transaction's snapshot stands
-- still, TRUNCATE may have taken rows that it doesn't see, with groups that it doesn't see: the view is computed anew, and
-- stays marked.
CREATE OR REPLACE FUNCTION django_ivm.write_commit_views() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    body text := '';
    r record;
BEGIN
    FOR r IN SELECT d.view_schema, d.view_name, d.apply, d.own_log, array_agg(d.log ORDER BY d.log)::text AS logs,
                    array_agg('!' || d.log ORDER BY d.log)::text AS doubted,
                    EXISTS (SELECT 1 FROM django_ivm.reader o WHERE o.log = d.own_log AND o.mode = 'commit') AS read
             FROM django_ivm.reader d WHERE d.mode = 'commit'
             GROUP BY d.view_schema, d.view_name, d.apply, d.own_log, d.rank ORDER BY d.rank LOOP
        body := body || format(
            E'IF touched && %L::text[] THEN\n'
            'anew := touched && %L::text[];\n'
            'IF anew AND current THEN\n'
            'DELETE FROM django_ivm.stale s WHERE s.view_schema = %L AND s.view_name = %L AND s.xid = me;\n'
            'END IF;\n'
            'applied := django_ivm.%I(nobody, ARRAY[me], me, from_seq, anew);\n'
            '%sEND IF;\n',
            r.logs, r.doubted, r.view_schema, r.view_name, r.apply,
            CASE WHEN r.read THEN format(E'touched := touched || %L::text;\nread := true;\n', r.own_log) END);
    END LOOP;
    FOR r IN SELECT log FROM django_ivm.reader
             GROUP BY log HAVING bool_and(mode = 'commit') ORDER BY log LOOP
        body := body || format(
            E'IF %L = ANY(touched) THEN\nDELETE FROM django_ivm.%I WHERE ivm_xid = me;\nEND IF;\n', r.log, r.log);
    END LOOP;
    EXECUTE format(
        'CREATE OR REPLACE FUNCTION django_ivm.commit_views(me xid8, from_seq bigint, touched text[]) RETURNS boolean '
        'LANGUAGE plpgsql SET search_path = pg_catalog, django_ivm, pg_temp SET enable_seqscan = off AS %L',
        E'DECLARE\n'
        '    nobody xid8 := ''18446744073709551615'';\n'
        '    anew boolean;\n'
        '    current boolean := current_setting(''transaction_isolation'') = ''read committed'';\n'
        '    applied bigint;\n'
        '    read boolean := false;\n'
        'BEGIN\n' || body || E'RETURN read;\nEND');
    REVOKE ALL ON FUNCTION django_ivm.commit_views(xid8, bigint, text[]) FROM PUBLIC;
    RETURN NULL;
END
$body$;

-- Applies a transaction's own changes to the views in mode `commit`, when it commits. The event of a row that has been
-- replaced or applied since does nothing; the last one only queues itself again, so that deferred foreign keys are checked
-- before any lock of ours is held. Then views are met in one order, each in the order of its nodes and keys: transactions
-- that commit wait for each other, never in a circle.
-- The row is found by where it is. A SERIALIZABLE transaction that looks it up in an index has read a page of it, and
-- conflicts with all who write there, which is everybody.
CREATE OR REPLACE FUNCTION django_ivm.at_commit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, django_ivm, pg_temp SET enable_seqscan = off AS $body$
DECLARE
    me xid8 := pg_current_xact_id();
    here tid := NEW.ctid;
BEGIN
    IF NEW.xid <> me OR NOT EXISTS (SELECT 1 FROM django_ivm.pending p WHERE p.ctid = here) THEN
        RETURN NULL;
    END IF;
    IF NOT NEW.last THEN
        -- In the middle of a statement (constraints set to immediate) not all of its changes are logged yet.
        IF pg_trigger_depth() > 1 THEN
            SET CONSTRAINTS django_ivm.ivm_commit DEFERRED;
        END IF;
        UPDATE django_ivm.pending p SET last = true WHERE p.ctid = here;
        RETURN NULL;
    END IF;
    PERFORM django_ivm.know_readers(ARRAY(SELECT DISTINCT l FROM unnest(NEW.logs) l WHERE l !~ '^!'));
    DELETE FROM django_ivm.pending p WHERE p.ctid = here;
    IF django_ivm.commit_views(me, NEW.seq - 1, NEW.logs) THEN
        DELETE FROM django_ivm.pending p WHERE p.xid = me;  -- views that other views read were noted there meanwhile
    END IF;
    RETURN NULL;
END
$body$;

DO $body$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_trigger
                   WHERE tgrelid = 'django_ivm.reader'::regclass AND tgname = 'ivm_readers') THEN
        CREATE TRIGGER ivm_readers AFTER INSERT OR UPDATE OR DELETE ON django_ivm.reader
        FOR EACH STATEMENT EXECUTE FUNCTION django_ivm.write_commit_views();
        DELETE FROM django_ivm.reader WHERE false;  -- writes the function for the first time
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_trigger
                   WHERE tgrelid = 'django_ivm.pending'::regclass AND tgname = 'ivm_commit') THEN
        CREATE CONSTRAINT TRIGGER ivm_commit AFTER INSERT OR UPDATE ON django_ivm.pending
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION django_ivm.at_commit();
    END IF;
END
$body$;

REVOKE ALL ON FUNCTION django_ivm.identity(), django_ivm.count_pending(text, pg_snapshot, xid8, bigint),
    django_ivm.pending_rows(text, text), django_ivm.adopt_log(text), django_ivm.drain_once(text, text, text),
    django_ivm.committed_since(text, text, pg_snapshot), django_ivm.seconds_anew(text, text),
    django_ivm.drain_or_recompute(text, text, text),
    django_ivm.drain(text, text, text), django_ivm.clean(text), django_ivm.know_readers(text[]),
    django_ivm.write_commit_views(), django_ivm.at_commit() FROM PUBLIC;
