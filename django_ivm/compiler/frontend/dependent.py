"""The general way out of correlation: a subquery computed for each distinct value that the outer rows give it.

D, the distinct outer values, is joined inside the subquery where it reads them, every grouping above has them as keys
too, and the outer rows are joined with the result. It works where a subquery isn't tied by equalities alone
(`WHERE s.at < o.at` under an aggregate). Source: Neumann & Kemper 2015, "Unnesting arbitrary queries".
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from ..errors import Unsupported
from ..ir.relation import Relation
from ..ir.scalar import Scalar, column_scalar
from ..operators import (
    Aggregate,
    Call,
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
from ..operators.window import row_number
from ..pg import sql as q
from ..pg.catalog import BOOLEAN
from .decorrelate import Pulled, numbers, partitioned, without_rows
from .scope import Names


def dependent(names: Names, outer: Relation, subquery: Relation) -> Pulled:
    """The subquery for all outer rows at once.

    Raises Unsupported when it reads columns of a query further out.
    """
    free = sorted(subquery.free)
    if not set(free) <= set(outer.names):
        raise Unsupported("SUBQUERY", "a subquery names columns of a query two levels out", "SUBQUERY")
    given = {name: names.fresh(name) for name in free}
    columns = [outer.column(name) for name in free]
    for column in columns:
        if column.type.kind != "?" and not column.type.exact:  # one value would stand for another that looks different
            message = f"a subquery follows {column.name} ({column.type.sql}), whose equal values may look different"
            raise Unsupported("KEY_TYPE", message, "SUBQUERY")
    values = Distinct(
        Project(outer, tuple((given[c.name], column_scalar(c.name, c.type, c.not_null)) for c in columns))
    )
    spread = _Spread(names, values).of(renamed(subquery, {old: q.ident(new).text for old, new in given.items()}))
    shown = [spread.column(name) for name in subquery.names]
    outputs = {c.name: column_scalar(c.name, c.type, c.not_null) for c in shown}
    return Pulled(spread, _same(outer, given), outputs, tied=frozenset(given.values()))


def renamed(relation: Relation, table: dict[str, str]) -> Relation:
    """The relation with columns of the outer query replaced."""
    changed = {}
    for field in dataclasses.fields(relation):
        value = getattr(relation, field.name)
        changed[field.name] = _replaced(value, table)
    return dataclasses.replace(relation, **changed)


def _replaced(value: Any, table: dict[str, str]) -> Any:
    if isinstance(value, Scalar | Call):
        return value.substitute(table)
    if isinstance(value, Relation):
        return renamed(value, table)
    if isinstance(value, tuple):
        return tuple(_replaced(part, table) for part in value)
    return value


@dataclass(frozen=True)
class _Spread:
    """Carries the columns of `values` up through a subquery that reads them."""

    names: Names
    values: Relation

    @property
    def added(self) -> tuple[tuple[str, Scalar], ...]:
        return _copied(self.values)

    def of(self, relation: Relation) -> Relation:  # noqa: C901  (one case for each operator)
        """The relation's rows for each value, with the value's columns beside them."""
        if not self._depends(relation):
            return Join((self.values, relation), ())
        match relation:
            case Filter():
                return Filter(self.of(relation.child), relation.condition)
            case Project():
                return Project(self.of(relation.child), (*relation.outputs, *self.added))
            case Join():
                return self._join(relation)
            case Aggregate():
                return self._aggregate(relation)
            case Distinct():
                return Distinct(self.of(relation.child))
            case Window():
                partition = (*relation.partition, *self.values.names)
                calls = tuple((name, partitioned(call, self.added)) for name, call in relation.calls)
                return Window(self.of(relation.child), partition, calls)
            case TopN() if not relation.ties:
                return self._first_rows(relation)
            case Union() | SetOperation():
                branches = (Project(self.of(b), (*_copied(b), *self.added)) for b in relation.children)
                return relation.with_children(tuple(branches))
            case SemiJoin() | OuterJoin() if not self._depends(relation.right) and not _full(relation):
                return dataclasses.replace(relation, left=self.of(relation.left))
            case Expand():
                return dataclasses.replace(relation, child=self.of(relation.child))
            case Constant() if len(relation.rows) == 1:
                cells = tuple((c.name, s) for c, s in zip(relation.columns, relation.rows[0], strict=True))
                return Project(self.values, (*cells, *self.added))
        what = type(relation).__name__
        raise Unsupported("SUBQUERY", f"a correlated subquery with {what} inside has no rule", "SUBQUERY")

    def _depends(self, relation: Relation) -> bool:
        return bool(relation.free & set(self.values.names))

    def _join(self, relation: Join) -> Relation:
        """The first input that reads the values carries them; each further one has values of its own."""
        tied = [i for i, child in enumerate(relation.inputs) if self._depends(child)]
        if not tied:
            return Join((self.values, *relation.inputs), relation.conditions)
        inputs, conditions = list(relation.inputs), list(relation.conditions)
        inputs[tied[0]] = self.of(inputs[tied[0]])
        for i in tied[1:]:
            other, given = self._again()
            inputs[i] = other.of(renamed(inputs[i], {old: q.ident(new).text for old, new in given.items()}))
            conditions += _same(self.values, given)
        return Join(tuple(inputs), tuple(conditions))

    def _again(self) -> tuple[_Spread, dict[str, str]]:
        """The values under other names."""
        given = {name: self.names.fresh(name) for name in self.values.names}
        copied = tuple((given[name], s) for name, s in self.added)
        return _Spread(self.names, Project(self.values, copied)), given

    def _aggregate(self, relation: Aggregate) -> Relation:
        below = self.of(relation.child)
        if relation.keys:
            return Aggregate(below, (*relation.keys, *self.added), relation.calls)
        # Without GROUP BY there is a row for each value, even where nothing matches it: a count is 0 then.
        given = {name: self.names.fresh(name) for name in self.values.names}
        calls = {name: self.names.fresh(name) for name, _ in relation.calls}
        keys = tuple((given[name], s) for name, s in self.added)
        groups = Aggregate(below, keys, tuple((calls[name], call) for name, call in relation.calls))
        there = self.names.fresh("there")
        marked = Project(groups, (*_copied(groups), (there, Scalar("true", BOOLEAN, True))))
        outputs = []
        for name, call in relation.calls:
            none = without_rows(call)
            text = f"CASE WHEN {q.ident(there)} IS NULL THEN {none.text} ELSE {q.ident(calls[name])} END"
            outputs.append((name, Scalar(text, call.type, none.not_null)))
        return Project(OuterJoin(self.values, marked, _same(self.values, given)), (*outputs, *self.added))

    def _first_rows(self, relation: TopN) -> Relation:
        number, partition = self.names.fresh("row_number"), self.values.names
        call = row_number(partition, relation.order)
        rows: Relation = Window(self.of(relation.child), partition, ((number, call),))
        for text in numbers(q.ident(number).text, relation):
            rows = Filter(rows, Scalar(text, BOOLEAN))
        return rows


def _full(relation: Relation) -> bool:
    return isinstance(relation, OuterJoin) and relation.full


def _copied(relation: Relation) -> tuple[tuple[str, Scalar], ...]:
    return tuple((c.name, column_scalar(c.name, c.type, c.not_null)) for c in relation.schema)


def _same(relation: Relation, given: dict[str, str]) -> tuple[Scalar, ...]:
    """The relation's columns and those that stand for them are equal, NULLs too."""
    columns = [relation.column(name) for name in given]
    return tuple(
        Scalar(
            q.equal(
                q.ident(c.name),
                q.ident(given[c.name]),
                nullable=not c.not_null,
                operator=c.type.equals,
                composite=c.type.composite,
            ).text
        )
        for c in columns
    )
