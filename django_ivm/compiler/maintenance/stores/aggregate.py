"""The store of an aggregate: one row per group, its row count, accumulators and outputs.

A change is folded per group first and added by one upsert in key order, so that group rows are locked in one order
and no group is met twice in a statement. A group whose count reaches 0 is deleted. Rows that must be computed anew
(an extreme that went, what doesn't add up) are already locked by the upsert; the statement after it has a fresh
snapshot, so a concurrent writer's committed rows are seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...ir.relation import Compiled, emit, subquery
from ...ir.scalar import Scalar, qualify
from ...ir.statement import Replan, Run, Step, When, variable
from ...operators import Aggregate
from ...operators.functions import EXTREMES, Accumulator, Call, upkeep
from ...pg import sql as q
from .base import COUNTS, FEW, Store, StoredColumn, replace_by_key
from .layout import Layout, lay_out

_DELTA, _TARGET, _NEW = "ivm_d", "ivm_t", "excluded"


@dataclass(frozen=True)
class AggregateStore(Store):
    """`outputs` pairs the visible columns with expressions over the aggregate's keys and calls; `indexed` says that
    the source has an index that begins with the keys, `probed` that without keys every extreme is found in one."""

    aggregate: Aggregate = field(default=None)  # type: ignore[assignment]
    outputs: tuple[tuple[str, Scalar], ...] = ()
    indexed: bool = False
    probed: bool = False
    layout: Layout = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "layout", lay_out(self.aggregate, self.outputs, self.surrogate))

    @property
    def columns(self) -> tuple[StoredColumn, ...]:
        return self.layout.columns

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.layout.keys)

    @property
    def live(self) -> str | None:
        return self.layout.count if self.layout.keys else None

    @property
    def reads_sources(self) -> bool:
        return bool(self.layout.extremes or self.layout.recomputed or self.layout.represented)

    @property
    def whole(self) -> str:
        if self.layout.keys or not self.reads_sources or self.probed:
            return ""
        calls = [str(c) for _, _, c in self.layout.extremes] + [str(c) for _, c in self.layout.recomputed]
        return f"{', '.join(calls)} over all rows may read the whole source after a write"

    @property
    def compared(self) -> tuple[str, ...]:
        passing = {gone for _, gone, _ in self.layout.extremes}
        return tuple(c.name for c in self.columns if c.name not in passing)

    @property
    def declarations(self) -> tuple[tuple[str, str], ...]:
        return (("ivm_zero", "tid[]"), ("ivm_touched", "tid[]"), ("ivm_below", "boolean"))

    def describe(self) -> str:
        kept = [f"{c}: {upkeep(c).value}" for _, c in self.aggregate.calls]
        by = ", ".join(self.key) or "one row"
        return f"groups by ({by}){'; ' + ', '.join(kept) if kept else ''}"

    # Fill

    def fill(self) -> q.Fragment:
        """Aggregates, then sums without their NaNs, then outputs over them."""
        lay = self.layout
        others = [q.sql("{e} AS {n}", e=q.Fragment(c.text), n=q.ident(name)) for name, _, c in lay.extremes]
        others += [q.sql("{e} AS {n}", e=q.Fragment(c.text), n=q.ident(name)) for name, c in lay.recomputed]
        inner = [q.sql("{e} AS {n}", e=s.sql(), n=q.ident(name)) for name, s in lay.keys]
        inner += [q.sql("{e} AS {n}", e=a.bulk or a.total, n=q.ident(name)) for name, a in lay.sums if not a.nan_of]
        kept = [name for name, _ in lay.keys] + [name for name, _, _ in lay.extremes]
        kept += [name for name, _ in lay.recomputed]
        middle = [q.ident(name) for name in kept]
        middle += [q.sql("{e} AS {n}", e=self._without_nan(name, a), n=q.ident(name)) for name, a in lay.sums]
        computed = dict(lay.outputs)
        gone = {name: call for _, name, call in lay.extremes}
        outer = []
        for column in lay.columns:
            name = q.ident(column.name)
            if column.name in computed:
                outer.append(q.sql("{e} AS {n}", e=computed[column.name].sql(), n=name))
            elif column.name in gone:
                outer.append(q.sql("NULL::{t} AS {n}", t=q.Fragment(column.type.sql), n=name))
            else:
                outer.append(name)
        return q.sql(
            "SELECT {outer} FROM (SELECT {middle} FROM (SELECT {inner} FROM {child}{by}) ivm_g) ivm_h",
            outer=outer,
            middle=middle,
            inner=inner + others,
            child=subquery(emit(self.child), "ivm_a"),
            by=self._group_by(),
        )

    def _without_nan(self, name: str, accumulator: Accumulator) -> q.Fragment:
        """A sum's column of ivm_g, or the count of its NaNs; the rows are read again only where there are any."""
        if accumulator.bulk is None and accumulator.nan_of is None:
            return q.ident(name)
        by_identity = {a.identity: stored for stored, a in self.layout.sums}
        poisoned = q.ident(by_identity[accumulator.nan_of] if accumulator.nan_of else name)
        again = q.sql(
            "(SELECT {total} FROM {child} WHERE {same})",
            total=accumulator.total,
            child=subquery(emit(self.child), "ivm_a"),
            same=self._same_group("ivm_g"),
        )
        return q.sql(
            "CASE WHEN ivm_g.{p} = 'NaN'::numeric THEN {again} ELSE {value} END",
            p=poisoned,
            again=again,
            value=q.literal(0) if accumulator.nan_of else q.column("ivm_g", name),
        )

    def _same_group(self, alias: str) -> q.Fragment:
        """Rows of the child that belong to the group of an alias."""
        return q.conjunction(self.same(name, _of_row(s), q.column(alias, name)) for name, s in self.layout.keys)

    def _group_by(self) -> q.Fragment:
        keys = [q.sql("({e})", e=s.sql()) for _, s in self.layout.keys]
        return q.sql(" GROUP BY {k}", k=keys) if keys else q.EMPTY

    # Apply

    def apply(self, change: Compiled, *, joint: bool, event: str) -> list[Step]:
        if event == "insert" and not joint and self.layout.keys and not self.layout.recomputed:
            return [Run(self._upsert_only(change))]
        return self.apply_whole(change, joint=joint, event=event)

    def apply_whole(self, change: Compiled, *, joint: bool, event: str) -> list[Step]:
        """Apply a change after which groups may be empty or their values no longer known."""
        upsert = self._upsert(self._fold(change, event), joint=joint, event=event)
        gone = Run(
            q.sql("DELETE FROM {t} WHERE ctid = ANY({z})", t=self.target, z=variable("ivm_zero")),
        )
        steps: list[Step] = [upsert]
        if self.layout.keys:
            steps.append(When(q.Fragment("ivm_zero IS NOT NULL"), (gone,)))
        else:
            steps.append(When(q.Fragment("ivm_below IS NULL"), (self._made_up_for(),)))
        leaving = self.layout.extremes or self.layout.represented
        if self.layout.recomputed or (leaving and (joint or event != "insert")):
            few = q.sql("cardinality(ivm_touched) <= {n}", n=q.literal(FEW))
            again: tuple[Step, ...] = (self._recompute_each(),)
            if self.layout.keys and not self.indexed:
                again = (When(few, again, (Replan(self._recompute_set()),)),)
            steps.append(When(q.Fragment("ivm_touched IS NOT NULL"), again))
        return steps

    def _made_up_for(self) -> Step:
        """No row was met: nothing was to be added, or a dump without data left the one row out."""
        locked = Run(q.sql("LOCK TABLE {t} IN SHARE ROW EXCLUSIVE MODE", t=self.target))
        missing = q.sql("NOT EXISTS (SELECT 1 FROM {t})", t=self.target)
        return When(missing, (locked, Replan(Run(self.replace().sql))))

    def ahead(self, change: Compiled) -> tuple[q.Fragment, dict[str, q.Fragment]]:
        """The change folded per group, and what a group (`ivm_t`, if there is one) becomes once it (`ivm_d`, if there
        is any) has been added. For stores that read no source."""
        values = {name: q.column(_DELTA, name) for name in self.key}
        for name, _ in self.layout.sums:
            pair = (q.column(_TARGET, name), q.column(_DELTA, name))
            values[name] = q.sql("(coalesce({t}, 0) + coalesce({d}, 0))", t=pair[0], d=pair[1])
        return self._fold(change, "joint"), values | self._computed(values)

    def _fold(self, change: Compiled, event: str) -> q.Fragment:
        """The change folded per group. Rows of one sign need no weights."""
        lay = self.layout
        columns = [q.sql("{e} AS {n}", e=s.sql(), n=q.ident(name)) for name, s in lay.keys]
        signs = {"insert": "{t}", "delete": "-({t})"}
        sums = [(name, q.sql(signs[event], t=a.total) if event in signs else a.change) for name, a in lay.sums]
        columns += [q.sql("{e} AS {n}", e=e, n=q.ident(name)) for name, e in sums]
        for name, gone, call in lay.extremes:
            for output, sign in ((name, 1), (gone, -1)):
                columns.append(self._signed_extreme(call, output, sign, event))
        having = q.EMPTY
        if not self.reads_sources and event not in signs:
            having = q.sql(" HAVING {c}", c=q.join(" OR ", [q.sql("{e} <> 0", e=e) for _, e in sums]))
        return q.sql(
            "SELECT {columns} FROM {change}{by}{having}",
            columns=columns,
            change=subquery(change, "ivm_c"),
            by=self._group_by(),
            having=having,
        )

    def _signed_extreme(self, call: Call, output: str, sign: int, event: str) -> q.Fragment:
        """The extreme among the rows that came (sign 1) or went (sign −1)."""
        assert call.argument is not None
        if event in ("insert", "delete"):
            if (event == "insert") is not (sign > 0):
                return q.sql("NULL::{t} AS {n}", t=q.Fragment(call.type.sql), n=q.ident(output))
            return q.sql("{e} AS {n}", e=q.Fragment(call.text), n=q.ident(output))
        condition = q.sql(" AND ({f})", f=call.filter.sql()) if call.filter else q.EMPTY
        return q.sql(
            "{f}({x}) FILTER (WHERE ivm_w {sign}{condition}) AS {n}",
            f=q.ident(call.function),
            x=call.argument.sql(),
            sign=q.Fragment("> 0" if sign > 0 else "< 0"),
            condition=condition,
            n=q.ident(output),
        )

    def _upsert_only(self, change: Compiled) -> q.Fragment:
        """Rows that only came: no group ends, no extreme goes."""
        gone = {name for _, name, _ in self.layout.extremes}
        fold = self._fold(change, "insert")
        moved = {name: value for name, value in self._moved().items() if name not in gone and name not in self.key}
        return self._insert(fold, [q.sql("{c} = {e}", c=q.ident(name), e=value) for name, value in moved.items()])

    def _upsert(self, fold: q.Fragment, *, joint: bool, event: str) -> Run:
        lay = self.layout
        moved = self._moved()
        updates = [q.sql("{c} = {e}", c=q.ident(name), e=moved[name]) for name in moved if name not in self.key]
        returning = [
            q.sql("{t} AS ivm_ctid", t=q.column(_TARGET, "ctid")),
            q.sql("{n} AS ivm_left", n=q.column(_TARGET, lay.count)),
            q.sql("{p} AS ivm_probe", p=self._probe(joint, event)),
        ]
        moving = [q.sql("{c} <> 0", c=q.column(_DELTA, name)) for name, _ in lay.sums]
        if lay.keys:
            change = self._insert(fold, updates)
        else:
            change = q.sql(
                "UPDATE {table} AS ivm_t SET {updates} FROM ({fold}) ivm_d{any}",
                table=self.target,
                updates=updates,
                fold=fold,
                any=q.EMPTY if self.reads_sources else q.sql(" WHERE {c}", c=q.join(" OR ", moving)),
            )
        zero = q.Fragment("array_agg(ivm_ctid) FILTER (WHERE ivm_left = 0)" if lay.keys else "NULL::tid[]")
        alive = "ivm_left <> 0 AND " if lay.keys else ""
        return Run(
            q.sql(
                "WITH ivm_up AS ({change} RETURNING {returning}) "
                "SELECT {zero}, {touched}, bool_or(ivm_left < 0) FROM ivm_up",
                change=change,
                returning=returning,
                zero=zero,
                touched=q.Fragment(f"array_agg(ivm_ctid) FILTER (WHERE {alive}ivm_probe)"),
            ),
            ("ivm_zero", "ivm_touched", "ivm_below"),
        )

    def _moved(self) -> dict[str, q.Fragment]:
        """Every stored column's value after the change has been added to the stored row."""
        lay = self.layout
        moved = {
            name: q.sql("({t} + {n})", t=q.column(_TARGET, name), n=q.column(self._source, name))
            for name, _ in lay.sums
        }
        for name, gone, call in lay.extremes:
            pair = [q.column(_TARGET, name), q.column(self._source, name)]
            moved[name] = q.sql("{f}({p})", f=q.Fragment(EXTREMES[call.function]), p=pair)
            moved[gone] = q.column(self._source, gone)
        for name, _ in lay.recomputed:
            moved[name] = q.column(_TARGET, name)
        return moved | self._computed({**{k: q.column(_TARGET, k) for k in self.key}, **moved})

    @property
    def _source(self) -> str:
        return _NEW if self.layout.keys else _DELTA

    def _insert(self, fold: q.Fragment, updates: list[q.Fragment]) -> q.Fragment:
        lay = self.layout
        plain = {name: q.column(_DELTA, name) for name in self.key}
        plain |= {name: q.column(_DELTA, name) for name, _ in lay.sums}
        for name, gone, _ in lay.extremes:
            plain |= {name: q.column(_DELTA, name), gone: q.column(_DELTA, gone)}
        plain |= {name: q.sql("NULL::{t}", t=q.Fragment(call.type.sql)) for name, call in lay.recomputed}
        values = plain | self._computed(plain)
        return q.sql(
            "INSERT INTO {table} AS ivm_t ({columns}) SELECT {values} FROM ({fold}) ivm_d ORDER BY {order} "
            "ON CONFLICT ({key}) DO UPDATE SET {updates}",
            table=self.target,
            columns=[q.ident(name) for name in values],
            values=list(values.values()),
            fold=fold,
            order=[q.column(_DELTA, name) for name in self.key],
            key=[q.ident(name) for name in self.key],
            updates=updates or [q.sql("{c} = {t}", c=q.ident(lay.count), t=q.column(_TARGET, lay.count))],
        )

    def _computed(self, values: dict[str, q.Fragment]) -> dict[str, q.Fragment]:
        """Outputs that are expressions, over given values; only for a group that has rows."""
        table = {name: value.text for name, value in values.items()}
        found = {}
        for name, scalar in self.layout.outputs:
            value = scalar.substitute(table).sql()
            if self.layout.keys:
                value = q.sql("CASE WHEN {n} > 0 THEN {v} END", n=values[self.layout.count], v=value)
            found[name] = value
        return found

    def _probe(self, joint: bool, event: str) -> q.Fragment:
        """Whether the group must be computed anew: the extreme that went is not beyond the one stored now."""
        lay = self.layout
        if lay.recomputed or (lay.represented and (joint or event != "insert")):
            return q.literal(True)
        if not lay.extremes or (event == "insert" and not joint):
            return q.literal(False)
        # Jointly too: a value that came and went is among those that went, so what is stored isn't beyond them.
        tests = []
        for name, gone, call in lay.extremes:
            stored, left = q.column(_TARGET, name), q.column(_TARGET, gone)
            operator = q.Fragment("<=" if call.function == "min" else ">=")
            left = left if lay.keys else q.column(_DELTA, gone)
            nothing, unknown = (q.is_null(value, composite=call.type.composite) for value in (left, stored))
            tests.append(
                q.sql("(NOT ({n}) AND ({u} OR {g} {o} {s}))", n=nothing, u=unknown, g=left, s=stored, o=operator)
            )
        return q.join(" OR ", tests)

    # Groups computed anew

    def _again(self) -> list[str]:
        """Columns computed anew: calls, and keys of which another spelling may have to be shown."""
        lay = self.layout
        calls = [name for name, _, _ in lay.extremes] + [name for name, _ in lay.recomputed]
        return calls + [name for name, _ in lay.represented]

    def _depending(self) -> list[tuple[str, Scalar]]:
        """Outputs that use a value computed anew."""
        names = set(self._again())
        return [(name, s) for name, s in self.layout.outputs if names & set(s.columns)]

    def _assignments(self, fresh: str) -> tuple[list[q.Fragment], list[q.Fragment]]:
        """Columns to set and their new values, the calls' values being columns of `fresh`."""
        values = {c.name: q.column(_TARGET, c.name) for c in self.columns}
        values |= {name: q.column(fresh, name) for name in self._again()}
        table = {name: value.text for name, value in values.items()}
        pairs = [(name, values[name]) for name in self._again()]
        pairs += [(name, s.substitute(table).sql()) for name, s in self._depending()]
        return [q.ident(name) for name, _ in pairs], [value for _, value in pairs]

    def _calls(self) -> list[q.Fragment]:
        calls = [(name, call) for name, _, call in self.layout.extremes] + list(self.layout.recomputed)
        return [q.sql("{e} AS {n}", e=qualify(Scalar(c.text), "ivm_a"), n=q.ident(name)) for name, c in calls]

    def _recompute_each(self) -> Run:
        """One look-up per group, by the index on the key where there is one."""
        columns, values = self._assignments("ivm_r")
        return Run(
            q.sql(
                "UPDATE {table} AS ivm_t SET ({columns}) = (SELECT {values} FROM (SELECT {again}) ivm_r) "
                "WHERE ivm_t.ctid = ANY({v})",
                table=self.target,
                columns=columns,
                values=values,
                again=self._looked_up(),
                v=variable("ivm_touched"),
            )
        )

    def _looked_up(self) -> q.Fragment:
        """Select list of the values computed anew for the group ivm_t.

        Extremes are looked up one by one, NULL keys apart: an index then yields them without reading the group.
        """
        lay, child = self.layout, subquery(emit(self.child), "ivm_a")

        def where(null_key: bool) -> q.Fragment:
            return q.conjunction(
                q.is_null(_of_row(s), composite=s.type.composite)
                if null_key
                else self.same(name, _of_row(s), q.column(_TARGET, name), nullable=len(lay.keys) > 1)
                for name, s in lay.keys
            )

        def looked_up(call: Call, null_key: bool) -> q.Fragment:
            text = q.Fragment(call.text)
            return q.sql("(SELECT {e} FROM {child} WHERE {where})", e=text, child=child, where=where(null_key))

        one_nullable = len(lay.keys) == 1 and self.nullable(lay.keys[0][0])
        # NULL has one spelling, and a group whose rows the source doesn't show yet keeps its own.
        found = [
            q.sql(
                "coalesce((SELECT {k} FROM {child} WHERE {same} LIMIT 1), {old}) AS {n}",
                k=_of_row(s), child=child, same=where(False), old=q.column(_TARGET, name), n=q.ident(name),
            )
            for name, s in lay.represented
        ]  # fmt: skip
        if lay.recomputed:
            return q.sql(
                "{found} FROM (SELECT {calls} FROM {child} WHERE {same}) ivm_g",
                found=[*found, q.Fragment("ivm_g.*")],
                calls=self._calls(),
                child=child,
                same=self._same_group(_TARGET),
            )
        for name, _, call in lay.extremes:
            value = looked_up(call, False)
            if one_nullable:
                value = q.sql(
                    "CASE WHEN {no_key} THEN {null} ELSE {value} END",
                    no_key=q.is_null(q.column(_TARGET, lay.keys[0][0]), composite=lay.keys[0][1].type.composite),
                    null=looked_up(call, True), value=value,
                )  # fmt: skip
            found.append(q.sql("{v} AS {n}", v=value, n=q.ident(name)))
        return q.join(", ", found)

    def _recompute_set(self) -> Run:
        """Many groups: one pass over the rows of the touched groups."""
        columns, values = self._assignments("ivm_r")
        keys = [q.sql("{e} AS {n}", e=_of_row(s), n=q.ident(name)) for name, s in self.layout.keys]
        touched = q.sql(
            "(SELECT {k} FROM {t} WHERE ctid = ANY({v})) ivm_k",
            k=[q.ident(name) for name in self.key],
            t=self.target,
            v=variable("ivm_touched"),
        )
        if any(self.nullable(name) for name in self.key):
            left = q.sql("ROW({k})::record", k=[_of_row(s) for _, s in self.layout.keys])
            right = q.sql("ROW({k})::record", k=[q.column("ivm_k", name) for name in self.key])
            same = q.sql("{l} = {r}", l=left, r=right)
        else:
            same = self._same_group("ivm_k")
        return Run(
            q.sql(
                "UPDATE {table} AS ivm_t SET {assignments} FROM (SELECT {found} FROM {child}, {touched} "
                "WHERE {same} GROUP BY {by}) ivm_r WHERE {own} AND ivm_t.ctid = ANY({v})",
                table=self.target,
                assignments=[q.sql("{c} = {v}", c=c, v=v) for c, v in zip(columns, values, strict=True)],
                found=keys + self._calls(),
                child=subquery(emit(self.child), "ivm_a"),
                touched=touched,
                same=same,
                by=[_of_row(s) for _, s in self.layout.keys],
                own=self.same_key_in_bulk("ivm_r", _TARGET),
                v=variable("ivm_touched"),
            )
        )

    def replace(self) -> Run:
        if self.key:
            return replace_by_key(self, self.fill())
        return Run(
            q.sql(
                "WITH ivm_f AS MATERIALIZED ({fresh}), ivm_i AS (INSERT INTO {table} ({columns}) SELECT {columns} "
                "FROM ivm_f WHERE NOT EXISTS (SELECT FROM {table}) RETURNING 1), "
                "ivm_u AS (UPDATE {table} AS ivm_t SET ({columns}) = (SELECT {columns} FROM ivm_f) "
                "FROM ivm_f AS ivm_n WHERE ROW({old})::record *<> ROW({new})::record RETURNING 1) "
                "SELECT (SELECT count(*) FROM ivm_i), (SELECT count(*) FROM ivm_u), 0::bigint",
                fresh=self.fill(),
                table=self.target,
                columns=self.names(),
                old=[q.column("ivm_t", name) for name in self.compared],
                new=[q.column("ivm_n", name) for name in self.compared],
            ),
            COUNTS,
        )


def _of_row(scalar: Scalar) -> q.Fragment:
    """A key's expression over a row of the source, for any place in an expression."""
    key = qualify(scalar, "ivm_a")
    return key if scalar.column else q.sql("({k})", k=key)
