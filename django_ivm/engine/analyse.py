"""PostgreSQL itself analyses the definition: names resolved, * expanded, casts explicit, types known.

The query becomes a temporary view inside a savepoint that is rolled back; what the catalogs then say of it is the
`Catalog` that the compiler works from.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import DatabaseError, transaction

from ..compiler.frontend.locate import place
from ..compiler.frontend.parse import BadDefinition, parse_query, referenced_relations
from ..compiler.pg.catalog import Catalog, Type
from ..compiler.pipeline import missing_types
from ..errors import DefinitionError
from . import calls, families, introspect, pinning, tables

_PINNED = (
    "SET LOCAL search_path = pg_catalog",
    "SET LOCAL DateStyle = 'ISO, MDY'",
    "SET LOCAL IntervalStyle = postgres",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL quote_all_identifiers = off",
)
_ANALYSED = "pg_temp.ivm_analysed"
_HINTS = {
    "42P01": "Create the table first, or name its schema.",
    "42703": "Correct the column's name.",
    "42701": "Give each output a name of its own with AS.",
    "42601": "Correct the SQL.",
    "42P02": "Write the parameter's value into the query.",
    "42501": "Grant SELECT on the table to the role that installs the view.",
}


class _Undo(Exception):
    """Leaves the savepoint."""


def referenced_tables(sql: str) -> set[tuple[str | None, str]]:
    """Relations that a query names, (schema or None, name); nothing is asked of a database.

    Raises DefinitionError for text that isn't one query that only reads.
    """
    try:
        return set(referenced_relations(sql))
    except BadDefinition as error:
        raise _bad(error, sql) from error


def analyse(connection: Any, sql: str, settings: tuple[tuple[str, str], ...] = ()) -> tuple[str, Catalog]:
    """(canonical SQL, catalog) of a query, read under the connection's settings, those given in their place.

    Raises DefinitionError with the place in the user's text for anything PostgreSQL refuses, for several statements,
    for a query that writes, for a parameter left over.
    """
    try:
        parsed = parse_query(sql)
    except BadDefinition as error:
        raise _bad(error, sql) from error
    found: list[tuple[str, Catalog]] = []
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            pinning.pin(cursor, settings)
            values = pinning.current(cursor)
            oid = _temporary_view(cursor, parsed.text)
            found.append(_read(cursor, oid, sql, values))
            raise _Undo
    except _Undo:
        pass
    return found[0]


def _bad(error: BadDefinition, sql: str) -> DefinitionError:
    return DefinitionError(error.message, code="DEFINITION", hint=error.hint, location=place(sql, error.position))


def _temporary_view(cursor: Any, sql: str) -> int:
    head = "CREATE TEMPORARY VIEW ivm_analysed AS "
    try:
        cursor.execute(head + sql)
    except DatabaseError as error:
        diagnostic = getattr(error.__cause__, "diag", None)
        state = getattr(diagnostic, "sqlstate", "") or ""
        position = getattr(diagnostic, "statement_position", None)
        location = place(sql, int(position) - 1 - len(head)) if position else ""
        message = getattr(diagnostic, "message_primary", None) or str(error)
        hint = getattr(diagnostic, "message_hint", None) or _HINTS.get(state, "Correct the query.")
        raise DefinitionError(
            f"PostgreSQL refuses the query: {message}", code=state, hint=hint, location=location
        ) from error
    return int(introspect.rows(cursor, "SELECT to_regclass(%s)::oid", (_ANALYSED,))[0][0])


def _read(cursor: Any, oid: int, user_sql: str, settings: tuple[tuple[str, str], ...]) -> tuple[str, Catalog]:
    for setting in _PINNED:
        cursor.execute(setting)
    canonical = introspect.rows(cursor, "SELECT pg_get_viewdef(%s)", (oid,))[0][0].strip().rstrip(";")
    tree = introspect.rows(cursor, "SELECT ev_action::text FROM pg_rewrite WHERE ev_class = %s", (oid,))[0][0]
    found, views, trees = tables.relations(cursor, _ANALYSED, oid)
    trees, types = [(tree, ""), *trees], calls.Types(cursor)
    base_tables, mixed = families.base_tables(cursor, _ANALYSED)
    catalog = Catalog(
        tables=found,
        functions=calls.functions(cursor, trees, types),
        outputs=introspect.columns(cursor, oid),
        base_tables=base_tables,
        mixed=mixed,
        casts=calls.text_casts(cursor, trees, types),
        settings=settings,
        views=views,
        user_sql=user_sql,
    )
    while probes := missing_types(canonical, catalog):
        catalog = replace(catalog, types={**catalog.types, **_answers(cursor, probes)})
    return canonical, catalog


def _answers(cursor: Any, probes: tuple[str, ...]) -> dict[str, Type]:
    """Types of probes, by a temporary view whose columns are the probes."""
    try:
        with transaction.atomic(using=cursor.db.alias):
            return _typed(cursor, probes)
    except DatabaseError:
        if len(probes) > 1:
            return {probe: type_ for probe in probes for type_ in _answers(cursor, (probe,)).values()}
        return {probes[0]: Type("record", "record", kind="p")}  # a row without a type of its own


def _typed(cursor: Any, probes: tuple[str, ...]) -> dict[str, Type]:
    outputs = ", ".join(f"({probe}) AS p{i}" for i, probe in enumerate(probes))
    cursor.execute("CREATE OR REPLACE TEMPORARY VIEW pg_temp.ivm_probed AS SELECT " + outputs)
    oid = introspect.rows(cursor, "SELECT 'pg_temp.ivm_probed'::regclass::oid")[0][0]
    types = [column.type for column in introspect.columns(cursor, oid)]
    cursor.execute("DROP VIEW pg_temp.ivm_probed")
    return dict(zip(probes, types, strict=True))
