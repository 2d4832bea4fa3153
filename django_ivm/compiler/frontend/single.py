"""Whether a recursion with UNION ALL can't repeat a row, so that it is one with UNION.

Two derivations of rows that agree in columns K are compared from their ends. If K settles the rows of the tables that
the step joined, and K of the row that it came from, the rows before agree in K too, and so on until one of them is a
row of the base. If both are, they are one row, since K is unique in the base. What is left is to rule out that one is a
row of the base and the other isn't:

counter   a column of K is a constant in the base and grows by a constant at each step: both derivations are as long;
root      the base has only rows of a table without a parent, the step only rows with one, and K holds the table's key;
carried   some columns are unique in the base, the step hands them on, and K is all columns: then a row derives itself,
          and the query with UNION ALL would never end. Only here does UNION have rows where the query has no answer.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from pglast import ast

from ..ir.dependencies import equated
from ..ir.relation import Column, Relation
from ..ir.scalar import Scalar
from ..operators import Filter, Join, Project, Scan
from ..operators.recursive import Reference, references


def unique_columns(base: Relation, step: Relation, columns: tuple[Column, ...]) -> frozenset[str] | None:
    """Columns of which no two rows of the recursion agree, in whatever way they are derived; None without a proof."""
    return _Proof(base, step, columns).found() if isinstance(step, Project) else None


class _Proof:
    def __init__(self, base: Relation, step: Project, columns: tuple[Column, ...]) -> None:
        self.base, self.step = base, step
        self.names = tuple(column.name for column in columns)
        (self.own,) = references(step)
        self.before = {stored: column.name for column, stored in self.own.columns}
        self.base_name = dict(zip(self.names, base.names, strict=True))
        self.next = dict(zip(self.names, (scalar for _, scalar in step.outputs), strict=True))
        self.carried = frozenset(n for n in self.names if self.next[n].column == self.before[n])
        self.counters = frozenset(n for n in self.names if self._counts(n))

    def found(self) -> frozenset[str] | None:
        everything = frozenset(self.names)
        ends = [frozenset(own for own in self.names if self.base_name[own] in key) for key in self.base.unique_sets()]
        for key in (key | extra for key in ends for extra in (frozenset[str](), self.counters)):
            if self._unique(key) and (key & self.counters or self._rooted(key)):
                return key
        apart = bool(self.counters) or self._in_base(self.carried)
        return everything if apart and self._unique(everything) else None

    def _in_base(self, key: frozenset[str]) -> bool:
        return self.base.identified_by(frozenset(self.base_name[name] for name in key))

    def _unique(self, key: frozenset[str]) -> bool:
        """`key` is unique in the base, and settles what the step joined if it is unique among the rows before."""
        if not self._in_base(key):
            return False

        def known(relation: Relation) -> Relation:
            return dataclasses.replace(relation, keys=(key,)) if isinstance(relation, Reference) else relation

        child = self.step.child.map_leaves(known)
        shown = {self.next[name].column for name in key} | {self._counted(name) for name in key & self.counters}
        return child.identified_by(frozenset(name for name in shown if name))

    # Counters

    def _counts(self, name: str) -> bool:
        return self._counted(name) is not None and _constant(_source(self.base, self.base_name[name]))

    def _counted(self, name: str) -> str | None:
        """R's own column `name` in the step, when the next value is that plus a constant other than zero."""
        node = self.next[name].node
        if not (isinstance(node, ast.A_Expr) and node.kind.name == "AEXPR_OP" and node.name[-1].sval in ("+", "-")):
            return None
        if not self.next[name].type.integer or not isinstance(node.lexpr, ast.ColumnRef):
            return None
        by = node.rexpr
        steady = isinstance(by, ast.A_Const) and isinstance(by.val, ast.Integer) and by.val.ival != 0
        return self.before[name] if steady and node.lexpr.fields[-1].sval == self.before[name] else None

    # Roots

    def _rooted(self, key: frozenset[str]) -> bool:
        """Base and step show the key of one table; the base those with a NULL parent, the step those without."""
        if not key:
            return False
        ends = [self.base.origin(self.base_name[name]) for name in key]
        nexts = [self.step.origin(self.step.outputs[self.names.index(name)][0]) for name in key]
        first = [(scan, scan.stored(name)) for scan, name in (end for end in ends if end)]
        then = [(scan, scan.stored(name)) for scan, name in (end for end in nexts if end)]
        if len(first) < len(key) or len(then) < len(key):
            return False
        if len({scan.leaf for scan, _ in first}) > 1 or len({scan.leaf for scan, _ in then}) > 1:
            return False
        one, two = first[0][0], then[0][0]
        same = one.source == two.source and [c for _, c in first] == [c for _, c in then]
        if not same or not any(set(found) <= {c for _, c in first} for found in one.keys):
            return False
        without = {one.stored(name) for name in _nulls(self.base) if name in one.names}
        return bool(without & {two.stored(name) for name in _not_nulls(self.step.child) if name in two.names})


def _source(relation: Relation, name: str) -> Scalar | None:
    """The expression behind a column, through projections."""
    while isinstance(relation, Project | Filter):
        if isinstance(relation, Project):
            scalar = next(s for output, s in relation.outputs if output == name)
            if scalar.column is None:
                return scalar
            name = scalar.column
        relation = relation.child
    return None


def _constant(scalar: Scalar | None) -> bool:
    return scalar is not None and isinstance(scalar.node, ast.A_Const) and not scalar.node.isnull


def _nulls(relation: Relation) -> set[str]:
    """Columns that the rows of a filtered scan have NULL in."""
    found: set[str] = set()
    while isinstance(relation, Project | Filter):
        if isinstance(relation, Filter):
            found |= {name for part in _parts(relation.condition.node) if (name := _null_test(part)) is not None}
        relation = relation.child
    return found if isinstance(relation, Scan) else set()


def _parts(node: Any) -> list[Any]:
    if isinstance(node, ast.BoolExpr) and node.boolop.name == "AND_EXPR":
        return [part for arg in node.args for part in _parts(arg)]
    return [node]


def _null_test(node: Any) -> str | None:
    if isinstance(node, ast.NullTest) and node.nulltesttype.name == "IS_NULL" and isinstance(node.arg, ast.ColumnRef):
        return str(node.arg.fields[-1].sval)
    return None


def _not_nulls(relation: Relation) -> set[str]:
    """Columns that an equality of an inner join, or a filter, asks for."""
    return {name for pair in equated(_inner(relation)) for name in pair}


def _inner(relation: Relation) -> list[Scalar]:
    if isinstance(relation, Filter):
        return [relation.condition, *_inner(relation.child)]
    if isinstance(relation, Join):
        return [*relation.conditions, *(c for child in relation.inputs for c in _inner(child))]
    return []
