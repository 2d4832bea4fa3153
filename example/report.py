"""What each view costs and whether it is right: measured on the loaded shop, printed as a table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from django.db import connection, transaction
from psycopg import sql

from django_ivm import IncrementalView
from django_ivm.engine.install import installed
from django_ivm.engine.register import InstalledView
from example.wholesale.models import LineItem, Order

TURNS = 5  # of each arm
WRITES = 25  # in a turn
WARM_UP = 8  # of these, not counted
LEGEND = """\
write without, with: median of one row that Django inserts into the view's busiest source, its keys checked,
  without and with this view's triggers (those of the views it reads are on in both)
full refresh: recompute the view and apply what differs; verify: table and query compared, both ways"""


@dataclass(frozen=True, slots=True)
class Row:
    """One view at the end of the demo; times in milliseconds."""

    view: str
    strategy: str
    mode: str
    rows: int
    write_without: float
    write_with: float
    full_refresh: float
    verified: bool


HEADINGS = ("view", "strategy", "mode", "rows", "write without", "with", "ratio", "full refresh", "verify")


def table(rows: Sequence[Row]) -> str:
    """The rows as aligned text."""
    cells = [HEADINGS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for line in cells:
        # Names to the left, numbers to the right.
        texts = [
            cell.ljust(width) if at < 3 or at == 8 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        lines.append("  ".join(texts).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.view,
        row.strategy,
        row.mode,
        f"{row.rows:,}",
        f"{row.write_without:.2f} ms",
        f"{row.write_with:.2f} ms",
        f"{row.write_with / row.write_without:.1f}x",
        f"{row.full_refresh:,.0f} ms",
        "ok" if row.verified else "WRONG",
    )


def catch_up(view: type[IncrementalView]) -> None:
    """Refresh a view that writes have left behind, and say why they did."""
    why = view.explain()
    print(f"{view.__name__} is stale after the writes, and says so. Its strategy is {why.strategy}:")
    for reason in why.reasons:
        print(f"  {reason}")
    result = view.refresh()
    changed = f"{result.inserted:,} rows in, {result.updated:,} changed, {result.deleted:,} out"
    took = f"{changed}, {result.duration * 1000:,.0f} ms"
    print(f"  refresh(): {result.strategy}, {took}; is_fresh(): {view.is_fresh()}", flush=True)


def examine(view: type[IncrementalView]) -> Row:
    """Check a view against its query, and measure what it costs."""
    # First of all: a refresh would mend what is wrong.
    verified = view.verify()
    for example in verified.examples:
        print(f"{view.__name__} is wrong: {example}", flush=True)
    status = view.status()
    without, with_view = write_cost(view)
    return Row(
        view.__name__,
        status.strategy,
        status.mode,
        verified.rows,
        without,
        with_view,
        full_refresh(view),
        verified.ok,
    )


def full_refresh(view: type[IncrementalView]) -> float:
    """Milliseconds of one recompute of the whole view, as a transaction of its own."""
    started = time.perf_counter()
    view.refresh(full=True)
    return (time.perf_counter() - started) * 1000


def write_cost(view: type[IncrementalView]) -> tuple[float, float]:
    """Median milliseconds of a write to the view's busiest source: without the view, and with it.

    The triggers of other views are off, but for those this one reads: what a chain costs is split by view.
    The arms take turns, write the same rows, and leave nothing behind.
    """
    known = {found.name: found for found in installed(connection)}
    this = known[view._meta.db_table]
    below: dict[str, InstalledView] = {}
    names = list(this.depends_on)
    while names:
        name = names.pop()
        if name not in below:
            below[name] = known[name]
            names += known[name].depends_on
    sources = {table for found in (this, *below.values()) for _, table in found.sources}
    writes = _new_lines() if LineItem._meta.db_table in sources else _new_orders()
    times: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(2 * TURNS):
        on = bool(turn % 2)
        kept = [*below.values(), *([this] if on else [])]
        off = [found for found in known.values() if found not in kept]
        times[on] += _timed(writes, off)
    return median(times[False]), median(times[True])


def _timed(writes: list[Order] | list[LineItem], off: list[InstalledView]) -> list[float]:
    times = []
    with transaction.atomic(), connection.cursor() as cursor:
        for found in off:
            for trigger in found.triggers:
                table = sql.Identifier(trigger["schema"], trigger["table"])
                disable = sql.SQL("ALTER TABLE {} DISABLE TRIGGER {}")
                cursor.execute(disable.format(table, sql.Identifier(trigger["name"])))
        for row in writes:
            savepoint = transaction.savepoint()
            started = time.perf_counter()
            row.save(force_insert=True)
            # What would else wait for the commit: foreign keys.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            times.append((time.perf_counter() - started) * 1000)
            transaction.savepoint_rollback(savepoint)
            row.pk = None
        transaction.set_rollback(True)
    # The first writes of a turn plan their statements anew.
    return times[WARM_UP:]


def _new_lines() -> list[LineItem]:
    """One more line for each of some open orders of the highest priority: rows that every view reads."""
    orders = Order.objects.filter(status=Order.Status.OPEN, priority=Order.Priority.URGENT).order_by("id")
    found = LineItem.objects.filter(order__in=orders[:WRITES]).order_by("order_id", "-line_number")
    lines = list(found.distinct("order_id"))
    for line in lines:
        line.pk = None
        line.line_number += 1
    return lines


def _new_orders() -> list[Order]:
    """One more order for each of some customers."""
    orders = list(Order.objects.order_by("customer_id", "id").distinct("customer_id")[:WRITES])
    for order in orders:
        order.pk = None
    return orders
