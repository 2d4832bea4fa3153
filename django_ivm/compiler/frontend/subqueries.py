"""Subqueries in expressions: EXISTS, IN, ANY, ALL and scalar ones become joins of the level they stand in.

Three-valued logic: `x IN (S)` is true when a row equals x, unknown when none does but x or a row is NULL and S has
rows; `NOT IN` is true only when neither holds. In a condition only "true" counts, so a conjunct is a semi-join or
anti-joins; anywhere else the answer is a column of its own.

SQL      scalar subqueries, ARRAY(SELECT …), ANY and ALL with other operators
Kept     as the joins, semi-joins and groups that they become
Cost     as those
Locks    as those
Codes    SUBQUERY
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from pglast import ast, enums

from ..errors import Unsupported
from ..ir.scalar import Scalar, column_scalar
from ..operators import Filter, Join, OuterJoin, Project, SemiJoin
from ..operators.flip import Answer
from ..pg import sql as q
from ..pg.catalog import BOOLEAN
from ..pg.print import parse_expression_shared, print_expression, structure
from .decorrelate import Pulled, decorrelate, or_without_rows
from .expressions import Expressions
from .nodes import conjuncts

if TYPE_CHECKING:
    from .bind import Binder


class Subqueries:
    """Binds the subqueries of one query's expressions."""

    def __init__(self, binder: Binder) -> None:
        self.binder = binder

    def restrict(self, level: Expressions, condition: Any) -> None:
        """Keep the level's rows for which a condition is true."""
        plain: list[Any] = []
        joined: list[Any] = []
        for part in conjuncts(condition):
            (joined if has_subquery(part) else plain).append(part)
        scalars = tuple(level.scalar(part) for part in plain)
        if isinstance(level.relation, Join):
            level.relation = Join(level.relation.inputs, (*level.relation.conditions, *scalars))
        else:
            for scalar in scalars:
                level.relation = Filter(level.relation, scalar)
        for part in joined:
            node, negated = _without_not(part)
            if isinstance(node, ast.SubLink) and node.subLinkType.name in _CONJUNCTS:
                _CONJUNCTS[node.subLinkType.name](self, level, node, negated)
            else:
                scalar = level.scalar(part)
                level.relation = Filter(level.relation, scalar)

    # Conjuncts

    def _pulled(self, level: Expressions, node: ast.SubLink, *, every_row: bool = True) -> Pulled:
        subquery = self.binder.select(node.subselect, level.ctes, outer=level)
        return decorrelate(self.binder, level, subquery, every_row=every_row)

    def _exists(self, level: Expressions, node: ast.SubLink, negated: bool) -> None:
        pulled = self._pulled(level, node, every_row=False)
        if pulled.without_rows is not None:  # an aggregate without GROUP BY always has its row
            if negated:
                level.relation = Filter(level.relation, Scalar("false", BOOLEAN))
            return
        self._keep(level, pulled, (), Answer.ANTI if negated else Answer.SEMI)

    def _any(self, level: Expressions, node: ast.SubLink, negated: bool) -> None:
        if not negated:
            pulled = self._pulled(level, node)
            self._keep(level, pulled, _comparisons(level, node, pulled), Answer.SEMI)
            return
        for kind in self._ways_to_match(level, node):
            pulled = self._pulled(level, node)
            self._keep(level, pulled, kind(_comparisons(level, node, pulled)), Answer.ANTI)

    def _all(self, level: Expressions, node: ast.SubLink, negated: bool) -> None:
        pulled = self._pulled(level, node)
        comparison = _conjunction(_comparisons(level, node, pulled))
        if negated:
            self._keep(level, pulled, (Scalar(f"NOT ({comparison})"),), Answer.SEMI)
        else:
            self._keep(level, pulled, (Scalar(f"({comparison}) IS NOT TRUE"),), Answer.ANTI)

    def _ways_to_match(self, level: Expressions, node: ast.SubLink) -> list[Any]:
        """Conditions of which each keeps a NOT IN from being true, as functions of the comparisons.

        One comparison that can't be NULL is an equality; else NULL on either side is a case of its own, so that each
        can use an index.
        """
        comparisons = _comparisons(level, node, self._pulled(level, node))
        if len(comparisons) != 1 or not _is_equality(comparisons[0]):
            return [lambda found: (Scalar(f"({_conjunction(found)}) IS NOT FALSE"),)]
        found: list[Any] = [lambda found: found]
        if not self._never_null(level, node.testexpr):
            found.append(lambda found: (Scalar(f"({_side(found[0], 0)}) IS NULL"),))
        if self._nullable_output(level, node):
            found.append(lambda found: (Scalar(f"({_side(found[0], 1)}) IS NULL"),))
        return found

    def _never_null(self, level: Expressions, node: Any) -> bool:
        return level.typed(print_expression(level.bound(node))).not_null

    def _nullable_output(self, level: Expressions, node: ast.SubLink) -> bool:
        pulled = self._pulled(level, node)
        return any(not s.not_null for s in pulled.outputs.values())

    def _keep(self, level: Expressions, pulled: Pulled, extra: tuple[Scalar, ...], answer: Answer) -> None:
        level.relation = SemiJoin(level.relation, pulled.relation, (*pulled.conditions, *extra), answer)

    # Values

    def value(self, level: Expressions, node: ast.SubLink) -> Any:
        """The node of a subquery's value over the level's columns; the level is joined with what it reads."""
        known = structure(node)
        if known not in level.attached:
            kind = node.subLinkType.name
            if kind not in _VALUES:
                raise Unsupported("SUBQUERY", f"a subquery of this kind ({kind}) has no rule", "SUBQUERY")
            level.attached[known] = _VALUES[kind](self, level, node)
        return level.attached[known]

    def _mark(self, level: Expressions, pulled: Pulled, extra: tuple[Scalar, ...]) -> str:
        """A new column: whether the subquery has a row that satisfies the conditions."""
        name = self.binder.names.fresh("has_match")
        conditions = (*pulled.conditions, *extra)
        level.relation = SemiJoin(level.relation, pulled.relation, conditions, Answer.MARK, name)
        return q.ident(name).text

    def _exists_value(self, level: Expressions, node: ast.SubLink) -> Any:
        pulled = self._pulled(level, node, every_row=False)
        if pulled.without_rows is not None:
            return parse_expression_shared("true")
        return parse_expression_shared(self._mark(level, pulled, ()))

    def _any_value(self, level: Expressions, node: ast.SubLink) -> Any:
        marks = []
        for kind in self._ways_to_match(level, node):
            pulled = self._pulled(level, node)
            comparisons = _comparisons(level, node, pulled)
            extra = kind(comparisons)
            if len(comparisons) != 1 or not _is_equality(comparisons[0]):
                marks.append(self._mark(level, pulled, comparisons))
                pulled = self._pulled(level, node)
                unknown = f"({_conjunction(_comparisons(level, node, pulled))}) IS NULL"
                extra = (Scalar(unknown),)
            marks.append(self._mark(level, pulled, extra))
        if len(marks) == 1:
            return parse_expression_shared(marks[0])
        return parse_expression_shared(
            f"CASE WHEN {marks[0]} THEN true WHEN {' OR '.join(marks[1:])} THEN NULL::boolean ELSE false END"
        )

    def _all_value(self, level: Expressions, node: ast.SubLink) -> Any:
        marks = []
        for ending in ("IS FALSE", "IS NULL"):
            pulled = self._pulled(level, node)
            comparison = _conjunction(_comparisons(level, node, pulled))
            marks.append(self._mark(level, pulled, (Scalar(f"({comparison}) {ending}"),)))
        return parse_expression_shared(
            f"CASE WHEN {marks[0]} THEN false WHEN {marks[1]} THEN NULL::boolean ELSE true END"
        )

    def _scalar_value(self, level: Expressions, node: ast.SubLink) -> Any:
        pulled = self._pulled(level, node, every_row=False)
        if len(pulled.outputs) != 1:
            raise Unsupported("SUBQUERY", "a row is compared with a subquery of several columns", "SUBQUERY")
        ((name, shown),) = pulled.outputs.items()
        if not pulled.single:
            raise Unsupported("SUBQUERY", "a scalar subquery may have several rows", "SUBQUERY")
        if not pulled.conditions and pulled.relation.one_row:
            level.relation = Join((level.relation, pulled.relation), ())
            return parse_expression_shared(shown.text)
        if pulled.without_rows is not None:
            level.relation = OuterJoin(level.relation, pulled.relation, pulled.conditions)
            return parse_expression_shared(or_without_rows(pulled, name).text)
        if not set(shown.columns) <= set(pulled.relation.names):
            raise Unsupported("SUBQUERY", "a scalar subquery shows an expression of both queries", "SUBQUERY")
        kept = [(c.name, column_scalar(c.name, c.type, c.not_null)) for c in pulled.relation.schema]
        name = self.binder.names.fresh(name)
        typed = level.over(level.scope, pulled.relation).typed(shown.text)
        value = Project(pulled.relation, (*kept, (name, typed)))
        level.relation = OuterJoin(level.relation, value, pulled.conditions)
        return parse_expression_shared(q.ident(name).text)

    def _array_value(self, level: Expressions, node: ast.SubLink) -> Any:
        """ARRAY(SELECT …) is array_agg, with an empty array for no rows."""
        select: Any = node.subselect
        grouped = select.groupClause or select.havingClause or self.binder._has_aggregate(level, select.targetList)
        limited = select.limitCount or select.limitOffset
        if (
            select.op.name != "SETOP_NONE"
            or select.distinctClause
            or grouped
            or limited
            or _has_window(select.targetList)
        ):
            raise Unsupported("SUBQUERY", "this form of ARRAY(SELECT …) has no rule", "ARRAY")
        new = copy.copy(select)
        call = copy.deepcopy(parse_expression_shared("array_agg(x)"))
        call.args, call.agg_order = (select.targetList[0].val,), select.sortClause
        new.targetList, new.sortClause = (ast.ResTarget(name="array_agg", val=call),), None
        inner = copy.copy(node)
        inner.subselect, inner.subLinkType = new, enums.SubLinkType.EXPR_SUBLINK
        value = self._scalar_value(level, inner)
        return parse_expression_shared(f"COALESCE({print_expression(value)}, '{{}}')")


_CONJUNCTS = {
    "EXISTS_SUBLINK": Subqueries._exists,
    "ANY_SUBLINK": Subqueries._any,
    "ALL_SUBLINK": Subqueries._all,
}
_VALUES = {
    "EXISTS_SUBLINK": Subqueries._exists_value,
    "ANY_SUBLINK": Subqueries._any_value,
    "ALL_SUBLINK": Subqueries._all_value,
    "EXPR_SUBLINK": Subqueries._scalar_value,
    "ARRAY_SUBLINK": Subqueries._array_value,
}


def has_subquery(node: Any) -> bool:
    """A subquery stands somewhere in an expression."""
    if isinstance(node, list | tuple):
        return any(has_subquery(item) for item in node)
    if isinstance(node, ast.SubLink):
        return True
    return isinstance(node, ast.Node) and any(has_subquery(getattr(node, name)) for name in node)


def _has_window(node: Any) -> bool:
    if isinstance(node, list | tuple):
        return any(map(_has_window, node))
    if isinstance(node, ast.WindowDef):
        return True
    return isinstance(node, ast.Node) and any(_has_window(getattr(node, name)) for name in node)


def _without_not(node: Any) -> tuple[Any, bool]:
    negated = False
    while isinstance(node, ast.BoolExpr) and node.boolop.name == "NOT_EXPR":
        node, negated = node.args[0], not negated
    return node, negated


def _comparisons(level: Expressions, node: ast.SubLink, pulled: Pulled) -> tuple[Scalar, ...]:
    """`x op output` for each column compared."""
    tested = node.testexpr
    sides = list(tested.args) if isinstance(tested, ast.RowExpr) else [tested]
    names = [part.sval for part in node.operName or (ast.String(sval="="),)]
    operator = names[-1] if len(names) == 1 else f"OPERATOR({'.'.join(names)})"
    if len(sides) > 1 and operator not in ("=", "<>"):
        raise Unsupported("SUBQUERY", "rows are compared by order with a subquery", "SUBQUERY")
    if len(sides) != len(pulled.outputs):
        raise Unsupported("SUBQUERY", "a row is compared with a subquery", "SUBQUERY")
    found = []
    for side, output in zip(sides, pulled.outputs.values(), strict=True):
        left = Scalar(print_expression(level.bound(side))).text
        found.append(Scalar(print_expression(parse_expression_shared(f"({left}) {operator} ({output.text})"))))
    if len(sides) > 1 and operator == "<>":
        return (Scalar(" OR ".join(f"({c.text})" for c in found)),)
    return tuple(found)


def _conjunction(scalars: tuple[Scalar, ...]) -> str:
    return " AND ".join(f"({s.text})" for s in scalars)


def _is_equality(scalar: Scalar) -> bool:
    node = scalar.node
    return isinstance(node, ast.A_Expr) and node.kind.name == "AEXPR_OP" and [n.sval for n in node.name] == ["="]


def _side(scalar: Scalar, which: int) -> str:
    node = scalar.node
    return print_expression(node.rexpr if which else node.lexpr)
