"""What the engine answers with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a view is refreshed in full, or a note on how it is kept (code `WHOLE`)."""

    code: str
    message: str
    hint: str = ""
    location: str = ""

    def __str__(self) -> str:
        where = f" ({self.location})" if self.location else ""
        hint = f"\n      hint: {self.hint}" if self.hint else ""
        return f"{self.code}: {self.message}{where}{hint}"


@dataclass(frozen=True, slots=True)
class RefreshResult:
    """One refresh. `deltas` counts applied change rows; `duration` is in seconds."""

    view: str
    strategy: str
    reason: str
    deltas: int
    inserted: int
    updated: int
    deleted: int
    duration: float
    failed: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class LevelResult:
    """A table of a view's own that differs from what it should hold: an inner level or hidden columns."""

    table: str
    missing: int
    unexpected: int

    def __str__(self) -> str:
        return f"{self.table}: {self.missing} missing and {self.unexpected} unexpected rows"


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """View against query, both ways: rows `missing` from the view, rows `unexpected` in it, `rows` in the view (of a
    sample: in the bucket).

    `left_out` are columns that weren't compared, since the query itself allows several values in them. `levels` are
    tables of the view's own that differ, by which later writes would go wrong; a sample doesn't look at them. After a
    repair `repaired` says what it changed, and the rest what was found before.
    """

    ok: bool
    missing: int
    unexpected: int
    rows: int
    examples: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    levels: tuple[LevelResult, ...] = ()
    repaired: RefreshResult | None = None

    def __bool__(self) -> bool:
        return self.ok


@dataclass(frozen=True, slots=True)
class IndexAdvice:
    """An index by which a write would find rows of a source, and which isn't there.

    `definition` belongs into the Meta.indexes of `model`, or is a statement where the table has no model. `rows` is an
    estimate; a `small` table is read as fast without the index.
    """

    table: str
    columns: tuple[str, ...]
    definition: str
    model: str = ""
    rows: int = 0
    small: bool = False

    def __str__(self) -> str:
        where = f"in Meta.indexes of {self.model}: " if self.model else ""
        small = " (small, not needed now)" if self.small else ""
        return f"{self.table} ({', '.join(self.columns)}), about {self.rows:,} rows{small}: {where}{self.definition}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a view is kept; `str()` is for people."""

    strategy: str
    mode: str
    reasons: tuple[Reason, ...]
    tree: str
    sql: str
    locks: tuple[str, ...]
    stages: dict[str, str] = field(default_factory=dict, repr=False)
    trace: str = field(default="", repr=False)
    settings: tuple[tuple[str, str], ...] = ()
    alike: tuple[str, ...] = ()
    undetermined: tuple[str, ...] = ()
    indexes: tuple[IndexAdvice, ...] = ()
    choices: tuple[str, ...] = ()
    at_read: str = ""
    residual: str = ""
    unsecured: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"strategy: {self.strategy}", f"mode: {self.mode}"]
        if self.reasons:
            lines.append("reasons:")
            lines += [f"  - {reason}" for reason in self.reasons]
        if self.settings:
            lines.append("pinned settings, as they were where the view was defined:")
            lines += [f"  - {name} = {value}" for name, value in self.settings]
        if self.at_read:
            lines.append(f"at read time, by the reader's clock and settings: {self.at_read}")
        if self.residual:
            lines.append(f"read with what is pending added: {self.residual}")
        if self.unsecured:
            lines.append(
                f"shows rows whatever the row level security of {', '.join(self.unsecured)} says of the reader"
            )
        if self.alike:
            lines.append(f"one of several equal values, compared by equality: {', '.join(self.alike)}")
        if self.undetermined:
            lines.append(f"not determined by the query, not compared: {', '.join(self.undetermined)}")
        if self.choices:
            lines += ["chosen by cost:", *(f"  - {choice}" for choice in self.choices)]
        lines += ["plan:", *(f"  {line}" for line in self.tree.splitlines())]
        lines += ["locks:", *(f"  - {lock}" for lock in self.locks)]
        if self.indexes:
            lines.append("missing indexes, by which a write would find its rows:")
            lines += [f"  - {index}" for index in self.indexes]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class ViewStatus:
    """State of an installed view. `pending` counts unapplied change rows, `size` is in bytes.

    `faults` say what of an outdated view doesn't fit its sources any more, `doubts` why writes to a stale one may have
    gone unseen, `cause` what first marked it stale: a write, or the error of a maintenance that failed.
    """

    installed: bool
    outdated: bool
    stale: bool
    mode: str
    strategy: str
    pending: int = 0
    lag: timedelta | None = None
    last_refresh: datetime | None = None
    rows: int | None = None
    size: int | None = None
    faults: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    cause: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "installed": self.installed,
            "outdated": self.outdated,
            "stale": self.stale,
            "mode": self.mode,
            "strategy": self.strategy,
            "pending": self.pending,
            "lag": self.lag.total_seconds() if self.lag else None,
            "last_refresh": self.last_refresh.isoformat() if self.last_refresh else None,
            "rows": self.rows,
            "size": self.size,
            "faults": list(self.faults),
            "doubts": list(self.doubts),
            "cause": self.cause,
        }
