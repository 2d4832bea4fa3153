"""What people get wrong, and names that most programs get wrong: one clear error, or it works."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

import django_ivm
from django_ivm.engine import install as installer
from django_ivm.engine.spec import ViewSpec
from tests.not_kept import NOT_KEPT

from .area import Area

TABLES = """
CREATE TABLE sale (id int PRIMARY KEY, rid int, v int, note text);
INSERT INTO sale SELECT i, i % 3, i % 5, 'n' || i % 4 FROM generate_series(1, 30) i;
"""
QUERY = "SELECT rid, count(*) AS n, sum(v) AS s FROM sale GROUP BY rid"


@pytest.fixture
def sales(area: Area) -> Area:
    area.run(TABLES)
    return area


REFUSED = {
    "misspelt": ("SELEC rid FROM sale", "syntax error", "line 1"),
    "cut short": ("SELECT rid FROM sale WHERE (v > 1", "syntax error", ""),
    "empty": ("", "", ""),
    "a comment": ("-- nothing", "", ""),
    "an unknown table": ("SELECT a FROM sales_", 'relation "sales_" does not exist', "line 1, column 15"),
    "an unknown schema": ("SELECT a FROM nowhere.sale", "nowhere", "line 1"),
    "an unknown column": ("SELECT rid,\\n  amount FROM sale", 'column "amount" does not exist', "line 2, "
        "column 3"),
    "an unknown function": ("SELECT nosuch(rid) FROM sale", "nosuch", "line 1, column 8"),
    "two outputs of one name": ("SELECT rid, v AS rid FROM sale", "rid", ""),
    "two unnamed outputs": ("SELECT count(*), count(v) FROM sale", "count", ""),
    "an ungrouped column": ("SELECT rid, v FROM sale GROUP BY rid", "GROUP BY", "column 13"),
    "an insert": ("INSERT INTO sale VALUES (99, 1, 1)", "", ""),
    "an update": ("UPDATE sale SET v = 0 RETURNING *", "", ""),
    "a delete": ("DELETE FROM sale", "", ""),
    "a truncate": ("TRUNCATE sale", "", ""),
    "a drop": ("DROP TABLE sale", "", ""),
    "a merge": ("MERGE INTO sale USING sale s ON s.id = sale.id WHEN MATCHED THEN DELETE", "", ""),
    "a modifying CTE": ("WITH d AS (DELETE FROM sale RETURNING *) SELECT rid FROM d", "", ""),
    "a modifying CTE inside": ("SELECT * FROM (WITH d AS (DELETE FROM sale RETURNING *) SELECT rid FROM d) "
        "x", "", ""),
    "select into": ("SELECT rid INTO other FROM sale", "", ""),
    "two statements": ("SELECT rid FROM sale; SELECT v FROM sale", "", ""),
    "a statement behind": ("SELECT rid FROM sale; DROP TABLE sale", "", ""),
    "a statement behind a comment": ("SELECT rid FROM sale /* */; DELETE FROM sale --", "", ""),
    "a numbered parameter": ("SELECT rid FROM sale WHERE v = $1", "parameter", ""),
    "a parameter of the driver": ("SELECT rid FROM sale WHERE v = %s", "", ""),
    "a named parameter": ("SELECT rid FROM sale WHERE v = %(v)s", "", ""),
    "explain": ("EXPLAIN SELECT rid FROM sale", "", ""),
    "a call": ("CALL nothing()", "", ""),
    "do": ("DO $$BEGIN DELETE FROM sale; END$$", "", ""),
    "copy": ("COPY sale TO STDOUT", "", ""),
    "create": ("CREATE TABLE other AS SELECT 1 AS a", "", ""),
    "a NUL": ("SELECT rid FROM sale WHERE note = '\\0'", "", ""),
    "an unclosed quote": ("SELECT 'rid FROM sale", "unterminated", ""),
    "set": ("SET search_path = public", "", ""),
    "of another type": ("SELECT rid + note AS x FROM sale", "", "column 12"),
    "its own name": ("SELECT count(*) AS n FROM v1", "v1", ""),
}  # fmt: skip


@pytest.mark.parametrize("strategy", ["auto", "incremental", "full"])
def test_queries_that_are_refused(sales: Area, strategy: str) -> None:
    before = sales.run("SELECT count(*), sum(v) FROM sale")
    for what, (query, message, location) in REFUSED.items():
        text = query.replace("\\n", "\n").replace("\\0", "\0")
        with pytest.raises(django_ivm.DefinitionError) as raised:
            django_ivm.create_view("v1", text, strategy=strategy)
        error = raised.value
        assert message in error.message, what
        assert error.hint, what
        assert location in error.location, (what, error.location)
        assert "\n" not in error.message, what
    assert sales.run("SELECT count(*), sum(v) FROM sale") == before
    assert not sales.run("SELECT 1 FROM pg_class WHERE relname IN ('v1', 'other')")
    assert not sales.run("SELECT 1 FROM django_ivm.view WHERE view_name = 'v1'")
    sales.view("v1", QUERY)
    sales.step("UPDATE sale SET v = v + 1")


@pytest.mark.parametrize("strategy", ["auto", "incremental", "full"])
def test_a_query_without_columns(sales: Area, strategy: str) -> None:
    with pytest.raises(django_ivm.IVMError) as raised:
        django_ivm.create_view("v1", "SELECT FROM sale", strategy=strategy)
    assert raised.value.hint


def test_a_refusal_inside_a_transaction_leaves_it_usable(sales: Area) -> None:
    with transaction.atomic():
        sales.run("UPDATE sale SET v = v + 1")
        with pytest.raises(django_ivm.DefinitionError):
            django_ivm.create_view("v1", "SELECT nothing FROM sale")
        sales.view("v1", QUERY)
        sales.step("UPDATE sale SET v = v + 1")
    sales.check()


ACCEPTED = {
    "a semicolon": QUERY + ";",
    "semicolons and comments": "-- first\n" + QUERY + " /* last */ ; -- end\n",
    "values": "SELECT rid, 'it''s \"x\" \\ $1 %s %(a)s :b {c}' AS t FROM sale",
    "escapes": "SELECT rid, E'a\\n\\'b\\\\c\\u00e9' AS t, U&'\\00e9' AS u FROM sale",
    "dollar tags": "SELECT rid, $ivm_q$ $ivm_body$ $q$ $$ $ivm_q$ AS t, '$ivm_body$ $ivm_q$ $f$' AS u FROM "
    "sale WHERE note <> '$ivm_body$'",
    "dollar tags in groups": "SELECT note || '$ivm_q$' AS k, '$ivm_body$' AS b, max(v) AS m FROM sale "
    "GROUP BY note || '$ivm_q$'",
    "percent": "SELECT rid % 2 AS odd, '100%' AS t, max(v % 3) AS m FROM sale WHERE note LIKE 'n%' GROUP BY rid % 2",
    "non-ASCII": "SELECT rid AS \"région ☃\", 'Straße 東京' AS t FROM sale WHERE note <> 'é'",
    "a newline in a name": 'SELECT rid AS "two\nlines", v AS "tab\there" FROM sale',
    "quotes in a name": 'SELECT rid AS "a""b", v AS "c\'d", count(*) AS "e\\f" FROM sale GROUP BY rid, v',
    "keywords": 'SELECT rid AS "select", v AS "from", count(*) AS "order", max(id) AS "user" FROM sale GROUP BY rid, v',
    "case": 'SELECT rid AS "camelCase", v AS camelcase, max(id) AS "CAMELCASE" FROM sale GROUP BY rid, v',
    "names like ours": "SELECT rid AS w, v AS b, id AS st, note AS ver FROM sale AS excluded",
    "aliases like ours": "SELECT q.rid, count(*) AS n FROM sale q GROUP BY q.rid",
    "names like plpgsql's": "SELECT rid AS new, v AS old, id AS tg_op, note AS found FROM sale",
    "columns like plpgsql's variables": "SELECT rid AS tg_table_name, count(*) AS tg_op FROM sale GROUP BY rid",
    "long names": f"SELECT rid AS {'a' * 63}, max(v) AS {'b' * 63}, sum(v) AS {'a' * 62}b FROM sale GROUP BY rid",
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_queries_that_look_dangerous(sales: Area, what: str) -> None:
    query = ACCEPTED[what]
    sales.queries["v1"] = query.rstrip().removesuffix("-- end").rstrip().rstrip(";").removesuffix("/* last */ ")
    view = django_ivm.create_view("v1", query)
    assert view.status().strategy == "incremental", view.explain().reasons
    sales.check()
    for statement in (
        "UPDATE sale SET v = v + 1, rid = rid + 1 WHERE id < 9", "DELETE FROM sale WHERE id % 4 = 0",
            "INSERT INTO sale VALUES (99, 1, 1, '$ivm_body$''\"\\')",
        "UPDATE sale SET note = E'$ivm_q$\\n''%s' WHERE id < 7", "WITH x AS (DELETE FROM sale WHERE id = "
            "3) INSERT INTO sale VALUES (98, 2, 2, '{,\"}')",
    ):  # fmt: skip
        sales.step(statement)
    assert view.verify().ok
    view.refresh(full=True)
    sales.check()


NAMES = (
    "select", "order", "user", "camelCase", "with space", 'quo"te', "apo'strophe", "back\\slash", "dot.ted",
        "naïve ☃", "東京", "100%", "%s", "{x}", "$ivm_q$", "1st",
    "semi;colon", "-- comment", "x" * 63, "é" * 31, "new\nline", "sale_", "view", "stale",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_of_views(sales: Area, name: str) -> None:
    query = "SELECT rid, count(*) AS n, max(v) AS s FROM sale GROUP BY rid"
    view = django_ivm.create_view(name, query, strategy="incremental")
    other = django_ivm.create_view(
        name[:20] + "_2", "SELECT a.id, b.v FROM sale a JOIN sale b ON a.rid = b.id", strategy="incremental"
    )
    for handle, text in ((view, query), (other, "SELECT a.id, b.v FROM sale a JOIN sale b ON a.rid = b.id")):
        for statement in (
            "UPDATE sale SET v = v + 1 WHERE id % 2 = 0",
            "WITH x AS (DELETE FROM sale WHERE id = 3) UPDATE sale SET rid = 1 WHERE id = 5",
        ):
            sales.run(statement.replace("%", "%"))
            stored, wanted = (
                sales.run(f"SELECT r::text FROM {handle.table} r ORDER BY 1"),
                sales.run(f"SELECT r::text FROM ({text}) r ORDER BY 1"),
            )
            assert stored == wanted
    assert django_ivm.get_view(name).verify().ok
    assert view.status().installed
    assert not view.status().outdated
    assert view.is_fresh()
    with pytest.raises(DatabaseError):
        sales.run(f"DELETE FROM {view.table}")
    assert installer.install(sales.installed(name).spec, connection) is installer.InstallState.INSTALLED
    django_ivm.create_view("above", f"SELECT n, count(*) AS k FROM {view.table} GROUP BY n", strategy="incremental")
    sales.run("UPDATE sale SET rid = 2")
    assert django_ivm.get_view("above").verify().ok
    django_ivm.drop_view(name, cascade=True)
    with pytest.raises(django_ivm.NotInstalledError):
        django_ivm.get_view(name)
    sales.run("UPDATE sale SET v = v + 1")


@pytest.mark.parametrize("name", ["x" * 64, "é" * 32, "", "nul\0", "x" * 200])
def test_names_that_are_refused(sales: Area, name: str) -> None:
    with pytest.raises(django_ivm.DefinitionError) as raised:
        django_ivm.create_view(name, QUERY)
    assert raised.value.code == "NAME"
    assert raised.value.hint


def test_two_names_that_are_equal_when_cut(sales: Area) -> None:
    for name in ("x" * 62 + "a", "x" * 62 + "b"):
        sales.view(name, QUERY)
    sales.step("UPDATE sale SET v = v + 1")
    django_ivm.drop_view("x" * 62 + "a")
    sales.queries.pop("x" * 62 + "a")
    sales.step("UPDATE sale SET v = v + 1")


def test_strange_sources(sales: Area) -> None:
    schema, table = 'We"ird schema', "ta'b\\le ☃ $ivm_body$"
    quoted = '"We""ird schema"."ta\'b\\le ☃ $ivm_body$"'
    sales.run(
        f'CREATE SCHEMA "We""ird schema"; CREATE TABLE {quoted} ("Id" int PRIMARY KEY, "a""b" int, '
        '"c\'d" text, "select" int, "é\\n" int, ivm int)'
    )
    try:
        for name, query in {
            "v1": f'SELECT "a""b", count(*) AS n, sum("select") AS s, max("é\\n") AS m FROM {quoted} GROUP BY "a""b"',
            "v2": f'SELECT t."Id", t."c\'d", s.v FROM {quoted} t JOIN sale s ON s.id = t."select"',
            "v3": f'SELECT DISTINCT "c\'d" FROM {quoted}',
            "v4": f'SELECT l."Id" AS a, r."Id" AS b FROM {quoted} l JOIN {quoted} r ON l."a""b" = r."a""b"',
            "v5": f'SELECT "Id", "select" FROM {quoted} ORDER BY "select" DESC, "Id" LIMIT 2',
            "v6": f'SELECT "c\'d", rank() OVER (ORDER BY "Id") AS r FROM {quoted} WHERE {NOT_KEPT}',
        }.items():
            sales.view(name, query, strategy="auto")
            assert django_ivm.get_view(name).status().strategy == ("full" if name == "v6" else "incremental")
        sales.check()
        incremental = [name for name in sales.queries if name != "v6"]
        for statement in (
            f"INSERT INTO {quoted} SELECT i, i % 2, '$ivm_q$ '' {{\"', i, i FROM generate_series(1, 9) "
            "i", f'UPDATE {quoted} SET "a""b" = 5, "é\\n" = 7 WHERE "Id" < 3',
            f"WITH x AS (DELETE FROM {quoted} WHERE \"Id\" = 4) UPDATE sale SET v = "
            "9", f"DELETE FROM {quoted} WHERE \"Id\" > 7", f"TRUNCATE {quoted}",
        ):  # fmt: skip
            sales.run(statement)
            sales.check(*incremental)
            assert not django_ivm.get_view("v6").is_fresh()
        assert (schema, table) in sales.installed("v1").sources
        for name in list(sales.queries):
            django_ivm.drop_view(name)
            sales.queries.pop(name)
    finally:
        sales.run('DROP SCHEMA "We""ird schema" CASCADE')


def test_views_in_other_schemas(sales: Area) -> None:
    sales.run(
        "CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.sale (LIKE sale INCLUDING ALL); INSERT INTO "
        "elsewhere.sale SELECT * FROM sale WHERE id < 9"
    )
    try:
        one = ViewSpec(name="v1", sql="SELECT rid, count(*) AS n FROM elsewhere.sale GROUP BY rid", schema="elsewhere")
        two = ViewSpec(name="v1", sql=QUERY, schema=sales.schema)
        for spec in (one, two):
            installer.install(spec, connection)
        for statement in ("UPDATE sale SET rid = 1 WHERE id < 5", "UPDATE elsewhere.sale SET rid = 2 WHERE id > 5"):
            sales.run(statement)
            for spec in (one, two):
                assert django_ivm.View("v1", schema=spec.schema).verify().ok
        assert sales.value("SELECT sum(n) FROM elsewhere.v1") == 8
        assert sales.value("SELECT sum(n) FROM v1") == 30
        for spec in (one, two):
            assert installer.state(spec, connection) is installer.InstallState.INSTALLED
        installer.uninstall("v1", connection, schema="elsewhere")
        assert installer.state(two, connection) is installer.InstallState.INSTALLED
        sales.run("UPDATE sale SET v = v + 1; UPDATE elsewhere.sale SET v = v + 1")
        assert django_ivm.View("v1", schema=sales.schema).verify().ok
    finally:
        for view in installer.installed(connection):
            if view.schema == "elsewhere":
                installer.uninstall(view.name, connection, schema="elsewhere")
        sales.run("DROP SCHEMA elsewhere CASCADE")


def test_a_schema_that_is_not_there(sales: Area) -> None:
    with pytest.raises((django_ivm.IVMError, DatabaseError), match="nowhere"):
        installer.install(ViewSpec(name="v1", sql=QUERY, schema="nowhere"), connection)
    sales.run("SET search_path = nowhere")
    with pytest.raises(django_ivm.DefinitionError, match="search_path"):
        django_ivm.create_view("v1", f"SELECT rid FROM {sales.schema}.sale")
    sales.enter()


def test_a_name_that_is_taken(sales: Area) -> None:
    sales.run(
        "CREATE TABLE t1 (a int); INSERT INTO t1 VALUES (1); CREATE VIEW t2 AS SELECT 1 AS a; CREATE "
        "MATERIALIZED VIEW t3 AS SELECT 1 AS a; CREATE SEQUENCE t4"
    )
    with pytest.raises(django_ivm.IVMError):
        django_ivm.create_view("sale", QUERY)
    for name in ("t1", "t2", "t3", "t4"):
        with pytest.raises(django_ivm.DefinitionError, match="exists") as raised:
            django_ivm.create_view(name, QUERY)
        assert raised.value.code == "NAME"
        with pytest.raises(django_ivm.DefinitionError, match="exists"):
            django_ivm.create_view(name, QUERY, replace=True)
    assert sales.value("SELECT count(*) FROM t1") == 1


def test_options_that_are_refused(sales: Area) -> None:
    for options, code in (
        ({"mode": "sometimes"}, "MODE"), ({"strategy": "fast"}, "STRATEGY"), ({"on_error": "ignore"}, "ON_ERROR"),
    ):  # fmt: skip
        with pytest.raises(django_ivm.DefinitionError) as raised:
            django_ivm.create_view("v1", QUERY, **options)
        assert raised.value.code == code
        assert raised.value.hint
    with pytest.raises(django_ivm.NotInstalledError):
        django_ivm.get_view("v1")


NOT_INCREMENTAL = (
    "SELECT rid, row_number() OVER (ORDER BY v) AS r FROM sale", "SELECT rid, random() AS r FROM sale",
        "SELECT rid, now() AS t FROM sale",
    "SELECT s, count(*) AS n FROM (SELECT rid, string_agg(v::text, ',') AS s FROM sale GROUP BY rid) q GROUP BY s",
    "SELECT id, count(*) AS n FROM sale GROUP BY CUBE (id, v, rid), CUBE (v, rid, id)", "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT 2 FROM r WHERE n < 2) SELECT n FROM r",
    "SELECT id FROM sale TABLESAMPLE SYSTEM (50)", "SELECT id, ctid::text AS c FROM sale", "SELECT id FROM "
        "sale ORDER BY v LIMIT 3", "SELECT id FROM sale FOR UPDATE",
    "SELECT tablename::text AS t FROM pg_tables WHERE schemaname = "
    "'nowhere'", "SELECT id > extract(day FROM current_date) AS late FROM sale",
)  # fmt: skip


@pytest.mark.parametrize("query", NOT_INCREMENTAL)
def test_what_can_t_be_kept_has_a_code_a_place_and_a_hint(sales: Area, query: str) -> None:
    with pytest.raises(django_ivm.IVMError) as raised:
        django_ivm.create_view("v1", query, strategy="incremental")
    assert raised.value.code
    assert raised.value.hint
    assert not sales.run("SELECT 1 FROM pg_class WHERE relname = 'v1'")
    if isinstance(raised.value, django_ivm.DefinitionError):
        return
    assert isinstance(raised.value, django_ivm.NotIncrementalError)
    assert raised.value.location
    view = django_ivm.create_view("v1", query)
    (reason, *_) = view.explain().reasons
    assert view.status().strategy == "full"
    assert (reason.code, bool(reason.message), bool(reason.hint)) == (raised.value.code, True, True)
    sales.run("UPDATE sale SET v = v + 1")
    view.refresh()


def test_sources_that_triggers_can_t_watch(sales: Area) -> None:
    sales.run(
        "CREATE MATERIALIZED VIEW mat AS SELECT id, v FROM sale; CREATE TEMP TABLE gone (id int); CREATE "
        "UNLOGGED TABLE quick (id int); CREATE VIEW plain AS SELECT id, v FROM sale WHERE v > 1"
    )
    for query in ("SELECT id, v FROM mat", "SELECT id FROM gone"):
        with pytest.raises(django_ivm.IVMError):
            django_ivm.create_view("v1", query, strategy="incremental")
    sales.run("DROP TABLE gone")
    sales.view("on_quick", "SELECT id FROM quick")
    view = sales.view("on_plain", "SELECT v, count(*) AS n FROM plain GROUP BY v", strategy="auto")
    sales.run("INSERT INTO quick VALUES (1); UPDATE sale SET v = v + 1")
    if not view.is_fresh():
        view.refresh()
    sales.check()
    on_mat = sales.view("on_mat", "SELECT id, v FROM mat", strategy="auto")
    sales.run("REFRESH MATERIALIZED VIEW mat")
    assert not on_mat.is_fresh()  # what it reads is as old as its own refresh, and no trigger tells
    on_mat.refresh()
    sales.check()


def test_cycles(sales: Area) -> None:
    sales.view("v1", QUERY)
    sales.view("v2", "SELECT n, count(*) AS k FROM v1 GROUP BY n")
    with pytest.raises(django_ivm.IVMError) as raised:
        django_ivm.create_view("v1", "SELECT n AS rid, k AS n, k AS s FROM v2", replace=True)
    assert raised.value.code in ("CYCLE", "42P01", "DEPENDENTS")
    sales.step("UPDATE sale SET v = v + 1, rid = 7 WHERE id < 4")
    with pytest.raises(django_ivm.IVMError):
        django_ivm.create_view("v1", "SELECT rid, n, s FROM v1", replace=True)
    sales.step("UPDATE sale SET v = v + 1, rid = 2 WHERE id < 4")


def test_a_query_that_fails_on_the_rows_of_today(sales: Area) -> None:
    with pytest.raises((django_ivm.IVMError, DatabaseError), match="division by zero"):
        django_ivm.create_view("v1", "SELECT id, 10 / v AS q FROM sale")
    assert not sales.run("SELECT 1 FROM pg_class WHERE relname = 'v1'")
    sales.run("UPDATE sale SET v = 1 WHERE v = 0")
    sales.view("v1", "SELECT id, 10 / v AS q FROM sale")
    before = sales.run("SELECT * FROM sale ORDER BY id")
    with pytest.raises(DatabaseError, match="division by zero"):
        sales.run("UPDATE sale SET v = v - 1")
    assert sales.run("SELECT * FROM sale ORDER BY id") == before
    sales.step("UPDATE sale SET v = v + 1")
