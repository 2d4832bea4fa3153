-- One row needs no LIMIT. It was an assertion that failed.
CREATE TABLE t (a int, b int);
CREATE VIEW v1 AS SELECT count(*) AS n FROM t ORDER BY n LIMIT 3;
CREATE VIEW v2 AS SELECT min(a) AS n FROM t ORDER BY n LIMIT 1 OFFSET 1;
-- step 1: insert
INSERT INTO t VALUES (1, 2);
-- step 2: delete
DELETE FROM t;
