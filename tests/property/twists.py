"""Queries that are refreshed in full: a drawn query, or a table, with one construct that has no rule."""

from __future__ import annotations

from .dice import Dice
from .queries import Source
from .script import View

# The construct over a view or table `x` with columns {a} and {b}, and another relation `y` with column {c}. What is
# volatile has no rule, whatever it comes to: here it is always true.
_TWISTS = (
    "SELECT {a} AS p, {c} AS q FROM {x} LEFT JOIN {y} ON {a}::text = {c}::text WHERE random() < 2",
    "SELECT {a} AS p, rank() OVER (ORDER BY {a}::text, {b}::text) AS q FROM {x} WHERE random() >= 0",
    "SELECT {a} AS p FROM {x} WHERE EXISTS (SELECT 1 FROM {y} WHERE {c} IS NULL AND random() < 2)",
    "SELECT {a} AS p, (SELECT count(*) FROM {y} WHERE random() < 2) AS q FROM {x}",
    "SELECT string_agg({a}::text, ',' ORDER BY {a}::text) AS p FROM {x} HAVING random() < 2",
    "SELECT {a}::text AS p FROM {x} INTERSECT SELECT {c}::text FROM {y} WHERE clock_timestamp() IS NOT NULL",
    "SELECT {a}::text AS p FROM {x} WHERE random() < 2 EXCEPT SELECT {c}::text FROM {y}",
    "SELECT {a}::text AS p, count(*) AS q FROM {x} GROUP BY ROLLUP ({a}::text) HAVING clock_timestamp() IS NOT NULL",
)


def draw_twist(dice: Dice, name: str, sources: list[Source]) -> View:
    """A view that can't be kept incrementally so far."""
    x, y = dice.pick(sources), dice.pick(sources)
    a, b = f"x.{dice.pick(x.fields).sql}", f"x.{dice.pick(x.fields).sql}"
    c = f"y.{dice.pick(y.fields).sql}"
    sql = dice.pick(_TWISTS).format(x=f"{x.sql} x", y=f"{y.sql} y", a=a, b=b, c=c)
    return View(name, sql)
