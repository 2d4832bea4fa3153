"""Scans and projections keep only the columns that something above uses: a write of another column changes nothing."""

from __future__ import annotations

from ..ir.relation import Relation


def prune_columns(relation: Relation) -> Relation:
    """Drop what nobody reads, from the query's outputs down."""
    return relation.prune(frozenset(relation.names))
