"""Values that follow settings: kept as they were where the view was defined, whoever writes, refreshes or asks."""

from __future__ import annotations

import random

import pytest
from django.db import connection, transaction

import django_ivm
from django_ivm.engine import install
from django_ivm.errors import NotIncrementalError

from .area import Area

_TABLE = (
    "CREATE TABLE t (id int PRIMARY KEY, at timestamptz, local timestamp, day date, f float8, r real, raw bytea, span interval, "
    "tags date[], note text, price money); "
    "CREATE TABLE other (id int PRIMARY KEY, at timestamptz)"
)
_VIEWS = {
    "days": "SELECT date_trunc('day', at) AS day, count(*) AS n, max(id) AS top FROM t GROUP BY 1",
    "dates": "SELECT id, at::date AS d, at::time AS clock, local::timestamptz AS l, day::timestamptz AS dz FROM t",
    "hours": "SELECT extract(hour FROM at)::int AS h, count(*) AS n FROM t GROUP BY 1",
    "parts": "SELECT id, date_part('dow', at) AS dow, age(at, '2024-01-01 00:00+00'::timestamptz) AS old FROM t",
    "compared": "SELECT id FROM t WHERE day <= at AND local < at",
    "added": "SELECT id, at + interval '1 month' AS later, at - interval '1 day' AS sooner FROM t",
    "texts": "SELECT id, at::text AS a, local::text AS l, day::text AS d, f::text AS f, r::text AS r, raw::text AS raw, span::text AS s FROM t",
    "arrays": "SELECT id, tags::text AS tags, array_to_string(tags, ';') AS joined FROM t",
    "written": "SELECT id, concat(at, '/', f) AS c, format('%s on %s', id, day) AS g, 'at ' || at AS w, concat_ws(',', span, raw) AS ws FROM t",
    "chars": "SELECT id, to_char(at, 'YYYY-MM-DD HH24 TZ Day') AS a, to_char(f, '9999D99') AS n, to_char(local, 'Mon') AS l FROM t",
    "bodies": "SELECT id, jsonb_build_object('at', at, 'f', f, 'd', day) AS body, to_jsonb(t.at) AS j, row_to_json(ROW(at, f))::text AS r FROM t",
    "searched": "SELECT id, to_tsvector(note) AS words FROM t WHERE to_tsvector(note) @@ to_tsquery('cats | dog')",
    "joined": "SELECT t.id, o.id AS other, date_trunc('hour', o.at)::text AS hour FROM t JOIN other o ON o.at::date = t.at::date",
    "pairs": "SELECT date_trunc('day', a.at)::text AS day, count(*) AS n FROM t a JOIN t b ON a.at::date = b.day GROUP BY 1",
    "spans": "SELECT DISTINCT at::date AS d, (note::text)::interval IS NULL AS no FROM t WHERE note IS NULL",
    "monies": "SELECT id, price::text AS p FROM t",
}
_WIDER = {
    "series": "SELECT t.id, g FROM t, generate_series(t.at, t.at + interval '2 days', interval '1 day') g",
    "bodies_of_days": "SELECT day, jsonb_agg(at ORDER BY id) AS j FROM t GROUP BY day",
    "objects": "SELECT day, jsonb_object_agg(id, at) AS j FROM t GROUP BY day",
    "listed": "SELECT at::date AS d, string_agg(at::text, ',' ORDER BY id) AS j FROM t GROUP BY 1",
    "ranges": "SELECT id, count(*) OVER (PARTITION BY note ORDER BY at RANGE BETWEEN interval '1 day' PRECEDING AND CURRENT ROW) AS n FROM t",
    "numbered": "SELECT id, row_number() OVER (PARTITION BY at::date ORDER BY id) AS n FROM t",
    "looked_up": "SELECT id, (SELECT max(o.at)::text FROM other o WHERE o.at::date = t.at::date) AS m FROM t",
    "beside": "SELECT t.id, o.at::text AS x FROM t LEFT JOIN other o ON o.at::date = t.day",
    "overlapping": "SELECT id FROM t WHERE (at, interval '3 days') OVERLAPS (timestamptz '2024-03-30 00:00+00', interval '1 day')",
    "made": "SELECT id, make_timestamptz(2024, 3, id % 28 + 1, 2, 30, 0) AS m FROM t",
    "converted": "SELECT id, convert_to(note, 'UTF8')::text AS c, length(raw, 'UTF8') AS n FROM t",
    "geometry": "SELECT id, point(f, f)::text AS p, tstzrange(at, at + interval '1 day')::text AS r FROM t WHERE f IS NOT NULL",
    "keys": "SELECT at::text AS k, count(*) AS n FROM t GROUP BY 1",
    "without": "SELECT at::date AS d FROM t EXCEPT SELECT at::date FROM other",
    "first_ones": "SELECT id, at::text AS a FROM t ORDER BY at::date, id LIMIT 4",
}
_HOME = (
    "TimeZone = 'Europe/Berlin'",
    "bytea_output = 'escape'",
    "IntervalStyle = 'iso_8601'",
    "default_text_search_config = 'english'",
)
_AWAY = (
    "TimeZone = 'Asia/Kolkata'", "TimeZone = 'America/St_Johns'", "DateStyle = 'German'", "DateStyle = 'SQL, MDY'",
    "IntervalStyle = 'sql_standard'", "extra_float_digits = -10", "bytea_output = 'hex'", "default_text_search_config = 'simple'",
)  # fmt: skip


@pytest.fixture
def home(area: Area) -> Area:
    """Views defined under settings of their own, which the session of the test goes on having."""
    for setting in _HOME:
        area.run(f"SET {setting}")
    area.opened.callback(lambda: [area.run(f"RESET {setting.partition(' ')[0]}") for setting in _HOME])
    area.run(_TABLE)
    return area


def _row(rng: random.Random, i: int) -> str:
    at = f"timestamptz '2024-03-30 00:00+00' + interval '{rng.randint(0, 72)} hours {rng.randint(0, 59)} min'"
    return (
        f"({i}, {at}, timestamp '2024-03-31 01:30' + interval '{rng.randint(-2, 2)} hours', date '2024-03-{rng.randint(28, 31)}', "
        f"{rng.choice(['1/3.0', '0.1', '1e20', '123456.789', 'NULL'])}::float8, 0.1::real + {i}, "
        f"convert_to('\u00e9' || {i}, 'UTF8'), interval '-{rng.randint(0, 3)} days' + interval '{rng.randint(0, 90)} min', "
        f"ARRAY[date '2024-02-0{rng.randint(1, 9)}'], {rng.choice(['NULL', chr(39) + 'the cats' + chr(39), chr(39) + 'a dog ran' + chr(39)])}, "
        f"{rng.randint(0, 9)}.5::numeric::money)"
    )


def _write(rng: random.Random, i: int) -> str:
    some = f"id % {rng.randint(2, 4)} = {rng.randint(0, 1)}"
    return rng.choice(
        [
            f"INSERT INTO t VALUES {_row(rng, 100 + 2 * i)}, {_row(rng, 101 + 2 * i)}",
            f"INSERT INTO other SELECT {100 + i}, max(at) FROM t",
            f"UPDATE t SET at = at + interval '{rng.randint(1, 40)} hours' WHERE {some}",
            f"UPDATE t SET f = f / 3, day = day + 1, note = 'cats' WHERE {some}",
            f"UPDATE other SET at = at - interval '5 hours' WHERE {some}",
            f"DELETE FROM t WHERE id % 9 = {rng.randint(0, 8)}",
            f"WITH u AS (UPDATE t SET at = at + interval '7 hours' WHERE {some}) UPDATE other SET at = at + interval '90 min'",
            f"WITH d AS (DELETE FROM t WHERE {some} RETURNING *) INSERT INTO t SELECT id + 500, at, local, day, f * 3, r, raw, span, tags, note, price FROM d",
        ]
    )


_GROUPS = [sorted(_VIEWS)[::2], sorted(_VIEWS)[1::2], sorted(_WIDER)]


@pytest.mark.parametrize("views", _GROUPS, ids=["", "the others", "other operators"])
def test_writers_with_other_settings(home: Area, rng: random.Random, views: list[str]) -> None:
    home.run(
        f"INSERT INTO t VALUES {', '.join(_row(rng, i) for i in range(1, 20))}; INSERT INTO other SELECT id, at FROM t WHERE id < 9"
    )
    for name in views:
        home.view(name, (_VIEWS | _WIDER)[name])
    home.check()
    home.forbid_recompute()
    writer = home.connect()
    for i in range(30):
        writer.execute(f"SET {rng.choice(_AWAY)}")
        writer.execute(_write(rng, i))
        home.check()


@pytest.mark.parametrize("name", sorted(_VIEWS))
def test_verify_and_refresh_under_other_settings(home: Area, rng: random.Random, name: str) -> None:
    home.run(
        f"INSERT INTO t VALUES {', '.join(_row(rng, i) for i in range(1, 9))}; INSERT INTO other SELECT id, at FROM t"
    )
    view = home.view(name, _VIEWS[name])
    with transaction.atomic():
        for setting in (
            "TimeZone = 'Asia/Kolkata'",
            "extra_float_digits = 0",
            "bytea_output = 'hex'",
            "IntervalStyle = 'postgres'",
        ):
            home.run(f"SET LOCAL {setting}")
        home.run("UPDATE t SET at = at + interval '5 hours'")
        assert view.verify().ok
        view.refresh(full=True)
        assert view.verify().ok
        assert home.value("SHOW TimeZone") == "Asia/Kolkata"  # verify leaves the session's own
        home.run("TRUNCATE other")
        assert view.verify().ok
    home.check()


def test_a_reinstall_keeps_the_settings(home: Area) -> None:
    """A migration detaches and puts back a view, maybe from a session of another time zone."""
    home.run("INSERT INTO t (id, at) VALUES (1, '2024-03-30 22:30+00'), (2, '2024-03-31 22:30+00')")
    view = home.view("days", _VIEWS["days"])
    home.run("SET TimeZone = 'Asia/Kolkata'")
    install.detach(home.installed("days"), connection)
    assert view.verify().ok
    view.refresh()
    assert home.value("SHOW TimeZone") == "Asia/Kolkata"
    assert dict(view.explain().settings) == {"TimeZone": "Europe/Berlin"}
    assert view.verify().ok
    home.run("SET TimeZone = 'Europe/Berlin'")
    home.check()


def test_a_replaced_view_takes_the_connections_settings(home: Area) -> None:
    home.run("INSERT INTO t (id, at) VALUES (1, '2024-03-30 22:30+00')")
    home.view("days", _VIEWS["days"])
    home.run("SET TimeZone = 'Asia/Kolkata'")
    view = django_ivm.create_view("days", _VIEWS["days"], replace=True)
    assert dict(view.explain().settings) == {"TimeZone": "Asia/Kolkata"}
    home.check()
    home.run("SET TimeZone = 'Europe/Berlin'")


def test_explain_shows_what_is_pinned(home: Area) -> None:
    view = home.view("days", _VIEWS["days"])
    assert "  - TimeZone = Europe/Berlin" in str(view.explain())
    assert "TimeZone = 'Europe/Berlin'" in view.explain().sql
    assert home.view("plain", "SELECT id, note FROM t").explain().settings == ()


def test_a_fallback_is_filled_and_verified_under_the_same_settings(home: Area) -> None:
    home.run("INSERT INTO t (id, at) VALUES (1, '2024-03-30 22:30+00')")
    view = home.view("fallback", "SELECT at::date AS d, random() < 2 AS yes FROM t", strategy="auto")
    assert view.status().strategy == "full"
    home.run("SET TimeZone = 'Asia/Kolkata'")
    home.run("UPDATE t SET at = at + interval '1 hour'")
    view.refresh()
    assert view.verify().ok
    home.run("SET TimeZone = 'Europe/Berlin'")
    home.check()


_REFUSED = {
    "now()": "SELECT at < now() AS past FROM t",
    "age to now": "SELECT age(at) AS a FROM t",
    "text to date": "SELECT note::date AS d FROM t",  # 'today'
    "text to timestamptz": "SELECT note::timestamptz AS d FROM t",
    "timetz of time": "SELECT local::time::timetz AS d FROM t",  # the offset of today
    "an enum's label": "SELECT mood::text AS m FROM moods",
    "an enum in a function": "SELECT concat(id, mood) AS m FROM moods",
    "an enum in a row": "SELECT to_jsonb(m) AS m FROM (SELECT id, mood FROM moods) x, LATERAL (SELECT x.mood) m",
    "an enum in an array": "SELECT array_to_string(ARRAY[mood], ',') AS m FROM moods",
    "a domain over one": "SELECT concat(d) AS m FROM moods",
    "a table's name": "SELECT concat(id::oid::regclass) AS c FROM moods",
    "a composite with one": "SELECT concat(c) AS m FROM moods",
    "a comparison of rows": "SELECT (at, id) > (now(), 1) AS later FROM moods",
    "the role": "SELECT concat(current_user, id) AS u FROM moods",
    "a user's function": "SELECT mine(id) AS m FROM moods",
}


@pytest.mark.parametrize("case", _REFUSED)
def test_what_follows_more_than_settings_is_refused(home: Area, case: str) -> None:
    home.run(
        "CREATE TYPE mood AS ENUM ('happy', 'sad'); CREATE DOMAIN humour AS mood; CREATE TYPE pair AS (a int, b mood); "
        "CREATE TABLE moods (id int, mood mood, d humour, c pair, at timestamptz); "
        "CREATE FUNCTION mine(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT $1'"
    )
    with pytest.raises(NotIncrementalError) as raised:
        home.view("refused", _REFUSED[case])
    assert raised.value.code in ("STABLE", "VOLATILE", "TEMPORAL", "WHOLE_ROW", "LATERAL")
    home.queries.clear()


@pytest.mark.parametrize(
    "setting", ["extra_float_digits = 0", "DateStyle = 'German'", "IntervalStyle = 'sql_standard'"]
)
def test_settings_under_which_values_look_alike(area: Area, setting: str) -> None:
    """Rows are told apart by their text, so such a text can't be pinned."""
    area.run(_TABLE)
    with transaction.atomic():
        area.run(f"SET LOCAL {setting}")
        with pytest.raises(NotIncrementalError) as raised:
            area.view("texts", _VIEWS["texts"])
        transaction.set_rollback(True)
    assert raised.value.code == "STABLE"
    assert setting.partition(" ")[0] in str(raised.value)
    area.queries.clear()
