"""What every installation script must satisfy, whatever the view."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pglast
from pglast.parser import scan

from django_ivm.compiler import Installation
from django_ivm.compiler.pg.names import LIMIT

_QUOTED = re.compile(r"EXECUTE \$(ivm_q\w*)\$(.*?)\$\1\$", re.DOTALL)
_FUNCTION = re.compile(r"\s*CREATE OR REPLACE FUNCTION\b")


class BadScript(AssertionError):
    """A statement that PostgreSQL would refuse or cut, without being asked."""


def dynamic(text: str) -> list[str]:
    """Statements that a function runs with EXECUTE, which PostgreSQL parses only when they run."""
    return [match.group(2) for match in _QUOTED.finditer(text)]


def long_names(text: str) -> Iterator[str]:
    """Identifiers that PostgreSQL would cut."""
    for token in scan(text):
        if token.name in ("IDENT", "UIDENT"):
            name = text[token.start : token.end + 1].strip('"').replace('""', '"')
            if len(name.encode()) > LIMIT:
                yield name


def check_script(installation: Installation) -> None:
    """Every statement, function body and dynamic statement parses; no name is too long."""
    for text in installation.statements():
        try:
            pglast.parse_sql(text)
            if _FUNCTION.match(text):
                pglast.parse_plpgsql(text)
            for inner in dynamic(text):
                pglast.parse_sql(inner)
        except pglast.parser.ParseError as error:
            raise BadScript(f"{error}\n{text}") from error
        for name in long_names(text):
            raise BadScript(f"{name!r} is longer than {LIMIT} bytes")
