"""Digits after the point of a numeric expression, where every value has the same number of them.

PostgreSQL keeps no scale for an expression's type, but sums of one scale are text-exact and sums of mixed scales are
not: 1.10 + 2.2 − 1.10 shows 2.20. Rules as in numeric.c: + and − take the larger scale, × adds them.
Where branches of an expression differ (`CASE … THEN price ELSE 0 END`) its values have one of a few scales.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pglast import ast

ScaleOf = Callable[[str], int | None]  # of a column
Scales = frozenset[int]
MOST = 4  # scales that an expression's values may have, to be worth a count of each


def scale(node: Any, column_scale: ScaleOf) -> int | None:
    """The scale that each non-null value of the expression has; None when it may vary."""
    found = scales(node, column_scale)
    return next(iter(found)) if found is not None and len(found) == 1 else None


def scales(node: Any, column_scale: ScaleOf) -> Scales | None:
    """All scales that values of the expression may have; None when they are too many or unknown."""
    if isinstance(node, ast.ColumnRef):
        return _known(column_scale(node.fields[-1].sval))
    if isinstance(node, ast.A_Const):
        return _known(_constant(node))
    if isinstance(node, ast.TypeCast):
        return _cast(node, column_scale)
    if isinstance(node, ast.A_Expr):
        return _operation(node, column_scale)
    if isinstance(node, ast.CoalesceExpr | ast.MinMaxExpr):
        return _any_of([scales(item, column_scale) for item in node.args if not _is_null(item)])
    if isinstance(node, ast.CaseExpr):
        branches = [when.result for when in node.args] + ([node.defresult] if node.defresult else [])
        return _any_of([scales(item, column_scale) for item in branches if not _is_null(item)])
    if isinstance(node, ast.FuncCall) and node.args:
        name = node.funcname[-1].sval
        if name == "abs" and len(node.args) == 1:
            return scales(node.args[0], column_scale)
        if name in ("round", "trunc") and len(node.args) == 2:
            digits = node.args[1]
            if isinstance(digits, ast.A_Const) and isinstance(digits.val, ast.Integer):
                return _known(max(int(digits.val.ival), 0))
    return None


def whole_number(node: Any) -> bool:
    """EXTRACT of a field that holds no fraction: every value has scale 0, or is infinite."""
    if not (isinstance(node, ast.FuncCall) and node.funcname[-1].sval == "extract" and len(node.args or ()) == 2):
        return False
    value = getattr(node.args[0], "val", None)
    return isinstance(value, ast.String) and value.sval.lower() in _WHOLE_FIELDS


_WHOLE_FIELDS = frozenset(
    ["decade", "year", "isoyear", "quarter", "month", "week", "day", "dow", "isodow", "doy", "hour", "minute"]
)


def _known(value: int | None) -> Scales | None:
    return None if value is None else frozenset([value])


def _is_null(node: Any) -> bool:
    while isinstance(node, ast.TypeCast):
        node = node.arg
    return isinstance(node, ast.A_Const) and bool(node.isnull)


def _any_of(branches: list[Scales | None]) -> Scales | None:
    found: set[int] = set()
    for branch in branches:
        if branch is None:
            return None
        found |= branch
    return frozenset(found) if 0 < len(found) <= MOST else None


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


def _cast(node: ast.TypeCast, column_scale: ScaleOf) -> Scales | None:
    name = node.typeName.names[-1].sval
    if name != "numeric":
        return _known(0) if name in ("int2", "int4", "int8", "integer", "bigint", "smallint") else None
    if node.typeName.typmods:
        if len(node.typeName.typmods) == 1:
            return _known(0)
        digits = node.typeName.typmods[1]
        if isinstance(digits, ast.A_Const) and isinstance(digits.val, ast.Integer):
            return _known(max(int(digits.val.ival), 0))
        return None
    return scales(node.arg, column_scale)


def _operation(node: ast.A_Expr, column_scale: ScaleOf) -> Scales | None:
    if node.kind.value != 0:
        return scales(node.lexpr, column_scale) if node.kind.name == "AEXPR_NULLIF" else None
    operator = node.name[-1].sval
    right = scales(node.rexpr, column_scale)
    if node.lexpr is None:
        return right if operator in "+-" else None
    left = scales(node.lexpr, column_scale)
    if left is None or right is None:
        return None
    rules: dict[str, Callable[[int, int], int]] = {"+": max, "-": max, "%": max, "*": lambda a, b: a + b}
    if operator not in rules:
        return None
    found = frozenset(rules[operator](a, b) for a in left for b in right)
    return found if len(found) <= MOST else None
