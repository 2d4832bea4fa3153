"""Where transactions can wait for each other in a circle, in words: what `explain` says of deadlocks.

All locks are held until the end of the transaction, so whoever takes two of a kind in two statements may meet another
that takes them in the opposite order. In one statement they are taken in one order, level by level.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from .plan import MaintenancePlan, Node
from .stores import AggregateStore, BagStore, PartitionStore, TopNStore


def circles(plan: MaintenancePlan) -> tuple[str, ...]:
    """Which transactions may end with 40P01 that wouldn't without the view."""
    found = [text for node in plan.nodes for text in _of_node(node)]
    own = {(node.store.table_schema, node.store.table) for node in plan.nodes}
    readers = Counter(source.name for node in plan.nodes for source in node.sources if source.name not in own)
    for source, count in readers.items():
        if count > 1:
            found.append(f"statements that write {source[1]}, which reaches the view on {count} paths")
    for node in plan.nodes:
        views = [source.table for source in node.sources if source.maintained and source.name not in own]
        if len(views) > 1:
            found.append(f"statements that write a table from which more than one of {', '.join(views)} is made")
    return tuple(dict.fromkeys(found))


def _of_node(node: Node) -> Iterator[str]:
    store = node.store
    if isinstance(store, AggregateStore) and store.key:
        yield f"transactions that change two groups of {store.table} in opposite orders, one statement each"
    if isinstance(store, PartitionStore) and store.by:
        yield f"transactions that change two partitions of {store.table} in opposite orders"
    if isinstance(store, TopNStore):
        yield f"transactions that each write rows beyond the first of {store.table} and then rows among them"
    if isinstance(store, BagStore) and node.locks is None:
        yield f"transactions that delete two rows of {store.table} in opposite orders, where the rows have equals"
    if node.locks:
        yield from node.locks.deadlocks
