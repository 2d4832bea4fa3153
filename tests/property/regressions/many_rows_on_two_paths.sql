-- Many rows reach one level on two paths: through another level and directly.
CREATE TABLE t3 (id int PRIMARY KEY);
CREATE TABLE t5 (id int PRIMARY KEY);
CREATE TABLE t1 (id int PRIMARY KEY, d int);
INSERT INTO t3 VALUES (2);
INSERT INTO t5 VALUES (2);
CREATE VIEW v2 AS SELECT r2.id AS o1 FROM t1 r1, t5 r2 WHERE r1.d = r2.id GROUP BY r2.id UNION SELECT r4.d AS o1 FROM t3 r3, t1 r4;
-- step 1: insert many
INSERT INTO t1 SELECT i, i % 7 FROM generate_series(1, 130) i;
