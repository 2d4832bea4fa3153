"""SemiJoin: rows of the left input by whether the right input has a match.

Meaning  semi: L rows with a matching R row; anti: those without; mark: every L row, and whether it has one as a column.
Delta    ΔL against R before the change, and the rows of L now whose answer flips. For a row of L with `net` matches
         come minus gone in ΔR and `n` matches now, it had n − net before: the answer is n > 0 now and n > net before,
         so counting stops after net + 1 rows. The first branch needs the state *before*: against R as it is now, a row
         of L that came together with its match would be counted twice.
State    none of its own. Writers of R exclude each other per lock bucket: two first matches would both flip the row.
Source   Griffin & Libkin 1995; Blakeley, Larson & Tompa 1986 for the signed bags.
Limits   none on the condition; one without an equality on indexed columns reads the inputs.
SQL      EXISTS, IN, = ANY and their negations (NOT IN with its NULLs), <> ALL, in conditions and as values
Kept     algebraic
Cost     per changed row its matches, found by index, until the answer is known
Locks    buckets of the compared key: writers of the subquery's tables exclude each other
Codes    SUBQUERY
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..ir.dependencies import Dependency
from ..ir.relation import WEIGHT, Column, Compiled, Deltas, Keyed, Kind, Relation, Tables, subquery, weight_column
from ..ir.scalar import Scalar
from ..pg import sql as q
from ..pg.catalog import BOOLEAN
from .crossing import Crossing, comparison
from .flip import Answer, Flip, Held
from .scan import Scan
from .union import sum_of


@dataclass(frozen=True)
class SemiJoin(Relation):
    """`conditions` are joined by AND. `mark` names the boolean column of Answer.MARK. `single`: the right
    input has exactly one row."""

    left: Relation
    right: Relation
    conditions: tuple[Scalar, ...]
    answer: Answer = Answer.SEMI
    mark: str | None = None
    single: bool = False
    kind = Kind.BILINEAR

    @property
    def schema(self) -> tuple[Column, ...]:
        mark = (Column(self.mark, BOOLEAN, True),) if self.mark else ()
        return self.left.schema + mark

    @property
    def children(self) -> tuple[Relation, ...]:
        return self.left, self.right

    def with_children(self, children: tuple[Relation, ...]) -> SemiJoin:
        return replace(self, left=children[0], right=children[1])

    @property
    def references(self) -> frozenset[str]:
        return frozenset(name for condition in self.conditions for name in condition.columns)

    @property
    def conditions_between(self) -> tuple[Scalar, ...]:
        return self.conditions

    @property
    def exclusive(self) -> tuple[Relation, ...]:
        return (self.right,)

    @property
    def reversing(self) -> tuple[Relation, ...]:
        return () if self.answer is Answer.SEMI and not self.single else (self.right,)

    def prune(self, used: frozenset[str]) -> Relation:
        if self.mark and self.mark not in used:
            return self.left.prune(used & frozenset(self.left.names))
        left = (used | self.references) & frozenset(self.left.names)
        return self.with_children(
            (self.left.prune(left), self.right.prune(self.references & frozenset(self.right.names)))
        )

    def delta(self, deltas: Deltas) -> Relation | None:
        terms: list[Relation] = []
        left, right = deltas.of(self.left), deltas.of(self.right)
        if left is not None:
            terms.append(self._arrived(left, right))
        if right is not None:
            terms.append(self._moved(right))
        return sum_of(terms)

    def _arrived(self, left: Relation, change: Relation | None) -> Relation:
        """Changed left rows by what the right input was before."""
        if change is None:
            return self.with_children((left, self.right))
        return Held(left, self.right, change, self.conditions, self.answer, self.mark)

    def _moved(self, change: Relation) -> Relation:
        """The left rows whose answer changes with the right input."""
        if self.single and self.answer is Answer.SEMI and len(self.conditions) == 1:
            names = frozenset(self.left.names), frozenset(self.right.names)
            compared = comparison(self.conditions[0], *names)
            if compared is not None:
                return Crossing(self.left, change, compared)
        return Flip(self.left, self.right, change, self.conditions, self.answer, self.mark)

    def unique_sets(self) -> list[frozenset[str]]:
        return self.left.unique_sets()

    def dependencies(self) -> list[Dependency]:
        return self.left.dependencies()

    def with_key(self, tables: Tables) -> Keyed | None:
        inner = self.left.with_key(tables)
        return inner and Keyed(replace(self, left=inner.relation), inner.key)

    def origin(self, name: str, *, outer: bool = False) -> tuple[Scan, str] | None:
        return self.left.origin(name, outer=outer) if name in self.left.names else None

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        left, right = children
        match = matches(right, self.conditions)
        columns = [q.ident(n) for n in self.left.names] or [q.Fragment("1 AS ivm_row")]
        where = q.EMPTY
        if self.mark:
            columns.append(q.sql("{m} AS {n}", m=match, n=q.ident(self.mark)))
        else:
            where = q.sql(" WHERE {no}{m}", no=q.Fragment("NOT " if self.answer is Answer.ANTI else ""), m=match)
        return Compiled(
            q.sql(
                "SELECT {columns} FROM {left}{where}",
                columns=columns + weight_column(left.weighted),
                left=subquery(left, "ivm_l"),
                where=where,
            ),
            left.weighted,
        )

    def describe(self) -> str:
        conditions = " AND ".join(map(str, self.conditions)) or "any row"
        return f"{self.answer.value.capitalize()}-join {conditions}" + (f" as {self.mark}" if self.mark else "")


def matches(right: Compiled, conditions: tuple[Scalar, ...]) -> q.Fragment:
    """Whether the right input has a row that satisfies the conditions; a weighted one has matches that add up."""
    where = q.conjunction(q.sql("({c})", c=c.sql()) for c in conditions)
    source = subquery(right, "ivm_r")
    if right.weighted:
        return q.sql(
            "((SELECT coalesce(sum({w}), 0) FROM {r} WHERE {where}) > 0)", w=q.ident(WEIGHT), r=source, where=where
        )
    return q.sql("EXISTS (SELECT 1 FROM {r} WHERE {where})", r=source, where=where)
