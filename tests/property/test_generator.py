"""The drawn queries are fit for an oracle: PostgreSQL takes nearly all, and their answers don't hang on chance."""

from __future__ import annotations

import contextlib

import psycopg
from django.db import connection, transaction

from .constructs import constructs
from .dice import Dice
from .scenarios import draw_script
from .script import Script

EXAMPLES = 40
_PLANS = "SET enable_hashjoin = off; SET enable_hashagg = off; SET enable_material = off; SET enable_memoize = off"
_DIFFERENCE = (
    "SELECT r FROM (SELECT r::text AS r, 1 AS n FROM one.{v} r UNION ALL SELECT r::text, -1 FROM other.{v} r) x "
    "GROUP BY r HAVING sum(n) <> 0 LIMIT 5"
)


def test_queries_are_determined(seed: int, transactional_db: None) -> None:
    """Rows in another order and another plan give the same answer as text."""
    valid = invalid = 0
    for number in range(EXAMPLES):
        script = draw_script(Dice.seeded(f"determined {seed} {number}"), steps=15, large=0)
        with transaction.atomic():
            compared, refused = _compare(script)
            transaction.set_rollback(True)
        valid, invalid = valid + compared, invalid + refused
    assert invalid <= 0.05 * valid, f"PostgreSQL refuses {invalid} of {valid + invalid} queries"


def _compare(script: Script) -> tuple[int, int]:
    """How many views were compared, and how many PostgreSQL refused."""
    raw = connection.connection
    _run(raw, "CREATE SCHEMA one; CREATE SCHEMA other; SET statement_timeout = '10s'; SET search_path = one")
    statements = [*script.setup, *(s.sql for step in script.steps for s in step.statements if s.data is None)]
    for statement in statements:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "SET", "SELECT")):
            _run(raw, statement)
    names = raw.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'one'::regnamespace AND relkind IN ('r','p')"
    )
    for (name,) in names.fetchall():
        _run(raw, f'CREATE TABLE other."{name}" AS SELECT * FROM one."{name}" ORDER BY random()')
    refused = 0
    compared = []
    for view in script.views:
        made = []
        for schema in ("one", "other"):
            made.append(_run(raw, f"SET search_path = {schema}, one; CREATE VIEW {view.name} AS {view.sql}"))
            made.append(_run(raw, f"SELECT count(*) FROM {schema}.{view.name}"))
        if all(made):
            compared.append(view)
        else:
            refused += 1
    _run(raw, _PLANS)
    for view in compared:
        with contextlib.suppress(psycopg.errors.QueryCanceled, psycopg.errors.DataError), transaction.atomic():
            different = raw.execute(_DIFFERENCE.format(v=view.name).encode()).fetchall()
            assert not different, f"{different}\n{script}"
    return len(compared), refused


def _run(raw: psycopg.Connection[tuple[object, ...]], sql: str) -> bool:
    try:
        with transaction.atomic():
            raw.execute(sql.encode())
    except psycopg.Error:
        return False
    return True


def test_every_construct_is_drawn(seed: int) -> None:
    """What the counters are to show is drawn often enough to show anything."""
    drawn: set[str] = set()
    for number in range(400):
        for view in draw_script(Dice.seeded(f"drawn {seed} {number}"), steps=1).views:
            drawn |= set(constructs(view.sql))
    assert drawn >= WANTED, sorted(WANTED - drawn)


WANTED = {
    "join", "left join", "right join", "full join", "join in parentheses", "using", "aggregate over outer join",
    "exists", "exists correlated", "not exists", "not exists correlated", "in", "in correlated", "not in",
    "not in correlated", "any", "any correlated", "all", "all correlated", "row in", "subquery under or",
    "subquery under not", "scalar subquery", "scalar subquery correlated", "array subquery", "subquery in select", "subquery in having",
    "depth 4 or more", "derived table", "global aggregate", "group by", "having", "sum distinct", "string_agg",
    "string_agg distinct", "array_agg", "jsonb_agg", "mode", "percentile_cont", "percentile_disc", "bit_and",
    "union all", "union", "intersect", "intersect all", "except", "except all", "set operation in a set operation",
    "distinct", "distinct on", "limit", "limit in from", "limit in subquery", "with ties", "lateral", "lateral aggregate",
    "lateral top-n", "function in from", "function of sets in select", "with ordinality", "values", "no from",
    "grouping sets", "rollup", "cube", "grouping()", "named window", "window partition", "window frame",
    "row_number() over", "rank() over", "lag() over", "lead() over", "first_value() over", "ntile() over",
    "sum() over", "recursive cte", "cte", "cte used again",
}  # fmt: skip


def test_the_counters_read_the_text() -> None:
    found = constructs(
        "WITH c AS (SELECT a FROM t) SELECT x.a, rank() OVER (PARTITION BY x.a ORDER BY x.b) FROM t x LEFT JOIN c y "
        "ON x.a = y.a JOIN c z ON true WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = x.a) AND x.b NOT IN (SELECT 1) "
        "AND (x.b > (SELECT max(a) FROM c) OR x.a IS NULL) EXCEPT ALL SELECT 1, 2"
    )
    for name in (
        "cte", "cte used again", "left join", "join", "not exists correlated", "not in", "scalar subquery",
        "subquery under or", "except all", "rank() over", "window partition", "max", "no from",
    ):  # fmt: skip
        assert found[name], name
    assert not found["exists"]
    assert not found["in"]
