"""Expressions that have a value for any values of their columns."""

from __future__ import annotations

from pglast import ast


def total(node: object, bases: dict[str, str]) -> bool:
    """The expression has a value, or NULL, for all values of its columns: it never raises."""
    if isinstance(node, ast.ColumnRef | ast.A_Const):
        return True
    if isinstance(node, ast.TypeCast):
        arg = node.arg
        return isinstance(arg, ast.A_Const) or (
            node.typeName.names[-1].sval == "numeric" and not node.typeName.typmods and total(arg, bases)
            and _is_number(arg, bases)
        )  # fmt: skip
    if isinstance(node, ast.CoalesceExpr):
        return all(total(item, bases) for item in node.args)
    if isinstance(node, ast.NullTest | ast.BooleanTest):
        return total(node.arg, bases)
    if isinstance(node, ast.BoolExpr):
        return all(total(item, bases) for item in node.args)
    if isinstance(node, ast.A_Expr) and node.kind.name == "AEXPR_OP" and node.lexpr is not None:
        operator = node.name[-1].sval
        both = total(node.lexpr, bases) and total(node.rexpr, bases)
        if operator in ("=", "<>", "<", "<=", ">", ">="):
            return both
        if operator in ("+", "-", "*"):
            return both and _is_numeric(node.lexpr, bases) and _is_numeric(node.rexpr, bases)
    return False


def _is_number(node: object, bases: dict[str, str]) -> bool:
    return isinstance(node, ast.ColumnRef) and bases.get(node.fields[-1].sval) in ("int2", "int4", "int8", "numeric")


def _is_numeric(node: object, bases: dict[str, str]) -> bool:
    """Arithmetic in numeric can't overflow for sums; in integers it can."""
    if isinstance(node, ast.ColumnRef):
        return bases.get(node.fields[-1].sval) == "numeric"
    if isinstance(node, ast.TypeCast):
        return bool(node.typeName.names[-1].sval == "numeric")
    if isinstance(node, ast.A_Expr):
        return _is_numeric(node.lexpr, bases) and _is_numeric(node.rexpr, bases)
    if isinstance(node, ast.CoalesceExpr):
        return all(_is_numeric(item, bases) for item in node.args)
    return False
