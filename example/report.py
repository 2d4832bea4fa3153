"""What each view costs and whether it is right: measured on the loaded shop, printed as a table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django_ivm import IncrementalView


@dataclass(frozen=True, slots=True)
class Row:
    """One view at the end of the demo; times in milliseconds."""

    view: str
    strategy: str
    mode: str
    rows: int
    write_without: float
    write_with: float
    full_refresh: float
    verified: bool


HEADINGS = ("view", "strategy", "mode", "rows", "write without", "with", "ratio", "full refresh", "verify")


def table(rows: Sequence[Row]) -> str:
    """The rows as aligned text."""
    cells = [HEADINGS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for line in cells:
        # Names to the left, numbers to the right.
        texts = [
            cell.ljust(width) if at < 3 or at == 8 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        lines.append("  ".join(texts).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.view,
        row.strategy,
        row.mode,
        f"{row.rows:,}",
        f"{row.write_without:.2f} ms",
        f"{row.write_with:.2f} ms",
        f"{row.write_with / row.write_without:.1f}x",
        f"{row.full_refresh:,.0f} ms",
        "ok" if row.verified else "WRONG",
    )


def full_refresh(view: type[IncrementalView]) -> float:
    """Milliseconds of one recompute of the whole view."""
    started = time.perf_counter()
    view.refresh(full=True)
    return (time.perf_counter() - started) * 1000
