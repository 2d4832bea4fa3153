-- The boundary row had a column twice.
CREATE TABLE t (a int PRIMARY KEY, b int);
INSERT INTO t VALUES (5, 1), (6, NULL);
CREATE VIEW v1 AS SELECT a, b, b AS c FROM t ORDER BY b, c DESC, a LIMIT 3;
CREATE VIEW v2 AS SELECT b AS k, count(a) AS n, count(a) AS m FROM t GROUP BY b ORDER BY n DESC, m, k LIMIT 2;
-- step 1: insert
INSERT INTO t VALUES (1, 2), (2, 2), (3, 1);
-- step 2: delete
DELETE FROM t WHERE b = 1;
