"""AST → Relation: names become columns of operators. The input is canonical SQL (names qualified, casts explicit)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pglast import ast

from ..errors import Unsupported
from ..ir.reading import ReadFilter
from ..ir.relation import Relation
from ..operators import Distinct, Project
from ..pg.catalog import Catalog
from .expressions import Expressions
from .grouping import Grouping
from .grouping_sets import grouping_sets, put_together
from .nodes import target_name
from .ordering import Order, distinct_on, first_columns
from .ordering import limited as limit_rows
from .probes import Probes
from .recursive import RecursiveCte, calls_itself
from .scope import Names, Scope, ScopeItem
from .set_operations import set_operation
from .sources import UNIT, Sources
from .srf import expand_targets
from .subqueries import Subqueries
from .temporal import take_off
from .windows import bind_windows, with_named_windows


@dataclass(frozen=True)
class Bound:
    """A bound query: its relation, whose first columns are the query's, named as the query names them."""

    relation: Relation
    outputs: tuple[str, ...]
    read: ReadFilter | None = None

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
        level = Expressions(self.catalog, self.probes, Scope(), UNIT)
        node, read = take_off(node, self.outputs, self.catalog, level.check)
        added = tuple(target.name for target in node.targetList[len(self.outputs) :]) if read else ()
        outputs = self.outputs + added
        return Bound(self.select(node, {}, outputs, final=True), outputs, read)

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
        ctes = self.with_clause(node, ctes)
        if node.lockingClause:
            raise Unsupported("LOCKING", "the query locks rows", "LOCKING")
        limited = node.limitCount is not None or node.limitOffset is not None
        if node.op.name != "SETOP_NONE":
            relation = set_operation(self, node, ctes, wanted, outer)
            outputs, order = len(relation.names), self._positions(node, relation, limited)
        else:
            relation, outputs, order = self._simple(node, ctes, wanted, limited, outer)
        if not limited:
            return relation
        relation = limit_rows(node, relation, order, outputs)
        return relation if final else first_columns(relation, outputs)

    def with_clause(self, node: ast.SelectStmt, ctes: dict[str, Any]) -> dict[str, Any]:
        """The CTEs that the SELECT's own level sees; canonical text has those that others read before them."""
        if node.withClause is None:
            return ctes
        ctes = dict(ctes)
        for cte in node.withClause.ctes:
            recursive = node.withClause.recursive and calls_itself(cte)
            ctes[cte.ctename] = RecursiveCte(cte, dict(ctes)) if recursive else (cte, dict(ctes))
        return ctes

    def _simple(
        self,
        node: ast.SelectStmt,
        ctes: dict[str, Any],
        wanted: tuple[str, ...] | None,
        limited: bool,
        outer: Expressions | None,
    ) -> tuple[Relation, int, Order]:
        """The rows, how many columns they have beside those to order by, and the order."""
        if node.valuesLists:
            values = self.sources.values(node, wanted, outer)
            return values, len(values.names), self._positions(node, values, limited)
        node = with_named_windows(node)
        first_of = node.distinctClause if node.distinctClause and node.distinctClause[0] is not None else ()
        expressions = self.sources.level(node, ctes, outer)
        grouped = bool(node.groupClause) or any(
            self._has_aggregate(expressions, part) for part in (node.targetList, node.havingClause, node.sortClause)
        )
        names = wanted or tuple(self.names.fresh(target_name(target)) for target in node.targetList or ())
        sort_nodes = [item.node for item in node.sortClause or ()] if limited or first_of else []
        sort_nodes += first_of  # bound like those to order by
        if grouped:
            expressions, nodes, sort_nodes = self._grouped(node, expressions, sort_nodes)
        else:
            nodes = [target.val for target in node.targetList or ()]
        nodes, sort_nodes = bind_windows(expressions, self.names, nodes, sort_nodes)
        nodes = expand_targets(expressions, nodes)
        scalars = [expressions.scalar(part) for part in nodes]
        sorts = [expressions.scalar(item) for item in sort_nodes]
        outputs = list(zip(names, scalars, strict=True))
        ordered = []
        for scalar in sorts:
            name = next((n for n, s in outputs if s.text == scalar.text), None)
            if name is None:
                name = self.names.fresh("ivm_order")
                outputs.append((name, scalar))
            ordered.append(name)
        items = list(node.sortClause or ())[: len(ordered) - len(first_of)]
        order = list(zip(ordered, items, strict=False))
        relation: Relation = Project(expressions.relation, tuple(outputs))
        if first_of:
            kept = len(outputs) if limited else len(names)
            relation = distinct_on(self.names, relation, ordered[len(items) :], order, kept)
        elif node.distinctClause:
            relation = Distinct(relation)
        return relation, len(names), order

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
        sets = grouping_sets(node, below)
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

    def _positions(self, node: ast.SelectStmt, relation: Relation, limited: bool) -> Order:
        """Sort items of a set operation: canonical text gives them as positions."""
        order = []
        for item in (node.sortClause or ()) if limited else ():
            if not (isinstance(item.node, ast.A_Const) and isinstance(item.node.val, ast.Integer)):
                raise Unsupported("ORDER", "a set operation is ordered by an expression", "ORDER")
            order.append((relation.names[item.node.val.ival - 1], item))
        return order
