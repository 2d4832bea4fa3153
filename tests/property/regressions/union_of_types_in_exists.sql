-- A subquery was taken apart before the types of its set operation were known.
CREATE TABLE t (id int PRIMARY KEY, k int8);
INSERT INTO t VALUES (1, NULL);
CREATE VIEW v1 AS SELECT id FROM t WHERE EXISTS (SELECT 1 FROM (SELECT NULL::int4 AS a FROM t UNION SELECT id FROM t) x);
CREATE VIEW v2 AS SELECT id FROM t WHERE k IN (SELECT x.a FROM (SELECT id AS a FROM t UNION SELECT k FROM t) x);
-- step 1: insert
INSERT INTO t VALUES (2, 1), (3, 9);
-- step 2: delete
DELETE FROM t WHERE id = 1;
