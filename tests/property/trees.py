"""What drawn queries are made of: FROM items with their columns and keys, and whole queries."""

from __future__ import annotations

from dataclasses import dataclass, field

from .expressions import EXACT, INTEGERS, Field
from .schemas import Table, quoted

JOINABLE = (*EXACT, "free", "float")
# Equal values of two such columns look alike, whatever their types: fit for set operations that compare rows.
COMPARED = tuple(tag for tag in EXACT if tag != "fixed")


@dataclass(frozen=True)
class Source:
    """What a FROM clause may name: its columns and, if known, which of them no two rows agree in.

    A key of no columns stands for at most one row.
    """

    sql: str
    fields: tuple[Field, ...]
    key: tuple[str, ...] | None = None
    references: tuple[tuple[str, str], ...] = ()  # (own column, source it refers to by its key)


@dataclass(frozen=True)
class Query:
    sql: str
    fields: tuple[Field, ...]
    key: tuple[str, ...] | None = None


@dataclass
class Item:
    """One relation of a FROM clause under its alias."""

    alias: str
    source: Source

    def column(self, name: str) -> str:
        return f"{self.alias}.{name}"

    def columns(self) -> list[Field]:
        return [Field(self.column(f.sql), f.tag) for f in self.source.fields]


@dataclass
class From:
    """A FROM clause; `where` holds the join conditions that stand in WHERE."""

    text: str
    items: list[Item]
    where: list[str] = field(default_factory=list)
    merged: list[Field] = field(default_factory=list)  # columns that USING made of two

    @property
    def fields(self) -> list[Field]:
        return [f for item in self.items for f in item.columns()] + self.merged

    @property
    def keys(self) -> list[str] | None:
        """Columns that no two rows agree in, NULLs of outer joins counted as equal; None when there are none."""
        if any(item.source.key is None for item in self.items):
            return None
        return [item.column(name) for item in self.items for name in item.source.key or ()]

    def tail(self, *more: str) -> str:
        where = [*self.where, *more]
        return f" FROM {self.text}" + (f" WHERE {' AND '.join(where)}" if where else "")


def source_of(table: Table) -> Source:
    """A table as a FROM item."""
    fields = tuple(Field(c.sql, c.kind.tag) for c in table.columns)
    references = tuple((quoted(r.column), quoted(r.parent)) for r in table.references)
    return Source(table.sql, fields, tuple(map(quoted, table.key)) or None, references)


def alike(a: str, b: str) -> bool:
    """Columns of the two tags can be compared by `=`."""
    return a in JOINABLE and (a == b or (a in INTEGERS and b in INTEGERS))


def pairs(left: list[Field], right: list[Field]) -> list[tuple[Field, Field]]:
    """Columns of two relations that can be compared."""
    return [(a, b) for a in left for b in right if alike(a.tag, b.tag)]


def named(outputs: list[Field]) -> list[Field]:
    return [Field(output_name(i), output.tag) for i, output in enumerate(outputs)]


def listed(outputs: list[Field]) -> str:
    return ", ".join(f"{output.sql} AS {output_name(i)}" for i, output in enumerate(outputs))


def output_name(number: int) -> str:
    """The name of an output; some need quotes."""
    return {1: '"Ö 2"', 3: '"user"'}.get(number, f"o{number + 1}")
