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
_ORDERED = frozenset(
    ["bool", "int2", "int4", "int8", "oid", "text", "varchar", "char", "name", "bpchar", "date", "timestamp"]
    + ["timestamptz", "time", "timetz", "uuid", "bytea", "inet", "cidr", "macaddr", "macaddr8", "numeric", "float4"]
    + ["float8", "interval", "jsonb", "money", "bit", "varbit", "citext"]
)
_COMPARED = frozenset(["=", "<", "<=", ">", ">="])


@dataclass(frozen=True)
class Lookup:
    """Rows of a scan's table are looked up by `columns` (the table's own names), in any order of them."""

    scan: Scan
    columns: tuple[str, ...]

    def served_by(self, indexes: Iterable[tuple[str, ...]]) -> bool:
        """An index begins with one of the columns, or with all of them where the table has one for them."""
        return any(index and index[0] in self.columns for index in indexes)


def lookups(relation: Relation) -> tuple[Lookup, ...]:
    """Look-ups that the deltas of a flat relation make, each once."""
    found: dict[tuple[int, str, tuple[int, ...]], tuple[Scan, dict[str, None]]] = {}
    for node in relation.walk():
        if node.kind is Kind.BILINEAR:
            for condition in node.conditions_between:
                _of_condition(node, condition.node, found)
    return tuple(dict.fromkeys(Lookup(scan, tuple(columns)) for scan, columns in found.values()))


def _of_condition(
    node: Relation, condition: object, found: dict[tuple[int, str, tuple[int, ...]], tuple[Scan, dict[str, None]]]
) -> None:
    if not (isinstance(condition, ast.A_Expr) and condition.kind.name == "AEXPR_OP" and condition.lexpr is not None):
        return
    operator = condition.name[-1].sval
    if operator not in _COMPARED:
        return
    for side, other in ((condition.lexpr, condition.rexpr), (condition.rexpr, condition.lexpr)):
        own = _column(side)
        if own is None:
            continue
        name, partners = own, _inputs_of(node, other)
        home = next((i for i, child in enumerate(node.children) if name in child.names), None)
        if home is None or not partners or home in partners:
            continue
        origin = node.children[home].origin(name, outer=True)
        if origin is None or not is_ordered(*origin):
            continue
        scan, output = origin
        kind = "=" if operator == "=" else f"<{output}"
        found.setdefault((scan.leaf, kind, partners), (scan, {}))[1][scan.stored(output)] = None


def is_ordered(scan: Scan, output: str) -> bool:
    """A btree of PostgreSQL's own holds the column."""
    type_ = scan.column(output).type
    return type_.base in _ORDERED or type_.kind == "e"


def _column(node: object) -> str | None:
    return str(node.fields[-1].sval) if isinstance(node, ast.ColumnRef) else None


def _inputs_of(node: Relation, expression: object) -> tuple[int, ...]:
    """Numbers of the inputs whose columns an expression reads."""
    names: set[str] = set()

    def walk(part: object) -> None:
        if isinstance(part, list | tuple):
            for item in part:
                walk(item)
        elif isinstance(part, ast.ColumnRef):
            names.add(part.fields[-1].sval)
        elif isinstance(part, ast.Node):
            for field in part:
                walk(getattr(part, field))

    walk(expression)
    return tuple(i for i, child in enumerate(node.children) if names & set(child.names))


def missing(found: Iterable[Lookup], tables: dict[tuple[str, str], TableInfo]) -> tuple[Lookup, ...]:
    """Look-ups that no index of the table serves."""
    return tuple(
        lookup
        for lookup in found
        if not lookup.served_by((*tables[lookup.scan.source].indexes, *tables[lookup.scan.source].keys))
    )
