"""The compiler as a function: pure, deterministic, and every word that it prints is SQL."""

from __future__ import annotations

import dataclasses
import pickle
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pglast
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_ivm.compiler import Catalog, CompileError, Installation, Options, Trace, compile_view
from django_ivm.compiler.frontend.locate import place, position_of
from django_ivm.compiler.pg import names
from django_ivm.compiler.pg.catalog import BOOLEAN, INTEGER, ColumnInfo, FunctionInfo, TableInfo, Type
from django_ivm.compiler.rewrites import RULES
from django_ivm.engine import install
from django_ivm.engine.analyse import analyse
from django_ivm.engine.spec import ViewSpec
from django_ivm.engine.view import explain
from tests.not_kept import NOT_KEPT

from .directives import SCHEMA, Session
from .script import BadScript, check_script, dynamic, long_names

TABLES = """
CREATE TABLE region (id int PRIMARY KEY, name text, size numeric(6,2));
CREATE TABLE sale (id int PRIMARY KEY, rid int REFERENCES region, amount int NOT NULL, price numeric(8,2),
    "Größe" float8);
CREATE TABLE loose (x int, "select" text);
CREATE TABLE part (id int, k int, v numeric(5,1), PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2, NULL) PARTITION BY RANGE (id);
CREATE TABLE part_2_a PARTITION OF part_2 DEFAULT;
"""
LONG = "a_name_that_is_as_long_as_postgresql_lets_a_name_be_äöüß_1234"
QUERIES = {
    "fold": "SELECT rid, count(*) AS n, sum(amount) AS total, avg(price) AS mean, stddev(price) AS spread "
    "FROM sale GROUP BY rid",
    "extreme": 'SELECT rid, min(price) AS least, max(amount) AS most, sum("Größe") AS f FROM sale GROUP BY rid',
    "global": "SELECT count(*) AS n, max(amount) AS most, bool_and(price > 1) AS every FROM sale",
    "distinct": 'SELECT DISTINCT x, "select" FROM loose',
    "keyed": "SELECT s.id, s.amount * 2 AS twice, r.name FROM sale s JOIN region r ON r.id = s.rid WHERE s.amount > 1",
    "bag": 'SELECT "select" || \'ä$ivm_body$\' AS "it\'s $ivm_q$", x FROM loose',
    "self": "SELECT a.id, b.id AS other FROM sale a, sale b WHERE a.rid = b.rid AND a.amount < b.amount",
    "product": "SELECT l.x, s.id FROM loose l, sale s, region r",
    "union": "SELECT rid AS k FROM sale UNION ALL SELECT id FROM region UNION ALL SELECT x FROM loose",
    "set": "SELECT rid FROM sale UNION SELECT x FROM loose",
    "levels": "SELECT n, count(*) AS groups FROM (SELECT rid, count(*) AS n FROM sale GROUP BY rid "
    "HAVING max(amount) > 1) g GROUP BY n",
    "grouped join": "WITH t AS (SELECT rid, sum(amount) AS s FROM sale GROUP BY rid) SELECT r.name, t.s "
    "FROM t JOIN region r ON r.id = t.rid",
    "top": "SELECT id, amount FROM sale ORDER BY amount DESC NULLS LAST, id LIMIT 3 OFFSET 1",
    "top groups": "SELECT rid, count(*) AS n FROM sale GROUP BY rid ORDER BY n DESC, rid LIMIT 2",
    "partitions": "SELECT k, sum(v) AS v FROM part GROUP BY k",
    "refused": f"SELECT id, rank() OVER (ORDER BY amount) AS place FROM sale WHERE {NOT_KEPT}",
}


@pytest.fixture
def session(db: None) -> Session:
    found = Session()
    found.run(TABLES)
    return found


Plan = Callable[..., install.Compiled]


@pytest.fixture
def compiled(session: Session) -> Plan:
    def make(sql: str, name: str = "v", **options: object) -> install.Compiled:
        return install.plan(ViewSpec(name=name, sql=sql, **options), connection)  # type: ignore[arg-type]

    return make


@pytest.mark.parametrize("case", QUERIES)
def test_every_statement_parses(case: str, compiled: Plan) -> None:
    for options in ({}, {"mode": "manual"}, {"strategy": "full"}, {"label": "shop.V", "surrogate": "pk"}):
        check_script(compiled(QUERIES[case], **options).installation)
        check_script(compiled(QUERIES[case], name=LONG[: 63 - 5], **options).installation)


@pytest.mark.parametrize("case", QUERIES)
def test_a_script_installs_as_it_is_printed(case: str, compiled: Plan, session: Session) -> None:
    """As the gallery's scripts are used: the printed text alone, statement by statement."""
    found = compiled(QUERIES[case], name=f"Case {case} 'of' \"all\"")
    for statement in found.statements():
        session.run(statement)
    table = names.LIMIT and found.installation.options.name.replace('"', '""')
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM {SCHEMA}."{table}"')


@pytest.mark.parametrize("case", QUERIES)
def test_compiling_is_a_function_of_its_arguments(case: str, compiled: Plan) -> None:
    found = compiled(QUERIES[case])
    catalog, options = found.catalog, found.installation.options
    before = (repr(catalog), repr(options), pickle.dumps(found.installation.canonical_sql))
    with CaptureQueriesContext(connection) as queries:
        again = compile_view(found.installation.canonical_sql, catalog, options)
    assert not queries.captured_queries
    assert again.statements() == found.installation.statements()
    assert (again.hash, again.strategy, again.reasons) == (
        found.installation.hash, found.installation.strategy, found.installation.reasons,
    )  # fmt: skip
    assert before == (repr(catalog), repr(options), pickle.dumps(found.installation.canonical_sql))


def test_compiling_is_the_same_in_another_process(compiled: Plan, tmp_path: Path) -> None:
    """Whatever order sets have there."""
    work = [
        (found.installation.canonical_sql, found.catalog, found.installation.options, found.installation.statements())
        for found in map(compiled, QUERIES.values())
    ]
    path = tmp_path / "work"
    path.write_bytes(pickle.dumps(work))
    code = (
        "import pickle, sys; from django_ivm.compiler import compile_view\n"
        f"for sql, catalog, options, wanted in pickle.load(open({str(path)!r}, 'rb')):\n"
        "    assert compile_view(sql, catalog, options).statements() == wanted, sql\n"
    )
    for seed in ("1", "77"):
        done = subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PATH": ""}, cwd=Path(__file__).parents[2],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


@pytest.mark.django_db
def test_a_changed_declaration_changes_the_hash(compiled: Plan) -> None:
    sql = QUERIES["fold"]
    base = compiled(sql)
    assert compiled(sql).installation.hash == base.installation.hash
    others = [
        compiled(sql + " "),
        compiled(sql, mode="manual"),
        compiled(sql, strategy="full"),
        compiled(sql, name="w"),
    ]
    hashes = {found.installation.hash for found in [base, *others]}
    assert len(hashes) == 5


@pytest.mark.parametrize("case", QUERIES)
def test_the_trace_has_every_arrow(case: str, compiled: Plan) -> None:
    found = compiled(QUERIES[case])
    steps = [name for name, _ in found.trace.steps]
    if case == "refused":
        assert steps[0] == "ast"
        assert "plan" not in steps
        return
    assert steps == ["ast", "ir", *(rule.__name__ for rule in RULES), "plan", "sql"]
    shown = dict(found.trace.steps)
    assert shown["sql"] == str(found.installation)
    assert str(found.trace).count("== ") >= len(steps)
    untouched = [name for name, text in found.trace.steps if text == "same as above"]
    assert "ast" not in untouched
    assert len(untouched) < len(steps)


def test_a_trace_that_is_off_records_nothing(compiled: Plan) -> None:
    found = compiled(QUERIES["fold"])
    trace = Trace(enabled=False)
    compile_view(found.installation.canonical_sql, found.catalog, found.installation.options, trace)
    assert trace.steps == []


@pytest.mark.parametrize("case", QUERIES)
def test_the_stages_of_explain(case: str, session: Session) -> None:
    shown = explain(ViewSpec(name="v", sql=QUERIES[case]), connection)
    wanted = {"ast", "sql"} if case == "refused" else {"ast", "ir", "plan", "sql"}
    assert set(shown.stages) == wanted
    assert all(shown.stages.values())
    pglast.parse_sql(shown.stages["ast"])
    pglast.parse_sql(shown.stages["sql"].replace("\n\n", ";\n\n"))
    assert shown.strategy in str(shown)
    assert shown.locks
    assert shown.trace.startswith("== ast")


# Names


def test_names_fit_and_differ(rng: random.Random) -> None:
    seen: dict[str, tuple[str, str]] = {}
    for _ in range(2000):
        letters = rng.choice(["abc_ZÄ", "äöü€𝄞", "x\" '.%", "select"])
        name = (
            "".join(rng.choice(letters) for _ in range(rng.randrange(1, 70))).encode()[:63].decode(errors="ignore")
            or "x"
        )
        schema = rng.choice(["public", "Ä", "x" * 63])
        prefix = names.prefix(schema, name)
        assert re.fullmatch(r"[a-z0-9_]{1,40}", prefix)
        assert seen.setdefault(prefix, (schema, name)) == (schema, name)
        for part in ("data", "level_12", "spool_3", "x" * 80):
            assert len(names.derived(prefix, 7, part).encode()) <= names.LIMIT
        short = names.shorten(name + "€" * 30)
        assert len(short.encode()) <= names.LIMIT
    assert names.shorten("x" * 63) == "x" * 63
    assert names.shorten("x" * 64) != names.shorten("x" * 65)


def test_the_checks_of_scripts_can_fail() -> None:
    assert list(long_names("SELECT " + "ä" * 32)) == ["ä" * 32]
    assert not list(long_names("SELECT " + "ä" * 31))
    assert dynamic("EXECUTE $ivm_q$SELECT $1$ivm_q$ USING a; EXECUTE $ivm_q_1$SELECT 2$ivm_q_1$") == [
        "SELECT $1",
        "SELECT 2",
    ]
    fake = type(
        "Fake",
        (),
        {
            "statements": lambda self: [
                "CREATE OR REPLACE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $b$BEGIN SELEKT 1; END$b$"
            ]
        },
    )
    with pytest.raises(BadScript, match="SELEKT"):
        check_script(fake())


# Purity at the edges: what only a catalog can say

TEXT, BLIND = Type("text", "text"), Type("text", "text", deterministic=False, collation='"und-x"')
WORD = TableInfo("s", "word", columns=(ColumnInfo("w", BLIND, True), ColumnInfo("n", INTEGER)), keys=(("w",),))


def compile_word(sql: str, **catalog: object) -> Installation:
    given = {"tables": (WORD,), "user_sql": sql, "base_tables": (("s", "word"),), **catalog}
    return compile_view(sql, Catalog(**given), Options(name="v", schema="s"))  # type: ignore[arg-type]


def test_texts_that_are_equal_under_a_collation_and_look_different() -> None:
    """Servers without ICU have no such collation, so only the catalog speaks of it here."""
    outputs = (ColumnInfo("w", BLIND),)
    keyless = {"outputs": outputs, "tables": (dataclasses.replace(WORD, keys=()),)}
    distinct = "SELECT DISTINCT word.w FROM s.word"
    for catalog, alike in ((keyless, ("w",)), ({"outputs": outputs}, ())):  # under the key each text has one look
        found = compile_word(distinct, **catalog)
        assert found.strategy == "incremental"
        assert found.plan is not None
        assert found.plan.alike == alike
    length = 'SELECT length(w_2) > 2 FROM (SELECT NULL::text COLLATE "und-x" AS w_2) ivm_probe'
    functions = (FunctionInfo("length", "pg_catalog", "f", "i"),)
    grouped = "SELECT word.w FROM s.word GROUP BY word.w HAVING (length(word.w) > 2)"
    found = compile_word(grouped, **keyless, functions=functions, types={length: BOOLEAN})
    assert [(r.code, r.location) for r in found.reasons] == [
        ("KEY_TYPE", "line 1, column 13: w FROM s.word GROUP BY word.w HAVING (length(word.w) > 2)")
    ]
    found = compile_word("SELECT word.w FROM s.word ORDER BY word.w LIMIT 1", outputs=outputs)
    assert [r.code for r in found.reasons] == ["ORDER"]
    assert compile_word("SELECT word.w FROM s.word", outputs=outputs).strategy == "incremental"


def test_a_foreign_table_is_refused() -> None:
    foreign = dataclasses.replace(WORD, kind="f")
    found = compile_word("SELECT word.n\nFROM s.word", outputs=(ColumnInfo("n", INTEGER),), tables=(foreign,))
    assert [(r.code, r.message, r.location) for r in found.reasons] == [
        ("SOURCE", "word is a foreign table", "line 2, column 6: s.word")
    ]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("JSON_TABLE(word.w, '$[*]' COLUMNS (n int PATH '$')) j", "JsonTable"),
        ("XMLTABLE('/r' PASSING word.w COLUMNS n int) j", "RangeTableFunc"),
    ],
)
def test_what_only_some_servers_have_in_from_is_refused(source: str, kind: str) -> None:
    found = compile_word(f"SELECT j.n FROM s.word,\n {source}", outputs=(ColumnInfo("n", INTEGER),))
    assert [(r.code, r.message, r.location) for r in found.reasons] == [
        ("EXPRESSION", f"{kind} in FROM has no rule yet", f"line 2, column 2: {source}")
    ]


def test_a_name_that_is_a_function_and_an_aggregate_is_refused() -> None:
    functions = tuple(FunctionInfo("sum", "pg_catalog", kind, "i") for kind in "af")
    found = compile_word(
        "SELECT sum(word.n) AS n FROM s.word", outputs=(ColumnInfo("n", INTEGER),), functions=functions
    )
    assert [(r.code, r.location) for r in found.reasons] == [
        ("AGGREGATE", "line 1, column 8: sum(word.n) AS n FROM s.word")
    ]


def test_a_catalog_that_lacks_something_is_the_callers_mistake() -> None:
    with pytest.raises(CompileError, match=r"s\.word isn't in the catalog"):
        compile_word("SELECT word.n FROM s.word", tables=(), outputs=(ColumnInfo("n", INTEGER),))
    with pytest.raises(CompileError, match="types to be probed first: .*n"):
        compile_word("SELECT word.n + 1 AS n FROM s.word", outputs=(ColumnInfo("n", INTEGER),))
    with pytest.raises(CompileError, match="isn't in the catalog"):
        compile_word("SELECT word.nothing FROM s.word", outputs=(ColumnInfo("nothing", INTEGER),))


def test_analysis_leaves_nothing_behind(session: Session) -> None:
    count = "SELECT count(*) FROM pg_class"
    with connection.cursor() as cursor:
        cursor.execute(count)
        before = cursor.fetchone()
        settings = (
            "SELECT name, setting FROM pg_settings WHERE name IN ('search_path', 'DateStyle', 'TimeZone') ORDER BY 1"
        )
        cursor.execute(settings)
        pinned = cursor.fetchall()
        for sql in QUERIES.values():
            analyse(connection, sql)
        cursor.execute(count)
        assert cursor.fetchone() == before
        cursor.execute(settings)
        assert cursor.fetchall() == pinned


# Places in the user's own text

PLACES = [
    # find, text up to the place, the place
    ("JOIN", "SELECT a.x, 'ä€𝄞' AS \"ß\"\nFROM a\n  ", "LEFT JOIN b ON true"),
    ("SUBQUERY", "SELECT 'ä€𝄞' AS \"ß\",\n   ", "(SELECT 1) AS x FROM t"),
    ("SUBQUERY", "SELECT 'ä' FROM t\nWHERE ", "EXISTS (SELECT FROM u)"),
    ("ROW", "SELECT 'ä€𝄞',\n\t/* ß */ ", "(x, y) FROM t"),
    ("GROUPING", "SELECT 'ä', count(*) FROM t\nGROUP BY ", "CUBE (x, y)"),
    ("RECURSIVE", "-- ä\nWITH ", "RECURSIVE r AS (SELECT 1) SELECT * FROM r"),
    ("SRF", "SELECT 'ä'\nFROM ", "unnest(ARRAY[1]) u"),
    ("CURRENT", "SELECT 'ä€' AS x,\n ", "CURRENT_TIMESTAMP AS y FROM t"),
    ("CAST", "SELECT 'ä€' AS x, y", "::text FROM t"),
    ("ORDER", "SELECT 'ä€' AS x FROM t\n", "ORDER BY y LIMIT 3"),
    ("ORDER", "SELECT 'ä' AS x FROM (SELECT y FROM t ORDER BY z) t\n", "ORDER BY y LIMIT 3"),
    ("LOCKING", "SELECT substring('ä' FROM 1 FOR 2) AS x\nFROM t ", "FOR SHARE"),
    ("LIMIT", "SELECT 'ä€' AS x FROM t ORDER BY y ", "LIMIT 1 + 1"),
    ("VALUES", "SELECT 'ä€' AS x FROM (", "VALUES (1)) v"),
    ("USING", "SELECT 'ä€' AS x FROM t JOIN ß\n", "USING (x)"),
    ("FROM", "SELECT 'ä FROM' AS x\n", "FROM t"),
    ("DISTINCT_ON", "SELECT count(DISTINCT x) FROM (SELECT ", "DISTINCT ON (a) b AS x FROM t) t"),
    ("SAMPLE", "SELECT 'ä€' AS x FROM t ", "TABLESAMPLE BERNOULLI (1)"),
    ("LATERAL", "SELECT 'ä€' AS x FROM t, ", "LATERAL (SELECT 1) l"),
    ("op:<=", "SELECT 'ä€' <> 'x' AND a ", "<= b FROM t"),
    ("func:rank", "SELECT 'ä€𝄞',\n\t/* ß */ ", "rank() OVER (ORDER BY x) FROM t"),
    ("node:JsonIsPredicate", "SELECT 'ä€', ", "x IS JSON FROM t"),
    ("func:string_agg", "SELECT /* string_agg ä */ ", "string_agg(x, ',') FROM t"),
    ("table:sale", "SELECT sale FROM ä,\n", "sale"),
    ("column:ctid", "SELECT 'ctid ä', ", "t.ctid FROM t"),
]  # fmt: skip


@pytest.mark.parametrize(("find", "before", "rest"), PLACES)
def test_a_place_is_counted_in_the_users_characters(find: str, before: str, rest: str) -> None:
    sql = before + rest
    position = position_of(sql, find)
    if find == "JOIN":  # a join has no position of its own; its first word does
        assert position is not None
        assert sql[:position].count("\n") in (1, 2)
        return
    assert position == len(before)
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
    assert place(sql, position) == f"line {line}, column {column}: {rest}"


def test_a_place_is_cut_and_never_invented() -> None:
    assert place("SELECT " + "x" * 100, 7) == "line 1, column 8: " + "x" * 57 + "…"
    assert place("SELECT 1", None) == ""
    assert place("", 0) == ""
    assert position_of("", "JOIN") is None
    assert position_of("SELECT 1", "JOIN") is None
    assert position_of("SELEKT 1", "JOIN") is None
    assert position_of("SELECT 1", "column:nothing") is None


@pytest.mark.parametrize("prefix", ["", "\n\n", "-- Größe ä€𝄞\n", "/* ä€𝄞 */ "])
def test_places_move_with_the_text(prefix: str, compiled: Plan) -> None:
    sql = prefix + "SELECT 'ä€𝄞' AS \"ß\", id,\n       row_number() OVER (ORDER BY amount) AS place FROM sale"
    (reason,) = compiled(sql).reasons
    line = prefix.count("\n") + 2
    assert reason.location == f"line {line}, column 8: row_number() OVER (ORDER BY amount) AS place FROM sale"
