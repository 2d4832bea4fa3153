"""Window functions whose values the query determines: total orders where rows are told apart, peers elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .expressions import EXACT, INTEGERS, NUMBERS, ORDERED, Field, draw_condition

if TYPE_CHECKING:
    from .queries import Queries

_WAYS = ("", " DESC", " NULLS FIRST", " DESC NULLS LAST")
_SUMS = {"int2": "int8", "int4": "int8", "int8": "fixed", "fixed": "fixed", "float": "float"}


def draw_windows(q: Queries, fields: list[Field], total: list[str] | None) -> tuple[list[Field], str]:
    """1–3 calls and the WINDOW clause; `total` are columns that no two rows agree in, if any are known."""
    dice = q.dice
    calls, clause = [], ""
    partition = _partition(q, fields)
    name = dice.chance(25)
    if name:
        clause = f" WINDOW w AS ({partition})"
    for _ in range(dice.weighted({1: 5, 2: 3, 3: 1})):
        if dice.chance(40):  # several PARTITION BYs in one level
            partition, name = _partition(q, fields), False
        calls.append(_call(q, fields, total, "w" if name else partition))
    if " OVER (w" not in " ".join(c.sql for c in calls):
        clause = ""
    return calls, clause


def _partition(q: Queries, fields: list[Field]) -> str:
    exact = [f.sql for f in fields if f.tag in EXACT]
    count = q.dice.weighted({0: 2, 1: 6, 2: 2})
    by = q.dice.sample(exact, count)
    return f"PARTITION BY {', '.join(by)}" if by else ""


def _call(q: Queries, fields: list[Field], total: list[str] | None, start: str) -> Field:
    dice = q.dice
    sortable = [f for f in fields if f.tag in ORDERED]
    some = dice.sample(sortable, dice.integer(1, 2))
    peers = ", ".join(f.sql + dice.pick(_WAYS) for f in some)
    kinds = {"whole": 3}
    if peers:
        kinds |= {"rank": 4, "running": 3}
    if total:
        kinds |= {"number": 4, "shift": 4, "rows": 4}
    kind = dice.weighted(kinds)
    if kind in ("number", "shift", "rows"):
        own = [peers] if peers and dice.chance(60) else []
        # An item that stands there already decides nothing more, and is allowed.
        order = ", ".join([*own, *(t + dice.pick(_WAYS) for t in dice.sample(total or [], 99))])
    else:
        order = peers if kind != "whole" else ""

    def over(frame: str = "") -> str:
        parts = [start, f"ORDER BY {order}" if order else "", frame]
        return f"OVER ({' '.join(p for p in parts if p)})"

    if kind == "rank":
        function, tag = dice.pick((("rank()", "int8"), ("dense_rank()", "int8"), ("cume_dist()", "carried")))
        return Field(f"{function} {over()}", tag)
    if kind == "number":
        function, tag = dice.pick((("row_number()", "int8"), ("row_number()", "int8"), ("ntile(2)", "int4")))
        return Field(f"{function} {over()}", tag)
    if kind == "shift":
        field = dice.pick(fields)
        shape = dice.pick(
            ("lag({})", "lead({})", "lag({}, 2)", "first_value({})", "last_value({})", "nth_value({}, 2)")
        )
        return Field(f"{shape.format(field.sql)} {over()}", field.tag)
    call, tag = _aggregate(q, fields)
    return Field(f"{call} {over(_frame(q, kind, some))}", tag)


def _aggregate(q: Queries, fields: list[Field]) -> tuple[str, str]:
    dice = q.dice
    choices = [("count(*)", "int8")]
    for f in dice.sample(fields, 4):
        choices.append((f"count({f.sql})", "int8"))
        if f.tag in NUMBERS:
            choices += [(f"sum({f.sql})", _SUMS.get(f.tag, "loose")), (f"avg({f.sql})", "loose")]
        if f.tag in ORDERED:
            choices.append((f"{dice.pick(('min', 'max'))}({f.sql})", f.tag))
    call, tag = dice.pick(choices)
    plain = [f for f in fields if "(" not in f.sql]
    if plain and dice.chance(12):
        call += f" FILTER (WHERE {draw_condition(dice, plain, 0)})"
    return call, tag


def _frame(q: Queries, kind: str, order: list[Field]) -> str:
    dice = q.dice
    if kind == "running":
        shapes = ["", "", "RANGE UNBOUNDED PRECEDING", "GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW"]
        if len(order) == 1 and order[0].tag in INTEGERS:
            shapes.append("RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING")
        return dice.pick(shapes)
    if kind == "rows":
        begin = dice.pick(("UNBOUNDED PRECEDING", "1 PRECEDING", "CURRENT ROW"))
        end = dice.pick(("CURRENT ROW", "1 FOLLOWING", "UNBOUNDED FOLLOWING"))
        return f"ROWS BETWEEN {begin} AND {end}" + dice.pick(("", "", "", " EXCLUDE CURRENT ROW"))
    return ""
