"""Aggregates of distinct values become aggregates over a level that counts how often each value stands in its group.

Whether a value that goes was the last of its kind isn't known from the group's own row; a row per (group, value) with a
count knows it, so that a write costs its own values and not the group. One such level serves all calls over one
argument. With several arguments, or plain calls beside them (`sum(y)`), there would be a level per argument and a join
of them; those groups are recomputed instead, and so are sums that don't add up (floats, numerics of varying scale).
"""

from __future__ import annotations

import dataclasses

from ..ir.relation import Relation
from ..ir.scalar import Scalar, column_scalar
from ..maintenance.choice import Choices
from ..operators import Aggregate, Call
from ..operators.functions import Upkeep, upkeep
from ..pg import sql as q

_VALUE = "ivm_value"
_ALIKE = frozenset(["min", "max", "bool_and", "bool_or", "every"])  # a value counts once anyway


def split_distinct(relation: Relation, choices: Choices | None = None) -> Relation:
    """γ[g; f(DISTINCT x)](R) → γ[g; f(x)](γ[g, x](R)), where `choices` (without them: always) want that."""
    if relation.children:
        relation = relation.with_children(tuple(split_distinct(child, choices) for child in relation.children))
    return _split(relation, choices) if isinstance(relation, Aggregate) else relation


def _split(aggregate: Aggregate, choices: Choices | None) -> Aggregate:
    calls = [call for _, call in aggregate.calls]
    if not any(call.distinct and call.function not in _ALIKE for call in calls):
        return aggregate
    if not all(call.distinct or call.function in _ALIKE for call in calls) or len({_value(c) for c in calls}) > 1:
        return aggregate
    value = _value(calls[0])
    if value is None:
        return aggregate
    column = column_scalar(_VALUE, value.type, value.not_null)
    plain = tuple((name, _plain(call, column)) for name, call in aggregate.calls)
    if any(upkeep(call) is Upkeep.RECOMPUTE for _, call in plain):
        return aggregate
    if choices is not None and not choices.counts_values(aggregate):
        return aggregate
    keys = tuple((name, column_scalar(name, s.type, s.not_null)) for name, s in aggregate.keys)
    return Aggregate(Aggregate(aggregate.child, (*aggregate.keys, (_VALUE, value)), ()), keys, plain)


def _value(call: Call) -> Scalar | None:
    """The argument, or NULL, which no function here counts, for rows that the FILTER leaves out."""
    if call.argument is None or call.filter is None:
        return call.argument
    text = q.sql("CASE WHEN {f} THEN {x} END", f=call.filter.sql(), x=call.argument.sql()).text
    return Scalar(text, call.argument.type)


def _plain(call: Call, column: Scalar) -> Call:
    text = q.sql("{f}({x})", f=q.ident(call.function), x=column.sql()).text
    return dataclasses.replace(call, argument=column, text=text, filter=None, distinct=False)
