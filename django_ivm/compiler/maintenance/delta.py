"""The change of a relation, as a relation: deltas are IR too, so one emission serves fill, recompute and delta."""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.relation import Column, Compiled, Leaf, Relation, emit
from ..operators import Join, Scan, Union


@dataclass(frozen=True)
class Change(Relation):
    """Leaf: the weighted change of a scan's table."""

    scan: Scan

    @property
    def schema(self) -> tuple[Column, ...]:
        return self.scan.schema

    def describe(self) -> str:
        return f"Δ {self.scan.table_schema}.{self.scan.table}"


@dataclass(frozen=True)
class Before(Relation):
    """Leaf: a scan's table before the change, R° = R ∪ −ΔR (never EXCEPT ALL, which loses the indexes)."""

    scan: Scan

    @property
    def schema(self) -> tuple[Column, ...]:
        return self.scan.schema

    def describe(self) -> str:
        return f"Before {self.scan.table_schema}.{self.scan.table}"


def scans(relation: Relation) -> tuple[Scan, ...]:
    """All scans, in order of their leaf numbers."""
    found = [node for node in relation.walk() if isinstance(node, Scan)]
    return tuple(sorted(found, key=lambda scan: scan.leaf))


def delta(relation: Relation, changed: frozenset[int]) -> Relation | None:
    """The change of a flat relation when the scans numbered in `changed` may have changed; None for no change."""
    if isinstance(relation, Scan):
        return Change(relation) if relation.leaf in changed else None
    if isinstance(relation, Union):
        parts = [part for part in (delta(child, changed) for child in relation.inputs) if part is not None]
        return _union(parts)
    if isinstance(relation, Join):
        return _union(_telescope(relation, changed))
    (child,) = relation.children
    below = delta(child, changed)
    return None if below is None else relation.with_children((below,))


def _union(parts: list[Relation]) -> Relation | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else Union(tuple(parts))


def _telescope(join: Join, changed: frozenset[int]) -> list[Relation]:
    """One term per input that changed: inputs before it as they are, inputs after it as they were."""
    terms: list[Relation] = []
    for i, child in enumerate(join.inputs):
        own = delta(child, changed)
        if own is not None:
            after = tuple(before(other, changed) for other in join.inputs[i + 1 :])
            terms.append(join.with_children((*join.inputs[:i], own, *after)))
    return terms


def before(relation: Relation, changed: frozenset[int]) -> Relation:
    """The relation's state before the change."""

    def leaf(scan: Relation) -> Relation:
        return Before(scan) if isinstance(scan, Scan) and scan.leaf in changed else scan

    return relation.map_leaves(leaf)


def emit_delta(relation: Relation, leaf: Leaf) -> Compiled:
    """SQL of a delta; `leaf` gives the SQL of `Change` and `Before` leaves, scans read their tables."""

    def of(node: Relation) -> Compiled:
        return node.to_select(()) if isinstance(node, Scan) else leaf(node)

    return emit(relation, of)


def occurrences(relation: Relation, source: tuple[str, str]) -> tuple[int, ...]:
    """Leaf numbers of a table's scans."""
    return tuple(scan.leaf for scan in scans(relation) if scan.source == source)


def self_joined(relation: Relation, source: tuple[str, str]) -> bool:
    """The table stands on two inputs of one join: a change has two terms, of which one needs the state before."""
    return any(
        isinstance(node, Join) and sum(bool(occurrences(child, source)) for child in node.inputs) > 1
        for node in relation.walk()
    )
