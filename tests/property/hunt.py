"""How soon drawn examples notice a broken rule: `python -m tests.property.hunt` prints a table of all mutants."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

from .dice import Dice
from .mutants import MUTANTS, Mutant
from .oracle import Run
from .outcome import Tally, Wrong
from .scenarios import draw_script
from .script import Script

# How a wrong view shows itself; an installation that fails would prove nothing.
SHOWN = ("wrong rows", "state", "verify", "error 2")
EXAMPLES = 80


@dataclass(frozen=True)
class Found:
    """The example in which a broken rule was noticed, how, and the statements and seconds that it took."""

    example: int
    kind: str
    script: Script
    statements: int
    seconds: float


def hunt(mutant: Mutant, seed: object, examples: int = EXAMPLES) -> Found | Tally:
    """The first example that notices; the numbers of all when none does."""
    tally, begun = Tally(), time.monotonic()
    for number in range(examples):
        script = draw_script(Dice.seeded(f"mutants {seed} {number}"), steps=16, large=0, features=mutant.features)
        with mutant.broken():
            kind = outcome(script, tally)
        if kind and not kind.startswith(SHOWN):
            tally.invalid[kind] += 1
        if kind.startswith(SHOWN) and not outcome(script, Tally()):
            return Found(number + 1, kind, script, tally.statements, time.monotonic() - begun)
    return tally


def outcome(script: Script, tally: Tally) -> str:
    """The kind of failure; empty for none."""
    try:
        Run(script, tally).run()
    except Wrong as wrong:
        return wrong.kind
    return ""


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.property.hunt", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=EXAMPLES)
    parser.add_argument("--only", action="append", default=[], help="part of a mutant's name")
    options = parser.parse_args(given)

    from .soak import test_database

    missed = 0
    with test_database():
        print(
            "| rule | mutation | noticed as | examples | statements | seconds |\n|---|---|---|---|---|---|", flush=True
        )
        for mutant in MUTANTS:
            if options.only and not any(part in mutant.name for part in options.only):
                continue
            found = hunt(mutant, options.seed, options.examples)
            if isinstance(found, Found):
                numbers = f"{found.kind} | {found.example} | {found.statements} | {found.seconds:.1f}"
            else:
                missed += 1
                numbers = f"**not noticed** | {found.examples} | {found.statements} | ({found.kept} views; {dict(found.invalid)})"
            print(f"| {mutant.rule} | {mutant.mutation} | {numbers} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
