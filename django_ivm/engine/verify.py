"""Verify: the view against its original query, both ways, in one statement and so at one snapshot."""

from __future__ import annotations

import random
from typing import Any

from psycopg import sql as pg

from ..compiler.pg import names
from .introspect import rows
from .register import InstalledView
from .results import VerifyResult

_COMPARE = pg.SQL("""
WITH wanted AS (SELECT ROW(q.*)::text AS r FROM {query} AS q),
     stored AS (SELECT ROW({columns})::text AS r FROM {table}),
     missing AS (SELECT r FROM wanted {sample} EXCEPT ALL SELECT r FROM stored {sample}),
     unexpected AS (SELECT r FROM stored {sample} EXCEPT ALL SELECT r FROM wanted {sample})
SELECT (SELECT count(*) FROM missing), (SELECT count(*) FROM unexpected), (SELECT count(*) FROM stored),
       ARRAY(SELECT 'missing ' || r FROM missing LIMIT 5) || ARRAY(SELECT 'unexpected ' || r FROM unexpected LIMIT 5)
""")


def verify(view: InstalledView, connection: Any, sample: int | None) -> VerifyResult:
    """Compare row by row, as text; `sample=N` compares one of N buckets of rows, chosen by chance."""
    query: Any = pg.Identifier(names.RUNTIME_SCHEMA, view.definition_view)
    if view.detached:
        query = pg.SQL("({})").format(pg.SQL(view.canonical))
    chosen = pg.SQL("")
    if sample and sample > 1:
        chosen = pg.SQL("WHERE abs(hashtextextended(r, 0) % {}) = {}").format(
            pg.Literal(sample),
            pg.Literal(random.randrange(sample)),  # noqa: S311  (a sample, no secret)
        )
    statement = _COMPARE.format(
        query=query,
        columns=pg.SQL(", ").join(map(pg.Identifier, view.columns)),
        table=pg.Identifier(*view.storage),
        sample=chosen,
    )
    with connection.cursor() as cursor:
        missing, unexpected, count, examples = rows(cursor, statement)[0]  # type: ignore[arg-type]
    return VerifyResult(not missing and not unexpected, missing, unexpected, count, tuple(examples))
