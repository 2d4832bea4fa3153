"""What a queryset says: its SQL with every value written in, its outputs, the tables it reads.

Only `compile_queryset` needs a database; the rest walks the query's own tree, so that system checks run
without one.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet, FieldError, FullResultSet
from django.db import NotSupportedError, connections
from django.db.models import Field, Model, QuerySet
from django.db.models.expressions import Col, ColPairs
from django.db.models.query import RawQuerySet
from django.db.models.sql import Query
from django.db.models.sql.datastructures import BaseTable, Join

from .errors import DefinitionError


@dataclass(frozen=True, slots=True)
class Output:
    """One output column of a view's query.

    `column` is its name in SQL; `names` are what a field may be called to get it, best first; `field` is
    the model field it comes from, when it is a plain column of one; `type` is PostgreSQL's name of its
    type, once known.
    """

    column: str
    names: tuple[str, ...]
    field: Field[Any, Any] | None = None
    type: str = ""


def checked_queryset(value: Any, owner: str) -> QuerySet[Any]:
    """`value` if it is a queryset that can define a view; raises DefinitionError otherwise."""
    if isinstance(value, QuerySet):
        return value
    if isinstance(value, RawQuerySet):
        raise DefinitionError(
            f"{owner}.get_queryset() returns raw().",
            code="bad-definition",
            hint="Write its text as sql instead.",
        )
    hint = "Is its return missing?" if value is None else "Return a queryset, or use sql."
    raise DefinitionError(
        f"{owner}.get_queryset() returns {type(value).__name__}, which is no queryset.",
        code="bad-definition",
        hint=hint,
    )


def compile_queryset(queryset: QuerySet[Any], using: str, owner: str) -> tuple[str, list[Output]]:
    """SQL of a queryset with no parameter left, and its outputs in order. Connects to the database `using`.

    Raises DefinitionError for a queryset that is always empty or can't be written as SQL.
    """
    query = queryset.query.clone()
    query.select_related = False  # its columns serve the related instances, not the rows
    compiler = query.get_compiler(using)
    try:
        sql, params = compiler.as_sql()
    except EmptyResultSet:
        raise DefinitionError(
            f"{owner}.get_queryset() is always empty.",
            code="empty-queryset",
            hint="Remove none(), the empty list after __in, or the condition that can never hold.",
        ) from None
    except (FieldError, NotSupportedError, FullResultSet, TypeError, ValueError) as error:
        raise DefinitionError(
            f"{owner}.get_queryset() can't be written as SQL: {error}", code="bad-queryset"
        ) from error
    # str(query) would look right and be wrong: it doesn't quote the values.
    text = connections[using].ops.compose_sql(sql, tuple(params))
    return text, [_output(expression, alias, owner) for expression, _, alias in compiler.select]


def _output(expression: Any, alias: str | None, owner: str) -> Output:
    if isinstance(expression, ColPairs):
        raise DefinitionError(
            f"{owner}.get_queryset() selects a composite primary key as one value.",
            code="composite-output",
            hint="Name its fields one by one in values().",
        )
    field = expression.target if isinstance(expression, Col) else None
    if alias is not None:
        return Output(alias, (alias,), field)
    if field is None:
        raise DefinitionError(
            f"{owner}.get_queryset() has an output without a name: {expression!r}.",
            code="nameless-output",
            hint="Give it a name, values(name=…) or annotate(name=…).",
        )
    names = dict.fromkeys((field.name, field.attname, field.column))
    return Output(field.column, tuple(names), field)


def walk(node: Any) -> Iterator[Any]:
    """Every query and expression inside a query, itself included."""
    pending, seen = [node], set()
    while pending:
        node = pending.pop()
        if id(node) in seen or isinstance(node, str | type(None)):
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, Query):
            pending += [node.where, *node.annotations.values(), *node.combined_queries, *node.order_by]
            pending += [
                getattr(relation, "resolved_condition", None)
                for relation in getattr(node, "_filtered_relations", {}).values()
            ]
        elif hasattr(node, "get_source_expressions"):
            pending += node.get_source_expressions()
        elif hasattr(node, "children"):
            pending += [child for child in node.children if not isinstance(child, tuple)]


def referenced_tables(queryset: QuerySet[Any]) -> set[str]:
    """`db_table` of everything the queryset reads, subqueries included."""
    tables = set()
    for node in walk(queryset.query):
        if isinstance(node, Query):
            # A join that turned out needless stays in the map with no references; FROM leaves it out.
            live = {
                source.table_name
                for alias, source in node.alias_map.items()
                if node.alias_refcount.get(alias) and isinstance(source, BaseTable | Join)
            }
            if not live and node.model is not None and not node.combinator:
                live = {node.model._meta.db_table}
            tables |= live | set(node.extra_tables)
    return tables


def time_literals(queryset: QuerySet[Any]) -> list[datetime.date]:
    """Dates and timestamps written into the query, in a stable order."""
    found: list[datetime.date] = []
    for node in walk(queryset.query):
        for value in (getattr(node, "value", None), getattr(node, "rhs", None)):
            for item in value if isinstance(value, list | tuple) else (value,):
                if isinstance(item, datetime.date):
                    found.append(item)
    return found


def model_label(table: str, models: dict[str, type[Model]]) -> str:
    """`app.Model` of a table, or the table's own name when no model has it."""
    model = models.get(table)
    return model._meta.label if model else table
