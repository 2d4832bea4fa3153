-- Scenario d, by hand: min and max by group over one table.
-- An insert widens the stored extremes. A row that leaves and was one of them makes the group be probed: the upsert has locked the
-- group row by then, so the probe, a statement of its own, sees everything that others committed and nobody can slip in between.
-- `gone_lo`, `gone_hi` carry the leaving extremes into the upsert and are always NULL at rest.
CREATE TABLE hand_view AS
SELECT grp, min(val) AS lo, max(val) AS hi, count(*) AS n FROM reading GROUP BY grp;
ALTER TABLE hand_view
    ALTER n SET NOT NULL, ADD gone_lo numeric, ADD gone_hi numeric, ADD probe boolean NOT NULL DEFAULT false,
    ADD UNIQUE NULLS NOT DISTINCT (grp);

-- PostgreSQL takes a plan for any array for dearer than one for this array, and would plan anew each time.
CREATE FUNCTION hand_probe(rows tid[]) RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    UPDATE hand_view AS v SET
        probe = false,
        lo = CASE WHEN v.grp IS NULL THEN (SELECT min(val) FROM reading WHERE grp IS NULL)
                  ELSE (SELECT min(val) FROM reading AS r WHERE r.grp = v.grp) END,
        hi = CASE WHEN v.grp IS NULL THEN (SELECT max(val) FROM reading WHERE grp IS NULL)
                  ELSE (SELECT max(val) FROM reading AS r WHERE r.grp = v.grp) END
    WHERE v.ctid = ANY (rows);
END $$;

CREATE FUNCTION hand_reading_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO hand_view AS v (grp, lo, hi, n)
    SELECT grp, min(val), max(val), count(*) FROM added GROUP BY grp ORDER BY grp
    ON CONFLICT (grp) DO UPDATE SET
        lo = least(v.lo, excluded.lo), hi = greatest(v.hi, excluded.hi), n = v.n + excluded.n;
    RETURN NULL;
END $$;

CREATE FUNCTION hand_reading_delete() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    emptied tid[];
    probed  tid[];
BEGIN
    WITH touched AS (
        INSERT INTO hand_view AS v (grp, n, gone_lo, gone_hi)
        SELECT grp, -count(*), min(val), max(val) FROM gone GROUP BY grp ORDER BY grp
        ON CONFLICT (grp) DO UPDATE SET
            n = v.n + excluded.n,
            probe = coalesce(excluded.gone_lo <= v.lo, false) OR coalesce(excluded.gone_hi >= v.hi, false)
        RETURNING v.ctid, v.n, v.probe
    )
    SELECT array_agg(ctid) FILTER (WHERE n = 0), array_agg(ctid) FILTER (WHERE n > 0 AND probe)
    INTO emptied, probed FROM touched;
    IF emptied IS NOT NULL THEN
        DELETE FROM hand_view WHERE ctid = ANY (emptied);
    END IF;
    IF probed IS NOT NULL THEN
        PERFORM hand_probe(probed);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION hand_reading_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    emptied tid[];
    probed  tid[];
BEGIN
    IF ARRAY(SELECT ROW(grp, val) FROM gone) IS NOT DISTINCT FROM ARRAY(SELECT ROW(grp, val) FROM added) THEN
        RETURN NULL;
    END IF;
    -- A leaving extreme needs no probe when the same statement brings one at least as far out.
    WITH touched AS (
        INSERT INTO hand_view AS v (grp, lo, hi, n, gone_lo, gone_hi)
        SELECT grp, min(val) FILTER (WHERE w = 1), max(val) FILTER (WHERE w = 1), sum(w),
               min(val) FILTER (WHERE w = -1), max(val) FILTER (WHERE w = -1)
        FROM (SELECT grp, val, -1 AS w FROM gone UNION ALL SELECT grp, val, 1 FROM added) AS delta
        GROUP BY grp ORDER BY grp
        ON CONFLICT (grp) DO UPDATE SET
            lo = least(v.lo, excluded.lo),
            hi = greatest(v.hi, excluded.hi),
            n = v.n + excluded.n,
            probe = coalesce(excluded.gone_lo <= v.lo, false) AND coalesce(excluded.lo > v.lo, true)
                 OR coalesce(excluded.gone_hi >= v.hi, false) AND coalesce(excluded.hi < v.hi, true)
        RETURNING v.ctid, v.n, v.probe
    )
    SELECT array_agg(ctid) FILTER (WHERE n = 0), array_agg(ctid) FILTER (WHERE n > 0 AND probe)
    INTO emptied, probed FROM touched;
    IF emptied IS NOT NULL THEN
        DELETE FROM hand_view WHERE ctid = ANY (emptied);
    END IF;
    IF probed IS NOT NULL THEN
        PERFORM hand_probe(probed);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION hand_reading_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM hand_view;
    RETURN NULL;
END $$;

CREATE TRIGGER hand_insert AFTER INSERT ON reading
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION hand_reading_insert();
CREATE TRIGGER hand_delete AFTER DELETE ON reading
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION hand_reading_delete();
CREATE TRIGGER hand_update AFTER UPDATE ON reading
    REFERENCING OLD TABLE AS gone NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION hand_reading_update();
CREATE TRIGGER hand_truncate AFTER TRUNCATE ON reading
    FOR EACH STATEMENT EXECUTE FUNCTION hand_reading_truncate();
