"""Row level security: a view is kept by a role that policies don't apply to, and shows every row to its readers. Where
they do apply, it is refused, or says that it isn't fresh any more."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

import django_ivm
from django_ivm import checks
from django_ivm.engine import install as installer
from django_ivm.engine.spec import ViewSpec
from django_ivm.models import RefreshLog

from .area import Area

TABLES = """
CREATE TABLE note (id int PRIMARY KEY, who text, v int); CREATE TABLE person (who text PRIMARY KEY, team int);
INSERT INTO person VALUES ('a', 1), ('b', 2); INSERT INTO note SELECT i, chr(97 + i % 2), i FROM generate_series(1, 8) i;
ALTER TABLE person ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON person USING (who = current_user);
"""
QUERY = "SELECT n.id, p.team, n.v FROM note n JOIN person p ON p.who = n.who"
RANKED = "SELECT id, who, rank() OVER (PARTITION BY who ORDER BY v, id) AS place FROM note"


@pytest.fixture
def owner(area: Area) -> Iterator[str]:
    """A role that owns a table and may create in the database, nothing more; what it does is rolled back."""
    role = f"ivm_owner_{os.getpid()}"
    area.run(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role}")
    area.run(TABLES)
    database = area.value("SELECT current_database()")
    with transaction.atomic():
        for view in reversed(installer.installed(connection)):
            installer.uninstall(view.name, connection, schema=view.schema, cascade=True)
        installer.remove_runtime(connection)
        area.run(f"GRANT CREATE ON DATABASE {database} TO {role}; GRANT ALL ON SCHEMA {area.schema} TO {role}")
        area.run(f"ALTER TABLE note OWNER TO {role}; GRANT ALL ON person TO {role}")
        yield role
        transaction.set_rollback(True)
    area.queries.clear()
    area.run(f"DROP OWNED BY {role}; DROP ROLE {role}")


def become(area: Area, role: str) -> None:
    area.run(f"SET LOCAL SESSION AUTHORIZATION {role}")


def test_the_owner_maintains_all_rows(area: Area, owner: str) -> None:
    view = area.view("joined", QUERY)
    area.run("INSERT INTO note VALUES (20, 'b', 5); UPDATE person SET team = 9 WHERE who = 'a'")
    area.check()
    explanation = view.explain()
    assert explanation.strategy == "incremental"
    assert explanation.unsecured == ("person",)
    assert "row level security of person" in str(explanation)
    found = installer.plan(ViewSpec(name="again", sql=QUERY), connection)
    (warning,) = checks._unsecured(RefreshLog, found)  # type: ignore[arg-type]
    assert warning.id == "django_ivm.W006"
    assert "person" in warning.msg


@pytest.mark.parametrize("strategy", ["incremental", "auto", "full"])
@pytest.mark.parametrize("mode", ["immediate", "manual"])
def test_whom_policies_apply_to_installs_nothing(area: Area, owner: str, strategy: str, mode: str) -> None:
    become(area, owner)
    with pytest.raises(django_ivm.DefinitionError) as raised:
        django_ivm.create_view("joined", QUERY, strategy=strategy, mode=mode)
    assert raised.value.code == "ROW_SECURITY"


def test_forced_upon_the_owner(area: Area, owner: str) -> None:
    """Triggers then see all rows of a change, and a part of the rows that it is joined with."""
    area.run(f"ALTER TABLE person OWNER TO {owner}")
    become(area, owner)
    area.view("joined", QUERY)
    area.run("INSERT INTO note VALUES (20, 'b', 5)")
    area.check()
    assert django_ivm.get_view("joined").is_fresh()
    area.run("ALTER TABLE person FORCE ROW LEVEL SECURITY")
    view = django_ivm.get_view("joined")
    assert not view.is_fresh()
    assert view.status().outdated
    area.run("ALTER TABLE person NO FORCE ROW LEVEL SECURITY")
    assert view.is_fresh()
    ranked = area.view("ranked", RANKED)
    area.run("ALTER TABLE ranked ENABLE ROW LEVEL SECURITY")  # of the view's own readers
    area.run("INSERT INTO note VALUES (21, 'b', 5)")
    assert ranked.is_fresh()
    area.run("ALTER TABLE ranked FORCE ROW LEVEL SECURITY")
    assert not ranked.is_fresh()
    assert view.is_fresh()


def test_policies_on_the_view_itself(area: Area, owner: str) -> None:
    """What its readers may see is decided by policies on its own table; maintenance is above them."""
    area.view("ranked", RANKED)
    area.run("ALTER TABLE ranked ENABLE ROW LEVEL SECURITY; CREATE POLICY one ON ranked USING (who = 'a')")
    area.run(f"GRANT SELECT ON ranked TO {owner}; INSERT INTO note VALUES (20, 'b', 5)")
    become(area, owner)
    assert area.run("SELECT DISTINCT who FROM ranked") == [("a",)]
    area.run("INSERT INTO note VALUES (22, 'b', 5)")
    area.run("RESET SESSION AUTHORIZATION")
    area.check()
    assert django_ivm.get_view("ranked").is_fresh()
