"""Whether NULL columns make an expression NULL, or keep a condition from being true."""

from __future__ import annotations

from typing import Any

from pglast import ast

# Operators of PostgreSQL's own whose functions are strict whatever the types (array concatenation, for one, isn't).
_STRICT = frozenset(["+", "-", "*", "/", "%", "=", "<>", "<", ">", "<=", ">=", "~~", "!~~", "~~*", "!~~*"])


def strict(node: Any, columns: frozenset[str]) -> bool:
    """NULL in all these columns makes the expression NULL."""
    if isinstance(node, ast.ColumnRef):
        return node.fields[-1].sval in columns
    if isinstance(node, ast.A_Const):
        return bool(node.isnull)
    if isinstance(node, ast.TypeCast):
        return strict(node.arg, columns)
    if isinstance(node, ast.A_Expr) and len(node.name) == 1 and node.name[0].sval in _STRICT:
        if node.kind.name == "AEXPR_OP":
            return any(strict(side, columns) for side in (node.lexpr, node.rexpr) if side is not None)
        return node.kind.name == "AEXPR_OP_ANY" and strict(node.lexpr, columns)
    return False


def rejects(node: Any, columns: frozenset[str]) -> bool:
    """The condition isn't true when all these columns are NULL."""
    if strict(node, columns):
        return True
    if isinstance(node, ast.BoolExpr):
        parts = [rejects(part, columns) for part in node.args]
        if node.boolop.name == "AND_EXPR":
            return any(parts)
        if node.boolop.name == "OR_EXPR":
            return all(parts)
        return strict(node.args[0], columns)
    if isinstance(node, ast.NullTest):
        return node.nulltesttype.name == "IS_NOT_NULL" and strict(node.arg, columns)
    return False
