"""What an index says of a table: only as far as it compares as the table's columns do."""

from __future__ import annotations

import pytest
from django.db import connection

from django_ivm.engine import install
from django_ivm.engine.spec import ViewSpec
from tests.engine.area import Area


def indexes(query: str) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]:
    (info,) = install.plan(ViewSpec(name="asked", sql=query), connection).catalog.tables
    return info.keys, info.indexes


@pytest.mark.parametrize(
    "index, keys, found",
    [
        ("UNIQUE INDEX ON t (k)", (("k",),), (("k",),)),
        ("UNIQUE INDEX ON t (k DESC NULLS FIRST, v) INCLUDE (o)", (("k", "v"),), (("k", "v"),)),
        ('UNIQUE INDEX ON t (k COLLATE "C")', (), ()),
        ('UNIQUE INDEX ON t (v, k COLLATE "C")', (), (("v",),)),
        ("UNIQUE INDEX ON t (k text_pattern_ops)", (), ()),
        ("INDEX ON t (lower(o), v)", (), ()),
        ("INDEX ON t (v, lower(o), k)", (), (("v",),)),
        ("UNIQUE INDEX ON t (v) WHERE v > 0", (), ()),
    ],
)
def test_what_counts(area: Area, index: str, keys: object, found: object) -> None:
    area.run("CREATE TABLE t (k text NOT NULL, v int NOT NULL, o text)")
    area.run(f"CREATE {index}")
    assert indexes("SELECT k, v, o FROM t") == (keys, found)


def test_a_key_under_another_comparison_is_no_key(area: Area) -> None:
    """(1.0) and (1.00) are two keys of the index and one value of the column."""
    area.run("CREATE TYPE amount AS (n numeric)")
    area.run("CREATE TABLE t (k amount NOT NULL, v int)")
    area.run("CREATE UNIQUE INDEX ON t (k record_image_ops)")
    area.view("v", "SELECT k, v FROM t")
    area.step("INSERT INTO t VALUES (ROW(1.0), 1), (ROW(1.00), 2), (ROW(2), 3)")
    area.step("UPDATE t SET v = v + 1 WHERE k *= ROW(1.00)::amount")
    area.step("DELETE FROM t WHERE k *= ROW(1.0)::amount")
