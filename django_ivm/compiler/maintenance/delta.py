"""The change of a relation, as a relation: deltas are IR too, so one emission serves fill, recompute and delta."""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.relation import Column, Compiled, Kind, Leaf, Relation, emit
from ..operators import Scan


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


@dataclass(frozen=True)
class ChangeOf:
    """Deltas when the scans numbered in `changed` may have changed; each operator has its own rule."""

    changed: frozenset[int]

    def of(self, relation: Relation) -> Relation | None:
        if not any(scan.leaf in self.changed for scan in scans(relation)):
            return None
        return Change(relation) if isinstance(relation, Scan) else relation.delta(self)

    def before(self, relation: Relation) -> Relation:
        def leaf(scan: Relation) -> Relation:
            return Before(scan) if isinstance(scan, Scan) and scan.leaf in self.changed else scan

        return relation.map_leaves(leaf)


def scans(relation: Relation) -> tuple[Scan, ...]:
    """All scans, in order of their leaf numbers."""
    found = [node for node in relation.walk() if isinstance(node, Scan)]
    return tuple(sorted(found, key=lambda scan: scan.leaf))


def delta(relation: Relation, changed: frozenset[int]) -> Relation | None:
    """The change of a flat relation when the scans numbered in `changed` may have changed; None for no change."""
    return ChangeOf(changed).of(relation)


def emit_delta(relation: Relation, leaf: Leaf) -> Compiled:
    """SQL of a delta; `leaf` gives the SQL of `Change` and `Before` leaves, other leaves read their tables."""

    def of(node: Relation) -> Compiled:
        return leaf(node) if isinstance(node, Change | Before) else node.to_select(())

    return emit(relation, of)


def occurrences(relation: Relation, source: tuple[str, str]) -> tuple[int, ...]:
    """Leaf numbers of a table's scans."""
    return tuple(scan.leaf for scan in scans(relation) if scan.source == source)


def keeps_sign(relation: Relation, source: tuple[str, str]) -> bool:
    """Rows that come to the table only bring rows, rows that go only take rows away."""
    return not any(occurrences(side, source) for node in relation.walk() for side in node.reversing)


def self_joined(relation: Relation, source: tuple[str, str]) -> bool:
    """The table stands on two inputs of one join: a change has two terms, of which one needs the state before."""
    return any(
        node.kind is Kind.BILINEAR and sum(bool(occurrences(child, source)) for child in node.children) > 1
        for node in relation.walk()
    )
