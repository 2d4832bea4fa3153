"""Long unattended runs: `python -m tests.property.soak --seconds 600 --seed 1`; `--replay FILE` runs one script.

The database is made for the run and dropped after it.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import re
import sys
import time
import traceback
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.property.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", type=int, help="run only the example of this number")
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--committed", type=int, default=10, help="percentage of examples in transactions of their own")
    parser.add_argument("--shrink", type=float, default=90, help="seconds for shrinking one failure")
    parser.add_argument("--stop", type=int, default=5, help="end after so many failures of distinct kinds")
    parser.add_argument("--known", action="append", default=[], help="start of a failure's text that is only counted")
    parser.add_argument("--replay", type=Path, help="a script to run instead")
    parser.add_argument("--out", type=Path, help="directory to write reproducers to")
    options = parser.parse_args(arguments)

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
        return _replay(options.replay) if options.replay else _soak(options)
    finally:
        connections["default"].close()
        created.destroy_test_db(original, verbosity=0)


def _replay(path: Path) -> int:
    from .oracle import Run
    from .outcome import Tally, Wrong
    from .script import Script

    tally = Tally()
    try:
        Run(Script.parse(path.read_text()), tally).run()
    except Wrong as wrong:
        print(wrong)
        return 1
    print(tally)
    return 0


def _soak(options: argparse.Namespace) -> int:
    from .dice import Dice
    from .oracle import Run
    from .outcome import Tally, Wrong
    from .scenarios import draw_script
    from .shrink import shrink

    print(f"seed {options.seed}", flush=True)
    tally, end, seen, number = Tally(), time.monotonic() + options.seconds, set(), -1
    while time.monotonic() < end and len(seen) < options.stop:
        number = options.only if options.only is not None else number + 1
        dice = Dice.seeded(f"{options.seed} {number}")
        committed = dice.chance(options.committed)
        script = draw_script(dice, options.steps)
        run = Run(script, tally, committed=committed)
        try:
            run.run()
        except Wrong as wrong:
            text = f"{wrong.kind}: {wrong.args[0]}"
            if any(re.search(known, text) for known in options.known):
                tally.failed["known"] += 1
                continue
            how = ", committed" if committed else ""
            print(f"--- seed {options.seed}, example {number}{how}: {wrong.kind}", flush=True)
            small = shrink(wrong, options.shrink, run)
            print(small, flush=True)
            if options.out:
                options.out.mkdir(parents=True, exist_ok=True)
                (options.out / f"{options.seed}_{number}.sql").write_text(
                    f"-- {small.kind}: " + str(small.args[0]).replace("\n", "\n-- ") + f"\n{small.script}"
                )
            seen.add((wrong.kind, number))
        except Exception:  # noqa: BLE001 the script that did it is wanted
            print(f"--- seed {options.seed}, example {number}: the runner itself failed\n{script}", flush=True)
            traceback.print_exc()
            return 2
        if options.only is not None:
            break
    print(f"seed {options.seed}: {tally}", flush=True)
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(main())
