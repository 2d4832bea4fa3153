"""A joined single row that only decides which rows stay becomes the right side of a semi-join.

`x > (SELECT avg(x) …)` then costs, when the average moves, the rows between the old and the new one, not all rows.
"""

from __future__ import annotations

from ..ir.relation import Relation
from ..operators import Aggregate, Constant, Expand, Filter, Join, OuterJoin, Project, SemiJoin


def single_rows(relation: Relation) -> Relation:
    """π[A](A ⋈[p] s) → π[A](A ⋉[p] s) where s has exactly one row."""
    return _walk(relation, frozenset(relation.names))


def _walk(relation: Relation, used: frozenset[str]) -> Relation:
    match relation:
        case Join():
            relation = _split(relation, used)
            below = used | relation.references
        case Filter() | SemiJoin() | OuterJoin() | Expand():
            below = used | relation.references
        case Project() | Aggregate():
            below = relation.references
        case _:
            below = frozenset(name for child in relation.children for name in child.names)
    if isinstance(relation, SemiJoin) and relation.single:
        below |= used
    return relation.with_children(tuple(_walk(child, below) for child in relation.children))


def _split(join: Join, used: frozenset[str]) -> Relation:
    for i, child in enumerate(join.inputs):
        own = frozenset(child.names)
        if len(join.inputs) < 2 or used & own or not (child.one_row and _varies(child)):
            continue
        rest = (*join.inputs[:i], *join.inputs[i + 1 :])
        tied = tuple(c for c in join.conditions if own & set(c.columns))
        others = tuple(c for c in join.conditions if c not in tied)
        left: Relation = rest[0] if len(rest) == 1 else Join(rest, others)
        if len(rest) == 1:
            for condition in others:
                left = Filter(left, condition)
        return SemiJoin(left, child, tied, single=True)
    return join


def _varies(relation: Relation) -> bool:
    """It reads a table: what is constant is better joined."""
    if not relation.children:
        return not isinstance(relation, Constant)
    return any(map(_varies, relation.children))
