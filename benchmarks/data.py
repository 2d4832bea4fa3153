"""The data: made once, then copied to each arm's schema with the same keys, indexes and statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from .core import BenchError

if TYPE_CHECKING:
    from .arms import Arm
    from .core import Scenario, Sizes

MASTER = "master"


def _q(text: str) -> sql.SQL:
    """SQL text written in this package."""
    return sql.SQL(text)


def make_master(conn: psycopg.Connection, scenario: Scenario, sizes: Sizes) -> None:
    """Fill the scenario's tables in the schema ``master``."""
    conn.execute(_q(f"DROP SCHEMA IF EXISTS {MASTER} CASCADE"))
    conn.execute(_q(f"CREATE SCHEMA {MASTER}"))
    for table in scenario.tables:
        conn.execute(sql.SQL("CREATE TABLE {} AS ").format(sql.Identifier(MASTER, table.name)) + sizes.into(table.fill))


def copy_to(conn: psycopg.Connection, scenario: Scenario, schema: str, *, empty: bool = False) -> None:
    """Give ``schema`` its own copy of the master's tables, indexed and vacuumed; ``empty`` copies no rows."""
    conn.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
    conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    conn.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
    conn.execute("CREATE SEQUENCE ids START 10000000000")
    for table in scenario.tables:
        conn.execute(
            sql.SQL("CREATE TABLE {} AS TABLE {}").format(
                sql.Identifier(table.name), sql.Identifier(MASTER, table.name)
            )
            + sql.SQL(" WITH NO DATA" if empty else "")
        )
        for statement in table.finish:
            conn.execute(_q(statement))
    for table in scenario.tables:
        conn.execute(sql.SQL("VACUUM (FREEZE, ANALYZE) {}").format(sql.Identifier(table.name)))
    conn.execute("RESET search_path")


def drop(conn: psycopg.Connection, schema: str) -> None:
    conn.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


def vacuum(conn: psycopg.Connection, schemas: list[str], *, analyze: bool = False) -> None:
    """Remove dead rows from everything the arms own, between rounds: none shall pay for the one before.

    ``analyze`` also gathers statistics, as autovacuum would soon after a view was filled.
    """
    rows = conn.execute(
        "SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'm') AND (n.nspname = ANY (%s) OR n.nspname LIKE 'django\\_ivm%%')",
        [schemas],
    ).fetchall()
    if rows:
        names = sql.SQL(", ").join(sql.Identifier(schema, name) for schema, name in rows)
        conn.execute(sql.SQL("VACUUM (ANALYZE) {}" if analyze else "VACUUM {}").format(names))
    if conn.info.parameter_status("is_superuser") == "on":
        conn.execute("CHECKPOINT")


def difference(arm: Arm, scenario: Scenario) -> tuple[int, int, str]:
    """The arm's view against its query, as a bag of the rows' text: (missing, unexpected, an example)."""
    columns = ", ".join(scenario.columns)
    want = f"SELECT r::text FROM (SELECT {columns} FROM ({scenario.query}) AS q) AS r"
    have = f"SELECT r::text FROM (SELECT {columns} FROM {arm.relation(scenario)}) AS r"
    with arm.connect() as conn:
        counts = []
        example = ""
        for kind, a, b in (("missing", want, have), ("unexpected", have, want)):
            row = conn.execute(_q(f"SELECT count(*), min(r) FROM ({a} EXCEPT ALL {b}) AS d")).fetchone()
            assert row is not None
            counts.append(int(row[0]))
            if row[0] and not example:
                example = f"{kind} {row[1]}"
    return counts[0], counts[1], example


def assert_equal(arm: Arm, scenario: Scenario, when: str) -> None:
    """:raises BenchError: the arm's view differs from its query."""
    missing, unexpected, example = difference(arm, scenario)
    if missing or unexpected:
        raise WrongView(
            f"scenario {scenario.key}, {arm.label}: the view is wrong {when}: "
            f"{missing} rows missing, {unexpected} unexpected, e.g. {example}"
        )


class WrongView(BenchError):
    """An arm's view differs from its query: its figures mean nothing."""
