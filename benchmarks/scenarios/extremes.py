"""Scenario d: min and max by group over one large table."""

from __future__ import annotations

from ..core import Feed, Lookup, Operation, Params, Scenario, Table, one_by_one
from ._common import AMOUNT, GROUP, HERE, IDS, SPAN

QUERY = "SELECT grp, min(val) AS lo, max(val) AS hi FROM reading GROUP BY grp"

READING = Table(
    "reading",
    f"SELECT id, {GROUP} AS grp, {AMOUNT} AS val, 'note ' || id AS note FROM {IDS}",
    ("ALTER TABLE reading ADD PRIMARY KEY (id)", "CREATE INDEX ON reading (grp, val)"),
)


def _extremes(feed: Feed, lookup: Lookup, n: int) -> list[Params]:
    """The rows that are the greatest of n different groups now."""
    groups = feed.rng.sample(range(feed.sizes.groups), min(n, feed.sizes.groups))
    found = lookup(
        "SELECT (SELECT id FROM reading AS r WHERE r.grp = g AND val IS NOT NULL ORDER BY val DESC LIMIT 1)"
        " FROM unnest($1::int[]) AS g",
        ("{" + ",".join(map(str, groups)) + "}",),
    )
    return [(row[0],) for row in found if row[0] is not None]


OPERATIONS = (
    Operation(
        "insert 1",
        "INSERT INTO reading (id, grp, val, note) VALUES ($1::bigint, $2::int, $3::numeric, $4::text)",
        one_by_one(lambda f: (f.fresh(), f.group(), f.amount(), f.text())),
        target="row",
    ),
    Operation(
        "update 1",
        "UPDATE reading SET val = $2::numeric WHERE id = $1::bigint",
        one_by_one(lambda f: (f.existing(), f.amount())),
        target="row",
    ),
    Operation(
        "delete 1",
        "DELETE FROM reading WHERE id = $1::bigint",
        one_by_one(lambda f: (f.victim(),)),
        target="row",
    ),
    Operation("delete the greatest", "DELETE FROM reading WHERE id = $1::bigint", _extremes, target="row", share=0.5),
    Operation(
        "update 1, unread column",
        "UPDATE reading SET note = $2::text WHERE id = $1::bigint",
        one_by_one(lambda f: (f.existing(), f.text())),
        target="unread",
    ),
    Operation(
        "insert {bulk}",
        f"INSERT INTO reading (id, grp, val, note) SELECT id, {GROUP}, {AMOUNT}, 'bulk' FROM {SPAN}",
        one_by_one(lambda f: f.fresh_span()),
        bulk=True,
        target="bulk",
    ),
    Operation(
        "update {bulk}",
        "UPDATE reading SET val = val + 1 WHERE id BETWEEN $1::bigint AND $2::bigint",
        one_by_one(lambda f: f.span()),
        bulk=True,
        target="bulk",
    ),
    Operation(
        "delete {bulk}",
        "DELETE FROM reading WHERE id BETWEEN $1::bigint AND $2::bigint",
        one_by_one(lambda f: f.last_span()),
        bulk=True,
        target="bulk",
    ),
)

FUZZ = (
    "INSERT INTO reading VALUES (:fresh, :group, :amount, 'x')",
    "INSERT INTO reading SELECT :fresh + i, CASE WHEN i % 4 > 0 THEN i % 7 END,"
    " CASE WHEN i % 3 > 0 THEN i END, 'x' FROM generate_series(1, :few) AS i",
    "UPDATE reading SET val = :amount WHERE id % :mod = 0",
    "UPDATE reading SET val = NULL WHERE grp = :group",
    "UPDATE reading SET val = val + (:few - 20) WHERE grp IS NOT DISTINCT FROM :group",
    "UPDATE reading SET grp = :group, val = :amount WHERE id % :mod = 1",
    "UPDATE reading SET grp = :group WHERE grp IS NOT DISTINCT FROM :group",
    "UPDATE reading SET note = 'y' WHERE id % :mod = 0",
    "DELETE FROM reading WHERE id % :mod = 0",
    "DELETE FROM reading WHERE grp IS NOT DISTINCT FROM :group",
    "DELETE FROM reading AS r WHERE val = (SELECT max(val) FROM reading WHERE grp IS NOT DISTINCT FROM r.grp)",
    "DELETE FROM reading WHERE val IS NOT NULL AND id % 2 = 0",
)

SCENARIO = Scenario(
    key="d",
    title="min and max by group over one table",
    tables=(READING,),
    query=QUERY,
    columns=("grp", "lo", "hi"),
    unique=("grp",),
    hand_sql=HERE / "extremes.hand.sql",
    operations=OPERATIONS,
    inserts={
        "own group": "INSERT INTO reading VALUES (nextval('ids'), :client_id + 1, 1.5, 'x')",
        "one hot group": "INSERT INTO reading VALUES (nextval('ids'), 1, 1.5, 'x')",
    },
    fuzz=FUZZ,
)
