"""FROM clauses: joins of every kind, derived tables, LATERAL items, functions that return sets, VALUES."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import subqueries
from .expressions import EXACT, INTEGERS, Field, draw_condition
from .trees import JOINABLE, From, Item, Source, pairs

if TYPE_CHECKING:
    from .queries import Queries


def draw_from(q: Queries, depth: int, most: int = 4) -> From:
    """Up to `most` items, fewer when few are left to the query."""
    dice = q.dice
    count = min(dice.weighted({1: 40, 2: 38, 3: 16, 4: 6}), most, 2 if q.wide else 4)
    if "outer" in q.on and count == 1 and dice.chance(70):
        count = min(2, most)
    came: From | None = None
    commas, loose = False, q.wide
    for _ in range(count):
        if came is None:
            text, item = _item(q, depth)
            came = From(text, [item])
            continue
        if q.left <= 0:
            break
        if q.has("lateral", 60):
            _lateral(q, came, depth, commas)
        elif q.has("srf", 50):
            _function(q, came, commas)
        elif not commas and q.has("outer", 75):
            loose = _outer(q, came, depth, loose) or loose
        else:
            commas, now_loose = _inner(q, came, depth, commas, loose)
            loose = loose or now_loose
    assert came is not None
    if len(came.items) == 1 and q.left > 0:  # a feature wants a second item
        if q.has("lateral", 60):
            _lateral(q, came, depth, False)
        elif q.has("srf", 50):
            _function(q, came, False)
    return came


# Joins


def _inner(q: Queries, came: From, depth: int, commas: bool, loose: bool) -> tuple[bool, bool]:
    """Adds an inner join. Gives whether commas stand there now, and whether the join is loose."""
    dice = q.dice
    text, item = _item(q, depth)
    shared = [f.sql for f in item.source.fields if _shareable(f, came.items)]
    # A comma binds less than JOIN, whose conditions then don't see what stands before it.
    if shared and not commas and dice.chance(35):
        name = dice.pick(shared)
        came.text += f" JOIN {text} USING ({name})"
        came.items.append(item)
        return commas, False
    condition, is_loose = join_condition(q, came.items, [item], not loose)
    if not commas and dice.chance(50):
        came.text += f" JOIN {text} ON {condition}"
    elif commas or dice.chance(70):
        came.text, commas = f"{came.text}, {text}", True
        came.where.append(condition)
    else:
        came.text += f" CROSS JOIN {text}"
        came.where.append(condition)
    came.items.append(item)
    return commas, is_loose


def _outer(q: Queries, came: From, depth: int, loose: bool) -> bool:
    """Adds a LEFT, RIGHT or FULL join, of one relation or of a join in parentheses; whether it is loose."""
    dice = q.dice
    kind = dice.weighted({"LEFT": 6, "RIGHT": 2, "FULL": 3})
    text, item = _item(q, depth)
    items = [item]
    if q.left > 0 and dice.chance(20):
        more, second = _item(q, depth)
        inner = dice.weighted({"JOIN": 2, "LEFT JOIN": 2, "FULL JOIN": 1})
        condition, _ = join_condition(q, items, [second], False)
        text = f"({text} {inner} {more} ON {condition})"
        items.append(second)
    shared = [f.sql for f in item.source.fields if _shareable(f, came.items)] if len(items) == 1 else []
    if shared and dice.chance(30):
        name = dice.pick(shared)
        came.text += f" {kind} JOIN {text} USING ({name})"
        tag = next(f.tag for f in item.source.fields if f.sql == name)
        holders = sum(f.sql == name for i in [*came.items, item] for f in i.source.fields)
        if holders == 2 and tag not in ("fixed", "free"):
            came.merged.append(Field(name, tag))
        came.items += items
        return False
    condition, is_loose = join_condition(q, came.items, items, not loose and kind != "FULL")
    fields = [f for i in [*came.items, *items] for f in i.columns()]
    if dice.chance(25):
        condition += f" AND {draw_condition(dice, fields, 1)}"
    if kind != "FULL" and q.left > 0 and q.has("semi", 8):
        condition += f" AND {subqueries.draw_predicate(q, fields, 0)}"
    came.text += f" {kind} JOIN {text} ON {condition}"
    came.items += items
    came.merged = []  # of a name that may be ambiguous now
    return is_loose


def _shareable(own: Field, items: list[Item]) -> bool:
    same = [f for item in items for f in item.source.fields if f.sql == own.sql]
    return len(same) == 1 and same[0].tag == own.tag and own.tag in JOINABLE


def join_condition(q: Queries, items: list[Item], new: list[Item], allow_loose: bool) -> tuple[str, bool]:
    """How new items join the ones before: by reference, by equality of like columns, loosely."""
    dice = q.dice
    if allow_loose and dice.chance(8):
        return "true", True
    by_reference = [c for a in items for b in new for pair in ((a, b), (b, a)) for c in references(*pair)]
    columns = ([f for item in side for f in item.columns()] for side in (items, new))
    found = [(a.sql, b.sql) for a, b in pairs(*columns)]
    equal = [f"{a} = {b}" for a, b in found]
    less = [f"{a} < {b}" for a, b in found]
    if by_reference and dice.chance(55):
        condition = dice.pick(by_reference)
    elif allow_loose and less and dice.chance(10):
        return dice.pick(less), True
    elif equal:
        condition = dice.pick(equal)
        if dice.chance(5):
            condition = condition.replace(" = ", " IS NOT DISTINCT FROM ")
    else:
        return ("true", True) if allow_loose else ("false", False)
    if " = " in condition:
        q.meet(*condition.split(" = "))
    extra = dice.pick(less) if less and dice.chance(10) else ""
    return condition + (f" AND {extra}" if extra else ""), False


def references(left: Item, right: Item) -> list[str]:
    """Equalities of a foreign key's column with the key that it refers to."""
    found = []
    for column, parent in left.source.references:
        if right.source.sql == parent and right.source.key:
            found.append(f"{left.column(column)} = {right.column(right.source.key[0])}")
    return found


# Items


def _item(q: Queries, depth: int) -> tuple[str, Item]:
    text, item = _drawn_item(q, depth)
    q.named[item.alias] = item.source
    return text, item


def _drawn_item(q: Queries, depth: int) -> tuple[str, Item]:
    dice, alias = q.dice, q.alias()
    q.left -= 1
    if q.ctes and dice.chance(60):
        name, source = dice.pick(q.ctes)
        return f"{name} AS {alias}", Item(alias, source)
    if q.has("values", 35):
        return _values(q, alias)
    if depth and q.left > 0 and (dice.chance(15 + 10 * depth) or q.has("window", 35)):
        inner = q.select(depth - 1, keyed="limit" in q.on and dice.chance(50))
        if q.has("limit", 85):
            inner = q.limited(inner)
        return f"({inner.sql}) AS {alias}", Item(alias, Source("", inner.fields, inner.key))
    source = dice.pick(q.sources)
    if q.has("window", 25) and source.key:
        return _numbered(q, alias, source)
    return f"{source.sql} {alias}", Item(alias, source)


def _numbered(q: Queries, alias: str, source: Source) -> tuple[str, Item]:
    """The rows of a table with their numbers in a partition: what "the first few of each" is taken from."""
    dice = q.dice
    exact = [f.sql for f in source.fields if f.tag in EXACT and f.sql not in (source.key or ())]
    by = f"PARTITION BY x.{dice.pick(exact)} " if exact else ""
    order = [f"x.{name}" for name in (*dice.sample(exact, 1), *(source.key or ()))]
    number = f"row_number() OVER ({by}ORDER BY {', '.join(order)})"
    fields = (*source.fields, Field("rn", "int8"))
    return f"(SELECT x.*, {number} AS rn FROM {source.sql} x) AS {alias}", Item(alias, Source("", fields, source.key))


def _values(q: Queries, alias: str) -> tuple[str, Item]:
    dice = q.dice
    numbers = dice.sample(("0", "1", "2", "3", "5"), dice.integer(1, 4))
    texts = [dice.pick(("'a'", "'b'", "''", "NULL")) for _ in numbers]
    rows = [f"({n}, {t})" for n, t in zip(numbers, texts, strict=True)]
    if dice.chance(25):
        rows.append("(NULL, 'zz')")
    rows[0] = f"({numbers[0]}::int4, {texts[0]}::text)"
    fields = (Field("n", "int4"), Field("t", "text"))
    return f"(VALUES {', '.join(rows)}) AS {alias}(n, t)", Item(alias, Source("", fields, ("n",)))


def _lateral(q: Queries, came: From, depth: int, commas: bool) -> None:
    """Adds a LATERAL subquery: an aggregate, the first few, all rows or groups of what belongs to a row."""
    alias = q.alias()
    inner = subqueries.draw_rows_of(q, came.fields, max(0, depth - 1))
    item = Item(alias, Source("", inner.fields, inner.key))
    text = f"LATERAL ({inner.sql}) AS {alias}"
    _append(q, came, text, item, commas)


def _function(q: Queries, came: From, commas: bool) -> None:
    """Adds a function that returns a set of a row's values, or a constant one."""
    dice, alias = q.dice, q.alias()
    call, tag, unique = _set_function(q, came.fields, True)
    lateral = "LATERAL " if dice.chance(30) else ""
    if dice.chance(30) and not call.startswith("ROWS"):
        fields, key = (Field("n", tag), Field("i", "int8")), ("i",)
        text = f"{lateral}{call} WITH ORDINALITY AS {alias}(n, i)"
    else:
        fields, key = (Field("n", tag),), ("n",) if unique else None
        text = f"{lateral}{call} AS {alias}(n)"
    _append(q, came, text, Item(alias, Source("", fields, key)), commas)


def _append(q: Queries, came: From, text: str, item: Item, commas: bool) -> None:
    """An item that may refer to those before it."""
    dice = q.dice
    if commas or dice.chance(15):
        if not commas:
            came.text, came.where = f"{came.text} CROSS JOIN {text}", came.where
        else:
            came.text += f", {text}"
    elif dice.chance(45):
        on = "true" if dice.chance(70) else draw_condition(dice, [*item.columns(), *came.fields], 1)
        came.text += f" LEFT JOIN {text} ON {on}"
    else:
        came.text += f" CROSS JOIN {text}"
    came.items.append(item)


def _set_function(q: Queries, fields: list[Field], in_from: bool) -> tuple[str, str, bool]:
    """A call, the tag of its values, and whether they are unique in a row's set."""
    dice = q.dice
    choices: list[tuple[str, str, bool]] = [("generate_series(1, 3)", "int4", True)]
    for f in fields:
        if f.tag in INTEGERS:
            tag = "int8" if f.tag == "int8" else "int4"
            choices.append((f"generate_series(0, {f.sql} % 4)", tag, True))
        elif f.tag == "array":
            choices += [(f"unnest({f.sql})", "int4", False)] * 3
        elif f.tag == "jsonb":
            whole = f"CASE WHEN jsonb_typeof({f.sql}) = 'array' THEN {f.sql} ELSE '[]' END"
            choices += [(f"jsonb_array_elements({whole})", "jsonb", False)] * 3
            whole = f"CASE WHEN jsonb_typeof({f.sql}) = 'object' THEN {f.sql} ELSE '{{}}' END"
            choices.append((f"jsonb_object_keys({whole})", "text", True))
        elif f.tag == "text":
            choices.append((f"regexp_split_to_table({f.sql}, ' ')", "text", False))
    arrays = [f.sql for f in fields if f.tag == "array"]
    if arrays and in_from:
        choices.append((f"ROWS FROM (unnest({arrays[0]}), generate_series(1, 2))", "int4", False))
    numbers = [f.sql for f in fields if f.tag == "int4"]
    if len(numbers) > 1:
        choices.append((f"unnest(ARRAY[{', '.join(dice.sample(numbers, 3))}])", "int4", False))
    return dice.pick(choices)


def draw_select_function(q: Queries, fields: list[Field]) -> Field:
    """A function that returns a set, in the SELECT list."""
    call, tag, _ = _set_function(q, fields, False)
    return Field(call, tag)
