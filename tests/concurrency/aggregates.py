"""Groups that are computed anew, representatives of keys, distinct values, grouping sets: what two writers may do to them."""

from __future__ import annotations

from .scenarios import Scenario

TABLE = "CREATE TABLE mark (id int PRIMARY KEY, g numeric, x int, t text); CREATE INDEX ON mark (g);"
ROWS = """
INSERT INTO mark VALUES (1, 1.0, 5, 'a'), (2, 1.00, 5, 'b'), (3, 1.000, 6, 'c'), (4, 2, 7, 'd'), (5, NULL, 8, 'e');
"""
SPELLINGS = {
    "shown": "SELECT g, count(*) AS n FROM mark GROUP BY g",
    "once": "SELECT DISTINCT g FROM mark WHERE x > 4",
    "above": "SELECT n, max(g) AS most FROM (SELECT g, count(*) AS n FROM mark GROUP BY g) q GROUP BY n",
}
COLLECTED = {
    "listed": "SELECT x > 5 AS high, string_agg(t, ',' ORDER BY id) AS ts, bit_xor(x) AS b FROM mark GROUP BY x > 5",
    "middle": "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY x) AS p, array_agg(DISTINCT x) AS xs FROM mark",
}
DISTINCT = {
    "values_": "SELECT t < 'd' AS low, count(DISTINCT x) AS n, sum(DISTINCT x) AS s, max(x) AS m FROM mark GROUP BY t < 'd'",
    "whole": "SELECT count(DISTINCT x) AS n, avg(DISTINCT x) AS a FROM mark",
}
ROLLED = {
    "rolled": "SELECT x, t, count(*) AS n, sum(id) AS s, grouping(x, t) AS g FROM mark GROUP BY ROLLUP (x, t)",
    "cubed": "SELECT x, max(t) AS m FROM mark GROUP BY CUBE (x, t) HAVING count(*) > 1",
}


def _delete(*ids: int) -> str:
    return f"DELETE FROM mark WHERE id IN ({', '.join(map(str, ids))})"


def _pairs() -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return [
        ("two of three go", (_delete(1),), (_delete(2),)),
        ("two go, then none is left but one", (_delete(1, 4),), (_delete(2),)),
        ("one goes, the other is written anew", (_delete(1, 3),), ("UPDATE mark SET g = 1.0000, t = 'z' WHERE id = 2",)),
        ("all go", (_delete(1, 3),), (_delete(2),)),
        ("a group dies, comes again", (_delete(4),), ("INSERT INTO mark VALUES (9, 2.0, 7, 'n')",)),
        ("rows exchange groups", ("UPDATE mark SET g = 2, x = 7 WHERE id < 4",), ("UPDATE mark SET g = 1, x = 5 WHERE id = 4",)),
        ("the last of a value goes, its like comes", (_delete(3),), ("INSERT INTO mark VALUES (9, 3, 6, 'n')",)),
        ("a value is born twice", ("INSERT INTO mark VALUES (8, 5, 99, 'x')",), ("INSERT INTO mark VALUES (9, 5, 99, 'y')",)),
        ("NULL comes and goes", (_delete(5),), ("UPDATE mark SET g = NULL, x = NULL, t = NULL WHERE id = 4",)),
    ]  # fmt: skip


def _spellings() -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Rows only go, so that whatever is left PostgreSQL shows the first of it in the table's order, as a look-up does."""
    return [
        ("two of three go", (_delete(1),), (_delete(2),)),
        ("two go, and the first again", (_delete(1, 2),), (_delete(4),)),
        ("all go", (_delete(1, 3),), (_delete(2),)),
        ("NULL goes, so does the first", (_delete(5, 1),), (_delete(2, 4),)),
    ]


AGGREGATES = [
    Scenario(f"{kind}: {label}", ROWS, views, (one, two), TABLE)
    for kind, views, pairs in (
        ("spellings", SPELLINGS, _spellings()),
        ("collected", COLLECTED, _pairs()),
        ("distinct", DISTINCT, _pairs()),
        ("rolled", ROLLED, _pairs()),
    )
    for label, one, two in pairs
]
