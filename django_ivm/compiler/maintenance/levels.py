"""Relation → nodes: each stateful operator inside a query becomes a maintained relation of its own.

Every level is then flat, and a write costs what the change costs at each level.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from ..errors import Unsupported, reason
from ..ir.reading import ReadFilter
from ..ir.relation import Column, Kind, Relation
from ..ir.scalar import Scalar, column_scalar
from ..ir.total import total
from ..operators import Aggregate, Filter, Join, Project, Recursive, Scan, SortKey, TopN
from ..operators.functions import Upkeep, upkeep
from ..options import Options
from ..pg import names
from ..pg import sql as q
from ..pg.catalog import Catalog, ColumnInfo, TableInfo
from .advice import missing_indexes, probe_column
from .delta import scans
from .locks import plan_locks
from .looks import Look, looks
from .lookups import Lookup, lookups, missing
from .peers import determined_by_row
from .plan import MaintenancePlan, Node, Source
from .sharing import signature
from .stores import AggregateStore, BagStore, KeyedStore, PartitionStore, RecursiveStore, Store, TopNStore
from .stores.base import unique_name
from .stores.recursive import recursive_store, renamed
from .windowed import Windowed, numbered, windowed

MOST_INPUTS = 12  # of one join: planning its terms takes longer than the write with more


def plan_maintenance(
    relation: Relation, outputs: tuple[str, ...], catalog: Catalog, options: Options, read: ReadFilter | None = None
) -> MaintenancePlan:
    """Split a rewritten query into maintained relations; `read` is what its readers do to the stored rows.

    Raises Unsupported for keys and orders that can't be kept.
    """
    if not scans(relation):
        raise Unsupported("SOURCE", "the query reads no table", "SELECT")
    found = looks(Filter(relation, read.condition) if read else relation)
    levels = _Levels(catalog, options)
    levels.view(relation, outputs, read)
    whole = dict.fromkeys(node.store.whole for node in levels.nodes if node.store.whole)
    reasons = tuple(reason("WHOLE", message) for message in whole)
    shown = read.outputs if read else outputs
    alike, unsettled = (tuple(name for name in shown if found[name] is look) for look in (Look.ALIKE, Look.OPEN))
    indexes = missing_indexes(levels.nodes, levels.tables)
    return MaintenancePlan(tuple(levels.nodes), outputs, reasons, alike, unsettled, indexes, read=read)


class _Levels:
    def __init__(self, catalog: Catalog, options: Options) -> None:
        self.options = options
        self.prefix = names.prefix(options.schema, options.name)
        self.tables: dict[tuple[str, str], TableInfo] = {}
        for info in catalog.tables:
            self.tables[info.stands_for or (info.schema, info.name)] = info
        self.nodes: list[Node] = []
        self.leaves = 0
        self.levels = 0
        self.shared: dict[tuple[Any, ...], Store] = {}

    def view(self, relation: Relation, outputs: tuple[str, ...], read: ReadFilter | None) -> None:
        """The whole query, stored under the view's own name unless a SELECT-only view has it."""
        self.store(relation, outputs, self.options.storage(self.prefix), self.options.surrogate)
        node = self.nodes[-1]
        if read is not None:
            bounded = tuple((name,) for name in read.bounded if relation.column(name).type.ordered)
            new = tuple(one for one in bounded if one not in node.store.lookups and one != node.store.key[:1])
            store = dataclasses.replace(node.store, lookups=(*node.store.lookups, *new))
            self.nodes[-1] = dataclasses.replace(node, store=store)
        elif not any(column.hidden for column in node.store.columns):
            public = dataclasses.replace(node.store, table_schema=self.options.schema, table=self.options.name)
            self.nodes[-1] = dataclasses.replace(node, store=public)

    def hidden(self, relation: Relation) -> Scan:
        """A level below: stored in our schema, read through the scan that is returned. Equal ones are one."""
        shape = signature(relation)
        if shape in self.shared:
            return self._read(relation, self.shared[shape])
        self.levels += 1
        table = names.derived(self.prefix, "level", self.levels)
        store = self.store(relation, relation.names, (names.RUNTIME_SCHEMA, table), None)
        info = tuple(ColumnInfo(c.name, c.type, c.not_null) for c in store.columns)
        keys = (store.key,) if store.key else ()
        self.tables[names.RUNTIME_SCHEMA, table] = TableInfo(
            names.RUNTIME_SCHEMA, table, columns=info, keys=keys, live=store.live
        )
        self.shared[shape] = store
        return self._read(relation, store)

    def _read(self, relation: Relation, store: Store) -> Scan:
        """A scan of a level under the names that the relation stored in it has where it is read."""
        pairs = zip(relation.names, store.visible, strict=True)
        columns = tuple((Column(name, c.type, c.not_null), c.name) for name, c in pairs)
        self.leaves += 1
        keys = (store.key,) if store.key else ()
        return Scan(store.table_schema, store.table, columns, 1000 + self.leaves, store.live, keys)

    def look_up(self, scan: Scan, columns: tuple[str, ...]) -> bool:
        """Rows of a scan are looked up by some of its table's columns: index a level of our own; whether one serves."""
        lookup = Lookup(scan, columns)
        for i, node in enumerate(self.nodes):
            store = node.store
            if (store.table_schema, store.table) == scan.source:
                if not lookup.served_by([*store.lookups, *([store.key] if store.key else [])]):
                    store = dataclasses.replace(store, lookups=(*store.lookups, columns))
                    self.nodes[i] = dataclasses.replace(node, store=store)
                return True
        return not missing([lookup], self.tables)

    def store(
        self, relation: Relation, outputs: tuple[str, ...], target: tuple[str, str], surrogate: str | None
    ) -> Store:
        """Store a relation, after the levels inside it."""
        store = self._choose(relation, outputs, target, surrogate)
        found = looks(relation)
        shown = {column.name: found[name] for name, column in zip(outputs, store.visible, strict=True)}
        alike, unsettled = (tuple(n for n in shown if shown[n] is look) for look in (Look.ALIKE, Look.OPEN))
        self.nodes[-1] = dataclasses.replace(self.nodes[-1], alike=alike, open=unsettled)
        return store

    def _choose(
        self, relation: Relation, outputs: tuple[str, ...], target: tuple[str, str], surrogate: str | None
    ) -> Store:
        """Choose how it is stored."""
        if isinstance(relation, TopN):
            return self._top_n(relation, outputs, target, surrogate)
        recursive = renamed(relation, outputs)
        if recursive is not None:
            return self._recursive(recursive, target, surrogate)
        over = windowed(relation)
        if over is not None:
            return self._partitions(over, outputs, target, surrogate)
        grouped = _grouped_row(relation)
        if grouped is not None:
            aggregate, shown = grouped
            _check_keys(aggregate)
            flat = self.flatten(aggregate.child)
            aggregate = dataclasses.replace(aggregate, child=flat)
            indexed = self._indexed(flat, [s.column for _, s in aggregate.keys])
            probed = self._probed(aggregate)
            return self._add(AggregateStore(*target, flat, surrogate, aggregate, shown, indexed, probed))
        flat = self.flatten(relation)
        keyed = flat.with_key(self.tables)
        if keyed is not None and keyed.key:
            relation = _outputs_first(keyed.relation, outputs)
            return self._add(KeyedStore(*target, relation, surrogate, keyed.key, len(outputs)))
        flat = _outputs_first(flat, outputs)
        locks = plan_locks(flat, self._fed())
        base = locks.size if locks else 0
        return self._add(BagStore(*target, flat, surrogate, self._lock_table(), base))

    def _top_n(self, relation: TopN, outputs: tuple[str, ...], target: tuple[str, str], surrogate: str | None) -> Store:
        if not _keeps_determined(relation, outputs):
            find = "ORDER" if relation.order else "LIMIT"
            raise Unsupported("ORDER", "the order of LIMIT has ties, so the rows it keeps aren't determined", find)
        below = self.hidden(relation.child)
        i, node = next((i, n) for i, n in enumerate(self.nodes) if n.store.table == below.table)
        order = tuple(dataclasses.replace(key, column=below.stored(key.column)) for key in relation.order)
        self.nodes[i] = dataclasses.replace(node, store=dataclasses.replace(node.store, ordered=order))
        inner = below.with_key(self.tables)
        if inner is None or not inner.key:  # of equal rows some may be kept: only their numbers tell how many
            over = windowed(numbered(dataclasses.replace(relation, child=below)))
            assert over is not None
            return self._partitions(over, outputs, target, surrogate)
        child = _outputs_first(inner.relation, outputs)
        order = relation.order
        if not relation.ties and not relation.child.identified_by(frozenset(key.column for key in order)):
            # rows that look alike get an order too
            order += tuple(SortKey(name) for name in inner.key if all(key.column != name for key in order))
        store = TopNStore(
            *target, child, surrogate, order, relation.limit, relation.offset, relation.ties,
            inner.key, len(outputs), self._lock_table(),
        )  # fmt: skip
        return self._add(store)

    def _recursive(self, relation: Recursive, target: tuple[str, str], surrogate: str | None) -> Store:
        for column in relation.columns:
            if not (column.type.exact and column.type.ordered):
                message = f"equal values of a recursion ({column.type.sql}) may look different or have no order"
                raise Unsupported("KEY_TYPE", message, "RECURSIVE")
        base, step = (self.flatten(child) for child in relation.children)
        return self._add(recursive_store(target, dataclasses.replace(relation, base=base, step=step), surrogate))

    def _partitions(
        self, over: Windowed, outputs: tuple[str, ...], target: tuple[str, str], surrogate: str | None
    ) -> Store:
        """A window, with the rows that conditions above it leave and the columns that are shown."""
        by_row, partition = determined_by_row(over.window), over.window.partition
        single = bool(partition) and over.over(over.window).identified_by(frozenset(partition))
        flat = self.flatten(over.window.child)
        keyed = flat.with_key(self.tables) if by_row and not single else None
        key = keyed.key if keyed is not None else partition if single else ()
        window = over.window.with_children((keyed.relation if keyed is not None and key else flat,))
        stored = [(name, over.outputs[name]) for name in outputs]
        taken = set(outputs) | ({surrogate} if surrogate else set())

        def place(name: str, wanted: str) -> str:
            """The stored column that is a plain copy of the window's."""
            found = next((output for output, s in stored if s.column == name), None)
            if found is None:
                found, column = unique_name(wanted, taken), window.column(name)
                stored.append((found, column_scalar(name, column.type, column.not_null)))
            return found

        by = tuple((place(name, "ivm_by"), name) for name in partition)
        key_columns = tuple(place(name, "ivm_k") for name in key)
        query = Project(over.over(window), tuple(stored))
        locks = plan_locks(window.child, self._fed())
        return self._add(
            PartitionStore(
                *target, window.child, surrogate, query, by, key_columns, len(outputs),
                self._indexed(window.child, partition), self._lock_table(), locks.size if locks else 0,
            )
        )  # fmt: skip

    def flatten(self, relation: Relation) -> Relation:
        """The relation with each stateful operator inside replaced by a scan of its store."""
        if isinstance(relation, Join) and len(relation.inputs) > MOST_INPUTS:
            message = f"a join of {len(relation.inputs)} inputs (a CTE counts at each use)"
            raise Unsupported("SIZE", message, "FROM")
        if not scans(relation):  # nothing of it ever changes
            return relation
        if relation.kind is Kind.STATEFUL or windowed(relation) is not None:
            return self.hidden(relation)
        if not relation.children:
            return relation
        return relation.with_children(tuple(self.flatten(child) for child in relation.children))

    def _maintained(self, name: tuple[str, str]) -> bool:
        return name[0] == names.RUNTIME_SCHEMA or self.tables[name].view is not None

    def _indexed(self, child: Relation, keys: Sequence[str | None]) -> bool:
        """An index of the one source begins with the group's keys, in any order; None is a key that is no column."""
        found = [child.origin(name) if name else None for name in keys]
        if len(scans(child)) != 1 or not found or any(part is None for part in found):
            return False
        columns = {scan.stored(name) for scan, name in (part for part in found if part)}
        scan = scans(child)[0]
        if any((n.store.table_schema, n.store.table) == scan.source for n in self.nodes):
            return self.look_up(scan, tuple(sorted(columns)))
        indexes = (*self.tables[scan.source].indexes, *self.tables[scan.source].keys)
        return any(set(index[: len(columns)]) == columns for index in indexes)

    def _probed(self, aggregate: Aggregate) -> bool:
        """Each value that is computed anew over all rows is the first one in an index."""
        calls = [call for _, call in aggregate.calls if upkeep(call) is not Upkeep.FOLD]
        found = [probe_column(call, aggregate.child) if upkeep(call) is Upkeep.EXTREME else None for call in calls]
        if aggregate.keys or not found or not all(found):
            return False
        return all(self.look_up(scan, (column,)) for scan, column in filter(None, found))

    def _fed(self) -> dict[tuple[str, str], frozenset[tuple[str, str]]]:
        """For each level the tables whose changes reach it."""
        found: dict[tuple[str, str], frozenset[tuple[str, str]]] = {}
        for node in self.nodes:
            direct = frozenset(source.name for source in node.sources)
            found[node.store.table_schema, node.store.table] = direct.union(*(found.get(name, ()) for name in direct))
        return found

    def _lock_table(self) -> q.Fragment:
        return q.qualified(names.RUNTIME_SCHEMA, lock_table(self.prefix, len(self.nodes) + 1))

    def _add(self, store: Store) -> Store:
        number = len(self.nodes) + 1
        by_table: dict[tuple[str, str], list[Scan]] = {}
        for scan in scans(store.child):
            by_table.setdefault(scan.source, []).append(scan)
        sources = tuple(
            Source(
                *name,
                number=i,
                leaves=tuple(found),
                maintained=self._maintained(name),
                partitions=self.tables[name].leaves,
                partitioned=self.tables[name].kind == "p",
                cascaded=self.tables[name].cascaded,
            )
            for i, (name, found) in enumerate(by_table.items())
        )
        for lookup in lookups(store.child):
            self.look_up(lookup.scan, lookup.columns)
        locks = store.lock_plan() if isinstance(store, RecursiveStore) else plan_locks(store.child, self._fed())
        self.nodes.append(Node(number, store, sources, locks))
        return store


def lock_table(prefix: str, number: int) -> str:
    """Name of a node's table of lock buckets."""
    return names.derived(prefix, number, "lock")


def _keeps_determined(top: TopN, outputs: tuple[str, ...]) -> bool:
    """The order leaves no choice among rows, or only among rows that look alike."""
    by = frozenset(key.column for key in top.order)
    if not by:
        return False
    alike = {name for name in by if top.child.column(name).type.exact}
    all_ties = top.ties and not top.offset
    return all_ties or top.child.identified_by(by) or alike.issuperset(outputs)


def _outputs_first(relation: Relation, outputs: tuple[str, ...]) -> Relation:
    """The same columns with the query's own first, in its order."""
    if relation.names[: len(outputs)] == outputs:
        return relation
    rest = tuple(name for name in relation.names if name not in outputs)
    columns = [relation.column(name) for name in outputs + rest]
    return Project(relation, tuple((c.name, column_scalar(c.name, c.type, c.not_null)) for c in columns))


def _grouped_row(relation: Relation) -> tuple[Aggregate, tuple[tuple[str, Scalar], ...]] | None:
    """An aggregate, or a projection of one whose expressions can be computed while the group is written.

    The upsert computes them over a change that isn't a whole group yet, so they must not raise on any numbers.
    """
    if isinstance(relation, Aggregate):
        return relation, tuple((c.name, column_scalar(c.name, c.type, c.not_null)) for c in relation.schema)
    if isinstance(relation, Project) and isinstance(relation.child, Aggregate):
        numeric = {c.name: c.type.base for c in relation.child.schema}
        if all(total(scalar.node, numeric) for _, scalar in relation.outputs):
            return relation.child, relation.outputs
    return None


def _check_keys(aggregate: Aggregate) -> None:
    for _, scalar in aggregate.keys:
        if scalar.type.ordered:
            continue
        found = aggregate.child.origin(scalar.column) if scalar.column else None
        shown = found[0].stored(found[1]) if found else scalar.text
        name = shown if found else next(iter(scalar.columns), "")
        message = f"the key {shown} ({scalar.type.sql}) has no order, so no index can hold it"
        raise Unsupported("KEY_TYPE", message, f"column:{name}")
