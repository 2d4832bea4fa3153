"""Subqueries in expressions and LATERAL ones: EXISTS, IN, ANY, ALL, scalars; correlated and not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import froms
from .aggregates import draw_call
from .expressions import EXACT, INTEGERS, NUMBERS, ORDERED, Field, draw_condition, draw_scalar
from .trees import From, Item, Query, alike, listed, named, pairs

if TYPE_CHECKING:
    from .queries import Queries


def _inner(q: Queries, outer: list[Field], depth: int, percent: int = 65) -> tuple[From, str]:
    """A FROM clause and its text with WHERE, which mostly refers to the outer columns."""
    dice, on = q.dice, q.on
    if dice.chance(60):  # mostly plain ones, which meet their rows more often
        q.on -= {"lateral", "srf", "values", "limit"}
    came = froms.draw_from(q, max(0, depth - 1), most=2 if q.left > 1 and dice.chance(50) else 1)
    q.on = on
    where = []
    if outer and dice.chance(percent):
        where += _correlation(q, outer, came.fields)
    if dice.chance(35):
        where.append(draw_condition(dice, came.fields, 1))
    if depth > 1 and q.left > 0 and q.has("semi", 20):
        where.append(draw_predicate(q, came.fields, depth - 1))
    return came, came.tail(*where)


def _correlation(q: Queries, outer: list[Field], own: list[Field]) -> list[str]:
    dice = q.dice
    found = pairs(own, outer)
    if not found:
        return []
    conditions = []
    by_reference = _references(q, outer, own)
    if by_reference and dice.chance(45):
        conditions.append(dice.pick(by_reference))
        q.meet(*conditions[0].split(" = "))
    for _ in range(dice.weighted({1: 5, 2: 1}) if not conditions else dice.weighted({0: 4, 1: 1})):
        a, b = dice.pick(found)
        q.meet(a.sql, b.sql)
        shapes = [f"{a.sql} = {b.sql}"] * 8
        shapes += [
            f"{a.sql} < {b.sql}",
            f"{a.sql} <> {b.sql}",
            f"{a.sql} IS NOT DISTINCT FROM {b.sql}",
            f"({a.sql} = {b.sql} OR {a.sql} IS NULL)",
            f"({a.sql} = {b.sql} OR {draw_condition(dice, [*own, *outer], 0)})",
        ]
        if a.tag in ("int4", "int8") and b.tag in ("int2", "int4"):
            shapes += [f"{a.sql} = {b.sql} + 1", f"{a.sql} = coalesce({b.sql}, 0)"]
        conditions.append(dice.pick(shapes))
    return conditions


def _references(q: Queries, outer: list[Field], own: list[Field]) -> list[str]:
    """Equalities of a foreign key's column with the key that it refers to, one of them outside."""

    def items(fields: list[Field]) -> list[Item]:
        aliases = dict.fromkeys(f.sql.partition(".")[0] for f in fields)
        return [Item(alias, q.named[alias]) for alias in aliases if alias in q.named]

    sides = [(a, b) for a in items(outer) for b in items(own)]
    return [c for a, b in sides for pair in ((a, b), (b, a)) for c in froms.references(*pair)]


# Predicates


def draw_predicate(q: Queries, fields: list[Field], depth: int) -> str:
    """A condition with a subquery, alone or under NOT, OR, AND, IS TRUE, CASE."""
    dice = q.dice
    text = _predicate(q, fields, depth)
    around = dice.weighted({"": 9, "or": 4, "and": 1, "not": 2, "truth": 1, "two": 2, "case": 1})
    other = draw_condition(dice, fields, 1)
    if around == "two" and q.left > 0:
        other = _predicate(q, fields, depth)
        return dice.pick((f"({text} OR {other})", f"({text} AND {other})", f"({text} AND NOT ({other}))"))
    shapes = {
        "or": f"({text} OR {other})",
        "and": f"({other} AND {text})",
        "not": f"NOT ({text} OR {other})",
        "truth": f"({text}) IS {dice.pick(('NOT TRUE', 'TRUE', 'NOT FALSE', 'NULL'))}",
        "case": f"CASE WHEN {other} THEN {text} ELSE {dice.pick(('true', 'false', 'NULL'))} END",
    }
    return shapes.get(around, text)


def _predicate(q: Queries, fields: list[Field], depth: int) -> str:
    dice = q.dice
    kind = dice.weighted({"exists": 12, "in": 12, "any": 4, "all": 4, "row": 2, "values": 1})
    numbers = [f.sql for f in fields if f.tag in INTEGERS]
    if kind == "values" and not numbers:
        kind = "in"
    elif kind == "values":
        rows = "(1), (3), (NULL)" if dice.chance(25) else "(1), (2)"
        return f"{dice.pick(numbers)} {dice.pick(('IN', 'NOT IN'))} (VALUES {rows})"
    came, tail = _inner(q, fields, depth, 80 if kind == "exists" else 45)
    found = pairs(fields, came.fields)
    if kind == "exists" or not found:
        return f"{dice.pick(('', 'NOT '))}EXISTS ({_probe(q, came, tail)})"
    a, b = dice.pick(found)
    q.meet(a.sql, b.sql)
    x, y = a.sql, b.sql
    if a.tag in ("int4", "int8") and dice.chance(15):
        x = dice.pick((f"({x} + 1)", f"coalesce({x}, 1)"))
    group = ""
    if dice.chance(12):  # of groups, or of one aggregate
        group = f" GROUP BY {y}" + dice.pick((" HAVING count(*) > 1", ""))
    elif b.tag in ORDERED and dice.chance(10):
        y = f"max({y})"
    if kind == "row":
        c, d = dice.pick(found)
        return f"({x}, {c.sql}) {dice.pick(('IN', 'NOT IN'))} (SELECT {b.sql}, {d.sql}{tail})"
    if kind == "in":
        return f"{x} {dice.pick(('IN', 'NOT IN'))} (SELECT {y}{tail}{group})"
    operator = dice.pick(("=", "<>", "<", ">=", "<=", ">") if a.tag in ORDERED else ("=", "<>"))
    return f"{x} {operator} {kind.upper()} (SELECT {y}{tail}{group})"


def _probe(q: Queries, came: From, tail: str) -> str:
    """What EXISTS holds: rows, groups with HAVING, or the one row of an aggregate."""
    dice = q.dice
    exact = [f for f in came.fields if f.tag in EXACT]
    if exact and dice.chance(10):
        return f"SELECT 1{tail} GROUP BY {dice.pick(exact).sql} HAVING count(*) > 1"
    if dice.chance(4):
        return f"SELECT count(*){tail} HAVING count(*) > 1"
    return f"SELECT {dice.pick(('1', '*', dice.pick(came.fields).sql))}{tail}"


# Scalars


def draw_scalar_subquery(q: Queries, outer: list[Field], depth: int) -> Field:
    """A subquery of one value: an aggregate, the row of a key, the first row."""
    dice = q.dice
    kind = dice.weighted({"aggregate": 12, "key": 4, "first": 4, "count": 3, "array": 1})
    if kind == "count":
        counted = _counted(q, outer)
        if counted is not None:
            return counted
    if kind == "key":
        keyed = [s for s in q.sources if s.key and len(s.key) == 1]
        source = dice.pick(keyed) if keyed else None
        if source is not None:
            tag = next(f.tag for f in source.fields if f.sql == source.key[0])
            fitting = [f for f in outer if alike(f.tag, tag)]
            if fitting:
                alias = q.alias()
                q.left -= 1
                value = dice.pick(source.fields)
                where = f"{alias}.{source.key[0]} = {dice.pick(fitting).sql}"
                return Field(f"(SELECT {alias}.{value.sql} FROM {source.sql} {alias} WHERE {where})", value.tag)
    came, tail = _inner(q, outer, depth)
    if kind == "first" and came.keys:
        value = draw_scalar(dice, came.fields)
        return Field(f"(SELECT {value.sql}{tail}{_first(q, came)} LIMIT 1)", value.tag)
    exact = [f.sql for f in came.fields if f.tag in EXACT]
    if kind == "array" and exact:
        value = dice.pick(exact)
        return Field(f"ARRAY(SELECT {value}{tail} ORDER BY {value})", "carried")
    call = Field("count(*)", "int8") if dice.chance(25) else draw_call(q, came.fields, came.keys)
    text = f"(SELECT {call.sql}{tail})"
    if call.tag in INTEGERS and dice.chance(35):
        return Field(f"coalesce({text}, 0)", call.tag)
    return Field(text, call.tag)


def draw_comparison(q: Queries, fields: list[Field], depth: int, outer: list[Field] | None = None) -> str:
    """A comparison with a scalar subquery; `outer` are the columns that it may refer to (all, by default)."""
    dice = q.dice
    made = None
    if dice.chance(40):
        made = _threshold(q, [f for f in fields if f.tag in NUMBERS])
    made = made or draw_scalar_subquery(q, fields if outer is None else outer, depth)
    same = [f for f in fields if f.tag in ORDERED and (f.tag == made.tag or {f.tag, made.tag} <= set(NUMBERS))]
    if not same:
        return f"{made.sql} IS {dice.pick(('NULL', 'NOT NULL'))}"
    text = f"{dice.pick(same).sql} {dice.pick(('<', '>', '=', '>=', '<>', 'IS DISTINCT FROM'))} {made.sql}"
    return f"({text} OR {draw_condition(dice, fields, 0)})" if dice.chance(15) else text


def _threshold(q: Queries, numbers: list[Field]) -> Field | None:
    """One number of a whole table, to compare numbers with."""
    dice = q.dice
    source = dice.pick(q.sources)
    fitting = [f for f in source.fields if f.tag in (*INTEGERS, "fixed")]
    if not fitting or not numbers:
        return None
    alias, q.left = q.alias(), q.left - 1
    q.named[alias] = source
    call = f"{dice.pick(('avg', 'max', 'min', 'sum', 'count'))}({alias}.{dice.pick(fitting).sql})"
    where = f" WHERE {draw_condition(dice, [Field(f'{alias}.{f.sql}', f.tag) for f in source.fields], 0)}"
    return Field(f"(SELECT {call} FROM {source.sql} {alias}{where if dice.chance(30) else ''})", "loose")


def _counted(q: Queries, outer: list[Field]) -> Field | None:
    """How many rows of a table belong to the outer row."""
    dice = q.dice
    source, alias = dice.pick(q.sources), q.alias()
    found = pairs([Field(f"{alias}.{f.sql}", f.tag) for f in source.fields], outer)
    if not found:
        return None
    q.left, q.named[alias] = q.left - 1, source
    a, b = dice.pick(found)
    q.meet(a.sql, b.sql)
    return Field(f"(SELECT count(*) FROM {source.sql} {alias} WHERE {a.sql} = {b.sql})", "int8")


def _first(q: Queries, came: From) -> str:
    dice = q.dice
    sortable = [f.sql for f in came.fields if f.tag in (*EXACT, "float", "free")]
    order = [*dice.sample(sortable, dice.integer(0, 1)), *dice.sample(came.keys or [], 99)]
    ways = ("", " DESC", " NULLS FIRST", " DESC NULLS LAST")
    return f" ORDER BY {', '.join(o + dice.pick(ways) for o in order)}"


# LATERAL


def draw_rows_of(q: Queries, outer: list[Field], depth: int) -> Query:
    """What a LATERAL subquery holds."""
    dice = q.dice
    kind = dice.weighted({"aggregate": 5, "first": 4, "rows": 2, "groups": 2})
    came, tail = _inner(q, outer, depth, 90)
    fields = came.fields
    if kind == "first" and came.keys:
        known = {f.sql: f for f in fields}
        keys = [known[name] for name in came.keys]
        outputs = [*keys, *(draw_scalar(dice, [*fields, *outer]) for _ in range(dice.integer(1, 2)))]
        limit = dice.pick((" LIMIT 1", " LIMIT 1", " LIMIT 2", " LIMIT 3 OFFSET 1"))
        names = named(outputs)
        sql = f"SELECT {listed(outputs)}{tail}{_first(q, came)}{limit}"
        return Query(sql, tuple(names), tuple(f.sql for f in names[: len(keys)]))
    if kind == "rows":
        outputs = [draw_scalar(dice, [*fields, *outer]) for _ in range(dice.integer(1, 3))]
        return Query(f"SELECT {listed(outputs)}{tail}", tuple(named(outputs)))
    exact = [f for f in fields if f.tag in EXACT]
    keys = [dice.pick(exact)] if kind == "groups" and exact else []
    outputs = [*keys, *(draw_call(q, fields, came.keys) for _ in range(dice.integer(1, 3)))]
    by = f" GROUP BY {keys[0].sql}" if keys else ""
    names = named(outputs)
    return Query(f"SELECT {listed(outputs)}{tail}{by}", tuple(names), tuple(f.sql for f in names[: len(keys)]))
