"""Digits after the point of a numeric expression, where every value has the same number of them.

PostgreSQL keeps no scale for an expression's type, but sums of one scale are text-exact and sums of mixed scales are
not: 1.10 + 2.2 − 1.10 shows 2.20. Rules as in numeric.c: + and − take the larger scale, × adds them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pglast import ast

ScaleOf = Callable[[str], int | None]  # of a column


def scale(node: Any, column_scale: ScaleOf) -> int | None:
    """The scale that each non-null value of the expression has; None when it may vary."""
    if isinstance(node, ast.ColumnRef):
        return column_scale(node.fields[-1].sval)
    if isinstance(node, ast.A_Const):
        return _constant(node)
    if isinstance(node, ast.TypeCast):
        return _cast(node, column_scale)
    if isinstance(node, ast.A_Expr):
        return _operation(node, column_scale)
    if isinstance(node, ast.CoalesceExpr | ast.MinMaxExpr):
        return _same([scale(item, column_scale) for item in node.args if not _is_null(item)])
    if isinstance(node, ast.CaseExpr):
        branches = [when.result for when in node.args] + ([node.defresult] if node.defresult else [])
        return _same([scale(item, column_scale) for item in branches if not _is_null(item)])
    if isinstance(node, ast.FuncCall) and node.args:
        name = node.funcname[-1].sval
        if name == "abs" and len(node.args) == 1:
            return scale(node.args[0], column_scale)
        if name in ("extract", "date_part") and len(node.args) == 2:
            return _extracted(node.args[0])
        if name in ("round", "trunc") and len(node.args) == 2:
            digits = node.args[1]
            if isinstance(digits, ast.A_Const) and isinstance(digits.val, ast.Integer):
                return max(int(digits.val.ival), 0)
    return None


def _extracted(field: Any) -> int | None:
    """EXTRACT gives whole numbers but for fields that hold a fraction of a second or a day."""
    value = getattr(field, "val", None)
    if not isinstance(value, ast.String):
        return None
    return None if value.sval.lower().startswith(("s", "mil", "mic", "ms", "us", "usec", "msec", "epoch", "j")) else 0


def _is_null(node: Any) -> bool:
    while isinstance(node, ast.TypeCast):
        node = node.arg
    return isinstance(node, ast.A_Const) and bool(node.isnull)


def _same(scales: list[int | None]) -> int | None:
    return scales[0] if scales and all(s == scales[0] for s in scales) else None


def _constant(node: ast.A_Const) -> int | None:
    value = node.val
    if isinstance(value, ast.Integer):
        return 0
    if isinstance(value, ast.Float):
        text = value.fval.lower()
        return len(text.partition(".")[2]) if "e" not in text else None
    if isinstance(value, ast.String):
        text = value.sval.strip()
        digits = text.lstrip("+-").replace(".", "", 1)
        return len(text.partition(".")[2]) if digits.isdigit() else None
    return None


def _cast(node: ast.TypeCast, column_scale: ScaleOf) -> int | None:
    name = node.typeName.names[-1].sval
    if name != "numeric":
        return 0 if name in ("int2", "int4", "int8", "integer", "bigint", "smallint") else None
    if node.typeName.typmods:
        if len(node.typeName.typmods) == 1:
            return 0
        digits = node.typeName.typmods[1]
        if isinstance(digits, ast.A_Const) and isinstance(digits.val, ast.Integer):
            return max(int(digits.val.ival), 0)
        return None
    return scale(node.arg, column_scale)


def _operation(node: ast.A_Expr, column_scale: ScaleOf) -> int | None:
    if node.kind.value != 0:
        return scale(node.lexpr, column_scale) if node.kind.name == "AEXPR_NULLIF" else None
    operator = node.name[-1].sval
    right = scale(node.rexpr, column_scale)
    if node.lexpr is None:
        return right if operator in "+-" else None
    left = scale(node.lexpr, column_scale)
    if left is None or right is None:
        return None
    if operator in ("+", "-"):
        return max(left, right)
    if operator == "*":
        return left + right
    return max(left, right) if operator == "%" else None
