"""Random tests on all cores: `python -m tests.property.fuzz --until-steps 100000`, or `make fuzz`.

One soak per core, each with a database and a seed of its own; progress now and then, at the end a table of constructs
and the numbers. A seed and a number of jobs determine what is drawn. Exit status 1: something went wrong.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import time
from base64 import b64decode

from .outcome import Tally
from .soak import REPORT, arguments


def main(given: list[str] | None = None) -> int:
    parser = arguments()
    parser.prog, parser.description = "python -m tests.property.fuzz", __doc__
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.set_defaults(seconds=24 * 3600.0, until_steps=100_000)
    options = parser.parse_args(given)

    from django_ivm import embedded

    embedded.database_url()  # one server for all: its address is in the environment from here on
    print(f"seed {options.seed}, {options.jobs} jobs, {options.until_steps} steps", flush=True)
    command = [sys.executable, "-m", "tests.property.soak", "--report", f"--until-steps={options.until_steps}"]
    for name in (
        "seconds",
        "steps",
        "views",
        "features",
        "committed",
        "large",
        "marked",
        "shrink",
        "stop",
        "each",
        "out",
    ):
        if getattr(options, name) is not None:
            command.append(f"--{name}={getattr(options, name)}")
    command += [f"--known={known}" for known in options.known]
    soaks = [_Soak([*command, f"--seed={options.seed + i}"]) for i in range(options.jobs)]
    begun = shown = time.monotonic()
    while any(soak.runs for soak in soaks):
        time.sleep(0.5)
        tally = _sum(soaks)
        if tally.steps >= options.until_steps or tally.wrong >= options.stop:
            for soak in soaks:
                soak.end()
        if time.monotonic() > shown + 15:
            shown = time.monotonic()
            print(f"{shown - begun:6.0f} s: {_line(tally)}, {tally.steps / (shown - begun):.0f} steps/s", flush=True)
    tally = _sum(soaks)
    print(f"\n{tally.table()}\n\n{tally}")
    print(f"seed {options.seed}, {time.monotonic() - begun:.0f} s: {_line(tally)}", flush=True)
    return 1 if tally.wrong or any(soak.broken for soak in soaks) else 0


def _line(tally: Tally) -> str:
    return (
        f"{tally.steps} steps, {tally.checks} checks, {tally.kept} incremental views ({tally.share:.0%}), "
        f"wrong = {tally.wrong}"
    )


def _sum(soaks: list[_Soak]) -> Tally:
    total = Tally()
    for soak in soaks:
        total.add(soak.tally)
    return total


class _Soak:
    """One process and what it last said; whatever else it prints is printed here."""

    def __init__(self, command: list[str]) -> None:
        self.tally = Tally()
        self.ended = False
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(REPORT):
                self.tally = pickle.loads(b64decode(line.removeprefix(REPORT)))
            else:
                print(line, end="", flush=True)

    @property
    def runs(self) -> bool:
        return self.reader.is_alive()

    @property
    def broken(self) -> bool:
        """It ended by itself, neither well nor with a failure that it counted."""
        return not self.ended and self.process.wait() not in (0, 1)

    def end(self) -> None:
        """Ask it to end; a soak drops its database first."""
        if self.runs and not self.ended:
            self.ended = True
            self.process.terminate()


if __name__ == "__main__":
    sys.exit(main())
