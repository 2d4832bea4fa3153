"""Querysets of views: they only read, and `fresh()` reads what is pending too."""

from __future__ import annotations

from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import models
from django.db.models.sql import Query
from django.db.models.sql.datastructures import BaseTable

from .errors import IVMError

_T = TypeVar("_T", bound=models.Model)
_Self = TypeVar("_Self", bound="FreshQuerySet[Any]")


class ResidualTable(BaseTable):
    """Another relation in the place of a model's table, with the same columns."""

    def __init__(self, table_name: str, alias: str, relation: str) -> None:
        super().__init__(table_name, alias)
        self.relation = relation  # quoted and qualified

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return f"{self.relation} {compiler.quote_name_unless_alias(self.table_alias)}", []

    def relabeled_clone(self, change_map: dict[str, str]) -> ResidualTable:
        alias = self.table_alias or self.table_name
        return type(self)(self.table_name, change_map.get(alias, alias), self.relation)

    @property
    def identity(self) -> tuple[Any, ...]:
        return (*super().identity, self.relation)


def relation_of(query: Query) -> str:
    """The relation that stands for the model's own table in a query, or an empty string."""
    base = query.alias_map[query.base_table] if query.base_table else None
    return base.relation if isinstance(base, ResidualTable) else ""


def read_from(query: Query, relation: str) -> None:
    """Let a query of a model read another relation than the model's table."""
    if query.combinator:
        raise IVMError(
            f"{query.get_meta().label}: fresh(drain=False) comes after {query.combinator}().",
            code="RESIDUAL",
            hint="Call it on the querysets before you combine them.",
        )
    alias = query.get_initial_alias()
    if '"' in alias:
        # A table's qualified name can't be an alias. All of them are renamed, so that they keep their order.
        query.change_aliases({old: f"F{i}" for i, old in enumerate(list(query.alias_map))})
        alias = "F0"
    query.alias_map[alias] = ResidualTable(query.alias_map[alias].table_name, alias, relation)


class FreshQuerySet(models.QuerySet[_T]):
    """A queryset of a view's rows."""

    def fresh(self: _Self, drain: bool = True) -> _Self:
        """The same rows as of now, whatever the view's mode: it is refreshed first where it has to be, and before it
        the views that it reads. That happens at the call; the rows are read later, as ever.

        With `drain=False` nothing is written: the rows of a deferred view are read with what is pending added, exactly
        as of the moment when they are read. Rows that aren't stored yet then have a key below zero where the view has
        a surrogate key, which is good for that one reading. The tables that the view is joined with are read as they
        are, itself included.

        Reads from the database that writes go to, unless `using()` names one. Raises RefreshError when refreshing
        fails; with `drain=False` IVMError (code RESIDUAL) where the view's plan doesn't allow it or it is stale.
        """
        from .definition import default_alias, handle
        from .engine.fresh import freshen, to_read

        alias = default_alias(self.model, self._db)
        view = handle(self.model, alias)
        queryset = self.using(alias)
        if drain:
            freshen(view)
        elif relation := to_read(view):
            read_from(queryset.query, relation)
        return queryset

    async def afresh(self: _Self, drain: bool = True) -> _Self:
        """`fresh()` for async code."""
        return await sync_to_async(self.fresh)(drain)

    def _merge_sanity_check(self, other: Any) -> None:
        super()._merge_sanity_check(other)  # type: ignore[misc]
        if relation_of(self.query) != relation_of(other.query):
            raise TypeError("A queryset of fresh(drain=False) can only be combined with others of its kind.")
