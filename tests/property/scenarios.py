"""Whole test cases: a schema, views over it and over each other, and a trace of writes."""

from __future__ import annotations

from .dice import Dice
from .queries import Queries, Source, source_of
from .schemas import draw_schema
from .script import Script, View
from .traces import Traces
from .twists import draw_twist
from .writers import draw_function, draw_rule, draw_trigger


def draw_script(dice: Dice, steps: int = 12, large: int = 8, chains: int = 35, twists: int = 0) -> Script:
    """A script; `large` and `chains` are percentages of scripts with large statements and with views over views,
    `twists` of views that are refreshed in full.
    """
    schema = draw_schema(dice)
    if dice.chance(40):
        maker = dice.weighted({draw_trigger: 6, draw_rule: 1, draw_function: 2})
        schema.statements += maker(dice, schema.tables)
        schema.function = maker is draw_function
    wide = dice.chance(large)
    sources = [source_of(table) for table in schema.tables]
    views: list[View] = []
    chained = dice.chance(chains)
    while len(views) < (3 if chained else 2):
        # The later views of a chain mostly read the earlier ones: chains, and diamonds.
        known: list[Source] = sources[-3:] if chained and views else sources[: len(schema.tables)]
        if dice.chance(twists):
            views.append(draw_twist(dice, f"v{len(views) + 1}", known))
            continue
        query = Queries(dice, known, wide).draw()
        views.append(View(f"v{len(views) + 1}", query.sql))
        sources.append(Source(views[-1].name, query.fields, query.key))
    trace = Traces(dice, dice.fork(), schema, wide).draw(steps)
    return Script(tuple(schema.statements), tuple(views), tuple(trace))
