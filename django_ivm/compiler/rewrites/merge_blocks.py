"""Nested selections, projections and joins become one block: Project over Join (or Filter) over its sources.

Inner subqueries and CTEs are only a way of writing; one flat join has one term per changed table and lets keys and
lock buckets be traced to the tables.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.relation import Relation
from ..ir.scalar import Scalar, column_scalar
from ..operators import Filter, Join, Project


@dataclass(frozen=True)
class Block:
    """Sources, conditions over their columns, outputs over their columns."""

    sources: tuple[Relation, ...]
    conditions: tuple[Scalar, ...]
    outputs: dict[str, Scalar]

    def inline(self, scalar: Scalar) -> Scalar:
        return scalar.substitute({name: self.outputs[name].text for name in scalar.columns})


def merge_blocks(relation: Relation) -> Relation:
    """π(σ(π(A ⋈ σ(B)))) → π(A ⋈ B), conditions together."""
    if not isinstance(relation, Project | Filter | Join):
        return relation.with_children(tuple(merge_blocks(child) for child in relation.children))
    block = _block(relation)
    core: Relation
    if len(block.sources) == 1:
        core = block.sources[0]
        for condition in block.conditions:
            core = Filter(core, condition)
    else:
        core = Join(block.sources, block.conditions)
    outputs = tuple((name, block.outputs[name]) for name in relation.names)
    if all(scalar.column == name for name, scalar in outputs) and core.names == tuple(n for n, _ in outputs):
        return core
    return Project(core, outputs)


def _block(relation: Relation) -> Block:
    if isinstance(relation, Project):
        inner = _block(relation.child)
        return Block(inner.sources, inner.conditions, {name: inner.inline(s) for name, s in relation.outputs})
    if isinstance(relation, Filter):
        inner = _block(relation.child)
        return Block(inner.sources, (*inner.conditions, inner.inline(relation.condition)), inner.outputs)
    if isinstance(relation, Join):
        inner_blocks = [_block(child) for child in relation.inputs]
        outputs = {name: scalar for block in inner_blocks for name, scalar in block.outputs.items()}
        whole = Block(
            tuple(source for block in inner_blocks for source in block.sources),
            tuple(condition for block in inner_blocks for condition in block.conditions),
            outputs,
        )
        own = tuple(whole.inline(condition) for condition in relation.conditions)
        return Block(whole.sources, (*whole.conditions, *own), outputs)
    source = merge_blocks(relation) if relation.children else relation
    return Block((source,), (), {c.name: column_scalar(c.name, c.type, c.not_null) for c in source.schema})
