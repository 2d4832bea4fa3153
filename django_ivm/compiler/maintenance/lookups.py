"""Which columns the rules look rows up by: indexes on them are created on levels of our own and advised on sources.

A term of a delta is driven from the change of one input and finds the rows of the others by the join's conditions; a
group or a partition that is computed anew finds its rows by its key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pglast import ast

from ..ir.relation import Kind, Relation
from ..operators import Scan
from ..pg.catalog import TableInfo

# Types of PostgreSQL's own whose `=` and `<` a btree index has.
_ORDERED = frozenset([
    "bool", "int2", "int4", "int8", "oid", "text", "varchar", "char", "name", "bpchar", "date", "timestamp",
    "timestamptz", "time", "timetz", "uuid", "bytea", "inet", "cidr", "macaddr", "macaddr8", "numeric", "float4",
    "float8", "interval", "jsonb", "money", "bit", "varbit", "citext",
])  # fmt: skip
_COMPARED = frozenset(["=", "<", "<=", ">", ">="])


@dataclass(frozen=True)
class Lookup:
    """Rows of a scan's table are looked up by `columns` (the table's own names), in any order of them."""

    scan: Scan
    columns: tuple[str, ...]

    def served_by(self, indexes: Iterable[tuple[str, ...]]) -> bool:
        """An index begins with one of the columns, or with all of them where the table has one for them."""
        return any(index and index[0] in self.columns for index in indexes)


# (scan's number, "=" or the column of a range, inputs that give the values) -> scan, columns
_Found = dict[tuple[int, str, tuple[int, ...]], tuple[Scan, dict[str, None]]]


def lookups(relation: Relation) -> tuple[Lookup, ...]:
    """Look-ups that the deltas of a flat relation make, each once."""
    nodes = [node for node in relation.walk() if node.kind is Kind.BILINEAR]
    return tuple(dict.fromkeys(lookup for node in nodes for lookup in _of_node(node)))


def _of_node(node: Relation) -> list[Lookup]:
    found: _Found = {}
    equal: list[set[str]] = []
    for condition in node.conditions_between:
        _of_condition(node, condition.node, found, equal)
    for same in equal:  # x = y and y = z say x = z, as the planner knows
        for name in sorted(same):
            for other in sorted(same - {name}):
                _note(node, name, _inputs_of({other}, node), "=", found)
    found_by_value = {(leaf, one) for leaf, kind, partners in found if kind == "=" for one in partners}
    return [
        Lookup(scan, tuple(columns))
        for (leaf, kind, partners), (scan, columns) in found.items()
        if kind == "=" or not any((leaf, one) in found_by_value for one in partners)
    ]


def _of_condition(node: Relation, condition: object, found: _Found, equal: list[set[str]]) -> None:
    if not (isinstance(condition, ast.A_Expr) and condition.kind.name == "AEXPR_OP" and condition.lexpr is not None):
        return
    operator = condition.name[-1].sval
    if operator not in _COMPARED:
        return
    for side, other in ((condition.lexpr, condition.rexpr), (condition.rexpr, condition.lexpr)):
        own = _column(side)
        if own is not None:
            _note(node, own, _inputs_of(_names(other), node), operator, found)
    pair = {_column(condition.lexpr), _column(condition.rexpr)}
    if operator == "=" and None not in pair:
        joined = {name for name in pair if name}
        for one in [one for one in equal if one & joined]:
            equal.remove(one)
            joined |= one
        equal.append(joined)


def _note(node: Relation, name: str, partners: tuple[int, ...], operator: str, found: _Found) -> None:
    """Rows with a column are looked up by values that other inputs give."""
    home = next((i for i, child in enumerate(node.children) if name in child.names), None)
    if home is None or not partners or home in partners:
        return
    origin = node.children[home].origin(name, outer=True)
    if origin is None or not is_ordered(*origin):
        return
    scan, output = origin
    kind = "=" if operator == "=" else f"<{output}"
    found.setdefault((scan.leaf, kind, partners), (scan, {}))[1][scan.stored(output)] = None


def is_ordered(scan: Scan, output: str) -> bool:
    """A btree of PostgreSQL's own holds the column."""
    type_ = scan.column(output).type
    return type_.base in _ORDERED or type_.kind == "e"


def _column(node: object) -> str | None:
    return str(node.fields[-1].sval) if isinstance(node, ast.ColumnRef) else None


def _names(expression: object) -> set[str]:
    """Columns that an expression reads."""
    if isinstance(expression, list | tuple):
        return {name for item in expression for name in _names(item)}
    if isinstance(expression, ast.ColumnRef):
        return {expression.fields[-1].sval}
    if isinstance(expression, ast.Node):
        return {name for field in expression for name in _names(getattr(expression, field))}
    return set()


def _inputs_of(names: set[str], node: Relation) -> tuple[int, ...]:
    """Numbers of the inputs that have some of the columns."""
    return tuple(i for i, child in enumerate(node.children) if names & set(child.names))


def missing(found: Iterable[Lookup], tables: dict[tuple[str, str], TableInfo]) -> tuple[Lookup, ...]:
    """Look-ups that no index of the table serves."""
    return tuple(
        lookup
        for lookup in found
        if not lookup.served_by((*tables[lookup.scan.source].indexes, *tables[lookup.scan.source].keys))
    )
