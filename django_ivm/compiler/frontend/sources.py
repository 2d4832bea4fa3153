"""FROM and WHERE of one SELECT level: tables, subqueries, functions and joins become one relation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pglast import ast, enums

from ..errors import CompileError, Unsupported
from ..ir.relation import Column, Relation
from ..ir.scalar import Scalar, column_scalar
from ..operators import Constant, Join, OuterJoin, Project, Scan
from ..pg import sql as q
from ..pg.catalog import TableInfo
from .decorrelate import attach_row
from .expressions import Expressions
from .nodes import conjuncts, own_names
from .parse import parse_query
from .probes import PENDING
from .recursive import OwnRows, RecursiveCte, bind_recursive, reference
from .scope import Scope, ScopeItem
from .srf import bind_function
from .tables import check_source, inside

if TYPE_CHECKING:
    from .bind import Binder

UNIT = Constant((), ((),))


class Sources:
    """Binds FROM clauses; the level it makes is where the rest of the SELECT is bound."""

    def __init__(self, binder: Binder) -> None:
        self.binder = binder
        self.names = binder.names
        self.leaves = 0

    def level(self, node: ast.SelectStmt, ctes: dict[str, Any], outer: Expressions | None) -> Expressions:
        """The SELECT's rows after WHERE, and the scope of its expressions."""
        scope = Scope(outer=outer.scope if outer else None)
        level = Expressions(self.binder.catalog, self.binder.probes, scope, UNIT)
        level.outer, level.ctes, level.subqueries = outer, ctes, self.binder.subqueries
        for item in node.fromClause or ():
            level.relation = self._beside(level, item)
        if node.whereClause is not None:
            self.binder.subqueries.restrict(level, node.whereClause)
        return level

    def _beside(self, level: Expressions, item: Any) -> Relation:
        """The rows so far with one more FROM item beside them."""
        if self._depends(item):
            return self._dependent(level, item, level.relation)
        relation = self._item(level, item)
        return relation if level.relation is UNIT else Join((level.relation, relation), ())

    @staticmethod
    def _depends(item: Any) -> bool:
        return isinstance(item, ast.RangeFunction) or (isinstance(item, ast.RangeSubselect) and bool(item.lateral))

    def _item(self, level: Expressions, item: Any) -> Relation:
        if isinstance(item, ast.JoinExpr):
            return self._join(level, item)
        if self._depends(item):
            return self._dependent(level, item, UNIT)
        relation, columns, alias = self._relation(item, level)
        level.scope.items.append(ScopeItem(alias, columns))
        return relation

    # Joins

    def _join(self, level: Expressions, item: ast.JoinExpr) -> Relation:
        scope, kind = level.scope, item.jointype.name
        before = len(scope.items)
        left = self._item(level, item.larg)
        middle = len(scope.items)
        if self._depends(item.rarg):
            relation = self._dependent(level, item.rarg, left, item)
        else:
            right = self._item(level, item.rarg)
            if kind == "JOIN_RIGHT":
                left, right = right, left
            conditions = [item.quals] if item.quals is not None else []
            conditions += [self._using(part.sval, scope, before, middle) for part in item.usingClause or ()]
            relation = self._joined(level, left, right, conditions, kind)
            for part in item.usingClause or ():
                relation = self._merge(relation, part.sval, scope, before, middle, kind)
        if item.alias is not None:
            self._alias(item, scope, before)
        return relation

    def _joined(
        self, level: Expressions, left: Relation, right: Relation, conditions: list[Any], kind: str
    ) -> Relation:
        both = level.over(level.scope, Join((left, right), ()))
        if kind == "JOIN_INNER":
            for condition in conditions:
                self.binder.subqueries.restrict(both, condition)
            return both.relation
        parts = [part for condition in conditions for part in conjuncts(condition)]
        scalars = tuple(both.scalar(part) for part in parts)
        if both.relation.children != (left, right):
            raise Unsupported("SUBQUERY", "a subquery in the condition of an outer join has no rule", "SUBQUERY")
        return OuterJoin(left, right, scalars, kind == "JOIN_FULL")

    def _using(self, name: str, scope: Scope, before: int, middle: int) -> Any:
        """The equality that JOIN … USING stands for."""
        sides = [self._column(name, scope.items[before:middle], scope), self._column(name, scope.items[middle:], scope)]
        return ast.A_Expr(
            kind=enums.A_Expr_Kind.AEXPR_OP,
            name=(ast.String(sval="="),),
            lexpr=ast.ColumnRef(fields=(ast.String(sval="ivm_bound"), ast.String(sval=sides[0]))),
            rexpr=ast.ColumnRef(fields=(ast.String(sval="ivm_bound"), ast.String(sval=sides[1]))),
        )

    def _column(self, name: str, items: list[ScopeItem], scope: Scope) -> str:
        found = {item.columns[name] for item in items if name in item.columns}
        if name in scope.merged and scope.merged_of.get(name, set()) & found:
            return scope.merged[name]
        if len(found) != 1:
            raise Unsupported("JOIN", f"USING ({name}) is ambiguous here", "USING")
        return found.pop()

    def _merge(self, relation: Relation, name: str, scope: Scope, before: int, middle: int, kind: str) -> Relation:
        """The column that USING makes of two: the side that keeps its rows, or the first that isn't NULL."""
        left = self._column(name, scope.items[before:middle], scope)
        right = self._column(name, scope.items[middle:], scope)
        scope.merged_of.setdefault(name, set()).update(
            item.columns[name] for item in scope.items[before:] if name in item.columns
        )
        merged = right if kind == "JOIN_RIGHT" else left
        if kind == "JOIN_FULL":
            merged = self.names.fresh(name)
            text = f"COALESCE({q.ident(left)}, {q.ident(right)})"
            type_ = self.binder.probes.type_of(text, relation) or PENDING
            kept = [(c.name, column_scalar(c.name, c.type, c.not_null)) for c in relation.schema]
            relation = Project(relation, (*kept, (merged, Scalar(text, type_))))
            scope.coalesced[left, right] = merged
        scope.merged[name] = merged
        return relation

    def _alias(self, item: ast.JoinExpr, scope: Scope, before: int) -> None:
        """`(a JOIN b …) AS j`: the columns of both under one name, merged ones first."""
        if item.alias.colnames:
            raise Unsupported("JOIN", "column names in the alias of a join have no rule", item.alias.aliasname)
        columns: dict[str, str] = {part.sval: scope.merged[part.sval] for part in item.usingClause or ()}
        for inner in scope.items[before:]:
            for name, bound in inner.columns.items():
                if name in columns and not any(part.sval == name for part in item.usingClause or ()):
                    raise Unsupported("JOIN", f"the alias of a join hides two columns {name}", item.alias.aliasname)
                columns.setdefault(name, bound)
        scope.items[before:] = [ScopeItem(item.alias.aliasname, columns)]

    # LATERAL and functions

    def _dependent(self, level: Expressions, item: Any, left: Relation, join: ast.JoinExpr | None = None) -> Relation:
        """`left` with an item beside each row that may name the row's columns."""
        outer = join is not None and join.jointype.name == "JOIN_LEFT"
        if join is not None and join.jointype.name not in ("JOIN_LEFT", "JOIN_INNER"):
            find = "SRF" if isinstance(item, ast.RangeFunction) else "LATERAL"
            raise Unsupported("LATERAL", "a lateral item can't be the side that a join keeps", find)
        row = level.over(level.scope, left)
        if isinstance(item, ast.RangeFunction):
            relation, columns, alias = bind_function(self.binder, row, item, outer)
            level.scope.items.append(ScopeItem(alias, columns))
            return self._on(level, relation, left, join, outer)
        subquery = self.binder.select(item.subquery, level.ctes, outer=row)
        names = _given_names(item.alias, own_names(item.subquery))
        columns = dict(zip(names, subquery.names, strict=False))
        condition: list[Any] = []
        if join is not None and join.quals is not None:
            condition = [part for part in conjuncts(join.quals) if not _is_true(part)]
        level.scope.items.append(ScopeItem(item.alias.aliasname if item.alias else "", columns))
        if outer:
            scope = level.over(level.scope, Join((left, subquery), ()))
            return attach_row(self.binder, row, subquery, tuple(scope.scalar(part) for part in condition), outer=True)
        relation = attach_row(self.binder, row, subquery, (), outer=False)
        both = level.over(level.scope, relation)
        for part in condition:
            self.binder.subqueries.restrict(both, part)
        return both.relation

    def _on(
        self, level: Expressions, relation: Relation, left: Relation, join: ast.JoinExpr | None, outer: bool
    ) -> Relation:
        """The ON condition of a join with a function."""
        if join is None or join.quals is None or _is_true(join.quals):
            return relation
        if outer:
            raise Unsupported("SRF", "a left join with a function has a condition", "SRF")
        both = level.over(level.scope, relation)
        self.binder.subqueries.restrict(both, join.quals)
        return both.relation

    # Relations

    def _relation(self, item: Any, level: Expressions) -> tuple[Relation, dict[str, str], str]:
        if isinstance(item, ast.RangeSubselect):
            names = own_names(item.subquery)
            return self._derived(
                level, item.subquery, level.ctes, item.alias, names, item.alias.aliasname if item.alias else ""
            )
        if isinstance(item, ast.RangeTableSample):
            raise Unsupported("SAMPLE", "TABLESAMPLE chooses rows by chance", "SAMPLE")
        if not isinstance(item, ast.RangeVar):
            kind = type(item).__name__
            raise Unsupported("EXPRESSION", f"{kind} in FROM has no rule yet", f"node:{kind}")
        alias = item.alias.aliasname if item.alias else item.relname
        if item.schemaname is None and item.relname in level.ctes:
            return self._cte(level, item, level.ctes[item.relname], alias)
        view = self.binder.catalog.view(item.schemaname, item.relname)
        if view is not None:
            with inside(view):
                return self._derived(None, parse_query(view.sql).node, {}, item.alias, view.columns, alias)
        return self._table(item, alias)

    def _cte(
        self, level: Expressions, item: ast.RangeVar, found: Any, alias: str
    ) -> tuple[Relation, dict[str, str], str]:
        """A CTE where it is read; inside the step of a recursive one its name means the recursion's own rows."""
        if isinstance(found, OwnRows):
            own = reference(self.binder, found)
            return own, dict(zip(_given_names(item.alias, found.names), own.names, strict=False)), alias
        cte, outer = (found.cte, found.before) if isinstance(found, RecursiveCte) else found
        given = tuple(c.sval for c in cte.aliascolnames or ())
        names = given + own_names(cte.ctequery)[len(given) :]
        if isinstance(found, RecursiveCte):
            relation = bind_recursive(self.binder, found, names, level.outer)
            return relation, dict(zip(_given_names(item.alias, names), relation.names, strict=False)), alias
        return self._derived(level, cte.ctequery, outer, item.alias, names, alias)

    def _derived(
        self,
        level: Expressions | None,
        node: ast.SelectStmt,
        ctes: dict[str, Any],
        alias: Any,
        names: tuple[str, ...],
        aliasname: str,
    ) -> tuple[Relation, dict[str, str], str]:
        relation = self.binder.select(node, ctes, outer=level.outer if level else None)
        return relation, dict(zip(_given_names(alias, names), relation.names, strict=False)), aliasname

    def _info(self, item: ast.RangeVar) -> TableInfo:
        """Canonical text leaves the schema out only for pg_catalog and the session's temporary schema."""
        find = f"table:{item.relname}"
        tables = self.binder.catalog.tables
        if item.schemaname is None:
            if any(t.name == item.relname and t.persistence == "t" for t in tables):
                raise Unsupported("TEMPORARY", f"{item.relname} is a temporary table", find)
            raise Unsupported("SOURCE", f"{item.relname} is a system catalog", find)
        info = self.binder.catalog.table(item.schemaname, item.relname)
        if info is None:
            raise CompileError(f"relation {item.schemaname}.{item.relname} isn't in the catalog")
        return info

    def _table(self, item: ast.RangeVar, alias: str) -> tuple[Relation, dict[str, str], str]:
        info = self._info(item)
        check_source(info, only=not item.inh)
        columns = tuple((Column(self.names.fresh(c.name), c.type, c.not_null), c.name) for c in info.columns)
        schema, name = info.stands_for or (info.schema, info.name)
        self.leaves += 1
        scan = Scan(schema, name, columns, self.leaves, info.live, info.keys)
        names = _given_names(item.alias, tuple(c.name for c in info.columns))
        return scan, dict(zip(names, scan.names, strict=True)), alias

    # VALUES

    def values(self, node: ast.SelectStmt, wanted: tuple[str, ...] | None, outer: Expressions | None) -> Relation:
        """The rows of a VALUES list."""
        level = self.level(ast.SelectStmt(), {}, outer)
        rows = [[level.scalar(cell) for cell in row] for row in node.valuesLists]
        names = wanted or tuple(self.names.fresh(f"column{i + 1}") for i in range(len(rows[0])))
        if any(cell.columns for row in rows for cell in row):
            raise Unsupported("VALUES", "VALUES names columns of another row", "VALUES")
        columns = []
        for i, name in enumerate(names):
            texts = [q.sql("({e})", e=row[i].sql()) for row in rows]
            query = q.sql("SELECT column1 FROM (VALUES {rows}) ivm_probe", rows=texts)
            columns.append(
                Column(name, self.binder.probes.ask(query.text) or PENDING, all(r[i].not_null for r in rows))
            )
        return Constant(tuple(columns), tuple(tuple(row) for row in rows))


def _given_names(alias: Any, own: tuple[str, ...]) -> tuple[str, ...]:
    """Column names with the alias's list laid over them."""
    given = tuple(c.sval for c in (alias.colnames if alias else None) or ())
    return given + own[len(given) :]


def _is_true(node: Any) -> bool:
    return isinstance(node, ast.A_Const) and isinstance(node.val, ast.Boolean) and bool(node.val.boolval)
