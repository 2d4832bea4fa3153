"""How a stored relation is compared with its query: what `verify` needs beside the view's own definition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..maintenance.plan import Node
from ..maintenance.stores import AggregateStore, Store


@dataclass(frozen=True)
class Comparison:
    """`query` gives what `table` must hold: `fixed` columns text for text, `alike` ones up to equality. `own` is a
    condition that each stored row must meet by itself, `mend` the statement after which it does. An empty text: there
    is nothing of that kind."""

    schema: str
    table: str
    query: str = ""
    fixed: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    own: str = ""
    mend: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": self.schema, "table": self.table, "query": self.query,
            "fixed": list(self.fixed), "alike": list(self.alike), "own": self.own, "mend": self.mend,
        }  # fmt: skip


def comparisons(stores: tuple[Store, ...], nodes: tuple[Node, ...]) -> tuple[Comparison, ...]:
    """Of every stored relation that shows the view's readers less than it holds."""
    by_table = {(node.store.table_schema, node.store.table): node for node in nodes}
    found = []
    for store in stores:
        node = by_table.get((store.table_schema, store.table))
        own = store.own_condition
        hidden = {c.name for c in store.columns if c.hidden} & set(store.compared) - set(store.derived)
        if node is None or (store is stores[-1] and not hidden):  # the definition says it all
            if own:
                found.append(Comparison(store.table_schema, store.table, own=own.text, mend=store.mend.text))
            continue
        fixed, alike = _looks(node, store)
        query = store.fill().text
        found.append(Comparison(store.table_schema, store.table, query, fixed, alike, own.text, store.mend.text))
    return tuple(found)


def _looks(node: Node, store: Store) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(columns whose text is settled, columns settled up to equality); what is neither is left out. A hidden column
    has no look of its own: equal values may look different unless its type says otherwise."""
    left_out = {*node.open, *store.derived}
    if isinstance(store, AggregateStore):
        left_out |= {name for name, _ in store.layout.recomputed if name not in {c.name for c in store.visible}}
    fixed: list[str] = []
    alike: list[str] = []
    for column in store.columns:
        if column.name not in store.compared or column.name in left_out:
            continue
        loose = not column.type.exact if column.hidden else column.name in node.alike
        (alike if loose else fixed).append(column.name)
    return tuple(fixed), tuple(alike)
