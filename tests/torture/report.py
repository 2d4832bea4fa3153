"""The figures as a table, and what they have to be."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from .client import Tally
from .rounds import Figures

# Of the measured workload: share of the bare throughput; deadlocks in 100 transactions above the bare run's.
THROUGHPUT = {"immediate": 0.4, "commit": 0.7, "deferred": 0.7}
DEADLOCKS = {"immediate": 1.0, "commit": 0.0, "deferred": 0.0, "manual": 0.0}
# How far above nothing a rate may be by chance alone, in standard deviations of a Poisson count.
CHANCE = 3.0


def row(figures: Figures) -> dict[str, Any]:
    """The figures of one mode and level, each beside the bare run's."""
    kept, bare = figures.kept, figures.bare
    speed, bare_speed = kept.done / max(figures.seconds, 1e-9), bare.done / max(figures.bare_seconds, 1e-9)
    return {
        "transactions": kept.done + kept.late,
        "per second": round(speed, 1),
        "bare per second": round(bare_speed, 1),
        "ratio": round(median(figures.ratios), 3) if figures.ratios else None,  # whatever else the machine did once
        "ratios": [round(ratio, 3) for ratio in sorted(figures.ratios)],
        "processor ms": _processor(kept),
        "bare processor ms": _processor(bare),
        "40001 %": _percent(kept, "40001"),
        "bare 40001 %": _percent(bare, "40001"),
        "deadlocks": kept.aborts["40P01"],
        "40P01 %": _percent(kept, "40P01"),
        "bare 40P01 %": _percent(bare, "40P01"),
        "refused %": _percent(kept),
        "bare refused %": _percent(bare),
        "refused": dict(sorted(kept.ordinary.items())),
        "bare refused": dict(sorted(bare.ordinary.items())),
        "gave up": kept.gave_up,
        "longest statement": round(kept.longest, 3),
        "bare longest statement": round(bare.longest, 3),
        "refreshes": figures.helped,
        "refresher's aborts": dict(figures.helper_aborts),
        "slices": figures.slices,
        "checks": figures.checks,
        "wrong": figures.wrong,
    }


def _processor(tally: Tally) -> float:
    """Milliseconds that the server's processes worked for a transaction, drains included."""
    return round(1000 * tally.processor / max(1, tally.done + tally.late), 2)


def _percent(tally: Tally, state: str | None = None) -> float:
    """Aborts, or without a SQLSTATE refusals, in 100 transactions that ended."""
    count = tally.aborts[state] if state else tally.ordinary.total()
    return round(100 * count / max(1, tally.done + tally.late), 1 if state is None else 2)


def missed(figures: Mapping[tuple[str, str], Figures]) -> list[str]:
    """Targets that the measured workload missed."""
    found = []
    for (mode, level), one in figures.items():
        told = row(one)
        if mode in THROUGHPUT and (told["ratio"] or 0) < THROUGHPUT[mode]:
            found.append(f"{mode}, {level}: {told['ratio']} of the bare throughput, wanted {THROUGHPUT[mode]}")
        if mode in DEADLOCKS:
            ended, bare_ended = (max(1, t.done + t.late) for t in (one.kept, one.bare))
            expected = (one.bare.aborts["40P01"] / bare_ended + DEADLOCKS[mode] / 100) * ended
            if one.kept.aborts["40P01"] > expected + CHANCE * max(1.0, expected) ** 0.5:
                found.append(
                    f"{mode}, {level}: {told['40P01 %']} deadlocks in 100 transactions, bare {told['bare 40P01 %']}"
                )
    return found


def show(title: str, figures: Mapping[tuple[str, str], Figures]) -> None:
    """Print the table."""
    table = Table(title=title, title_justify="left")
    # What is beside a number, after a slash, is the bare run's.
    for heading in (
        "mode",
        "isolation",
        "tx",
        "tx/s / bare",
        "ratio",
        "cpu ms/tx",
        "40001 %",
        "40P01 %",
        "refused %",
        "longest s",
    ):
        table.add_column(heading)
    for heading in ("refreshes", "checks", "wrong"):
        table.add_column(heading, justify="right")
    for (mode, level), one in sorted(figures.items()):
        told = row(one)
        table.add_row(
            mode,
            level.lower(),
            str(told["transactions"]),
            f"{told['per second']:.0f} / {told['bare per second']:.0f}",
            f"{told['ratio']}",
            f"{told['processor ms']} / {told['bare processor ms']}",
            f"{told['40001 %']} / {told['bare 40001 %']}",
            f"{told['40P01 %']} / {told['bare 40P01 %']}",
            f"{told['refused %']} / {told['bare refused %']}",
            f"{told['longest statement']} / {told['bare longest statement']}",
            f"{told['refreshes']}",
            f"{told['checks']}",
            f"{told['wrong']}",
        )
    Console(width=165, highlight=False).print(table)
