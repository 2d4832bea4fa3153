"""Expression nodes → scalars over a bound relation; whatever isn't plain and row-local is refused."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

from pglast import ast

from ..errors import Unsupported
from ..ir.relation import Column, Relation
from ..ir.scalar import Scalar
from ..operators.functions import KNOWN, Call
from ..pg.catalog import Catalog, Type
from ..pg.print import print_expression
from .probes import PENDING, Probes
from .scale import scale, scales, whole_number
from .scope import Scope
from .temporal import refuse_time

if TYPE_CHECKING:
    from .subqueries import Subqueries

_PLAIN = (
    ast.A_Expr, ast.A_Const, ast.ColumnRef, ast.FuncCall, ast.TypeCast, ast.TypeName, ast.BoolExpr, ast.NullTest,
    ast.BooleanTest, ast.CaseExpr, ast.CaseWhen, ast.CoalesceExpr, ast.MinMaxExpr, ast.A_ArrayExpr, ast.RowExpr,
    ast.A_Indirection, ast.A_Indices, ast.CollateClause, ast.String, ast.Integer, ast.Float, ast.Boolean,
    ast.BitString, ast.NamedArgExpr, ast.WindowDef,
)  # fmt: skip


def function_name(node: ast.FuncCall) -> tuple[str, str]:
    """(schema, name); the canonical text leaves out only pg_catalog."""
    parts = [part.sval for part in node.funcname]
    return (parts[0] if len(parts) > 1 else "pg_catalog"), parts[-1]


def column_ref(name: str) -> ast.ColumnRef:
    return ast.ColumnRef(fields=(ast.String(sval=name),))


class Expressions:
    """Binds the expressions of one SELECT level over one relation."""

    def __init__(self, catalog: Catalog, probes: Probes, scope: Scope, relation: Relation) -> None:
        self.catalog = catalog
        self.probes = probes
        self.scope = scope
        self.relation = relation
        self.outer: Expressions | None = None  # the level that a correlated subquery stands in
        self.ctes: dict[str, Any] = {}
        self.subqueries: Subqueries | None = None
        self.attached: dict[Any, Any] = {}  # subqueries that the relation is already joined with, and their values

    def over(self, scope: Scope, relation: Relation) -> Expressions:
        """The same level over another relation."""
        level = Expressions(self.catalog, self.probes, scope, relation)
        level.outer, level.ctes, level.subqueries = self.outer, self.ctes, self.subqueries
        if scope is not self.scope:
            scope.outer = self.scope.outer
        return level

    def column(self, name: str) -> Column:
        """A column of the relation, or of a query around it."""
        if name in self.relation.names:
            return self.relation.column(name)
        if self.outer is None:
            raise KeyError(name)
        return self.outer.column(name)

    # Nodes over the relation's own column names

    def bound(self, node: Any) -> Any:
        """A copy of the node whose columns are the relation's, checked to be plain."""
        if isinstance(node, ast.ColumnRef):
            if isinstance(node.fields[-1], ast.A_Star):
                alias = node.fields[0].sval if len(node.fields) > 1 else ""
                raise Unsupported("WHOLE_ROW", f"a whole row of {alias} is used as a value", f"column:{alias}")
            return column_ref(self.scope.resolve(tuple(part.sval for part in node.fields)))
        if isinstance(node, list | tuple):
            return tuple(self.bound(item) for item in node)
        if not isinstance(node, ast.Node):
            return node
        if isinstance(node, ast.SubLink) and self.subqueries is not None:
            return self.subqueries.value(self, node)
        if isinstance(node, ast.CoalesceExpr) and all(isinstance(part, ast.ColumnRef) for part in node.args):
            sides = tuple(self.scope.resolve(tuple(part.sval for part in side.fields)) for side in node.args)
            if sides in self.scope.coalesced:  # how PostgreSQL writes a merged column in some places
                return column_ref(self.scope.coalesced[sides])
        self.check(node)
        new = copy.copy(node)
        for name in node:
            value = getattr(node, name)
            if isinstance(value, ast.Node | list | tuple):
                setattr(new, name, self.bound(value))
        return new

    def check(self, node: Any) -> None:
        """Refuse what has no rule yet."""
        refuse_time(node)
        if isinstance(node, ast.SubLink):
            raise Unsupported("SUBQUERY", "a subquery in an expression has no rule yet", "SUBQUERY")
        if isinstance(node, ast.SQLValueFunction):
            raise Unsupported("VOLATILE", "the value changes with time or session", "CURRENT")
        if isinstance(node, ast.GroupingFunc):
            raise Unsupported("GROUPING", "GROUPING() belongs to grouping sets", "GROUPING")
        if isinstance(node, ast.FuncCall):
            schema, name = function_name(node)
            if any(f.returns_set for f in self.catalog.functions if (f.schema, f.name) == (schema, name)):
                raise Unsupported("SRF", f"{name} returns a set of rows", f"func:{name}")
        elif not isinstance(node, _PLAIN) and not isinstance(node, ast.SortBy):
            name = type(node).__name__
            raise Unsupported("EXPRESSION", f"{name} expressions have no rule yet", f"node:{name}")

    # Scalars

    def scalar(self, node: Any) -> Scalar:
        """A row-local scalar; an aggregate in it is the caller's mistake or PostgreSQL's to refuse."""
        return self.typed(print_expression(self.bound(node)))

    def typed(self, text: str) -> Scalar:
        """The scalar with its type, asked of the catalog unless it is a plain column."""
        plain = Scalar(text)
        if plain.column is not None:
            column = self.column(plain.column)
            return Scalar(text, column.type, column.not_null)
        if isinstance(plain.node, ast.RowExpr):
            raise Unsupported("EXPRESSION", "a row value has no type that could be stored", "ROW")
        type_ = self.probes.type_of(text, self)
        if type_ is None:
            return Scalar(text, PENDING)
        if type_.kind == "p":
            raise Unsupported("EXPRESSION", f"{text} has no type that could be stored", "ROW")
        if type_.base == "numeric" and type_.scale is None:
            inferred = scale(plain.node, self._column_scale)
            found = scales(plain.node, self._column_scale)
            if found is not None and len(found) > 1:
                type_ = dataclasses.replace(type_, scales=tuple(sorted(found)))
            if whole_number(plain.node):
                type_ = dataclasses.replace(type_, whole=True)
            if inferred is not None:
                type_ = _with_scale(type_, inferred)
        return Scalar(text, type_, self._never_null(plain.node))

    def _column_scale(self, name: str) -> int | None:
        type_ = self.column(name).type
        return 0 if type_.integer else type_.scale

    def _never_null(self, node: Any) -> bool:
        """Conservative: constants, not-null columns, and arithmetic or casts of those."""
        if isinstance(node, ast.A_Const):
            return not node.isnull
        if isinstance(node, ast.ColumnRef):
            return self.column(node.fields[-1].sval).not_null
        if isinstance(node, ast.TypeCast):
            return isinstance(node.arg, ast.A_Const) and not node.arg.isnull
        if isinstance(node, ast.A_Expr) and node.kind.value == 0 and node.name[-1].sval in ("+", "-", "*"):
            types = [self.probes.type_of(print_expression(n), self) for n in (node.rexpr,) if n]
            numbers = all(t is None or t.base in ("int2", "int4", "int8", "numeric") for t in types)
            return numbers and all(self._never_null(n) for n in (node.lexpr, node.rexpr) if n is not None)
        if isinstance(node, ast.CoalesceExpr):
            return any(self._never_null(item) for item in node.args)
        return False

    # Aggregates

    def is_aggregate(self, node: Any) -> bool:
        if not isinstance(node, ast.FuncCall) or node.over is not None:
            return False
        schema, name = function_name(node)
        kinds = {f.kind for f in self.catalog.functions if (f.schema, f.name) == (schema, name)}
        if kinds == {"a", "f"}:
            raise Unsupported("AGGREGATE", f"{name} is both a function and an aggregate", f"func:{name}")
        if (schema, name) == ("pg_catalog", "array_agg"):  # which ARRAY(SELECT …) stands for, unseen by the catalog
            return True
        return "a" in kinds or bool(node.agg_star)

    def call(self, node: ast.FuncCall) -> Call:
        """An aggregate call over the relation's columns."""
        schema, name = function_name(node)
        copied = self.bound(node)
        text = print_expression(copied)
        type_ = self.probes.type_of(text, self) or PENDING
        if type_.kind == "p":
            raise Unsupported("EXPRESSION", f"{name} gives rows without a type that could be stored", f"func:{name}")
        distinct = bool(node.agg_distinct)
        if schema != "pg_catalog" or name not in KNOWN:
            function = name if schema == "pg_catalog" else f"{schema}.{name}"
            return Call(function, None, type_, text, None, distinct)
        # count(ROW(…)) counts every row: a row value isn't NULL.
        counts_rows = node.agg_star or isinstance(copied.args[0], ast.RowExpr)
        argument = None if counts_rows else self.typed(print_expression(copied.args[0]))
        condition = self.typed(print_expression(copied.agg_filter)) if node.agg_filter else None
        if name in ("min", "max", "sum") and argument is not None and argument.type.scale is not None:
            type_ = _with_scale(type_, argument.type.scale) if type_.base == "numeric" else type_
        return Call(name, argument, type_, text, condition, distinct)


def _with_scale(type_: Type, digits: int) -> Type:
    return dataclasses.replace(type_, scale=digits)
