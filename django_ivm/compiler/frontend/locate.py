"""Where in the user's own text a refused construct stands.

The canonical text is PostgreSQL's, so its positions mean nothing to the user: the construct is looked for again in
the tree of what the user wrote.
"""

from __future__ import annotations

from typing import Any

from pglast import ast, parse_sql
from pglast.parser import ParseError

# What a refusal may ask for -> the node that shows it.
_FINDERS = {
    "JOIN": lambda n: isinstance(n, ast.JoinExpr) and n.jointype.value != 0,
    "SUBQUERY": lambda n: isinstance(n, ast.SubLink),
    "WINDOW": lambda n: isinstance(n, ast.FuncCall) and n.over is not None,
    "SETOP": lambda n: isinstance(n, ast.SelectStmt) and n.op.value in (2, 3),
    "GROUPING": lambda n: isinstance(n, ast.GroupingSet | ast.GroupingFunc),
    "DISTINCT_ON": lambda n: isinstance(n, ast.SelectStmt) and bool(n.distinctClause) and n.distinctClause[0],
    "RECURSIVE": lambda n: isinstance(n, ast.WithClause) and n.recursive,
    "LATERAL": lambda n: isinstance(n, ast.RangeSubselect | ast.RangeFunction) and n.lateral,
    "VALUES": lambda n: isinstance(n, ast.SelectStmt) and bool(n.valuesLists),
    "SRF": lambda n: isinstance(n, ast.RangeFunction),
    "SAMPLE": lambda n: isinstance(n, ast.RangeTableSample),
    "LOCKING": lambda n: isinstance(n, ast.LockingClause),
    "LIMIT": lambda n: isinstance(n, ast.SelectStmt) and (n.limitCount or n.limitOffset),
    "ORDER": lambda n: isinstance(n, ast.SortBy),
    "CURRENT": lambda n: isinstance(n, ast.SQLValueFunction),
    "CAST": lambda n: isinstance(n, ast.TypeCast),
}


def position_of(user_sql: str, find: str) -> int | None:
    """Offset of a construct in the user's text: `find` is one of the kinds above, `func:name`, `table:name`,
    `column:name` or any text. None when it can't be found."""
    if not user_sql:
        return None
    try:
        tree = parse_sql(user_sql)
    except ParseError:
        return None
    kind, _, name = find.partition(":")
    if kind == "func":
        test = lambda n: isinstance(n, ast.FuncCall) and n.funcname[-1].sval == name  # noqa: E731
    elif kind == "table":
        test = lambda n: isinstance(n, ast.RangeVar) and n.relname == name  # noqa: E731
    elif kind == "column":
        test = lambda n: (  # noqa: E731
            isinstance(n, ast.ColumnRef)
            and isinstance(n.fields[-1], ast.String)
            and n.fields[-1].sval == name
        )
    elif find in _FINDERS:
        test = _FINDERS[find]
    else:
        at = user_sql.lower().find(find.lower())
        return at if at >= 0 else None
    return _search(tree, test)


def _search(node: Any, test: Any) -> int | None:
    if isinstance(node, list | tuple):
        for item in node:
            if (found := _search(item, test)) is not None:
                return found
        return None
    if not isinstance(node, ast.Node):
        return None
    if test(node):
        return _first_location(node)
    for name in node:
        if (found := _search(getattr(node, name), test)) is not None:
            return found
    return None


def _first_location(node: Any) -> int | None:
    """The node's own position, or the least one inside it."""
    own = getattr(node, "location", None)
    if isinstance(own, int) and own >= 0:
        return own
    found: list[int] = []
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, list | tuple):
            stack.extend(item)
        elif isinstance(item, ast.Node):
            at = getattr(item, "location", None)
            if isinstance(at, int) and at >= 0:
                found.append(at)
            stack.extend(getattr(item, name) for name in item)
    return min(found, default=None)


def place(user_sql: str, position: int | None) -> str:
    """`line 2, column 7: the text there`, or an empty string."""
    if position is None or not user_sql:
        return ""
    before = user_sql[:position]
    line = before.count("\n") + 1
    column = position - (before.rfind("\n") + 1) + 1
    rest = user_sql[position:].split("\n", 1)[0].strip()
    shown = rest if len(rest) <= 60 else rest[:57] + "…"
    return f"line {line}, column {column}: {shown}"
