"""Recursive CTEs over tables that refer to themselves, or whose columns can be read as edges. They all end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .expressions import EXACT, Field, draw_condition
from .trees import Source

if TYPE_CHECKING:
    from .queries import Queries


def draw_recursive(q: Queries) -> tuple[str, str, Source] | None:
    """A linear recursive CTE, its name and it as a source; None when no table has two columns alike."""
    dice = q.dice
    edges = [
        (source, a, b)
        for source in q.sources
        for a in source.fields
        for b in source.fields
        if a is not b and a.tag == b.tag and a.tag in EXACT and a.tag not in ("fixed", "bool", "text")
    ]
    own = [
        (source, next(f for f in source.fields if f.sql == source.key[0]), next(f for f in source.fields if f.sql == c))
        for source in q.sources
        for c, parent in source.references
        if parent == source.sql and source.key and len(source.key) == 1
    ]
    if own and dice.chance(60):
        edges = [(source, b, a) if dice.chance(50) else (source, a, b) for source, a, b in own]
    if not edges:
        return None
    source, a, b = dice.pick(edges)
    x = [Field(f"x.{f.sql}", f.tag) for f in source.fields]
    where = f" WHERE {draw_condition(dice, x, 1)}" if dice.chance(60) else ""
    more = f" AND {draw_condition(dice, x, 0)}" if dice.chance(25) else ""
    t, tag = source.sql, a.tag
    kind = dice.weighted({"closure": 4, "reach": 4, "depth": 3, "path": 1})
    q.left -= 1
    if kind == "closure":
        text = (
            f"rec(f, t) AS (SELECT x.{a.sql}, x.{b.sql} FROM {t} x{where} UNION "
            f"SELECT p.f, x.{b.sql} FROM rec p JOIN {t} x ON x.{a.sql} = p.t{more})"
        )
        return text, "rec", Source("rec", (Field("f", tag), Field("t", tag)), ("f", "t"))
    if kind == "reach":
        text = (
            f"rec(n) AS (SELECT x.{a.sql} FROM {t} x{where} UNION "
            f"SELECT x.{b.sql} FROM rec p, {t} x WHERE x.{a.sql} = p.n{more})"
        )
        return text, "rec", Source("rec", (Field("n", tag),), ("n",))
    deep = 1 if q.wide else 2
    if kind == "depth":
        word = dice.pick(("UNION", "UNION ALL"))
        text = (
            f"rec(n, d) AS (SELECT x.{a.sql}, 0 FROM {t} x{where} {word} "
            f"SELECT x.{b.sql}, p.d + 1 FROM rec p JOIN {t} x ON x.{a.sql} = p.n WHERE p.d < {deep}{more})"
        )
        key = ("n", "d") if word == "UNION" else None
        return text, "rec", Source("rec", (Field("n", tag), Field("d", "int4")), key)
    if tag not in ("int2", "int4", "int8"):
        return None
    text = (
        f"rec(n, p, d) AS (SELECT x.{a.sql}, x.{a.sql}::text, 0 FROM {t} x{where} UNION ALL "
        f"SELECT x.{b.sql}, p.p || '/' || x.{b.sql}::text, p.d + 1 FROM rec p JOIN {t} x ON x.{a.sql} = p.n "
        f"WHERE p.d < {deep}{more})"
    )
    return text, "rec", Source("rec", (Field("n", tag), Field("p", "text"), Field("d", "int4")))
