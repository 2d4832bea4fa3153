"""Expressions that make up rows from their id, the same in every copy and every run."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent

AMOUNT = "CASE WHEN id % 53 > 0 THEN ((hashint8(id + 7) & 8388607) % 1000000) / 100.0 END::numeric(12, 2)"
GROUP = "CASE WHEN id % 1009 > 0 THEN (hashint8(id) & 1048575) % {groups} END"
CUSTOMER = "CASE WHEN id % 997 > 0 THEN 1 + (hashint8(id) & 1048575) % {customers} END::bigint"
PRODUCT = "(1 + (hashint8(id + 3) & 1048575) % {products})::bigint"
IDS = "generate_series(1::bigint, {rows}) AS id"
SPAN = "generate_series($1::bigint, $2::bigint) AS id"
"""The ids of a bulk insert: its two parameters."""


def foreign_key(table: str, column: str, parent: str) -> tuple[str, str]:
    """The constraint and the index Django makes for a ForeignKey."""
    return (
        f"ALTER TABLE {table} ADD FOREIGN KEY ({column}) REFERENCES {parent} (id) DEFERRABLE INITIALLY DEFERRED",
        f"CREATE INDEX ON {table} ({column})",
    )
