-- The left branch decides between two types that convert to each other.
CREATE TABLE t (a char(4), b text, c varchar(3));
INSERT INTO t VALUES ('zz', 'b', 'c');
CREATE VIEW v1 AS SELECT a FROM t UNION ALL SELECT b FROM t;
CREATE VIEW v2 AS SELECT b FROM t UNION ALL SELECT a FROM t;
CREATE VIEW v3 AS SELECT a FROM t UNION ALL (SELECT c FROM t UNION ALL SELECT b FROM t);
-- step 1: insert
INSERT INTO t VALUES ('y', 'x ', 'w'), (NULL, '', NULL);
-- step 2: delete
DELETE FROM t WHERE a = 'zz';
