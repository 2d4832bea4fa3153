"""Relation → nodes: each stateful operator inside a query becomes a maintained relation of its own.

Every level is then flat, and a write costs what the change costs at each level.
"""

from __future__ import annotations

import dataclasses

from pglast import ast

from ..errors import Unsupported, reason
from ..ir.relation import Column, Kind, Relation
from ..ir.scalar import Scalar, column_scalar
from ..operators import Aggregate, Join, Project, Scan, TopN
from ..options import Options
from ..pg import names
from ..pg import sql as q
from ..pg.catalog import Catalog, ColumnInfo, TableInfo
from .delta import scans
from .locks import plan_locks
from .plan import MaintenancePlan, Node, Source
from .stores import AggregateStore, BagStore, KeyedStore, Store, TopNStore

MOST_INPUTS = 12  # of one join: planning its terms takes longer than the write with more


def plan_maintenance(
    relation: Relation, outputs: tuple[str, ...], catalog: Catalog, options: Options
) -> MaintenancePlan:
    """Split a rewritten query into maintained relations.

    Raises Unsupported for keys and orders that can't be kept.
    """
    levels = _Levels(catalog, options)
    levels.view(relation, outputs)
    reasons = tuple(reason("WHOLE", node.store.whole) for node in levels.nodes if node.store.whole)
    return MaintenancePlan(tuple(levels.nodes), outputs, reasons)


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

    def view(self, relation: Relation, outputs: tuple[str, ...]) -> None:
        """The whole query, stored under the view's own name."""
        self.store(relation, outputs, self.options.storage(self.prefix), self.options.surrogate)
        node = self.nodes[-1]
        if not any(column.hidden for column in node.store.columns):
            public = dataclasses.replace(node.store, table_schema=self.options.schema, table=self.options.name)
            self.nodes[-1] = dataclasses.replace(node, store=public)

    def hidden(self, relation: Relation) -> Scan:
        """A level below: stored in our schema, read through the scan that is returned."""
        self.levels += 1
        table = names.derived(self.prefix, "level", self.levels)
        store = self.store(relation, relation.names, (names.RUNTIME_SCHEMA, table), None)
        columns = tuple((Column(c.name, c.type, c.not_null), c.name) for c in store.visible)
        info = tuple(ColumnInfo(c.name, c.type, c.not_null) for c in store.columns)
        keys = (store.key,) if store.key else ()
        self.tables[names.RUNTIME_SCHEMA, table] = TableInfo(
            names.RUNTIME_SCHEMA, table, columns=info, keys=keys, live=store.live
        )
        self.leaves += 1
        return Scan(names.RUNTIME_SCHEMA, table, columns, 1000 + self.leaves, store.live, keys)

    def store(
        self, relation: Relation, outputs: tuple[str, ...], target: tuple[str, str], surrogate: str | None
    ) -> Store:
        """Choose how a relation is stored, after storing the levels inside it."""
        if isinstance(relation, TopN):
            return self._top_n(relation, outputs, target, surrogate)
        grouped = _grouped_row(relation)
        if grouped is not None:
            aggregate, shown = grouped
            _check_keys(aggregate)
            flat = self.flatten(aggregate.child)
            aggregate = dataclasses.replace(aggregate, child=flat)
            return self._add(AggregateStore(*target, flat, surrogate, aggregate, shown, self._indexed(aggregate)))
        flat = self.flatten(relation)
        keyed = flat.with_key(self.tables)
        if keyed is not None and keyed.key:
            relation = _outputs_first(keyed.relation, outputs)
            return self._add(KeyedStore(*target, relation, surrogate, keyed.key, len(outputs)))
        flat = _outputs_first(flat, outputs)
        locks = plan_locks(flat)
        base = locks.size if locks else 0
        return self._add(BagStore(*target, flat, surrogate, self._lock_table(), base))

    def _top_n(self, relation: TopN, outputs: tuple[str, ...], target: tuple[str, str], surrogate: str | None) -> Store:
        by = {key.column for key in relation.order}
        if not by or not any(key <= by for key in relation.child.unique_sets()):
            raise Unsupported("ORDER", "the order of LIMIT has ties, so the rows it keeps aren't determined", "ORDER")
        below = self.hidden(relation.child)
        node = self.nodes[-1]
        self.nodes[-1] = dataclasses.replace(node, store=dataclasses.replace(node.store, ordered=relation.order))
        inner = below.with_key(self.tables)
        if inner is None or not inner.key:
            raise Unsupported("LIMIT", "LIMIT of a query that has one row has no rule", "LIMIT")
        child = _outputs_first(inner.relation, outputs)
        store = TopNStore(
            *target, child, surrogate, relation.order, relation.limit, relation.offset, inner.key, len(outputs),
            self._lock_table(),
        )  # fmt: skip
        return self._add(store)

    def flatten(self, relation: Relation) -> Relation:
        """The relation with each stateful operator inside replaced by a scan of its store."""
        if isinstance(relation, Join) and len(relation.inputs) > MOST_INPUTS:
            message = f"a join of {len(relation.inputs)} inputs (a CTE counts at each use)"
            raise Unsupported("SIZE", message, "FROM")
        if relation.kind is Kind.STATEFUL:
            return self.hidden(relation)
        if not relation.children:
            return relation
        return relation.with_children(tuple(self.flatten(child) for child in relation.children))

    def _maintained(self, name: tuple[str, str]) -> bool:
        return name[0] == names.RUNTIME_SCHEMA or self.tables[name].view is not None

    def _indexed(self, aggregate: Aggregate) -> bool:
        """An index of the one source begins with the group's keys, in any order."""
        found = [aggregate.child.origin(s.column) if s.column else None for _, s in aggregate.keys]
        if len(scans(aggregate.child)) != 1 or not found or any(part is None for part in found):
            return False
        columns = {scan.stored(name) for scan, name in (part for part in found if part)}
        scan = scans(aggregate.child)[0]
        indexes = (*self.tables[scan.source].indexes, *self.tables[scan.source].keys)
        return any(set(index[: len(columns)]) == columns for index in indexes)

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
                cascaded=self.tables[name].cascaded,
            )
            for i, (name, found) in enumerate(by_table.items())
        )
        self.nodes.append(Node(number, store, sources, plan_locks(store.child)))
        return store


def lock_table(prefix: str, number: int) -> str:
    """Name of a node's table of lock buckets."""
    return names.derived(prefix, number, "lock")


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
        if all(_total(scalar.node, numeric) for _, scalar in relation.outputs):
            return relation.child, relation.outputs
    return None


def _total(node: object, bases: dict[str, str]) -> bool:
    """The expression has a value, or NULL, for all values of its columns: it never raises."""
    if isinstance(node, ast.ColumnRef | ast.A_Const):
        return True
    if isinstance(node, ast.TypeCast):
        arg = node.arg
        return isinstance(arg, ast.A_Const) or (
            node.typeName.names[-1].sval == "numeric" and not node.typeName.typmods and _total(arg, bases)
            and _is_number(arg, bases)
        )  # fmt: skip
    if isinstance(node, ast.CoalesceExpr):
        return all(_total(item, bases) for item in node.args)
    if isinstance(node, ast.NullTest | ast.BooleanTest):
        return _total(node.arg, bases)
    if isinstance(node, ast.BoolExpr):
        return all(_total(item, bases) for item in node.args)
    if isinstance(node, ast.A_Expr) and node.kind.name == "AEXPR_OP" and node.lexpr is not None:
        operator = node.name[-1].sval
        both = _total(node.lexpr, bases) and _total(node.rexpr, bases)
        if operator in ("=", "<>", "<", "<=", ">", ">="):
            return both
        if operator in ("+", "-", "*"):
            return both and _is_numeric(node.lexpr, bases) and _is_numeric(node.rexpr, bases)
    return False


def _is_number(node: object, bases: dict[str, str]) -> bool:
    return isinstance(node, ast.ColumnRef) and bases.get(node.fields[-1].sval) in ("int2", "int4", "int8", "numeric")


def _is_numeric(node: object, bases: dict[str, str]) -> bool:
    """Arithmetic in numeric can't overflow for sums; in integers it can."""
    if isinstance(node, ast.ColumnRef):
        return bases.get(node.fields[-1].sval) == "numeric"
    if isinstance(node, ast.TypeCast):
        return bool(node.typeName.names[-1].sval == "numeric")
    if isinstance(node, ast.A_Expr):
        return _is_numeric(node.lexpr, bases) and _is_numeric(node.rexpr, bases)
    if isinstance(node, ast.CoalesceExpr):
        return all(_is_numeric(item, bases) for item in node.args)
    return False


def _check_keys(aggregate: Aggregate) -> None:
    for _, scalar in aggregate.keys:
        if scalar.type.exact:
            continue
        found = aggregate.child.origin(scalar.column) if scalar.column else None
        shown = found[0].stored(found[1]) if found else scalar.text
        name = shown if found else next(iter(scalar.columns), "")
        message = f"equal values of the key {shown} ({scalar.type.sql}) may look different"
        raise Unsupported("KEY_TYPE", message, f"column:{name}")
