"""Random queries of the kinds that are kept, as trees: FROM items below, SELECT levels and set operations above."""

from __future__ import annotations

from dataclasses import dataclass, field

from .dice import Dice
from .expressions import EXACT, INTEGERS, Field, draw_aggregate, draw_condition, draw_scalar, over_aggregates
from .schemas import Table, quoted

_JOINABLE = (*EXACT, "free", "float")


@dataclass(frozen=True)
class Source:
    """What a FROM clause may name: its columns and, if known, which of them no two rows agree in."""

    sql: str
    fields: tuple[Field, ...]
    key: tuple[str, ...] | None = None
    references: tuple[tuple[str, str], ...] = ()  # (own column, source it refers to by its key)


@dataclass(frozen=True)
class Query:
    sql: str
    fields: tuple[Field, ...]
    key: tuple[str, ...] | None = None


@dataclass
class _Item:
    alias: str
    source: Source

    def column(self, name: str) -> str:
        return f"{self.alias}.{name}"

    def columns(self) -> list[Field]:
        return [Field(self.column(f.sql), f.tag) for f in self.source.fields]


def source_of(table: Table) -> Source:
    """A table as a FROM item."""
    fields = tuple(Field(c.sql, c.kind.tag) for c in table.columns)
    references = tuple((quoted(r.column), quoted(r.parent)) for r in table.references)
    return Source(table.sql, fields, tuple(map(quoted, table.key)) or None, references)


@dataclass
class Queries:
    """Draws queries over sources. `wide` tables forbid joins whose result explodes."""

    dice: Dice
    sources: list[Source]
    wide: bool = False
    _aliases: int = 0
    _ctes: list[tuple[str, Source]] = field(default_factory=list)

    def draw(self) -> Query:
        """One whole query, its CTEs and final LIMIT included."""
        dice, self._ctes = self.dice, []
        head = ""
        if dice.chance(15):
            for i in range(dice.integer(1, 2)):
                inner = self._select(1)
                how = dice.weighted({"": 6, "MATERIALIZED ": 1, "NOT MATERIALIZED ": 1})
                head += (", " if head else "WITH ") + f"cte{i} AS {how}({inner.sql})"
                self._ctes.append((f"cte{i}", Source(f"cte{i}", inner.fields, inner.key)))
            head += " "
        if dice.chance(15):
            query = self._union(1)
        elif dice.chance(18):
            query = self._limited(self._select(1, keyed=True))
        else:
            query = self._select(2)
        return Query(head + query.sql, query.fields, query.key)

    # SELECT levels

    def _select(self, depth: int, keyed: bool = False) -> Query:
        if depth and self.dice.chance(8) and not keyed:
            return self._union(depth - 1)
        text, items, where = self._from(depth)
        fields = [f for item in items for f in item.columns()]
        if self.dice.chance(40):
            where = [*where, draw_condition(self.dice, fields)]
        tail = f" FROM {text}" + (f" WHERE {' AND '.join(where)}" if where else "")
        if self.dice.chance(45):
            return self._grouped(fields, tail, keyed)
        return self._flat(items, fields, tail, keyed)

    def _flat(self, items: list[_Item], fields: list[Field], tail: str, keyed: bool) -> Query:
        dice = self.dice
        distinct = dice.chance(15)
        usable = [f for f in fields if f.tag in EXACT] if distinct else fields
        if not usable:
            distinct, usable = False, fields
        outputs = [draw_scalar(dice, usable) for _ in range(dice.integer(1, 4))]
        if distinct:
            outputs = [o for o in outputs if o.tag in EXACT] or [usable[0]]
        key = None
        keys = [item.column(name) for item in items for name in item.source.key or ()]
        if not distinct and all(item.source.key for item in items) and (keyed or dice.chance(40)):
            known = {f.sql: f for f in fields}
            outputs = dice.sample([*outputs, *(known[name] for name in keys)], 99)
            key = tuple(_name([o.sql for o in outputs].index(name)) for name in keys)
        named = _named(outputs)
        if distinct:
            key = tuple(f.sql for f in named)
        head = "SELECT DISTINCT " if distinct else "SELECT "
        return Query(head + _list(outputs) + tail, tuple(named), key)

    def _grouped(self, fields: list[Field], tail: str, keyed: bool) -> Query:
        dice = self.dice
        exact = [f for f in fields if f.tag in EXACT]
        keys: list[Field] = []
        for _ in range(dice.weighted({0: 2, 1: 6, 2: 3, 3: 1}) if exact else 0):
            drawn = draw_scalar(dice, exact)
            if drawn.tag in EXACT and drawn.sql not in [k.sql for k in keys]:
                keys.append(drawn)
        calls = [draw_aggregate(dice, fields) for _ in range(dice.integer(1, 4))]
        if dice.chance(25):
            calls[-1] = over_aggregates(dice, [*calls, *keys])
        shown = keys if keyed or dice.chance(75) else dice.some(keys, 50)
        outputs = dice.sample([*shown, *calls], 99) if dice.chance(30) else [*shown, *calls]
        if keys and dice.chance(8):
            outputs = list(shown) or [keys[0]]  # no call at all
        named = _named(outputs)
        positions = {o.sql: i + 1 for i, o in enumerate(outputs)}
        by = [str(positions[k.sql]) if k.sql in positions and dice.chance(20) else k.sql for k in keys]
        sql = f"SELECT {_list(outputs)}{tail}" + (f" GROUP BY {', '.join(by)}" if keys else "")
        if dice.chance(20):
            sql += f" HAVING {draw_condition(dice, [*calls, *keys, Field('count(*)', 'int8')], 1)}"
        key = tuple(_name(positions[k.sql] - 1) for k in keys) if all(k.sql in positions for k in keys) else None
        return Query(sql, tuple(named), key)

    def _union(self, depth: int) -> Query:
        """2–3 branches with columns of the same types."""
        dice = self.dice
        keyword = dice.weighted({"UNION ALL": 3, "UNION": 2})
        first = self._select(0)
        wanted = [f.tag for f in first.fields]
        if keyword == "UNION" and not set(wanted) <= set(EXACT) - {"fixed"}:  # of two scales, perhaps
            keyword = "UNION ALL"
        sql, tags = first.sql, list(wanted)
        for _ in range(dice.integer(1, 2)):
            branch = self._branch(wanted, depth)
            sql = f"{sql} {keyword} {branch.sql}" if dice.chance(80) else f"({branch.sql}) {keyword} ({sql})"
            tags = [_common(a, b.tag) for a, b in zip(tags, branch.fields, strict=True)]
        # The first branch written names the columns; all branches name theirs alike
        named = tuple(Field(_name(i), tag) for i, tag in enumerate(tags))
        return Query(sql, named, tuple(f.sql for f in named) if keyword == "UNION" else None)

    def _branch(self, wanted: list[str], depth: int) -> Query:
        text, items, where = self._from(depth, most=2)
        fields = [f for item in items for f in item.columns()]
        outputs = []
        for tag in wanted:
            fitting = [f for f in fields if f.tag == tag or (tag in INTEGERS and f.tag in INTEGERS)]
            outputs.append(self.dice.pick(fitting) if fitting and self.dice.chance(90) else Field("NULL", tag))
        if self.dice.chance(30):
            where = [*where, draw_condition(self.dice, fields)]
        tail = f" FROM {text}" + (f" WHERE {' AND '.join(where)}" if where else "")
        return Query("SELECT " + _list(outputs) + tail, tuple(_named(outputs)))

    def _limited(self, query: Query) -> Query:
        """ORDER BY … LIMIT in an order without ties; the query as it is when it has no key."""
        dice = self.dice
        if query.key is None:
            return query
        sortable = [f.sql for f in query.fields if f.tag in (*EXACT, "float", "free") and f.sql not in query.key]
        columns = [*dice.sample(sortable, dice.integer(0, 2)), *dice.sample(query.key, 9)]
        if not columns:
            return query
        ways = ("", " DESC", " NULLS FIRST", " DESC NULLS LAST", " ASC")
        sql = f"{query.sql} ORDER BY {', '.join(c + dice.pick(ways) for c in columns)}"
        limit = dice.weighted({" LIMIT 3": 4, " LIMIT 1": 2, " LIMIT 6": 2, " LIMIT 0": 1, "": 1})
        sql += limit + (f" OFFSET {dice.integer(0, 3)}" if not limit or dice.chance(30) else "")
        return Query(sql, query.fields, query.key)

    # FROM

    def _from(self, depth: int, most: int = 4) -> tuple[str, list[_Item], list[str]]:
        dice = self.dice
        count = min(dice.weighted({1: 40, 2: 38, 3: 16, 4: 6}), most, 2 if self.wide else 4)
        items: list[_Item] = []
        text, commas, where, loose = "", False, [], 0
        for _ in range(count):
            item_text, item = self._item(depth)
            if not items:
                text, items = item_text, [item]
                continue
            shared = [f.sql for f in item.source.fields if self._shareable(f, items)]
            # A comma binds less than JOIN, whose conditions then don't see what stands before it.
            if shared and not commas and dice.chance(35):
                text += f" JOIN {item_text} USING ({dice.pick(shared)})"
            else:
                allow_loose = not self.wide and not loose
                condition, is_loose = self._condition(items, item, allow_loose)
                loose += is_loose
                if not commas and dice.chance(50):
                    text += f" JOIN {item_text} ON {condition}"
                elif commas or dice.chance(70):
                    text, commas, where = f"{text}, {item_text}", True, [*where, condition]
                else:
                    text, where = f"{text} CROSS JOIN {item_text}", [*where, condition]
            items.append(item)
        return text, items, where

    def _shareable(self, own: Field, items: list[_Item]) -> bool:
        same = [f for item in items for f in item.source.fields if f.sql == own.sql]
        return len(same) == 1 and same[0].tag == own.tag and own.tag in _JOINABLE

    def _item(self, depth: int) -> tuple[str, _Item]:
        self._aliases += 1
        alias = f"r{self._aliases}"
        if self._ctes and self.dice.chance(50):
            name, source = self.dice.pick(self._ctes)
            return f"{name} AS {alias}", _Item(alias, source)
        if depth and self.dice.chance(25):
            inner = self._select(depth - 1)
            return f"({inner.sql}) AS {alias}", _Item(alias, Source("", inner.fields, inner.key))
        source = self.dice.pick(self.sources)
        return f"{source.sql} {alias}", _Item(alias, source)

    def _condition(self, items: list[_Item], new: _Item, allow_loose: bool) -> tuple[str, bool]:
        """How the new item joins the ones before: by reference, by equality of like columns, loosely."""
        dice = self.dice
        if allow_loose and dice.chance(8):
            return "true", True
        by_reference = [c for item in items for pair in ((item, new), (new, item)) for c in _references(*pair)]
        pairs = [
            (item.column(a.sql), new.column(b.sql))
            for item in items
            for a in item.source.fields
            for b in new.source.fields
            if _alike(a.tag, b.tag)
        ]
        equal = [f"{a} = {b}" for a, b in pairs]
        less = [f"{a} < {b}" for a, b in pairs]
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
        extra = dice.pick(less) if less and dice.chance(10) else ""
        return condition + (f" AND {extra}" if extra else ""), False


def _references(left: _Item, right: _Item) -> list[str]:
    """Equalities of a foreign key's column with the key that it refers to."""
    found = []
    for column, parent in left.source.references:
        if right.source.sql == parent and right.source.key:
            found.append(f"{left.column(column)} = {right.column(right.source.key[0])}")
    return found


def _alike(a: str, b: str) -> bool:
    return a in _JOINABLE and (a == b or (a in INTEGERS and b in INTEGERS))


def _common(a: str, b: str) -> str:
    """The tag of a set operation's column; two numerics may have two scales."""
    if a in INTEGERS and b in INTEGERS:
        return max(a, b)
    return "loose" if a in ("fixed", "free", "loose") else a


def _name(number: int) -> str:
    """The name of an output; some need quotes."""
    return {1: '"Ö 2"', 3: '"user"'}.get(number, f"o{number + 1}")


def _named(outputs: list[Field]) -> list[Field]:
    return [Field(_name(i), output.tag) for i, output in enumerate(outputs)]


def _list(outputs: list[Field]) -> str:
    return ", ".join(f"{output.sql} AS {_name(i)}" for i, output in enumerate(outputs))
