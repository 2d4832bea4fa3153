"""Scalars: row-local expressions, held as printed text over the columns of one relation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pglast import ast, parse_sql
from pglast.parser import scan
from pglast.visitors import Visitor

from ..pg import sql as q
from ..pg.catalog import UNKNOWN, Type
from ..pg.print import parse_expression_shared


class _ColumnReferences(Visitor):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []

    def visit_ColumnRef(self, ancestors: Any, node: ast.ColumnRef) -> None:
        self.found.append((node.location, node.fields[-1].sval))


_PREFIX = "SELECT "


@lru_cache(maxsize=8192)
def _references(text: str) -> tuple[tuple[int, int, str], ...]:
    """(start, end, name) of each column reference, as offsets into the text."""
    statement = _PREFIX + text
    visitor = _ColumnReferences()
    visitor(parse_sql(statement))
    ends = {token.start: token.end + 1 for token in scan(statement)}
    return tuple((start - len(_PREFIX), ends[start] - len(_PREFIX), name) for start, name in sorted(visitor.found))


def _splice(text: str, table: Mapping[str, str]) -> str:
    """Replace columns in place; a replacement that isn't a plain name gets parentheses."""
    out: list[str] = []
    at = 0
    for start, end, name in _references(text):
        new = table.get(name)
        if new is None:
            continue
        plain = isinstance(parse_expression_shared(new), ast.ColumnRef)
        out += [text[at:start], new if plain else f"({new})"]
        at = end
    return "".join([*out, text[at:]])


@dataclass(frozen=True, slots=True)
class Scalar:
    """An expression over the columns of its input, and its type.

    `text` names columns without a qualifier: the columns of one relation are unique.
    """

    text: str
    type: Type = UNKNOWN
    not_null: bool = False

    @property
    def node(self) -> Any:
        return parse_expression_shared(self.text)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns it reads, in order of first use."""
        return tuple(dict.fromkeys(name for _, _, name in _references(self.text)))

    @property
    def column(self) -> str | None:
        """The column's name when the expression is nothing but a column."""
        node = self.node
        return node.fields[-1].sval if isinstance(node, ast.ColumnRef) else None

    def substitute(self, table: Mapping[str, str]) -> Scalar:
        """The same expression with columns replaced by other expressions' text."""
        if not any(name in table for name in self.columns):
            return self
        return Scalar(_splice(self.text, table), self.type, self.not_null)

    def rename(self, table: Mapping[str, str]) -> Scalar:
        """The same expression over renamed columns."""
        return self.substitute({old: q.ident(new).text for old, new in table.items()})

    def sql(self) -> q.Fragment:
        return q.Fragment(self.text)

    def __str__(self) -> str:
        return self.text


def column_scalar(name: str, type_: Type, not_null: bool = False) -> Scalar:
    """A scalar that is one column."""
    return Scalar(q.ident(name).text, type_, not_null)


def qualify(scalar: Scalar, relation: str) -> q.Fragment:
    """The expression with every column qualified by a table alias."""
    return scalar.substitute({name: q.column(relation, name).text for name in scalar.columns}).sql()
