"""Decorrelation: a subquery that names columns of the query around it becomes an ordinary join.

Conditions that tie the subquery to the outer row are pulled up to the join. Through GROUP BY, DISTINCT and LIMIT only
equalities can be pulled: their inner side becomes one more key of the group, so that the subquery is computed for all
outer rows at once. Source: Kim 1982, Galindo-Legaria & Joshi 2001; the "count bug" (a group that isn't there has a
count of 0, not NULL) is met by the value that the subquery has over no rows.
"""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pglast import ast

from ..errors import Unsupported
from ..ir.equality import split_equality
from ..ir.relation import Relation
from ..ir.scalar import Scalar, column_scalar
from ..ir.strict import strict
from ..operators import (
    Aggregate,
    Constant,
    Distinct,
    Expand,
    Filter,
    Join,
    OuterJoin,
    Project,
    SemiJoin,
    SetOperation,
    TopN,
    Union,
    Window,
)  # fmt: skip
from ..operators.functions import Call
from ..operators.window import row_number
from ..pg import sql as q
from ..pg.catalog import BOOLEAN
from ..pg.print import print_expression
from .probes import PENDING, Columns, Probes
from .scope import Names

if TYPE_CHECKING:
    from .bind import Binder
    from .expressions import Expressions

_ZERO_WITHOUT_ROWS = frozenset(["count", "regr_count"])


@dataclass(frozen=True)
class Pulled:
    """A subquery without outer columns inside.

    `conditions` tie `relation` to the outer row. `outputs` are the subquery's columns as expressions over both.
    `without_rows`: its values for an outer row that nothing matches, where the subquery has a row even then.
    """

    relation: Relation
    conditions: tuple[Scalar, ...] = ()
    outputs: dict[str, Scalar] = field(default_factory=dict)
    without_rows: dict[str, Scalar] | None = None
    tied: frozenset[str] = frozenset()  # columns of the relation that the conditions settle, beside plain equalities

    def inline(self, scalar: Scalar) -> Scalar:
        return scalar.substitute({name: self.outputs[name].text for name in scalar.columns if name in self.outputs})

    @property
    def key(self) -> frozenset[str]:
        """Columns of the relation that the conditions equate with the outer row."""
        found = (split_equality(condition, frozenset(self.relation.names)) for condition in self.conditions)
        return self.tied | frozenset(parts[1].column for parts in found if parts and parts[1].column)

    @property
    def single(self) -> bool:
        """At most one row for each outer row."""
        return self.relation.identified_by(self.key)


@dataclass
class Decorrelation:
    """Pulls conditions up; `names` gives fresh ones, `probes` the types of new keys."""

    names: Names
    probes: Probes

    def pull(self, relation: Relation) -> Pulled:
        """Raises Unsupported where a subquery depends on the outer row in a way that isn't a condition."""
        if not relation.free:
            outputs = {c.name: column_scalar(c.name, c.type, c.not_null) for c in relation.schema}
            return Pulled(relation, (), outputs)
        match relation:
            case Filter():
                return self._filter(relation)
            case Project():
                inner = self.pull(relation.child)
                without = inner.without_rows
                return dataclasses.replace(
                    inner,
                    outputs={name: inner.inline(s) for name, s in relation.outputs},
                    without_rows=without
                    and {
                        name: s.substitute({n: without[n].text for n in s.columns if n in without})
                        for name, s in relation.outputs
                    },
                )
            case Join():
                return self._join(relation)
            case SemiJoin() | OuterJoin() | Expand():
                return self._first(relation)
            case Aggregate():
                return self._aggregate(relation)
            case Distinct():
                inner, keys, conditions = self._keyed(relation.child)
                return Pulled(Distinct(_shown(inner, keys)), conditions, _plain(relation))
            case TopN() if not relation.ties:
                return self._first_rows(relation)
            case Window():
                inner, keys, conditions = self._keyed(relation.child)
                partition = (*relation.partition, *(name for name, _ in keys))
                calls = tuple((name, partitioned(call, keys)) for name, call in relation.calls)
                window = Window(_shown(inner, keys), partition, calls)
                return Pulled(window, conditions, _plain(relation))
            case Union() | SetOperation():
                return self._branches(relation)
            case Constant() if len(relation.rows) == 1:
                outputs = {c.name: s for c, s in zip(relation.columns, relation.rows[0], strict=True)}
                return Pulled(Constant((), ((),)), (), outputs)
            case _:
                return self.pull_other(relation)

    def pull_other(self, relation: Relation) -> Pulled:
        """Operators without a rule of their own."""
        what = type(relation).__name__
        raise Unsupported("SUBQUERY", f"a correlated subquery with {what} inside has no rule", "SUBQUERY")

    def _filter(self, relation: Filter) -> Pulled:
        inner = self.pull(relation.child)
        if inner.without_rows is not None:
            raise Unsupported("SUBQUERY", "HAVING in a correlated subquery without GROUP BY has no rule", "SUBQUERY")
        condition = inner.inline(relation.condition)
        if set(condition.columns) <= set(inner.relation.names):
            return dataclasses.replace(inner, relation=Filter(inner.relation, condition))
        return dataclasses.replace(inner, conditions=(*inner.conditions, condition))

    def _join(self, relation: Join) -> Pulled:
        parts = [self.pull(child) for child in relation.inputs]
        if any(part.without_rows is not None for part in parts):
            raise Unsupported("SUBQUERY", "nested correlated aggregates in one join have no rule", "SUBQUERY")
        outputs = {name: s for part in parts for name, s in part.outputs.items()}
        whole = Pulled(Join(tuple(part.relation for part in parts), ()), (), outputs)
        own = [whole.inline(condition) for condition in relation.conditions]
        names = set(whole.relation.names)
        local = tuple(c for c in own if set(c.columns) <= names)
        pulled = tuple(c for part in parts for c in part.conditions) + tuple(c for c in own if c not in local)
        return Pulled(Join(tuple(part.relation for part in parts), local), pulled, outputs)

    def _first(self, relation: SemiJoin | OuterJoin | Expand) -> Pulled:
        """Only the input whose rows are kept may depend on the outer row."""
        first, *others = relation.children
        full = isinstance(relation, OuterJoin) and relation.full
        inner = self.pull(first)
        names = {name for child in (inner.relation, *others) for name in child.names}
        renamed = any(s.column != name for name, s in inner.outputs.items() if name in relation.references)
        if full or renamed or any(c.free for c in others) or not relation.references <= names or inner.without_rows:
            self.pull_other(relation)
        outputs = dict(inner.outputs)
        added = [c for c in relation.schema if c.name not in first.names]
        outputs |= {c.name: column_scalar(c.name, c.type, c.not_null) for c in added}
        return Pulled(relation.with_children((inner.relation, *others)), inner.conditions, outputs)

    def _keyed(self, relation: Relation) -> tuple[Pulled, tuple[tuple[str, Scalar], ...], tuple[Scalar, ...]]:
        """(subquery, new keys, conditions over them): only equalities get through GROUP BY, DISTINCT and LIMIT."""
        inner = self.pull(relation)
        if inner.without_rows is not None:
            self.pull_other(relation)
        local = frozenset(inner.relation.names)
        if any(not set(s.columns) <= local for s in inner.outputs.values()):
            raise Unsupported("SUBQUERY", "a correlated subquery groups by a column of the outer query", "SUBQUERY")
        keys: list[tuple[str, Scalar]] = []
        conditions = []
        for condition in inner.conditions:
            parts = split_equality(condition, local)
            if parts is None:
                raise Unsupported(
                    "SUBQUERY", f"a correlated subquery is tied by {condition}, which isn't an equality", "SUBQUERY"
                )
            outer, own = parts
            known = next((name for name, s in keys if s.text == own.text), None)
            if known is None:
                known = self.names.fresh(own.column or "key")
                keys.append((known, self._typed(own, inner.relation)))
            conditions.append(_with_side(condition, outer, known))
        return inner, tuple(keys), tuple(conditions)

    def _typed(self, scalar: Scalar, relation: Columns) -> Scalar:
        if scalar.column:
            column = relation.column(scalar.column)
            return Scalar(scalar.text, column.type, column.not_null)
        return Scalar(scalar.text, self.probes.type_of(scalar.text, relation) or PENDING)

    def _first_rows(self, relation: TopN) -> Pulled:
        """LIMIT for each outer row: the rows are numbered within the key."""
        inner, keys, conditions = self._keyed(relation.child)
        partition = tuple(name for name, _ in keys)
        number = self.names.fresh("row_number")
        call = row_number(partition, relation.order)
        rows: Relation = Window(_shown(inner, keys), partition, ((number, call),), "LIMIT")
        for text in numbers(q.ident(number).text, relation):
            rows = Filter(rows, Scalar(text, BOOLEAN))
        return Pulled(rows, conditions, _plain(relation))

    def _branches(self, relation: Union | SetOperation) -> Pulled:
        """Branches of a set operation that are tied to the outer row by the same equalities."""
        parts = [self._keyed(branch) for branch in relation.children]
        ties = [{condition_key(c, name): name for c, (name, _) in zip(part[2], part[1], strict=True)}
                for part in parts if len(part[1]) == len(part[2])]  # fmt: skip
        if len(ties) < len(parts) or any(tie.keys() != ties[0].keys() for tie in ties):
            raise Unsupported("SUBQUERY", "branches of a correlated set operation are tied in other ways", "SUBQUERY")
        branches = []
        for (inner, keys, _), tie in zip(parts, ties, strict=True):
            known = dict(keys)
            branches.append(_shown(inner, tuple((tie[text], known[tie[text]]) for text in ties[0])))
        combined = relation.with_children(tuple(branches))
        return Pulled(combined, parts[0][2], _plain(relation))

    def _aggregate(self, relation: Aggregate) -> Pulled:
        inner, keys, conditions = self._keyed(relation.child)
        local = frozenset(inner.relation.names)
        own = tuple((name, inner.inline(s)) for name, s in relation.keys)
        table = {name: s.text for name, s in inner.outputs.items()}
        calls = tuple((name, call.substitute(table)) for name, call in relation.calls)
        if any(not set(s.columns) <= local for _, s in own) or any(not set(c.columns) <= local for _, c in calls):
            raise Unsupported("SUBQUERY", "a correlated subquery aggregates a column of the outer query", "SUBQUERY")
        grouped = Aggregate(inner.relation, (*keys, *own), calls)
        outputs = {c.name: column_scalar(c.name, c.type, c.not_null) for c in relation.schema}
        without = None if relation.keys else {name: without_rows(call) for name, call in relation.calls}
        return Pulled(grouped, conditions, outputs, without)


def _shown(inner: Pulled, keys: tuple[tuple[str, Scalar], ...]) -> Project:
    """The subquery's own columns, and the keys."""
    return Project(inner.relation, (*inner.outputs.items(), *keys))


def _plain(relation: Relation) -> dict[str, Scalar]:
    return {c.name: column_scalar(c.name, c.type, c.not_null) for c in relation.schema}


def partitioned(call: Scalar, keys: tuple[tuple[str, Scalar], ...]) -> Scalar:
    """A window call within the keys too."""
    node = copy.deepcopy(call.node)
    added = tuple(ast.ColumnRef(fields=(ast.String(sval=name),)) for name, _ in keys)
    node.over.partitionClause = (*(node.over.partitionClause or ()), *added)
    return Scalar(print_expression(node), call.type, call.not_null)


def numbers(number: str, top: TopN) -> list[str]:
    """Conditions on a row's number for OFFSET and LIMIT."""
    if top.limit == 1 and not top.ties:
        return [f"{number} = {top.offset + 1}"]
    found = [f"{number} > {top.offset}"] if top.offset else []
    return found if top.limit is None else [*found, f"{number} <= {top.offset + top.limit}"]


def condition_key(condition: Scalar, key: str) -> str:
    """The condition with the key's name left out, to compare it with another branch's."""
    return condition.substitute({key: "ivm_key"}).text


def without_rows(call: Call) -> Scalar:
    """An aggregate's value over no rows."""
    if call.function in _ZERO_WITHOUT_ROWS:
        return Scalar("0", call.type, True)
    return Scalar(f"NULL::{call.type.sql}" if call.type is not PENDING else "NULL", call.type)


def _with_side(condition: Scalar, outer: Scalar, key: str) -> Scalar:
    """The equality with a key's column for its inner side."""
    node = condition.node
    left = print_expression(node.lexpr) == outer.text
    operator = ".".join(part.sval for part in node.name)
    operator = f"OPERATOR({operator})" if len(node.name) > 1 else operator
    sides = (f"({outer.text})", q.ident(key).text)
    return Scalar(f"{sides[0]} {operator} {sides[1]}" if left else f"{sides[1]} {operator} {sides[0]}")


def decorrelate(binder: Binder, row: Expressions, subquery: Relation, *, every_row: bool = False) -> Pulled:
    """A subquery of the level's rows, tied to them by conditions only. `every_row`: one that has a row even where
    nothing matches really has it."""
    from .dependent import dependent  # which builds on this module

    try:
        pulled = Decorrelation(binder.names, binder.probes).pull(subquery)
        if pulled.without_rows is not None and every_row:
            return dependent(binder.names, row.relation, subquery)
        return pulled
    except Unsupported as refusal:
        if refusal.code != "SUBQUERY" or not subquery.free:
            raise
        return dependent(binder.names, row.relation, subquery)


def attach_row(
    binder: Binder, row: Expressions, subquery: Relation, conditions: tuple[Scalar, ...], *, outer: bool
) -> Relation:
    """The level's rows with a subquery's rows beside each, under the subquery's own column names.

    `outer`: a row without any stays, with NULLs.
    """
    try:
        pulled = decorrelate(binder, row, subquery)
    except Unsupported as refusal:
        if refusal.find != "SUBQUERY":
            raise
        raise Unsupported(refusal.code, refusal.message, "LATERAL") from refusal  # where the user's text has it
    left, local = row.relation, frozenset(pulled.relation.names)
    passed = [(c.name, column_scalar(c.name, c.type, c.not_null)) for c in left.schema]
    if pulled.without_rows is not None:
        if conditions:
            raise Unsupported("LATERAL", "a lateral aggregate is joined on a condition", "LATERAL")
        both: Relation = OuterJoin(left, pulled.relation, pulled.conditions)
        outputs = tuple((name, or_without_rows(pulled, name)) for name in subquery.names)
        return Project(both, (*passed, *outputs))
    if outer:
        if any(not set(s.columns) <= local for s in pulled.outputs.values()):
            raise Unsupported("LATERAL", "an outer lateral subquery shows a column of the outer query", "LATERAL")
        kept = [(c.name, column_scalar(c.name, c.type, c.not_null)) for c in pulled.relation.schema]
        known = {name for name, _ in kept}
        shown = [(name, s) for name, s in pulled.outputs.items() if name not in known]
        return OuterJoin(left, Project(pulled.relation, (*kept, *shown)), (*pulled.conditions, *conditions))
    both = Join((left, pulled.relation), pulled.conditions)
    return Project(both, (*passed, *((name, _typed_output(pulled, name)) for name in subquery.names)))


def or_without_rows(pulled: Pulled, name: str) -> Scalar:
    """A column of a subquery that has a row even where nothing matches: NULL in a key tells that."""
    shown = pulled.outputs[name]
    if pulled.without_rows is None:
        return shown
    absent = pulled.without_rows[name]
    if strict(shown.node, frozenset(pulled.relation.names)) and strict(absent.node, frozenset()):
        return shown
    key = next(iter(pulled.key))
    return Scalar(f"CASE WHEN {q.ident(key)} IS NULL THEN {absent.text} ELSE {shown.text} END", shown.type)


def _typed_output(pulled: Pulled, name: str) -> Scalar:
    return pulled.outputs[name]
