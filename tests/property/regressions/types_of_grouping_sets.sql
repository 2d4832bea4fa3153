-- A grouping set's NULL for another set's key took part in probes before its type was known.
CREATE TABLE t (id int PRIMARY KEY, d int8);
INSERT INTO t VALUES (1, 1), (2, NULL);
CREATE VIEW v1 AS SELECT k, avg(o1) AS a FROM (SELECT o2::numeric + o2 AS o1, CASE WHEN u = 1 THEN o1 ELSE o3 END AS k FROM (SELECT d AS o1, abs(id) AS o2, count(*) AS o3, max(d) AS u FROM t GROUP BY GROUPING SETS (d, abs(id), (d, abs(id)))) x GROUP BY GROUPING SETS (CASE WHEN u = 1 THEN o1 ELSE o3 END, o2::numeric + o2)) y GROUP BY CUBE (k);
-- step 1: insert
INSERT INTO t VALUES (3, 1), (4, 7);
-- step 2: update
UPDATE t SET d = 1 WHERE id > 2;
