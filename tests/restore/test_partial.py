"""Dumps and restores of a part: schema without data, data without schema, some schemas, without our comments."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

import django_ivm

from . import shop
from .databases import Database
from .programs import Programs
from .test_round_trips import every_way, maintained

Dump = Callable[..., Path]
Empty = Callable[..., Database]


def test_schema_only(programs: Programs, dump: Dump, empty: Empty) -> None:
    """No view is known, yet psql alone keeps them exact from the first row on, and ivm_install takes them over."""
    target = empty()
    programs.psql(target.url, file=dump("--schema-only"))
    with pytest.raises(django_ivm.NotInstalledError):
        target.view("sums").is_fresh()
    programs.psql(target.url, command=shop.ROWS)
    programs.psql(target.url, command=shop.WRITES)
    target.check()
    target.install()
    maintained(programs, target, marked=set(), writes=shop.MORE_WRITES)


def test_schema_only_first_writers_wait_for_each_other(programs: Programs, dump: Dump, empty: Empty) -> None:
    """The rows by which writers exclude each other are no part of a schema."""
    target = empty()
    programs.psql(target.url, file=dump("--schema-only"))
    programs.psql(target.url, command="INSERT INTO app.customer VALUES (1, 'n', NULL), (2, 's', NULL)")
    one, two = target.connect(), target.connect()
    try:
        one.execute("BEGIN")
        one.execute(f"INSERT INTO {shop.ORDERS} (customer_id, amount) VALUES (1, 1)")
        two.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            two.execute("UPDATE app.customer SET region = 'other' WHERE id = 1")
        one.execute("COMMIT")
        two.execute("UPDATE app.customer SET region = 'other' WHERE id = 1")
    finally:
        one.close()
        two.close()
    target.check()


def test_data_into_schema_without_triggers(programs: Programs, dump: Dump, empty: Empty) -> None:
    target = empty()
    programs.psql(target.url, file=dump("--schema-only"))
    programs.psql(target.url, file=dump("--data-only", "--disable-triggers"))
    # Exact, but nothing tells this from sources that were loaded by themselves.
    maintained(programs, target, marked={*target.queries, *target.marked})


def test_data_into_schema_with_triggers(programs: Programs, dump: Dump, empty: Empty) -> None:
    """The views' tables refuse the dump's rows, with an error each; the sources' rows bring them."""
    target = empty()
    programs.psql(target.url, file=dump("--schema-only"))
    said = programs.psql(target.url, file=dump("--data-only"), check=False)
    assert said.count("takes no direct insert") >= len(target.queries)
    target.check()
    maintained(programs, target)


@every_way
def test_sources_into_installed_views(programs: Programs, dump: Dump, empty: Empty) -> None:
    """What the documentation advises for data alone: neither our schema nor the views' tables, triggers on."""
    target = empty()
    programs.psql(target.url, command=shop.TABLES + "CREATE SCHEMA views")
    target.install()
    programs.psql(target.url, file=dump("--data-only", "-N", "django_ivm", "-N", "views"))
    target.check()
    maintained(programs, target)


@pytest.mark.parametrize("options", [[], pytest.param(["-Fc"], marks=every_way)], ids=["plain", "custom"])
def test_over_what_is_there(programs: Programs, source: Database, dump: Dump, empty: Empty, options: list[str]) -> None:
    """--clean: what was written since the dump is gone with the objects."""
    target = empty()
    programs.psql(target.url, file=dump())
    programs.psql(target.url, command=shop.WRITES)
    cleaning = ["--clean", "--if-exists"]
    if options:
        said = programs.run("pg_restore", "-d", target.url, *cleaning, str(dump(*options)), check=False).stderr
    else:
        said = programs.psql(target.url, file=dump(*cleaning), check=False)
    # What PostgreSQL says of any partitioned table with a key; the tables themselves go all the same.
    assert all("cannot drop inherited constraint" in line for line in said.splitlines() if " ERROR: " in line)
    maintained(programs, target)


@every_way
def test_without_our_schema(programs: Programs, dump: Dump, empty: Empty) -> None:
    """Tables of that name are there, which nothing maintains: they are no views, and installing says so."""
    target = empty()
    said = programs.psql(target.url, file=dump("-N", "django_ivm"), check=False)
    assert 'schema "django_ivm" does not exist' in said
    with pytest.raises(django_ivm.NotInstalledError):
        target.view("joined").is_fresh()
    with pytest.raises(django_ivm.DefinitionError, match="exists and is not a view of ours"):
        target.install()
    programs.psql(target.url, command="DROP SCHEMA views, django_ivm CASCADE; CREATE SCHEMA views")
    target.install()
    maintained(programs, target, marked=set())


@every_way
def test_without_our_comments_and_grants(programs: Programs, dump: Dump, empty: Empty) -> None:
    """The triggers' comments tell that they are the installed ones: without them a view is exact, outdated, and
    installed again."""
    target = empty()
    programs.psql(target.url, file=dump("--no-comments", "--no-privileges"))
    programs.psql(target.url, command=shop.MORE_WRITES)
    target.check()
    assert target.states() == {"outdated"}
    assert target.stale() == {*target.queries, *target.marked}
    target.install_again()
    maintained(programs, target, marked=set())


def test_as_another_owner(programs: Programs, dump: Dump, empty: Empty) -> None:
    """Without the owners of the dump, by a role that is no superuser: its rights are those of maintenance then."""
    target = empty()
    role = f"ivm_restorer_{os.getpid()}"
    target.run(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role}")
    target.run(f'ALTER DATABASE "{target.alias}" OWNER TO {role}; GRANT ALL ON SCHEMA public TO {role}')
    try:
        path = dump("-Fc")
        programs.run("pg_restore", "-d", target.url, "--no-owner", f"--role={role}", "--exit-on-error", str(path))
        owners = target.run(
            "SELECT DISTINCT proowner::regrole::text FROM pg_proc WHERE pronamespace = 'django_ivm'::regnamespace"
        )
        assert owners == [(role,)]
        maintained(programs, target)
    finally:
        target.run(f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}")


def test_one_table_alone(programs: Programs, source: Database, dump: Dump, empty: Empty) -> None:
    """A source's rows put back, triggers on: the views follow. Its definition can't be taken away under them."""
    target = empty()
    programs.psql(target.url, file=dump())
    programs.psql(target.url, command="DELETE FROM app.part")
    target.check()
    programs.psql(target.url, file=dump("--data-only", "-t", "app.part*"))
    target.check()
    said = programs.psql(target.url, file=dump("--clean", "-t", "app.part*"), check=False)
    assert "cannot drop table app.part because other objects depend on it" in said
    target.check()
