-- A level beside a join under a union has no lock bucket.
CREATE TABLE t1 (id int, c int);
CREATE TABLE t2 (id int NOT NULL, made int);
CREATE VIEW v1 AS SELECT max(r2.id) AS o1 FROM t2 r2 UNION ALL SELECT r3.id AS o1 FROM t1 r3 JOIN t2 r4 ON r3.c = r4.made;
-- step 1: cte
WITH w AS (INSERT INTO t1 VALUES (1, 1), (2, 2) RETURNING 1) INSERT INTO t2 VALUES (1, 1), (9, 1);
-- step 2: delete
DELETE FROM t2 WHERE id = 9;
