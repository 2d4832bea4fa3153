"""Random queries over every construct, as trees: FROM items below, SELECT levels and set operations above.

Every query is deterministic as text: LIMIT, DISTINCT ON, row_number() and their like order by a key at last, and
what compares rows compares only columns whose equal values look alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from . import froms, recursion, sets, subqueries, windows
from .aggregates import draw_call, draw_distinct_calls
from .dice import Dice
from .expressions import EXACT, ORDERED, Field, draw_condition, draw_scalar, over_aggregates
from .trees import From, Query, Source, listed, named, output_name

__all__ = ["FEATURES", "Queries", "Query", "Source"]

Meeting = tuple[tuple[str, str], tuple[str, str]]

# Kinds of constructs beyond plain joins, unions and groups. A query takes a few of them, so that it has several of a
# kind and that one without a rule leaves the others a chance.
FEATURES = {
    "outer": 4, "semi": 4, "scalar": 3, "lateral": 2, "setop": 2, "distinct_on": 1, "window": 3, "limit": 1, "srf": 1,
    "values": 1, "grouping": 2, "recursive": 1, "ordered": 2,
}  # fmt: skip


@dataclass
class Queries:
    """Draws queries over sources. `wide` tables forbid joins whose result explodes; `features` may be drawn."""

    dice: Dice
    sources: list[Source]
    wide: bool = False
    features: tuple[str, ...] = tuple(FEATURES)
    on: frozenset[str] = frozenset()
    left: int = 0  # FROM items that may still be drawn
    ctes: list[tuple[str, Source]] = field(default_factory=list)
    named: dict[str, Source] = field(default_factory=dict)  # by alias
    meetings: set[Meeting] = field(default_factory=set)  # columns of tables that are joined by equality
    _aliases: int = 0

    def has(self, feature: str, percent: int) -> bool:
        """The query uses the feature, and here."""
        return feature in self.on and self.dice.chance(percent)

    def meet(self, left: str, right: str) -> None:
        """Two columns are compared by `=`."""
        sides = [
            (self.named[alias].sql, name)
            for alias, _, name in (c.partition(".") for c in (left, right))
            if alias in self.named
        ]
        if len(sides) == 2 and all(table for table, _ in sides):
            self.meetings.add((sides[0], sides[1]))

    def alias(self) -> str:
        self._aliases += 1
        return f"r{self._aliases}"

    def draw(self) -> Query:
        """One whole query, its CTEs and final LIMIT included."""
        dice, self.ctes = self.dice, []
        count = dice.weighted({0: 2, 1: 6, 2: 5, 3: 3, 4: 1})
        some = [dice.weighted({f: FEATURES[f] for f in self.features}) for _ in range(count)] if self.features else []
        self.on = frozenset(self.features if count > 3 else some)
        self.left = dice.pick((3, 5, 6, 8))
        depth = dice.weighted({1: 3, 2: 5, 4: 3})
        head = self._with()
        if self.has("setop", 50) or dice.chance(12):
            query = sets.draw_set(self, max(1, depth - 1))
            if self.has("limit", 30) and not query.sql.startswith("("):
                query = self.limited(query)
        elif dice.chance(15):
            query = self.limited(self.select(1, keyed=True))
        else:
            query = self.select(depth)
        return Query(head + query.sql, query.fields, query.key)

    def _with(self) -> str:
        parts = []
        recursive = self.has("recursive", 85)
        made = recursion.draw_recursive(self) if recursive else None
        if made:
            text, name, source = made
            parts.append(text)
            self.ctes.append((name, source))
        if self.dice.chance(18):
            for i in range(self.dice.integer(1, 2)):
                inner = self.select(1)
                how = self.dice.weighted({"": 6, "MATERIALIZED ": 1, "NOT MATERIALIZED ": 1})
                parts.append(f"cte{i} AS {how}({inner.sql})")
                self.ctes.append((f"cte{i}", Source(f"cte{i}", inner.fields, inner.key)))
        return f"WITH {'RECURSIVE ' if made else ''}{', '.join(parts)} " if parts else ""

    # SELECT levels

    def select(self, depth: int, keyed: bool = False) -> Query:
        dice = self.dice
        if depth and not keyed and (dice.chance(6) or self.has("setop", 20)):
            return sets.draw_set(self, depth - 1)
        if not keyed and self.has("scalar", 5):
            return self._bare(depth)
        came = froms.draw_from(self, depth)
        tail = came.tail(*self._conditions(came, depth))
        if self.has("distinct_on", 60) and came.keys and not keyed:
            return self._distinct_on(came, tail)
        if self.has("grouping", 70) and not keyed:
            return self._grouping_sets(came.fields, came.keys, tail)
        if dice.chance(40):
            return self._grouped(came.fields, came.keys, tail, keyed, depth)
        return self._flat(came, tail, keyed, depth)

    def _conditions(self, came: From, depth: int) -> list[str]:
        """What WHERE asks for beyond the joins; on the NULL side of outer joins too."""
        fields, where = came.fields, []
        if self.dice.chance(35):
            where.append(draw_condition(self.dice, fields))
        if self.has("outer", 12):
            where.append(f"{self.dice.pick(fields).sql} IS NULL")
        if self.has("semi", 75):
            where.append(subqueries.draw_predicate(self, fields, depth))
        if self.has("scalar", 30):
            where.append(subqueries.draw_comparison(self, fields, depth))
        return where

    def _bare(self, depth: int) -> Query:
        """A query without FROM."""
        outputs = [subqueries.draw_scalar_subquery(self, [], depth) for _ in range(self.dice.integer(1, 3))]
        if self.dice.chance(30):
            outputs.append(Field("7", "int4"))
        return Query(f"SELECT {listed(outputs)}", tuple(named(outputs)), ())

    def _flat(self, came: From, tail: str, keyed: bool, depth: int) -> Query:
        dice, fields = self.dice, came.fields
        distinct = dice.chance(12)
        usable = [f for f in fields if f.tag in EXACT] if distinct else fields
        if not usable:
            distinct, usable = False, fields
        outputs = [draw_scalar(dice, usable) for _ in range(dice.integer(1, 4))]
        repeats = False
        if self.has("scalar", 50):
            outputs.append(subqueries.draw_scalar_subquery(self, fields, depth))
        if self.has("semi", 20):
            outputs.append(Field(f"({subqueries.draw_predicate(self, fields, depth)})", "bool"))
        if self.has("srf", 25):
            outputs.append(froms.draw_select_function(self, fields))
            repeats = True
        if self.has("window", 80):
            made, clause = windows.draw_windows(self, fields, came.keys)
            outputs += made
            tail += clause
        if distinct:
            outputs = [o for o in outputs if o.tag in EXACT] or [usable[0]]
        key, keys = None, came.keys
        if not distinct and not repeats and keys is not None and (keyed or dice.chance(40)):
            known = {f.sql: f for f in fields}
            outputs = dice.sample([*outputs, *(known[name] for name in keys)], 99)
            key = tuple(output_name([o.sql for o in outputs].index(name)) for name in keys)
        shown = named(outputs)
        if distinct:
            key = tuple(f.sql for f in shown)
        head = "SELECT DISTINCT " if distinct else "SELECT "
        return Query(head + listed(outputs) + tail, tuple(shown), key)

    def _grouped(self, fields: list[Field], total: list[str] | None, tail: str, keyed: bool, depth: int) -> Query:
        dice = self.dice
        keys = self._keys(fields, {0: 2, 1: 6, 2: 3, 3: 1})
        calls = [draw_call(self, fields, total) for _ in range(dice.integer(1, 4))]
        if self.has("ordered", 40):  # few groups, whose values repeat
            keys = keys[:1]
            calls = draw_distinct_calls(self, [f for f in fields if f.sql not in [k.sql for k in keys]]) or calls
        elif dice.chance(25):
            calls[-1] = over_aggregates(dice, [*calls, *keys])
        shown = keys if keyed or dice.chance(75) else dice.some(keys, 50)
        outputs = dice.sample([*shown, *calls], 99) if dice.chance(30) else [*shown, *calls]
        if keys and dice.chance(8):
            outputs = list(shown) or [keys[0]]  # no call at all
        plain = [k for k in keys if " " not in k.sql and "(" not in k.sql]  # a subquery may refer to no expression
        if self.has("scalar", 25):
            outputs.append(subqueries.draw_scalar_subquery(self, plain, depth))
        clause = ""
        if self.has("window", 45):
            made, clause = windows.draw_windows(self, [*calls, *keys], [k.sql for k in keys])
            outputs += made
        shown_as = named(outputs)
        positions = {o.sql: i + 1 for i, o in enumerate(outputs)}
        by = [str(positions[k.sql]) if k.sql in positions and dice.chance(20) else k.sql for k in keys]
        sql = f"SELECT {listed(outputs)}{tail}" + (f" GROUP BY {', '.join(by)}" if keys else "")
        having = []
        if dice.chance(18):
            having.append(draw_condition(dice, [*calls, *keys, Field("count(*)", "int8")], 1))
        if self.has("scalar", 30):
            having.append(subqueries.draw_comparison(self, [Field("count(*)", "int8"), *calls, *plain], depth, plain))
        if plain and self.has("semi", 15):
            having.append(subqueries.draw_predicate(self, plain, depth))
        sql += (f" HAVING {' AND '.join(having)}" if having else "") + clause
        key = None
        if all(k.sql in positions for k in keys):
            key = tuple(output_name(positions[k.sql] - 1) for k in keys)
        return Query(sql, tuple(shown_as), key)

    def _keys(self, fields: list[Field], counts: dict[int, int]) -> list[Field]:
        exact = [f for f in fields if f.tag in EXACT]
        keys: list[Field] = []
        for _ in range(self.dice.weighted(counts) if exact else 0):
            drawn = draw_scalar(self.dice, exact)
            if drawn.tag in EXACT and drawn.sql not in [k.sql for k in keys]:
                keys.append(drawn)
        return keys

    def _grouping_sets(self, fields: list[Field], total: list[str] | None, tail: str) -> Query:
        dice = self.dice
        keys = self._keys(fields, {1: 2, 2: 5, 3: 2})
        if not keys:
            return self._grouped(fields, total, tail, False, 0)
        names = [k.sql for k in keys]
        groups = [", ".join(dice.some(names, 55)) for _ in range(dice.integer(1, 3))]
        by = dice.pick((
            f"DISTINCT ROLLUP ({', '.join(names)}), CUBE ({', '.join(names[:2])})",
            f"ROLLUP ({', '.join(names)})",
            f"CUBE ({', '.join(names)})",
            f"GROUPING SETS ({', '.join(f'({g})' for g in [*groups, ', '.join(names)])})",
            f"{names[0]}, ROLLUP ({', '.join(names[1:] or names)})",
            f"GROUPING SETS (ROLLUP ({', '.join(names)}), ({names[-1]}))",
        ))  # fmt: skip
        calls = [draw_call(self, fields, total) for _ in range(dice.integer(1, 3))]
        if dice.chance(60):
            calls.append(Field(f"GROUPING({', '.join(dice.sample(names, dice.integer(1, len(names))))})", "int4"))
        outputs = [*keys, *calls]
        having = f" HAVING {draw_condition(dice, [*calls, *keys], 1)}" if dice.chance(15) else ""
        return Query(f"SELECT {listed(outputs)}{tail} GROUP BY {by}{having}", tuple(named(outputs)))

    def _distinct_on(self, came: From, tail: str) -> Query:
        dice, fields = self.dice, came.fields
        by = self._keys(fields, {1: 4, 2: 2}) or [next(f for f in fields if f.sql in came.keys)]
        ways = ("", " DESC", " NULLS FIRST", " DESC NULLS LAST")
        extra = [f.sql for f in fields if f.tag in EXACT]
        order = [*(k.sql for k in by), *dice.sample(extra, dice.integer(0, 2)), *dice.sample(came.keys, 99)]
        outputs = [draw_scalar(dice, fields) for _ in range(dice.integer(1, 3))]
        shown = dice.chance(75)
        outputs = [*(by if shown else ()), *outputs]
        names = named(outputs)
        sql = (
            f"SELECT DISTINCT ON ({', '.join(k.sql for k in by)}) {listed(outputs)}{tail} "
            f"ORDER BY {', '.join(o + dice.pick(ways) for o in order)}"
        )
        key = tuple(f.sql for f in names[: len(by)]) if shown else None
        return Query(sql, tuple(names), key)

    def limited(self, query: Query) -> Query:
        """ORDER BY … LIMIT in an order without ties; the query as it is when it has no key."""
        dice = self.dice
        if query.sql.startswith("SELECT DISTINCT ON"):
            return query
        sorting = [f.sql for f in query.fields if f.tag in ORDERED]
        if sorting and self.has("limit", 15):  # ties are all kept, so the order need not be total
            order = ", ".join(dice.sample(sorting, dice.integer(1, 2)))
            return Query(f"{query.sql} ORDER BY {order} FETCH FIRST 2 ROWS WITH TIES", query.fields, query.key)
        if not query.key:
            return query
        sortable = [f.sql for f in query.fields if f.tag in (*EXACT, "float", "free") and f.sql not in query.key]
        columns = [*dice.sample(sortable, dice.integer(0, 2)), *dice.sample(query.key, 9)]
        ways = ("", " DESC", " NULLS FIRST", " DESC NULLS LAST", " ASC")
        sql = f"{query.sql} ORDER BY {', '.join(c + dice.pick(ways) for c in columns)}"
        limit = dice.weighted({" LIMIT 3": 4, " LIMIT 1": 2, " LIMIT 6": 2, " LIMIT 0": 1, "": 1})
        sql += limit + (f" OFFSET {dice.integer(0, 3)}" if not limit or dice.chance(30) else "")
        return Query(sql, query.fields, query.key)
