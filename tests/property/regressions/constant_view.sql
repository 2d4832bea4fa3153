-- Refused: a query that reads no table never changes. It was an assertion that failed.
CREATE TABLE t (id int PRIMARY KEY);
CREATE VIEW v1 AS SELECT '-' AS o1;
-- step 1: insert
INSERT INTO t VALUES (1);
