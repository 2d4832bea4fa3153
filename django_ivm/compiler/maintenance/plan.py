"""The maintenance plan: every maintained relation of a view with its sources, inputs first."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Reason
from ..ir.reading import ReadFilter
from ..ir.relation import Relation
from ..operators import Scan
from .advice import MissingIndex
from .choice import Choice
from .delta import delta, scans, self_joined
from .locks import LockPlan
from .stores import Store


@dataclass(frozen=True)
class Source:
    """A table that a maintained relation reads. `number` is its place among the relation's sources; `maintained`
    says that only maintenance writes it, one simple statement at a time."""

    schema: str
    table: str
    number: int
    leaves: tuple[Scan, ...]
    maintained: bool = False
    partitions: tuple[tuple[str, str], ...] = ()
    partitioned: bool = False
    cascaded: bool = False

    @property
    def relations(self) -> tuple[tuple[str, str], ...]:
        """The table and the partitions or descendants that hold its rows: DML aimed at one fires only its triggers."""
        return ((self.schema, self.table), *self.partitions)

    @property
    def name(self) -> tuple[str, str]:
        return self.schema, self.table

    @property
    def read_columns(self) -> tuple[str, ...]:
        """The table's columns that the relation reads, each once."""
        return tuple(dict.fromkeys(stored for scan in self.leaves for _, stored in scan.columns))

    @property
    def live(self) -> str | None:
        return self.leaves[0].live


@dataclass(frozen=True)
class Node:
    """One maintained relation: where it is stored, what it reads, which locks a write takes. Of `logged` sources it
    meets the changes when the view is drained or the transaction commits. Stored columns named in `alike` are settled
    up to equality only, those in `open` aren't settled (`maintenance.looks`)."""

    number: int
    store: Store
    sources: tuple[Source, ...]
    locks: LockPlan | None
    alike: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    logged: tuple[tuple[str, str], ...] = ()

    @property
    def captured(self) -> tuple[Source, ...]:
        """Sources whose writes reach the node by its own triggers."""
        return tuple(source for source in self.sources if source.name not in self.logged)

    @property
    def counted(self) -> bool:
        """Events of one statement must be seen together: a BEFORE trigger counts them.

        A fold over one scan does without, since its change adds up in any order; so does one scan of a maintained
        table, whose events never nest and whose probes find the state after all of them.
        """
        if len(scans(self.store.child)) != 1 or self.logged:
            return True
        return self.store.reads_sources and not self.sources[0].maintained

    def direct(self, source: Source) -> bool:
        """A change of this source alone is one term over transition tables."""
        return not self_joined(self.store.child, source.name)

    def change(self, source: Source) -> Relation:
        """The delta when only this source changed."""
        found = delta(self.store.child, frozenset(scan.leaf for scan in source.leaves))
        assert found is not None
        return found

    def joint_change(self) -> Relation:
        """The delta when any of the sources changed."""
        found = delta(self.store.child, frozenset(scan.leaf for scan in scans(self.store.child)))
        assert found is not None
        return found


@dataclass(frozen=True)
class MaintenancePlan:
    """All nodes of a view, inputs before what reads them; the last one is the view.

    Outputs named in `alike` are settled up to equality only, those in `open` aren't settled (`maintenance.looks`).
    """

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()
    alike: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    missing_indexes: tuple[MissingIndex, ...] = ()
    choices: tuple[Choice, ...] = ()
    read: ReadFilter | None = None

    @property
    def view(self) -> Node:
        return self.nodes[-1]

    def __str__(self) -> str:
        lines: list[str] = []
        for node in self.nodes:
            store = node.store
            hidden = [c.name for c in store.columns if c.hidden]
            lines.append(f"{store.table}: {store.describe()}")
            if hidden:
                lines.append(f"  hidden columns: {', '.join(hidden)}")
            for source in node.sources:
                how = "direct" if node.direct(source) else "joint"
                lines.append(f"  on {source.schema}.{source.table} [{', '.join(source.read_columns)}] ({how}):")
                lines += [f"    {line}" for line in str(node.change(source)).splitlines()]
            if node.locks:
                lines += [f"  locks: {text}" for text in node.locks.text]
        if self.read:
            lines.append(f"at read time: {self.read.shown}")
        return "\n".join(lines)
