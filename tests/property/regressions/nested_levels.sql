-- Levels inside levels had one name.
CREATE TABLE t (a int, b int);
CREATE VIEW v1 AS SELECT DISTINCT a FROM (SELECT DISTINCT a FROM t) x ORDER BY a LIMIT 1;
CREATE VIEW v2 AS SELECT a FROM t GROUP BY a HAVING a IS NOT NULL ORDER BY a LIMIT 3;
CREATE VIEW v3 AS SELECT m, count(*) AS n FROM (SELECT n, max(a) AS m FROM (SELECT a, count(*) AS n FROM t GROUP BY a) x GROUP BY n) y GROUP BY m;
-- step 1: insert
INSERT INTO t VALUES (1, 2), (1, 3), (2, 1), (NULL, 1), (0, 0);
-- step 2: update
UPDATE t SET a = a + 1 WHERE b > 1;
-- step 3: delete
DELETE FROM t WHERE a = 0;
