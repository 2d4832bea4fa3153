"""The first rows of orders that PostgreSQL's own operators don't make."""

from __future__ import annotations

import random

import pytest

from tests.engine.area import Area

ROWS = """
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN name_ AS citext;
CREATE DOMAIN pairs AS pair[];
CREATE TYPE mood AS ENUM ('good', 'bad', 'alright');
CREATE TABLE c (id int PRIMARY KEY, c citext, d name_, a citext[], p pair, ps pairs, m mood, r int4range, v int);
INSERT INTO c VALUES (1, 'a', 'a', '{a}', (1, 'x'), NULL, 'good', '[1,2]', 1),
    (2, 'A', 'A', '{A}', (1, NULL), '{"(1,x)"}', 'bad', '[1,3]', 2), (3, 'b', 'B', '{b,C}', (NULL, NULL), '{}', NULL, 'empty', 3),
    (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 4);
"""
COLUMNS = ("c", "d", "a", "p", "ps", "m", "r")


@pytest.fixture
def citext(area: Area) -> Area:
    """The extension outside the area's path of maintenance."""
    area.run(f"CREATE EXTENSION citext SCHEMA {area.schema}")
    area.run(ROWS)
    return area


def test_orders_of_every_kind(citext: Area, rng: random.Random) -> None:
    area = citext
    for column in COLUMNS:
        area.view(f"up_{column}", f"SELECT id FROM c ORDER BY {column}, id LIMIT 3")
        area.view(f"down_{column}", f"SELECT id FROM c ORDER BY {column} DESC NULLS LAST, id DESC LIMIT 3")
        area.view(f"tied_{column}", f"SELECT id FROM c ORDER BY {column} NULLS FIRST FETCH FIRST 2 ROWS WITH TIES")
        area.view(f"first_{column}", f"SELECT DISTINCT ON ({column}) id FROM c ORDER BY {column}, id")
    for _ in range(80):
        x, y, i = rng.choice("abABcCdD"), rng.choice("abABcC"), rng.randrange(1, 8)
        pair = rng.choice(["(1, 'x')::pair", "(0, NULL)::pair", "(NULL, NULL)::pair", "(NULL, 'y')::pair", "NULL"])
        area.step(
            rng.choice(
                [
                    f"INSERT INTO c VALUES ({i}, '{x}', '{y}', '{{{x}}}', {pair}, ARRAY[{pair}]::pair[], 'alright', '[0,5]', 1) ON "
                    "CONFLICT (id) DO UPDATE SET c = excluded.c, d = excluded.d, p = excluded.p, ps = excluded.ps",
                    f"UPDATE c SET c = upper(c::text), d = lower(d::text), p = {pair} WHERE id = {i}",
                    f"UPDATE c SET a = '{{{x},NULL}}', c = '{y}', m = 'bad', r = '[2,4]' WHERE id = {i}",
                    f"DELETE FROM c WHERE id = {i}",
                    f"UPDATE c SET c = NULL, d = NULL, a = NULL, p = NULL, m = NULL, r = NULL WHERE id = {i}",
                ]
            )
        )
