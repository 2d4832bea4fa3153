"""UNION, INTERSECT and EXCEPT, with and without ALL, nested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import froms
from .expressions import INTEGERS, Field, draw_condition
from .trees import COMPARED, Query, listed, named, output_name

if TYPE_CHECKING:
    from .queries import Queries

_TYPES = {
    "stamp": "timestamp", "zoned": "timestamptz", "enum": "mood", "float": "float8", "free": "numeric",
    "loose": "numeric", "fixed": "numeric", "jsonb": "jsonb", "array": "int4[]",
}  # fmt: skip


def draw_set(q: Queries, depth: int) -> Query:
    """2–4 branches with columns of the same types, combined from left to right or in parentheses."""
    dice = q.dice
    words = {"UNION ALL": 3, "UNION": 2}
    if "setop" in q.on:
        words |= {"INTERSECT": 2, "INTERSECT ALL": 2, "EXCEPT": 3, "EXCEPT ALL": 3}
    if dice.weighted(words) == "UNION ALL" and dice.chance(60):
        first, words = q.select(0), {"UNION ALL": 1}
        if first.sql.startswith("SELECT DISTINCT ON"):  # and ends in ORDER BY
            first = Query(f"({first.sql})", first.fields, first.key)
    else:
        first = _compared(q, depth)
        if not {f.tag for f in first.fields} <= set(COMPARED):
            words = {"UNION ALL": 1}
    wanted = [f.tag for f in first.fields]
    tags, last, sql = list(wanted), "", first.sql
    for _ in range(dice.weighted({1: 5, 2: 3, 3: 1})):
        word = dice.weighted(words)
        branch = _branch(q, wanted, depth)
        tags = [_common(a, b.tag) for a, b in zip(tags, branch.fields, strict=True)]
        right = branch.sql
        if dice.chance(15):  # a pair in parentheses
            more = _branch(q, wanted, 0)
            tags = [_common(a, b.tag) for a, b in zip(tags, more.fields, strict=True)]
            right = f"({right} {dice.weighted(words)} {more.sql})"
        # INTERSECT binds tighter than the others.
        changes = last.removesuffix(" ALL") != word.removesuffix(" ALL")
        left = f"({sql})" if last and (changes or dice.chance(15)) else sql
        swapped = word.startswith("UNION") and dice.chance(15)
        sql = f"({right}) {word} ({left})" if swapped else f"{left} {word} {right}"
        last = word
    # The first branch written names the columns; all branches name theirs alike
    shown = tuple(Field(output_name(i), tag) for i, tag in enumerate(tags))
    unique = last in ("UNION", "INTERSECT", "EXCEPT")
    return Query(sql, shown, tuple(f.sql for f in shown) if unique else None)


def _compared(q: Queries, depth: int) -> Query:
    """A branch of columns whose rows can be compared."""
    dice = q.dice
    came = froms.draw_from(q, depth, most=2)
    usable = [f for f in came.fields if f.tag in COMPARED]
    outputs = dice.sample(usable, dice.integer(1, 3)) or came.fields[:1]
    where = [draw_condition(dice, came.fields)] if dice.chance(40) else []
    return Query(f"SELECT {listed(outputs)}{came.tail(*where)}", tuple(named(outputs)))


def _branch(q: Queries, wanted: list[str], depth: int) -> Query:
    dice = q.dice
    came = froms.draw_from(q, depth if q.left > 0 else 0, most=2 if q.left > 0 else 1)
    fields = came.fields
    outputs = []
    for tag in wanted:
        fitting = [f for f in fields if f.tag == tag or (tag in INTEGERS and f.tag in INTEGERS)]
        null = f"NULL::{_TYPES.get(tag, tag)}" if tag != "carried" else "NULL"
        outputs.append(dice.pick(fitting) if fitting and dice.chance(92) else Field(null, tag))
    where = [draw_condition(dice, fields)] if dice.chance(30) else []
    group = ""
    if dice.chance(10) and not any(o.sql.startswith("NULL") for o in outputs):
        group = f" GROUP BY {', '.join(o.sql for o in outputs)}"
        if any(o.tag not in COMPARED for o in outputs):
            group = ""
    return Query(f"SELECT {listed(outputs)}{came.tail(*where)}{group}", tuple(named(outputs)))


def _common(a: str, b: str) -> str:
    """The tag of a set operation's column; two numerics may have two scales."""
    if a in INTEGERS and b in INTEGERS:
        return max(a, b)
    return "loose" if a in ("fixed", "free", "loose") else a
