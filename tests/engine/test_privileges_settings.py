"""Settings `ivm.*` are the triggers' working memory, and any role may set them: what is found there is refused, healed,
or the view says that it is stale."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest

import django_ivm
from tests.not_kept import NOT_KEPT

from .area import Area

TABLES = """
CREATE TABLE parent (id int PRIMARY KEY, grp text);
CREATE TABLE child (id int PRIMARY KEY, pid int, v int); CREATE INDEX ON child (pid);
INSERT INTO parent VALUES (1, 'a'), (2, 'b');
INSERT INTO child SELECT i, i % 2 + 1, i FROM generate_series(1, 10) i;
"""
VIEWS = {
    "sums": "SELECT pid, count(*) AS n, sum(v) AS s, max(v) AS top FROM child GROUP BY pid",
    "bag": "SELECT c.v, p.grp FROM child c JOIN parent p ON p.id = c.pid",
    "chain": "SELECT n, count(*) AS k FROM sums GROUP BY n",
}
# Each a transaction: one event, several events of one statement, several statements.
WRITES = (
    "INSERT INTO child VALUES ({i}, 1, 5)",
    "WITH x AS (UPDATE parent SET grp = grp || 'x' WHERE id = 1) UPDATE child SET v = v + 1 WHERE id < 5",
    "INSERT INTO child VALUES (2, 2, 9) ON CONFLICT (id) DO UPDATE SET v = child.v + 1; DELETE FROM child WHERE id = {i}",
)
_STAMP = "(date_part('epoch', statement_timestamp()) * 1000000)::bigint::text"
# What a role can know or guess, as expressions of SQL: counts of events, spooled rows, marks.
COUNTS = (
    "'x'", "'1/1/'", "'below'", f"{_STAMP} || '/0/'", f"{_STAMP} || '/1/'", f"{_STAMP} || '/7/,0,'",
    f"{_STAMP} || '/1/,0,,1,'", f"{_STAMP} || '/1000000/'", f"{_STAMP} || '/1/!'", f"{_STAMP} || '/1/+,0,'",
)  # fmt: skip
SPOOLS = ("'x'", "'{\"(1,7,1,)\"}'", "'{\"(1,7,1,1,)\"}'", "'{\"(1,a,1,)\"}'")
MARKS = ("'x'", "'(0,1)'", "'(0,2)'", "pg_current_xact_id()::text")


def values_for(name: str) -> tuple[str, ...]:
    if name.startswith("ivm.m"):
        return MARKS
    return SPOOLS if re.search(r"_s\d+$", name) else COUNTS


@pytest.fixture
def writer(area: Area) -> Iterator[psycopg.Connection]:
    role = f"ivm_forger_{os.getpid()}"
    area.run(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role}")
    area.run(TABLES)
    for name, query in VIEWS.items():
        area.view(name, query)
    area.view("later", VIEWS["bag"], mode="deferred")
    area.view("whole", f"SELECT id, v FROM child WHERE {NOT_KEPT}", strategy="auto")
    area.view("by_hand", "SELECT pid, sum(v) AS s FROM child GROUP BY pid", mode="manual")
    area.run(f"GRANT USAGE ON SCHEMA {area.schema} TO {role}; GRANT ALL ON child, parent TO {role}")
    session = area.connect()
    session.execute(f"SET SESSION AUTHORIZATION {role}")
    yield session
    session.close()
    area.run(f"DROP OWNED BY {role}; DROP ROLE {role}")


def settings_read(area: Area) -> list[str]:
    """Names of all settings of ours that a function reads."""
    found = area.run("SELECT prosrc FROM pg_proc WHERE pronamespace = 'django_ivm'::regnamespace")
    return sorted({name for (text,) in found for name in re.findall(r"'(ivm\.\w+)'", text)})


def told(area: Area) -> None:
    """Every view equals its query or says that it doesn't; those that don't are refreshed."""
    for name in area.queries:
        if area.wrong(name):
            assert not django_ivm.get_view(name).is_fresh(), f"{name} differs from its query and claims to be fresh"
            django_ivm.get_view(name).refresh()
            area.check(name)


@pytest.mark.parametrize("local", [True, False], ids=["for the transaction", "for the session"])
def test_forged_before_a_write(area: Area, writer: psycopg.Connection, local: bool) -> None:
    names = settings_read(area)
    assert {name[:5] for name in names} == {"ivm.m", "ivm.n"}
    outcomes: Counter[str] = Counter()
    for number, name in enumerate(names):
        for i, value in enumerate(values_for(name)):
            writes = WRITES[(number + i) % len(WRITES)].format(i=1000 + number * 100 + i)
            try:
                with writer.transaction():
                    writer.execute(f"SELECT set_config('{name}', {value}, {local})")
                    for statement in writes.split("; "):
                        writer.execute(statement)
                outcomes["written"] += 1
            except psycopg.Error as error:
                outcomes[error.sqlstate or ""] += 1
            writer.execute("RESET ALL")
            writer.execute(f"SET search_path = {area.schema}")
        told(area)
    assert outcomes["written"] > len(names)
    assert not [state for state in outcomes if state.startswith("42")], outcomes


def test_forged_in_one_command(area: Area, writer: psycopg.Connection) -> None:
    """All of a command has one time stamp, so that a count which is forged in it can pass for one of ours: a change is
    missed then, which `verify` finds. Rows can't be forged so, nor a mark."""
    for number, name in enumerate(settings_read(area)):
        counts = values_for(name) is COUNTS
        for i, value in enumerate(values_for(name)):
            writes = WRITES[(number + i) % len(WRITES)].format(i=10_000 + number * 100 + i)
            try:
                writer.execute(f"DO $$BEGIN PERFORM set_config('{name}', {value}, true); {writes}; END$$")
            except psycopg.Error as error:
                assert not (error.sqlstate or "").startswith("42"), (name, value, error)
        for view in area.queries if counts else ():
            handle = django_ivm.get_view(view)
            if area.wrong(view) and handle.is_fresh():
                assert not handle.verify().ok
                handle.refresh(full=True)
        told(area)
