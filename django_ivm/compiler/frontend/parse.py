"""SQL text → one SELECT node, or a clear refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pglast import ast, parse_sql
from pglast.parser import ParseError
from pglast.visitors import Visitor


class BadDefinition(Exception):
    """The text isn't one query that only reads. `position` is an offset into it, or None."""

    def __init__(self, message: str, hint: str = "", position: int | None = None) -> None:
        super().__init__(message)
        self.message, self.hint, self.position = message, hint, position


class _Writes(Visitor):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.found: tuple[str, int | None] | None = None
        self.parameter: int | None = None

    def _note(self, what: str, node: Any) -> None:
        self.found = self.found or (what, getattr(node, "location", None))

    def visit_InsertStmt(self, ancestors: Any, node: Any) -> None:
        self._note("INSERT", node.relation)

    def visit_UpdateStmt(self, ancestors: Any, node: Any) -> None:
        self._note("UPDATE", node.relation)

    def visit_DeleteStmt(self, ancestors: Any, node: Any) -> None:
        self._note("DELETE", node.relation)

    def visit_MergeStmt(self, ancestors: Any, node: Any) -> None:
        self._note("MERGE", node.relation)

    def visit_IntoClause(self, ancestors: Any, node: Any) -> None:
        self._note("SELECT INTO", node.rel)

    def visit_ParamRef(self, ancestors: Any, node: ast.ParamRef) -> None:
        self.parameter = node.location


@dataclass(frozen=True, slots=True)
class Parsed:
    """One parsed query: its node and the text it came from, without a closing semicolon."""

    node: Any
    text: str


def parse_query(text: str) -> Parsed:
    """Parse a view's definition.

    Raises BadDefinition for text that doesn't parse, several statements, a statement that writes, a parameter.
    """
    if "\x00" in text:
        raise BadDefinition("the query contains a NUL byte", "Remove it.")
    try:
        statements = parse_sql(text)
    except ParseError as error:
        message, position = error.args[0], error.args[1] if len(error.args) > 1 else None
        hint = "Write a literal instead of the parameter." if "%" in text else "Correct the SQL."
        raise BadDefinition(f"the query doesn't parse: {message}", hint, position) from error
    if not statements:
        raise BadDefinition("the query is empty", "Write one SELECT.")
    if len(statements) > 1:
        raise BadDefinition(
            f"the definition has {len(statements)} statements", "Write one SELECT.", statements[1].stmt_location
        )
    node = statements[0].stmt
    if not isinstance(node, ast.SelectStmt):
        raise BadDefinition(
            f"the definition is a {type(node).__name__.removesuffix('Stmt').upper()}, not a query",
            "A view is one SELECT.",
        )
    writes = _Writes()
    writes(statements)
    if writes.found:
        what, position = writes.found
        raise BadDefinition(f"the query writes ({what})", "A view only reads.", position)
    if writes.parameter is not None:
        raise BadDefinition("the query has a parameter left over", "Write its value into the query.", writes.parameter)
    return Parsed(node, text.strip().rstrip(";").rstrip())


def referenced_relations(text: str) -> list[tuple[str | None, str]]:
    """Relations that the text names, (schema or None, name), CTE names left out."""
    parsed = parse_query(text)
    found: dict[tuple[str | None, str], None] = {}
    _collect(parsed.node, frozenset(), found)
    return list(found)


def _collect(node: Any, ctes: frozenset[str], found: dict[tuple[str | None, str], None]) -> None:
    if isinstance(node, list | tuple):
        for item in node:
            _collect(item, ctes, found)
    elif isinstance(node, ast.RangeVar):
        if node.schemaname is not None or node.relname not in ctes:
            found[node.schemaname, node.relname] = None
    elif isinstance(node, ast.Node):
        clause = getattr(node, "withClause", None)
        if clause is not None:
            ctes = ctes | {cte.ctename for cte in clause.ctes}
        for name in node:
            _collect(getattr(node, name), ctes, found)
