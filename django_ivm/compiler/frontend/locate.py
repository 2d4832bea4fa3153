"""Where in the user's own text a refused construct stands.

The canonical text is PostgreSQL's, so its positions mean nothing to the user: the construct is looked for again in
the tree of what the user wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pglast import ast, parse_sql
from pglast.parser import ParseError, scan

# What a refusal may ask for -> the keywords that show it (all in a row), for constructs whose nodes carry no position.
_KEYWORDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "LOCKING": (("FOR", "UPDATE"), ("FOR", "SHARE"), ("FOR", "NO"), ("FOR", "KEY")),
    "VALUES": (("VALUES",),),
    "LIMIT": (("LIMIT",), ("FETCH",), ("OFFSET",)),
    "ORDER": (("ORDER",),),
    "DISTINCT_ON": (("DISTINCT", "ON"),),
    "RECURSIVE": (("RECURSIVE",),),
    "SAMPLE": (("TABLESAMPLE",),),
    "LATERAL": (("LATERAL_P",), ("LATERAL",)),
    "USING": (("USING",),),
    "FROM": (("FROM",),),
}
_LAST = frozenset(["ORDER"])  # the final one is meant
# … -> the node that shows it.
_NODES: dict[str, Callable[[Any], bool]] = {
    "JOIN": lambda n: isinstance(n, ast.JoinExpr) and n.jointype.name != "JOIN_INNER",
    "SUBQUERY": lambda n: isinstance(n, ast.SubLink),
    "GROUPING": lambda n: isinstance(n, ast.GroupingSet | ast.GroupingFunc),
    "SRF": lambda n: isinstance(n, ast.RangeFunction),
    "CURRENT": lambda n: isinstance(n, ast.SQLValueFunction),
    "CAST": lambda n: isinstance(n, ast.TypeCast) and not isinstance(n.arg, ast.A_Const),
    "ROW": lambda n: isinstance(n, ast.RowExpr),
}
# kind:name -> nodes of that kind.
_NAMED: dict[str, Callable[[Any, str], bool]] = {
    "func": lambda n, name: isinstance(n, ast.FuncCall) and n.funcname[-1].sval == name,
    "table": lambda n, name: isinstance(n, ast.RangeVar) and n.relname == name,
    "view": lambda n, name: isinstance(n, ast.RangeVar) and n.relname == name,
    "column": lambda n, name: (
        isinstance(n, ast.ColumnRef) and isinstance(n.fields[-1], ast.String) and n.fields[-1].sval == name
    ),
    "op": lambda n, name: isinstance(n, ast.A_Expr) and n.name is not None and n.name[-1].sval == name,
    "node": lambda n, name: type(n).__name__ == name,
}


def position_of(user_sql: str, find: str) -> int | None:
    """Offset of a construct in the user's text; None when it can't be found.

    `find` is a name of the tables above, `kind:name` (`func:random`, `table:sale`, `column:day`, `op:<=`,
    `node:XmlExpr`), or a word.
    """
    if not user_sql or not find:
        return None
    try:
        tree, tokens = parse_sql(user_sql), scan(user_sql)
    except ParseError:
        return None
    kind, _, name = find.partition(":")
    if find in _KEYWORDS:
        found = [
            token.start
            for i, token in enumerate(tokens)
            if any(tuple(t.name for t in tokens[i : i + len(words)]) == words for words in _KEYWORDS[find])
        ]
        return (found[-1] if find in _LAST else found[0]) if found else None
    if find in _NODES:
        return _search(tree, _NODES[find])
    if name and kind in _NAMED:
        return _search(tree, lambda node: _NAMED[kind](node, name))
    return next((t.start for t in tokens if user_sql[t.start : t.end + 1].strip('"') == find), None)


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
