"""Unique keys of a flat relation, and where a column comes from."""

from __future__ import annotations

import dataclasses

from ..ir.relation import Column, Relation
from ..ir.scalar import Scalar, column_scalar
from ..operators import Aggregate, Filter, Join, Project, Scan
from ..pg.catalog import ColumnInfo, TableInfo


@dataclasses.dataclass(frozen=True)
class Keyed:
    """A relation that carries a unique key among its columns."""

    relation: Relation
    key: tuple[str, ...]


def with_key(relation: Relation, tables: dict[tuple[str, str], TableInfo]) -> Keyed | None:
    """The relation with key columns added where they weren't kept; None when no key is known (duplicates may be)."""
    if isinstance(relation, Scan):
        return _scan_key(relation, tables)
    if isinstance(relation, Filter):
        inner = with_key(relation.child, tables)
        return inner and Keyed(Filter(inner.relation, relation.condition), inner.key)
    if isinstance(relation, Project):
        inner = with_key(relation.child, tables)
        return inner and _project_key(relation, inner)
    if isinstance(relation, Join):
        parts = [with_key(child, tables) for child in relation.inputs]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        key = tuple(name for part in known for name in part.key)
        return Keyed(Join(tuple(part.relation for part in known), relation.conditions), key)
    return None


def _scan_key(scan: Scan, tables: dict[tuple[str, str], TableInfo]) -> Keyed | None:
    if not scan.keys:
        return None
    stored = scan.keys[0]
    info = tables[scan.source]
    columns, names = list(scan.columns), {c.name for c in scan.schema}
    key: list[str] = []
    for name in stored:
        output = scan.output_of(name)
        if output is None:
            output = f"ivm_k{scan.leaf}_{len(columns)}"
            assert output not in names
            found = info.column(name) or ColumnInfo(name, info.columns[0].type)
            columns.append((Column(output, found.type, found.not_null), name))
        key.append(output)
    return Keyed(dataclasses.replace(scan, columns=tuple(columns)), tuple(key))


def _project_key(project: Project, inner: Keyed) -> Keyed:
    outputs = list(project.outputs)
    carried = {scalar.column: name for name, scalar in outputs if scalar.column}
    key: list[str] = []
    for name in inner.key:
        if name not in carried:
            column = inner.relation.column(name)
            output = f"ivm_key{len(key) + 1}"
            outputs.append((output, column_scalar(name, column.type, column.not_null)))
            carried[name] = output
        key.append(carried[name])
    return Keyed(Project(inner.relation, tuple(outputs)), tuple(key))


def unique_sets(relation: Relation) -> list[frozenset[str]]:
    """Sets of columns of which no two rows agree, among the relation's own columns (NULLs counting as equal)."""
    if isinstance(relation, Scan):
        found = []
        for key in relation.keys:
            outputs = [relation.output_of(name) for name in key]
            if all(outputs):
                found.append(frozenset(o for o in outputs if o))
        return found
    if isinstance(relation, Filter):
        return unique_sets(relation.child)
    if isinstance(relation, Project):
        carried = {scalar.column: name for name, scalar in relation.outputs if scalar.column}
        return [frozenset(carried[name] for name in key) for key in unique_sets(relation.child) if key <= set(carried)]
    if isinstance(relation, Join):
        combined: list[frozenset[str]] = [frozenset()]
        for child in relation.inputs:
            combined = [key | other for key in combined for other in unique_sets(child)]
        return combined
    if isinstance(relation, Aggregate):
        return [frozenset(name for name, _ in relation.keys)]
    return []


def origin(relation: Relation, name: str) -> tuple[Scan, str] | None:
    """The scan and its output column that a column is a plain copy of."""
    if isinstance(relation, Scan):
        return (relation, name) if name in relation.names else None
    if isinstance(relation, Filter):
        return origin(relation.child, name)
    if isinstance(relation, Project):
        scalar: Scalar = dict(relation.outputs)[name]
        return origin(relation.child, scalar.column) if scalar.column else None
    if isinstance(relation, Join):
        return next((origin(child, name) for child in relation.inputs if name in child.names), None)
    return None


def stored(scan: Scan, output: str) -> str:
    """The table's own column behind a scan's output."""
    return next(name for column, name in scan.columns if column.name == output)
