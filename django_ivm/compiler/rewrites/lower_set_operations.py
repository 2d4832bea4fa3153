"""INTERSECT and EXCEPT become counts of each row per input, and a condition on them."""

from ..ir.relation import Relation
from ..operators import SetOperation


def lower_set_operations(relation: Relation) -> Relation:
    """A ∩ B → σ[n₁ > 0 ∧ n₂ > 0](γ(A × {1} ∪ B × {2})); A − B → σ[n₁ > 0 ∧ n₂ = 0](…); ALL: copies by the counts."""
    if relation.children:
        relation = relation.with_children(tuple(lower_set_operations(child) for child in relation.children))
    return relation.lower() if isinstance(relation, SetOperation) else relation
