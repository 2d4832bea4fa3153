"""Scans and projections keep only the columns that something above uses: a write of another column changes nothing."""

from __future__ import annotations

import dataclasses

from ..ir.relation import Relation
from ..ir.scalar import column_scalar
from ..operators import Aggregate, Filter, Join, Project, Scan, TopN, Union


def prune_columns(relation: Relation) -> Relation:
    """Drop what nobody reads, from the query's outputs down."""
    return _prune(relation, frozenset(relation.names))


def _prune(relation: Relation, used: frozenset[str]) -> Relation:
    match relation:
        case Scan():
            return dataclasses.replace(relation, columns=tuple(c for c in relation.columns if c[0].name in used))
        case Filter():
            return Filter(_prune(relation.child, used | set(relation.condition.columns)), relation.condition)
        case Project():
            outputs = tuple((name, s) for name, s in relation.outputs if name in used)
            below = frozenset(name for _, s in outputs for name in s.columns)
            return Project(_prune(relation.child, below), outputs)
        case Join():
            below = used | {name for condition in relation.conditions for name in condition.columns}
            return Join(tuple(_prune(child, below) for child in relation.inputs), relation.conditions)
        case Union():
            kept = [i for i, name in enumerate(relation.names) if name in used]
            return Union(tuple(_exactly(child, tuple(child.names[i] for i in kept)) for child in relation.inputs))
        case Aggregate():
            calls = tuple((name, call) for name, call in relation.calls if name in used)
            below = frozenset(
                [name for _, s in relation.keys for name in s.columns]
                + [name for _, call in calls for part in (call.argument, call.filter) if part for name in part.columns]
            )
            return Aggregate(_prune(relation.child, below), relation.keys, calls)
        case TopN():
            return TopN(
                _prune(relation.child, used | {k.column for k in relation.order}),
                relation.order, relation.limit, relation.offset,
            )  # fmt: skip
        case _:
            return relation.with_children(tuple(_prune(c, frozenset(c.names)) for c in relation.children))


def _exactly(relation: Relation, names: tuple[str, ...]) -> Relation:
    """A pruned relation with just these columns, in this order, as a union's branches need."""
    pruned = _prune(relation, frozenset(names))
    if pruned.names == names:
        return pruned
    columns = [pruned.column(name) for name in names]
    return Project(pruned, tuple((c.name, column_scalar(c.name, c.type, c.not_null)) for c in columns))
