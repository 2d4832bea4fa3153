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
from ..pg import sql as q
from ..pg.catalog import Type
from ..pg.print import parse_expression_shared, print_expression, structure
from .expressions import Expressions, column_ref
from .nodes import outer_references
from .scope import Names, Scope


class Grouping:
    """Collects the keys and calls that the level's expressions use."""

    def __init__(self, expressions: Expressions, names: Names) -> None:
        self.expressions = expressions
        self.names = names
        self.absent: dict[str, Scalar] = {}  # keys of other grouping sets, by text: NULL in this one
        self.keys: dict[str, tuple[str, Scalar]] = {}  # text over the input -> (output name, scalar)
        self.calls: dict[str, tuple[str, Call]] = {}

    def add_key(self, node: Any) -> None:
        self._key(self.expressions.scalar(node))

    def add_absent(self, node: Any) -> None:
        """A key of another grouping set."""
        scalar = self.expressions.scalar(node)
        if scalar.text not in self.keys:
            self.absent[scalar.text] = scalar

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
        if isinstance(node, ast.SubLink):
            return self._over_subquery(node)
        if self.expressions.is_aggregate(node):
            call = self.expressions.call(node)
            name, _ = self.calls.setdefault(call.text, (self.names.fresh(call.function.rpartition(".")[2]), call))
            return column_ref(name)
        if isinstance(node, ast.GroupingFunc):
            return self._grouping(node)
        known = self.keys or self.absent
        if known and not isinstance(node, ast.A_Const) and _is_expression(node) and self._plain(node):
            text = print_expression(self.expressions.bound(node))
            if text in self.keys:
                return column_ref(self.keys[text][0])
            if text in self.absent:
                return _null(self.absent[text].type)
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
        """No aggregate call inside, nor a subquery that isn't a key."""
        if isinstance(node, ast.GroupingFunc):
            return False
        if isinstance(node, ast.SubLink):
            return structure(node) in self.expressions.attached
        if isinstance(node, list | tuple):
            return all(self._plain(item) for item in node)
        if not isinstance(node, ast.Node):
            return True
        return not self.expressions.is_aggregate(node) and all(self._plain(getattr(node, name)) for name in node)

    def _grouping(self, node: ast.GroupingFunc) -> ast.A_Const:
        """A bit for each argument, the last one's lowest: 1 when this set doesn't group by it."""
        bits = 0
        for argument in node.args:
            bits = 2 * bits + (self.expressions.scalar(argument).text not in self.keys)
        return ast.A_Const(isnull=False, val=ast.Integer(ival=bits))

    def _over_subquery(self, node: ast.SubLink) -> Any:
        """A subquery over the groups; what it names of this level is grouped, or depends on a grouped primary key."""
        if structure(node) in self.expressions.attached:
            text = print_expression(self.expressions.attached[structure(node)])
            if text in self.keys:
                return column_ref(self.keys[text][0])
        scope = self.expressions.scope
        for fields in outer_references(node.subselect):
            column = scope.own(fields)
            if column is not None and q.ident(column).text in self.absent:
                raise Unsupported("GROUPING", f"a subquery reads {column}, which not every set groups by", "GROUPING")
            if column is not None:
                self._key(self.expressions.typed(print_expression(column_ref(column))))
        new = copy.copy(node)
        if node.testexpr is not None:
            new.testexpr = self.over_groups(node.testexpr)
        return new

    def origins(self, below: Scope) -> tuple[Scope, dict[str, str]]:
        """The scope below, and the groups' names of its columns, for subqueries above."""
        return below, {s.column: name for name, s in self.keys.values() if s.column}

    def relation(self, child: Relation) -> Aggregate:
        """The aggregate, once every expression of the level has been seen."""
        return Aggregate(child, tuple(self.keys.values()), tuple(self.calls.values()))


def _null(type_: Type) -> Any:
    """NULL of a type."""
    collation = q.sql(" COLLATE {c}", c=q.Fragment(type_.collation)) if type_.collation else q.EMPTY
    return parse_expression_shared(q.sql("CAST(NULL AS {t}){c}", t=q.Fragment(type_.sql), c=collation).text)


def _is_expression(node: Any) -> bool:
    return isinstance(
        node,
        ast.ColumnRef | ast.A_Expr | ast.FuncCall | ast.TypeCast | ast.BoolExpr | ast.NullTest | ast.BooleanTest
        | ast.CaseExpr | ast.CoalesceExpr | ast.MinMaxExpr | ast.A_ArrayExpr | ast.RowExpr | ast.A_Indirection
        | ast.CollateClause,
    )  # fmt: skip
