"""A condition on a window's partition goes below it: it keeps whole partitions or none."""

from __future__ import annotations

from ..ir.relation import Relation
from ..ir.scalar import Scalar
from ..operators import Filter, Window
from .merge_blocks import merge_blocks


def push_below_windows(relation: Relation) -> Relation:
    """σ[p(k)](ω[k](R)) → ω[k](σ[p(k)](R)).

    A condition on any other column would take rows away from a partition before they are counted. So might one on a
    key whose equal values look different: 1.0 and 1.00 are one partition, and `scale(k) = 1` is true for one of them.
    """
    if isinstance(relation, Filter):
        conditions, below = [relation.condition], relation.child
        while isinstance(below, Filter):
            conditions.append(below.condition)
            below = below.child
        if isinstance(below, Window):
            return _push(conditions[::-1], below)
    if not relation.children:
        return relation
    return relation.with_children(tuple(push_below_windows(child) for child in relation.children))


def _push(conditions: list[Scalar], window: Window) -> Relation:
    by = {name for name in window.partition if window.column(name).type.exact}
    child = window.child
    for condition in conditions:
        if condition.columns and by.issuperset(condition.columns):
            child = Filter(child, condition)
    if child is not window.child:
        child = merge_blocks(child)
    relation: Relation = window.with_children((push_below_windows(child),))
    for condition in conditions:
        if not condition.columns or not by.issuperset(condition.columns):
            relation = Filter(relation, condition)
    return relation
