"""OuterJoin: left and full outer joins (a right one is a left one with its inputs exchanged).

Meaning  the inner join, and rows without a match with NULLs for the other side's columns.
Delta    left: ΔL outer-joined with R before the change (linear in L while R stays), and for a change of R the inner
         rows L ⋈ ΔR and the rows of L whose answer to "has no match" flips, with NULLs. Full: a left join and the
         anti-join of the other side, with NULLs.
State    none of its own. Writers of a side whose matches are counted exclude each other per lock bucket.
Source   Larson & Zhou 2007 for the decomposition; matches are counted instead of joined columns being kept.
Limits   none on the condition; PostgreSQL itself wants an equality for FULL.
SQL      LEFT, RIGHT and FULL JOIN
Kept     algebraic
Cost     per changed row its partners, found by index; rows whose only match came or went
Locks    buckets of the join key, where matches are counted for all writers of that side
Codes    JOIN, SUBQUERY
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from ..ir.dependencies import Dependency, equated
from ..ir.relation import Column, Compiled, Deltas, Keyed, Kind, Relation, Tables, subquery, weight_column
from ..ir.scalar import Scalar, column_scalar
from ..pg import sql as q
from .flip import Answer, Flip, Held
from .join import Join
from .project import Project
from .scan import Scan
from .semi_join import SemiJoin
from .union import Union, sum_of


@dataclass(frozen=True)
class OuterJoin(Relation):
    """`conditions` are joined by AND; the inputs' column names don't overlap. `full`: both sides keep their rows."""

    left: Relation
    right: Relation
    conditions: tuple[Scalar, ...]
    full: bool = False
    kind = Kind.BILINEAR

    @property
    def schema(self) -> tuple[Column, ...]:
        left = tuple(dataclasses.replace(c, not_null=c.not_null and not self.full) for c in self.left.schema)
        return left + tuple(dataclasses.replace(c, not_null=False) for c in self.right.schema)

    @property
    def children(self) -> tuple[Relation, ...]:
        return self.left, self.right

    def with_children(self, children: tuple[Relation, ...]) -> OuterJoin:
        return OuterJoin(children[0], children[1], self.conditions, self.full)

    @property
    def references(self) -> frozenset[str]:
        return frozenset(name for condition in self.conditions for name in condition.columns)

    @property
    def conditions_between(self) -> tuple[Scalar, ...]:
        return self.conditions

    @property
    def exclusive(self) -> tuple[Relation, ...]:
        return (self.left, self.right) if self.full else (self.right,)

    @property
    def reversing(self) -> tuple[Relation, ...]:
        return self.exclusive

    def delta(self, deltas: Deltas) -> Relation | None:
        if self.full:
            kept = OuterJoin(self.left, self.right, self.conditions)
            return sum_of([part for part in map(deltas.of, (kept, self._unmatched())) if part is not None])
        left, right = deltas.of(self.left), deltas.of(self.right)
        terms: list[Relation] = []
        if left is not None and right is None:
            terms.append(self.with_children((left, self.right)))
        elif left is not None and right is not None:
            terms.append(self._in_order(Join((left, deltas.before(self.right)), self.conditions)))
            alone = Held(left, self.right, right, self.conditions, Answer.ANTI)
            terms.append(self._with_nulls(alone, self.right))
        if right is not None:
            terms.append(self._in_order(Join((self.left, right), self.conditions)))
            flips = Flip(self.left, self.right, right, self.conditions, Answer.ANTI)
            terms.append(self._with_nulls(flips, self.right))
        return sum_of(terms)

    def _unmatched(self) -> Relation:
        """Rows of the right side without a match, in the join's columns."""
        alone = SemiJoin(self.right, self.left, self.conditions, Answer.ANTI)
        return self._with_nulls(alone, self.left)

    def _with_nulls(self, rows: Relation, absent: Relation) -> Relation:
        nulls = {c.name: Scalar(f"NULL::{_sql_type(c)}", c.type) for c in absent.schema}
        outputs = tuple((c.name, nulls.get(c.name) or column_scalar(c.name, c.type, c.not_null)) for c in self.schema)
        return Project(rows, outputs)

    def _in_order(self, rows: Relation) -> Relation:
        return Project(rows, tuple((c.name, column_scalar(c.name, c.type, c.not_null)) for c in self.schema))

    def dependencies(self) -> list[Dependency]:
        """Those inside a side that may be all NULL hold where what settles isn't NULL by itself. A left row settles its
        match where the join is on nothing but a unique key of the right side."""
        found = [] if self.full else self.left.dependencies()
        for side in self.children if self.full else (self.right,):
            known = frozenset(side.names)
            found += [d for d in side.dependencies() if _tells(side, d[0] & known)]
        pairs = equated(self.conditions)
        right = frozenset(self.right.names)
        if self.full or len(pairs) < len(self.conditions):
            return found
        sides = [(a, b) if b in right else (b, a) for a, b in pairs]
        if any(unique <= {b for _, b in sides} for unique in self.right.unique_sets()):
            found.append((frozenset(a for a, _ in sides), right))
        return found

    def with_key(self, tables: Tables) -> Keyed | None:
        left, right = self.left.with_key(tables), self.right.with_key(tables)
        if left is None or right is None or not right.key:
            return None
        if self.full and not all(_tells(part.relation, part.key) for part in (left, right)):
            return None
        return Keyed(self.with_children((left.relation, right.relation)), left.key + right.key)

    def unique_sets(self) -> list[frozenset[str]]:
        found = [(a, b) for a in self.left.unique_sets() for b in self.right.unique_sets()]
        return [a | b for a, b in found if not self.full or (_tells(self.left, a) and _tells(self.right, b))]

    def origin(self, name: str, *, outer: bool = False) -> tuple[Scan, str] | None:
        if name in self.left.names:
            return self.left.origin(name, outer=outer) if outer or not self.full else None
        return self.right.origin(name, outer=outer) if outer else None

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        left, right = children
        if right.weighted or (self.full and left.weighted):
            return self._in_parts(left, right)
        columns = [q.ident(n) for n in self.names] or [q.Fragment("1 AS ivm_row")]
        on = q.conjunction(q.sql("({c})", c=c.sql()) for c in self.conditions)
        return Compiled(
            q.sql(
                "SELECT {columns} FROM {left} {kind} JOIN {right} ON {on}",
                columns=columns + weight_column(left.weighted),
                left=subquery(left, "ivm_l"),
                kind=q.Fragment("FULL" if self.full else "LEFT"),
                right=subquery(right, "ivm_r"),
                on=on,
            ),
            left.weighted,
        )

    def _in_parts(self, left: Compiled, right: Compiled) -> Compiled:
        """Signed rows can't be outer-joined by PostgreSQL: whether a row has a match is a matter of their sum."""
        inner = Join((self.left, self.right), self.conditions)
        alone = SemiJoin(self.left, self.right, self.conditions, Answer.ANTI)
        parts: list[Relation] = [self._in_order(inner), self._with_nulls(alone, self.right)]
        found = [
            parts[0].to_select((inner.to_select((left, right)),)),
            parts[1].to_select((alone.to_select((left, right)),)),
        ]
        if self.full:
            other = SemiJoin(self.right, self.left, self.conditions, Answer.ANTI)
            parts.append(self._with_nulls(other, self.left))
            found.append(parts[2].to_select((other.to_select((right, left)),)))
        return Union(tuple(parts)).to_select(tuple(found))

    def describe(self) -> str:
        conditions = " AND ".join(map(str, self.conditions)) or "all pairs"
        return f"{'Full' if self.full else 'Left'} join {conditions}"


def _tells(side: Relation, key: Iterable[str]) -> bool:
    """The key tells a row of this side from one of the other: with NULLs for this side it is no row's own. A NULL group
    of each side, both without a match, would else be one row."""
    return any(side.column(name).not_null for name in key)


def _sql_type(column: Column) -> str:
    collation = f" COLLATE {column.type.collation}" if column.type.collation else ""
    return f"{column.type.sql}{collation}"
