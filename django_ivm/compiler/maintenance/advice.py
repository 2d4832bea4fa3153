"""Indexes by which maintenance would find rows of the user's tables, and which aren't there: named, never created."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..ir.relation import Relation
from ..operators import Filter, Project, Scan
from ..operators.functions import Call
from ..pg.catalog import TableInfo
from .lookups import Lookup, is_ordered, lookups, missing
from .stores import AggregateStore, PartitionStore, RecursiveStore, Store

if TYPE_CHECKING:
    from .plan import Node

SMALL = 1000  # rows that a write may as well read one after the other


class MissingIndex(NamedTuple):
    """Rows of a source are looked up by `columns`, and no index begins with one of them."""

    schema: str
    table: str
    columns: tuple[str, ...]


def missing_indexes(nodes: Sequence[Node], tables: dict[tuple[str, str], TableInfo]) -> tuple[MissingIndex, ...]:
    """Of all look-ups of a plan those that have no index, in the order in which they are met."""
    own = {(node.store.table_schema, node.store.table) for node in nodes}
    wanted = [
        lookup
        for node in nodes
        for lookup in (*lookups(node.store.child), *_of_store(node.store, tables, own))
        if lookup.scan.source not in own
    ]
    found = list(dict.fromkeys(MissingIndex(*one.scan.source, one.columns) for one in missing(wanted, tables)))
    kept: list[MissingIndex] = []
    for one in sorted(found, key=lambda one: len(one.columns)):  # an index on b serves who looks for a and b
        if not any(k[:2] == one[:2] and k.columns[0] in one.columns for k in kept):
            kept.append(one)
    longest = {max((one for one in found if _begins(one, k)), key=lambda one: len(one.columns)) for k in kept}
    return tuple(one for one in found if one in longest)


def _begins(index: MissingIndex, other: MissingIndex) -> bool:
    """It serves all that the other serves."""
    return index[:2] == other[:2] and index.columns[: len(other.columns)] == other.columns


def probe_column(call: Call, child: Relation) -> tuple[Scan, str] | None:
    """The column of a table of which `call`, over all its rows, is the first or the last in an index."""
    bare = all(isinstance(node, Scan | Project) for node in child.walk())
    if not bare or call.filter is not None:
        return None
    return _extreme_column(call, child)


def _extreme_column(call: Call, child: Relation) -> tuple[Scan, str] | None:
    column = call.argument.column if call.argument else None
    origin = child.origin(column) if column else None
    if origin is None or not is_ordered(*origin):
        return None
    return origin[0], origin[0].stored(origin[1])


def _of_store(store: Store, tables: dict[tuple[str, str], TableInfo], own: set[tuple[str, str]]) -> Iterator[Lookup]:
    """What a store itself reads again: groups and partitions by their keys, an extreme over all rows by its value."""
    if isinstance(store, RecursiveStore):  # a row in doubt is looked for among what base and step give now
        for part in (store.recursive.base, *(() if store.carries else (store.recursive.step,))):
            yield from _by_keys(part, part.names, tables, own)
    elif isinstance(store, PartitionStore):
        yield from _by_keys(store.child, [name for _, name in store.by], tables, own)
    elif isinstance(store, AggregateStore) and store.reads_sources:
        arguments = {_extreme_column(call, store.child) for _, _, call in store.layout.extremes}
        simple = all(isinstance(node, Scan | Project | Filter) for node in store.child.walk())
        if store.key:
            keys = [s.column for _, s in store.layout.keys]
            last = next(iter(arguments)) if simple and len(arguments) == 1 and not store.layout.recomputed else None
            for lookup in _by_keys(store.child, keys, tables, own):
                more = (last[1],) if last and last[1] not in lookup.columns else ()
                yield Lookup(lookup.scan, lookup.columns + more) if not _served(lookup, tables) else lookup
        elif simple and not store.layout.recomputed:
            yield from (Lookup(scan, (column,)) for scan, column in filter(None, arguments))


def _by_keys(
    child: Relation, keys: Iterable[str | None], tables: dict[tuple[str, str], TableInfo], own: set[tuple[str, str]]
) -> Iterator[Lookup]:
    """Rows that agree in keys are found through any one of the tables that the keys are columns of."""
    by_leaf: dict[int, tuple[Scan, dict[str, None]]] = {}
    for name in keys:
        origin = child.origin(name) if name else None
        if origin is not None and is_ordered(*origin):
            by_leaf.setdefault(origin[0].leaf, (origin[0], {}))[1][origin[0].stored(origin[1])] = None
    found = [Lookup(scan, tuple(columns)) for scan, columns in by_leaf.values()]
    if found and not any(lookup.scan.source in own or _served(lookup, tables) for lookup in found):
        yield max(found, key=lambda lookup: _distinct(lookup, tables))


def _served(lookup: Lookup, tables: dict[tuple[str, str], TableInfo]) -> bool:
    return not missing([lookup], tables)


def _distinct(lookup: Lookup, tables: dict[tuple[str, str], TableInfo]) -> float:
    """How far the columns narrow a look-up down."""
    columns = [tables[lookup.scan.source].column(name) for name in lookup.columns]
    return max((column.distinct or 0 for column in columns if column), default=0)
