"""The result as pictures: one of the writes, one of refreshing and of concurrent inserts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from . import report

# Colours that people with any colour vision tell apart (Okabe and Ito).
COLORS = {
    "bare": "#999999",
    "immediate": "#0072B2",
    "hand": "#E69F00",
    "pg_ivm": "#CC79A7",
    "commit": "#000000",
    "deferred": "#F0E442",
    "manual": "#56B4E9",
    "matview": "#009E73",
    "concurrently": "#D55E00",
}
NOISE = "#BBBBBB"
WIDTH = 0.8  # of a category, shared by its bars

Group = tuple[str, dict[str, float]]
"""A category's label, and the value of each arm in it."""


def draw(result: dict[str, Any], out: Path) -> list[Path]:
    """Draw ``writes.png`` and ``others.png`` into ``out``; the paths written."""
    paths = [out / "writes.png", out / "others.png"]
    for path, figure in zip(paths, (_writes(result), _others(result)), strict=True):
        figure.savefig(path, dpi=110)
        plt.close(figure)
    return paths


def _log(ax: Axes, low: float, high: float) -> None:
    """A logarithmic axis of ratios with plain numbers on it, where the values span enough to need one."""
    if high / low > 8:
        ax.set_yscale("log")
        ticks = [
            t for t in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if low <= t <= high
        ]
        ax.set_yticks(ticks, [f"{t:g}×" for t in ticks])
        ax.minorticks_off()
        ax.set_ylim(low, high)
        ax.text(1, 1, "log scale", transform=ax.transAxes, ha="right", va="top", fontsize=7.5, color="#777777")
    else:
        ax.yaxis.set_major_formatter(lambda v, _: f"{v:g}×")
        ax.set_ylim(0, high)
    ax.grid(axis="y", color="#E5E5E5", linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _labels(ax: Axes, labels: list[str]) -> None:
    ax.set_xticks(range(len(labels)), [_wrapped(label) for label in labels], fontsize=9)
    ax.set_xlim(-0.6, len(labels) - 0.4)


def _wrapped(label: str, width: int = 13) -> str:
    lines = [""]
    for word in label.split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def _number(ax: Axes, x: float, y: float, text: str, above: float = 2) -> None:
    ax.annotate(text, (x, y), xytext=(0, above), textcoords="offset points", ha="center", va="bottom", fontsize=7.5)


def _writes(result: dict[str, Any]) -> Figure:
    scenarios = result["scenarios"]
    arms = [
        a
        for a in ("immediate", "hand", "pg_ivm", "commit", "deferred", "manual")
        if a in scenarios[0]["writes"][0]["ms"]
    ]
    widest = [
        max(len({row["operation"] for row in s["writes"] if row["bulk"] is bulk}) for s in scenarios)
        for bulk in (False, True)
    ]
    figure, axes = plt.subplots(
        len(scenarios), 2, squeeze=False, figsize=(16, 0.9 + 3.5 * len(scenarios)), layout="constrained",
        gridspec_kw={"width_ratios": widest},
    )  # fmt: skip
    for scenario, (left, right) in zip(scenarios, axes, strict=True):
        _write_panel(left, scenario, arms, bulk=False)
        _write_panel(right, scenario, arms, bulk=True)
        left.set_title(
            f"{scenario['key']}. {scenario['title']}: single rows", loc="left", fontsize=11, fontweight="bold"
        )
        right.set_title("statements over many rows", loc="left", fontsize=11, fontweight="bold")
        left.set_ylabel("time of the write ÷\nthe same without a view", fontsize=9)
    handles: list[Artist] = [Patch(color=COLORS[a], label=result["meta"]["arms"][a]) for a in arms]
    handles += [
        Patch(color=NOISE, alpha=0.5, label="noise: no view, measured twice"),
        Line2D([], [], color="black", marker="D", markersize=5, linestyle="", markerfacecolor="white",
               label="the same, when the connection began with the many-row statements"),
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False, fontsize=9)
    figure.supxlabel(report.headline(result), fontsize=8, color="#555555")
    return figure


def _write_panel(ax: Axes, scenario: dict[str, Any], arms: list[str], *, bulk: bool) -> None:
    rows = {(r["operation"], r["order"]): r for r in scenario["writes"] if r["bulk"] is bulk}
    names = list(dict.fromkeys(name for name, _ in rows))
    highest, lowest = 1.0, 1.0
    width = WIDTH / max(1, len(arms))
    for i, name in enumerate(names):
        first, second = (rows[name, order] for order in ("rows first", "bulk first"))
        if first.get("noise"):
            spans = (first["noise"], second["noise"])
            low, high = min(s[0] for s in spans), max(s[1] for s in spans)
            ax.fill_between([i - 0.45, i + 0.45], low, high, color=NOISE, alpha=0.5, linewidth=0, zorder=0)
        for j, arm in enumerate(arms):
            x = i + (j - (len(arms) - 1) / 2) * width
            bar, mark = first["vs_bare"].get(arm), second["vs_bare"].get(arm)
            if bar is None or mark is None:
                continue
            over = ">" if arm in first["over"] else ""
            ax.bar(x, bar, width * 0.92, color=COLORS[arm])
            ax.plot(x, mark, marker="D", markersize=4.5, color="black", markerfacecolor="white", linestyle="")
            _number(ax, x, max(bar, mark), over + report.times(bar).rstrip("×"), above=5)
            highest, lowest = max(highest, bar, mark), min(lowest, bar, mark)
    ax.axhline(1, color="#555555", linewidth=0.8)
    _log(ax, min(0.5, lowest * 0.8), highest * (1.6 if highest > 4 else 1.25))
    _labels(ax, names)


def _others(result: dict[str, Any]) -> Figure:
    panels: list[tuple[str, str, list[Group]]] = []
    for scenario in result["scenarios"]:
        name = f"{scenario['key']}. {scenario['title']}"
        panels.append((f"{name}: making, refreshing, reading", "time ÷ running the query once", _kept(scenario)))
    for scenario in result["scenarios"]:
        name = f"{scenario['key']}. concurrent single-row inserts"
        panels.append((f"{name} (more is better)", "throughput ÷ without a view", _concurrent(scenario)))
    panels = [panel for panel in panels if panel[2]]
    lines = max(1, (len(panels) + 1) // 2)
    figure, axes = plt.subplots(lines, 2, squeeze=False, figsize=(16, 0.9 + 3.5 * lines), layout="constrained")
    used: set[str] = set()
    for ax, (title, label, groups) in zip(axes.flat, panels, strict=False):
        used |= _bars(ax, groups)
        ax.set_title(title, loc="left", fontsize=11, fontweight="bold")
        ax.set_ylabel(label, fontsize=9)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    handles = [Patch(color=c, label=result["meta"]["arms"][a]) for a, c in COLORS.items() if a in used]
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False, fontsize=9)
    figure.supxlabel(report.headline(result), fontsize=8, color="#555555")
    return figure


def _bars(ax: Axes, groups: list[Group]) -> set[str]:
    """Grouped bars that leave no gap for arms without a value."""
    values = [v for _, found in groups for v in found.values()]
    widest = max(len(found) for _, found in groups)
    width = WIDTH / widest
    for i, (_, found) in enumerate(groups):
        for j, (arm, value) in enumerate(found.items()):
            x = i + (j - (len(found) - 1) / 2) * width
            ax.bar(x, value, width * 0.92, color=COLORS[arm])
            _number(
                ax,
                x,
                value,
                f"{value:.1g}" if value < 0.1 else f"{value:.2g}" if value < 10 else f"{value:.0f}",
            )
    ax.axhline(1, color="#555555", linewidth=0.8)
    _log(ax, min(*values, 1.0) * 0.5, max(*values, 1.0) * 1.6)
    _labels(ax, [label for label, _ in groups])
    return {arm for _, found in groups for arm in found}


def _kept(scenario: dict[str, Any]) -> list[Group]:
    """Making, refreshing and reading, against running the query; nothing when the query was not run."""
    refresh, fill = scenario["refresh"], scenario["fill"]
    query = refresh.get("bare", {}).get("read")
    if not query:
        return []
    arms = [a for a in COLORS if a in refresh and a != "bare"]
    plain = [a for a in arms if a != "concurrently"]  # made and read as any other materialized view
    groups = [
        ("make the view", {a: fill[a]["whole"] / query for a in plain}),
        *(
            (label, {a: refresh[a][key] / query for a in arms if key in refresh[a]})
            for label, key in (("refresh after 1 row", "after 1"), ("refresh after many", "after bulk"))
        ),
        ("read every row", {a: refresh[a]["read"] / query for a in plain}),
    ]
    return [group for group in groups if group[1]]


def _concurrent(scenario: dict[str, Any]) -> list[Group]:
    groups = []
    for label, found in scenario["concurrency"].items():
        bare = found.get("bare", {}).get("tps")
        if bare:
            groups.append((label, {a: v["tps"] / bare for a, v in found.items() if a in COLORS and a != "bare"}))
    return [group for group in groups if group[1]]
