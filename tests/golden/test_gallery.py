"""The gallery shows what the compiler makes today, and its scripts work as they stand."""

from __future__ import annotations

import difflib
import importlib.util
import os
import random
from pathlib import Path
from types import ModuleType

import pytest
from django.db import connection

from django_ivm._sql import runtime

from .datadriven import REWRITE
from .oracle import OracleError, difference
from .script import BadScript

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def gallery() -> ModuleType:
    specification = importlib.util.spec_from_file_location("gallery", ROOT / "scripts" / "gallery.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.django_db
def test_the_gallery_is_up_to_date(gallery: ModuleType) -> None:
    made = gallery.scripts(connection)
    for path, text in made.items():
        if os.environ.get(REWRITE):
            path.write_text(text)
        old = path.read_text() if path.exists() else ""
        shown = list(
            difflib.unified_diff(old.splitlines(), text.splitlines(), path.name, "this compiler", lineterm="", n=2)
        )
        assert old == text, "\n".join(shown[:60]) + "\n\npython scripts/gallery.py writes it anew."
    assert {path.name for path in (ROOT / "sql" / "gallery").iterdir()} == {"tables.sql", *(path.name for path in made)}


@pytest.mark.django_db
def test_its_scripts_run_and_keep_their_views(gallery: ModuleType, rng: random.Random) -> None:
    folder = ROOT / "sql" / "gallery"
    with connection.cursor() as cursor:
        cursor.execute(runtime())
        cursor.execute((folder / "tables.sql").read_text())
        cursor.execute(
            "INSERT INTO shop.customer SELECT i, 'c' || i, CASE WHEN i % 4 > 0 THEN 'r' || i % 3 END "
            "FROM generate_series(1, 9) i"
        )
        cursor.execute(
            "INSERT INTO shop.purchase SELECT i, nullif(i % 10, 0), "
            "CASE i % 2 WHEN 0 THEN 'open' ELSE 'paid' END, i / 4.0 FROM generate_series(1, 40) i"
        )
        for name in gallery.VIEWS:
            cursor.execute((folder / f"{name}.sql").read_text())
        for step in range(25):
            a, b = rng.randrange(1, 45), rng.randrange(1, 12)
            cursor.execute(
                rng.choice([
                    f"INSERT INTO shop.purchase VALUES ({100 + step}, {b % 10 or 'NULL'}, 'open', {a}.50), "
                    f"({200 + step}, NULL, 'new', NULL)",
                    f"UPDATE shop.purchase SET status = 'paid', amount = amount + {b} WHERE id % {b} = 0",
                    f"DELETE FROM shop.purchase WHERE id = {a}",
                    f"UPDATE shop.customer SET region = {rng.choice(['NULL', repr('r1')])}, name = name || '!' "
                    f"WHERE id = {b}",
                    f"DELETE FROM shop.customer WHERE id = {b}",
                    f"INSERT INTO shop.customer VALUES ({b}, 'new', 'r1') ON CONFLICT (id) DO UPDATE SET region = 'r2'",
                    f"WITH c AS (DELETE FROM shop.customer WHERE id = {b} RETURNING *) "
                    f"INSERT INTO shop.customer SELECT id + 50, name, region FROM c ON CONFLICT DO NOTHING",
                ])
            )  # fmt: skip
            for name, (_, sql) in gallery.VIEWS.items():
                wrong = difference(f"SELECT * FROM shop.{name}", sql)
                if name == "visible_purchases":
                    cursor.execute("SELECT count(*) FROM django_ivm.stale WHERE view_name = %s", [name])
                    assert not wrong or cursor.fetchone()[0]
                elif wrong:
                    raise OracleError(f"{name} after step {step}\n" + "\n".join(wrong))


def test_folding_keeps_every_word(gallery: ModuleType) -> None:
    text = "SELECT 'FROM  x', \"a  b\" FROM t WHERE " + " AND ".join(f"a{i} = 'x  y'" for i in range(30))
    assert gallery.words(gallery.folded(text)) == gallery.words(text)
    assert max(len(line) for line in gallery.folded(text).splitlines()) <= gallery.WIDTH
    assert gallery.words("SELECT $a$x  y$a$") == gallery.words("SELECT $a$x y$a$") != gallery.words("SELECT $a$xy$a$")


def test_every_script_is_what_it_shows(gallery: ModuleType) -> None:
    """The files parse as they stand: nothing was lost in folding."""
    import pglast

    for name in gallery.VIEWS:
        try:
            assert len(pglast.parse_sql((ROOT / "sql" / "gallery" / f"{name}.sql").read_text())) > 5
        except pglast.parser.ParseError as error:
            raise BadScript(name) from error
