"""AST → Relation: names become columns of operators. The input is canonical SQL (names qualified, casts explicit)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pglast import ast

from ..errors import Unsupported
from ..ir.relation import Column, Relation
from ..ir.scalar import Scalar, column_scalar
from ..operators import Distinct, Project, Scan, SortKey, TopN, Union
from ..pg.catalog import Catalog
from .expressions import Expressions
from .grouping import Grouping
from .grouping_sets import grouping_sets, put_together
from .nodes import constant_integer, target_name
from .probes import Probes
from .scope import Names, Scope, ScopeItem
from .sources import Sources
from .srf import expand_targets
from .subqueries import Subqueries

_UNION = "SETOP_UNION"


@dataclass(frozen=True)
class Bound:
    """A bound query: its relation, whose first columns are the query's, named as the query names them."""

    relation: Relation
    outputs: tuple[str, ...]

    def __str__(self) -> str:
        return str(self.relation)


class Binder:
    """Binds one query; `columns` renames its outputs. A CTE is bound anew at each use."""

    def __init__(self, catalog: Catalog, probes: Probes, columns: tuple[str, ...] = ()) -> None:
        self.catalog = catalog
        self.outputs = columns or tuple(column.name for column in catalog.outputs)
        self.probes = probes
        self.names = Names()
        self.sources = Sources(self)
        self.subqueries = Subqueries(self)

    def query(self, node: ast.SelectStmt) -> Bound:
        if not self.outputs:
            raise Unsupported("VALUES", "the query has no columns", "SELECT")
        return Bound(self.select(node, {}, self.outputs, final=True), self.outputs)

    # SELECT levels

    def select(
        self,
        node: ast.SelectStmt,
        ctes: dict[str, Any],
        wanted: tuple[str, ...] | None = None,
        final: bool = False,
        outer: Expressions | None = None,
    ) -> Relation:
        """One SELECT or set operation; `wanted` names its columns (else fresh names), `outer` is the level whose
        columns a correlated subquery may name."""
        ctes = self._with(node, ctes)
        if node.lockingClause:
            raise Unsupported("LOCKING", "the query locks rows", "LOCKING")
        limited = node.limitCount is not None or node.limitOffset is not None
        if limited and not final:
            raise Unsupported("LIMIT", "LIMIT inside a subquery has no rule yet", "LIMIT")
        if node.op.name != "SETOP_NONE":
            relation, order = self._set_operation(node, ctes, wanted, outer), self._positions(node, limited)
        else:
            relation, order = self._simple(node, ctes, wanted, limited, outer)
        if not limited:
            return relation
        return self._limited(node, relation, order)

    def _with(self, node: ast.SelectStmt, ctes: dict[str, Any]) -> dict[str, Any]:
        if node.withClause is None:
            return ctes
        if node.withClause.recursive:
            raise Unsupported("RECURSIVE", "a recursive query has no rule yet", "RECURSIVE")
        ctes = dict(ctes)
        for cte in node.withClause.ctes:
            ctes[cte.ctename] = (cte, dict(ctes))
        return ctes

    def _set_operation(
        self, node: ast.SelectStmt, ctes: dict[str, Any], wanted: tuple[str, ...] | None, outer: Expressions | None
    ) -> Relation:
        if node.op.name != _UNION:
            raise Unsupported("SETOP", f"{node.op.name.removeprefix('SETOP_')} has no rule yet", "SETOP")
        branches = [self.select(branch, ctes, outer=outer) for branch in (node.larg, node.rarg)]
        names = wanted or tuple(self.names.fresh(name) for name in branches[0].names)
        types = [self._common_type(*pair) for pair in zip(*(b.schema for b in branches), strict=True)]
        inputs: list[Relation] = []
        for branch in branches:
            outputs = []
            for name, column, type_ in zip(names, branch.schema, types, strict=True):
                scalar = column_scalar(column.name, column.type, column.not_null)
                if column.type.sql != type_.sql:
                    scalar = Scalar(f"CAST({scalar.text} AS {type_.sql})", type_, column.not_null)
                outputs.append((name, scalar))
            projected = Project(branch, tuple(outputs))
            inputs.append(projected)
        union = Union(tuple(inputs))
        return union if node.all else Distinct(union)

    def _common_type(self, left: Column, right: Column) -> Any:
        """The type PostgreSQL gives the column of a set operation, asked through a probe of it."""
        if left.type == right.type:
            return left.type
        sample = Scan("", "", ((Column("l", left.type), "l"), (Column("r", right.type), "r")))
        type_ = self.probes.type_of("COALESCE(l, r)", sample)
        return type_ or left.type

    def _simple(
        self,
        node: ast.SelectStmt,
        ctes: dict[str, Any],
        wanted: tuple[str, ...] | None,
        limited: bool,
        outer: Expressions | None,
    ) -> tuple[Relation, list[tuple[str, Any]]]:
        if node.valuesLists:
            return self.sources.values(node, wanted, outer), []
        if node.windowClause:
            raise Unsupported("WINDOW", "windows have no rule yet", "WINDOW")
        if node.distinctClause and node.distinctClause[0] is not None:
            raise Unsupported("DISTINCT_ON", "DISTINCT ON has no rule yet", "DISTINCT_ON")
        expressions = self.sources.level(node, ctes, outer)
        grouped = bool(node.groupClause) or any(
            self._has_aggregate(expressions, part) for part in (node.targetList, node.havingClause, node.sortClause)
        )
        names = wanted or tuple(self.names.fresh(target_name(target)) for target in node.targetList or ())
        sort_nodes = [item.node for item in node.sortClause or ()] if limited else []
        if grouped:
            expressions, nodes, sort_nodes = self._grouped(node, expressions, sort_nodes)
        else:
            nodes = [target.val for target in node.targetList or ()]
        nodes = expand_targets(expressions, nodes)
        scalars = [expressions.scalar(part) for part in nodes]
        sorts = [expressions.scalar(item) for item in sort_nodes]
        outputs = list(zip(names, scalars, strict=True))
        order: list[tuple[str, Any]] = []
        for scalar, item in zip(sorts, node.sortClause or (), strict=False):
            name = next((n for n, s in outputs if s.text == scalar.text), None)
            if name is None:
                name = self.names.fresh("ivm_order")
                outputs.append((name, scalar))
            order.append((name, item))
        relation: Relation = Project(expressions.relation, tuple(outputs))
        if node.distinctClause:
            relation = Distinct(relation)
        return relation, order

    def _has_aggregate(self, expressions: Expressions, node: Any) -> bool:
        if isinstance(node, list | tuple):
            return any(self._has_aggregate(expressions, item) for item in node)
        if not isinstance(node, ast.Node) or isinstance(node, ast.SelectStmt):
            return False
        if expressions.is_aggregate(node):
            return True
        return any(self._has_aggregate(expressions, getattr(node, name)) for name in node)

    def _grouped(
        self, node: ast.SelectStmt, below: Expressions, sort_nodes: list[Any]
    ) -> tuple[Expressions, list[Any], list[Any]]:
        """The level above GROUP BY, HAVING applied, and the nodes of outputs and order over it."""
        sets = grouping_sets(node)
        levels = [self._group(node, below, keys, sets, sort_nodes) for keys in sets]
        return levels[0] if len(levels) == 1 else put_together(levels, self.names)

    def _group(
        self, node: ast.SelectStmt, below: Expressions, keys: list[Any], sets: list[list[Any]], sort_nodes: list[Any]
    ) -> tuple[Expressions, list[Any], list[Any]]:
        grouping = Grouping(below, self.names)
        for item in keys:
            grouping.add_key(item)
        for item in (item for other in sets if other is not keys for item in other):
            grouping.add_absent(item)
        targets = [grouping.over_groups(target.val) for target in node.targetList]
        having = grouping.over_groups(node.havingClause) if node.havingClause is not None else None
        sorts = [grouping.over_groups(item) for item in sort_nodes]
        relation: Relation = grouping.relation(below.relation)
        scope = Scope([ScopeItem("", {name: name for name in relation.names})], grouped=grouping.origins(below.scope))
        above = below.over(scope, relation)
        if having is not None:
            self.subqueries.restrict(above, having)
        return above, targets, sorts

    # ORDER BY … LIMIT

    def _positions(self, node: ast.SelectStmt, limited: bool) -> list[tuple[str, Any]]:
        """Sort items of a set operation: canonical text gives them as positions."""
        order = []
        for item in (node.sortClause or ()) if limited else ():
            if not (isinstance(item.node, ast.A_Const) and isinstance(item.node.val, ast.Integer)):
                raise Unsupported("ORDER", "a set operation is ordered by an expression", "ORDER")
            order.append((self.outputs[item.node.val.ival - 1], item))
        return order

    def _limited(self, node: ast.SelectStmt, relation: Relation, order: list[tuple[str, Any]]) -> Relation:
        if node.limitOption.name == "LIMIT_OPTION_WITH_TIES":
            raise Unsupported("LIMIT", "WITH TIES has no rule yet", "LIMIT")
        keys: list[SortKey] = []
        for name, item in order:
            if any(key.column == name for key in keys):  # a repeated item decides nothing
                continue
            if item.useOp:
                raise Unsupported("ORDER", "ORDER BY … USING has no rule yet", "ORDER")
            if not relation.column(name).type.deterministic:
                raise Unsupported("ORDER", f"{name} has a collation under which different texts are equal", "ORDER")
            descending = item.sortby_dir.name == "SORTBY_DESC"
            nulls = item.sortby_nulls.name
            nulls_first = nulls == "SORTBY_NULLS_FIRST" or (nulls == "SORTBY_NULLS_DEFAULT" and descending)
            keys.append(SortKey(name, descending, nulls_first))
        limit = constant_integer(node.limitCount)
        return TopN(relation, tuple(keys), limit, constant_integer(node.limitOffset) or 0)
