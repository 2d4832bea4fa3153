"""What a statement may leave behind, what users may tamper with, and what is refused."""

from __future__ import annotations

import re

import pytest
from django.db import DatabaseError, transaction

import django_ivm
from tests.engine.area import Area

from .test_situations import TABLES, function

JOINED = "SELECT a.g, count(*) AS n, sum(b.w) AS s FROM a JOIN b ON b.aid = a.id GROUP BY a.g"
ROWS = "SELECT a.v, b.w FROM a JOIN b ON b.aid = a.id"
SUMS = "SELECT g, count(*) AS n, sum(v) AS s FROM a GROUP BY g"


@pytest.fixture
def joined(area: Area) -> Area:
    area.run(TABLES)
    area.view("ab", JOINED)
    area.view("rows_", ROWS)
    return area


def settings_of(area: Area) -> list[str]:
    """Names of the transaction-local settings that the triggers use."""
    sources = area.run(
        "SELECT prosrc FROM pg_proc WHERE pronamespace = 'django_ivm'::regnamespace AND prosrc ~ 'ivm\\.n'"
    )
    return sorted({found for (text,) in sources for found in re.findall(r"ivm\.n[0-9a-z]+_\d+", text)})


@pytest.mark.parametrize("value", ["7", "1/3/", "zzz", "1/-1/", "1/0/!", "//", "1/x/y"])
def test_settings_of_the_session(joined: Area, value: str) -> None:
    names = settings_of(joined)
    assert names
    for name in names:
        joined.run(f"SET {name} = '{value}'")
    joined.step("UPDATE b SET w = w + 1")
    joined.step("WITH x AS (UPDATE a SET g = 1) DELETE FROM b WHERE id = 4")
    with transaction.atomic():
        joined.step("INSERT INTO b VALUES (77, 1, 1)")
        joined.step("DELETE FROM a WHERE id = 2")
    for name in names:
        joined.run(f"RESET {name}")
    joined.step("UPDATE b SET w = w + 1")


def test_a_forged_depth_is_healed_at_the_next_statement(joined: Area) -> None:
    names = settings_of(joined)
    forge = " ".join(
        f"PERFORM set_config('{name}', split_part(current_setting('{name}', true), '/', 1) || '/7/', true);"
        for name in names
    )
    joined.run(function("forge()", f"BEGIN IF NEW.w = 99 THEN {forge} END IF; RETURN NULL; END"))
    joined.run("CREATE TRIGGER forge AFTER UPDATE ON b FOR EACH ROW EXECUTE FUNCTION forge()")
    with transaction.atomic():
        joined.run("UPDATE b SET w = 99 WHERE id = 1")
        joined.step("UPDATE b SET w = w + 1 WHERE id = 2")
        joined.step("UPDATE a SET v = v + 1")
    joined.check()


def test_replica_role_within_a_statement_is_healed_at_the_next(joined: Area) -> None:
    joined.run(
        function(
            "flip()",
            "BEGIN IF NEW.w = 99 THEN PERFORM set_config('session_replication_role', "
            "'replica', true); END IF; RETURN NEW; END",
        )
    )
    joined.run("CREATE TRIGGER flip BEFORE UPDATE ON b FOR EACH ROW EXECUTE FUNCTION flip()")
    with transaction.atomic():
        joined.run("UPDATE b SET w = 99 WHERE id = 1")
        joined.run("SET LOCAL session_replication_role = origin")
        joined.step("UPDATE b SET w = w + 1 WHERE id = 2")
    joined.check()


def test_replica_role_in_the_last_statement_is_not_hidden(joined: Area) -> None:
    """Either the view says that it is stale, or verify does; it heals by a refresh."""
    joined.run(
        function("flip()", "BEGIN PERFORM set_config('session_replication_role', 'replica', true); RETURN NEW; END")
    )
    joined.run("CREATE TRIGGER flip BEFORE UPDATE ON b FOR EACH ROW EXECUTE FUNCTION flip()")
    joined.run("UPDATE b SET w = w + 1 WHERE id = 1")
    for name in joined.queries:
        view = django_ivm.get_view(name)
        assert not view.verify().ok
        view.refresh(full=True)
    joined.run("DROP TRIGGER flip ON b")
    joined.step("UPDATE b SET w = w + 1")


def test_reset_all_inside_a_statement(joined: Area) -> None:
    joined.run(function("reset_()", "BEGIN RESET ALL; RETURN NULL; END"))
    joined.run("CREATE TRIGGER reset_ AFTER UPDATE ON b FOR EACH ROW EXECUTE FUNCTION reset_()")
    try:
        joined.run("UPDATE b SET w = w + 1 WHERE id = 1")
    except DatabaseError as error:
        if "miscounted" not in str(error):
            raise
    joined.enter()
    joined.run("DROP TRIGGER reset_ ON b")
    joined.check()
    joined.step("UPDATE b SET w = w + 1")


def test_a_trigger_dropped_inside_a_statement(joined: Area) -> None:
    """That statement's own events are still seen; status tells, installing again mends."""
    name = joined.value("SELECT min(tgname) FROM pg_trigger WHERE tgrelid = 'b'::regclass AND tgname ~ '_update$'")
    joined.run(function("drop_()", f"BEGIN EXECUTE 'DROP TRIGGER \"{name}\" ON b'; RETURN NULL; END"))
    joined.run("CREATE TRIGGER drop_ AFTER UPDATE ON b FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION drop_()")
    joined.run("UPDATE b SET w = w + 1 WHERE id = 1")
    joined.run("DROP TRIGGER drop_ ON b")
    outdated = [view for view in joined.queries if django_ivm.get_view(view).status().outdated]
    assert len(outdated) == 1
    assert not django_ivm.get_view(outdated[0]).is_fresh()
    joined.view(outdated[0], joined.queries[outdated[0]], replace=True)
    joined.step("UPDATE b SET w = w + 1")


def test_a_statement_cancelled_half_way(joined: Area) -> None:
    joined.run(function("wait_()", "BEGIN PERFORM pg_sleep(5); RETURN NULL; END"))
    joined.run("CREATE TRIGGER wait_ AFTER UPDATE ON b FOR EACH ROW WHEN (NEW.w = 99) EXECUTE FUNCTION wait_()")
    with transaction.atomic():
        joined.step("UPDATE a SET v = v + 1")
        with pytest.raises(DatabaseError, match="statement timeout"), transaction.atomic():
            joined.run("SET LOCAL statement_timeout = '200ms'")
            joined.run("WITH x AS (UPDATE a SET g = 2) UPDATE b SET w = 99")
        joined.check()
        joined.step("WITH x AS (UPDATE a SET g = 2) UPDATE b SET w = 9")
    joined.check()


def test_nothing_is_left_after_a_transaction(joined: Area) -> None:
    joined.step("WITH x AS (UPDATE a SET g = 2) UPDATE b SET w = 9")
    for name in settings_of(joined):
        assert not joined.value(f"SELECT coalesce(current_setting('{name}', true), '')")


FEEDBACK = {
    "join": ("v1", "SELECT a.v, count(*) AS n, sum(b.w) AS s FROM a JOIN b ON b.aid = a.id GROUP BY a.v"),
    "rows": ("v1", ROWS),
    "sums": ("v1", SUMS),
    "top": ("v1", "SELECT id, v FROM a ORDER BY v DESC, id LIMIT 3"),
    "extremes": ("v1", "SELECT g, max(v) AS m FROM a GROUP BY g"),
}


@pytest.mark.parametrize("level", ["ROW", "STATEMENT"])
@pytest.mark.parametrize("kind", FEEDBACK)
def test_a_view_s_trigger_that_writes_a_source(area: Area, kind: str, level: str) -> None:
    """A clear error, not an endless loop; afterwards all is as before."""
    area.run(TABLES)
    name, query = FEEDBACK[kind]
    area.view(name, query)
    storage = ".".join(f'"{part}"' for part in area.installed(name).storage)
    area.run(function("feed()", "BEGIN UPDATE a SET v = v + 1 WHERE id = 1; RETURN NULL; END"))
    area.run(
        f"CREATE TRIGGER feed AFTER INSERT OR UPDATE OR DELETE ON {storage} FOR EACH {level} EXECUTE FUNCTION feed()"
    )
    before = area.run("SELECT * FROM a ORDER BY id")
    with pytest.raises(DatabaseError, match="trigger on the maintained table"):
        area.run("UPDATE a SET v = v + 20 WHERE id < 4")
    assert area.run("SELECT * FROM a ORDER BY id") == before
    area.run(f"DROP TRIGGER feed ON {storage}")
    area.step("UPDATE a SET v = v + 20 WHERE id < 4")


def test_a_view_s_trigger_may_write_elsewhere(area: Area) -> None:
    area.run(TABLES)
    area.run("CREATE TABLE log (what text)")
    area.view("v1", JOINED)
    area.view("logged", "SELECT what, count(*) AS n FROM log GROUP BY what")
    storage = ".".join(f'"{part}"' for part in area.installed("v1").storage)
    area.run(function("note()", "BEGIN INSERT INTO log VALUES (TG_OP); RETURN NULL; END"))
    area.run(f"CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON {storage} FOR EACH ROW EXECUTE FUNCTION note()")
    area.step("UPDATE a SET v = v + 1, g = 5 WHERE id < 4")
    area.step("WITH x AS (DELETE FROM b WHERE id > 9) UPDATE a SET g = 4")
    assert area.value("SELECT sum(n) FROM logged") > 0


DIRECT = (
    "INSERT INTO v1 SELECT * FROM v1 LIMIT 1", "UPDATE v1 SET s = 0", "DELETE FROM v1", "TRUNCATE v1",
        "COPY v1 FROM PROGRAM 'echo'",
    "INSERT INTO v1 SELECT * FROM v1 LIMIT 0", "WITH x AS (DELETE FROM v1 RETURNING 1) SELECT count(*) "
        "FROM x",
    "MERGE INTO v1 USING a ON v1.g = a.g WHEN MATCHED THEN DELETE",
)  # fmt: skip


@pytest.mark.parametrize("query", [SUMS, JOINED, "SELECT g, avg(v) AS s FROM a GROUP BY g", "SELECT g, v "
    "AS s FROM a", "SELECT v % 2 AS g, sum(v) AS s FROM a GROUP BY v % 2"],
                         ids=["sums", "join", "avg", "rows", "expression"])  # fmt: skip
def test_direct_writes_are_refused(area: Area, query: str) -> None:
    area.run(TABLES)
    view = area.view("v1", query)
    storage = ".".join(f'"{part}"' for part in area.installed("v1").storage)
    for statement in DIRECT:
        for target in {"v1", storage}:
            with pytest.raises(
                DatabaseError,
                match=r"v1.* is maintained from a query|\"v1\" is not a "
                r"table|(MERGE|COPY|copy|merge).*view|cannot (insert|update|delete|merge|execute MERGE)",
            ):
                area.run(re.sub(r"\bv1\b", target, statement) if target != "v1" else statement)
            area.check()
    assert view.verify().ok
    area.step("UPDATE a SET v = v + 1")


def test_direct_writes_from_a_user_s_trigger_or_function_are_refused(area: Area) -> None:
    area.run(TABLES)
    area.run("CREATE TABLE other (id int)")
    area.view("v1", SUMS)
    area.run(function("writes()", "BEGIN DELETE FROM v1; RETURN 1; END", "int"))
    with pytest.raises(DatabaseError, match="is maintained from a query"):
        area.run("SELECT writes()")
    area.run(function("sneaks()", "BEGIN DELETE FROM v1; RETURN NULL; END"))
    area.run("CREATE TRIGGER sneaks AFTER INSERT ON other FOR EACH STATEMENT EXECUTE FUNCTION sneaks()")
    with pytest.raises(DatabaseError, match="is maintained from a query"):
        area.run("INSERT INTO other VALUES (1)")
    area.check()
    area.run("CREATE TRIGGER sneaks AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION sneaks()")
    with pytest.raises(DatabaseError, match="is maintained from a query"):
        area.run("INSERT INTO a VALUES (100, 1, 1, '')")
    area.check()
