"""Distinct becomes an aggregate without calls, whose groups live while they have rows."""

from ..ir.relation import Relation
from ..operators import Distinct


def lower_distinct(relation: Relation) -> Relation:
    """δ(R) → γ over all columns of R."""
    if relation.children:
        relation = relation.with_children(tuple(lower_distinct(child) for child in relation.children))
    return relation.lower() if isinstance(relation, Distinct) else relation
