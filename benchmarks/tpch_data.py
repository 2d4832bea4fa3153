"""TPC-H: the tables, made by tpchgen-cli and loaded by COPY, and its refresh functions RF1 and RF2.

The generator uses only order keys with ``(key >> 3) & 3 = 0``, as the standard has it: the keys between are for new
orders. RF1 inserts clones of old orders at ``key + 8`` with customers, parts, suppliers and quantities of their own;
RF2 deletes as many old orders. Both are drawn beforehand from a seed and kept in tables of their own, so that
applying a pair reads nothing but them.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import psycopg
from psycopg import sql

from django_ivm._sql import read

TABLES = ("region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem")
QUERIES = tuple(f"q{i:02}" for i in range(1, 23))
PROGRAM = "tpchgen-cli"
PER_THOUSAND = 1  # orders that one refresh pair inserts, and deletes
_CHUNK = 1 << 18

_STAGING = """
CREATE TABLE new_orders (pair integer NOT NULL, LIKE orders);
CREATE TABLE new_lineitem (pair integer NOT NULL, LIKE lineitem);
CREATE TABLE old_orders (pair integer NOT NULL, orderkey bigint NOT NULL);
"""
_STAGING_KEYS = """
ALTER TABLE new_orders ADD PRIMARY KEY (pair, o_orderkey);
ALTER TABLE new_lineitem ADD PRIMARY KEY (pair, l_orderkey, l_linenumber);
ALTER TABLE old_orders ADD PRIMARY KEY (pair, orderkey);
"""
_ORDER_COLUMNS = (
    "o_orderkey, o_custkey, o_orderstatus, o_totalprice, o_orderdate, o_orderpriority, o_clerk, o_shippriority, "
    "o_comment"
)
_LINE_COLUMNS = (
    "l_orderkey, l_partkey, l_suppkey, l_linenumber, l_quantity, l_extendedprice, l_discount, l_tax, l_returnflag, "
    "l_linestatus, l_shipdate, l_commitdate, l_receiptdate, l_shipinstruct, l_shipmode, l_comment"
)
RF1 = (
    f"INSERT INTO orders SELECT {_ORDER_COLUMNS} FROM new_orders WHERE pair = %s",
    f"INSERT INTO lineitem SELECT {_LINE_COLUMNS} FROM new_lineitem WHERE pair = %s",
)
RF2 = (
    "DELETE FROM lineitem WHERE l_orderkey = ANY (ARRAY(SELECT orderkey FROM old_orders WHERE pair = %s))",
    "DELETE FROM orders WHERE o_orderkey = ANY (ARRAY(SELECT orderkey FROM old_orders WHERE pair = %s))",
)
"""The statements of the refresh functions; each takes the pair's number."""


class TPCHError(Exception):
    """The data can't be made; the message is for the person who started it."""


def query(name: str) -> str:
    """The text of a query, as in ``query("q01")``."""
    return read(f"tpch/{name}.sql")


def generate(directory: Path, scale: float) -> None:
    """Write the eight tables at ``scale`` (1 is 6 million order lines) into ``directory``.

    :raises TPCHError: tpchgen-cli is missing or fails.
    """
    # Beside the running Python first: its environment need not be activated.
    program = shutil.which(PROGRAM, path=str(Path(sys.executable).parent)) or shutil.which(PROGRAM)
    if program is None:
        raise TPCHError(f"{PROGRAM} was not found. Run: pip install {PROGRAM}")
    command = [program, "csv", f"--scale-factor={scale}", f"--output-dir={directory}", "--no-progress", "--quiet"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise TPCHError(f"{PROGRAM} failed ({done.returncode}): {done.stderr.strip()}")


def load(connection: psycopg.Connection, schema: str, directory: Path) -> None:
    """Make ``schema`` with the tables of ``directory``, their keys and indexes. The connection is in autocommit."""
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    enter(connection, schema)
    connection.execute(_text(read("tpch/tables.sql")))
    for table in TABLES:
        copying = sql.SQL("COPY {} FROM STDIN (FORMAT csv, HEADER)").format(sql.Identifier(table))
        with (directory / f"{table}.csv").open("rb") as file, connection.cursor().copy(copying) as copy:
            while chunk := file.read(_CHUNK):
                copy.write(chunk)
    connection.execute(_text(read("tpch/keys.sql")))
    connection.execute("VACUUM (FREEZE, ANALYZE) " + ", ".join(TABLES))


def enter(connection: psycopg.Connection, schema: str) -> None:
    """Let the connection find the schema's tables."""
    connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(schema)))


def draw(connection: psycopg.Connection, pairs: int, seed: int, *, single: int = 0) -> None:
    """Draw ``pairs`` refresh pairs of 0.1 % of the orders, numbered from 1, then ``single`` of one order each.

    :raises TPCHError: there are too few orders.
    """
    rng = random.Random(f"{seed} refresh")
    keys = [key for (key,) in connection.execute("SELECT o_orderkey FROM orders ORDER BY 1")]
    sizes = [max(1, len(keys) * PER_THOUSAND // 1000)] * pairs + [1] * single
    if 2 * sum(sizes) > len(keys):
        raise TPCHError(f"{len(keys)} orders are too few for {pairs} refresh pairs")
    rng.shuffle(keys)
    connection.execute(_text(_STAGING))
    used = 0
    for pair, size in enumerate(sizes, 1):
        cloned, deleted = keys[used : used + size], keys[used + size : used + 2 * size]
        used += 2 * size
        _copy(connection, "old_orders", [(pair, key) for key in deleted])
        _clone(connection, rng, pair, cloned)
    connection.execute(_text(_STAGING_KEYS))
    connection.execute("ANALYZE new_orders, new_lineitem, old_orders")


def _clone(connection: psycopg.Connection, rng: random.Random, pair: int, keys: list[int]) -> None:
    orders = connection.execute(
        _text(f"SELECT {_ORDER_COLUMNS} FROM orders WHERE o_orderkey = ANY (%s) ORDER BY o_orderkey"), [keys]
    ).fetchall()
    lines = connection.execute(
        _text(f"SELECT {_LINE_COLUMNS} FROM lineitem WHERE l_orderkey = ANY (%s) ORDER BY l_orderkey, l_linenumber"),
        [keys],
    ).fetchall()
    ((customers, parts),) = connection.execute("SELECT (SELECT max(c_custkey) FROM customer), max(p_partkey) FROM part")
    drawn = [rng.randrange(1, parts + 1) for _ in lines]
    supplied = {
        part: (price, suppliers)
        for part, price, suppliers in connection.execute(
            "SELECT p_partkey, p_retailprice, array_agg(ps_suppkey ORDER BY ps_suppkey) FROM part"
            " JOIN partsupp ON ps_partkey = p_partkey WHERE p_partkey = ANY (%s) GROUP BY 1, 2",
            [drawn],
        )
    }
    # Some are large orders, of which the generator makes few: Q18 looks for them.
    large = {order[0] for order in orders if rng.random() < 0.3}
    new_lines = []
    totals: dict[int, Decimal] = {}
    for line, part in zip(lines, drawn, strict=True):
        key, _, _, number, _, _, discount, tax, *rest = line
        quantity = rng.randrange(44, 51) if key in large else rng.randrange(1, 51)
        price, suppliers = supplied[part]
        totals[key] = totals.get(key, 0) + quantity * price
        new_lines.append(
            (pair, key + 8, part, rng.choice(suppliers), number, quantity, quantity * price, discount, tax, *rest)
        )
    new_orders = [
        (pair, key + 8, rng.randrange(1, customers + 1), status, totals[key], *rest)
        for key, _, status, _, *rest in orders
    ]
    _copy(connection, "new_orders", new_orders)
    _copy(connection, "new_lineitem", new_lines)


def _copy(connection: psycopg.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    copying = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
    with connection.cursor().copy(copying) as copy:
        for row in rows:
            copy.write_row(row)


def _text(text: str) -> sql.SQL:
    """SQL text written in this package or shipped with it."""
    return sql.SQL(text)
