-- One statement changed a row twice: the changes of a key have to be added up first.
CREATE TABLE t1 (id text PRIMARY KEY, b int, t1_id text REFERENCES t1 ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO t1 VALUES ('b', 0, 'b'), ('c', 1, 'b');
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF pg_trigger_depth() < 2 THEN UPDATE t1 SET b = b + 1 WHERE id = NEW.id; END IF; RETURN NEW; END $$;
CREATE TRIGGER a_first AFTER INSERT OR UPDATE ON t1 FOR EACH ROW EXECUTE FUNCTION again();
CREATE VIEW v1 AS SELECT id FROM t1;
CREATE VIEW v2 AS SELECT id, b, t1_id FROM t1 WHERE b < 5;
CREATE VIEW v3 AS SELECT x.id, y.b FROM t1 x JOIN t1 y ON x.t1_id = y.id;
-- step 1: key move
UPDATE t1 SET id = 'k' WHERE id = 'b';
-- step 2: insert
INSERT INTO t1 VALUES ('n', 3, 'k');
-- step 3: update
UPDATE t1 SET b = b + 1;
-- step 4: upsert
INSERT INTO t1 VALUES ('n', 9, 'n'), ('m', 1, 'n') ON CONFLICT (id) DO UPDATE SET b = excluded.b;
