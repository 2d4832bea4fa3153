"""Whole test cases: a schema, views over it and over each other, and a trace of writes."""

from __future__ import annotations

from .dice import Dice
from .queries import FEATURES, Meeting, Queries, Source
from .schemas import draw_schema
from .script import Script, View
from .traces import Traces
from .trees import source_of
from .twists import draw_twist
from .writers import draw_function, draw_rule, draw_trigger


def draw_script(
    dice: Dice,
    steps: int = 12,
    large: int = 8,
    chains: int = 35,
    twists: int = 0,
    features: tuple[str, ...] = tuple(FEATURES),
    views: int = 2,
) -> Script:
    """A script; `large` and `chains` are percentages of scripts with large statements and with views over views,
    `twists` of views that are refreshed in full. A chain has one view more than `views`.
    """
    schema = draw_schema(dice)
    if dice.chance(40):
        maker = dice.weighted({draw_trigger: 6, draw_rule: 1, draw_function: 2})
        schema.statements += maker(dice, schema.tables)
        schema.function = maker is draw_function
    wide = dice.chance(large)
    sources = [source_of(table) for table in schema.tables]
    made: list[View] = []
    meetings: set[Meeting] = set()
    chained = dice.chance(chains)
    while len(made) < views + chained:
        # The later views of a chain mostly read the earlier ones: chains, and diamonds.
        known: list[Source] = sources[-3:] if chained and made else sources[: len(schema.tables)]
        if dice.chance(twists):
            made.append(draw_twist(dice, f"v{len(made) + 1}", known))
            continue
        # Choices of their own: a query shrinks as SQL.
        queries = Queries(dice.fork(), known, wide, features, meetings=meetings)
        query = queries.draw()
        made.append(View(f"v{len(made) + 1}", query.sql))
        sources.append(Source(made[-1].name, query.fields, query.key))
    trace = Traces(dice, dice.fork(), schema, wide, sorted(meetings)).draw(steps)
    return Script(tuple(schema.statements), tuple(made), tuple(trace))
