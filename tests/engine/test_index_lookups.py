"""A small write reads a few rows by index, not a whole index: that would be a scan in other words."""

from __future__ import annotations

import pytest
from django.db import transaction

from tests.engine.area import Area

ROWS = 5_000
FEW = 600  # rows by index: a changed group's rows, join partners, lock buckets
VIEWS = {
    "by_customer": "SELECT cust, count(*) AS n, sum(v) AS s FROM purchase GROUP BY cust",
    "by_nation": "SELECT c.nation, sum(b.s) AS s, count(*) AS n FROM by_customer b JOIN cust c ON c.id = b.cust GROUP BY c.nation",
    "rows": "SELECT p.id, c.nation, p.v FROM purchase p JOIN cust c ON c.id = p.cust",
    "pairs": "SELECT a.id AS x, b.id AS y FROM purchase a JOIN purchase b ON a.cust = b.cust AND a.id < b.id",
    "top": "SELECT id, v FROM purchase ORDER BY v DESC, id LIMIT 5",
    "ranked": "SELECT id, rank() OVER (PARTITION BY cust ORDER BY v) AS r, sum(v) OVER (PARTITION BY cust) AS s FROM purchase",
    "ranked_by_nullable": "SELECT id, rank() OVER (PARTITION BY shop ORDER BY v) AS r FROM purchase",
    "latest": "SELECT DISTINCT ON (cust) cust, id, v FROM purchase ORDER BY cust, v DESC, id",
    "ranked_of_nation": "SELECT p.id, rank() OVER (PARTITION BY c.id ORDER BY p.v) AS r, c.nation FROM purchase p "
    "JOIN cust c ON c.id = p.cust",
    "without": "SELECT cust FROM purchase EXCEPT SELECT id FROM cust WHERE nation < 20",
}
WRITES = (
    "UPDATE purchase SET v = v + 1 WHERE id = 1010",
    "INSERT INTO purchase VALUES (900001, 7, 3)",
    "INSERT INTO purchase SELECT 800000 + i, i, 3, i FROM generate_series(1, 20) i",
    "DELETE FROM purchase WHERE id > 800000 AND id < 900000",
    "UPDATE purchase SET cust = 12, shop = 13 WHERE id = 1015",
    "UPDATE cust SET nation = nation + 1 WHERE id = 1050",
    "DELETE FROM purchase WHERE id = 1020",
    "WITH x AS (UPDATE cust SET nation = 1 WHERE id = 1070) UPDATE purchase SET v = v + 1 WHERE id = 1030",
    "INSERT INTO purchase VALUES (1040, 8, 1), (900002, 9, 1) ON CONFLICT (id) DO UPDATE SET v = excluded.v",
)


def reads(area: Area) -> dict[str, int]:
    """Rows read from the sources in this transaction, in order or by index."""
    found = area.run(
        "SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables "
        "WHERE relname IN ('cust', 'purchase')"
    )
    return dict(found)


@pytest.mark.parametrize(
    "names",
    [
        ("by_customer", "by_nation"),
        ("rows",),
        ("pairs",),
        ("top",),
        ("ranked",),
        ("ranked_by_nullable",),
        ("latest",),
        ("ranked_of_nation",),
        ("without",),
    ],
    ids="+".join,
)
def test_a_small_write_reads_few_rows(area: Area, names: tuple[str, ...]) -> None:
    area.run("CREATE TABLE cust (id int PRIMARY KEY, nation int)")
    area.run("CREATE TABLE purchase (id int PRIMARY KEY, cust int NOT NULL, v int, shop int)")
    area.run(f"INSERT INTO cust SELECT i, i % 25 FROM generate_series(1, {ROWS}) i")
    area.run(f"INSERT INTO purchase SELECT i, i % {ROWS} + 1, i, i % 1000 FROM generate_series(1, {ROWS}) i")
    area.run("CREATE INDEX ON purchase (cust)")
    area.run("CREATE INDEX ON purchase (shop)")
    for name in names:
        area.view(name, VIEWS[name])
    area.run("ANALYZE")
    for write in WRITES:
        with transaction.atomic():
            before = reads(area)
            area.run(write)
            after = reads(area)
        more = {table: after[table] - before.get(table, 0) for table in after}
        assert max(more.values()) < FEW, (write, more)
        area.check()
