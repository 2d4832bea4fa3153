"""Faults at random: `python -m tests.faults --rounds 10 --seed 1`, or `make faults`.

Each round installs views of a few kinds in every mode on a server of its own, and injects every fault once; after each
the views are exact, or say that they are stale and are exact after a refresh. At the end a table. Exit status 1: a view
was wrong, an error came that mustn't, or an installation was left half way.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import logging
import random
import sys
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .catalogue import Fault
    from .report import Report

PATIENCE = 120.0  # seconds after which a fault that hangs is shown with all its threads, and the run ends


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--first", type=int, default=1, help="the number of the first round")
    parser.add_argument("--seconds", type=float, default=24 * 3600.0, help="begin no further round after so many")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", help="only faults whose name contains this")
    parser.add_argument("--kinds", type=int, default=4, help="of views in a round")
    parser.add_argument("--verbose", action="store_true", help="say how long each fault took")
    options = parser.parse_args()

    import django
    from django.conf import settings

    settings.configure(DATABASES={}, INSTALLED_APPS=["django.contrib.contenttypes", "django_ivm"], USE_TZ=True)
    django.setup()
    logging.disable(logging.CRITICAL)

    from .catalogue import FAULTS
    from .report import Report
    from .world import modes

    chosen = [fault for fault in FAULTS if not options.only or options.only in fault.name]
    print(f"seed {options.seed}, modes {', '.join(modes())}", flush=True)
    report, begun = Report(), time.monotonic()
    tell: Callable[[str], None] = (lambda text: print(text, flush=True)) if options.verbose else (lambda _: None)
    for number in range(options.first, options.first + options.rounds):
        if time.monotonic() > begun + options.seconds:
            break
        _round(number, chosen, random.Random(f"{options.seed} {number}"), options.kinds, report, tell)
        print(f"{time.monotonic() - begun:6.0f} s: round {number}, {report.line()}", flush=True)
    print(f"\n{report.table()}\n")
    for text in report.wrong:
        print(text)
    print(f"seed {options.seed}, {time.monotonic() - begun:.0f} s: {report.line()}")
    return 1 if report.wrong else 0


def _round(
    number: int, faults: list[Fault], rng: random.Random, kinds: int, report: Report, tell: Callable[[str], None]
) -> None:
    """Every fault once. One that ends in an exception leaves its server: the next gets a new one, with the same views."""
    from .world import a_world, modes

    wanted: list[str] = []
    on_error = rng.choice(("raise", "raise", "stale"))
    with contextlib.ExitStack() as opened:
        world = None
        for fault in faults:
            if reason := fault.why_not():
                report.skip(fault, reason)
                continue
            since = time.monotonic()
            faulthandler.dump_traceback_later(PATIENCE, exit=True)
            try:
                if world is None:
                    world = opened.enter_context(a_world(rng))
                    wanted = wanted or world.pick(kinds)
                    world.on_error = on_error
                    tell(f"round {number}: {', '.join(wanted)}; on_error {on_error}")
                    world.install(wanted)
                outcome = fault.run(world)
            except Exception:  # noqa: BLE001 -- told in the report
                report.fail(fault, number, traceback.format_exc())
                tell(f"{time.monotonic() - since:6.1f} s  {fault.name}: FAILED\n{report.wrong[-1]}")
                opened.close()
                world = None
                continue
            report.add(fault, number, outcome)
            tell(f"{time.monotonic() - since:6.1f} s  {fault.name} {outcome.told}".rstrip())
            for text in outcome.wrong:
                tell(f"          WRONG {text}")
        if world is not None and "deferred" in modes():
            report.wrong += [f"round {number}: {text}" for text in world.leftovers()]
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    sys.exit(main())
