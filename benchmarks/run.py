"""One run: for each scenario copy the data, fill, write, refresh, write concurrently, compare every view."""

from __future__ import annotations

import os
import platform
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from tqdm import tqdm

from . import concurrency, data, keeping, measure, memory
from .arms import ARMS, Arm
from .core import ORDERS, BenchError, Feed, Scenario, Sizes
from .session import one_cpu

if TYPE_CHECKING:
    from .server import Place

NOISE = "again"
OURS = ("immediate", "commit", "deferred", "manual")


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. ``rounds`` counts rounds of each order."""

    rows: int
    scenarios: tuple[Scenario, ...]
    arms: tuple[str, ...]
    rounds: int
    repeat: int
    fill_rounds: int
    refresh_rounds: int
    concurrency_rounds: int
    seconds: int
    concurrent: str  # keys of the scenarios written concurrently
    held: bool
    memory: bool
    raw: bool
    pin: bool
    seed: int
    progress: bool


class Progress:
    """A bar over the whole run; its time to go is an estimate, as steps are not equally long."""

    def __init__(self, total: int, *, shown: bool) -> None:
        self.bar = tqdm(
            total=total, disable=not shown, dynamic_ncols=True, smoothing=0.05,
            bar_format="{percentage:3.0f}% |{bar}| {elapsed} < {remaining}  {desc}",
        )  # fmt: skip

    def step(self, text: str, n: int = 1) -> None:
        self.bar.set_description_str(text[:48], refresh=False)
        self.bar.update(n)

    def say(self, text: str) -> None:
        self.bar.write(text)

    def close(self) -> None:
        self.bar.close()


def _steps(options: Options, arms: Sequence[Arm]) -> int:
    """Units of the bar; one is about a tenth of a second at full size."""
    taxed, stored = sum(a.taxed for a in arms), sum(a.stored for a in arms)
    total = 0
    for s in options.scenarios:
        total += len(arms) * 4 + stored * options.fill_rounds + len(arms) * 2 * options.refresh_rounds
        total += len(s.operations) * options.rounds * len(ORDERS) * taxed
        if s.key in options.concurrent:
            cases = len(concurrency.cases(s, held=options.held))
            total += cases * taxed * options.concurrency_rounds * options.seconds * 10
    return total


def run(place: Place, options: Options) -> dict[str, Any]:
    """Run everything; the result is what the reports are made of, ready for JSON.

    :raises BenchError: something can't run.
    :raises WrongView: a view differs from its query.
    """
    arms, skipped = available(place, options.arms)
    progress = Progress(_steps(options, arms), shown=options.progress)
    for key, why in skipped.items():
        progress.say(f"skipped {ARMS[key].label}: {why}")
    result: dict[str, Any] = {
        "meta": {
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "postgresql": place.version,
            "private_server": place.private,
            "python": platform.python_version(),
            "cpus": os.cpu_count(),
            "rows": options.rows,
            "bulk": Sizes.of(options.rows).bulk,
            "rounds_of_each_order": options.rounds,
            "executions_a_round": options.repeat,
            "client": "libpq" if options.raw else "psycopg",
            "one_cpu": options.pin and place.private and hasattr(os, "sched_setaffinity"),
            "seed": options.seed,
            "arms": {arm.key: arm.label for arm in arms},
            "skipped": skipped,
        },
        "scenarios": [],
    }
    try:
        with psycopg.connect(place.dsn, autocommit=True) as admin:
            for scenario in options.scenarios:
                result["scenarios"].append(_scenario(place, admin, arms, scenario, options, progress))
            if options.memory and any(arm.key in OURS for arm in arms):
                progress.step("memory", 0)
                result["memory"] = memory.measure(admin, place.dsn, options.rows)
    finally:
        progress.close()
        disconnect(arms)
    return result


def disconnect(arms: Sequence[Arm]) -> None:
    """Let go of every connection, so that the benchmark's database can be dropped."""
    for arm in arms:
        arm.close()
    if any(arm.key in OURS for arm in arms):
        from .arms.ivm import disconnect as ours

        ours()


def available(place: Place, keys: Sequence[str]) -> tuple[list[Arm], dict[str, str]]:
    """The arms that can run on this server, and why the others can't.

    :raises BenchError: django_ivm itself can't be set up.
    """
    arms, skipped = [], {}
    for key in keys:
        arm = ARMS[key](place.dsn, f"arm_{key}")
        why = arm.unavailable()
        if why:
            skipped[key] = why
        else:
            arms.append(arm)
    ours = [arm.schema for arm in arms if arm.key in OURS]
    if ours:
        from .arms.ivm import configure

        configure(place.dsn, [*ours, *(f"{s}_empty" for s in ours)])
    return arms, skipped


def _scenario(
    place: Place,
    admin: psycopg.Connection,
    arms: list[Arm],
    scenario: Scenario,
    options: Options,
    progress: Progress,
) -> dict[str, Any]:
    sizes = Sizes.of(options.rows)
    feed = Feed(sizes, options.seed)
    progress.step(f"{scenario.key} making {options.rows} rows", 0)
    data.make_master(admin, scenario, sizes)
    for arm in arms:
        data.copy_to(admin, scenario, arm.schema)
        progress.step(f"{scenario.key} copy: {arm.label}", 2)
    fill = keeping.fill_rounds(admin, arms, scenario, rounds=options.fill_rounds, step=progress.step)
    data.drop(admin, data.MASTER)
    data.vacuum(admin, [arm.schema for arm in arms], analyze=True)

    taxed = [arm for arm in arms if arm.taxed]
    # Another server's process numbers mean nothing here.
    with one_cpu(wanted=options.pin and place.private) as cpu:
        samples = measure.WriteRounds(
            admin, taxed, scenario, feed, options.rounds, options.repeat, options.raw, cpu,
            step=lambda text: progress.step(text, len(taxed)),
        ).run()  # fmt: skip
    verified = _verify([arm for arm in arms if arm.maintained], scenario, "after the writes", progress)

    data.vacuum(admin, [arm.schema for arm in arms])
    kept = [arm for arm in arms if arm.key != NOISE]
    refresh = keeping.refresh_rounds(kept, scenario, sizes, feed, rounds=options.refresh_rounds, step=progress.step)
    verified |= _verify([arm for arm in arms if arm.stored], scenario, "after the refreshes", progress)

    concurrent: dict[str, Any] = {}
    if scenario.key in options.concurrent:
        concurrent = concurrency.concurrency_rounds(
            taxed, scenario, rounds=options.concurrency_rounds, seconds=options.seconds, held=options.held,
            step=lambda text: progress.step(text, options.seconds * 10),
        )  # fmt: skip
        _verify([arm for arm in taxed if arm.maintained], scenario, "after the concurrent writes", progress)
    for arm in arms:
        arm.uninstall(scenario)
        data.drop(admin, arm.schema)
    return {
        "key": scenario.key,
        "title": scenario.title,
        "query": scenario.query,
        "writes": list(_writes(samples, scenario, sizes, [arm.key for arm in taxed])),
        "fill": fill,
        "refresh": refresh,
        "concurrency": concurrent,
        "verified": sorted(verified),
    }


def _verify(arms: Sequence[Arm], scenario: Scenario, when: str, progress: Progress) -> set[str]:
    for arm in arms:
        data.assert_equal(arm, scenario, when)
        progress.step(f"{scenario.key} compared: {arm.label}")
    return {arm.key for arm in arms}


def _writes(samples: measure.Samples, scenario: Scenario, sizes: Sizes, arms: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for op in scenario.operations:
        for order in ORDERS:
            keys = {arm: (op.name, order, arm) for arm in arms}
            row: dict[str, Any] = {
                "operation": op.name.replace("{bulk}", f"{sizes.bulk:,}"),
                "order": order,
                "bulk": op.bulk,
                "target": op.target,
                "ms": {arm: 1000 * (samples.median(key) or 0) for arm, key in keys.items()},
                "vs_bare": {},
                "over": [arm for arm, key in keys.items() if key in samples.over],
                "rounds_ms": {arm: [round(1000 * t, 4) for t in samples.rounds[key]] for arm, key in keys.items()},
            }
            if "bare" in keys:
                row["vs_bare"] = {a: samples.ratio(k, keys["bare"]) for a, k in keys.items() if a != "bare"}
                if NOISE in keys:
                    row["noise"] = samples.spread(keys[NOISE], keys["bare"])
            if "immediate" in keys and "hand" in keys:
                row["immediate_vs_hand"] = samples.ratio(keys["immediate"], keys["hand"])
            rows.append(row)
    return rows


def self_check(place: Place, options: Options, *, steps: int, seconds: float) -> list[str]:
    """Random tests of the hand-written triggers, and of django_ivm's views where that arm is chosen.

    :returns: one line a scenario and arm.
    """
    from . import selfcheck

    chosen = [key for key in options.arms if ARMS[key].maintained]
    if not chosen:
        raise BenchError("--self-check needs an arm whose view is kept by triggers: hand, immediate or pg_ivm")
    arms, skipped = available(place, chosen)
    lines = [f"skipped {ARMS[key].label}: {why}" for key, why in skipped.items()]
    progress = Progress(len(options.scenarios) * len(arms), shown=options.progress)
    try:
        with psycopg.connect(place.dsn, autocommit=True) as admin:
            for scenario in options.scenarios:
                for arm in arms:
                    progress.step(f"{scenario.key} {arm.label}", 0)
                    selfcheck.check(
                        admin,
                        arm,
                        scenario,
                        seed=options.seed,
                        steps=steps,
                        seconds=seconds,
                        say=lines.append,
                    )
                    progress.step(f"{scenario.key} {arm.label}")
    finally:
        progress.close()
        disconnect(arms)
    return lines


def random_seed() -> int:
    return random.SystemRandom().randrange(1, 10**6)
