"""Equal subqueries share one maintained level: a CTE or a subquery that is written twice is kept once."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..ir.relation import Column, Relation
from ..ir.scalar import Scalar
from ..operators import Call, Recursive, Scan


def signature(relation: Relation) -> tuple[Any, ...]:
    """Equal for relations that differ in nothing but the names of their columns, which are unique in a query."""
    return _Signature().of(relation)


class _Signature:
    def __init__(self) -> None:
        self.numbers: dict[str, str] = {}

    def of(self, relation: Relation) -> tuple[Any, ...]:
        if isinstance(relation, Recursive):  # its step refers to its columns
            for name in relation.names:
                self.name(name)
        below = tuple(self.of(child) for child in relation.children)
        if isinstance(relation, Scan):
            columns = tuple((self.name(c.name), stored) for c, stored in relation.columns)
            return "Scan", relation.source, relation.live, columns
        children = set(map(id, relation.children))
        shown = tuple(self.name(name) for name in relation.names)
        fields = tuple(
            self.value(getattr(relation, field.name))
            for field in dataclasses.fields(relation)
            if id(getattr(relation, field.name)) not in children and not self._all_children(relation, field.name)
        )
        return type(relation).__name__, fields, below, shown

    @staticmethod
    def _all_children(relation: Relation, field: str) -> bool:
        return getattr(relation, field) == relation.children and bool(relation.children)

    def name(self, column: str) -> str:
        return self.numbers.setdefault(column, f"ivm_c{len(self.numbers)}")

    def value(self, value: Any) -> Any:
        if isinstance(value, Scalar):
            return value.substitute({name: self.name(name) for name in value.columns}).text, value.type.sql
        if isinstance(value, Call):
            return value.function, value.distinct, self.value(Scalar(value.text, value.type))
        if isinstance(value, Column):
            return self.name(value.name), value.type.sql
        if isinstance(value, tuple):
            return tuple(self.value(part) for part in value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return type(value).__name__, tuple(
                self.value(getattr(value, field.name)) for field in dataclasses.fields(value)
            )
        if isinstance(value, str):  # a column's name, or a word of the operator's own, which can't be a number's
            return self.numbers.get(value, value)
        return repr(value)
