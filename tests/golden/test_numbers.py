"""Sums, means and spreads of numbers of every size, text for text after each random statement."""

from __future__ import annotations

import math
import random

import pytest

from . import oracle
from .datadriven import Block
from .directives import Session

FUNCTIONS = ["sum", "avg", "variance", "var_pop", "stddev", "stddev_pop", "min", "max"]
# column -> type, digits after the point, largest whole number
COLUMNS = {
    "i2": ("int2", 0, 32_000),
    "i4": ("int4", 0, 2**31 - 1),
    "i8": ("int8", 0, 2**62),
    "n0": ("numeric(20,0)", 0, 10**19),
    "n3": ("numeric(22,3)", 3, 10**18),
    "n9": ("numeric(15,9)", 9, 10**5),
    "thousands": ("numeric(10,-3)", 0, 10**12),
}
GROUPS = 16


def number(rng: random.Random, column: str, group: int) -> str:
    """Small ones, equal ones, ones near the edge, or any magnitude, as the group has it."""
    _, digits, largest = COLUMNS[column]
    if rng.random() < 0.1:
        return "NULL"
    if digits and rng.random() < 0.03:
        return "'NaN'"
    kind = group % 4
    whole = {
        0: rng.randrange(3),
        1: rng.choice([0, 0, 1, largest // 1000]),
        2: largest - 1 - rng.randrange(3),
        3: min(int(10 ** rng.uniform(0, math.log10(largest))), largest - 1),
    }[kind]
    point = f".{rng.choice([0, 1, 10**digits // 3, rng.randrange(10**digits)]):0{digits}d}" if digits else ""
    return f"{rng.choice(['', '-'])}{whole}{point}"


@pytest.mark.django_db
def test_numbers_of_every_size(rng: random.Random) -> None:
    session = Session()
    session.run(
        f"CREATE TABLE t (id int PRIMARY KEY, g int, {', '.join(f'{c} {t}' for c, (t, _, _) in COLUMNS.items())})"
    )
    for function in FUNCTIONS:
        calls = [f"{function}({column}) AS {column}" for column in COLUMNS]
        calls += [
            f"{function}({e}) AS e{i}"
            for i, e in enumerate(["n3 * 2 - i4", "n9 / 3", "round(n9, 1)", "nullif(i4, 0) + 0.5"])
        ]
        sql = f"SELECT g, {', '.join(calls)} FROM t GROUP BY g"
        session.view(Block(0, (), "", "view", {"name": f"v_{function}"}, sql, ""))
    last = 0
    for _ in range(4):
        rows = []
        for _ in range(rng.randrange(1, 40)):
            last += 1
            group = rng.randrange(GROUPS)
            rows.append(f"({last}, {group}, {', '.join(number(rng, column, group) for column in COLUMNS)})")
        for statement in (
            f"INSERT INTO t VALUES {', '.join(rows)}",
            f"UPDATE t SET n9 = -n9, n3 = {rng.choice(['NULL', 'n3 / 7', 'i4'])}, "
            f"g = (g + {rng.randrange(3)}) % {GROUPS} WHERE id % 5 = 1",
            f"DELETE FROM t WHERE id % {rng.randrange(2, 6)} = 1",
        ):
            refreshes = oracle.full_refreshes()
            session.run(statement)
            oracle.check(session.installed, refreshes, truncated=False)
    assert sum(one.rows().total() for one in session.installed) > len(FUNCTIONS)
