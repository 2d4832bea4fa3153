"""Who may ask how a view is doing: its owner, and who was given the rights that the documentation names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import django_ivm

from .area import Area

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "operations.md"


@pytest.fixture
def role(area: Area) -> Iterator[str]:
    name = f"ivm_watcher_{os.getpid()}"
    area.run(f"DROP ROLE IF EXISTS {name}; CREATE ROLE {name}")
    area.run("CREATE TABLE t (id int PRIMARY KEY, g int); INSERT INTO t SELECT i, i % 3 FROM generate_series(1, 9) i")
    query = "SELECT g, count(*) AS n FROM t GROUP BY g"
    for view, mode in (("at_once", "immediate"), ("at_commit", "commit"), ("later", "deferred"), ("by_hand", "manual")):
        area.view(view, query, mode=mode)
    area.view("pairs", "SELECT a.g, b.id FROM t a JOIN t b ON a.g = b.g", mode="deferred")
    area.run(f"GRANT USAGE ON SCHEMA {area.schema} TO {name}; GRANT SELECT ON at_once, later TO {name}")
    yield name
    area.run("RESET ROLE")
    area.run(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_who_may_not_is_told(area: Area, role: str) -> None:
    area.run(f"SET ROLE {role}")
    assert area.value("SELECT sum(n) FROM at_once") == 9
    for ask in ("is_fresh", "status", "refresh", "verify"):
        with pytest.raises(django_ivm.IVMError) as raised:
            getattr(django_ivm.View("at_once", schema=area.schema), ask)()
        assert raised.value.code == "PRIVILEGE"
        assert role in str(raised.value)


def test_the_documented_rights_are_enough(area: Area, role: str) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    statements = text.split("<!-- monitoring -->")[1].split("```sql")[1].split("```")[0]
    area.run(statements.replace("monitor", role))
    area.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA {area.schema} TO {role}; SET ROLE {role}")
    assert {name: django_ivm.get_view(name).is_fresh() for name in area.queries} == dict.fromkeys(area.queries, True)
    area.run("RESET ROLE; UPDATE t SET g = g + 1 WHERE id < 3")
    area.run(f"SET ROLE {role}")
    stale = {name for name in area.queries if not django_ivm.get_view(name).is_fresh()}
    assert stale == {"later", "pairs", "by_hand"}
    for name in area.queries:
        status = django_ivm.get_view(name).status()
        assert status.stale == (name in stale)
        assert (status.pending > 0) == (name in ("later", "pairs"))
        assert status.rows is not None
    with pytest.raises(django_ivm.RefreshError, match="permission denied"):
        django_ivm.get_view("by_hand").refresh()
