"""The store of a recursion's rows, each once; a change is applied by DRed (see the operator).

Rows that lost a derivation are marked, not deleted, so that what reads the store sees no more than the difference in
the end: rows without a mark are those that are surely left over. All writers exclude each other, so nobody else ever
sees a mark.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from pglast import ast

from ...ir.relation import WEIGHT, Compiled, Relation, emit, subquery
from ...ir.scalar import column_scalar
from ...ir.statement import Run, Step, When
from ...operators import Project, Recursive, Union
from ...operators.recursive import ROWS, Reference, references
from ...pg import sql as q
from ...pg.catalog import BOOLEAN
from ..delta import scans
from ..locks import LockPlan, Role
from .base import Store, StoredColumn, replace_by_key, unique_name


@dataclass(frozen=True)
class RecursiveStore(Store):
    """`child` is base ∪ step over the rows stored, so that its change is the first round."""

    recursive: Recursive = field(kw_only=True)

    @property
    def columns(self) -> tuple[StoredColumn, ...]:
        own = tuple(StoredColumn(c.name, c.type, False, c.not_null) for c in self.recursive.columns)
        taken = {c.name for c in own} | ({self.surrogate} if self.surrogate else set())
        return (*own, StoredColumn(unique_name("ivm_lost", taken), BOOLEAN, True, True))

    @property
    def key(self) -> tuple[str, ...]:
        return self.recursive.names

    @property
    def mark(self) -> q.Fragment:
        return q.ident(self.columns[-1].name)

    @property
    def declarations(self) -> tuple[tuple[str, str], ...]:
        return (("ivm_marked", "bigint"),)

    def describe(self) -> str:
        return f"rows of a recursion ({', '.join(self.key)}), each once; over-deleted, then derived again"

    def lock_plan(self) -> LockPlan:
        """One bucket: a row of one writer may meet rows of any other after some rounds."""
        leaves = scans(self.child)
        tables = ", ".join(dict.fromkeys(f"{leaf.table_schema}.{leaf.table}" for leaf in leaves))
        text = f"recursion over {tables}: one bucket; writers of read columns exclude each other"
        return LockPlan({leaf.leaf: (Role(0, None, None, True),) for leaf in leaves}, (text,))

    def fill(self) -> q.Fragment:
        return q.sql(
            "SELECT {c}, false AS {m} FROM {rows}",
            c=self._own(), m=self.mark, rows=subquery(emit(self.recursive), "ivm_f"),
        )  # fmt: skip

    def replace(self) -> Run:
        return replace_by_key(self, self.fill())

    def indexes(self) -> list[q.Fragment]:
        """Beside the key, the marks."""
        marks = q.sql(
            "CREATE INDEX {name} ON {table} ({first}) WHERE {m}",
            name=q.ident(self.index_name("lost")), table=self.target, first=q.ident(self.key[0]), m=self.mark,
        )  # fmt: skip
        return [*super().indexes(), marks]

    def apply(self, change: Compiled, *, joint: bool, event: str) -> list[Step]:
        if event == "insert" and not joint:
            # All that comes is derived by new rows of one table and the others as they are: nothing to doubt.
            come = q.sql("SELECT {c} FROM {change}", c=self._own(), change=subquery(change, "ivm_c"))
            return [Run(self._insert(come, q.EMPTY))]
        marked, sweep = q.Fragment("ivm_marked > 0"), self._sweep()
        lost = q.sql("SELECT {c} FROM {t} WHERE {m}", c=self._own(), t=self.target, m=self.mark)
        if event == "delete" and not joint:
            return [self._mark(change), When(marked, (Run(self._again(lost)), sweep))]
        gained = self._signed(change, q.Fragment("> 0"))
        doubtful = q.sql("{lost} UNION {gained}", lost=lost, gained=gained)
        return [self._mark(change), Run(self._again(doubtful)), When(marked, (sweep,))]

    @property
    def carries(self) -> bool:
        """The step hands on a column by which its rows are looked up, so that a derivation is found from its end."""
        own = {column.name: stored for one in references(self.recursive.step) for column, stored in one.columns}
        found = self.recursive.step.carried if isinstance(self.recursive.step, Project) else {}
        return bool({own.get(name) for name in found} & {self.key[0], *(columns[0] for columns in self.lookups)})

    def _own(self, alias: str | None = None) -> list[q.Fragment]:
        return [q.column(alias, name) if alias else q.ident(name) for name in self.key]

    def _signed(self, change: Compiled, sign: q.Fragment) -> q.Fragment:
        return q.sql(
            "SELECT {c} FROM {change} WHERE {w} {sign}",
            c=self._own(), change=subquery(change, "ivm_c"), w=q.ident(WEIGHT), sign=sign,
        )  # fmt: skip

    def _as_own(self, relation: Relation) -> q.Fragment:
        """A SELECT of base or step in R's column names."""
        columns = [
            q.sql("{c} AS {n}", c=q.ident(name), n=q.ident(own))
            for name, own in zip(relation.names, self.key, strict=True)
        ]
        return q.sql("SELECT {c} FROM {s}", c=columns, s=subquery(emit(relation), "ivm_b"))

    def _step(self) -> q.Fragment:
        """What follows in one step from the rows of the recursive CTE."""
        return self._as_own(self.recursive.step_over(ROWS))

    def _held(self, condition: q.Fragment) -> q.Fragment:
        """A row of `ivm_x` is among those stored. OFFSET keeps it a look-up by index: as a join it may come before the
        step's own joins, since PostgreSQL knows nothing of how many rows a round has."""
        return q.sql(
            "EXISTS (SELECT FROM {t} AS ivm_t WHERE {same}{condition} OFFSET 0)",
            t=self.target, same=self.same_key("ivm_t", "ivm_x"), condition=condition,
        )  # fmt: skip

    def _mark(self, change: Compiled) -> Run:
        """Mark rows that lost a derivation, and all that are derived from them; count them."""
        return Run(
            q.sql(
                "WITH RECURSIVE {rec} ({c}) AS (SELECT {c} FROM ({gone}) ivm_x WHERE {held} "
                "UNION SELECT {c} FROM ({step}) ivm_x WHERE {held}), "
                "ivm_u AS (UPDATE {table} AS ivm_t SET {m} = true FROM {rec} WHERE {found} RETURNING 1) "
                "SELECT count(*) FROM ivm_u",
                rec=ROWS,
                c=self._own(),
                gone=self._signed(change, q.Fragment("< 0")),
                held=self._held(q.EMPTY),
                step=self._step(),
                table=self.target,
                m=self.mark,
                found=self.same_key("ivm_t", ROWS.text),
            ),
            ("ivm_marked",),
        )

    def _again(self, doubtful: q.Fragment) -> q.Fragment:
        """Of the rows in doubt those that the base or the rows left over derive, and what follows from them."""
        left = q.sql("(SELECT * FROM {t} WHERE NOT {m}) ivm_s", t=self.target, m=self.mark)
        # LIMIT keeps the look-up a subquery, run for each row by index: as a join both sides would be computed whole.
        derived = q.sql(
            "SELECT {c} FROM ({doubtful}) ivm_k CROSS JOIN LATERAL (SELECT 1 FROM ({base}) ivm_o WHERE {same} "
            "UNION ALL SELECT 1 FROM ({step}) ivm_o WHERE {same} LIMIT 1) ivm_v",
            c=self._own("ivm_k"),
            doubtful=doubtful,
            base=self._as_own(self.recursive.base),
            step=self._as_own(self.recursive.step_over(left)),
            same=self.same_key("ivm_o", "ivm_k"),
        )
        clear = q.sql(" ON CONFLICT ({c}) DO UPDATE SET {m} = false", c=self._own(), m=self.mark)
        return self._insert(derived, clear)

    def _insert(self, come: q.Fragment, conflict: q.Fragment) -> q.Fragment:
        """Insert rows and what follows from them, but not again what is left over."""
        absent = q.sql("NOT {held}", held=self._held(q.sql(" AND NOT ivm_t.{m}", m=self.mark)))
        return q.sql(
            "WITH RECURSIVE {rec} ({c}) AS (SELECT {x} FROM ({come}) ivm_x WHERE {absent} "
            "UNION SELECT {x} FROM ({step}) ivm_x WHERE {absent}) "
            "INSERT INTO {table} ({c}, {m}) SELECT {c}, false FROM {rec}{conflict}",
            rec=ROWS,
            c=self._own(),
            x=self._own("ivm_x"),
            come=come,
            absent=absent,
            step=self._step(),
            table=self.target,
            m=self.mark,
            conflict=conflict,
        )

    def _sweep(self) -> Run:
        return Run(q.sql("DELETE FROM {t} WHERE {m}", t=self.target, m=self.mark))


def renamed(relation: Relation, outputs: tuple[str, ...]) -> Recursive | None:
    """A recursion under the names and in the order in which all of its columns are shown; None for another relation."""
    if isinstance(relation, Recursive):
        return relation if relation.names == outputs else None
    if not (isinstance(relation, Project) and isinstance(relation.child, Recursive) and relation.names == outputs):
        return None
    inner = relation.child
    shown = [scalar.column for _, scalar in relation.outputs]
    if sorted(filter(None, shown)) != sorted(inner.names) or len(shown) != len(inner.names):
        return None
    order = [inner.names.index(name) for name in shown if name]
    new = {inner.names[at]: output for at, output in zip(order, outputs, strict=True)}

    def leaf(node: Relation) -> Relation:
        if not isinstance(node, Reference) or node not in references(inner.step):
            return node
        return dataclasses.replace(node, columns=tuple((column, new[stored]) for column, stored in node.columns))

    def ordered(child: Relation) -> Relation:
        if order == sorted(order):
            return child
        columns = [child.schema[at] for at in order]
        return Project(child, tuple((c.name, column_scalar(c.name, c.type, c.not_null)) for c in columns))

    columns = tuple(dataclasses.replace(inner.columns[at], name=new[inner.names[at]]) for at in order)
    keys = tuple(frozenset(new[name] for name in key) for key in inner.keys)
    return Recursive(ordered(inner.base), ordered(inner.step.map_leaves(leaf)), columns, keys)


def recursive_store(target: tuple[str, str], recursive: Recursive, surrogate: str | None) -> RecursiveStore:
    """The store of a recursion whose base and step are flat."""
    stored = recursive.step_over(q.qualified(*target))
    child = Union((_named(recursive.base, recursive), _named(stored, recursive)))
    lookups = tuple((name,) for name in _joined(recursive.step) if name != recursive.names[0])
    return RecursiveStore(*target, child, surrogate, recursive=recursive, lookups=lookups)


def _named(relation: Relation, recursive: Recursive) -> Project:
    pairs = zip(recursive.names, relation.schema, strict=True)
    return Project(relation, tuple((name, column_scalar(c.name, c.type, c.not_null)) for name, c in pairs))


def _joined(step: Relation) -> list[str]:
    """The recursion's columns that the step equates with something."""
    own = {column.name: stored for one in references(step) for column, stored in one.columns}
    found: dict[str, None] = {}
    for condition in (condition for node in step.walk() for condition in node.conditions_between):
        equation = condition.node
        if isinstance(equation, ast.A_Expr) and equation.name[-1].sval == "=":
            sides = (side for side in (equation.lexpr, equation.rexpr) if isinstance(side, ast.ColumnRef))
            found |= dict.fromkeys(own[side.fields[-1].sval] for side in sides if side.fields[-1].sval in own)
    return list(found)
