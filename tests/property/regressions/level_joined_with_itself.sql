-- The columns of a level that stands twice have one name: which of them a FILTER means was ambiguous.
CREATE TABLE t (id int PRIMARY KEY, k int, n int, u int);
CREATE TABLE other (id int PRIMARY KEY);
INSERT INTO t VALUES (1, 1, 1, 1), (2, 1, 3, 1);
CREATE VIEW v1 AS WITH c AS (SELECT k, avg(n) AS b FROM t GROUP BY k) SELECT x.k, count(*) AS n, avg(y.b * 2) FILTER (WHERE x.b > 1) AS a FROM c x CROSS JOIN c y GROUP BY x.k;
-- step 1: cte
WITH w0 AS (DELETE FROM t WHERE n = 1 RETURNING 1), w1 AS (INSERT INTO t VALUES (3, 2, 2, 2) RETURNING 1) INSERT INTO other VALUES (1);
-- step 2: update
UPDATE t SET k = 2;
