-- A change that passes no filter left the row count of a global aggregate NULL.
CREATE TABLE t (a int, b int);
INSERT INTO t VALUES (1, 1);
CREATE VIEW v1 AS SELECT min(a) AS m, count(*) AS n, sum(b) AS s FROM t WHERE a > 5;
-- step 1: update
UPDATE t SET b = 2;
