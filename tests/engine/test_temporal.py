"""Conditions on the time, applied when a view is read: rows come and go while nothing is written."""

from __future__ import annotations

import time

import pytest
from django.db import DatabaseError, connection, transaction

import django_ivm
from django_ivm.engine import install as installer
from django_ivm.engine import register
from django_ivm.engine.install import InstallState
from django_ivm.engine.spec import ViewSpec

from .area import Area

RECENT = "SELECT id, name FROM post WHERE at > now() - interval '7 days' AND kind <> 'spam'"


@pytest.fixture
def posts(area: Area) -> Area:
    """Posts, some of them long gone, some to come, some without a time."""
    area.run("""
        CREATE TABLE post (id int PRIMARY KEY, name text, kind text, at timestamptz, day date, ttl interval, n int);
        CREATE TABLE reply (id int PRIMARY KEY, post int, until timestamptz);
        INSERT INTO post VALUES
            (1, 'old', 'a', 'epoch', 'epoch', '1 day', 1), (2, 'new', 'a', now(), current_date, '1 day', 2),
            (3, 'to come', 'b', '2999-01-01', '2999-01-01', '1 day', 3), (4, 'spam', 'spam', now(), current_date, '0', 4),
            (5, NULL, 'a', NULL, NULL, NULL, NULL), (6, 'never', 'b', 'infinity', 'infinity', '1 s', 6),
            (7, 'ever', 'b', '-infinity', '-infinity', '1 s', 0);
        INSERT INTO reply SELECT i, i % 8, now() + (i - 10) * interval '1 hour' FROM generate_series(1, 20) i;
        """)
    return area


def write(area: Area) -> None:
    """All kinds of writes but TRUNCATE, each of which must leave every view equal to its query."""
    area.forbid_recompute()
    area.step("INSERT INTO post VALUES (10, 'later', 'a', now() + interval '1 hour', current_date + 1, '1 day', 1)")
    area.step("UPDATE post SET at = now() - interval '8 days' WHERE id = 2")
    area.step("UPDATE post SET at = now(), day = current_date, kind = 'spam' WHERE id IN (1, 5)")
    area.step("UPDATE post SET kind = 'a', n = 7")
    area.step("UPDATE reply SET until = until + interval '5 hours', post = 2 WHERE id % 3 = 0")
    area.step(
        "WITH gone AS (DELETE FROM reply WHERE id % 4 = 0 RETURNING post) DELETE FROM post USING gone WHERE post.id = gone.post"
    )
    area.step("INSERT INTO post SELECT id + 100, name, kind, at, day, ttl, n FROM post")
    area.step("DELETE FROM post WHERE id % 2 = 0")
    area.step("INSERT INTO post (id, at) VALUES (1000, now())")


@pytest.mark.parametrize(
    "query",
    [
        RECENT,
        "SELECT name, kind FROM post WHERE at > CURRENT_TIMESTAMP - interval '7 days'",
        "SELECT name FROM post WHERE day >= current_date",
        "SELECT id, at FROM post WHERE at < transaction_timestamp() AND at + ttl > statement_timestamp()",
        "SELECT id FROM post WHERE at > localtimestamp OR (n > 1 AND name LIKE 'n%')",
        "SELECT id FROM post WHERE day < now() AND at::time < localtime",
        "SELECT id FROM post WHERE age(at) < interval '2 years'",
        "SELECT id FROM post WHERE date_trunc('month', at) = date_trunc('month', now())",
        "SELECT id FROM post WHERE at BETWEEN now() - ttl AND now() + ttl",
        "SELECT id FROM post WHERE (at > now()) IS NOT TRUE",
        "SELECT id FROM post WHERE now() > '2000-01-01'",
        "SELECT p.id AS a, r.id AS b FROM post p LEFT JOIN reply r ON r.post = p.id WHERE r.until IS NULL OR r.until > now()",
        "SELECT p.name, r.until FROM post p JOIN reply r ON r.post = p.id WHERE r.until > now() AND p.at < now()",
        "SELECT * FROM (SELECT post, max(until) AS last, count(*) AS n FROM reply GROUP BY post) s WHERE last > now()",
        "SELECT post FROM (SELECT post, avg(id) AS mean, max(until) AS last FROM reply GROUP BY post) s WHERE last > now()",
        "SELECT p.id FROM post p WHERE p.at < now() AND EXISTS (SELECT 1 FROM reply r WHERE r.post = p.id)",
        "SELECT id, r FROM (SELECT id, until, rank() OVER (PARTITION BY post ORDER BY id) AS r FROM reply) x WHERE until > now()",
        "SELECT kind, day FROM (SELECT kind, day FROM post UNION SELECT 'r', until::date FROM reply) u WHERE day <= current_date",
        "SELECT id, upper(name) || '!' AS loud, CASE WHEN n > 1 THEN 'many' ELSE kind END AS k FROM post WHERE at < now()",
        "WITH recent AS (SELECT * FROM post WHERE n > 0) SELECT id FROM recent WHERE at > now() ORDER BY name",
        "SELECT id, at, at AS also FROM post WHERE at < now()",
        "SELECT id, (SELECT max(until) FROM reply r WHERE r.post = p.id) AS last FROM post p WHERE at < now()",
        "SELECT p.id, l.until FROM post p, LATERAL (SELECT until FROM reply r WHERE r.post = p.id ORDER BY until DESC, id LIMIT 1) l WHERE l.until > now()",
        "SELECT id, t FROM (SELECT id, at, unnest(ARRAY[n, 5]) AS t FROM post) x WHERE at > now()",
        "SELECT k FROM post FULL JOIN (SELECT post AS id, until, id AS k FROM reply) r USING (id) WHERE id < 5 AND until < now()",
    ],
)
def test_a_view_equals_its_query(posts: Area, query: str) -> None:
    view = posts.view("v", query)
    assert view.explain().at_read
    posts.check()
    write(posts)
    assert view.verify().ok
    assert view.is_fresh()


def test_truncate(posts: Area) -> None:
    posts.view("v", RECENT)
    posts.step("TRUNCATE post")
    posts.step("INSERT INTO post VALUES (1, 'new', 'a', now())")


def test_rows_go_while_nothing_is_written(posts: Area) -> None:
    view = posts.view("v", "SELECT id, until FROM reply WHERE until > now()")
    with transaction.atomic():  # its time stands still, however slow the machine
        posts.run(
            "DELETE FROM reply; "
            "INSERT INTO reply VALUES (1, 1, now() + interval '300 ms'), (2, 1, now() + interval '1 hour')"
        )
        assert posts.run("SELECT id FROM v ORDER BY 1") == [(1,), (2,)]
    time.sleep(0.35)
    assert posts.run("SELECT id FROM v") == [(2,)]
    posts.check()
    assert view.verify().rows == 1
    assert view.status().rows == 1
    assert view.refresh(full=True).deleted == 0
    posts.step("UPDATE reply SET until = now() + interval '1 hour' WHERE id = 1")
    assert posts.run("SELECT id FROM v ORDER BY 1") == [(1,), (2,)]


def test_rows_come_while_nothing_is_written(posts: Area) -> None:
    posts.view("v", "SELECT id FROM reply WHERE until <= now()")
    with transaction.atomic():
        posts.run("DELETE FROM reply; INSERT INTO reply VALUES (1, 1, now() + interval '300 ms')")
        assert posts.run("SELECT id FROM v") == []
    time.sleep(0.35)
    assert posts.run("SELECT id FROM v") == [(1,)]
    posts.check()


def test_the_transaction_has_one_time_and_a_statement_has_its_own(posts: Area) -> None:
    posts.view("began", "SELECT id FROM reply WHERE until > now()")
    posts.view("runs", "SELECT id FROM reply WHERE until > statement_timestamp()")
    posts.run("DELETE FROM reply")
    with transaction.atomic():
        posts.run("INSERT INTO reply VALUES (1, 1, now() + interval '300 ms')")
        time.sleep(0.35)
        posts.check()
        assert posts.run("SELECT id FROM began") == [(1,)]
        assert posts.run("SELECT id FROM runs") == []


def test_the_readers_zone_says_which_day_it_is(posts: Area) -> None:
    posts.view("v", "SELECT id, day FROM post WHERE day = current_date")
    posts.run("INSERT INTO post (id, day) SELECT 100 + i, current_date + i FROM generate_series(-2, 2) i")
    found = set()
    for zone in ("Pacific/Kiritimati", "UTC", "Pacific/Pago_Pago"):  # 25 hours apart: never one day in all three
        session = posts.connect()
        session.execute(f"SET TimeZone = '{zone}'")
        posts.check("v", session=session)
        found |= {day for _, day in session.execute("SELECT * FROM v").fetchall()}
    assert len(found) > 1


def test_only_the_querys_columns_show(posts: Area) -> None:
    view = posts.view("v", RECENT)
    columns = (
        "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'v' ORDER BY ordinal_position"
    )
    assert posts.run(columns) == [("id",), ("name",)]
    assert view.table == f'"{posts.schema}"."v"'
    installed = posts.installed("v")
    assert installed.columns == ("id", "name")
    assert set(installed.hidden) == {"ivm_read_1"}
    shown = "at read time, by the reader's clock and settings: at > (now() - CAST('7 days' AS interval))"
    assert shown in str(view.explain()).splitlines()
    with pytest.raises(DatabaseError, match="maintained from a query"):
        posts.run("DELETE FROM v")


def test_readers_find_rows_by_an_index(posts: Area) -> None:
    posts.view("v", "SELECT id FROM reply WHERE until > now() AND post = 1")
    posts.run("INSERT INTO reply SELECT i, 1, now() - i * interval '1 minute' FROM generate_series(100, 20000) i")
    schema, table = posts.installed("v").storage
    posts.run(f'ANALYZE {schema}."{table}"')
    plan = "\n".join(line for (line,) in posts.run("EXPLAIN SELECT * FROM v"))
    assert "Index Scan" in plan or "Bitmap Index Scan" in plan, plan
    posts.check()


def test_what_is_shown_is_verified_and_repaired(posts: Area) -> None:
    view = posts.view("v", RECENT)
    schema, table = posts.installed("v").storage
    delete = f'DELETE FROM {schema}."{table}" WHERE id = 2'
    posts.run(f"SET session_replication_role = replica; {delete}; RESET session_replication_role")
    found = view.verify(repair=True)
    assert (found.ok, found.missing, found.unexpected) == (False, 1, 0)
    assert view.verify().ok
    posts.check()


def test_a_changed_condition_makes_it_outdated(posts: Area) -> None:
    view = posts.view("v", RECENT)
    schema, table = posts.installed("v").storage
    assert view.is_fresh()
    posts.run(f'CREATE OR REPLACE VIEW v AS SELECT id, name FROM {schema}."{table}"')
    assert not view.is_fresh()
    assert view.status().outdated
    spec = ViewSpec("v", RECENT, strategy="incremental")
    assert installer.state(spec, connection) is InstallState.OUTDATED
    installer.install(spec, connection)
    assert view.is_fresh()
    posts.check()
    posts.run("DROP VIEW v")
    assert installer.state(spec, connection) is InstallState.OUTDATED
    installer.install(spec, connection)
    write(posts)


def test_installing_twice_changes_nothing_and_nothing_is_left_behind(posts: Area) -> None:
    left = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = 'django_ivm'"
    posts.view("other", "SELECT id FROM reply")
    before = posts.value(left)
    posts.view("v", RECENT)
    assert posts.value(left) > before
    assert installer.install(ViewSpec("v", RECENT, strategy="incremental"), connection) is InstallState.INSTALLED
    django_ivm.drop_view("v")
    assert posts.value(left) == before
    assert posts.value("SELECT to_regclass('v')") is None


def test_what_was_shown_is_kept_when_the_data_is(posts: Area) -> None:
    posts.view("v", RECENT)
    shown = posts.run("SELECT id, name FROM v ORDER BY 1")
    installer.uninstall("v", connection, keep_data=True)
    assert posts.run("SELECT id, name FROM v ORDER BY 1") == shown


def test_detached_and_put_back(posts: Area) -> None:
    view = posts.view("v", RECENT)
    installer.detach(posts.installed("v"), connection)
    posts.run("INSERT INTO post VALUES (50, 'unseen', 'a', now())")
    assert not view.is_fresh()
    assert view.verify().missing == 1
    view.refresh()
    assert view.is_fresh()
    write(posts)


def test_another_view_cant_read_it(posts: Area) -> None:
    posts.view("v", RECENT)
    reader = "SELECT name, count(*) AS n FROM v GROUP BY name"
    with pytest.raises(django_ivm.NotIncrementalError) as raised:
        posts.view("w", reader)
    assert raised.value.code == "TEMPORAL"
    posts.run("CREATE VIEW plain AS SELECT name FROM v")
    with pytest.raises(django_ivm.NotIncrementalError) as raised:
        posts.view("w", "SELECT name FROM plain")
    assert (raised.value.code, "plain" in str(raised.value)) == ("TEMPORAL", True)
    posts.run("DROP VIEW plain")
    posts.queries.pop("w")
    view = posts.view("w", reader, strategy="auto")
    posts.check()
    posts.run("INSERT INTO post VALUES (60, 'more', 'a', now())")
    assert not view.is_fresh()
    view.refresh()
    posts.check()


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("SELECT count(*) AS n FROM post WHERE at > now()", {}),
        ("SELECT DISTINCT name FROM post WHERE at > now()", {}),
        ("SELECT id FROM post WHERE at > now() ORDER BY id LIMIT 2", {}),
        ("SELECT id, rank() OVER (ORDER BY id) AS r FROM post WHERE at > now()", {}),
        ("SELECT id FROM post WHERE at > now() UNION ALL SELECT id FROM reply", {}),
        ("SELECT id, now() - at AS old FROM post", {}),
        ("SELECT id FROM post WHERE n > 1 AND at > now() AND at < (SELECT max(until) FROM reply WHERE until < now())", {}),
        ("SELECT name FROM (SELECT name FROM post WHERE at > now()) x", {}),
        ("SELECT p.id, r.id AS r FROM post p LEFT JOIN reply r ON r.post = p.id AND r.until > now()", {}),
        ("SELECT kind, max(at) AS last FROM post GROUP BY kind HAVING max(at) > now()", {}),
        ("SELECT id, count(*) FILTER (WHERE until > now()) AS n FROM reply GROUP BY id", {}),
        ("SELECT p.id, g FROM post p, generate_series(p.at, now(), interval '1 year') g WHERE p.id = 2", {}),
        ("SELECT id, 10 / n AS share FROM post WHERE at > now() AND n <> 0", {}),
        ("SELECT id, share FROM (SELECT id, at, 10 / n AS share FROM post WHERE n <> 0) x WHERE at > now()", {}),
        (RECENT, {"mode": "manual"}),
    ],
)  # fmt: skip
def test_elsewhere_it_is_refused(posts: Area, query: str, options: dict[str, str]) -> None:
    view = posts.view("v", query, strategy="auto", **options)
    explanation = view.explain()
    assert [reason.code for reason in explanation.reasons] == ["TEMPORAL"]
    assert explanation.reasons[0].hint
    posts.run("INSERT INTO post VALUES (70, 'x', 'a', now() + interval '1 hour', current_date, '1 s', 5)")
    posts.run("INSERT INTO reply VALUES (70, 70, now() + interval '1 hour')")
    assert not view.is_fresh()
    view.refresh()
    if "now() - at" not in query and "generate_series" not in query:
        posts.check()


def test_a_model_is_refused(posts: Area) -> None:
    compiled = installer.plan(ViewSpec("v", RECENT, label="app.View"), connection)
    assert (compiled.strategy, compiled.reasons[0].code) == ("full", "TEMPORAL")
    assert compiled.reasons[0].location.startswith("line 1, column 38: now()")


@pytest.mark.parametrize(
    "value", ["clock_timestamp()", "timeofday()::text::timestamptz", "now() + random() * interval '1 s'"]
)
def test_what_changes_within_a_statement_is_volatile(posts: Area, value: str) -> None:
    compiled = installer.plan(ViewSpec("v", f"SELECT id FROM post WHERE at > {value}"), connection)
    assert compiled.reasons[0].code == "VOLATILE"


def test_session_beside_the_time(posts: Area) -> None:
    compiled = installer.plan(ViewSpec("v", "SELECT id FROM post WHERE at > now() OR name = current_user"), connection)
    assert compiled.reasons[0].code == "VOLATILE"


def test_the_register_knows(posts: Area) -> None:
    posts.view("v", RECENT)
    with connection.cursor() as cursor:
        found = register.find(cursor, "v")
    assert found is not None
    assert found.at_read == "ivm_read_1 > (now() - CAST('7 days' AS interval))"
    assert found.read_from == (posts.schema, "v") != found.storage
