"""A small typed SQL builder: text is composed from fragments only, never from bare strings.

A template is a constant of ours; its `{holes}` take `Fragment` values (or sequences of them, joined by commas).
User text enters only as an identifier, a literal or a scalar that the parser printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pglast import keywords

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*\Z")
_QUOTED_WORDS = keywords.RESERVED_KEYWORDS | keywords.TYPE_FUNC_NAME_KEYWORDS | keywords.COL_NAME_KEYWORDS
_HOLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of SQL that is safe to print as it stands."""

    text: str

    def __str__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        return bool(self.text)


Part = Fragment | Iterable[Fragment]


def sql(template: str, /, **parts: Part) -> Fragment:
    """Fill the holes of a constant template.

    >>> sql("SELECT {columns} FROM {table}", columns=[ident("a"), ident("Order")], table=ident("t")).text
    'SELECT a, "Order" FROM t'
    """

    def fill(match: re.Match[str]) -> str:
        part = parts[match.group(1)]
        return part.text if isinstance(part, Fragment) else ", ".join(p.text for p in part)

    return Fragment(_HOLE.sub(fill, template))


def join(separator: str, parts: Iterable[Fragment]) -> Fragment:
    """Fragments with a constant separator between them."""
    return Fragment(separator.join(p.text for p in parts))


def ident(name: str) -> Fragment:
    """An identifier, quoted where PostgreSQL needs it."""
    if _PLAIN.match(name) and name not in _QUOTED_WORDS:
        return Fragment(name)
    return Fragment('"' + name.replace('"', '""') + '"')


def qualified(schema: str, name: str) -> Fragment:
    """schema.name, each quoted where needed."""
    return Fragment(f"{ident(schema)}.{ident(name)}")


def column(relation: str, name: str) -> Fragment:
    """relation.column for a table alias of ours."""
    return qualified(relation, name)


def literal(value: str | int | bool | None) -> Fragment:
    """A constant. Strings with a backslash use the escape form, so that no server setting changes them."""
    if value is None:
        return Fragment("NULL")
    if isinstance(value, bool):
        return Fragment("true" if value else "false")
    if isinstance(value, int):
        return Fragment(str(value))
    quoted = value.replace("'", "''")
    if "\\" in quoted:
        return Fragment("E'" + quoted.replace("\\", "\\\\") + "'")
    return Fragment(f"'{quoted}'")


def equal(left: Fragment, right: Fragment, *, nullable: bool, operator: str = "=", composite: bool = False) -> Fragment:
    """Key equality that can use an index: NULL keys are equal, and `IS NOT DISTINCT FROM` never uses one."""
    same = sql("{l} {o} {r}", l=left, o=Fragment(operator), r=right)
    if not nullable:
        return same
    return sql(
        "({s} OR ({l} AND {r}))", s=same, l=is_null(left, composite=composite), r=is_null(right, composite=composite)
    )


def is_null(value: Fragment, *, composite: bool = False) -> Fragment:
    """The value is NULL; `IS NULL` says so too of a composite value whose fields are all NULL."""
    return sql("{v} IS NOT DISTINCT FROM NULL" if composite else "{v} IS NULL", v=value)


def conjunction(parts: Iterable[Fragment]) -> Fragment:
    """`a AND b …`; true for none."""
    return join(" AND ", parts) or Fragment("true")


EMPTY = Fragment("")
