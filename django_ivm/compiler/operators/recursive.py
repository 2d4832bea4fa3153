"""Recursive: a linear recursive CTE with UNION.

Meaning  the least set R with R = base ∪ step(R), where the step reads R once and treats each of its rows by itself:
         step(A ∪ B) = step(A) ∪ step(B).
Delta    no algebra: rows of R may derive each other in a circle, so that counting derivations never lets them go.
         DRed instead. Over-delete: rows that lost a derivation, and what is derived from them. Derive again: those, and
         rows that gained a derivation, which the rows left over or the base still derive. Insert: what follows.
         The first round reads the change of base ∪ step(R) with R as it was; it holds every derivation over a row of a
         source that is gone, so later rounds of the over-deletion need only the sources as they are now.
State    the rows of R, each once.
Source   Gupta, Mumick & Subrahmanian 1993.
Limits   RECURSIVE: aggregates, windows, LIMIT over R, a full join with R, R more than once (PostgreSQL refuses most of
         these itself), SEARCH and CYCLE; UNION ALL where equal rows can't be excluded. KEY_TYPE: columns whose equal
         values may look different. A row must fit into an index (2,700 bytes), so paths can't grow without end; and a
         recursion that never ends doesn't end in a write either. A delete that touches most of a dense graph costs
         more than the query: nearly every row loses one derivation and is looked for again.
SQL      WITH RECURSIVE with UNION; with UNION ALL where no row can repeat (trees from their roots, counters)
Kept     algebraic
Cost     the rows derived from the change, and what else derives those that lose a derivation
Locks    all writers exclude each other
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..ir.dependencies import Dependency
from ..ir.relation import Column, Compiled, Kind, Relation, subquery
from ..pg import sql as q

ROWS = q.Fragment("ivm_rec")  # the CTE that a step reads while it is repeated


@dataclass(frozen=True)
class Reference(Relation):
    """Leaf: R inside its own step. `columns` pairs each column with R's, `table` is where R's rows are; `keys` are
    column sets of R's that are known to be unique."""

    columns: tuple[tuple[Column, str], ...]
    table: q.Fragment = ROWS
    keys: tuple[frozenset[str], ...] = ()

    @property
    def schema(self) -> tuple[Column, ...]:
        return tuple(column for column, _ in self.columns)

    def with_children(self, children: tuple[Relation, ...]) -> Reference:
        return self

    def prune(self, used: frozenset[str]) -> Reference:
        return replace(self, columns=tuple(c for c in self.columns if c[0].name in used))

    def unique_sets(self) -> list[frozenset[str]]:
        own = {stored: column.name for column, stored in self.columns}
        return [frozenset(own[name] for name in key) for key in self.keys if key <= set(own)]

    def dependencies(self) -> list[Dependency]:
        return [(key, frozenset(self.names)) for key in self.unique_sets()]

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        columns = [q.sql("{s} AS {n}", s=q.ident(stored), n=q.ident(column.name)) for column, stored in self.columns]
        return Compiled(
            q.sql("SELECT {c} FROM {t}", c=columns or [q.Fragment("1 AS ivm_row")], t=self.table),
        )

    def describe(self) -> str:
        return f"Reference [{', '.join(stored for _, stored in self.columns)}]"


@dataclass(frozen=True)
class Recursive(Relation):
    """`columns` are R's own; those of `base` and `step` match them by position. `keys` are column sets of R's that are
    known to be unique."""

    base: Relation
    step: Relation
    columns: tuple[Column, ...]
    keys: tuple[frozenset[str], ...] = ()
    kind = Kind.STATEFUL

    @property
    def schema(self) -> tuple[Column, ...]:
        return self.columns

    @property
    def children(self) -> tuple[Relation, ...]:
        return self.base, self.step

    def with_children(self, children: tuple[Relation, ...]) -> Recursive:
        return replace(self, base=children[0], step=children[1])

    def prune(self, used: frozenset[str]) -> Recursive:
        """A row is all of its columns, so none may go."""
        return self.with_children(tuple(child.prune(frozenset(child.names)) for child in self.children))

    def unique_sets(self) -> list[frozenset[str]]:
        return [*self.keys, frozenset(self.names)]

    def dependencies(self) -> list[Dependency]:
        return [(key, frozenset(self.names)) for key in self.keys]

    def to_select(self, children: tuple[Compiled, ...]) -> Compiled:
        names = [q.ident(name) for name in self.names]
        rows = [
            q.sql("SELECT {c} FROM {s}", c=[q.ident(name) for name in child.names], s=subquery(compiled, "ivm_b"))
            for child, compiled in zip(self.children, children, strict=True)
        ]
        return Compiled(
            q.sql(
                "WITH RECURSIVE {r} ({names}) AS ({base} UNION {step}) SELECT {names} FROM {r}",
                r=ROWS, names=names, base=rows[0], step=rows[1],
            )
        )  # fmt: skip

    def step_over(self, table: q.Fragment) -> Relation:
        """The step with R's rows read from another table."""

        def leaf(node: Relation) -> Relation:
            return replace(node, table=table) if isinstance(node, Reference) else node

        return self.step.map_leaves(leaf)

    def describe(self) -> str:
        return f"Recursive [{', '.join(self.names)}]"


def references(relation: Relation) -> list[Reference]:
    """R's own occurrences in a step, those of a recursion inside it left out."""
    if isinstance(relation, Reference):
        return [relation]
    if isinstance(relation, Recursive):
        return references(relation.base)
    return [found for child in relation.children for found in references(child)]
