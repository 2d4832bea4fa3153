"""Scenario tpch: each of the 22 queries as the only view, under a refresh pair and under single new orders.

Writes are rolled back once timed, so that every query meets the same data; the view is compared with its query before
that. Refreshing is what REFRESH MATERIALIZED VIEW takes.
"""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from tqdm import tqdm

from django_ivm.errors import NotIncrementalError

from . import tpch_data
from .arms.base import OPTIONS
from .core import BenchError
from .data import WrongView, vacuum
from .report import Grid, ms, times
from .session import one_cpu

if TYPE_CHECKING:
    from .server import Place

KEY = "tpch"
TITLE = "TPC-H's 22 queries, each as a view"
SCHEMA = "tpch"
PATIENCE = 120  # seconds of a statement, then it is given up and counted as that


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. ``pairs`` and ``orders`` count timed writes, ``refreshes`` recomputations."""

    scale: float
    queries: tuple[str, ...]
    pairs: int
    orders: int
    refreshes: int
    pin: bool
    seed: int
    progress: bool


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of each timed write: refresh pairs, and single orders with their lines."""

    pairs: tuple[float, ...]
    orders: tuple[float, ...]


def run(place: Place, options: Options) -> dict[str, Any]:
    """Run everything; the result is what the report is made of, ready for JSON.

    :raises BenchError: something can't run.
    :raises WrongView: a view differs from its query.
    """
    with tqdm(total=len(options.queries) + 2, disable=not options.progress, dynamic_ncols=True) as bar:
        bar.set_description_str(f"data at scale {options.scale:g}")
        with _connect(place.dsn) as connection, tempfile.TemporaryDirectory() as directory:
            try:
                tpch_data.generate(Path(directory), options.scale)
                tpch_data.load(connection, SCHEMA, Path(directory))
                # The first of each kind is not timed: plans are made then.
                tpch_data.draw(connection, 1 + options.pairs, options.seed, single=1 + options.orders)
            except tpch_data.TPCHError as e:
                raise BenchError(str(e)) from e
            size = connection.execute("SELECT count(*) FROM lineitem").fetchone()
        bar.update()
        _configure(place.dsn)
        try:
            found = _queries(place, options, bar)
        finally:
            from .arms.ivm import disconnect

            disconnect()
    return {
        "meta": {
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "postgresql": place.version,
            "private_server": place.private,
            "python": platform.python_version(),
            "cpus": os.cpu_count(),
            "scale": options.scale,
            "lines": size[0] if size else 0,
            "pairs": options.pairs,
            "orders": options.orders,
            "seed": options.seed,
        },
        "tpch": found,
    }


def _queries(place: Place, options: Options, bar: tqdm[Any]) -> list[dict[str, Any]]:
    found = []
    with _connect(place.dsn) as admin, one_cpu(wanted=options.pin and place.private) as cpu:
        for name in options.queries:
            bar.set_description_str(name)
            # Measured anew beside each query: what disturbs the machine disturbs both.
            bare = _write(place.dsn, options, cpu)
            found.append({"query": name, **_query(place.dsn, options, name, bare, cpu)})
            vacuum(admin, [SCHEMA])
            bar.update()
    return found


def _query(dsn: str, options: Options, name: str, bare: Times, cpu: int | None) -> dict[str, Any]:
    import django_ivm

    with _connect(dsn) as connection:
        result: dict[str, Any] = {"refresh": _refresh(connection, options, name)}
    started = time.perf_counter()
    try:
        view = django_ivm.create_view(name, tpch_data.query(name), strategy="incremental")
    except NotIncrementalError as e:
        return {**result, "strategy": "full", "reasons": [e.code]}
    result["make"] = time.perf_counter() - started
    try:
        explained = view.explain()
        kept = _write(dsn, options, cpu, compare=(name, view.table))
    finally:
        django_ivm.drop_view(name)
    return {
        **result,
        "strategy": explained.strategy,
        "reasons": [reason.code for reason in explained.reasons],
        "pair": {"bare": bare.pairs, "kept": kept.pairs},
        "order": {"bare": bare.orders, "kept": kept.orders},
    }


def _refresh(connection: psycopg.Connection, options: Options, name: str) -> float:
    """Seconds of REFRESH MATERIALIZED VIEW, the median."""
    query = tpch_data.query(name).encode()
    taken = []
    with contextlib.suppress(psycopg.errors.QueryCanceled):
        connection.execute(b"CREATE MATERIALIZED VIEW refreshed AS " + query + b" WITH NO DATA")
        for _ in range(options.refreshes):
            started = time.perf_counter()
            connection.execute("REFRESH MATERIALIZED VIEW refreshed")
            taken.append(time.perf_counter() - started)
    connection.execute("DROP MATERIALIZED VIEW refreshed")
    return statistics.median(taken) if taken else float(PATIENCE)


def _write(dsn: str, options: Options, cpu: int | None, compare: tuple[str, str] | None = None) -> Times:
    """Time refresh pairs and single orders in a fresh connection; the last of each is compared with the query."""
    pairs: list[float] = []
    orders: list[float] = []
    with _connect(dsn) as connection:
        if cpu is not None:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(connection.info.backend_pid, {cpu})
        both = (*tpch_data.RF1, *tpch_data.RF2)
        numbers = list(range(1, 2 + options.pairs))
        singles = list(range(2 + options.pairs, 3 + options.pairs + options.orders))
        for taken, statements, which in ((pairs, both, numbers), (orders, tpch_data.RF1, singles)):
            for number in which:
                with _undone(connection):
                    taken.append(_timed(connection, statements, number))
                    if compare and number == which[-1] and taken[-1] < PATIENCE:
                        _compare(connection, *compare)
    return Times(tuple(pairs[1:]), tuple(orders[1:]))


def _timed(connection: psycopg.Connection, statements: Sequence[str], number: int) -> float:
    total = 0.0
    for statement in statements:
        text = statement.replace("%s", str(number)).encode()
        started = time.perf_counter()
        try:
            connection.execute(text)
        except psycopg.errors.QueryCanceled:
            return float(PATIENCE)
        total += time.perf_counter() - started
    return total


def _compare(connection: psycopg.Connection, name: str, table: str) -> None:
    """:raises WrongView: the view differs from its query."""
    want = f"SELECT q::text FROM ({tpch_data.query(name)}) AS q"
    have = f"SELECT v::text FROM {table} AS v"
    both = f"({want} EXCEPT ALL {have}) UNION ALL ({have} EXCEPT ALL {want}) LIMIT 3"
    wrong = connection.execute(both.encode()).fetchall()
    if wrong:
        raise WrongView(f"{name}: the view differs from its query, e.g. in {wrong}")


@contextlib.contextmanager
def _undone(connection: psycopg.Connection) -> Iterator[None]:
    with connection.transaction(force_rollback=True):
        yield


def _connect(dsn: str) -> psycopg.Connection:
    options = f"-c search_path={SCHEMA},public -c statement_timeout={PATIENCE}s {OPTIONS}"
    try:
        return psycopg.connect(dsn, autocommit=True, options=options)
    except psycopg.Error as e:
        raise BenchError(f"cannot connect to the benchmark database: {e}") from e


def _configure(dsn: str) -> None:
    from .arms.ivm import configure

    configure(dsn, [SCHEMA])
    from django.db import connections

    with connections["default"].cursor() as cursor:
        cursor.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(SCHEMA)))


def headline(result: dict[str, Any]) -> str:
    """What was run, in a line."""
    meta = result["meta"]
    return (
        f"TPC-H at scale {meta['scale']:g} ({meta['lines']:,} lines), PostgreSQL {meta['postgresql']}, "
        f"{meta['cpus']} CPUs, medians of {meta['pairs']} refresh pairs (0.1 % of the orders come, 0.1 % go) and of "
        f"{meta['orders']} single orders with their lines, seed {meta['seed']}; every view compared with its query"
    )


def grids(result: dict[str, Any]) -> list[Grid]:
    """The tables of the result."""
    head = ["query", "kept", "refresh, ms", "pair, no view, ms", "pair, ms", "pair / no view", "refresh / added"]
    head += ["order, no view, ms", "order, ms", "worst, ms", "order / no view", "refresh / added"]
    rows = []
    for found in result["tpch"]:
        codes = ", ".join(dict.fromkeys(found["reasons"]))
        row = [found["query"], found["strategy"] + (f" ({codes})" if codes else ""), ms(1000 * found["refresh"])]
        if "pair" in found:
            row += _cells(found["pair"], found["refresh"], worst=False)
            row += _cells(found["order"], found["refresh"], worst=True)
        rows.append(row + [""] * (len(head) - len(row)))
    note = (
        "Each query is the only view. Refresh is REFRESH MATERIALIZED VIEW. Refresh / added is how many times as long "
        f"a refresh takes as what the view adds to the write. Statements are given up after {PATIENCE} s. Queries and "
        "data derive from TPC-H; the figures are not comparable with published TPC-H results."
    )
    return [Grid(TITLE, head, rows, note)]


def _cells(found: dict[str, Sequence[float]], refresh: float, *, worst: bool) -> list[str]:
    bare, kept = statistics.median(found["bare"]), statistics.median(found["kept"])
    cells = [ms(1000 * bare), ms(1000 * kept)]
    if worst:
        cells.append(ms(1000 * max(found["kept"])))
    return [*cells, times(kept / bare), times(refresh / (kept - bare)) if kept > bare else ""]
