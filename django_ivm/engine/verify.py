"""Verify: the view against its original query, both ways, in one statement and so at one snapshot.

Values are compared as text. Where PostgreSQL may show any of several equal ones (a group of 1.0 and 1.00) they are
compared by their type's equality; where the query allows several values they are left out, and the result says so.
"""

from __future__ import annotations

import random
from typing import Any

from psycopg import sql as pg

from ..compiler.pg import names
from . import pinning
from .introspect import rows
from .register import InstalledView
from .results import VerifyResult

_COMPARE = pg.SQL("""
WITH wanted AS (SELECT {compared} FROM {query} AS q({columns})),
     stored AS (SELECT {compared} FROM (SELECT {columns} FROM {table}) AS q),
     missing AS (SELECT * FROM wanted {sample} EXCEPT ALL SELECT * FROM stored {sample}),
     unexpected AS (SELECT * FROM stored {sample} EXCEPT ALL SELECT * FROM wanted {sample})
SELECT (SELECT count(*) FROM missing), (SELECT count(*) FROM unexpected), (SELECT count(*) FROM stored),
       ARRAY(SELECT 'missing ' || {row} FROM missing LIMIT 5)
       || ARRAY(SELECT 'unexpected ' || {row} FROM unexpected LIMIT 5)
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
        compared=_compared(view),
        row=pg.SQL(" || ' ' || ").join(
            [pg.SQL("r"), *(pg.SQL("coalesce({}::text, '')").format(c) for c in _alike(view))]
        ),
        table=pg.Identifier(*view.read_from),
        sample=chosen,
    )
    with pinning.under(connection, view.spec.settings) as cursor:
        missing, unexpected, count, examples = rows(cursor, statement)[0]  # type: ignore[arg-type]
    return VerifyResult(not missing and not unexpected, missing, unexpected, count, tuple(examples), view.undetermined)


def _alike(view: InstalledView) -> list[pg.Identifier]:
    return [pg.Identifier(f"alike_{i}") for i, _ in enumerate(view.alike)]


def _compared(view: InstalledView) -> pg.Composed:
    """The text of what is settled, then each column that is compared by equality."""
    loose = {*view.alike, *view.undetermined}
    settled = [pg.Identifier("q", name) for name in view.columns if name not in loose]
    row = pg.SQL("ROW({})::text AS r").format(pg.SQL(", ").join(settled))
    named = zip(view.alike, _alike(view), strict=True)
    return pg.SQL(", ").join([row, *(pg.SQL("{} AS {}").format(pg.Identifier("q", c), n) for c, n in named)])
