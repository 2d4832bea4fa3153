"""Who may do what: writers need no right on views or state, and can't reach either by other ways."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

import django_ivm
from django_ivm.engine import install as installer
from django_ivm.engine.spec import ViewSpec
from tests.not_kept import NOT_KEPT

from .area import Area

TABLES = """
CREATE TABLE parent (id int PRIMARY KEY, grp text);
CREATE TABLE child (id int PRIMARY KEY, pid int, v int, d date); CREATE INDEX ON child (pid);
INSERT INTO parent VALUES (1, 'a'), (2, 'b');
INSERT INTO child SELECT i, i % 2 + 1, i, '2024-02-29' FROM generate_series(1, 10) i;
"""
VIEWS = {
    "sums": "SELECT pid, count(*) AS n, sum(v) AS s, max(v) AS top FROM child GROUP BY pid",
    "joined": "SELECT c.id, p.grp, c.v FROM child c JOIN parent p ON p.id = c.pid WHERE c.v > 0",
    "bag": "SELECT c.v, p.grp FROM child c JOIN parent p ON p.id = c.pid",
    "best": "SELECT id, v FROM child ORDER BY v DESC, id LIMIT 3",
    "chain": "SELECT n, count(*) AS k FROM sums GROUP BY n",
}


@pytest.fixture
def role(area: Area) -> Iterator[str]:
    """A role that may only INSERT into one table, and SELECT, UPDATE, DELETE another."""
    name = f"ivm_writer_{os.getpid()}"
    area.run(f"DROP ROLE IF EXISTS {name}")
    area.run(f"CREATE ROLE {name}")
    area.run(TABLES)
    for view, query in VIEWS.items():
        area.view(view, query)
    area.view("ranks", f"SELECT id, rank() OVER (ORDER BY v) AS place FROM child WHERE {NOT_KEPT}", strategy="auto")
    area.run(f"GRANT USAGE ON SCHEMA {area.schema} TO {name}; GRANT INSERT ON child TO {name}")
    yield name
    area.opened.close()
    area.run(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture
def writer(area: Area, role: str) -> psycopg.Connection:
    session = area.connect()
    session.execute(f"SET SESSION AUTHORIZATION {role}")
    return session


def test_insert_alone_is_enough(area: Area, writer: psycopg.Connection) -> None:
    writer.execute("INSERT INTO child VALUES (100, 1, 50, '2024-01-01')")
    writer.execute("INSERT INTO child SELECT i, 2, i, now() FROM generate_series(200, 400) i")
    area.check(*VIEWS)
    assert not django_ivm.get_view("ranks").is_fresh()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        writer.execute("DELETE FROM child")


def test_several_statements_with_their_own_rights(area: Area, role: str, writer: psycopg.Connection) -> None:
    area.run(f"GRANT SELECT, UPDATE, DELETE ON child, parent TO {role}")
    area.run(f"GRANT TRUNCATE ON child TO {role}")
    writer.execute("WITH x AS (UPDATE parent SET grp = grp || 'x') UPDATE child SET v = v + 1")
    writer.execute(
        "BEGIN; SAVEPOINT s; DELETE FROM child WHERE id = 3; ROLLBACK TO s; DELETE FROM child WHERE id = 4; COMMIT"
    )
    area.check(*VIEWS)
    writer.execute("TRUNCATE child")
    area.check(*VIEWS)


@pytest.mark.parametrize("granted", [False, True], ids=["", "with usage of our schema"])
def test_nothing_of_ours_can_be_reached(area: Area, role: str, writer: psycopg.Connection, granted: bool) -> None:
    if granted:
        area.run(f"GRANT USAGE ON SCHEMA django_ivm TO {role}")
        area.run(f"GRANT CREATE ON SCHEMA {area.schema} TO {role}")
    try:
        tables = area.run(
            "SELECT format('%%I.%%I', relnamespace::regnamespace, relname), relkind FROM pg_class WHERE "
            "relkind IN ('r', 'v', 'p') "
            "AND (relnamespace = 'django_ivm'::regnamespace OR relnamespace::regnamespace::text = %s AND "
            "relname = ANY(%s))",
            area.schema, [*VIEWS, "ranks"],
        )  # fmt: skip
        assert len(tables) > 15
        for table, kind in tables:
            writes = (f"DELETE FROM {table}", f"TRUNCATE {table}") if kind == "r" else ()
            for statement in (f"SELECT * FROM {table}", *writes):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    writer.execute(statement)
        functions = area.run(
            "SELECT oid::regprocedure::text, prorettype = 'trigger'::regtype, ARRAY(SELECT 'NULL::' || t.t::regtype "
            "FROM unnest(proargtypes) t(t)) FROM pg_proc WHERE pronamespace = 'django_ivm'::regnamespace"
        )
        assert len(functions) > 15
        for signature, trigger, nulls in functions:
            name, arguments = signature.split("(")[0], ", ".join(nulls)
            if trigger:
                continue
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                writer.execute(f"SELECT {name}({arguments})")
        if granted:
            writer.execute("CREATE TABLE own (id int, pid int, v int, d date)")
            for signature, trigger, _ in functions:
                if trigger:
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        writer.execute(
                            "CREATE TRIGGER forged AFTER INSERT ON own REFERENCING NEW TABLE AS ivm_new "
                            f"FOR EACH STATEMENT EXECUTE FUNCTION {signature}"
                        )
    finally:
        if granted:
            area.run(f"REVOKE USAGE ON SCHEMA django_ivm FROM {role}")
    area.check(*VIEWS)


def test_our_functions_run_for_no_other_table(area: Area, role: str) -> None:
    """Even for somebody who may attach them. (Those that only mark a view stale do no harm.)"""
    area.run(
        "CREATE TABLE own (LIKE child); CREATE SCHEMA IF NOT EXISTS elsewhere; CREATE TABLE "
        "elsewhere.child (LIKE child)"
    )
    functions = area.run(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'django_ivm'::regnamespace AND "
        "prorettype = 'trigger'::regtype "
        "AND prosrc ~ 'ivm_new' AND prosrc !~ 'ivm_old' AND prosrc ~ %s AND proname !~ "
        "'_mark_'", f"'{area.schema}'",
    )  # fmt: skip
    assert functions
    try:
        for table in ("own", "elsewhere.child"):
            for (signature,) in functions:
                area.run(
                    f"CREATE TRIGGER forged AFTER INSERT ON {table} REFERENCING NEW TABLE AS ivm_new FOR "
                    f"EACH STATEMENT EXECUTE FUNCTION {signature}"
                )
                with pytest.raises(DatabaseError, match="another table|miscounted"):
                    area.run(f"INSERT INTO {table} VALUES (9, 1, 9, now())")
                area.run(f"DROP TRIGGER forged ON {table}")
        area.check(*VIEWS)
    finally:
        area.run("DROP SCHEMA elsewhere CASCADE")


EVIL = """
CREATE SCHEMA evil;
CREATE FUNCTION evil.boom() RETURNS int LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'planted function ran'; END$$;
CREATE FUNCTION evil.eq(int, int) RETURNS bool LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'planted operator ran'; END$$;
CREATE FUNCTION evil.eqt(text, text) RETURNS bool LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'planted operator ran'; END$$;
CREATE FUNCTION evil.add(bigint, bigint) RETURNS bigint LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'planted operator ran'; END$$;
CREATE OPERATOR evil.= (leftarg = int, rightarg = int, function = evil.eq);
CREATE OPERATOR evil.> (leftarg = int, rightarg = int, function = evil.eq);
CREATE OPERATOR evil.<= (leftarg = int, rightarg = int, function = evil.eq);
CREATE OPERATOR evil.= (leftarg = text, rightarg = text, function = evil.eqt);
CREATE OPERATOR evil.<> (leftarg = text, rightarg = text, function = evil.eqt);
CREATE OPERATOR evil.+ (leftarg = bigint, rightarg = bigint, function = evil.add);
CREATE FUNCTION evil.statement_timestamp() RETURNS timestamptz LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'planted'; END$$;
CREATE FUNCTION evil.current_setting(text, bool) RETURNS text LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'planted'; END$$;
CREATE FUNCTION evil.set_config(text, text, bool) RETURNS text LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'planted'; END$$;
CREATE FUNCTION evil.pg_backend_pid() RETURNS int LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'planted'; END$$;
CREATE FUNCTION evil.hashtextextended(text, bigint) RETURNS bigint LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'planted'; END$$;
CREATE FUNCTION evil.split_part(text, text, int) RETURNS text LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'planted'; END$$;
CREATE FUNCTION evil.least(int, int) RETURNS int LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'planted'; END$$;
CREATE TABLE evil.child (id int, pid int, v int, d date);
GRANT USAGE ON SCHEMA evil TO PUBLIC;
"""


def test_search_path_of_the_writer(area: Area, role: str, writer: psycopg.Connection) -> None:
    area.run(EVIL)
    try:
        area.run(f"GRANT SELECT, UPDATE, DELETE ON child, parent TO {role}; GRANT TRUNCATE ON child TO {role}")
        area.run(f"GRANT TEMPORARY ON DATABASE {area.value('SELECT current_database()')} TO {role}")
        for name in ("child", "parent", *VIEWS):
            writer.execute(f"CREATE TEMP TABLE {name} (id int, pid int, v int, d date, grp text, n bigint, s bigint)")
        writer.execute("CREATE FUNCTION pg_temp.sum(int) RETURNS int LANGUAGE sql AS 'SELECT 1 / 0'")
        writer.execute("CREATE TYPE pg_temp.bigint AS ENUM ('x')")
        writer.execute("SET search_path = evil, pg_temp, pg_catalog")
        s = area.schema
        writer.execute(f"INSERT INTO {s}.child VALUES (100, 1, 50, '2024-01-01')")
        writer.execute(f"UPDATE {s}.child SET v = v OPERATOR(pg_catalog.+) 1 WHERE id OPERATOR(pg_catalog.=) 100")
        writer.execute(f"WITH x AS (UPDATE {s}.parent SET grp = 'z') UPDATE {s}.child SET v = 7")
        writer.execute(f"DELETE FROM {s}.child WHERE id OPERATOR(pg_catalog.<) 3")
        area.check(*VIEWS)
        writer.execute(f"TRUNCATE {s}.child")
        writer.execute(f"INSERT INTO {s}.child VALUES (100, 1, 50, '2024-01-01')")
        area.check(*VIEWS)
        area.run("SET search_path = evil")
        for name in VIEWS:
            view = django_ivm.View(name, schema=s)
            view.refresh(full=True)
            assert view.verify().ok
        area.enter()
    finally:
        writer.close()
        area.run("DROP SCHEMA evil CASCADE")


def test_functions_are_pinned_and_not_public(area: Area, role: str) -> None:
    found = area.run(
        "SELECT oid::regprocedure::text, prosecdef, coalesce(proconfig::text, ''), coalesce(proacl::text, "
        "'default') FROM pg_proc "
        "WHERE pronamespace = 'django_ivm'::regnamespace"
    )
    assert sum(definer for _, definer, _, _ in found) > 15
    for signature, definer, config, acl in found:
        if definer:
            assert "search_path=pg_catalog, django_ivm, pg_temp" in config.replace('"', "").replace("\\", ""), signature
        assert acl != "default", f"{signature} is PUBLIC's"
        assert "{=X" not in acl, f"{signature} is PUBLIC's"
        assert ",=X" not in acl, f"{signature} is PUBLIC's"


def test_grants(area: Area, role: str, writer: psycopg.Connection) -> None:
    for name, query in VIEWS.items():
        spec = ViewSpec(name=f"{name}_open", sql=query, schema=area.schema, grants=(role,))
        installer.install(spec, connection)
        writer.execute(f"SELECT * FROM {name}_open")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute(f"DELETE FROM {name}_open")


def test_a_function_of_somebody_else_is_refused(area: Area, role: str) -> None:
    """It would run with the installing role's rights at every write."""
    area.run("CREATE FUNCTION theirs(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1'")
    area.run(f"GRANT CREATE ON SCHEMA {area.schema} TO {role}; ALTER FUNCTION theirs(int) OWNER TO {role}")
    with pytest.raises(django_ivm.IVMError):
        django_ivm.create_view("trap", "SELECT id, theirs(v) AS v FROM child", strategy="incremental")


def test_an_installer_who_is_no_superuser(area: Area, role: str) -> None:
    """It owns the tables and may create in the database; that is enough."""
    database = area.value("SELECT current_database()")
    with transaction.atomic():
        for view in reversed(installer.installed(connection)):
            installer.uninstall(view.name, connection, schema=view.schema, cascade=True)
        installer.remove_runtime(connection)
        area.run(f"GRANT CREATE ON DATABASE {database} TO {role}; GRANT ALL ON SCHEMA {area.schema} TO {role}")
        area.run(f"CREATE TABLE mine (id int PRIMARY KEY, g int, v int); ALTER TABLE mine OWNER TO {role}")
        area.run(
            f"GRANT ALL ON TABLE django_ivm_refreshlog TO {role}; GRANT ALL ON SEQUENCE "
            f"django_ivm_refreshlog_id_seq TO {role}"
        )
        area.run(f"SET LOCAL SESSION AUTHORIZATION {role}")
        area.queries.clear()
        area.view("sums", "SELECT g, count(*) AS n, max(v) AS s FROM mine GROUP BY g")
        area.view("pairs", "SELECT a.id AS a, b.id AS b FROM mine a JOIN mine b ON a.g = b.g")
        area.view("ranks", f"SELECT id, rank() OVER (ORDER BY v) AS place FROM mine WHERE {NOT_KEPT}", strategy="auto")
        area.run("INSERT INTO mine VALUES (1, 1, 1), (2, 1, 2)")
        area.check("sums", "pairs")
        django_ivm.get_view("ranks").refresh()
        area.check()
        for name in area.queries:
            django_ivm.drop_view(name)
        transaction.set_rollback(True)
