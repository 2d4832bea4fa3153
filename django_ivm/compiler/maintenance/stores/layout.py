"""Which columns the store of an aggregate has, and what each of them holds."""

from __future__ import annotations

from dataclasses import dataclass

from ...ir.scalar import Scalar
from ...operators import Aggregate
from ...operators.functions import Accumulator, Call, Upkeep, counter, fold_of, upkeep
from ...pg import sql as q
from ...pg.catalog import BIGINT, NUMERIC, Type
from .base import StoredColumn, unique_name


@dataclass(frozen=True)
class Layout:
    """Which columns the store has and what each holds."""

    columns: tuple[StoredColumn, ...]
    count: str
    keys: tuple[tuple[str, Scalar], ...]  # stored column, expression over the child
    sums: tuple[tuple[str, Accumulator], ...]  # stored column (the row count first), accumulator
    extremes: tuple[tuple[str, str, Call], ...]  # stored column, column of the extreme that went, call
    recomputed: tuple[tuple[str, Call], ...]
    outputs: tuple[tuple[str, Scalar], ...]  # stored column, expression over the other stored columns

    @property
    def represented(self) -> tuple[tuple[str, Scalar], ...]:
        """Keys whose equal values may look different: what is stored is one of those that the group's rows have."""
        return tuple((name, s) for name, s in self.keys if not s.type.exact)


def lay_out(aggregate: Aggregate, outputs: tuple[tuple[str, Scalar], ...], surrogate: str | None) -> Layout:
    """Place keys, accumulators and calls: in an output's column where one shows just that, else hidden."""
    taken = {name for name, _ in outputs} | ({surrogate} if surrogate else set())
    shown = {s.column: name for name, s in reversed(outputs) if s.column}  # a column shown twice is stored once, …
    hidden: list[StoredColumn] = []

    def place(call_or_key: str, wanted: str, type_: Type, not_null: bool = False) -> str:
        if call_or_key in shown:
            return shown[call_or_key]
        name = unique_name(wanted, taken)
        hidden.append(StoredColumn(name, type_, True, not_null))
        return name

    keys = tuple((place(name, "ivm_k", s.type, s.not_null), s) for name, s in aggregate.keys)
    stored: dict[str, str] = dict(zip((name for name, _ in aggregate.keys), (n for n, _ in keys), strict=True))
    values: dict[str, str] = {name: q.ident(column).text for name, column in stored.items()}
    sums: dict[tuple[str, str], tuple[str, Accumulator]] = {}
    extremes, recomputed = [], []

    rows = counter(q.EMPTY)
    count_call = next(
        (n for n, c in aggregate.calls if upkeep(c) is Upkeep.FOLD and _is_row_count(c) and n in shown), None
    )
    count = place(count_call or "", "ivm_n", BIGINT, True)
    sums[rows.identity] = (count, rows)

    for name, call in aggregate.calls:
        how = upkeep(call)
        if how is Upkeep.EXTREME:
            column = place(name, "ivm_x", call.type)
            gone = unique_name("ivm_gone", taken)
            hidden.append(StoredColumn(gone, call.type, True))
            extremes.append((column, gone, call))
            values[name] = q.ident(column).text
        elif how is Upkeep.RECOMPUTE:
            column = place(name, "ivm_x", call.type)
            recomputed.append((column, call))
            values[name] = q.ident(column).text
        else:
            fold = fold_of(call)
            assert fold is not None
            columns = []
            for i, accumulator in enumerate(fold.accumulators):
                if accumulator.identity not in sums:
                    own = i == fold.direct and (aggregate.keys or call.function == "count")
                    column = place(name if own else "", "ivm_a", _named(accumulator.type), True)
                    sums[accumulator.identity] = (column, accumulator)
                columns.append(q.ident(sums[accumulator.identity][0]))
            direct = fold.direct is not None and aggregate.keys
            values[name] = (columns[fold.direct or 0] if direct else fold.value(tuple(columns))).text

    held = {*(n for n, _ in keys), *(n for n, _ in sums.values()), *(n for n, _, _ in extremes)}
    held |= {n for n, _ in recomputed}
    computed = tuple((name, s.substitute(values)) for name, s in outputs if name not in held)
    visible = tuple(StoredColumn(name, s.type, False, s.not_null or name == count) for name, s in outputs)
    return Layout(
        visible + tuple(hidden), count, keys, tuple(sums.values()), tuple(extremes), tuple(recomputed), computed
    )


def _is_row_count(call: Call) -> bool:
    return call.function == "count" and call.filter is None and (call.argument is None or call.argument.not_null)


def _named(type_: str) -> Type:
    return BIGINT if type_ == "bigint" else NUMERIC
