"""The result as tables: in the terminal, as Markdown, as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .measure import PATIENCE

# Ratios of every arm against these stand first; milliseconds last, as they hold on one machine only.
SHORT = {
    "bare": "no view",
    "again": "no view, again",
    "immediate": "immediate",
    "hand": "hand",
    "pg_ivm": "pg_ivm",
    "commit": "commit",
    "deferred": "deferred",
    "manual": "manual",
    "matview": "matview",
    "concurrently": "concurrently",
}


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of texts. The first column is left-aligned, the others right."""

    title: str
    head: list[str]
    rows: list[list[str]]
    note: str = ""


def times(ratio: float | None) -> str:
    """A ratio as people read it."""
    if ratio is None:
        return ""
    return f"{ratio:.2f}×" if ratio < 10 else f"{ratio:.0f}×"


def ms(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def grids(result: dict[str, Any]) -> list[Grid]:
    """Every table of the result, in reading order."""
    found = []
    for scenario in result["scenarios"]:
        found += [_writes(scenario), _fill(scenario), _refresh(scenario)]
        if scenario["concurrency"]:
            found.append(_concurrency(scenario))
    if "memory" in result:
        found.append(_memory(result["memory"]))
    return [grid for grid in found if grid.rows]


def _writes(scenario: dict[str, Any]) -> Grid:
    arms = [arm for arm in scenario["writes"][0]["ms"] if arm not in ("bare", "again")] if scenario["writes"] else []
    both = "immediate" in arms and "hand" in arms
    head = [
        "write",
        "order",
        *(["immediate / hand"] if both else []),
        *(f"{SHORT[arm]} / no view" for arm in arms),
    ]
    head += ["noise", "no view, ms"]
    rows = []
    for row in scenario["writes"]:
        noise = row.get("noise")
        rows.append(
            [
                row["operation"],
                row["order"],
                *([times(row["immediate_vs_hand"])] if both else []),
                *((">" if arm in row["over"] else "") + times(row["vs_bare"].get(arm)) for arm in arms),
                f"{noise[0]:.2f}–{noise[1]:.2f}×" if noise else "",
                ms(row["ms"].get("bare")),
            ]
        )
    return Grid(
        f"{scenario['key']}. {scenario['title']}: cost of a write",
        head,
        rows,
        "Noise is the same arm without a view measured twice: its smallest and largest ratio of a round. "
        "A write under a materialized view costs what it costs without one. "
        f"Statements are given up after {PATIENCE} s: > marks those.",
    )


def _fill(scenario: dict[str, Any]) -> Grid:
    fill = scenario["fill"]
    base = fill.get("matview")
    rows = [
        [
            SHORT[arm],
            times(found["fill"] / base["fill"]) if base else "",
            times(found["whole"] / base["whole"]) if base else "",
            ms(1000 * found["fill"]),
            ms(1000 * found["fixed"]),
        ]
        for arm, found in fill.items()
        if arm != "concurrently"
    ]
    return Grid(
        f"{scenario['key']}. making the view",
        ["view", "fill / matview + index", "whole call / matview + index", "fill, ms", "fixed, ms"],
        rows,
        "Fixed is the same call over empty tables (compiling, triggers); fill is the whole call less that.",
    )


def _refresh(scenario: dict[str, Any]) -> Grid:
    found = scenario["refresh"]
    query = found.get("bare", {}).get("read")
    rows = []
    for arm, cost in found.items():
        if arm == "again":
            continue
        read = cost["read"]
        rows.append(
            [
                SHORT[arm],
                times(read / query) if query else "",
                *(times(cost[k] / query) if query and k in cost else "–" for k in ("after 1", "after bulk")),
                ms(1000 * read),
                *(ms(1000 * cost[k]) if k in cost else "–" for k in ("after 1", "after bulk")),
            ]
        )
    return Grid(
        f"{scenario['key']}. reading it all, and refreshing",
        [
            "view",
            "read / query",
            "refresh after 1 row / query",
            "after many / query",
            "read, ms",
            "after 1, ms",
            "many, ms",
        ],
        rows,
        "Without a view a read runs the query: 1.00×. Views kept by triggers need no refresh.",
    )


def _concurrency(scenario: dict[str, Any]) -> Grid:
    cases = scenario["concurrency"]
    arms = [arm for arm in next(iter(cases.values())) if arm != "bare"]
    rows = []
    for label, found in cases.items():
        bare = found.get("bare", {}).get("tps")
        cells = []
        for arm in arms:
            failed = f" ({found[arm]['failed']} failed)" if found[arm]["failed"] else ""
            cells.append((times(found[arm]["tps"] / bare) if bare else f"{found[arm]['tps']:,.0f}") + failed)
        rows.append([label, *cells, f"{bare:,.0f}" if bare else ""])
    return Grid(
        f"{scenario['key']}. concurrent single-row inserts: throughput against no view (more is better)",
        ["clients", *(SHORT[arm] for arm in arms), "no view, tx/s"],
        rows,
    )


def _memory(memory: dict[str, Any]) -> Grid:
    def mb(value: int) -> str:
        return f"{value / 2**20:.0f} MB"

    rows = [
        [moment, mb(memory["small"][moment]), mb(memory["big"][moment])] for moment in ("start", "create", "refresh")
    ]
    return Grid("Peak memory of the Python process", ["up to", "small view", "big view"], rows)


def headline(result: dict[str, Any]) -> str:
    """What was run, in a line."""
    meta = result["meta"]
    placed = ", client and server on one CPU for the writes" if meta["one_cpu"] else ""
    return (
        f"PostgreSQL {meta['postgresql']} through {meta['client']}{placed}, {meta['rows']:,} rows,"
        f" rounds of each order: {meta['rounds_of_each_order']},"
        f" medians, {meta['cpus']} CPUs, seed {meta['seed']}; every view compared with its query"
    )


def show(result: dict[str, Any]) -> None:
    """Print every table; with rich where it is installed."""
    show_grids(headline(result), grids(result))


def show_grids(head: str, found: list[Grid]) -> None:
    """Print tables under a line that says what was run; with rich where it is installed."""
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print(plain(head, found))
        return
    console = Console()
    if not console.is_terminal:
        print(plain(head, found))
        return
    console.print(head)
    for grid in found:
        table = Table(title=grid.title, title_justify="left", caption=grid.note or None, caption_justify="left")
        for i, name in enumerate(grid.head):
            table.add_column(name, justify="left" if i == 0 else "right", no_wrap=i == 0)
        for row in grid.rows:
            table.add_row(*row)
        console.print(table)


def plain(head: str, found: list[Grid]) -> str:
    """The tables in fixed-width text."""
    parts = [head]
    for grid in found:
        widths = [max(len(row[i]) for row in [grid.head, *grid.rows]) for i in range(len(grid.head))]
        lines = [
            "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
            for row in [grid.head, ["-" * w for w in widths], *grid.rows]
        ]
        parts.append("\n".join([grid.title, "", *lines, *([grid.note] if grid.note else [])]))
    return "\n\n".join(parts)


def markdown(result: dict[str, Any], misses: list[str] | None) -> str:
    """The tables in Markdown."""
    parts = ["# Benchmark", headline(result) + "."]
    for key, why in result["meta"]["skipped"].items():
        parts.append(f"Skipped {SHORT[key]}: {why}.")
    if misses is not None:
        parts.append("\n".join(["Goals missed:", "", *(f"- {m}" for m in misses)]) if misses else "Every goal reached.")
    return "\n\n".join([*parts, *map(markdown_of, grids(result))]) + "\n"


def markdown_of(grid: Grid) -> str:
    """A table in Markdown, with its title and its note."""
    lines = [
        "| " + " | ".join(grid.head) + " |",
        "|" + "|".join("---" if i == 0 else "--:" for i in range(len(grid.head))) + "|",
        *("| " + " | ".join(row) + " |" for row in grid.rows),
    ]
    return "\n".join([f"## {grid.title}", "", *lines, *(["", grid.note] if grid.note else [])])


def write(result: dict[str, Any], out: Path, misses: list[str] | None) -> list[Path]:
    """Write ``benchmark.json`` and ``benchmark.md`` into ``out``."""
    return write_texts(result, markdown(result, misses), out, "benchmark")


def write_texts(result: dict[str, Any], markdown: str, out: Path, stem: str) -> list[Path]:
    """Write the result as JSON and its tables as Markdown."""
    paths = [out / f"{stem}.json", out / f"{stem}.md"]
    paths[0].write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    paths[1].write_text(markdown, encoding="utf-8")
    return paths
