"""A condition goes down to the input that it is about, so that fewer rows are joined, grouped and stored."""

from __future__ import annotations

import dataclasses

from ..ir.relation import Relation
from ..ir.scalar import Scalar
from ..operators import Aggregate, Filter, Join, OuterJoin, SemiJoin


def push_filters(relation: Relation) -> Relation:
    """A ⋈[p(A) ∧ q(A,B)] B → σ[p](A) ⋈[q] B; likewise into the kept side of outer and semi-joins and below GROUP BY.

    What an outer join throws NULLs in for is filtered by its own condition only: σ[p(B)](A ⟕ B) stays.
    """
    if relation.children:
        relation = relation.with_children(tuple(push_filters(child) for child in relation.children))
    match relation:
        case Filter():
            return _place(relation.condition, relation.child)
        case Join():
            core: Relation = Join(relation.inputs, ())
            for condition in relation.conditions:
                core = _place(condition, core)
            return core
        case OuterJoin() if not relation.full:
            right, kept = _own(relation.conditions, relation.right)
            return dataclasses.replace(relation, right=right, conditions=kept)
        case SemiJoin():
            right, kept = _own(relation.conditions, relation.right)
            return dataclasses.replace(relation, right=right, conditions=kept)
        case _:
            return relation


def _own(conditions: tuple[Scalar, ...], side: Relation) -> tuple[Relation, tuple[Scalar, ...]]:
    """The side filtered by the conditions that are about it alone, and the other conditions."""
    kept = []
    for condition in conditions:
        if condition.columns and set(condition.columns) <= set(side.names):
            side = _place(condition, side)
        else:
            kept.append(condition)
    return side, tuple(kept)


def _place(condition: Scalar, relation: Relation) -> Relation:
    """σ[condition](relation), the condition as far down as it goes."""
    used = set(condition.columns)
    match relation:
        case Join():
            for i, child in enumerate(relation.inputs):
                if used and used <= set(child.names):
                    return Join(
                        (*relation.inputs[:i], _place(condition, child), *relation.inputs[i + 1 :]), relation.conditions
                    )
            return Join(relation.inputs, (*relation.conditions, condition))
        case OuterJoin() | SemiJoin() if used and used <= set(relation.left.names) and not _is_full(relation):
            return dataclasses.replace(relation, left=_place(condition, relation.left))
        case Aggregate() if relation.keys and used and used <= {name for name, s in relation.keys if s.type.exact}:
            inner = condition.substitute({name: s.text for name, s in relation.keys})
            return dataclasses.replace(relation, child=_place(inner, relation.child))
        case Filter():
            below = _place(condition, relation.child)
            if isinstance(below, Filter) and below.child is relation.child:
                return Filter(relation, condition)
            return Filter(below, relation.condition)
        case _:
            return Filter(relation, condition)


def _is_full(relation: Relation) -> bool:
    return isinstance(relation, OuterJoin) and relation.full
