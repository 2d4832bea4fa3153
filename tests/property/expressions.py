"""Random expressions over typed columns: only deterministic, immutable ones that never raise on the pools' values.

Tags tell what a value is good for: `fixed` is a numeric of known scale, `free` an unconstrained numeric column (no two
equal values look different), `loose` a computed numeric whose scale varies (equal values may look different),
`carried` a type that is only handed on.
"""

from __future__ import annotations

from dataclasses import dataclass

from .dice import Dice

INTEGERS = ("int2", "int4", "int8")
NUMBERS = (*INTEGERS, "fixed", "free", "loose")
# Equal values look alike: fit for keys, DISTINCT and orders.
EXACT = (*INTEGERS, "fixed", "text", "bool", "date", "stamp", "zoned", "uuid", "enum")
ORDERED = (*INTEGERS, "fixed", "free", "text", "date", "stamp", "zoned", "float", "enum")
COMPARABLE = (*ORDERED, "loose", "bool", "uuid")

_CONSTANTS = {
    "int2": ("0", "1", "2"), "int4": ("0", "1", "3"), "int8": ("0", "2", "7"), "fixed": ("0", "1.25", "2.5"),
    "free": ("0", "2.25", "3"), "loose": ("0", "1", "2.2"), "text": ("'a'", "''", "'b'", "'zz'"),
    "bool": ("true", "false"),
    "date": ("DATE '2024-02-29'", "DATE '2024-03-01'"), "stamp": ("TIMESTAMP '2024-03-01 12:00'",),
    "zoned": ("'2024-02-29 12:00+02'::timestamptz",), "float": ("0::float8", "0.5::float8"),
    "uuid": ("'00000000-0000-0000-0000-000000000001'::uuid",), "enum": ("'ok'", "'sad'"),
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """A column or an expression: its SQL (a name, for an output) and its tag."""

    sql: str
    tag: str


def draw_scalar(dice: Dice, fields: list[Field], depth: int = 2) -> Field:
    """A column, or an expression of columns."""
    field = dice.pick(fields)
    if depth == 0 or dice.chance(60):
        return field
    if dice.chance(20):
        return _conditional(dice, fields, depth)
    if field.tag in NUMBERS:
        return _number(dice, field, fields)
    if field.tag == "text":
        shapes = (
            f"({field.sql} || 'x')",
            f"upper({field.sql})",
            f"coalesce({field.sql}, '-')",
            f"substr({field.sql}, 1, 1)",
        )
        return dice.pick((*(Field(s, "text") for s in shapes), Field(f"length({field.sql})", "int4")))
    if field.tag == "date":
        shape = dice.pick(("coalesce({}, DATE '2024-03-01')", "({} + 1)"))
        return Field(shape.format(field.sql), "date")
    if field.tag == "zoned":
        return Field(f"({field.sql} AT TIME ZONE 'UTC')", "stamp")
    if field.tag == "stamp":
        return Field(f"date_trunc('day', {field.sql})", "stamp")
    if field.tag == "float":
        return Field(dice.pick((f"({field.sql} * 0.5)", f"({field.sql} + 1)", f"coalesce({field.sql}, 0)")), "float")
    if field.tag == "bool":
        return Field(
            dice.pick((f"(NOT {field.sql})", f"({field.sql} IS TRUE)", f"coalesce({field.sql}, false)")), "bool"
        )
    return field


def _number(dice: Dice, field: Field, fields: list[Field]) -> Field:
    x = field.sql
    other = dice.pick([f for f in fields if f.tag in NUMBERS])
    if field.tag in INTEGERS:
        if other.tag in INTEGERS and dice.chance(35):
            if dice.chance(40):  # as numeric: products of the rare large values would not fit an int8
                return Field(f"({x}::numeric {dice.pick('+-*')} {other.sql})", "fixed")
            return Field(f"({x}::int8 {dice.pick('+-')} {other.sql})", "int8")
        if dice.chance(15):
            return Field(f"{x}::text", "text")
        if dice.chance(10):
            return Field(f"{x}::numeric(30,1)", "fixed")
        return Field(
            dice.pick((f"({x} % 3)", f"coalesce({x}, 0)", f"nullif({x}, 2)", f"abs({x})", f"(- {x})")), field.tag
        )
    if field.tag == "fixed":
        if other.tag in (*INTEGERS, "fixed") and dice.chance(40):
            return Field(f"({x} {dice.pick('+-*')} {other.sql})", "fixed")
        shapes = (f"({x} * 2)", f"({x} + 1.5)", f"round({x}, 1)", f"abs({x})", f"(- {x})", f"trunc({x}, 1)")
        return dice.pick(
            (*(Field(s, "fixed") for s in shapes), Field(f"({x} / 4)", "loose"), Field(f"coalesce({x}, 0)", "loose"))
        )
    return Field(dice.pick((f"({x} * 2)", f"({x} + 0.5)", f"coalesce({x}, 0)", f"({x} / 4)")), "loose")


def _conditional(dice: Dice, fields: list[Field], depth: int) -> Field:
    then = draw_scalar(dice, fields, depth - 1)
    same = [f for f in fields if f.tag == then.tag]
    otherwise = dice.pick(same).sql if same and dice.chance(70) else "NULL"
    # Branches of two scales make a numeric whose scale varies.
    tag = "loose" if then.tag in ("fixed", "free") and otherwise != "NULL" else then.tag
    return Field(f"CASE WHEN {draw_condition(dice, fields, 1)} THEN {then.sql} ELSE {otherwise} END", tag)


def draw_condition(dice: Dice, fields: list[Field], depth: int = 2) -> str:
    """A boolean expression: two- and three-valued tests, comparisons, AND/OR/NOT."""
    if depth and dice.chance(30):
        left, right = draw_condition(dice, fields, depth - 1), draw_condition(dice, fields, depth - 1)
        return dice.pick((f"({left} AND {right})", f"({left} OR {right})", f"(NOT {left})"))
    usable = [f for f in fields if f.tag in COMPARABLE]
    if not usable or dice.chance(12):
        return f"{dice.pick(fields).sql} IS {dice.pick(('', 'NOT '))}NULL"
    field = dice.pick(usable)
    constants = _CONSTANTS[field.tag]
    if field.tag == "bool":
        return dice.pick((field.sql, f"{field.sql} IS NOT TRUE", f"{field.sql} = true"))
    x, c = field.sql, dice.pick(constants)
    same = [f.sql for f in usable if f.tag == field.tag and f is not field]
    if same and dice.chance(25):
        return f"{x} {dice.pick(('=', '<', '<>', 'IS DISTINCT FROM', '>='))} {dice.pick(same)}"
    if field.tag == "uuid":
        return f"{x} {dice.pick(('=', '<>', 'IS NOT DISTINCT FROM'))} {c}"
    shapes = [f"{x} {op} {c}" for op in ("=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM")]
    shapes += [f"{x} BETWEEN {min(constants)} AND {max(constants)}", f"{x} IN ({', '.join(constants)})"]
    if field.tag == "text":
        shapes += [f"{x} LIKE 'a%'", f"length({x}) > 1", f"{x} || 'b' <> 'ab'"]
    return dice.pick(shapes)


def draw_aggregate(dice: Dice, fields: list[Field]) -> Field:
    """Any aggregate that is kept, over any expression that it takes; FILTER and DISTINCT included."""
    if dice.chance(20):
        return Field(f"count(*){_filter(dice, fields)}", "int8")
    argument = draw_scalar(dice, fields) if dice.chance(60) else dice.pick(fields)
    x, tag = argument.sql, argument.tag
    choices: list[tuple[str, str]] = [("count", "int8")]
    if tag in NUMBERS:
        total = {"int2": "int8", "int4": "int8", "int8": "fixed", "fixed": "fixed"}.get(tag, "loose")
        choices += [("sum", total)] * 3 + [("avg", "loose")] * 2
        spreads = ("variance", "var_samp", "var_pop", "stddev", "stddev_samp", "stddev_pop")
        choices += [(dice.pick(spreads), "loose")]
    if tag == "float":
        choices += [("sum", "float"), ("avg", "float")]
    if tag in ORDERED:
        choices += [("min", tag), ("max", tag)] * 2
    if tag == "bool":
        choices += [("bool_and", "bool"), ("bool_or", "bool"), ("every", "bool")]
    function, result = dice.pick(choices)
    distinct = "DISTINCT " if tag in EXACT and dice.chance(8) else ""
    return Field(f"{function}({distinct}{x}){_filter(dice, fields)}", result)


def _filter(dice: Dice, fields: list[Field]) -> str:
    return f" FILTER (WHERE {draw_condition(dice, fields, 1)})" if dice.chance(18) else ""


def over_aggregates(dice: Dice, calls: list[Field]) -> Field:
    """An expression over aggregate calls and keys that are there."""
    numbers = [c for c in calls if c.tag in NUMBERS]
    if not numbers:
        return dice.pick(calls)
    x, other = dice.pick(numbers), dice.pick(numbers)
    shapes = [
        Field(f"coalesce({x.sql}, 0)", x.tag if x.tag in INTEGERS else "loose"),
        Field(f"round(({x.sql})::numeric, 2)", "fixed"),
        Field(f"({x.sql}) / nullif(count(*), 0)::numeric", "loose"),
        Field(f"CASE WHEN count(*) > 2 THEN {x.sql} ELSE {other.sql} END", "loose"),
        Field(f"({x.sql})::numeric + ({other.sql})::numeric", "loose"),
        Field(f"({x.sql} > {other.sql})", "bool"),
        Field(f"({x.sql} IS NULL)", "bool"),
    ]
    return dice.pick(shapes)
