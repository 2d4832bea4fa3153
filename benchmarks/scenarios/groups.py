"""Scenario a: count and sum by group over one large table."""

from __future__ import annotations

from ..core import Operation, Scenario, Table, one_by_one
from ._common import AMOUNT, GROUP, HERE, IDS, SPAN

QUERY = "SELECT grp, count(*) AS n, sum(amount) AS total FROM sale GROUP BY grp"

SALE = Table(
    "sale",
    f"SELECT id, {GROUP} AS grp, {AMOUNT} AS amount, 'note ' || id AS note FROM {IDS}",
    ("ALTER TABLE sale ADD PRIMARY KEY (id)",),
)

OPERATIONS = (
    Operation(
        "insert 1",
        "INSERT INTO sale (id, grp, amount, note) VALUES ($1::bigint, $2::int, $3::numeric, $4::text)",
        one_by_one(lambda f: (f.fresh(), f.group(), f.amount(), f.text())),
        target="row",
    ),
    Operation(
        "update 1",
        "UPDATE sale SET amount = $2::numeric WHERE id = $1::bigint",
        one_by_one(lambda f: (f.existing(), f.amount())),
        target="row",
    ),
    Operation(
        "delete 1",
        "DELETE FROM sale WHERE id = $1::bigint",
        one_by_one(lambda f: (f.victim(),)),
        target="row",
    ),
    Operation(
        "update 1, unread column",
        "UPDATE sale SET note = $2::text WHERE id = $1::bigint",
        one_by_one(lambda f: (f.existing(), f.text())),
        target="unread",
    ),
    Operation(
        "insert {bulk}",
        f"INSERT INTO sale (id, grp, amount, note) SELECT id, {GROUP}, {AMOUNT}, 'bulk' FROM {SPAN}",
        one_by_one(lambda f: f.fresh_span()),
        bulk=True,
        target="bulk",
    ),
    Operation(
        "update {bulk}",
        "UPDATE sale SET amount = amount + 1 WHERE id BETWEEN $1::bigint AND $2::bigint",
        one_by_one(lambda f: f.span()),
        bulk=True,
        target="bulk",
    ),
    Operation(
        "delete {bulk}",
        "DELETE FROM sale WHERE id BETWEEN $1::bigint AND $2::bigint",
        one_by_one(lambda f: f.last_span()),
        bulk=True,
        target="bulk",
    ),
)

FUZZ = (
    "INSERT INTO sale VALUES (:fresh, :group, :amount, 'x')",
    "INSERT INTO sale SELECT :fresh + i, CASE WHEN i % 4 > 0 THEN i % 7 END,"
    " CASE WHEN i % 3 > 0 THEN i END, 'x' FROM generate_series(1, :few) AS i",
    "UPDATE sale SET amount = :amount WHERE id % :mod = 0",
    "UPDATE sale SET amount = NULL WHERE grp = :group",
    "UPDATE sale SET grp = :group, amount = :amount WHERE id % :mod = 1",
    "UPDATE sale SET grp = :group WHERE grp IS NOT DISTINCT FROM :group",
    "UPDATE sale SET note = 'y' WHERE id % :mod = 0",
    "UPDATE sale SET grp = CASE WHEN grp = :group THEN :group ELSE grp END, id = id + 100000 * :few",
    "DELETE FROM sale WHERE id % :mod = 0",
    "DELETE FROM sale WHERE grp IS NOT DISTINCT FROM :group",
    "DELETE FROM sale WHERE false",
    "INSERT INTO sale SELECT id, 0, 1, 'z' FROM sale WHERE id % :mod = 0"
    " ON CONFLICT (id) DO UPDATE SET amount = :amount",
)

SCENARIO = Scenario(
    key="a",
    title="count and sum by group over one table",
    tables=(SALE,),
    query=QUERY,
    columns=("grp", "n", "total"),
    unique=("grp",),
    hand_sql=HERE / "groups.hand.sql",
    operations=OPERATIONS,
    inserts={
        "own group": "INSERT INTO sale VALUES (nextval('ids'), :client_id + 1, 1.5, 'x')",
        "one hot group": "INSERT INTO sale VALUES (nextval('ids'), 1, 1.5, 'x')",
    },
    fuzz=FUZZ,
)
