"""Which constructs a query has, read from its own text: the counters say which of them are ever kept."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pglast
from pglast import ast

AGGREGATES = (
    "count", "sum", "avg", "min", "max", "bool_and", "bool_or", "every", "variance", "var_samp", "var_pop", "stddev",
    "stddev_samp", "stddev_pop", "string_agg", "array_agg", "jsonb_agg", "bit_and", "bit_or", "bit_xor", "mode",
    "percentile_cont", "percentile_disc",
)  # fmt: skip
_SET_RETURNING = (
    "generate_series", "unnest", "jsonb_array_elements", "jsonb_object_keys", "regexp_split_to_table", "jsonb_each",
)  # fmt: skip
_JOINS = {"JOIN_INNER": "join", "JOIN_LEFT": "left join", "JOIN_RIGHT": "right join", "JOIN_FULL": "full join"}
_SET_OPERATIONS = {"SETOP_UNION": "union", "SETOP_INTERSECT": "intersect", "SETOP_EXCEPT": "except"}


def constructs(sql: str) -> Counter[str]:
    """Names of the constructs and how often each stands there."""
    found: Counter[str] = Counter()
    _Reader(found).select(pglast.parse_sql(sql)[0].stmt, "whole", frozenset(), 1)
    return +found  # without those that were looked for in vain


class _Reader:
    def __init__(self, found: Counter[str]) -> None:
        self.found = found
        self.ctes: Counter[str] = Counter()
        self.known: set[str] = set()

    # Levels. `outer` are the aliases of the levels around.

    def select(self, node: ast.SelectStmt, where: str, outer: frozenset[str], depth: int) -> None:
        found = self.found
        if depth >= 4:
            found["depth 4 or more"] += 1
        for cte in node.withClause.ctes if node.withClause else ():
            found["recursive cte" if node.withClause.recursive and _calls_itself(cte) else "cte"] += 1
            self.known.add(cte.ctename)
            self.select(cte.ctequery, "cte", outer, depth + 1)
        if node.op.name != "SETOP_NONE":
            name = _SET_OPERATIONS[node.op.name] + (" all" if node.all else "")
            found[name] += 1
            for branch in (node.larg, node.rarg):
                if branch.op.name != "SETOP_NONE":
                    found["set operation in a set operation"] += 1
                self.select(branch, "branch", outer, depth)
        else:
            self._level(node, where, outer, depth)
        if node.limitCount is not None or node.limitOffset is not None:
            found["limit" if where == "whole" else f"limit in {where}"] += 1
            found["with ties"] += node.limitOption.name == "LIMIT_OPTION_WITH_TIES"
        self._ctes_used_again(where)

    def _ctes_used_again(self, where: str) -> None:
        if where == "whole" and any(self.ctes[name] > 1 for name in self.known):
            self.found["cte used again"] += 1

    def _level(self, node: ast.SelectStmt, where: str, outer: frozenset[str], depth: int) -> None:
        found = self.found
        if node.valuesLists:
            found["values"] += 1
            return
        if not node.fromClause:
            found["no from"] += 1
        own = outer | {a for item in node.fromClause or () for a in _aliases(item)}
        before = found["left join"] + found["right join"] + found["full join"]
        for item in node.fromClause or ():
            self._item(item, outer, own, depth)
        joins_outer = found["left join"] + found["right join"] + found["full join"] > before
        if len(node.fromClause or ()) > 1:
            found["join"] += 1
        if node.distinctClause:
            found["distinct on" if node.distinctClause[0] is not None else "distinct"] += 1
        self._groups(node, joins_outer)
        for window in node.windowClause or ():
            found["named window"] += bool(window.name)
        for target in node.targetList or ():
            self._expression(target, "select", own, depth)
        for part in (node.whereClause, node.groupClause, node.windowClause, node.sortClause):
            self._expression(part, "where", own, depth)
        self._expression(node.havingClause, "having", own, depth)

    def _groups(self, node: ast.SelectStmt, joins_outer: bool) -> None:
        found = self.found
        for item in node.groupClause or ():
            if isinstance(item, ast.GroupingSet):
                found[item.kind.name.removeprefix("GROUPING_SET_").lower().replace("sets", "grouping sets")] += 1
        grouped = bool(node.groupClause) or _has_aggregate(node.targetList)
        found["group by"] += bool(node.groupClause)
        found["global aggregate"] += grouped and not node.groupClause
        found["having"] += node.havingClause is not None
        found["aggregate over outer join"] += grouped and joins_outer

    def _item(self, item: Any, outer: frozenset[str], own: frozenset[str], depth: int) -> None:
        found = self.found
        if isinstance(item, ast.JoinExpr):
            found[_JOINS[item.jointype.name]] += 1
            found["using"] += bool(item.usingClause)
            found["join in parentheses"] += isinstance(item.rarg, ast.JoinExpr)
            self._item(item.larg, outer, own, depth)
            self._item(item.rarg, outer, own, depth)
            self._expression(item.quals, "on", own, depth)
        elif isinstance(item, ast.RangeSubselect):
            if item.lateral:
                what = "lateral top-n" if item.subquery.limitCount is not None else "lateral"
                found["lateral aggregate" if _has_aggregate(item.subquery.targetList) else what] += 1
            else:
                found["derived table"] += not item.subquery.valuesLists
            self.select(item.subquery, "lateral" if item.lateral else "from", own if item.lateral else outer, depth + 1)
        elif isinstance(item, ast.RangeFunction):
            found["function in from"] += 1
            found["with ordinality"] += bool(item.ordinality)
        elif isinstance(item, ast.RangeVar):
            self.ctes[item.relname] += 1

    # Expressions

    def _expression(self, node: Any, where: str, own: frozenset[str], depth: int) -> None:
        if isinstance(node, list | tuple):
            for item in node:
                self._expression(item, where, own, depth)
            return
        if not isinstance(node, ast.Node):
            return
        if isinstance(node, ast.BoolExpr):
            negated = node.boolop.name == "NOT_EXPR" and isinstance(node.args[0], ast.SubLink)
            if negated:
                self._sublink(node.args[0], "not ", where, own, depth)
                return
            self.found["subquery under or"] += node.boolop.name == "OR_EXPR" and _has_sublink(node.args)
            self.found["subquery under not"] += node.boolop.name == "NOT_EXPR" and _has_sublink(node.args)
        elif isinstance(node, ast.SubLink):
            self._sublink(node, "", where, own, depth)
            return
        elif isinstance(node, ast.FuncCall):
            self._call(node, where)
        elif isinstance(node, ast.GroupingFunc):
            self.found["grouping()"] += 1
        for name in node:
            self._expression(getattr(node, name), where, own, depth)

    def _sublink(self, node: ast.SubLink, negation: str, where: str, own: frozenset[str], depth: int) -> None:
        kind = node.subLinkType.name.removesuffix("_SUBLINK").lower()
        if kind == "any" and not node.operName:
            kind = "in"
        if kind == "in" and isinstance(node.testexpr, ast.RowExpr):
            kind = "row in"
        name = negation + {"expr": "scalar subquery", "array": "array subquery"}.get(kind, kind)
        if _mentions(node.subselect, own):
            name += " correlated"
        self.found[name] += 1
        if kind == "expr" or where in ("select", "having", "on"):
            self.found[f"subquery in {where}"] += 1
        self._expression(node.testexpr, where, own, depth)
        self.select(node.subselect, "subquery", own, depth + 1)

    def _call(self, node: ast.FuncCall, where: str) -> None:
        found, function = self.found, node.funcname[-1].sval
        if node.over is not None:
            found[f"{function}() over"] += 1
            found["window partition"] += bool(node.over.partitionClause)
            # 0x20000 etc.: the bits of a frame that was written.
            found["window frame"] += bool(node.over.frameOptions & 1)
        elif function in AGGREGATES:
            found[function + (" distinct" if node.agg_distinct else "")] += 1
            found["aggregate filter"] += node.agg_filter is not None
        elif function in _SET_RETURNING and where == "select":
            found["function of sets in select"] += 1


def _calls_itself(cte: Any) -> bool:
    return any(getattr(n, "relname", None) == cte.ctename for n in _walk(cte.ctequery) if isinstance(n, ast.RangeVar))


def _walk(node: Any) -> Any:
    if isinstance(node, list | tuple):
        for item in node:
            yield from _walk(item)
    elif isinstance(node, ast.Node):
        yield node
        for name in node:
            yield from _walk(getattr(node, name))


def _aliases(item: Any) -> set[str]:
    if isinstance(item, ast.JoinExpr):
        return _aliases(item.larg) | _aliases(item.rarg)
    alias = getattr(item, "alias", None)
    return {alias.aliasname if alias is not None else getattr(item, "relname", "")}


def _mentions(node: Any, aliases: frozenset[str]) -> bool:
    """A qualified column of one of the aliases; drawn queries use each alias once."""
    return any(isinstance(n, ast.ColumnRef) and len(n.fields) > 1 and n.fields[0].sval in aliases for n in _walk(node))


def _has_sublink(node: Any) -> bool:
    return any(isinstance(n, ast.SubLink) for n in _walk(node))


def _has_aggregate(node: Any) -> bool:
    if isinstance(node, list | tuple):
        return any(_has_aggregate(item) for item in node)
    if not isinstance(node, ast.Node) or isinstance(node, ast.SelectStmt):
        return False
    if isinstance(node, ast.FuncCall) and node.over is None and node.funcname[-1].sval in AGGREGATES:
        return True
    return any(_has_aggregate(getattr(node, name)) for name in node)
