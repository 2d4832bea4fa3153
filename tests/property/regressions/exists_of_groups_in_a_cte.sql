-- The change of an anti-join below another level began with WITH twice.
CREATE TABLE t1 (id int);
CREATE TABLE t2 (id int, id2 text);
INSERT INTO t2 VALUES (4, 'zz');
CREATE FUNCTION writer() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t2; RETURN 3; END $$;
CREATE VIEW v1 AS WITH c AS (SELECT id AS o5 FROM t1 WHERE NOT EXISTS (SELECT 1 FROM t2 GROUP BY id) GROUP BY id) SELECT o5 FROM c;
-- step 1: insert
INSERT INTO t1 VALUES (1), (1), (2);
-- step 2: call
SELECT writer();
-- step 3: insert
INSERT INTO t2 VALUES (1, 'a');
