"""Statements inside statements: users' triggers, functions, rules, procedures, exceptions."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from tests.engine.area import Area

TABLES = """
CREATE TABLE a (id int PRIMARY KEY, g int, v int, note text);
CREATE TABLE b (id int PRIMARY KEY, aid int, w int); CREATE INDEX ON b (aid);
CREATE TABLE c (id serial PRIMARY KEY, bid int, x int); CREATE INDEX ON c (bid);
CREATE INDEX ON a (g, v);
INSERT INTO a SELECT i, i % 3, i, '' FROM generate_series(1, 9) i;
INSERT INTO b SELECT i, i % 9 + 1, i FROM generate_series(1, 20) i;
INSERT INTO c (bid, x) SELECT i % 20 + 1, i FROM generate_series(1, 30) i;
"""
VIEWS = {
    "sums": "SELECT g, count(*) AS n, sum(v) AS s FROM a GROUP BY g",
    "extremes": "SELECT g, min(v) AS lo, max(v) AS hi FROM a GROUP BY g",
    "ab": "SELECT a.g, count(*) AS n, sum(b.w) AS s FROM a JOIN b ON b.aid = a.id GROUP BY a.g",
    "abc": "SELECT a.v, b.w, c.x FROM a JOIN b ON b.aid = a.id JOIN c ON c.bid = b.id",
    "pairs": "SELECT l.id AS l, r.id AS r FROM b l JOIN b r ON l.aid = r.aid AND l.id < r.id",
    "either": "SELECT v FROM a UNION SELECT w FROM b",
    "levels": "SELECT n, count(*) AS groups FROM (SELECT aid, count(*) AS n FROM b GROUP BY aid) q GROUP BY n",
    "top": "SELECT id, w FROM b ORDER BY w DESC, id LIMIT 4",
}


@pytest.fixture
def many(area: Area) -> Area:
    """Three tables and a view of each kind over them, none of which may be computed anew."""
    area.run(TABLES)
    for name, query in VIEWS.items():
        area.view(name, query)
    area.view("above", "SELECT s, count(*) AS n FROM ab GROUP BY s")
    area.view("diamond", "SELECT a.id, ab.n FROM a JOIN ab ON ab.g = a.g")
    area.forbid_recompute()
    return area


def function(name: str, body: str, returns: str = "trigger") -> str:
    """A plpgsql function's definition. Maintenance runs under a search_path of its own, so it pins the one of now."""
    return (
        f"CREATE OR REPLACE FUNCTION {name} RETURNS {returns} LANGUAGE plpgsql SET search_path FROM CURRENT "
        f"AS $f$ {body} $f$"
    )


def attempt(area: Area, statement: str) -> None:
    """A step; PostgreSQL itself refuses some of those in which a row is changed twice, and then nothing may change."""
    try:
        area.step(statement)
    except DatabaseError as error:
        assert getattr(error.__cause__, "sqlstate", "") == "27000", error
    area.check()


TWO_AND_THREE = (
    "WITH x AS (DELETE FROM a WHERE id = 1) DELETE FROM b WHERE aid = 1",
    "WITH x AS (UPDATE a SET g = 0), y AS (UPDATE b SET w = w + 1) UPDATE c SET x = x + 1",
    "WITH x AS (INSERT INTO a VALUES (100, 1, 1, '') RETURNING id), y AS (INSERT INTO b SELECT 100, id, 5 "
    "FROM x RETURNING id) "
    "INSERT INTO c (bid, x) SELECT id, 7 FROM y",
    "WITH x AS (DELETE FROM b WHERE w > 12 RETURNING aid), y AS (UPDATE a SET v = v + 100 WHERE id IN "
    "(SELECT aid FROM x)) "
    "INSERT INTO b SELECT 500 + aid, aid, 1 FROM x GROUP BY aid",
    "WITH x AS (DELETE FROM b WHERE w > 12 RETURNING *), y AS (INSERT INTO b SELECT id + 1000, aid, w FROM "
    "x RETURNING *) SELECT * FROM y",
    "WITH x AS (UPDATE b SET aid = aid % 9 + 1 WHERE id < 9), y AS (UPDATE b SET aid = 1 WHERE id > 15) "
    "DELETE FROM b WHERE id = 12",
    "WITH x AS (INSERT INTO a SELECT id + 50, g, v, note FROM a RETURNING id) DELETE FROM b WHERE aid IN "
    "(SELECT id - 50 FROM x WHERE id % 2 = 0)",
    "WITH x AS (UPDATE a SET v = v WHERE true), y AS (DELETE FROM b WHERE false) UPDATE c SET x = x",
)


@pytest.mark.parametrize("statement", TWO_AND_THREE, ids=range(len(TWO_AND_THREE)))
def test_modifying_ctes(many: Area, statement: str) -> None:
    many.step(statement)
    many.step("UPDATE b SET w = w + 1 WHERE id % 2 = 0")


NESTED = {
    "after row, another source": "AFTER INSERT OR UPDATE OR DELETE ON a FOR EACH ROW|"
    "UPDATE b SET w = w + 1 WHERE aid = coalesce(NEW.id, OLD.id); RETURN NULL;",
    "after row, the same source": "AFTER UPDATE ON a FOR EACH ROW WHEN (NEW.v < 50)|UPDATE a SET v = v + "
        "50 WHERE id = NEW.id; RETURN NULL;",
    "before row, another source": "BEFORE INSERT OR UPDATE ON a FOR EACH ROW|INSERT INTO b VALUES (10000 + "
        "nextval('c_id_seq'), NEW.id, NEW.v); RETURN NEW;",
    "before row, the same source": "BEFORE UPDATE ON a FOR EACH ROW WHEN (NEW.id > 3)|UPDATE a SET v = -1 "
        "WHERE id = 1; NEW.v := NEW.v + 1; RETURN NEW;",
    "before row, nothing left": "BEFORE INSERT OR UPDATE OR DELETE ON a FOR EACH ROW|DELETE FROM b WHERE "
        "aid = coalesce(NEW.id, OLD.id); RETURN NULL;",
    "before statement": "BEFORE INSERT OR UPDATE OR DELETE ON a FOR EACH STATEMENT|UPDATE b SET w = w + 3 "
        "WHERE id < 4; RETURN NULL;",
    "after statement": "AFTER INSERT OR UPDATE OR DELETE ON a FOR EACH STATEMENT|UPDATE b SET w = w + 3 "
        "WHERE id < 4; DELETE FROM c WHERE id = 3; RETURN NULL;",
    "instead of failing": "AFTER UPDATE ON a FOR EACH ROW|BEGIN UPDATE b SET w = 1 / (w - NEW.id); "
        "EXCEPTION WHEN division_by_zero THEN "
    "UPDATE b SET w = w + 1 WHERE id = 1; END; RETURN NULL;",
    "before row, an exception is caught": "BEFORE UPDATE OR INSERT ON a FOR EACH ROW|IF pg_trigger_depth() "
        "< 2 THEN "
    "BEGIN UPDATE b SET w = w + 1; INSERT INTO a VALUES (1, 1, 1, ''); EXCEPTION WHEN unique_violation "
    "THEN NULL; END; END IF; RETURN NEW;",
    "three deep": "AFTER UPDATE ON a FOR EACH ROW|UPDATE b SET w = w + 1 WHERE aid = NEW.id; RETURN NULL;",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, "aaa_user") for kind in NESTED]
    + [(kind, "zzz_user") for kind in NESTED if "statement" in kind or "same" in kind],
    ids=lambda value: {"aaa_user": "sorts before", "zzz_user": "sorts after"}.get(value, value),
)
def test_triggers_of_users(many: Area, kind: str, name: str) -> None:
    when, body = NESTED[kind].split("|")
    many.run(function("nested()", f"BEGIN {body} END"))
    many.run(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION nested()")
    if kind == "three deep":
        many.run(
            function(
                "deeper()",
                "BEGIN UPDATE c SET x = x + 1 WHERE bid = NEW.id; UPDATE b SET w = w "
                "+ 1 WHERE id = 2 AND w < 90; RETURN NULL; END",
            )
        )
        many.run(f"CREATE TRIGGER {name} AFTER UPDATE ON b FOR EACH ROW EXECUTE FUNCTION deeper()")
    attempt(many, "UPDATE a SET v = v + 1 WHERE id IN (2, 5, 6)")
    attempt(many, "INSERT INTO a VALUES (30, 1, 1, ''), (31, 2, 2, '')")
    attempt(many, "WITH x AS (UPDATE b SET w = w + 1) UPDATE a SET g = g + 1 WHERE id IN (3, 4)")
    attempt(many, "INSERT INTO a VALUES (5, 0, 0, ''), (40, 0, 0, '') ON CONFLICT (id) DO UPDATE SET v = 3")
    attempt(
        many,
        "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED AND b.id < 4 THEN DELETE WHEN MATCHED THEN UPDATE SET v = w",
    )
    attempt(many, "DELETE FROM a WHERE id IN (5, 7, 31)")
    with transaction.atomic():
        many.step("UPDATE a SET v = v + 1")
        many.step("UPDATE c SET x = 0")


def test_functions_that_write(many: Area) -> None:
    many.run(
        function(
            "writes(n int)",
            "BEGIN UPDATE b SET w = w + 1 WHERE id = n; INSERT INTO c (bid, x) VALUES (n, n); RETURN n; END",
            "int",
        )
    )
    many.run(
        "CREATE FUNCTION set_writes() RETURNS SETOF int LANGUAGE sql AS 'UPDATE b SET w = w + 2 WHERE "
        "id < 5 RETURNING id'"
    )
    many.step("SELECT writes(3)")
    many.step("SELECT sum(writes(id)) FROM a")
    many.step("INSERT INTO a VALUES (writes(4) + 70, 1, 1, '')")
    many.step("UPDATE a SET v = writes(id) + v WHERE id < 4")
    many.step("DELETE FROM a WHERE id = 9 AND writes(5) = 5")
    many.step("SELECT * FROM set_writes()")
    many.step("UPDATE a SET v = (SELECT count(*) FROM set_writes())")
    many.step("WITH x AS (UPDATE a SET g = 5 WHERE id = 2) SELECT writes(6)")
    many.step(
        "DO $$BEGIN FOR i IN 1..30 LOOP PERFORM writes(i % 20 + 1); UPDATE a SET v = v + 1 WHERE id "
        "= i; END LOOP; END$$"
    )
    many.step("SELECT writes(1) UNION ALL SELECT count(*)::int FROM a")


def test_procedures_that_commit(many: Area) -> None:
    body = (
        "BEGIN UPDATE a SET v = v + 1; COMMIT; WITH x AS (DELETE FROM b WHERE id = 1) UPDATE a SET g = 9 "
        "WHERE id = 1; COMMIT; "
        "UPDATE b SET w = 0; ROLLBACK; UPDATE b SET w = w + 1; END"
    )
    many.run(f"CREATE PROCEDURE steps() LANGUAGE plpgsql AS $f$ {body} $f$")
    many.step("CALL steps()")
    many.step("CALL steps()")
    many.step("DO $$BEGIN DELETE FROM a WHERE id = 4; COMMIT; INSERT INTO a VALUES (4, 4, 4, ''); ROLLBACK; END$$")
    assert many.value("SELECT count(*) FROM a WHERE id = 4") == 0


def test_deferred_constraint_triggers(many: Area) -> None:
    many.run(
        function(
            "later()",
            "BEGIN UPDATE b SET w = w + 1 WHERE aid = NEW.id; UPDATE a SET v = v WHERE id = NEW.id; RETURN NULL; END",
        )
    )
    many.run(
        "CREATE CONSTRAINT TRIGGER later AFTER INSERT OR UPDATE OF g ON a DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION later()"
    )
    many.step("UPDATE a SET g = g + 1")
    with transaction.atomic():
        many.step("UPDATE a SET g = g + 1 WHERE id < 5")
        many.step("SET CONSTRAINTS ALL IMMEDIATE")
        many.step("UPDATE a SET g = 0 WHERE id = 2")
        many.step("SET CONSTRAINTS ALL DEFERRED")
        many.step("UPDATE a SET g = 1 WHERE id = 3")
    many.check()


def test_savepoints_and_caught_errors(many: Area) -> None:
    with transaction.atomic():
        many.step("UPDATE a SET v = v + 1")
        for statement in (
            "INSERT INTO a VALUES (200, 1, 1, ''), (1, 1, 1, '')",
            "WITH x AS (UPDATE b SET w = w + 5) UPDATE a SET v = 1 / (id - 4)",
            "WITH x AS (DELETE FROM b) INSERT INTO a VALUES (2, 2, 2, '')",
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                many.step("DELETE FROM b WHERE id = 7")
                many.run(statement)
            many.check()
            many.step("UPDATE b SET w = w + 1")
        many.run("SAVEPOINT one")
        many.step("DELETE FROM a")
        many.run("ROLLBACK TO one")
        many.step("WITH x AS (UPDATE b SET w = w + 5) UPDATE a SET v = 3 WHERE id = 3")
        many.run("RELEASE one")
    many.check()


def test_upsert_and_merge(many: Area) -> None:
    many.step(
        "INSERT INTO a SELECT i, 1, i, '' FROM generate_series(5, 15) i ON CONFLICT (id) DO UPDATE "
        "SET v = excluded.v + 100, g = 7"
    )
    many.step("INSERT INTO a SELECT i, 1, i, '' FROM generate_series(10, 20) i ON CONFLICT DO NOTHING")
    many.step(
        "INSERT INTO b SELECT i, 1, i FROM generate_series(15, 25) i ON CONFLICT (id) DO UPDATE SET "
        "aid = 2 WHERE b.w > 17"
    )
    many.step(
        "MERGE INTO b USING a ON b.aid = a.id AND b.id = a.id WHEN MATCHED AND a.id % 3 = 0 THEN DELETE "
        "WHEN MATCHED THEN UPDATE SET w = a.v "
        "WHEN NOT MATCHED THEN INSERT VALUES (a.id + 2000, a.id, a.v)"
    )
    many.step("MERGE INTO a USING (SELECT -1 AS id) s ON a.id = s.id WHEN MATCHED THEN DELETE")


def test_one_row_in_and_out_of_a_statement(many: Area) -> None:
    """A row that a trigger takes away again within the statement that brought it."""
    many.run(
        function(
            "away()",
            "BEGIN DELETE FROM a WHERE id = NEW.id AND v = 0; DELETE FROM b WHERE id = NEW.id; RETURN NULL; END",
        )
    )
    many.run("CREATE TRIGGER away AFTER INSERT OR UPDATE ON a FOR EACH ROW EXECUTE FUNCTION away()")
    many.step("INSERT INTO a VALUES (300, 300, 0, ''), (301, 301, 1, ''), (302, 300, 0, '')")
    many.step("UPDATE a SET v = 0 WHERE id IN (1, 2)")
    many.step("WITH x AS (INSERT INTO b VALUES (303, 303, 3)) INSERT INTO a VALUES (303, 303, 0, '')")


def spools(area: Area) -> int:
    """Rows left in the tables that hold large changes until a statement ends."""
    tables = area.run(
        "SELECT relname FROM pg_class WHERE relnamespace = 'django_ivm'::regnamespace AND relname ~ "
        "'spool' AND relkind = 'r'"
    )
    assert tables
    return sum(area.value(f'SELECT count(*) FROM django_ivm."{name}"') for (name,) in tables)


def test_large_statements(many: Area) -> None:
    """More rows in an event than are kept in a setting."""
    many.step("INSERT INTO a SELECT i, i % 11, i % 50, '' FROM generate_series(1000, 3500) i")
    many.step("WITH x AS (UPDATE b SET w = w + 1 WHERE id > 3) UPDATE a SET v = v + 1 WHERE id > 1500")
    many.step(
        "WITH x AS (INSERT INTO b SELECT i, i, i FROM generate_series(1000, 3000) i) UPDATE a SET g = 3 WHERE id > 2000"
    )
    many.step("WITH x AS (DELETE FROM a WHERE id > 3000) DELETE FROM b WHERE aid > 2900")
    with transaction.atomic():
        many.step("UPDATE a SET g = g + 1 WHERE id % 2 = 0")
        many.step(
            "WITH x AS (UPDATE b SET aid = aid + 1 WHERE aid BETWEEN 1000 AND 1200) UPDATE a SET v = "
            "7 WHERE id BETWEEN 1100 AND 1300"
        )
    assert spools(many) == 0


def test_thousands_of_nested_statements(area: Area) -> None:
    """More events in a statement than are kept in a setting, then a second such statement in the same transaction."""
    area.run(TABLES)
    area.view("ab", VIEWS["ab"])
    area.view("either", VIEWS["either"])
    area.run(
        function(
            "spread()",
            "BEGIN INSERT INTO b VALUES (100000 + NEW.id, NEW.id, NEW.v); UPDATE b "
            "SET w = w + 1 WHERE id = NEW.id; RETURN NULL; END",
        )
    )
    area.run("CREATE TRIGGER spread AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION spread()")
    area.forbid_recompute()
    with transaction.atomic():
        area.step("INSERT INTO a SELECT i, i % 11, i % 50, '' FROM generate_series(1000, 3500) i")
        area.step("INSERT INTO a SELECT i, i % 11, i % 50, '' FROM generate_series(5000, 5040) i")
    area.check()
    assert spools(area) == 0


def test_cursor_that_writes_while_it_is_read(many: Area) -> None:
    many.run(function("writes(n int)", "BEGIN UPDATE b SET w = w + 1 WHERE id = n; RETURN n; END", "int"))
    with transaction.atomic():
        many.run("DECLARE slow CURSOR FOR SELECT writes(id) FROM a ORDER BY id")
        many.step("FETCH 2 FROM slow")
        many.step("UPDATE a SET v = v + 1 WHERE id = 1")
        many.step("WITH x AS (UPDATE b SET w = w + 5) UPDATE a SET v = v + 1 WHERE id = 2")
        many.step("FETCH ALL FROM slow")
    many.check()
