"""The intermediate representation: frozen relations over signed bags.

A relation is a bag of rows; each row carries an integer weight, so that a relation stands for a table, for a change
of it (−1 for a row gone, +1 for a row come) and for its state before the change (the rows now, and the change with
its sign turned). Emission is the same for all three: the leaves differ.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..pg import sql as q
from ..pg.catalog import TableInfo, Type
from .dependencies import Dependency, closure
from .scalar import Scalar

if TYPE_CHECKING:
    from ..operators.scan import Scan


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
Tables = dict[tuple[str, str], TableInfo]


class Deltas(Protocol):
    """What an operator's delta rule may ask for: changes of its inputs and their state before."""

    def of(self, relation: Relation) -> Relation | None:
        """The change of a relation; None when it can't have changed."""

    def before(self, relation: Relation) -> Relation:
        """The relation before the change; itself when it can't have changed."""


@dataclass(frozen=True)
class Keyed:
    """A relation that carries a unique key among its columns."""

    relation: Relation
    key: tuple[str, ...]


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

    # Facts that an operator states where the default isn't its own.

    @property
    def references(self) -> frozenset[str]:
        """Columns that the operator's own expressions read, of its inputs or of an outer query."""
        return frozenset()

    @property
    def conditions_between(self) -> tuple[Scalar, ...]:
        """Conditions that tie the inputs together, for the choice of lock buckets."""
        return ()

    @property
    def exclusive(self) -> tuple[Relation, ...]:
        """Inputs whose writers must exclude each other too, beside those of other inputs."""
        return ()

    @property
    def reversing(self) -> tuple[Relation, ...]:
        """Inputs of which a row that comes may take rows of this relation away."""
        return ()

    def delta(self, deltas: Deltas) -> Relation | None:
        """The change, given the inputs' changes. The default is the rule of linear operators of one input."""
        (child,) = self.children
        below = deltas.of(child)
        return None if below is None else self.with_children((below,))

    def prune(self, used: frozenset[str]) -> Relation:
        """The operator without what nobody reads of its inputs; its own columns in `used` stay."""
        wanted = used | self.references
        return self.with_children(tuple(child.prune(wanted & frozenset(child.names)) for child in self.children))

    def unique_sets(self) -> list[frozenset[str]]:
        """Sets of columns of which no two rows agree, among the relation's own columns (NULLs counting as equal)."""
        return []

    @property
    def one_row(self) -> bool:
        """It has exactly one row, whatever the tables hold."""
        return False

    def dependencies(self) -> list[Dependency]:
        """Functional dependencies among the relation's columns, as far as they are known."""
        return [dependency for child in self.children for dependency in child.dependencies()]

    def identified_by(self, columns: frozenset[str]) -> bool:
        """No two rows agree in these columns, or in what they settle."""
        settled = closure(columns, self.dependencies())
        return any(unique <= settled for unique in self.unique_sets())

    def with_key(self, tables: Tables) -> Keyed | None:
        """The relation with key columns added where they weren't kept; None when duplicates may be."""
        return None

    def origin(self, name: str, *, outer: bool = False) -> tuple[Scan, str] | None:
        """The scan and its output column that a column is a plain copy of; with `outer` also where an outer join may
        have put NULL instead."""
        return None

    # What follows is shared by all operators.

    @property
    def free(self) -> frozenset[str]:
        """Columns of an outer query that are read inside."""
        own = {name for child in self.children for name in child.names}
        below = frozenset(name for child in self.children for name in child.free)
        return (self.references | below) - own

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
