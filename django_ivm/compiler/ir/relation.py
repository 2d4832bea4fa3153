"""The intermediate representation: frozen relations over signed bags.

A relation is a bag of rows; each row carries an integer weight, so that a relation stands for a table, for a change
of it (−1 for a row gone, +1 for a row come) and for its state before the change (the rows now, and the change with
its sign turned). Emission is the same for all three: the leaves differ.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..pg import sql as q
from ..pg.catalog import Type


class Kind(enum.Enum):
    """How an operator's change follows from its inputs' changes."""

    LINEAR = "linear"  # Δ op(R) = op(ΔR)
    BILINEAR = "bilinear"  # telescoping over the inputs
    STATEFUL = "stateful"  # needs a stored table of its own


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a relation."""

    name: str
    type: Type
    not_null: bool = False


@dataclass(frozen=True, slots=True)
class Compiled:
    """A relation as SQL: a SELECT with the relation's columns and, when `weighted`, the column `ivm_w`."""

    select: q.Fragment
    weighted: bool = False


WEIGHT = "ivm_w"
Leaf = Callable[["Relation"], Compiled]


@dataclass(frozen=True)
class Relation:
    """Base of all operators. Subclasses define the fields, `schema`, `children`, `with_children`, `to_select`."""

    kind = Kind.LINEAR

    @property
    def schema(self) -> tuple[Column, ...]:
        raise NotImplementedError

    @property
    def children(self) -> tuple[Relation, ...]:
        return ()

    def with_children(self, children: tuple[Relation, ...]) -> Relation:
        """The same operator over other inputs of the same schema."""
        raise NotImplementedError

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        """SQL of this operator over its inputs' SQL."""
        raise NotImplementedError

    def describe(self) -> str:
        """One line for `explain`, without the inputs."""
        raise NotImplementedError

    # What follows is shared by all operators.

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.schema)

    def column(self, name: str) -> Column:
        for candidate in self.schema:
            if candidate.name == name:
                return candidate
        raise KeyError(name)

    def walk(self) -> Iterator[Relation]:
        """This relation and all below, inputs first."""
        for child in self.children:
            yield from child.walk()
        yield self

    def map_leaves(self, change: Callable[[Relation], Relation]) -> Relation:
        """A copy with every leaf replaced."""
        if not self.children:
            return change(self)
        return self.with_children(tuple(child.map_leaves(change) for child in self.children))

    def __str__(self) -> str:
        return "\n".join(_tree(self))


def _tree(relation: Relation, indent: str = "") -> Iterator[str]:
    yield f"{indent}{relation.describe()}"
    for child in relation.children:
        yield from _tree(child, indent + "  ")


def emit(relation: Relation, leaf: Leaf | None = None) -> Compiled:
    """SQL of a relation; `leaf` says what each leaf reads (its table, its change, its state before the change)."""
    if not relation.children:
        return leaf(relation) if leaf else relation.to_select(())
    return relation.to_select(tuple(emit(child, leaf) for child in relation.children))


def subquery(compiled: Compiled, alias: str) -> q.Fragment:
    """`(SELECT …) alias` for a FROM clause."""
    return q.sql("({select}) {alias}", select=compiled.select, alias=q.ident(alias))


def weight_column(weighted: bool) -> list[q.Fragment]:
    """`, ivm_w` in a select list that passes the weight on."""
    return [q.ident(WEIGHT)] if weighted else []
