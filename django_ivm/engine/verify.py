"""Verify: the view against its original query, both ways, in one statement and so at one snapshot.

Values are compared as text. Where PostgreSQL may show any of several equal ones (a group of 1.0 and 1.00) they are
compared by their type's equality; where the query allows several values they are left out, and the result says so.

A sample is one of N buckets of keys: both sides are restricted by the same hash of the view's key, a condition that
PostgreSQL can evaluate below the query's groups and joins. A view without a key that its readers see is sampled by
whole rows, which restricts what is compared but not what is computed.

What the readers don't see decides what the next writes do. So a whole verification also compares hidden columns, inner
levels with their queries over the levels beneath.
"""

from __future__ import annotations

import random
from typing import Any

from django.db import transaction
from psycopg import sql as pg

from ..compiler.pg import names
from ..compiler.pg.shared import MAINTAINING_PATH, ROW_TEXT_SETTINGS
from . import pinning
from .introspect import rows
from .peek import peek
from .register import InstalledView
from .results import LevelResult, VerifyResult

_COMPARE = pg.SQL("""
WITH wanted AS (SELECT {compared} FROM (SELECT * FROM {query} AS p({columns}) {keys}) AS q),
     stored AS (SELECT {compared} FROM (SELECT {columns} FROM {table} AS p {keys}) AS q),
     missing AS (SELECT * FROM wanted {rows} EXCEPT ALL SELECT * FROM stored {rows}),
     unexpected AS (SELECT * FROM stored {rows} EXCEPT ALL SELECT * FROM wanted {rows})
SELECT (SELECT count(*) FROM missing), (SELECT count(*) FROM unexpected), (SELECT count(*) FROM stored),
       ARRAY(SELECT 'missing ' || {row} FROM missing LIMIT 5)
       || ARRAY(SELECT 'unexpected ' || {row} FROM unexpected LIMIT 5)
""")

_LEVEL = pg.SQL("""
WITH wanted AS (SELECT {compared} FROM ({query}) AS q), stored AS (SELECT {compared} FROM {table} AS q)
SELECT (SELECT count(*) FROM (SELECT * FROM wanted EXCEPT ALL SELECT * FROM stored) AS m),
       (SELECT count(*) FROM (SELECT * FROM stored EXCEPT ALL SELECT * FROM wanted) AS u)
""")


def verify(view: InstalledView, connection: Any, sample: int | None) -> VerifyResult:
    """Compare row by row, as text; `sample=N` compares one of N buckets of keys, chosen by chance, and no inner level.

    Nothing is written. Changes that are pending in logs count as applied.
    """
    return peek(connection, view, lambda: _verify(view, connection, sample))


def _verify(view: InstalledView, connection: Any, sample: int | None) -> VerifyResult:
    with pinning.under(connection, view.spec.settings) as cursor:
        missing, unexpected, count, examples = rows(cursor, _statement(view, sample))[0]
    levels = () if sample and sample > 1 else _levels(view, connection)
    return VerifyResult(
        ok=not missing and not unexpected and not levels,
        missing=missing,
        unexpected=unexpected,
        rows=count,
        examples=tuple(examples),
        left_out=view.undetermined,
        levels=levels,
    )


def _statement(view: InstalledView, sample: int | None) -> Any:
    query: Any = pg.Identifier(names.RUNTIME_SCHEMA, view.definition_view)
    if view.detached:
        query = pg.SQL("({})").format(pg.SQL(view.canonical))  # type: ignore[arg-type]  (our own record of it)
    keys, chosen = _sampled(view, sample)
    return _COMPARE.format(
        query=query,
        columns=pg.SQL(", ").join(map(pg.Identifier, view.columns)),
        compared=_compared(view),
        row=pg.SQL(" || ' ' || ").join(
            [pg.SQL("r"), *(pg.SQL("coalesce({}::text, '')").format(c) for c in _named(view.alike))]
        ),
        table=pg.Identifier(*view.read_from),
        keys=keys,
        rows=chosen,
    )


def _sampled(view: InstalledView, sample: int | None) -> tuple[pg.Composable, pg.Composable]:
    """(condition on the key, condition on the compared row) of a bucket."""
    if not sample or sample <= 1:
        return pg.SQL(""), pg.SQL("")
    bucket = random.randrange(sample)  # noqa: S311  (a sample, no secret)
    if key := sample_key(view):
        text = pg.SQL("ROW({})::text").format(pg.SQL(", ").join(pg.Identifier("p", name) for name in key))
        return _bucket(text, sample, bucket), pg.SQL("")
    return pg.SQL(""), _bucket(pg.SQL("r"), sample, bucket)


def _bucket(text: pg.Composable, sample: int, bucket: int) -> pg.Composable:
    # The bit mask makes the hash positive; abs() of the least bigint would raise.
    return pg.SQL("WHERE (hashtextextended({}, 0) & 9223372036854775807) % {} = {}").format(
        text, pg.Literal(sample), pg.Literal(bucket)
    )


def sample_key(view: InstalledView) -> tuple[str, ...]:
    """The view's key by which samples are taken: as far as readers see it and its text is settled."""
    loose = {*view.alike, *view.undetermined}
    return tuple(name for name in view.key if name in view.columns and name not in loose)


def _levels(view: InstalledView, connection: Any) -> tuple[LevelResult, ...]:
    """Stored relations that differ from what they should hold."""
    if view.detached:
        return ()
    found = []
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        pinning.pin(cursor, _pinned(view))
        for level in view.objects.get("levels", ()):
            missing, unexpected = _compare_level(cursor, level)
            if missing or unexpected:
                found.append(LevelResult(level["table"], missing, unexpected))
        transaction.set_rollback(True, using=connection.alias)
    return tuple(found)


def _pinned(view: InstalledView) -> tuple[tuple[str, str], ...]:
    """Settings under which the levels were written, the text of whole rows among them."""
    texts = {name: value.strip("'") for name, value in ROW_TEXT_SETTINGS}
    return tuple((texts | dict(view.spec.settings) | {"search_path": MAINTAINING_PATH}).items())


def _compare_level(cursor: Any, level: dict[str, Any]) -> tuple[int, int]:
    table = pg.Identifier(level["schema"], level["table"])
    missing = unexpected = 0
    if level["query"]:
        statement = _LEVEL.format(
            compared=_columns(level["fixed"], level["alike"]), query=pg.SQL(level["query"]), table=table
        )
        missing, unexpected = rows(cursor, statement)[0]
    if level["own"]:
        spoilt = pg.SQL("SELECT count(*) FROM {} WHERE ({}) IS NOT TRUE").format(table, pg.SQL(level["own"]))
        unexpected += rows(cursor, spoilt)[0][0]
    return missing, unexpected


def prepare(cursor: Any, view: InstalledView) -> int:
    """Before a repair computes anew: what that goes by, which is no row's value. The number of rows mended."""
    mended = 0
    pinned = _pinned(view)
    before = pinning.values(cursor, [name for name, _ in pinned])
    pinning.pin(cursor, pinned)
    for level in view.objects.get("levels", ()):
        if level["mend"]:
            table = pg.Identifier(level["schema"], level["table"])
            cursor.execute(pg.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(table))
            cursor.execute(level["mend"])
            mended += cursor.rowcount
    pinning.pin(cursor, before)  # the transaction may be the caller's
    return mended


def _named(alike: tuple[str, ...]) -> list[pg.Identifier]:
    return [pg.Identifier(f"alike_{i}") for i, _ in enumerate(alike)]


def _compared(view: InstalledView) -> pg.Composed:
    loose = {*view.alike, *view.undetermined}
    return _columns([name for name in view.columns if name not in loose], list(view.alike))


def _columns(settled: list[str], alike: list[str]) -> pg.Composed:
    """The text of what is settled, then each column that is compared by equality."""
    row = pg.SQL("ROW({})::text AS r").format(pg.SQL(", ").join(pg.Identifier("q", name) for name in settled))
    pairs = zip(alike, _named(tuple(alike)), strict=True)
    return pg.SQL(", ").join([row, *(pg.SQL("{} AS {}").format(pg.Identifier("q", c), n) for c, n in pairs)])
