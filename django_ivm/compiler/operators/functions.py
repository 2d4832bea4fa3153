"""Aggregate functions: how each is kept.

A fold keeps accumulators that add up (an abelian group), so that a change is added and never recomputed. Everything
that would drift or stick (float sums, NaN, infinities, numerics of varying scale) is either counted apart or
recomputed for the touched group. References: PostgreSQL's numeric.c (variance from N, ΣX, ΣX²; scale of a quotient),
Gupta & Mumick 1995 (self-maintainable aggregates).
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..ir.relation import WEIGHT
from ..ir.scalar import Scalar
from ..pg import sql as q
from ..pg.catalog import Type


class Upkeep(enum.Enum):
    """How a call is kept."""

    FOLD = "fold"  # accumulators are added up
    EXTREME = "extreme"  # LEAST/GREATEST; the group is probed when the stored extreme goes
    RECOMPUTE = "recompute"  # the touched groups are computed anew


@dataclass(frozen=True)
class Call:
    """One aggregate call. `text` is the call as SQL over the input's columns, FILTER, DISTINCT, ORDER BY included.

    `function` is qualified unless PostgreSQL's own. `argument` and `filter` are set for the functions in `KNOWN`.
    """

    function: str
    argument: Scalar | None
    type: Type
    text: str
    filter: Scalar | None = None
    distinct: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the input that the call reads."""
        return Scalar(self.text).columns

    @property
    def node(self) -> Any:
        return Scalar(self.text).node

    def substitute(self, table: Mapping[str, str]) -> Call:
        """The same call with columns replaced by other expressions' text."""
        return dataclasses.replace(
            self,
            text=Scalar(self.text).substitute(table).text,
            argument=self.argument and self.argument.substitute(table),
            filter=self.filter and self.filter.substitute(table),
        )

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Accumulator:
    """A stored number that adds up: `total` over rows that each count once, `change` over weighted rows.

    `role` and the argument tell equal accumulators of several calls apart from different ones. NaN is rare: a first
    fill takes `bulk`, the plain sum, and only a group where that is NaN is looked at again. `nan_of` is the identity of
    the sum whose NaNs this accumulator counts.
    """

    role: str
    type: str
    total: q.Fragment
    change: q.Fragment
    bulk: q.Fragment | None = None
    nan_of: tuple[str, str] | None = None

    @property
    def identity(self) -> tuple[str, str]:
        return self.role, self.total.text


@dataclass(frozen=True)
class Fold:
    """Accumulators of a call and, given their columns, the call's value.

    `direct` is the accumulator that is the value itself wherever a group has rows.
    """

    accumulators: tuple[Accumulator, ...]
    value: Callable[[tuple[q.Fragment, ...]], q.Fragment]
    direct: int | None = None


W = q.ident(WEIGHT)
_NAN = q.Fragment("'NaN'::numeric")


def counter(condition: q.Fragment, total: q.Fragment | None = None) -> Accumulator:
    """Rows for which the condition holds (all rows when it is empty); `total` is a shorter way to count them."""
    if not condition:
        return Accumulator("rows", "bigint", q.Fragment("count(*)"), q.sql("coalesce(sum({w}), 0)::bigint", w=W))
    return Accumulator(
        "count",
        "bigint",
        total or q.sql("count(*) FILTER (WHERE {c})", c=condition),
        q.sql("coalesce(sum({w}) FILTER (WHERE {c}), 0)::bigint", w=W, c=condition),
    )


def adder(
    value: q.Fragment, condition: q.Fragment, type_: str, *, weighted: q.Fragment | None = None,
    bulk: q.Fragment | None = None,
) -> Accumulator:  # fmt: skip
    """Sum of a value over the rows for which the condition holds; 0 for none. `type_` holds any partial sum, `weighted`
    is the value in a type in which a weight times it never overflows."""
    where = q.sql(" FILTER (WHERE {c})", c=condition) if condition else q.EMPTY
    as_type = q.Fragment(type_)
    return Accumulator(
        f"sum:{type_}",
        type_,
        q.sql("coalesce(sum({v}){where}, 0)::{t}", v=value, where=where, t=as_type),
        q.sql("coalesce(sum({w} * {v}){where}, 0)::{t}", w=W, v=weighted or value, where=where, t=as_type),
        bulk,
    )


def _all(*conditions: q.Fragment) -> q.Fragment:
    return q.join(" AND ", [q.sql("({c})", c=c) for c in conditions if c])


def _present(call: Call) -> q.Fragment:
    """Rows whose argument counts."""
    argument, extra = call.argument, call.filter.sql() if call.filter else q.EMPTY
    if argument is None or argument.not_null:
        return _all(extra) if extra else q.EMPTY
    if argument.type.composite:  # IS NOT NULL would ask for its fields
        return _all(q.sql("({x}) IS DISTINCT FROM NULL", x=argument.sql()), extra)
    return _all(q.sql("({x}) IS NOT NULL", x=argument.sql()), extra)


def _counted(call: Call) -> Accumulator:
    """Rows whose argument counts."""
    plain = call.argument is not None and not call.argument.not_null and call.filter is None
    total = q.sql("count({x})", x=call.argument.sql()) if plain and call.argument else None
    return counter(_present(call), total)


def _given(call: Call) -> q.Fragment:
    """The call's FILTER; sums leave out NULLs by themselves."""
    return call.filter.sql() if call.filter else q.EMPTY


def _count(call: Call) -> Fold:
    return Fold((_counted(call),), lambda columns: columns[0], direct=0)


def _numeric_sum(call: Call, square: bool = False) -> tuple[tuple[Accumulator, ...], bool]:
    """count, sum (and sum of squares) of a numeric of one scale; NaN is counted apart, for it would stay for ever."""
    assert call.argument is not None
    x, base = q.sql("({x})", x=call.argument.sql()), call.argument.type.base
    if base != "numeric":
        exact = q.sql("{x}::numeric", x=x)
        plain = x if base == "int8" else q.sql("{x}::bigint", x=x)  # int8 sums are kept in 128 bits
        parts = [_counted(call), adder(plain, _given(call), "numeric", weighted=exact)]
        if square:
            squared = q.sql("({v} * {v})", v=exact)
            plain = squared if base == "int8" else q.sql("({v} * {v})", v=plain)
            parts.append(adder(plain, _given(call), "numeric", weighted=squared))
        return tuple(parts), False
    finite = _all(_given(call), q.sql("{x} <> {nan}", x=x, nan=_NAN))
    given = q.sql(" FILTER (WHERE {c})", c=_given(call)) if _given(call) else q.EMPTY
    values = [x, q.sql("({x} * {x})", x=x)] if square else [x]
    sums = [
        adder(value, finite, "numeric", bulk=q.sql("coalesce(sum({v}){g}, 0)::numeric", v=value, g=given))
        for value in values
    ]
    strange = counter(_all(_given(call), q.sql("{x} = {nan}", x=x, nan=_NAN)))
    return (_counted(call), *sums, dataclasses.replace(strange, nan_of=sums[0].identity)), True


def _guarded(columns: tuple[q.Fragment, ...], numeric: bool, value: q.Fragment, least: int = 1) -> q.Fragment:
    nan = q.sql("WHEN {n} > 0 THEN {nan} ", n=columns[-1], nan=_NAN) if numeric else q.EMPTY
    return q.sql(
        "CASE WHEN {c} < {least} THEN NULL {nan}ELSE {v} END",
        c=columns[0], least=q.literal(least), nan=nan, v=value,
    )  # fmt: skip


def _sum(call: Call) -> Fold | None:
    assert call.argument is not None
    type_ = call.argument.type
    if type_.base in ("int2", "int4"):
        x = q.sql("({x})::bigint", x=call.argument.sql())
        return Fold(
            (_counted(call), adder(x, _given(call), "bigint")),
            lambda c: q.sql("CASE WHEN {n} > 0 THEN {s} END", n=c[0], s=c[1]),
            direct=None if _present(call) else 1,
        )
    if type_.base == "int8" or (type_.base == "numeric" and type_.scale is not None):
        parts, numeric = _numeric_sum(call)
        return Fold(parts, lambda c: _guarded(c, numeric, c[1]))
    if type_.scales:
        return Fold(_of_scales(call), lambda c: _guarded(c, True, _at_scale(c, type_.scales)))
    return None


def _of_scales(call: Call) -> tuple[Accumulator, ...]:
    """count, sum, and how many values have each scale but the least: the sum shows the largest that is present."""
    assert call.argument is not None
    (count, total, strange), x = _numeric_sum(call)[0], q.sql("({x})", x=call.argument.sql())
    each = [
        counter(_all(_given(call), q.sql("scale({x}) = {s}", x=x, s=q.literal(s))))
        for s in call.argument.type.scales[1:]
    ]
    return (count, total, *each, strange)


def _at_scale(columns: tuple[q.Fragment, ...], scales: tuple[int, ...]) -> q.Fragment:
    """The sum with the digits that adding up the values present would give it."""
    digits = q.literal(scales[0])
    for scale, count in zip(scales[1:], columns[2:], strict=False):
        digits = q.sql("CASE WHEN {n} > 0 THEN {s} ELSE {d} END", n=count, s=q.literal(scale), d=digits)
    return q.sql("round({s}, {d})", s=columns[1], d=digits)


def _avg(call: Call) -> Fold | None:
    assert call.argument is not None
    if call.argument.type.integer or call.argument.type.scale is not None:
        parts, numeric = _numeric_sum(call)
        return Fold(parts, lambda c: _guarded(c, numeric, q.sql("{s} / {n}", s=c[1], n=c[0])))
    if scales := call.argument.type.scales:
        parts = _of_scales(call)
        return Fold(parts, lambda c: _guarded(c, True, q.sql("{s} / {n}", s=_at_scale(c, scales), n=c[0])))
    return None


def _variance(sample: bool, root: bool) -> Callable[[Call], Fold | None]:
    def fold(call: Call) -> Fold | None:
        assert call.argument is not None
        if not (call.argument.type.integer or call.argument.type.scale is not None):
            return None
        parts, numeric = _numeric_sum(call, square=True)

        def value(c: tuple[q.Fragment, ...]) -> q.Fragment:
            n, s, s2 = c[0], c[1], c[2]
            spread = q.sql("({n} * {s2} - {s} * {s})", n=n, s=s, s2=s2)
            divisor = q.sql("({n}::numeric * ({n} - 1))" if sample else "({n}::numeric * {n})", n=n)
            result = q.sql("{spread} / {divisor}", spread=spread, divisor=divisor)
            if root:  # numeric.c rounds the root at the quotient's scale
                result = q.sql("round(sqrt(round({v}, scale({v}) + 20)), scale({v}))", v=q.sql("({r})", r=result))
            result = q.sql("CASE WHEN {spread} <= 0 THEN 0 ELSE {r} END", spread=spread, r=result)
            return _guarded(c, numeric, result, least=2 if sample else 1)

        return Fold(parts, value)

    return fold


def _boolean(every: bool) -> Callable[[Call], Fold | None]:
    def fold(call: Call) -> Fold | None:
        assert call.argument is not None
        x, extra = q.sql("({x})", x=call.argument.sql()), call.filter.sql() if call.filter else q.EMPTY
        parts = (counter(_all(x, extra)), counter(_all(q.sql("NOT {x}", x=x), extra)))
        shown = "{f} = 0" if every else "{t} > 0"
        return Fold(
            parts,
            lambda c: q.sql(
                "CASE WHEN {t} + {f} > 0 THEN {shown} END", t=c[0], f=c[1], shown=q.sql(shown, t=c[0], f=c[1])
            ),
        )

    return fold


FOLDS: dict[str, Callable[[Call], Fold | None]] = {
    "count": _count,
    "sum": _sum,
    "avg": _avg,
    "variance": _variance(sample=True, root=False),
    "var_samp": _variance(sample=True, root=False),
    "var_pop": _variance(sample=False, root=False),
    "stddev": _variance(sample=True, root=True),
    "stddev_samp": _variance(sample=True, root=True),
    "stddev_pop": _variance(sample=False, root=True),
    "bool_and": _boolean(every=True),
    "every": _boolean(every=True),
    "bool_or": _boolean(every=False),
}
EXTREMES = {"min": "LEAST", "max": "GREATEST"}
KNOWN = frozenset(FOLDS) | frozenset(EXTREMES)


def fold_of(call: Call) -> Fold | None:
    """How the call adds up; None when it doesn't."""
    if call.distinct or call.function not in FOLDS:
        return None
    return FOLDS[call.function](call)


def upkeep(call: Call) -> Upkeep:
    """How this call is kept; every call can at least be recomputed for its group."""
    if call.function in EXTREMES:
        return Upkeep.EXTREME
    return Upkeep.FOLD if fold_of(call) else Upkeep.RECOMPUTE
