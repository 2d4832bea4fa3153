"""A window with what stands row by row above it: one store keeps both, and only the rows that are left."""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.relation import Relation
from ..ir.scalar import Scalar, column_scalar
from ..operators import Filter, Project, TopN, Window
from ..operators.window import row_number
from ..pg import sql as q
from ..pg.catalog import BOOLEAN


@dataclass(frozen=True)
class Windowed:
    """Conditions and outputs are over the window's columns."""

    window: Window
    conditions: tuple[Scalar, ...]
    outputs: dict[str, Scalar]

    def inline(self, scalar: Scalar) -> Scalar:
        return scalar.substitute({name: self.outputs[name].text for name in scalar.columns})

    def over(self, window: Window) -> Relation:
        """The rows that are left of another window with the same columns."""
        relation: Relation = window
        for condition in self.conditions:
            relation = Filter(relation, condition)
        return relation


def windowed(relation: Relation) -> Windowed | None:
    """Projections and filters over a window; None for anything else."""
    if isinstance(relation, Window):
        return Windowed(relation, (), {c.name: column_scalar(c.name, c.type, c.not_null) for c in relation.schema})
    if not isinstance(relation, Project | Filter):
        return None
    inner = windowed(relation.child)
    if inner is None:
        return None
    if isinstance(relation, Filter):
        return Windowed(inner.window, (*inner.conditions, inner.inline(relation.condition)), inner.outputs)
    return Windowed(inner.window, inner.conditions, {name: inner.inline(s) for name, s in relation.outputs})


def numbered(top: TopN) -> Relation:
    """The same rows by their number in the order (their rank, where all ties are kept)."""
    name = q.ident("ivm_number")
    number = row_number((), top.order, ties=top.ties and not top.offset)
    relation: Relation = Window(top.child, (), ((name.text, number),), "LIMIT")
    if top.offset:
        after = q.sql("{n} > {o}", n=name, o=q.literal(top.offset))
        relation = Filter(relation, Scalar(after.text, BOOLEAN))
    if top.limit is not None:
        upto = q.sql("{n} <= {m}", n=name, m=q.literal(top.offset + top.limit))
        relation = Filter(relation, Scalar(upto.text, BOOLEAN))
    columns = ((c.name, column_scalar(c.name, c.type, c.not_null)) for c in top.schema)
    return Project(relation, tuple(columns))
