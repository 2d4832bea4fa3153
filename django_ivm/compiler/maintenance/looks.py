"""Which of a query's values are settled by its data, text for text.

PostgreSQL may show any of several values where equal ones look different (a group of 1.0 and 1.00), and where an
aggregate depends on the order of its rows (`string_agg(x, ',')`). Keeping such a value is right as long as it is one of
them; comparing it with another evaluation of the query isn't. Sums of floats count as settled: they differ by the order
of a scan only.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any

from pglast import ast

from ..errors import Unsupported
from ..ir.relation import Relation
from ..ir.scalar import Scalar
from ..operators import Aggregate, Call, Filter, Project, Recursive, TopN, Union, Window
from ..pg.print import print_expression


class Look(enum.IntEnum):
    """How much of a value is settled."""

    FIXED = 0  # its text
    ALIKE = 1  # what it is equal to
    OPEN = 2  # that it is one of several


_NUMBERS = frozenset(["int2", "int4", "int8", "numeric", "float4", "float8"])
_COMPARISONS = frozenset(["=", "<>", "<", "<=", ">", ">="])
_NUMERIC_FUNCTIONS = frozenset(["abs", "ceil", "ceiling", "floor", "round", "trunc"])
_ADDING = frozenset(["sum", "avg", "variance", "var_samp", "var_pop", "stddev", "stddev_samp", "stddev_pop"])
_CHOOSING = frozenset(["min", "max", "mode", "percentile_disc", "percentile_cont", "range_agg", "range_intersect_agg"])
_ANY_ORDER = frozenset([
    "bool_and", "bool_or", "every", "bit_and", "bit_or", "bit_xor", "corr", "covar_pop", "covar_samp", "regr_avgx",
    "regr_avgy", "regr_count", "regr_intercept", "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy", "rank",
    "dense_rank", "percent_rank", "cume_dist",
])  # fmt: skip
_KEYED = frozenset(["jsonb_object_agg", "jsonb_object_agg_strict"])  # sorted by key; of equal keys the last one wins


def looks(relation: Relation) -> dict[str, Look]:
    """How much of each column is settled.

    Raises Unsupported when a value that isn't settled decides which rows there are.
    """
    children = [looks(child) for child in relation.children]
    below = {name: look for child in children for name, look in child.items()}
    if isinstance(relation, Project):
        return {name: _look(s, relation.child, below) for name, s in relation.outputs}
    if isinstance(relation, Union):
        return dict(zip(relation.names, map(max, zip(*(c.values() for c in children), strict=True)), strict=True))
    if isinstance(relation, Aggregate):
        return _of_groups(relation, below)
    if isinstance(relation, Window):
        _decide([name for name in relation.partition if below[name] is Look.OPEN], below)
        return below | {name: _of_window_call(s.node, below) for name, s in relation.calls}
    if isinstance(relation, Recursive):
        _decide([name for child in relation.children for name in child.names if below[name]], below)
        return dict.fromkeys(relation.names, Look.FIXED)
    conditions = (relation.condition,) if isinstance(relation, Filter) else relation.conditions_between
    for condition in conditions:
        if _of_condition(condition, relation, below):
            _decide([name for name in condition.columns if below.get(name)], below)
    if not conditions:
        allowed = Look.ALIKE if isinstance(relation, TopN) else Look.FIXED
        _decide([name for name in sorted(relation.references) if below.get(name, Look.FIXED) > allowed], below)
    return {name: below.get(name, Look.FIXED) for name in relation.names}


def _decide(loose: list[str], below: Mapping[str, Look]) -> None:
    """Refuse columns that decide which rows there are without being settled."""
    for name in loose:
        shown = re.sub(r"_\d+$", "", name)  # the user's own name
        if below[name] is Look.OPEN:
            message = f"which rows there are depends on {shown}, which the query doesn't determine"
            raise Unsupported("ORDER", message, shown)
        message = f"which rows there are depends on how {shown} is written, but equal values may look different"
        raise Unsupported("KEY_TYPE", message, shown)


def _of_condition(condition: Scalar, relation: Relation, below: Mapping[str, Look]) -> Look:
    kinds = {c.name: c.type.base for child in relation.children for c in child.schema}
    return _of_node(condition.node, kinds, below)


def _look(scalar: Scalar, child: Relation, below: Mapping[str, Look]) -> Look:
    look = _of_node(scalar.node, {c.name: c.type.base for c in child.schema}, below)
    return Look.FIXED if look is Look.ALIKE and scalar.type.exact else look


def _of_node(node: Any, kinds: Mapping[str, str], below: Mapping[str, Look]) -> Look:
    """Of an expression. Where its columns are settled up to equality, so is what depends on equality only."""
    found = {name: below.get(name, Look.FIXED) for name in _columns_of(node)}
    worst = max(found.values(), default=Look.FIXED)
    if worst is not Look.ALIKE or isinstance(node, ast.ColumnRef):
        return worst

    def of(*parts: Any) -> Look:
        return max((_of_node(part, kinds, below) for part in parts if part is not None), default=Look.FIXED)

    def settled(*parts: Any) -> Look:
        """Of something that is true or false."""
        return Look.OPEN if of(*parts) is Look.OPEN else Look.FIXED

    if isinstance(node, ast.NullTest | ast.BooleanTest):
        return settled(node.arg)
    if isinstance(node, ast.BoolExpr):
        return settled(*node.args)
    if isinstance(node, ast.CoalesceExpr | ast.MinMaxExpr):
        return of(*node.args)
    if isinstance(node, ast.CaseExpr):
        tests = [when.expr for when in node.args]
        tested = settled(node.arg, *tests) if node.arg is not None else of(*tests)
        return Look.OPEN if tested else of(*(when.result for when in node.args), node.defresult)
    if isinstance(node, ast.A_Expr) and node.name[-1].sval in _COMPARISONS:
        return settled(node.lexpr, *(node.rexpr if isinstance(node.rexpr, tuple) else (node.rexpr,)))
    if all(kinds.get(name) in _NUMBERS for name, look in found.items() if look):
        return of(*_numeric_parts(node)) if _numeric_parts(node) else Look.OPEN
    return Look.OPEN


def _numeric_parts(node: Any) -> tuple[Any, ...]:
    """What a numeric operation is made of, if its results are equal whenever those are; empty for other operations."""
    if isinstance(node, ast.A_Expr) and node.kind.name == "AEXPR_OP" and node.name[-1].sval in ("+", "-", "*", "/"):
        return (node.lexpr, node.rexpr)
    if isinstance(node, ast.TypeCast) and node.typeName.names[-1].sval in _NUMBERS:
        return (node.arg,)
    if isinstance(node, ast.FuncCall) and node.funcname[-1].sval in _NUMERIC_FUNCTIONS:
        return tuple(node.args)
    return ()


def _of_groups(aggregate: Aggregate, below: Mapping[str, Look]) -> dict[str, Look]:
    child = aggregate.child
    grouped = frozenset(s.column for _, s in aggregate.keys if s.column)
    single = child.identified_by(grouped)  # each group is one row
    found = {}
    for name, scalar in aggregate.keys:
        look = _look(scalar, child, below)
        if look is Look.OPEN:
            _decide([name for name in scalar.columns if below.get(name)], below)
        found[name] = look if single else max(look, Look.FIXED if scalar.type.exact else Look.ALIKE)
    for name, call in aggregate.calls:
        found[name] = _of_call(call, child, grouped, below)
    return found


def _of_call(call: Call, child: Relation, grouped: frozenset[str], below: Mapping[str, Look]) -> Look:
    kinds, node = {c.name: c.type.base for c in child.schema}, call.node
    read = [*(node.args or ()), *(item.node for item in node.agg_order or ())]
    look = max((_of_node(part, kinds, below) for part in read), default=Look.FIXED)
    if look is Look.OPEN:
        return look
    if node.agg_filter is not None and _of_node(node.agg_filter, kinds, below):
        return Look.OPEN
    if call.function == "count":
        return Look.FIXED
    if call.function in _ADDING:
        return look
    if call.function in _CHOOSING:
        return Look.FIXED if call.type.exact else Look.ALIKE
    if look:
        return Look.OPEN
    return Look.FIXED if call.function in _ANY_ORDER or _ordered(call, child, grouped) else Look.OPEN


def _of_window_call(node: Any, below: Mapping[str, Look]) -> Look:
    """Equal values stand at one place in an order; an argument's look is the result's concern."""
    found = {name: below.get(name, Look.FIXED) for name in _columns_of(node)}
    read = {name for part in (*(node.args or ()), node.agg_filter) if part for name in _columns_of(part)}
    settled = all(look is Look.FIXED or (look is Look.ALIKE and name not in read) for name, look in found.items())
    return Look.FIXED if settled else Look.OPEN


def _columns_of(node: Any) -> tuple[str, ...]:
    return Scalar(print_expression(node)).columns


def _ordered(call: Call, child: Relation, grouped: frozenset[str]) -> bool:
    """The order of rows is total, or rows that it doesn't tell apart give the same arguments."""
    node = call.node
    arguments = list(node.args or ())
    items = [item.node for item in node.agg_order or ()]
    if not items and call.distinct:  # PostgreSQL sorts to find equal values
        items = arguments
    columns = {item.fields[-1].sval for item in items if isinstance(item, ast.ColumnRef)}
    unique = columns | {a.fields[-1].sval for a in arguments[:1] if call.function in _KEYED and _plain(a)}
    if child.identified_by(grouped | frozenset(unique & set(child.names))):
        return True
    texts = {print_expression(item) for item in items} if call.type.exact else set()
    alike = {name for name in columns if name in child.names and child.column(name).type.exact} | grouped
    return bool(items) and all(
        print_expression(argument) in texts or alike.issuperset(_columns_of(argument)) for argument in arguments
    )


def _plain(node: Any) -> bool:
    return isinstance(node, ast.ColumnRef)
