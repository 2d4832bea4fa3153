"""An outer join whose NULL-extended rows a condition above throws away is an inner join.

Inner joins carry keys and origins through, have fewer terms and finer locks.
"""

from __future__ import annotations

from ..ir.relation import Relation
from ..ir.scalar import Scalar
from ..ir.strict import rejects
from ..operators import Filter, Join, OuterJoin, Project, SemiJoin
from ..operators.flip import Answer

Conditions = tuple[Scalar, ...]


def reduce_outer_joins(relation: Relation) -> Relation:
    """σ[p(B)](A ⟕ B) → σ[p(B)](A ⋈ B) where p isn't true for NULLs; A ⟗ B with p(A) → A ⟕ B."""
    return _reduce(relation, ())


def _reduce(relation: Relation, above: Conditions) -> Relation:
    """`above`: conditions over the relation's columns that every row that counts satisfies."""
    match relation:
        case Filter():
            return Filter(_reduce(relation.child, (*above, relation.condition)), relation.condition)
        case Project():
            table = {name: scalar.text for name, scalar in relation.outputs}
            inner = tuple(c.substitute(table) for c in above if set(c.columns) <= set(table))
            return Project(_reduce(relation.child, inner), relation.outputs)
        case Join():
            every = (*above, *relation.conditions)
            return Join(tuple(_reduce(child, every) for child in relation.inputs), relation.conditions)
        case OuterJoin():
            return _outer(relation, above)
        case SemiJoin():
            kept = (*above, *relation.conditions) if relation.answer is Answer.SEMI else above
            return relation.with_children((_reduce(relation.left, kept), _reduce(relation.right, relation.conditions)))
        case _:
            return relation.with_children(tuple(_reduce(child, ()) for child in relation.children))


def _outer(relation: OuterJoin, above: Conditions) -> Relation:
    left_gone = any(rejects(c.node, frozenset(relation.left.names)) for c in above)
    right_gone = any(rejects(c.node, frozenset(relation.right.names)) for c in above)
    if right_gone and (left_gone or not relation.full):
        return _reduce(Join((relation.left, relation.right), relation.conditions), above)
    if relation.full and left_gone:
        return _reduce(OuterJoin(relation.left, relation.right, relation.conditions), above)
    if relation.full:
        return relation.with_children((_reduce(relation.left, ()), _reduce(relation.right, ())))
    return relation.with_children((_reduce(relation.left, above), _reduce(relation.right, relation.conditions)))
