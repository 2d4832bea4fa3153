"""Flip and Held: parts of the delta of semi-joins and outer joins, where matches are counted.

Meaning  Flip: rows of the left input, which didn't change, whose answer to "is there a match" is another after the
         change of the right one. Held: changed rows of the left input by their answer before that change.
Delta    none: they are parts of one. A row with `n` matches now and `net` matches come minus gone had n − net before,
         so counting stops after net + 1 rows.
State    none.
Limits   net is taken once per key where the conditions are equalities; a condition of another kind costs a look through
         the change for each row.
SQL      conditions of EXISTS, IN and outer joins, when the side changes whose matches are counted
Kept     algebraic
Cost     rows of the other side that a change may match, found by index
Locks    as SemiJoin and OuterJoin
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from ..ir.equality import split_equality
from ..ir.relation import WEIGHT, Column, Compiled, Relation, subquery
from ..ir.scalar import Scalar
from ..pg import sql as q
from ..pg.catalog import BOOLEAN

_NOW, _BEFORE = q.Fragment("(ivm_n > 0)"), q.Fragment("(ivm_n > ivm_net)")
_W = q.ident(WEIGHT)


class Answer(enum.Enum):
    """Which rows of the left input stay; MARK keeps all and adds the answer as a column."""

    SEMI = "semi"
    ANTI = "anti"
    MARK = "mark"


@dataclass(frozen=True)
class _Counted(Relation):
    """Rows of `left` beside the numbers of their matches in `right` and in its `change`."""

    left: Relation
    right: Relation
    change: Relation
    conditions: tuple[Scalar, ...]
    answer: Answer
    mark: str | None = None

    @property
    def schema(self) -> tuple[Column, ...]:
        mark = (Column(self.mark, BOOLEAN, True),) if self.mark else ()
        return self.left.schema + mark

    @property
    def children(self) -> tuple[Relation, ...]:
        return self.left, self.right, self.change

    def with_children(self, children: tuple[Relation, ...]) -> Relation:
        return replace(self, left=children[0], right=children[1], change=children[2])

    def _select(
        self, compiled: tuple[Compiled, ...], columns: list[q.Fragment], more: q.Fragment, where: q.Fragment, join: str
    ) -> Compiled:
        left, right, change = compiled
        match = q.conjunction(q.sql("({c})", c=c.sql()) for c in self.conditions)
        return Compiled(
            q.sql(
                "SELECT * FROM (WITH ivm_m AS MATERIALIZED ({change}) SELECT {columns} FROM {left} {net}, "
                "LATERAL (SELECT count(*) AS ivm_n FROM (SELECT 1 FROM {right} WHERE {match} "
                "LIMIT greatest(ivm_net, 0) + 1) ivm_z) ivm_b{more} WHERE {where}) ivm_q",
                change=change.select,
                columns=columns or [q.Fragment("1 AS ivm_row")],
                left=subquery(left, "ivm_l"),
                net=self._net(match, join),
                right=subquery(right, "ivm_r"),
                match=match,
                more=more,
                where=where,
            ),
            True,
        )

    def _net(self, match: q.Fragment, join: str) -> q.Fragment:
        """The number of matches come minus gone beside each left row, as `ivm_net`."""
        pairs, own = self._pairs()
        if not pairs:
            return q.sql(
                ", LATERAL (SELECT coalesce(sum({w}), 0) AS ivm_net FROM ivm_m WHERE {match}) ivm_c", w=_W, match=match
            )
        keys = [q.Fragment(f"ivm_e{i}") for i, _ in enumerate(pairs)]
        return q.sql(
            "{join} JOIN (SELECT {columns}, sum({w}) AS ivm_sum FROM ivm_m WHERE {own} GROUP BY {numbers}) ivm_c "
            "ON {on}, LATERAL (SELECT coalesce(ivm_sum, 0) AS ivm_net) ivm_d",
            join=q.Fragment(join),
            columns=[q.sql("{e} AS {k}", e=right.sql(), k=k) for (_, right), k in zip(pairs, keys, strict=True)],
            w=_W,
            own=q.conjunction(q.sql("({c})", c=c.sql()) for c in own),
            numbers=[q.literal(i + 1) for i, _ in enumerate(pairs)],
            on=q.conjunction(q.sql("({e}) = {k}", e=left.sql(), k=k) for (left, _), k in zip(pairs, keys, strict=True)),
        )

    def _pairs(self) -> tuple[list[tuple[Scalar, Scalar]], list[Scalar]]:
        """(equalities, conditions over the right input alone); nothing where there is a condition of another kind."""
        names, left = frozenset(self.right.names), frozenset(self.left.names)
        pairs, own = [], []
        for condition in self.conditions:
            sides = split_equality(condition, names)
            if condition.columns and set(condition.columns) <= names:
                own.append(condition)
            elif sides is not None and len(condition.node.name) == 1 and set(sides[0].columns) <= left:
                pairs.append(sides)
            else:
                return [], []
        return pairs, own


@dataclass(frozen=True)
class Flip(_Counted):
    """`left` and `right` are as they are now."""

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        columns = [q.column("ivm_l", n) for n in self.left.names]
        each = q.EMPTY
        if self.mark:
            each = q.sql(
                ", LATERAL (VALUES ({n}, 1), ({b}, -1)) ivm_v ({m}, {w})", n=_NOW, b=_BEFORE, m=q.ident(self.mark), w=_W
            )
            columns += [q.column("ivm_v", self.mark), q.column("ivm_v", WEIGHT)]
        else:
            first, second = (_BEFORE, _NOW) if self.answer is Answer.ANTI else (_NOW, _BEFORE)
            columns.append(q.sql("({a}::integer - {b}::integer) AS {w}", a=first, b=second, w=_W))
        touched = children
        if not self._pairs()[0]:  # a row without a match in the change isn't flipped by it
            left = q.sql(
                "SELECT * FROM {left} WHERE {touched}", left=subquery(children[0], "ivm_a"), touched=self._touched()
            )
            touched = (Compiled(left), *children[1:])
        return self._select(touched, columns, each, q.sql("{n} <> {b}", n=_NOW, b=_BEFORE), "INNER")

    def _touched(self) -> q.Fragment:
        """The left rows that the change may concern, by equalities alone where there are any: PostgreSQL starts at the
        change for those only."""
        names, left = frozenset(self.right.names), frozenset(self.left.names)
        pairs = []
        for condition in self.conditions:
            sides = split_equality(condition, names)
            if sides is not None and len(condition.node.name) == 1 and set(sides[0].columns) <= left:
                pairs.append(sides)
        if not pairs:
            where = q.conjunction(q.sql("({c})", c=c.sql()) for c in self.conditions)
            return q.sql("EXISTS (SELECT 1 FROM ivm_m WHERE {where})", where=where)
        right = [c for c in self.conditions if c.columns and set(c.columns) <= names]
        return q.sql(
            "({left}) IN (SELECT {right} FROM ivm_m WHERE {own})",
            left=[own.sql() for own, _ in pairs],
            right=[own.sql() for _, own in pairs],
            own=q.conjunction(q.sql("({c})", c=c.sql()) for c in right),
        )

    def describe(self) -> str:
        conditions = " AND ".join(map(str, self.conditions)) or "any row"
        return f"Flips of {self.answer.value}-join {conditions}"


@dataclass(frozen=True)
class Held(_Counted):
    """`left` is a change, `right` is as it is now."""

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        assert children[0].weighted
        columns = [q.column("ivm_l", n) for n in self.left.names]
        where = q.literal(True)
        if self.mark:
            columns.append(q.sql("{b} AS {m}", b=_BEFORE, m=q.ident(self.mark)))
        elif self.answer is Answer.ANTI:
            where = q.sql("NOT {b}", b=_BEFORE)
        else:
            where = _BEFORE
        return self._select(children, [*columns, q.column("ivm_l", WEIGHT)], q.EMPTY, where, "LEFT")

    def describe(self) -> str:
        conditions = " AND ".join(map(str, self.conditions)) or "any row"
        return f"Before: {self.answer.value}-join {conditions}"
