"""Peak memory of the Python process that makes and refreshes a view, for a small view and a big one.

``python -m benchmarks.memory DSN LIMIT`` does it once, in a process of its own, and prints the peaks as JSON.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import data
from .core import BenchError, Sizes
from .scenarios import SCENARIOS

if TYPE_CHECKING:
    import psycopg

SCHEMA = "memory"  # and the name of the view
SMALL = 1000
SLACK = 16 << 20
"""Bytes the big view's process may use beyond the small one's: allocator noise, not rows."""


def peak() -> int:
    """Largest resident size of this process so far, in bytes."""
    # ru_maxrss also counts what the parent had at the fork; VmHWM is this program's alone.
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def measure(admin: psycopg.Connection, dsn: str, rows: int) -> dict[str, dict[str, int]]:
    """Bytes at three moments (``start``, ``create``, ``refresh``), for a ``small`` and a ``big`` view."""
    scenario = SCENARIOS["c"]
    data.make_master(admin, scenario, Sizes.of(rows))
    data.copy_to(admin, scenario, SCHEMA)
    data.drop(admin, data.MASTER)
    result = {}
    for name, limit in (("small", SMALL), ("big", rows + 1)):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.memory", dsn, str(limit)],
            cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise BenchError(f"measuring memory failed:\n{done.stderr.strip()[-2000:]}")
        result[name] = json.loads(done.stdout.splitlines()[-1])
    data.drop(admin, SCHEMA)
    return result


def main(dsn: str, limit: int) -> None:
    """Make a view of the orders up to ``limit``, refresh it in full, drop it; print the peaks."""
    from .arms.ivm import configure

    configure(dsn, [SCHEMA])
    import django_ivm

    peaks = {"start": peak()}
    view = django_ivm.create_view(SCHEMA, f"{SCENARIOS['c'].query} WHERE o.id <= {limit}", using=SCHEMA)
    peaks["create"] = peak()
    view.refresh(full=True)
    peaks["refresh"] = peak()
    django_ivm.drop_view(SCHEMA, using=SCHEMA)
    sys.stdout.write(json.dumps(peaks) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
