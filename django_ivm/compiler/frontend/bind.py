"""AST → Relation: names become columns of operators. The input is canonical SQL (names qualified, casts explicit)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pglast import ast, enums

from ..errors import CompileError, Unsupported
from ..ir.relation import Column, Relation
from ..ir.scalar import Scalar, column_scalar
from ..operators import Distinct, Filter, Join, Project, Scan, SortKey, TopN, Union
from ..pg.catalog import Catalog, TableInfo
from .expressions import Expressions
from .grouping import Grouping
from .probes import Probes
from .scope import Names, Scope, ScopeItem

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
        self.leaves = 0

    def query(self, node: ast.SelectStmt) -> Bound:
        return Bound(self.select(node, {}, self.outputs, final=True), self.outputs)

    # SELECT levels

    def select(
        self, node: ast.SelectStmt, ctes: dict[str, Any], wanted: tuple[str, ...] | None = None, final: bool = False
    ) -> Relation:
        """One SELECT or set operation; `wanted` names its columns (else fresh names)."""
        ctes = self._with(node, ctes)
        if node.lockingClause:
            raise Unsupported("LOCKING", "the query locks rows", "LOCKING")
        limited = node.limitCount is not None or node.limitOffset is not None
        if limited and not final:
            raise Unsupported("LIMIT", "LIMIT inside a subquery has no rule yet", "LIMIT")
        if node.op.name != "SETOP_NONE":
            relation, order = self._set_operation(node, ctes, wanted), self._positions(node, limited)
        else:
            relation, order = self._simple(node, ctes, wanted, limited)
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

    def _set_operation(self, node: ast.SelectStmt, ctes: dict[str, Any], wanted: tuple[str, ...] | None) -> Relation:
        if node.op.name != _UNION:
            raise Unsupported("SETOP", f"{node.op.name.removeprefix('SETOP_')} has no rule yet", "SETOP")
        branches = [self.select(branch, ctes) for branch in (node.larg, node.rarg)]
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
        self, node: ast.SelectStmt, ctes: dict[str, Any], wanted: tuple[str, ...] | None, limited: bool
    ) -> tuple[Relation, list[tuple[str, Any]]]:
        if node.valuesLists:
            raise Unsupported("VALUES", "VALUES has no rule yet", "VALUES")
        if node.windowClause:
            raise Unsupported("WINDOW", "windows have no rule yet", "WINDOW")
        if node.distinctClause and node.distinctClause[0] is not None:
            raise Unsupported("DISTINCT_ON", "DISTINCT ON has no rule yet", "DISTINCT_ON")
        if not node.targetList:
            raise Unsupported("VALUES", "the query has no columns", "SELECT")
        if not node.fromClause:
            raise Unsupported("VALUES", "the query reads no table", "SELECT")
        scope, relation = self._from(node, ctes)
        expressions = Expressions(self.catalog, self.probes, scope, relation)
        grouped = bool(node.groupClause) or any(
            self._has_aggregate(expressions, part) for part in (node.targetList, node.havingClause, node.sortClause)
        )
        names = wanted or tuple(self.names.fresh(target_name(target)) for target in node.targetList)
        sort_nodes = [item.node for item in node.sortClause or ()] if limited else []
        if grouped:
            relation, scalars, sorts = self._grouped(node, expressions, relation, sort_nodes)
        else:
            scalars = [expressions.scalar(target.val) for target in node.targetList]
            sorts = [expressions.scalar(item) for item in sort_nodes]
        outputs = list(zip(names, scalars, strict=True))
        order: list[tuple[str, Any]] = []
        for scalar, item in zip(sorts, node.sortClause or (), strict=False):
            name = next((n for n, s in outputs if s.text == scalar.text), None)
            if name is None:
                name = self.names.fresh("ivm_order")
                outputs.append((name, scalar))
            order.append((name, item))
        relation = Project(relation, tuple(outputs))
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
        self, node: ast.SelectStmt, expressions: Expressions, child: Relation, sort_nodes: list[Any]
    ) -> tuple[Relation, list[Scalar], list[Scalar]]:
        grouping = Grouping(expressions, self.names)
        for item in node.groupClause or ():
            grouping.add_key(item)
        targets = [grouping.over_groups(target.val) for target in node.targetList]
        having = grouping.over_groups(node.havingClause) if node.havingClause is not None else None
        sorts = [grouping.over_groups(item) for item in sort_nodes]
        relation: Relation = grouping.relation(child)
        scope = Scope([ScopeItem("", {name: name for name in relation.names})])
        after = Expressions(self.catalog, self.probes, scope, relation)
        if having is not None:
            relation = Filter(relation, after.scalar(having))
        return relation, [after.scalar(t) for t in targets], [after.scalar(s) for s in sorts]

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

    # FROM

    def _from(self, node: ast.SelectStmt, ctes: dict[str, Any]) -> tuple[Scope, Relation]:
        scope = Scope()
        inputs: list[Relation] = []
        conditions: list[Any] = []
        for item in node.fromClause:
            self._from_item(item, ctes, scope, inputs, conditions)
        if node.whereClause is not None:
            conditions.append(node.whereClause)
        joined = inputs[0] if len(inputs) == 1 else Join(tuple(inputs), ())
        expressions = Expressions(self.catalog, self.probes, scope, joined)
        scalars = [expressions.scalar(part) for condition in conditions for part in conjuncts(condition)]
        if isinstance(joined, Join):
            return scope, Join(joined.inputs, tuple(scalars))
        for scalar in scalars:
            joined = Filter(joined, scalar)
        return scope, joined

    def _from_item(
        self, item: Any, ctes: dict[str, Any], scope: Scope, inputs: list[Relation], conditions: list[Any]
    ) -> None:
        if isinstance(item, ast.JoinExpr):
            if item.jointype.name != "JOIN_INNER":
                kind = item.jointype.name.removeprefix("JOIN_").lower()
                raise Unsupported("JOIN", f"a {kind} outer join has no rule yet", "JOIN")
            if item.alias is not None:
                raise Unsupported("JOIN", "an alias on a join has no rule yet", item.alias.aliasname)
            before = len(scope.items)
            self._from_item(item.larg, ctes, scope, inputs, conditions)
            middle = len(scope.items)
            self._from_item(item.rarg, ctes, scope, inputs, conditions)
            if item.quals is not None:
                conditions.append(item.quals)
            for part in item.usingClause or ():
                conditions.append(self._using(part.sval, scope, before, middle))
            return
        relation, columns, alias = self._from_relation(item, ctes)
        inputs.append(relation)
        scope.items.append(ScopeItem(alias, columns))

    def _using(self, name: str, scope: Scope, before: int, middle: int) -> Any:
        """The equality that JOIN … USING stands for; the merged column is the left one."""
        left = [i for i in scope.items[before:middle] if name in i.columns]
        right = [i for i in scope.items[middle:] if name in i.columns]
        if (len(left) != 1 and name not in scope.merged) or len(right) != 1:
            raise Unsupported("JOIN", f"USING ({name}) is ambiguous here", "USING")
        scope.merged.setdefault(name, left[0].columns[name] if left else "")
        reference = [ast.ColumnRef(fields=tuple(ast.String(sval=p) for p in (i[0].alias, name))) for i in (left, right)]
        return ast.A_Expr(
            kind=enums.A_Expr_Kind.AEXPR_OP,
            name=(ast.String(sval="="),),
            lexpr=reference[0],
            rexpr=reference[1],
        )

    def _from_relation(self, item: Any, ctes: dict[str, Any]) -> tuple[Relation, dict[str, str], str]:
        if isinstance(item, ast.RangeSubselect):
            if item.lateral:
                raise Unsupported("LATERAL", "LATERAL has no rule yet", "LATERAL")
            names = own_names(item.subquery)
            return self._derived(item.subquery, ctes, item.alias, names, item.alias.aliasname if item.alias else "")
        if isinstance(item, ast.RangeFunction):
            raise Unsupported("SRF", "a function in FROM has no rule yet", "SRF")
        if isinstance(item, ast.RangeTableSample):
            raise Unsupported("SAMPLE", "TABLESAMPLE chooses rows by chance", "SAMPLE")
        if not isinstance(item, ast.RangeVar):
            raise Unsupported("EXPRESSION", f"{type(item).__name__} in FROM has no rule yet")
        alias = item.alias.aliasname if item.alias else item.relname
        if item.schemaname is None and item.relname in ctes:
            cte, outer = ctes[item.relname]
            given = tuple(c.sval for c in cte.aliascolnames or ())
            names = given + own_names(cte.ctequery)[len(given) :]
            return self._derived(cte.ctequery, outer, item.alias, names, alias)
        return self._table(item, alias)

    def _derived(
        self, node: ast.SelectStmt, ctes: dict[str, Any], alias: Any, names: tuple[str, ...], aliasname: str
    ) -> tuple[Relation, dict[str, str], str]:
        relation = self.select(node, ctes)
        given = tuple(c.sval for c in (alias.colnames if alias else None) or ())
        names = given + names[len(given) :]
        return relation, dict(zip(names, relation.names, strict=False)), aliasname

    def _info(self, item: ast.RangeVar) -> TableInfo:
        """Canonical text leaves the schema out only for pg_catalog and the session's temporary schema."""
        find = f"table:{item.relname}"
        if item.schemaname is None:
            if any(t.name == item.relname and t.persistence == "t" for t in self.catalog.tables):
                raise Unsupported("TEMPORARY", f"{item.relname} is a temporary table", find)
            raise Unsupported("SOURCE", f"{item.relname} is a system catalog", find)
        info = self.catalog.table(item.schemaname, item.relname)
        if info is None:
            raise CompileError(f"relation {item.schemaname}.{item.relname} isn't in the catalog")
        return info

    def _table(self, item: ast.RangeVar, alias: str) -> tuple[Relation, dict[str, str], str]:
        info = self._info(item)
        check_source(info)
        if not item.inh and (info.kind == "p" or info.children):
            raise Unsupported("INHERITANCE", f"ONLY {info.name} has no rule yet", f"table:{info.name}")
        columns = tuple((Column(self.names.fresh(c.name), c.type, c.not_null), c.name) for c in info.columns)
        schema, name = info.stands_for or (info.schema, info.name)
        self.leaves += 1
        scan = Scan(schema, name, columns, self.leaves, info.live, info.keys)
        given = [c.sval for c in (item.alias.colnames if item.alias else None) or ()]
        shown = given + [c.name for c in info.columns][len(given) :]
        return scan, dict(zip(shown, scan.names, strict=True)), alias


def check_source(info: TableInfo) -> None:
    """Refuse relations whose changes triggers can't capture."""
    find = f"table:{info.name}"
    if info.stands_for:
        return
    if info.kind not in ("r", "p"):
        kinds = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}
        raise Unsupported("SOURCE", f"{info.name} is {kinds.get(info.kind, 'not a table')}", find)
    if info.schema in ("pg_catalog", "information_schema"):
        raise Unsupported("SOURCE", f"{info.name} is a system catalog", find)
    if info.persistence == "t":
        raise Unsupported("TEMPORARY", f"{info.name} is a temporary table", find)
    if info.children:
        raise Unsupported("INHERITANCE", f"{info.name} has inheritance children", find)
    if info.row_security:
        raise Unsupported("ROW_SECURITY", f"{info.name} has row level security", find)


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
