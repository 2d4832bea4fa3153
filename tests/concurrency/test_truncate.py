"""TRUNCATE takes rows that its own transaction doesn't see. A view may not keep what was made of them unsaid."""

from __future__ import annotations

import psycopg
import pytest

import django_ivm
from tests.engine.area import Area

VIEWS = {
    "groups": "SELECT k, count(*) AS n, max(v) AS hi FROM reading GROUP BY k",
    "bag": "SELECT k, v FROM reading UNION ALL SELECT k, v FROM other",
    "tops": "SELECT k, v FROM reading ORDER BY v DESC, k LIMIT 3",
    "kept": "SELECT DISTINCT v FROM reading",
    "pairs": "SELECT r.k, o.v FROM reading r JOIN other o ON o.k = r.k",
}


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
@pytest.mark.parametrize("mode", ["immediate", "commit"])
@pytest.mark.parametrize("name", VIEWS)
def test_truncate_under_an_older_snapshot(area: Area, name: str, mode: str, level: str) -> None:
    """A row is committed after the snapshot of the transaction that then truncates its table."""
    area.run(
        "CREATE TABLE reading (k int, v int); CREATE TABLE other (k int, v int); CREATE INDEX ON reading (k); "
        "CREATE INDEX ON other (k); INSERT INTO other VALUES (44, 1); INSERT INTO reading VALUES (1, 1), (2, 2), (2, 3)"
    )
    area.view(name, VIEWS[name], mode=mode)
    late = area.connect()
    late.execute(f"BEGIN ISOLATION LEVEL {level}")
    late.execute("SELECT 1")
    area.run("INSERT INTO reading VALUES (44, 9)")
    try:
        late.execute("TRUNCATE reading")
        late.execute("COMMIT")
        assert area.value("SELECT count(*) FROM reading") == 0
    except psycopg.errors.SerializationFailure:
        late.execute("ROLLBACK")
        assert level != "READ COMMITTED"
    view = django_ivm.get_view(name)
    assert view.is_fresh() or level != "READ COMMITTED"
    if not view.is_fresh():
        view.refresh()
        assert view.is_fresh()
    area.check()
    area.step("INSERT INTO reading VALUES (44, 7), (3, 3)")
