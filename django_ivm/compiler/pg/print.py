"""The one printer of parsed expressions.

Every nested operation gets its own parentheses, so that no precedence rule of the grammar matters, and what was
printed is parsed again and compared with the tree it came from.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pglast import ast, parse_sql
from pglast.stream import RawStream

from ..errors import CompileError

_WRAPPED = (
    ast.A_Expr, ast.BoolExpr, ast.NullTest, ast.BooleanTest, ast.CollateClause, ast.CaseExpr, ast.A_Indirection,
)  # fmt: skip
_POSITIONS = {"location", "list_start", "list_end", "rexpr_list_start", "rexpr_list_end", "funcformat",
              "stmt_location", "stmt_len", "name_location", "type_location", "arg_location"}  # fmt: skip


class _Careful(RawStream):  # type: ignore[misc]
    """A stream that puts parentheses round each operation within an operation."""

    depth = 0

    def print_node(self, node: Any, is_name: bool = False, is_symbol: bool = False) -> None:
        if not isinstance(node, _WRAPPED):
            super().print_node(node, is_name=is_name, is_symbol=is_symbol)
            return
        self.depth += 1
        if self.depth > 1:
            self.write("(")
        super().print_node(node, is_name=is_name, is_symbol=is_symbol)
        if self.depth > 1:
            self.write(")")
        self.depth -= 1


def structure(node: Any) -> Any:
    """A node without positions, for comparison."""
    if isinstance(node, ast.Node):
        return (
            type(node).__name__,
            *((k, structure(getattr(node, k))) for k in node if k not in _POSITIONS and getattr(node, k) is not None),
        )
    if isinstance(node, tuple | list):
        return tuple(structure(item) for item in node)
    return node


@lru_cache(maxsize=8192)
def parse_expression_shared(text: str) -> Any:
    """The node of an expression's text; shared, so it must not be changed."""
    return parse_sql("SELECT " + text)[0].stmt.targetList[0].val


def print_expression(node: Any) -> str:
    """The text of an expression.

    Raises CompileError when the text would not parse to the same tree.
    """
    statement = ast.SelectStmt(targetList=(ast.ResTarget(val=node),))
    text = str(_Careful()(statement)).removeprefix("SELECT ").strip()
    if structure(parse_expression_shared(text)) != structure(node):
        raise CompileError(f"the expression prints as {text!r}, which reads differently")
    return text
