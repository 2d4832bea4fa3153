"""Expressions: printed and read back, typed by the database, and the digits after the point of their values."""

from __future__ import annotations

import difflib
import os
import random
from decimal import Decimal
from pathlib import Path

import pglast
import pytest
from django.db import DatabaseError, connection, transaction

from django_ivm.compiler.errors import CompileError
from django_ivm.compiler.frontend.probes import probe
from django_ivm.compiler.frontend.scale import scale
from django_ivm.compiler.ir.relation import Column
from django_ivm.compiler.ir.scalar import Scalar
from django_ivm.compiler.operators import Scan
from django_ivm.compiler.pg.catalog import BIGINT, Type
from django_ivm.compiler.pg.print import parse_expression_shared, print_expression, structure

from .datadriven import REWRITE
from .oracle import OracleError, fetch

FOLDER = Path(__file__).parent


def lines_of(name: str) -> list[str]:
    return [line for line in (FOLDER / name).read_text().splitlines() if line and not line.startswith("#")]


TRICKY = lines_of("expressions.txt")


@pytest.mark.parametrize("text", TRICKY)
def test_an_expression_reads_back_as_it_was(text: str) -> None:
    node = parse_expression_shared(text)
    printed = print_expression(node)
    assert structure(parse_expression_shared(printed)) == structure(node)
    assert print_expression(parse_expression_shared(printed)) == printed


def test_random_trees_read_back(rng: random.Random) -> None:
    """Parentheses wherever the grammar could read something else."""
    unary = ["-", "NOT ", "@ ", "|/ "]
    postfix = ["IS NULL", "IS NOT TRUE", "::numeric", 'COLLATE "C"', "AT TIME ZONE b"]
    binary = ["+", "-", "*", "/", "^", "=", "<", "AND", "OR", "||", "<->", "IS DISTINCT FROM", "~", "->>"]

    def tree(depth: int) -> str:
        choice = rng.random()
        if depth == 0 or choice < 0.15:
            return rng.choice(["a", "b", "1", "-1", "'x'", "NULL", "2.50", '"Ä"'])
        if choice < 0.3:
            return f"{rng.choice(unary)}({tree(depth - 1)})"
        if choice < 0.4:
            return f"({tree(depth - 1)}) {rng.choice(postfix)}"
        if choice < 0.45:
            return f"CASE WHEN ({tree(depth - 1)}) THEN ({tree(depth - 1)}) END"
        if choice < 0.5:
            return f"({tree(depth - 1)}) IN (({tree(depth - 1)}), 1)"
        return f"({tree(depth - 1)}) {rng.choice(binary)} ({tree(depth - 1)})"

    for _ in range(300):
        text = tree(4)
        node = parse_expression_shared(text)
        assert structure(pglast.parse_sql("SELECT " + print_expression(node))[0].stmt.targetList[0].val) == structure(
            node
        ), text


def test_what_reads_differently_is_an_error() -> None:
    """A node that no text stands for: a column name of NULL bytes can't be printed, an empty one reads as nothing."""
    with pytest.raises((CompileError, pglast.parser.ParseError)):
        print_expression(pglast.ast.ColumnRef(fields=(pglast.ast.String(sval=""),)))


@pytest.mark.parametrize(
    ("text", "columns", "new"),
    [
        ("a - b", ("a", "b"), "(x + 1) - b"),
        ("'a' || a || \"a b\"", ("a", "a b"), "'a' || (x + 1) || \"a b\""),
        ("'äöü€' || a", ("a",), "'äöü€' || (x + 1)"),
        ("f(a, a => a)", ("a",), "f((x + 1), a => (x + 1))"),
        ("a::a", ("a",), "(x + 1)::a"),
        ("a[a]", ("a",), "(x + 1)[(x + 1)]"),
        ("count(*) FILTER (WHERE a > 0)", ("a",), "count(*) FILTER (WHERE (x + 1) > 0)"),
        ("CASE a WHEN a THEN a END", ("a",), "CASE (x + 1) WHEN (x + 1) THEN (x + 1) END"),
        ("1", (), "1"),
    ],
)
def test_columns_are_replaced_in_place(text: str, columns: tuple[str, ...], new: str) -> None:
    scalar = Scalar(text)
    assert scalar.columns == columns
    assert scalar.substitute({"a": "x + 1", "z": "nothing"}).text == new
    pglast.parse_sql("SELECT " + scalar.substitute({"a": "x + 1"}).text)


def test_renaming_is_simultaneous() -> None:
    assert Scalar("a - b").rename({"a": "b", "b": "a"}).text == "b - a"
    assert Scalar("a").rename({"a": "Order"}).text == '"Order"'


# Digits after the point

SCALES = FOLDER / "scale.txt"
COLUMNS = {
    "n0": Type("numeric(5,0)", "numeric", scale=0), "n2": Type("numeric(8,2)", "numeric", scale=2),
    "n5": Type("numeric(12,5)", "numeric", scale=5), "hundreds": Type("numeric(4,-2)", "numeric", scale=0),
    "free": Type("numeric", "numeric"), "i": Type("integer", "int4"), "big": BIGINT,
}  # fmt: skip


def column_scale(name: str) -> int | None:
    return 0 if COLUMNS[name].integer else COLUMNS[name].scale


def scale_cases() -> list[str]:
    return [line.partition("  ")[2].strip() for line in lines_of("scale.txt")]


def canonical(text: str) -> str:
    """The expression as PostgreSQL prints it in a view, which is what the compiler gets to see."""
    columns = ", ".join(f"NULL::{type_.sql} AS {name}" for name, type_ in COLUMNS.items())
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE TEMPORARY VIEW canonical AS SELECT {text} AS e FROM (SELECT {columns}) s")
        cursor.execute("SELECT pg_get_viewdef('canonical'::regclass)")
        shown = cursor.fetchone()[0]
        cursor.execute("DROP VIEW canonical")
    return print_expression(pglast.parse_sql(shown)[0].stmt.targetList[0].val)


def fill_scales(rng: random.Random) -> None:
    rows = []
    for _ in range(60):

        def number(digits: int, point: int) -> str:
            if rng.random() < 0.1:
                return "NULL"
            value = Decimal(rng.choice([0, 1, -1, rng.randrange(-(10**digits), 10**digits)])).scaleb(-point)
            return str(value)

        rows.append(
            f"({number(4, 0)}, {number(7, 2)}, {number(10, 5)}, {rng.choice(['100', '-300', '0', 'NULL'])}, "
            f"{number(6, rng.randrange(5))}, {number(4, 0)}, {number(9, 0)})"
        )
    columns = ", ".join(f"{name} {type_.sql}" for name, type_ in COLUMNS.items())
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE scales ({columns})")
        cursor.execute(f"INSERT INTO scales VALUES {', '.join(rows)}")
        cursor.execute("INSERT INTO scales (n2, n5, free) VALUES ('NaN', 'NaN', 'NaN')")


def seen_scales(text: str) -> set[int]:
    """Scales of the non-null values that aren't NaN, as PostgreSQL computes them row by row."""
    try:
        with transaction.atomic():
            found = fetch(
                f"SELECT DISTINCT scale(({text})::numeric) FROM scales WHERE scale(({text})::numeric) IS NOT NULL"
            )
    except DatabaseError:  # a division by zero in some row: take the rows where it works
        found = []
        for (row,) in fetch("SELECT ctid::text FROM scales"):
            try:
                with transaction.atomic():
                    found += fetch(f"SELECT scale(({text})::numeric) FROM scales WHERE ctid = '{row}'")
            except DatabaseError:
                continue
    return {digits for (digits,) in found if digits is not None}


@pytest.mark.django_db
def test_inferred_scales_are_those_of_every_value(rng: random.Random) -> None:
    """The table says what is inferred; PostgreSQL, on random rows, whether that is so."""
    fill_scales(rng)
    wrong, lines = [], []
    for text in scale_cases():
        inferred = scale(parse_expression_shared(canonical(text)), column_scale)
        seen = seen_scales(text)
        if inferred is not None and seen - {inferred}:
            wrong.append(f"{text}: inferred {inferred}, values have {sorted(seen)}")
        lines.append(f"{'?' if inferred is None else inferred}  {text}")
    if wrong:
        raise OracleError("\n".join(wrong))
    head = [line for line in SCALES.read_text().splitlines() if line.startswith("#")]
    actual = "\n".join([*head, "", *lines]) + "\n"
    if os.environ.get(REWRITE):
        SCALES.write_text(actual)
    shown = difflib.unified_diff(
        SCALES.read_text().splitlines(), actual.splitlines(), "scale.txt", "this run", lineterm=""
    )
    assert actual == SCALES.read_text(), "\n".join(shown)


@pytest.mark.django_db
def test_random_arithmetic_has_the_inferred_scale(rng: random.Random) -> None:
    fill_scales(rng)

    def tree(depth: int) -> str:
        if depth == 0 or rng.random() < 0.2:
            return rng.choice([*COLUMNS, "1", "1.50", "0.001", "-2", "1e2", "'1.25'::numeric", "NULL::numeric"])
        a, b = tree(depth - 1), tree(depth - 1)
        return rng.choice(
            [
                f"({a} + {b})",
                f"({a} - {b})",
                f"({a} * {b})",
                f"(- {a})",
                f"coalesce({a}, {b})",
                f"nullif({a}, {b})",
                f"greatest({a}, {b})",
                f"least({b}, {a})",
                f"abs({a})",
                f"round({a}::numeric, {rng.randrange(-2, 4)})",
                f"trunc({a}::numeric, 2)",
                f"CASE WHEN {a} > 0 THEN {b} ELSE {a} END",
                f"({a})::numeric(20,3)",
                f"({a})::numeric",
                f"({a})::int",
                f"({a} / 3)",
                f"({a} % 7)",
                f"CASE WHEN {a} IS NULL THEN {b} END",
                f"(+ {a})",
                f"round({a}::numeric)",
            ]
        )

    known = 0
    for _ in range(150):
        text = tree(3)
        inferred = scale(parse_expression_shared(canonical(text)), column_scale)
        seen = seen_scales(text)
        known += inferred is not None and bool(seen)
        assert inferred is None or seen <= {inferred}, f"{text}: inferred {inferred}, values have {sorted(seen)}"
    assert known > 20


# Probes


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("n2 * 2", "numeric"),
        ("i + 1", "integer"),
        ("i + big", "bigint"),
        ("i / 2.0", "numeric"),
        ("n2::numeric(5,1)", "numeric(5,1)"),
        ("sum(i)", "bigint"),
        ("sum(big)", "numeric"),
        ("avg(n2)", "numeric"),
        ("count(*)", "bigint"),
        ("i > 1", "boolean"),
        ("'x' || i", "text"),
        ("CASE WHEN i > 1 THEN n2 ELSE 0 END", "numeric"),
        ('"Größe ""x""" || \'ä\'', "text"),
        ("1", "integer"),
        ("NULL::date", "date"),
    ],
)
def test_a_probe_needs_no_table_and_gives_the_type(text: str, type_: str) -> None:
    named = {**COLUMNS, 'Größe "x"': Type("text", "text")}
    relation = Scan("nowhere", "nothing", tuple((Column(name, t), name) for name, t in named.items()))
    query = probe(print_expression(parse_expression_shared(text)), relation)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY VIEW probed AS SELECT ({query}) AS p")
        cursor.execute(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = 'probed'::regclass AND attname = 'p'"
        )
        assert cursor.fetchone() == (type_,)
        cursor.execute("DROP VIEW probed")
    assert all(
        (f" AS {name}" in query or f' AS "{name.replace(chr(34), chr(34) * 2)}"' in query)
        for name in Scalar(text).columns
    )
    assert "nothing" not in query
