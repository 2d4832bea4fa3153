-- GROUPING() didn't find its argument among the keys: the column that FULL JOIN … USING makes is an expression.
CREATE TABLE t5 (id int8 PRIMARY KEY, e int4, w int4);
CREATE TABLE t2 (id int4 PRIMARY KEY, e int4);
INSERT INTO t5 VALUES (1, 0, 1);
CREATE VIEW v1 AS SELECT e * w AS x, count(t2.id), GROUPING(e * w) AS g FROM t2 FULL JOIN t5 USING (e) GROUP BY e * w;
CREATE VIEW v2 AS SELECT e AS x, count(t2.id), GROUPING(e, e + 1) AS g FROM t2 FULL JOIN t5 USING (e) GROUP BY ROLLUP (e, e + 1);
-- step 1: insert
INSERT INTO t5 VALUES (2, 1, 1);
-- step 2: insert
INSERT INTO t2 VALUES (1, 1), (2, NULL);
