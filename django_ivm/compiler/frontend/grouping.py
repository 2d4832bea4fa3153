"""One grouped SELECT level: GROUP BY, aggregate calls, HAVING, and expressions over them."""

from __future__ import annotations

import copy
from typing import Any

from pglast import ast

from ..errors import Unsupported
from ..ir.relation import Relation
from ..ir.scalar import Scalar
from ..operators.aggregate import Aggregate
from ..operators.functions import Call
from ..pg.print import print_expression
from .expressions import Expressions, column_ref
from .scope import Names


class Grouping:
    """Collects the keys and calls that the level's expressions use."""

    def __init__(self, expressions: Expressions, names: Names) -> None:
        self.expressions = expressions
        self.names = names
        self.keys: dict[str, tuple[str, Scalar]] = {}  # text over the input -> (output name, scalar)
        self.calls: dict[str, tuple[str, Call]] = {}

    def add_key(self, node: Any) -> None:
        if isinstance(node, ast.GroupingSet):
            raise Unsupported("GROUPING", "grouping sets have no rule yet", "GROUPING")
        self._key(self.expressions.scalar(node))

    def _key(self, scalar: Scalar) -> str:
        if scalar.text not in self.keys:
            self.keys[scalar.text] = (self.names.fresh(scalar.column or "key"), scalar)
        return self.keys[scalar.text][0]

    def over_groups(self, node: Any) -> Any:
        """The node with aggregate calls and grouped expressions replaced by the group's columns.

        A column that is neither is one that PostgreSQL found to depend on a grouped primary key: grouping by it
        as well changes nothing but brings it along.
        """
        if isinstance(node, list | tuple):
            return tuple(self.over_groups(item) for item in node)
        if not isinstance(node, ast.Node) or isinstance(node, ast.TypeName):
            return node
        if self.expressions.is_aggregate(node):
            call = self.expressions.call(node)
            name, _ = self.calls.setdefault(call.text, (self.names.fresh(call.function), call))
            return column_ref(name)
        if self.keys and not isinstance(node, ast.A_Const) and _is_expression(node) and self._plain(node):
            text = print_expression(self.expressions.bound(node))
            if text in self.keys:
                return column_ref(self.keys[text][0])
        if isinstance(node, ast.ColumnRef):
            return column_ref(self._key(self.expressions.scalar(node)))
        self.expressions.check(node)
        new = copy.copy(node)
        for name in node:
            value = getattr(node, name)
            if isinstance(value, ast.Node | list | tuple):
                setattr(new, name, self.over_groups(value))
        return new

    def _plain(self, node: Any) -> bool:
        """No aggregate call inside."""
        if isinstance(node, list | tuple):
            return all(self._plain(item) for item in node)
        if not isinstance(node, ast.Node):
            return True
        return not self.expressions.is_aggregate(node) and all(self._plain(getattr(node, name)) for name in node)

    def relation(self, child: Relation) -> Aggregate:
        """The aggregate, once every expression of the level has been seen."""
        return Aggregate(child, tuple(self.keys.values()), tuple(self.calls.values()))


def _is_expression(node: Any) -> bool:
    return isinstance(
        node,
        ast.ColumnRef | ast.A_Expr | ast.FuncCall | ast.TypeCast | ast.BoolExpr | ast.NullTest | ast.BooleanTest
        | ast.CaseExpr | ast.CoalesceExpr | ast.MinMaxExpr | ast.A_ArrayExpr | ast.RowExpr | ast.A_Indirection
        | ast.CollateClause,
    )  # fmt: skip
