"""Missing indexes, as their tables' owner would write them: in the Meta of a Django model, else as SQL."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import models
from psycopg import sql as pg

from ..compiler.maintenance.advice import SMALL, MissingIndex
from ..compiler.pg.catalog import Catalog
from .introspect import rows
from .results import IndexAdvice


def advise(missing: tuple[MissingIndex, ...], catalog: Catalog, connection: Any) -> tuple[IndexAdvice, ...]:
    """What to create for each. Nothing is created on a user's table by us."""
    if not missing:
        return ()
    estimates = {t.stands_for or (t.schema, t.name): t.rows or 0 for t in catalog.tables}
    with connection.cursor() as cursor:
        return tuple(_advice(cursor, one, estimates[one[:2]], connection) for one in missing)


def _advice(cursor: Any, index: MissingIndex, estimate: float, connection: Any) -> IndexAdvice:
    table, columns = f"{index.schema}.{index.table}", index.columns
    model = _model(cursor, index)
    fields = {field.column: field.name for field in model._meta.local_concrete_fields} if model else {}
    if model is not None and all(column in fields for column in columns):
        names = [fields[column] for column in columns]
        named = models.Index(fields=names)
        named.set_name_with_model(model)
        listed = ", ".join(f'"{name}"' for name in names)
        line = f'models.Index(fields=[{listed}], name="{named.name}")'
        return IndexAdvice(table, columns, line, model._meta.label, int(estimate), estimate < SMALL)
    statement = pg.SQL("CREATE INDEX ON {} ({})").format(
        pg.Identifier(index.schema, index.table), pg.SQL(", ").join(map(pg.Identifier, columns))
    )
    return IndexAdvice(table, columns, statement.as_string(connection.connection), "", int(estimate), estimate < SMALL)


def _model(cursor: Any, index: MissingIndex) -> type[models.Model] | None:
    """The model whose Meta decides on the table's indexes."""
    for model in apps.get_models():
        schema, separator, name = model._meta.db_table.strip('"').rpartition('"."')
        if name != index.table or model._meta.proxy:
            continue
        if separator:
            found = schema == index.schema
        else:  # the table that the name alone means
            query = "SELECT to_regclass(quote_ident(%s)) = to_regclass(quote_ident(%s) || '.' || quote_ident(%s))"
            found = bool(rows(cursor, query, (name, index.schema, name))[0][0])
        if found and (model._meta.managed or hasattr(model, "_ivm_source")):
            return model
    return None
