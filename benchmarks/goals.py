"""What the view must reach: ratios within one run, asserted by ``--check``."""

from __future__ import annotations

from typing import Any

from .memory import SLACK

ROW_VS_HAND = 1.3
UNREAD_VS_BARE = 1.4
BULK_VS_HAND = 1.5
FILL_VS_MATVIEW = 1.3

NEEDED = ("bare", "immediate", "hand", "matview")


def misses(result: dict[str, Any]) -> list[str]:
    """One line for each goal that was missed, with the noise of the same operation beside it."""
    lines = []
    for scenario in result["scenarios"]:
        for row in scenario["writes"]:
            lines += _write(scenario["key"], row)
        lines += _fill(scenario)
    if "memory" in result:
        small, big = result["memory"]["small"], result["memory"]["big"]
        for moment in ("create", "refresh"):
            grown = big[moment] - small[moment]
            if grown > SLACK:
                lines.append(
                    f"memory of {moment}: {grown / 2**20:.0f} MB more for the big view than for the"
                    f" small one, allowed are {SLACK >> 20} MB"
                )
    return lines


def _write(key: str, row: dict[str, Any]) -> list[str]:
    if row["target"] == "unread":
        ratio, goal, against = row["vs_bare"].get("immediate"), UNREAD_VS_BARE, "no view"
    elif row["target"] == "row":
        ratio, goal, against = row.get("immediate_vs_hand"), ROW_VS_HAND, "the hand-written trigger"
    elif row["target"] == "bulk":
        ratio, goal, against = row.get("immediate_vs_hand"), BULK_VS_HAND, "the hand-written trigger"
    else:
        return []
    if ratio is None or ratio <= goal:
        return []
    noise = row.get("noise")
    beside = f"; no view against itself: {noise[0]:.2f}-{noise[1]:.2f}×" if noise else ""
    return [f"{key}: {row['operation']} ({row['order']}) is {ratio:.2f}× {against}, goal {goal}×{beside}"]


def _fill(scenario: dict[str, Any]) -> list[str]:
    fill = scenario["fill"]
    if "immediate" not in fill or "matview" not in fill:
        return []
    ratio = fill["immediate"]["fill"] / fill["matview"]["fill"]
    if ratio <= FILL_VS_MATVIEW:
        return []
    whole = fill["immediate"]["whole"] / fill["matview"]["whole"]
    return [
        f"{scenario['key']}: filling is {ratio:.2f}× a materialized view plus its index,"
        f" goal {FILL_VS_MATVIEW}× (the whole call: {whole:.2f}×)"
    ]
