"""Every shape that the ORM emits, as a view: how it is kept, and that it equals its queryset after any write."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

import django_ivm
from django_ivm.engine import register
from django_ivm.queryset import compile_queryset, referenced_tables
from tests.django.apps.library.models import Author, Book, Genre, Publisher, Review, Sale

from .shapes import SHAPES, Shape, writes

STEPS = int(os.environ.get("DJANGO_IVM_SHAPE_STEPS", "10"))


@pytest.fixture(scope="module")
def library(django_db_setup: None, django_db_blocker: Any, seed: int) -> Iterator[None]:
    """The rows, committed once."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            writes.fill(random.Random(seed))
        with connection.cursor() as cursor:
            for model in (Publisher, Author, Genre, Book, Book.genres.through, Review, Sale):
                cursor.execute(f"ANALYZE {model._meta.db_table}")
        yield
        with connection.cursor() as cursor:
            cursor.execute(
                "TRUNCATE library_publisher, library_author, library_genre, library_book, library_note CASCADE"
            )


class Kept:
    """A queryset's view, compared with what Django itself runs for the queryset."""

    def __init__(self, shape: Shape, name: str) -> None:
        self.queryset = shape.make()
        self.queryset.query.select_related = False  # as in every view: its columns serve the related instances
        sql, _ = compile_queryset(self.queryset, "default", name)
        self.view = django_ivm.create_view(f"shape_{name}"[:50], sql)
        with connection.cursor() as cursor:
            found = register.find(cursor, self.view.name)
        assert found is not None
        self.found = found
        row = ", ".join(f'q."{c}"' for c in found.columns if c not in (*found.undetermined, *found.alike, *shape.close))
        equal = "".join(f', q."{c}" AS "{c}"' for c in found.alike)
        close = "".join(f', round(q."{c}"::numeric, 9) AS "{c}"' for c in shape.close)
        self.compared = f"ROW({row})::text AS r{equal}{close}"
        self.kept = self.view.table.replace("%", "%%")

    def forbid_recompute(self) -> None:
        outs = "OUT ivm_inserted bigint, OUT ivm_updated bigint, OUT ivm_deleted bigint"
        with connection.cursor() as cursor:
            for signature in self.found.replaces:
                cursor.execute(
                    f"CREATE OR REPLACE FUNCTION {signature.removesuffix('()')}({outs}) LANGUAGE plpgsql AS "
                    "$$BEGIN RAISE EXCEPTION 'a full recompute ran'; END$$"
                )

    def check(self, after: str) -> tuple[int, str]:
        """Compare both ways: Django's own statement, with its parameters, is what is right. Says what the view has."""
        statement, parameters = self.queryset.query.get_compiler("default").as_sql()
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH wanted AS (SELECT {self.compared} FROM ({statement}) q), stored AS (SELECT {self.compared} FROM {self.kept} q), "
                "missing AS (SELECT * FROM wanted EXCEPT ALL SELECT * FROM stored), "
                "unexpected AS (SELECT * FROM stored EXCEPT ALL SELECT * FROM wanted) "
                "SELECT ARRAY(SELECT m::text FROM missing m LIMIT 5), ARRAY(SELECT u::text FROM unexpected u LIMIT 5), "
                "(SELECT count(*) FROM stored), (SELECT md5(string_agg(s::text, '' ORDER BY s::text)) FROM stored s)",
                parameters,
            )
            missing, unexpected, count, content = cursor.fetchone()
        assert (missing, unexpected) == ([], []), f"after {after}: missing {missing}, unexpected {unexpected}"
        return count, content


def _is_idle(seen: list[tuple[int, str]]) -> bool:
    """Never a row, or always the same ones."""
    return len(set(seen)) == 1


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_kept_and_equals_its_queryset(library: None, db: None, name: str, rng: random.Random):
    shape = SHAPES[name]
    if shape.extension is not None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_available_extensions WHERE name = %s", [shape.extension])
            if not cursor.fetchone()[0]:
                pytest.skip(f"the server has no {shape.extension}")
            cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {shape.extension}")
    kept = Kept(shape, name)
    found = kept.found
    codes = shape.codes if connection.pg_version // 10000 >= shape.since else ()
    full = bool({*codes} - {"WHOLE"})
    assert found.strategy == ("full" if full else "incremental"), found.reasons
    assert tuple(reason.code for reason in found.reasons) == codes
    assert (found.undetermined, found.alike) == (shape.undetermined, shape.alike)
    seen = [kept.check("installing")]
    if not full:
        kept.forbid_recompute()
    read = referenced_tables(kept.queryset)
    applicable = [write for tables, write in writes.WRITES if tables & read]
    marked = not full
    chosen = rng.sample(applicable, len(applicable))[:STEPS]
    while len(seen) <= STEPS or (_is_idle(seen) and len(seen) < 10 * STEPS):
        write = chosen.pop() if chosen else rng.choice(applicable)
        write(rng)
        if full:
            marked |= not kept.view.is_fresh()
            kept.view.refresh()
        seen.append(kept.check(write.__name__))
    assert shape.close or kept.view.verify()
    assert marked, "no write made it stale"
    assert not _is_idle(seen), f"the writes don't reach the view: {seen[0]}"
