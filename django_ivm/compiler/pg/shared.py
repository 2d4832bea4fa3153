"""What the compiler's SQL and those who ask the database about it agree on; it needs no parser."""

from __future__ import annotations

# Our schema, in which only its owner creates objects, makes the path one that nobody else has: the guards of the views'
# tables know by it who writes. (A setting of our own can be pinned to a function by superusers only.)
MAINTAINING_PATH = "pg_catalog, django_ivm, pg_temp"

STRIPES = 8  # rows of a lock bucket

# Settings, as SQL, under which the text of a row is the same in every session.
ROW_TEXT_SETTINGS = (
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "'UTC'"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("lc_monetary", "'C'"),
)
