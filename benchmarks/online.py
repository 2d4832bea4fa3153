"""Scenario online: a view is installed over TPC-H's tables while others write them; how long did a writer have to wait?

The ordinary installation keeps writers out from its first row to its last. The one with --online fills beside them.
"""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from tqdm import tqdm

from . import tpch_data
from .core import BenchError
from .data import WrongView, vacuum
from .report import Grid, ms
from .writers import Write, Writers

if TYPE_CHECKING:
    from .server import Place

KEY = "online"
TITLE = "installing a view while others write TPC-H's tables"
SCHEMA = "tpch"
NAME = "installed"
WARM = 3.0  # seconds of writing before and after
CUSTOMERS = (
    "SELECT o_custkey, count(*) AS lines, sum(l_extendedprice * (1 - l_discount)) AS revenue, "
    "sum(l_quantity) AS pieces FROM orders JOIN lineitem ON l_orderkey = o_orderkey GROUP BY o_custkey"
)
ARMS = (("immediate", False), ("immediate", True), ("commit", True), ("deferred", True))


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    scale: float
    writers: int
    rounds: int
    progress: bool


@dataclass(frozen=True, slots=True)
class Round:
    """One installation: its seconds, and those of the longest transactions that it met; of those before it too."""

    mode: str
    online: bool
    seconds: float
    rows: int
    writes: int
    longest: float
    p99: float
    median: float
    before_longest: float
    before_median: float
    phase: str
    failed: dict[str, int]


def run(place: Place, options: Options) -> dict[str, Any]:
    """Run everything; the result is what the report is made of, ready for JSON.

    :raises BenchError: something can't run.
    :raises WrongView: a view differs from its query.
    """
    from .arms.ivm import disconnect
    from .tpch import _configure

    rounds: list[Round] = []
    traces: dict[str, list[tuple[float, float]]] = {}
    total = len(ARMS) * options.rounds
    with tqdm(total=total + 1, disable=not options.progress, dynamic_ncols=True) as bar:
        bar.set_description_str(f"data at scale {options.scale:g}")
        with psycopg.connect(place.dsn, autocommit=True) as admin, tempfile.TemporaryDirectory() as directory:
            try:
                tpch_data.generate(Path(directory), options.scale)
                tpch_data.load(admin, SCHEMA, Path(directory))
            except tpch_data.TPCHError as e:
                raise BenchError(str(e)) from e
            keys = [key for (key,) in admin.execute("SELECT o_orderkey FROM orders ORDER BY random() LIMIT 20000")]
            lines = admin.execute("SELECT count(*) FROM lineitem").fetchone()
            bar.update()
            _configure(place.dsn)
            try:
                for _ in range(options.rounds):
                    for mode, online in ARMS:
                        bar.set_description_str(f"{mode}, {'online' if online else 'ordinary'}")
                        found, trace = _round(place.dsn, admin, options, keys, mode, online=online)
                        rounds.append(found)
                        traces.setdefault(_label(found), trace)
                        vacuum(admin, [SCHEMA])
                        bar.update()
            finally:
                disconnect()
    return {
        "meta": {
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "postgresql": place.version,
            "private_server": place.private,
            "python": platform.python_version(),
            "cpus": os.cpu_count(),
            "scale": options.scale,
            "lines": lines[0] if lines else 0,
            "writers": options.writers,
        },
        "rounds": [asdict(found) for found in rounds],
        "traces": traces,
    }


def _round(
    dsn: str, admin: psycopg.Connection, options: Options, keys: list[int], mode: str, *, online: bool
) -> tuple[Round, list[tuple[float, float]]]:
    from django.db import connections

    import django_ivm
    from django_ivm.engine import install
    from django_ivm.engine.spec import ViewSpec

    told = _Told()
    with Writers(dsn, SCHEMA, keys, options.writers) as writers:
        time.sleep(2 * WARM)  # the processes start too
        began = time.time()
        spec = ViewSpec(name=NAME, sql=CUSTOMERS, mode=mode, strategy="incremental")
        install.install(spec, connections["default"], progress=told.append, online=online)
        ended = time.time()
        time.sleep(WARM)
    view = django_ivm.get_view(NAME)
    try:
        if mode == "deferred":
            view.refresh()
        rows = _compare(admin, view.table)
    finally:
        django_ivm.drop_view(NAME)
    before = [w for w in writers.writes if began - WARM < w.began and w.began + w.seconds < began]
    during = [w for w in writers.writes if w.began < ended and w.began + w.seconds > began]
    if not before or not during:
        raise BenchError("the writers wrote nothing")
    failed: dict[str, int] = {}
    for write in during:
        if write.failed:
            failed[write.failed] = failed.get(write.failed, 0) + 1
    found = Round(
        mode, online, ended - began, rows, len(during), _longest(during), _p99(during), _median(during),
        _longest(before), _median(before), told.at(max(during, key=lambda w: w.seconds).began), failed,
    )  # fmt: skip
    trace = [(round(w.began - began, 4), round(w.seconds, 5)) for w in writers.writes if w.began > began - WARM]
    return found, trace


class _Told:
    """What an installation told of itself, and when."""

    def __init__(self) -> None:
        self._lines: list[tuple[float, str]] = []

    def append(self, text: str) -> None:
        self._lines.append((time.time(), text.removeprefix(f"{NAME}: ")))

    def at(self, moment: float) -> str:
        """What it was at, without the figures."""
        found = [text for when, text in self._lines if when <= moment] or ["its beginning"]
        return found[-1].partition(",")[0].partition(" changes")[0].rstrip("0123456789 ")


def _compare(admin: psycopg.Connection, table: str) -> int:
    """:raises WrongView: the view differs from its query."""
    want, have = f"SELECT q::text FROM ({CUSTOMERS}) q", f"SELECT v::text FROM {table} v"
    both = f"({want} EXCEPT ALL {have}) UNION ALL ({have} EXCEPT ALL {want}) LIMIT 3"
    wrong = admin.execute(both.encode()).fetchall()
    if wrong:
        raise WrongView(f"the installed view differs from its query, e.g. in {wrong}")
    count = admin.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.SQL(table))).fetchone()  # type: ignore[arg-type]
    return int(count[0]) if count else 0


def _longest(writes: list[Write]) -> float:
    return max(write.seconds for write in writes)


def _median(writes: list[Write]) -> float:
    return statistics.median(write.seconds for write in writes)


def _p99(writes: list[Write]) -> float:
    found = sorted(write.seconds for write in writes)
    return found[min(len(found) - 1, int(0.99 * len(found)))]


def _label(found: Round) -> str:
    return f"{found.mode}, {'online' if found.online else 'ordinary'}"


def headline(result: dict[str, Any]) -> str:
    """What was run, in a line."""
    meta = result["meta"]
    return (
        f"TPC-H at scale {meta['scale']:g} ({meta['lines']:,} lines), PostgreSQL {meta['postgresql']}, "
        f"{meta['cpus']} CPUs, {meta['writers']} writers; every view compared with its query"
    )


def grids(result: dict[str, Any]) -> list[Grid]:
    """The table of the result."""
    head = ["installation", "seconds", "rows", "writes", "longest stall, ms", "in", "p99, ms", "median, ms"]
    head += ["before: longest, ms", "median, ms", "failed"]
    rows = []
    by_arm: dict[str, list[Round]] = {}
    for found in (Round(**values) for values in result["rounds"]):
        by_arm.setdefault(_label(found), []).append(found)
    for label, rounds in by_arm.items():

        def worst(value: Callable[[Round], float], rounds: list[Round] = rounds) -> str:
            return ms(1000 * max(map(value, rounds)))

        failed = {state: sum(r.failed.get(state, 0) for r in rounds) for r in rounds for state in r.failed}
        rows.append([
            label, f"{statistics.median(r.seconds for r in rounds):.1f}", f"{rounds[0].rows:,}",
            f"{sum(r.writes for r in rounds):,}", worst(lambda r: r.longest),
            max(rounds, key=lambda r: r.longest).phase, worst(lambda r: r.p99),
            worst(lambda r: r.median), worst(lambda r: r.before_longest), worst(lambda r: r.before_median),
            ", ".join(f"{state}: {count}" for state, count in failed.items()) or "0",
        ])  # fmt: skip
    note = (
        "A stall is the time of a writer's statement that was open at some time of the installation: an order, or the "
        "lines of one, come, change or go. Before is the same in the seconds before it. In is what the installation "
        "was at when the longest one began."
    )
    return [Grid(TITLE, head, rows, note)]


def plot(result: dict[str, Any], out: Path) -> Path | None:
    """Each transaction of the writers by its beginning, an arm a panel; None without matplotlib."""
    try:
        import matplotlib as mpl
    except ImportError:
        return None
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    traces = result["traces"]
    seconds = {_label(Round(**values)): values["seconds"] for values in reversed(result["rounds"])}
    figure, axes = plt.subplots(len(traces), 1, squeeze=False, figsize=(10, 2.4 * len(traces)), layout="constrained")
    for ax, (label, trace) in zip(axes.flat, traces.items(), strict=True):
        ax.axvspan(0, seconds[label], color="#56B4E9", alpha=0.2)
        ax.scatter([began for began, _ in trace], [1000 * took for _, took in trace], s=3, color="#0072B2")
        ax.set_yscale("log")
        ax.set_title(label, loc="left", fontsize=11, fontweight="bold")
        ax.set_ylabel("write, ms", fontsize=9)
        ax.grid(axis="y", color="#E5E5E5", linewidth=0.8)
    axes.flat[-1].set_xlabel("seconds since the installation began (shaded: it is at work)", fontsize=9)
    figure.supxlabel(headline(result), fontsize=8, color="#555555")
    path = out / "online.png"
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return path
