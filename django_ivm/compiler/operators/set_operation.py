"""SetOperation: INTERSECT and EXCEPT, with or without ALL, of n inputs.

Meaning  a row that stands nᵢ times in input i (NULLs equal) stands in the result
             INTERSECT      once if every nᵢ > 0             INTERSECT ALL  least(n₁, n₂, …) times
             EXCEPT         once if n₁ > 0 and the rest are 0    EXCEPT ALL  greatest(n₁ − n₂ − …, 0) times
Delta    no rule of its own: it lowers to an Aggregate over the inputs' union that counts each row per input, and a
         filter (or as many copies as it takes) over the counts. The counts add up; the result doesn't: a row that
         leaves the second input of EXCEPT comes into the result only if the first has it.
State    that aggregate's.
Limits   KEY_TYPE: columns whose equal values look different (see Aggregate).
SQL      INTERSECT and EXCEPT, with and without ALL
Kept     algebraic
Cost     one upsert per distinct row of the change
Locks    the rows' counts, in key order
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ..ir.relation import Column, Compiled, Kind, Relation, subquery
from ..ir.scalar import Scalar, column_scalar
from ..pg import sql as q
from ..pg.catalog import BIGINT, BOOLEAN, INTEGER
from .aggregate import Aggregate
from .expand import Expand
from .filter import Filter
from .functions import Call
from .project import Project
from .union import Union

_TAG = "ivm_tag"


@dataclass(frozen=True)
class SetOperation(Relation):
    """`operation` is INTERSECT or EXCEPT. `counts` names a column per input, and `copy` one that tells equal rows
    apart, where the operation is ALL; no relation around has columns of these names."""

    inputs: tuple[Relation, ...]
    operation: str
    counts: tuple[str, ...]
    copy: str | None = None
    kind = Kind.STATEFUL

    @property
    def schema(self) -> tuple[Column, ...]:
        return Union(self.inputs).schema

    @property
    def children(self) -> tuple[Relation, ...]:
        return self.inputs

    def with_children(self, children: tuple[Relation, ...]) -> SetOperation:
        return dataclasses.replace(self, inputs=children)

    def prune(self, used: frozenset[str]) -> SetOperation:
        return self

    def unique_sets(self) -> list[frozenset[str]]:
        return [frozenset(self.names)] if self.copy is None else []

    def lower(self) -> Relation:
        """Counts of each row per input, and what becomes of them."""
        counted = self._counted()
        counts = [q.ident(name) for name in self.counts]
        if self.copy is None:
            relation: Relation = counted
            for i, count in enumerate(counts):
                there = self.operation == "INTERSECT" or i == 0
                text = q.sql("{n} > 0" if there else "{n} = 0", n=count).text
                relation = Filter(relation, Scalar(text, BOOLEAN))
        else:
            times = q.sql("LEAST({n})", n=counts) if self.operation == "INTERSECT" else q.join(" - ", counts)
            series = Scalar(q.sql("generate_series(1, {n})", n=times).text, BIGINT)
            relation = Expand(counted, (series,), (Column(self.copy, BIGINT, True),))
        return Project(relation, _copied(self.schema))

    def _counted(self) -> Aggregate:
        branches = []
        for i, branch in enumerate(self.inputs):
            tag = (_TAG, Scalar(q.literal(i).text, INTEGER, True))
            branches.append(Project(branch, (*_copied(branch.schema), tag)))
        calls = []
        for i, name in enumerate(self.counts):
            own = Scalar(q.sql("{t} = {i}", t=q.ident(_TAG), i=q.literal(i)).text, BOOLEAN)
            text = q.sql("count(*) FILTER (WHERE {c})", c=own.sql()).text
            calls.append((name, Call("count", None, BIGINT, text, own)))
        return Aggregate(Union(tuple(branches)), _copied(self.schema), tuple(calls))

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        columns = [[q.ident(name) for name in relation.names] for relation in self.inputs]
        branches = [
            q.sql("SELECT {c} FROM {s}", c=own, s=subquery(child, "ivm_s"))
            for own, child in zip(columns, children, strict=True)
        ]
        words = {
            ("INTERSECT", False): " INTERSECT ", ("INTERSECT", True): " INTERSECT ALL ",
            ("EXCEPT", False): " EXCEPT ", ("EXCEPT", True): " EXCEPT ALL ",
        }  # fmt: skip
        return Compiled(q.join(words[self.operation, self.copy is not None], branches))

    def describe(self) -> str:
        return f"{self.operation.capitalize()}{' all' if self.copy else ''}"


def _copied(columns: tuple[Column, ...]) -> tuple[tuple[str, Scalar], ...]:
    return tuple((c.name, column_scalar(c.name, c.type, c.not_null)) for c in columns)
