"""PostgreSQL's printed query trees are read without loss, and the table of functions names functions that exist."""

from __future__ import annotations

import re

import pytest

from django_ivm.compiler.frontend.settings import FOLLOWS, PINNABLE, TEXT_FOLLOWS
from django_ivm.engine.node_tree import Node, read

from .area import Area


def _printed(value: object) -> str:
    if isinstance(value, Node):
        fields = "".join(f":{name}{''.join(map(_printed, values))}" for name, values in value.fields.items())
        return "{" + value.tag + fields + "}"
    if isinstance(value, list):
        return "(" + "".join(map(_printed, value)) + ")"
    return str(value)


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _trees(area: Area) -> dict[str, str]:
    return dict(area.run("SELECT ev_class::regclass::text, ev_action::text FROM pg_rewrite"))


def test_every_stored_tree_reads_back(area: Area) -> None:
    area.run("CREATE TABLE t (id int, v text)")
    area.run(
        'CREATE VIEW odd AS SELECT id::text::date AS ":vartype", v || \'{(\' AS "a}b) \\ c", array[v]::text AS "(", '
        '(SELECT max(x.id) FROM t x WHERE x.v = ":t".v)::text AS "{" FROM t ":t" WHERE (id, v) > (1, \')}\')'
    )
    trees = _trees(area)
    assert len(trees) > 100
    for name, tree in trees.items():
        assert _bare("(" + "".join(map(_printed, read(tree))) + ")") == _bare(tree), name


def test_types_of_the_arguments_of_casts_are_known(area: Area) -> None:
    area.run("CREATE TABLE t (id int, v text, d date, a int[], b date[])")
    area.run(
        "CREATE VIEW odd AS SELECT id::text AS a, (SELECT max(d) FROM t)::text AS b, (CASE WHEN id > 1 THEN d END)::text AS c, "
        "coalesce(d, d)::text AS e, greatest(d, d)::text AS f, b[1]::text AS g, (id > 1)::text::date AS h, nullif(d, d)::text AS i, "
        "(max(d) OVER ())::text AS k, (d = ANY (b))::text::interval AS l FROM t"
    )
    casts = [n for top in read(_trees(area)["odd"]) for n in top.walk() if n.tag == "COERCEVIAIO"]
    assert len(casts) >= 10
    assert all(cast.type and (argument := cast.child("arg")) and argument.type for cast in casts)


def test_functions_that_follow_settings_exist(area: Area) -> None:
    there = area.run(
        "SELECT p.proname || '(' || oidvectortypes(p.proargtypes) || ')', p.provolatile FROM pg_proc p "
        "WHERE p.pronamespace = 'pg_catalog'::regnamespace"
    )
    found = dict(there)
    later = {
        name
        for name in FOLLOWS.keys() - found.keys()
        if not re.match(r"date_(add|subtract)|.*_(strict|unique|unique_strict)\(|timezone\(", name)
    }
    assert not later
    assert {found[name] for name in FOLLOWS if name in found} <= {"s", "i"}
    for name in (
        "now()",
        "age(timestamp with time zone)",
        "timetz(time without time zone)",
        "regclass(text)",
        "enum_out(anyenum)",
    ):
        assert name not in FOLLOWS


@pytest.mark.parametrize("setting", PINNABLE)
def test_settings_that_can_be_pinned_exist(area: Area, setting: str) -> None:
    assert area.value("SELECT context FROM pg_settings WHERE name = %s", setting) == "user"


def test_what_text_follows(area: Area) -> None:
    """A built-in type's output that is declared STABLE is in the table, or refused."""
    names = {name for (name,) in area.run(
        "SELECT t.typname FROM pg_type t JOIN pg_proc p ON p.oid = t.typoutput WHERE p.provolatile = 's' AND t.typtype = 'b' "
        "AND t.typcategory <> 'A' AND t.typnamespace = 'pg_catalog'::regnamespace"
    )}  # fmt: skip
    assert names - TEXT_FOLLOWS.keys() <= {"aclitem"} | {name for name in names if name.startswith("reg")}
