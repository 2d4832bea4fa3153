"""What a small write costs: it reads no source in order, and few rows by index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction

from benchmarks import tpch_data

from .data import tables_of
from .hits import WRITES, find
from .test_queries import Checked, run

pytestmark = pytest.mark.usefixtures("shop")

# Entries read by index, of one table: a supplier of this scale has 600 lines of 60,000, each with an order, a customer
# and a part, and the planner may find it cheaper to come from another selective table of the join. A part has 30 lines.
# Where the join's keys differ, locking follows it too: for each key on another branch once. Nations and regions lead to a
# large share of everything.
FEW = {"a supplier": 30_000, "a part": 1_500, "nations": None, "regions": None}
FEW_OTHERWISE = 600

COUNTS = """
SELECT c.relname, sum(pg_stat_get_xact_tuples_returned(c.oid))::bigint,
       sum((SELECT sum(pg_stat_get_xact_tuples_returned(i.indexrelid)) FROM pg_index i WHERE i.indrelid = c.oid))::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'tpch' AND c.relkind = 'r' AND c.relname = ANY (%s)
GROUP BY 1
"""
Counts = dict[str, tuple[int, int]]


def counts() -> Counts:
    """Rows of each source that this transaction read so far: in order, and by index (its index entries)."""
    return {table: (in_order, by_index or 0) for table, in_order, by_index in run(COUNTS, list(tpch_data.TABLES))}


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def read_by(statements: list[str], then: Callable[[], None] = lambda: None) -> Counts:
    """Rows read by statements and the triggers that they fire; they are rolled back after ``then``."""
    with undone():
        before = counts()
        for statement in statements:
            run(statement)
        after = counts()
        then()
    return {t: (after[t][0] - before[t][0], after[t][1] - before[t][1]) for t in after}


def excess(found: Counts, bare: Counts, few: int) -> list[str]:
    """Reads beyond those of the bare write that a view's maintenance has no business with."""
    wrong = []
    for table, (in_order, by_index) in found.items():
        if in_order > bare[table][0]:
            wrong.append(f"{table}: {in_order} rows in order")
        if by_index - bare[table][1] > few:
            wrong.append(f"{table}: {by_index} by index")
    return wrong


@pytest.mark.parametrize("name", tpch_data.QUERIES)
def test_a_small_write_reads_little(name: str) -> None:
    """No query has a reason to read more: the list of exceptions, with their codes, is empty."""
    hit = find(name, run)
    assert hit, "the data has no hit of the query"
    writes = {write: [s.format(**hit) for s in statements] for write, (_, statements) in WRITES.items()}
    bare = {write: read_by(statements) for write, statements in writes.items()}
    checked = Checked(name, "immediate", strategy="incremental")
    assert checked.view.explain().reasons == ()
    untouched = set(tables_of(checked.query))
    wrong = {}
    original = checked.rows()

    def compare() -> None:
        checked.check()
        if checked.rows() != original:
            untouched.difference_update(WRITES[write][0])

    for write, statements in writes.items():
        for _ in range(2):  # a plan made at the first call is kept
            found, few = read_by(statements, compare), FEW.get(write, FEW_OTHERWISE)
            if few is not None and (reads := excess(found, bare[write], few)):
                wrong[write] = reads
    assert not wrong, "\n".join(f"{write}: {', '.join(reads)}" for write, reads in wrong.items())
    assert not untouched, "no write of these tables changed the view"


def test_the_count_sees_scans() -> None:
    """One of a table, and one of a whole index."""
    before = counts()
    run("SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off")
    run("SELECT count(l_comment) FROM lineitem")
    assert "in order" in str(excess(counts(), before, FEW_OTHERWISE))
    run("RESET enable_indexscan; RESET enable_indexonlyscan; SET LOCAL enable_seqscan = off")
    before = counts()
    run("SELECT count(o_orderkey) FROM orders WHERE o_orderkey > 0")
    assert excess(counts(), before, 1_000_000) == []
    assert "by index" in str(excess(counts(), before, FEW_OTHERWISE))
