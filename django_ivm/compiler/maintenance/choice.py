"""Choices between two right ways to keep the same thing, by what a write costs. All of them are made here.

Distinct aggregates (`count(DISTINCT x)`): a state of its own counts how often each value stands in its group, so that
a write costs the values it changes, whatever the group's size; computing the touched groups anew needs no state and no
second set of triggers, but reads the group. Small groups are cheaper to read than a state is to keep.

What isn't known stays with the state, whose cost doesn't grow: a table that is empty at installation won't stay so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..ir.relation import Relation
from ..operators import Aggregate, Filter, Join, OuterJoin, Project, Scan, SemiJoin, Union
from ..pg.catalog import TableInfo
from .lookups import Lookup, missing

STATE, RECOMPUTE = "state", "recompute"

# Rows of a group up to which reading it costs less than keeping a count of each of its values.
FEW_IN_GROUP = 20
# Rows that a table must have before its statistics are taken to show how it will be.
ENOUGH = 1000


@dataclass(frozen=True, slots=True)
class Choice:
    """`what` is kept by a `state` of its own or by `recompute` of what a write touches, and `why`."""

    what: str
    way: str
    why: str

    def __str__(self) -> str:
        kept = {STATE: "kept by a state of its own", RECOMPUTE: "computed anew for the groups that a write touches"}
        return f"{self.what}: {kept[self.way]}, because {self.why}"


class Choices:
    """Makes the choices of one view. `prefer` is its declaration's word, `settled` what an installed one chose."""

    def __init__(self, tables: Iterable[TableInfo], prefer: str = "auto", settled: Mapping[str, str] | None = None):
        self.tables = {info.stands_for or (info.schema, info.name): info for info in tables}
        self.prefer = prefer
        self.settled = settled or {}
        self.made: dict[str, Choice] = {}

    def counts_values(self, aggregate: Aggregate) -> bool:
        """Whether the distinct aggregates of a group get a state with a count of each value."""
        calls = ", ".join(str(call) for _, call in aggregate.calls if call.distinct)
        by = ", ".join(str(scalar) for _, scalar in aggregate.keys)
        what = f"{calls} by {by}" if by else calls
        if what in self.made:  # the same words in another subquery
            what = f"{what} ({sum(one.startswith(what) for one in self.made) + 1})"
        self.made[what] = self._by_group(what, aggregate)
        return self.made[what].way == STATE

    def _by_group(self, what: str, aggregate: Aggregate) -> Choice:
        if self.prefer != "auto":
            return Choice(what, self.prefer, f"the view prefers {self.prefer}")
        size = rows_of_group(aggregate, self.tables)
        about = "nobody knows how large a group is" if size is None else f"a group has about {max(size, 1):,.0f} rows"
        if not aggregate.keys:
            way, about = STATE, "all rows are one group"
        elif size is None or size > FEW_IN_GROUP:
            way = STATE
        elif not _found_by_index(aggregate, self.tables):
            way, about = STATE, f"{about}, but no index finds them"
        else:
            way = RECOMPUTE
        if self.settled.get(what, way) != way:
            return Choice(what, self.settled[what], f"it was so when the view was installed; now {about}")
        return Choice(what, way, about)


def rows_of_group(aggregate: Aggregate, tables: Mapping[tuple[str, str], TableInfo]) -> float | None:
    """How many rows a group has on average; None when statistics don't tell."""
    rows, groups = rows_of(aggregate.child, tables), 1.0
    if rows is None or rows < ENOUGH:
        return None
    for _, scalar in aggregate.keys:
        origin = aggregate.child.origin(scalar.column) if scalar.column else None
        column = tables[origin[0].source].column(origin[0].stored(origin[1])) if origin else None
        if column is None or not column.distinct:
            return None
        groups *= column.distinct
    return rows / min(groups, rows)


def rows_of(relation: Relation, tables: Mapping[tuple[str, str], TableInfo]) -> float | None:
    """How many rows a relation has at most, where its joins are along foreign keys; None when unknown."""
    match relation:
        case Scan():
            return tables[relation.source].rows if relation.source in tables else None
        case Filter() | Project() | SemiJoin():
            return rows_of(relation.children[0], tables)
        case Join() | OuterJoin() | Union():
            parts = [rows_of(child, tables) for child in relation.children]
            known = [part for part in parts if part is not None]
            if len(known) < len(parts):
                return None
            return sum(known) if isinstance(relation, Union) else max(known)
    return None


def _found_by_index(aggregate: Aggregate, tables: Mapping[tuple[str, str], TableInfo]) -> bool:
    """An index of a table begins with one of the keys."""
    for _, scalar in aggregate.keys:
        origin = aggregate.child.origin(scalar.column) if scalar.column else None
        if origin and not missing([Lookup(origin[0], (origin[0].stored(origin[1]),))], dict(tables)):
            return True
    return False
