"""Equalities between the columns of two relations."""

from __future__ import annotations

from pglast import ast

from ..pg.print import print_expression
from .scalar import Scalar


def split_equality(condition: Scalar, local: frozenset[str]) -> tuple[Scalar, Scalar] | None:
    """(outer side, inner side) of `outer = inner`; None for any other condition."""
    node = condition.node
    if not (isinstance(node, ast.A_Expr) and node.kind.name == "AEXPR_OP" and node.name[-1].sval == "=" and node.lexpr):
        return None
    sides = [Scalar(print_expression(side)) for side in (node.lexpr, node.rexpr)]
    for outer, own in (sides, reversed(sides)):
        if own.columns and set(own.columns) <= local and not set(outer.columns) & local:
            return outer, own
    return None
