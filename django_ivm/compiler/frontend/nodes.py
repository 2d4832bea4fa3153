"""Small questions to AST nodes."""

from __future__ import annotations

from typing import Any

from pglast import ast

from ..errors import Unsupported


def conjuncts(node: Any) -> list[Any]:
    """The parts of an AND."""
    if isinstance(node, ast.BoolExpr) and node.boolop.name == "AND_EXPR":
        return [part for arg in node.args for part in conjuncts(arg)]
    return [node]


def target_name(target: ast.ResTarget) -> str:
    """The name of an output column, as canonical text shows it."""
    if target.name:
        return str(target.name)
    if isinstance(target.val, ast.ColumnRef) and isinstance(target.val.fields[-1], ast.String):
        return str(target.val.fields[-1].sval)
    if isinstance(target.val, ast.FuncCall):
        return str(target.val.funcname[-1].sval)
    return "column"


def own_names(node: ast.SelectStmt) -> tuple[str, ...]:
    """Output names of a subquery; a set operation takes its first branch's."""
    while node.op.name != "SETOP_NONE":
        node = node.larg
    if node.valuesLists:
        return tuple(f"column{i}" for i in range(1, len(node.valuesLists[0]) + 1))
    return tuple(target_name(target) for target in node.targetList or ())


def constant_integer(node: Any) -> int | None:
    """The integer of a LIMIT or OFFSET; None when there is none.

    Raises Unsupported when it isn't a constant.
    """
    while isinstance(node, ast.TypeCast):
        node = node.arg
    if node is None or (isinstance(node, ast.A_Const) and node.isnull):
        return None
    if isinstance(node, ast.A_Const) and isinstance(node.val, ast.Integer):
        return int(node.val.ival)
    if isinstance(node, ast.A_Const) and isinstance(node.val, ast.String) and node.val.sval.isdigit():
        return int(node.val.sval)
    raise Unsupported("LIMIT", "LIMIT isn't a constant", "LIMIT")


def outer_references(node: Any) -> list[tuple[str, ...]]:
    """Qualified column references of a subquery whose qualifier isn't one of its own FROM items."""
    aliases: set[str] = set()
    found: dict[tuple[str, ...], None] = {}

    def walk(part: Any) -> None:
        if isinstance(part, list | tuple):
            for item in part:
                walk(item)
            return
        if not isinstance(part, ast.Node):
            return
        if isinstance(part, ast.ColumnRef) and len(part.fields) > 1 and isinstance(part.fields[-1], ast.String):
            found[tuple(field.sval for field in part.fields)] = None
        alias = getattr(part, "alias", None)
        if isinstance(part, ast.RangeVar):
            aliases.add(alias.aliasname if alias else part.relname)
        elif alias is not None:
            aliases.add(alias.aliasname)
        for name in part:
            walk(getattr(part, name))

    walk(node)
    return [fields for fields in found if fields[-2] not in aliases]
