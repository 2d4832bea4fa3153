"""Rules broken on purpose, each once, by patching the compiler; `tests.property.hunt` lets drawn examples find them."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

from django_ivm.compiler.frontend import decorrelate, grouping_sets, subqueries
from django_ivm.compiler.ir.relation import WEIGHT, Compiled, Deltas, Relation
from django_ivm.compiler.ir.scalar import Scalar
from django_ivm.compiler.maintenance import delta, levels
from django_ivm.compiler.maintenance.plan import Node, Source
from django_ivm.compiler.maintenance.stores import partition, recursive
from django_ivm.compiler.maintenance.stores.aggregate import AggregateStore
from django_ivm.compiler.maintenance.stores.base import Store
from django_ivm.compiler.maintenance.stores.keyed import KeyedStore
from django_ivm.compiler.maintenance.stores.top_n import TopNStore
from django_ivm.compiler.operators import (
    Aggregate,
    Expand,
    Filter,
    OuterJoin,
    Project,
    Scan,
    SetOperation,
    Union,
    expand,
    flip,
    functions,
    outer_join,
    semi_join,
)
from django_ivm.compiler.pg import sql as q
from django_ivm.compiler.pg.catalog import BOOLEAN
from django_ivm.compiler.rewrites import push_below_windows, push_filters, reduce_outer_joins, split_distinct
from django_ivm.compiler.triggers.capture import Capture
from django_ivm.compiler.triggers.spool import Spool

Patches = contextlib.ExitStack


@dataclass(frozen=True)
class Mutant:
    """`breaks` patches a rule for as long as the stack is open; `features` draw what the rule is about."""

    rule: str
    mutation: str
    features: tuple[str, ...]
    breaks: Callable[[Patches], None]

    @property
    def name(self) -> str:
        return self.breaks.__name__.strip("_")

    @contextlib.contextmanager
    def broken(self) -> Iterator[None]:
        with Patches() as patches:
            self.breaks(patches)
            yield


MUTANTS: list[Mutant] = []


def _mutant(rule: str, mutation: str, *features: str) -> Callable[[Callable[[Patches], None]], None]:
    def register(breaks: Callable[[Patches], None]) -> None:
        MUTANTS.append(Mutant(rule, mutation, features, breaks))

    return register


def _set(patches: Patches, owner: Any, name: str, value: Any) -> None:
    patches.enter_context(mock.patch.object(owner, name, value))


def _everywhere(patches: Patches, function: Any, value: Any) -> None:
    """A function under its name in every module that imports it."""
    for module in list(sys.modules.values()):
        if module.__name__.startswith("django_ivm.") and vars(module).get(function.__name__) is function:
            _set(patches, module, function.__name__, value)


def _module(rule: Any) -> Any:
    """The module of a function that has the module's name."""
    return sys.modules[rule.__module__]


def _edited(patches: Patches, owner: type, name: str, old: str, new: str) -> None:
    """The SQL that an operator makes, one piece of it replaced."""
    original = getattr(owner, name)

    def edited(self: Any, *arguments: Any) -> Compiled:
        made = original(self, *arguments)
        assert old in made.select.text, "the piece isn't there: the mutation is out of date"
        return Compiled(q.Fragment(made.select.text.replace(old, new)), made.weighted)

    _set(patches, owner, name, edited)


def _nothing(relation: Relation) -> Relation:
    return Filter(relation, Scalar("false", BOOLEAN, True))


@dataclass(frozen=True)
class _AsNow:
    """Deltas that take the state after a change for the state before."""

    deltas: Deltas

    def of(self, relation: Relation) -> Relation | None:
        return self.deltas.of(relation)

    def before(self, relation: Relation) -> Relation:
        return relation


def _state_after(patches: Patches, operator: type[Relation]) -> None:
    original = operator.delta
    _set(patches, operator, "delta", lambda self, deltas: original(self, _AsNow(deltas)))


# Joins


@_mutant("join", "inputs after the changed one are read as they are now")
def _join_without_the_state_before(patches: Patches) -> None:
    _set(patches, delta.ChangeOf, "before", lambda self, relation: relation)


@_mutant("union", "only the first input that changed counts", "setop")
def _one_changed_branch(patches: Patches) -> None:
    def one(self: Union, deltas: Deltas) -> Relation | None:
        return next((part for part in map(deltas.of, self.inputs) if part is not None), None)

    _set(patches, Union, "delta", one)


@_mutant("left join", "a row whose first match came keeps its NULL row", "outer")
def _outer_rows_never_flip(patches: Patches) -> None:
    original = outer_join.Flip
    _set(patches, outer_join, "Flip", lambda *arguments: _nothing(original(*arguments)))


@_mutant("left join", "the change of the left side meets the right side as it is now", "outer")
def _outer_join_with_the_state_after(patches: Patches) -> None:
    _state_after(patches, OuterJoin)


@_mutant("full join", "rows of the right side without a match stay as they are", "outer")
def _full_join_forgets_the_right_side(patches: Patches) -> None:
    original = OuterJoin._unmatched
    _set(patches, OuterJoin, "_unmatched", lambda self: _nothing(original(self)))


@_mutant("outer to inner join", "any condition above throws the NULL rows away", "outer")
def _every_condition_rejects_nulls(patches: Patches) -> None:
    _set(patches, _module(reduce_outer_joins), "rejects", lambda node, columns: True)


@_mutant("filters go down", "into the NULL side of an outer join", "outer")
def _filters_below_the_null_side(patches: Patches) -> None:
    original = _module(push_filters)._place

    def place(condition: Scalar, relation: Relation) -> Relation:
        if (
            isinstance(relation, OuterJoin)
            and condition.columns
            and set(condition.columns) <= set(relation.right.names)
        ):
            return dataclasses.replace(relation, right=place(condition, relation.right))
        return original(condition, relation)

    _set(patches, _module(push_filters), "_place", place)


@_mutant("keyed store", "keys with a NULL, of a side without a match, aren't found", "outer")
def _null_keys_differ(patches: Patches) -> None:
    def same_key(self: Store, left: str, right: str) -> q.Fragment:
        return q.conjunction(q.sql("{l} = {r}", l=q.column(left, name), r=q.column(right, name)) for name in self.key)

    for name in ("same_key", "same_key_in_bulk"):
        _set(patches, Store, name, same_key)


# Semi-joins and subqueries


@_mutant("semi-join", "rows whose answer changed stay as they are", "semi")
def _answers_never_flip(patches: Patches) -> None:
    original = semi_join.Flip
    _set(patches, semi_join, "Flip", lambda *arguments: _nothing(original(*arguments)))


@_mutant("semi-join", "any row with a changed match flips: matches left or there before aren't counted", "semi")
def _matches_not_counted(patches: Patches) -> None:
    _edited(patches, flip.Flip, "to_select", "(ivm_n > ivm_net)", "(ivm_n = 0)")


@_mutant("semi-join, outer join", "changed left rows are judged by the matches there are now", "semi", "outer")
def _held_as_now(patches: Patches) -> None:
    _edited(patches, flip.Held, "to_select", "(ivm_n > ivm_net)", "(ivm_n > 0)")


@_mutant("threshold", "rows between the old and the new value stay as they are", "scalar")
def _threshold_never_crossed(patches: Patches) -> None:
    original = semi_join.Crossing
    _set(patches, semi_join, "Crossing", lambda *arguments: _nothing(original(*arguments)))


@_mutant("mark join", "the old answer stays beside the new one", "semi")
def _old_mark_kept(patches: Patches) -> None:
    original = flip.Flip.to_select

    def to_select(self: flip.Flip, children: tuple[Compiled, ...]) -> Compiled:
        made = original(self, children)
        return Compiled(q.Fragment(made.select.text.replace(", ((ivm_n > ivm_net), -1)", "")), made.weighted)

    _set(patches, flip.Flip, "to_select", to_select)


@_mutant("NOT IN", "NULLs match nothing", "semi")
def _not_in_of_two_values(patches: Patches) -> None:
    original = subqueries.Subqueries._ways_to_match
    _set(patches, subqueries.Subqueries, "_ways_to_match", lambda self, level, node: original(self, level, node)[:1])


@_mutant("ALL", "an unknown comparison counts as true", "semi")
def _all_of_two_values(patches: Patches) -> None:
    original = subqueries._conjunction

    def known(scalars: Any) -> str:
        return f"coalesce({original(scalars)}, true)"

    _set(patches, subqueries, "_conjunction", known)


@_mutant("decorrelation", "count() of no rows is NULL", "scalar", "lateral")
def _count_bug(patches: Patches) -> None:
    _everywhere(patches, decorrelate.or_without_rows, lambda pulled, name: pulled.outputs[name])


@_mutant("levels are shared", "any two of one shape are the same level", "setop", "limit", "scalar")
def _any_level_shared(patches: Patches) -> None:
    _set(patches, levels, "signature", lambda relation: (type(relation).__name__, len(relation.names)))


# Windows, set operations, groups


@_mutant("window", "the partition that a row left isn't computed anew", "window")
def _old_partition_kept(patches: Patches) -> None:
    original = partition.PartitionStore._touched

    def touched(self: partition.PartitionStore, change: Compiled) -> q.Fragment:
        come = q.sql("SELECT * FROM ({c}) ivm_q WHERE {w} > 0", c=change.select, w=q.ident(WEIGHT))
        return original(self, Compiled(come, True) if change.weighted else change)

    _set(patches, partition.PartitionStore, "_touched", touched)


@_mutant("window", "the partition of NULL isn't found", "window")
def _null_partition_kept(patches: Patches) -> None:
    def same(self: partition.PartitionStore, alias: str, columns: list[str], bulk: bool) -> q.Fragment:
        pairs = ((q.column(alias, name), q.column("ivm_k", f"ivm_p{i}")) for i, name in enumerate(columns))
        return q.conjunction(q.sql("{a} = {b}", a=a, b=b) for a, b in pairs)

    _set(patches, partition.PartitionStore, "_of_touched", same)


@_mutant("filters below windows", "any condition goes below", "window")
def _any_filter_below_windows(patches: Patches) -> None:
    module = _module(push_below_windows)
    original = module._push

    def push(conditions: list[Scalar], window: Any) -> Relation:
        below = [c for c in conditions if set(c.columns) <= set(window.child.names)]
        child = window.child
        for condition in below:
            child = Filter(child, condition)
        return original([c for c in conditions if c not in below], window.with_children((child,)))

    _set(patches, module, "_push", push)


@_mutant("EXCEPT, INTERSECT", "ALL keeps as many copies as the first input has", "setop")
def _copies_of_the_first_input(patches: Patches) -> None:
    original = SetOperation.lower

    def lower(self: SetOperation) -> Relation:
        made = original(self)
        if self.copy is not None:
            (grown,) = made.children
            series = Scalar(q.sql("generate_series(1, {n})", n=q.ident(self.counts[0])).text, grown.functions[0].type)
            return made.with_children((dataclasses.replace(grown, functions=(series,)),))
        return made

    _set(patches, SetOperation, "lower", lower)


@_mutant("EXCEPT, INTERSECT", "rows of the second input count for the first", "setop")
def _counts_of_both_inputs(patches: Patches) -> None:
    original = SetOperation._counted

    def counted(self: SetOperation) -> Aggregate:
        made = original(self)
        name, call = made.calls[0]
        return dataclasses.replace(
            made, calls=((name, dataclasses.replace(call, text="count(*)", filter=None)), *made.calls[1:])
        )

    _set(patches, SetOperation, "_counted", counted)


@_mutant("DISTINCT aggregates", "each row counts, not each value", "ordered")
def _values_counted_again(patches: Patches) -> None:
    module = _module(split_distinct)
    original = module._split

    def split(aggregate: Aggregate, *choices: Any) -> Aggregate:
        made = original(aggregate, *choices)
        if made is aggregate:
            return made
        inner = made.child
        return made.with_children((Project(inner.child, inner.keys),))

    _set(patches, module, "_split", split)


@_mutant("grouping sets", "sets that stand twice count once", "grouping")
def _sets_counted_once(patches: Patches) -> None:
    original = grouping_sets.grouping_sets

    def once(node: Any, level: Any) -> list[list[Any]]:
        sets = original(node, level)
        return list({frozenset(level.scalar(key).text for key in keys): keys for keys in sets}.values())

    _everywhere(patches, original, once)


@_mutant("aggregate", "a group that ended is still read")
def _groups_that_ended_still_read(patches: Patches) -> None:
    _set(patches, Scan, "alive", lambda self: q.EMPTY)


@_mutant("aggregate", "an extreme that went stays")
def _extreme_that_went_kept(patches: Patches) -> None:
    _set(patches, AggregateStore, "_probe", lambda self, joint, event: q.literal(False))


@_mutant("aggregate", "NULLs are counted")
def _nulls_counted(patches: Patches) -> None:
    _set(patches, functions, "_present", lambda call: call.filter.sql() if call.filter else q.EMPTY)


@_mutant("aggregate", "what doesn't add up is computed anew for no group", "ordered")
def _nothing_recomputed(patches: Patches) -> None:
    original = AggregateStore._probe

    def probe(self: AggregateStore, joint: bool, event: str) -> q.Fragment:
        return q.literal(False) if self.layout.recomputed else original(self, joint, event)

    _set(patches, AggregateStore, "_probe", probe)


# Other operators


@_mutant("functions of sets", "rows that go come instead", "srf")
def _expand_loses_signs(patches: Patches) -> None:
    _set(patches, expand, "weight_column", lambda weighted: [q.sql("1 AS {w}", w=q.ident(WEIGHT))] * weighted)


@_mutant("functions of sets", "a change of a row without values is no change", "srf")
def _expand_drops_empty_rows(patches: Patches) -> None:
    original = Expand.to_select

    def to_select(self: Expand, children: tuple[Compiled, ...]) -> Compiled:
        return original(dataclasses.replace(self, outer=self.outer and not children[0].weighted), children)

    _set(patches, Expand, "to_select", to_select)


@_mutant("LIMIT", "no row comes near the boundary", "limit")
def _boundary_never_moves(patches: Patches) -> None:
    _set(patches, TopNStore, "_near", lambda self, change: q.sql("SELECT false"))


@_mutant("recursion", "what is derived from a row that went stays", "recursive")
def _over_deletion_of_one_round(patches: Patches) -> None:
    store = recursive.RecursiveStore
    mark, step = store._mark, store._step

    def one_round(self: Any, change: Compiled) -> Any:
        none = q.sql("SELECT * FROM ({s}) ivm_q WHERE false", s=step(self))
        with mock.patch.object(store, "_step", return_value=none):
            return mark(self, change)

    _set(patches, store, "_mark", one_round)


@_mutant("recursion", "rows in doubt aren't derived again", "recursive")
def _nothing_derived_again(patches: Patches) -> None:
    original = recursive.RecursiveStore._again

    def again(self: Any, doubtful: q.Fragment) -> q.Fragment:
        lost = q.sql(" WHERE {m}", m=self.mark).text
        none = q.Fragment(doubtful.text.replace(lost, " WHERE false", 1))
        return original(self, none)

    _set(patches, recursive.RecursiveStore, "_again", again)


# Capture


@_mutant("capture", "the events of a statement are applied apart")
def _events_of_a_statement_apart(patches: Patches) -> None:
    """Where a change of one source needs no state before it; the others couldn't do without being counted."""
    _set(patches, Node, "counted", property(lambda self: not all(map(self.direct, self.sources))))


@_mutant("capture", "only one of the columns read is compared")
def _one_read_column_compared(patches: Patches) -> None:
    original = Capture.changed

    def changed(self: Capture, source: Source, event: str) -> q.Fragment:
        if event == "update":
            row = q.ident(source.read_columns[0]) if source.read_columns else q.literal(1)
            return q.sql("ARRAY(SELECT {r}::text FROM ivm_old) <> ARRAY(SELECT {r}::text FROM ivm_new)", r=row)
        return original(self, source, event)

    _set(patches, Capture, "changed", changed)


@_mutant("capture", "old rows of an update aren't spooled")
def _old_rows_not_spooled(patches: Patches) -> None:
    original = Spool.write
    _set(patches, Spool, "write", lambda self, event: original(self, "insert" if event == "update" else event))


@_mutant("keyed store", "rows that went stay")
def _keyed_rows_stay(patches: Patches) -> None:
    original = KeyedStore._delete

    def delete(self: KeyedStore, gone: q.Fragment) -> q.Fragment:
        return original(self, q.sql("(SELECT * FROM {g} WHERE false) ivm_g", g=gone))

    _set(patches, KeyedStore, "_delete", delete)
