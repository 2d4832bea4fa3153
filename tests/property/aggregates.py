"""Aggregate calls that don't add up: ordered ones, ordered-set ones, DISTINCT ones, bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .expressions import EXACT, INTEGERS, Field, draw_aggregate, draw_condition

if TYPE_CHECKING:
    from .queries import Queries

# The text of such a value depends on no setting.
_TEXTUAL = (*INTEGERS, "fixed", "text", "uuid", "enum")
_SORTED = (*INTEGERS, "fixed", "text", "date", "stamp", "enum")


def draw_call(q: Queries, fields: list[Field], total: list[str] | None) -> Field:
    """An aggregate call; `total` are columns that no two rows agree in, if any are known."""
    if not q.has("ordered", 65):
        return draw_aggregate(q.dice, fields)
    return _ordered(q, fields, total) or draw_aggregate(q.dice, fields)


def draw_distinct_calls(q: Queries, fields: list[Field]) -> list[Field]:
    """Calls over the distinct values of one argument; none when no column is fit."""
    dice = q.dice
    fitting = [f for f in fields if f.tag in EXACT]
    if not fitting:
        return []
    field = dice.pick(fitting)
    where = f" FILTER (WHERE {draw_condition(dice, fields, 1)})" if dice.chance(20) else ""
    calls = [Field(f"count(DISTINCT {field.sql}){where}", "int8")]
    if field.tag in (*INTEGERS, "fixed") and dice.chance(60):
        total = "int8" if field.tag in ("int2", "int4") else "fixed"
        calls.append(Field(f"sum(DISTINCT {field.sql}){where}", total))
    if field.tag in _SORTED and dice.chance(40):
        calls.append(Field(f"{dice.pick(('min', 'max'))}({field.sql}){where}", field.tag))
    return calls


def _ordered(q: Queries, fields: list[Field], total: list[str] | None) -> Field | None:
    dice = q.dice
    kind = dice.weighted({"string": 4, "array": 3, "json": 3, "percentile": 2, "mode": 2, "bits": 2, "distinct": 3})
    tags = {
        "string": _TEXTUAL, "array": EXACT, "json": (*INTEGERS, "text", "fixed"), "percentile": (*_SORTED, "float"),
        "mode": EXACT, "bits": INTEGERS, "distinct": EXACT,
    }  # fmt: skip
    fitting = [f for f in fields if f.tag in tags[kind]]
    if not fitting:
        return None
    field = dice.pick(fitting)
    x, tag = field.sql, field.tag
    where = f" FILTER (WHERE {draw_condition(dice, fields, 1)})" if dice.chance(15) else ""
    if kind == "bits":
        return Field(f"{dice.pick(('bit_and', 'bit_or', 'bit_xor'))}({x}){where}", tag)
    if kind == "mode":
        return Field(f"mode() WITHIN GROUP (ORDER BY {x}{dice.pick(('', ' DESC'))}){where}", tag)
    if kind == "percentile":
        share = dice.pick(("0", "0.25", "0.5", "1"))
        way = dice.pick(("", " DESC"))
        if tag in (*INTEGERS, "float") and dice.chance(60):
            return Field(f"percentile_cont({share}) WITHIN GROUP (ORDER BY {x}{way}){where}", "carried")
        return Field(f"percentile_disc({share}) WITHIN GROUP (ORDER BY {x}{way}){where}", tag)
    if kind == "distinct":
        choices = [("count", "int8")]
        if tag in INTEGERS:
            choices += [("sum", "fixed" if tag == "int8" else "int8"), ("avg", "loose")]
        if tag == "fixed":
            choices += [("sum", "fixed"), ("avg", "loose")]
        function, result = dice.pick(choices)
        return Field(f"{function}(DISTINCT {x}){where}", result)
    # The order is total, or it is the value itself, of which equal ones look alike.
    value = f"{x}::text" if kind == "string" and tag != "text" else x
    by_itself = not total or dice.chance(50)
    order = f"{value}{dice.pick(('', ' DESC', ' NULLS FIRST'))}" if by_itself else ", ".join(dice.sample(total, 99))
    distinct = "DISTINCT " if by_itself and dice.chance(35) else ""
    if kind == "string":
        return Field(f"string_agg({distinct}{value}, ',' ORDER BY {order}){where}", "text")
    if kind == "array":
        return Field(f"array_agg({distinct}{value} ORDER BY {order}){where}", "carried")
    return Field(f"jsonb_agg({distinct}{value} ORDER BY {order}){where}", "carried")
