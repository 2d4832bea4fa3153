"""A join condition over one input only becomes a filter of that input."""

from __future__ import annotations

from ..ir.relation import Relation
from ..operators import Filter, Join


def push_filters(relation: Relation) -> Relation:
    """A ⋈[p(A) ∧ q(A,B)] B → σ[p](A) ⋈[q] B."""
    if relation.children:
        relation = relation.with_children(tuple(push_filters(child) for child in relation.children))
    if not isinstance(relation, Join):
        return relation
    inputs, kept = list(relation.inputs), []
    for condition in relation.conditions:
        columns = set(condition.columns)
        target = next((i for i, child in enumerate(inputs) if columns and columns <= set(child.names)), None)
        if target is None:
            kept.append(condition)
        else:
            inputs[target] = Filter(inputs[target], condition)
    return Join(tuple(inputs), tuple(kept))
