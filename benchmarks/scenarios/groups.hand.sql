-- Scenario a, by hand: count and sum by group over one table.
-- One source: the upsert's own row locks are enough, taken in key order. `filled` counts the non-null amounts, so that the sum of
-- a group without any is NULL again; `n` tells when a group has become empty.
CREATE TABLE hand_view AS
SELECT grp, count(*) AS n, sum(amount) AS total, count(amount) AS filled FROM sale GROUP BY grp;
ALTER TABLE hand_view
    ALTER n SET NOT NULL, ALTER filled SET NOT NULL, ADD UNIQUE NULLS NOT DISTINCT (grp);

CREATE FUNCTION hand_sale_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO hand_view AS v (grp, n, total, filled)
    SELECT grp, count(*), sum(amount), count(amount) FROM added GROUP BY grp ORDER BY grp
    ON CONFLICT (grp) DO UPDATE SET
        n = v.n + excluded.n,
        filled = v.filled + excluded.filled,
        total = CASE WHEN excluded.filled = 0 THEN v.total ELSE coalesce(v.total, 0) + excluded.total END;
    RETURN NULL;
END $$;

CREATE FUNCTION hand_sale_delete() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    emptied tid[];
BEGIN
    WITH touched AS (
        INSERT INTO hand_view AS v (grp, n, total, filled)
        SELECT grp, -count(*), -sum(amount), -count(amount) FROM gone GROUP BY grp ORDER BY grp
        ON CONFLICT (grp) DO UPDATE SET
            n = v.n + excluded.n,
            filled = v.filled + excluded.filled,
            total = CASE WHEN v.filled + excluded.filled = 0 THEN NULL ELSE v.total + coalesce(excluded.total, 0) END
        RETURNING v.ctid, v.n
    )
    SELECT array_agg(ctid) FILTER (WHERE n = 0) INTO emptied FROM touched;
    IF emptied IS NOT NULL THEN
        DELETE FROM hand_view WHERE ctid = ANY (emptied);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION hand_sale_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    emptied tid[];
BEGIN
    IF ARRAY(SELECT ROW(grp, amount) FROM gone) IS NOT DISTINCT FROM ARRAY(SELECT ROW(grp, amount) FROM added) THEN
        RETURN NULL;
    END IF;
    WITH touched AS (
        INSERT INTO hand_view AS v (grp, n, total, filled)
        SELECT grp, sum(w), sum(w * amount), coalesce(sum(w) FILTER (WHERE amount IS NOT NULL), 0)
        FROM (SELECT grp, amount, -1 AS w FROM gone UNION ALL SELECT grp, amount, 1 FROM added) AS delta
        GROUP BY grp
        HAVING sum(w) <> 0 OR sum(w * amount) <> 0 OR sum(w) FILTER (WHERE amount IS NOT NULL) <> 0
        ORDER BY grp
        ON CONFLICT (grp) DO UPDATE SET
            n = v.n + excluded.n,
            filled = v.filled + excluded.filled,
            total = CASE WHEN v.filled + excluded.filled = 0 THEN NULL
                         ELSE coalesce(v.total, 0) + coalesce(excluded.total, 0) END
        RETURNING v.ctid, v.n
    )
    SELECT array_agg(ctid) FILTER (WHERE n = 0) INTO emptied FROM touched;
    IF emptied IS NOT NULL THEN
        DELETE FROM hand_view WHERE ctid = ANY (emptied);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION hand_sale_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM hand_view;
    RETURN NULL;
END $$;

CREATE TRIGGER hand_insert AFTER INSERT ON sale
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION hand_sale_insert();
CREATE TRIGGER hand_delete AFTER DELETE ON sale
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION hand_sale_delete();
CREATE TRIGGER hand_update AFTER UPDATE ON sale
    REFERENCING OLD TABLE AS gone NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION hand_sale_update();
CREATE TRIGGER hand_truncate AFTER TRUNCATE ON sale
    FOR EACH STATEMENT EXECUTE FUNCTION hand_sale_truncate();
