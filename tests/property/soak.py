"""Long unattended runs: `python -m tests.property.soak --seconds 600 --seed 1`; `--replay FILE` runs one script.

The database is made for the run and dropped after it. `tests.property.fuzz` runs several of these side by side.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import pickle
import random
import re
import signal
import sys
import time
import traceback
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .outcome import Tally

REPORT = "tally "  # start of a line that carries the numbers so far


def arguments() -> argparse.ArgumentParser:
    """What a run takes; `tests.property.fuzz` hands it on."""
    parser = argparse.ArgumentParser(prog="python -m tests.property.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--until-steps", type=int, help="end after so many checked steps, if not before")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", type=int, help="run only the example of this number")
    parser.add_argument("--steps", type=int, default=40, help="of an example")
    parser.add_argument("--views", type=int, default=2, help="of an example; a chain has one more")
    parser.add_argument("--features", help="draw only these kinds of constructs, separated by commas; see queries.py")
    parser.add_argument("--committed", type=int, default=10, help="percentage of examples in transactions of their own")
    parser.add_argument("--marked", type=int, default=4, help="percentage of examples with views refreshed in full")
    parser.add_argument("--later", type=int, default=15, help="percentage of examples in modes commit and deferred")
    parser.add_argument("--large", type=int, default=8, help="percentage of examples with statements of many rows")
    parser.add_argument("--shrink", type=float, default=90, help="seconds for shrinking one failure")
    parser.add_argument("--stop", type=int, default=5, help="end after so many failures")
    parser.add_argument("--each", type=int, default=2, help="show so many failures of a kind that names its error")
    parser.add_argument("--known", action="append", default=[], help="part of a failure's text that is only counted")
    parser.add_argument("--out", type=Path, help="directory to write reproducers to")
    return parser


def main(given: list[str] | None = None) -> int:
    parser = arguments()
    parser.add_argument("--replay", type=Path, help="a script to run instead")
    parser.add_argument("--smaller", action="store_true", help="shrink the script that is replayed")
    parser.add_argument("--report", action="store_true", help="print the numbers so far now and then, for a program")
    options = parser.parse_args(given)

    with test_database():
        return _replay(options) if options.replay else _soak(options)


@contextlib.contextmanager
def test_database() -> Iterator[None]:
    """Django set up, with a database that is dropped afterwards."""
    import django
    from django.conf import settings
    from django.db import connections

    from django_ivm import embedded

    settings.configure(
        DATABASES={"default": embedded.django_database()},
        INSTALLED_APPS=["django.contrib.contenttypes", "django_ivm"],
        USE_TZ=True,
    )
    django.setup()
    logging.disable(logging.ERROR)  # a failure is shown once, shrunk
    created = connections["default"].creation
    connections["default"].settings_dict["TEST"]["NAME"] = f"ivm_soak_{os.getpid()}"
    original = connections["default"].settings_dict["NAME"]
    created.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connections["default"].close()
        created.destroy_test_db(original, verbosity=0)


def _replay(options: argparse.Namespace) -> int:
    from .oracle import Run
    from .outcome import Tally, Wrong
    from .script import Script
    from .shrink import shrink

    tally = Tally()
    run = Run(Script.parse(options.replay.read_text()), tally, committed=options.committed == 100)
    try:
        run.run()
    except Wrong as wrong:
        print(shrink(wrong, options.shrink, run) if options.smaller else wrong)
        return 1
    print(tally)
    return 0


def _soak(options: argparse.Namespace) -> int:
    from .dice import Dice
    from .later import draw_later
    from .marked import draw_marked
    from .oracle import Run
    from .outcome import Tally, Wrong
    from .queries import FEATURES
    from .scenarios import draw_script
    from .shrink import shrink

    if not options.report:
        print(f"seed {options.seed}", flush=True)
    features = tuple(f for f in options.features.split(",") if f) if options.features is not None else tuple(FEATURES)
    tally, end, wrongs, number, reported = Tally(), time.monotonic() + options.seconds, 0, -1, time.monotonic()
    kinds: Counter[str] = Counter()
    marked = Tally()  # their views are no measure of what is incremental
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))  # to end, after this example
    most = options.until_steps or sys.maxsize
    while time.monotonic() < end and wrongs < options.stop and tally.steps < most and not asked:
        if options.report and time.monotonic() > reported + 5:
            _report(tally)
            reported = time.monotonic()
        number = options.only if options.only is not None else number + 1
        dice = Dice.seeded(f"{options.seed} {number}")
        committed = dice.chance(options.committed)
        if dice.chance(options.marked):
            run: Run = draw_marked(dice, marked, options.steps)
        elif dice.chance(options.later):
            run = draw_later(dice, tally, options.steps, committed=committed)
        else:
            script = draw_script(dice, options.steps, options.large, features=features, views=options.views)
            run = Run(script, tally, committed=committed)
        try:
            run.run()
        except Wrong as wrong:
            text = f"{wrong.kind}: {wrong.args[0]}"
            if any(re.search(known, text) for known in options.known):
                tally.failed["known"] += 1
                continue
            tally.wrong += 1
            kinds[wrong.kind] += 1
            if kinds[wrong.kind] > options.each and wrong.kind.startswith(("install", "error")):
                continue  # one defect, seen again and again
            wrongs += 1
            how = ", committed" if committed else ""
            print(f"--- seed {options.seed}, example {number}{how}: {wrong.kind}", flush=True)
            small = shrink(wrong, options.shrink, run)
            print(small, flush=True)
            if options.out:
                options.out.mkdir(parents=True, exist_ok=True)
                (options.out / f"{options.seed}_{number}.sql").write_text(
                    f"-- {small.kind}: " + str(small.args[0]).replace("\n", "\n-- ") + f"\n{small.script}"
                )
        except Exception:  # noqa: BLE001 the script that did it is wanted
            print(f"--- seed {options.seed}, example {number}: the runner itself failed\n{run.script}", flush=True)
            traceback.print_exc()
            return 2
        if options.only is not None:
            break
    if options.report:
        _report(tally)
    else:
        print(f"{tally.table()}\nseed {options.seed}: {tally}\nviews refreshed in full: {marked}", flush=True)
    return 1 if wrongs else 0


def _report(tally: Tally) -> None:
    print(REPORT + b64encode(pickle.dumps(tally)).decode(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
