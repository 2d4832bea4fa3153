"""`python -m tests.torture --seconds 300`, or `make torture`: exit status 1 on a wrong row, an error that no writer may
get, or, in a run of five minutes or more, a missed target.

The database is made for the run. Half of the time goes to the workload that looks for wrong rows (storm.py), a third to
the one that is measured (shop.py), the rest to the same without pauses ("rush": what is left when the processor is
all that counts; without targets). A seed determines what each writer does, not how writers meet: to look for
something again, run the same seed, views and level more than once.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from .client import LEVELS, MIXED
from .modes import AT_WILL, MODES

WORKLOADS = {"storm": 0.5, "shop": 0.35, "rush": 0.15}  # shares of the time
TARGETS_FROM = 300.0  # seconds: a shorter run says little of throughput
_LEVELS = {level.lower().replace(" ", "-"): level for level in (*LEVELS, MIXED)}


def _some(known: Iterable[str]) -> Callable[[str], list[str]]:
    """Names separated by commas, of those that are known."""

    def parse(given: str) -> list[str]:
        names = given.split(",")
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(known)}")
        return names

    return parse


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.torture", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument(
        "--modes", type=_some((*MODES, AT_WILL)), default=",".join((*MODES, AT_WILL)), help="some of %(default)s"
    )
    parser.add_argument("--isolation", type=_some(_LEVELS), default=",".join(_LEVELS), help="some of %(default)s")
    parser.add_argument("--workload", choices=("all", *WORKLOADS), default="all")
    parser.add_argument("--views", default="", help="names; without it a draw of the storm's, all of the shop's")
    parser.add_argument("--slice", type=float, help="seconds (storm 1.5, shop 2.5)")
    parser.add_argument("--think", type=float, default=0.001, help="shop: a client's seconds between statements")
    parser.add_argument("--rest", type=float, default=0.005, help="shop: and between transactions")
    parser.add_argument("--round", type=int, help="only the round of this number, again and again")
    parser.add_argument("--stop", type=int, default=5, help="end after so many findings")
    parser.add_argument("--alone", action="store_true", help="without the bare tables: to look for wrong rows only")
    parser.add_argument("--known", action="append", default=[], help="part of a finding's text that is only counted")
    parser.add_argument("--truncates", choices=("yes", "no"), help="storm: with TRUNCATE, or without")
    parser.add_argument("--targets", action="store_true", help="check the targets in a short run too")
    parser.add_argument("--deadlocks", action="store_true", help="tell which cycles the server's log names")
    parser.add_argument("--out", type=Path, help="directory for the figures and what was found")
    return parser


def main(given: list[str] | None = None) -> int:
    options = arguments().parse_args(given)
    from tests.property.soak import test_database

    print(f"seed {options.seed}", flush=True)
    with test_database():
        with ProcessPoolExecutor(options.writers, mp_context=multiprocessing.get_context("spawn")) as pool:
            status = _run(options, pool)
        if options.deadlocks:
            _tell_deadlocks()
    return status


def _run(options: argparse.Namespace, pool: ProcessPoolExecutor) -> int:
    from . import report
    from .rounds import Plan, Run

    levels = [_LEVELS[level] for level in options.isolation]
    workloads = WORKLOADS if options.workload == "all" else {options.workload: 1.0}
    failed, told = False, {}
    for workload, share in workloads.items():
        modes = [m for m in options.modes if workload == "storm" or m != AT_WILL]
        plan = Plan(
            "storm" if workload == "storm" else "shop",
            modes,
            levels,
            options.writers,
            options.slice or (1.5 if workload == "storm" else 2.5),
            think=options.think if workload == "shop" else 0.0,
            rest=options.rest if workload == "shop" else 0.0,
            views=[name for name in options.views.split(",") if name],
            out=options.out,
            known=options.known,
            compared=not options.alone,
            truncates=None if options.truncates is None else options.truncates == "yes",
        )
        run = Run(plan, options.seed, pool)
        end, number = time.monotonic() + options.seconds * share, 0
        while time.monotonic() < end and len(run.found) < options.stop:
            run.round(options.round if options.round is not None else number, end)
            number += 1
        title = f"{workload}: {options.writers} writers, {number} rounds, seed {options.seed}"
        report.show(title, run.figures)
        told[workload] = {f"{mode}, {level}": report.row(one) for (mode, level), one in sorted(run.figures.items())}
        checks = sum(one.checks for one in run.figures.values())
        print(f"{workload}: {checks} checks, {len(run.found)} findings, {run.known} known", flush=True)
        failed |= bool(run.found)
        if workload == "shop" and (options.targets or options.seconds >= TARGETS_FROM):
            for text in (misses := report.missed(run.figures)):
                print(f"missed: {text}")
            failed |= bool(misses)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "figures.json").write_text(json.dumps({"seed": options.seed, **told}, indent=1))
    return int(failed)


def _tell_deadlocks() -> None:
    from django_ivm import embedded

    from .deadlocks import cycles

    if embedded._shared is None:
        print("the server isn't ours: its log can't be read")
        return
    for cycle, times in cycles(embedded._shared.log).most_common(40):
        print(f"{times:5} {cycle}")


if __name__ == "__main__":
    sys.exit(main())
