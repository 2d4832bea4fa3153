"""The one place that makes names of database objects.

PostgreSQL cuts identifiers at 63 bytes without an error that anybody reads, so a long name is shortened here and
carries a hash of the whole.
"""

from __future__ import annotations

import hashlib
import re

RUNTIME_SCHEMA = "django_ivm"
LIMIT = 63  # bytes: NAMEDATALEN - 1


def digest(*parts: str) -> str:
    """Eight hexadecimal digits that stand for the parts."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:8]


def shorten(name: str, limit: int = LIMIT) -> str:
    """The name itself when it fits in `limit` bytes, else its beginning and a hash."""
    raw = name.encode()
    if len(raw) <= limit:
        return name
    return raw[: limit - 9].decode(errors="ignore") + "_" + digest(name)


def prefix(schema: str, view: str) -> str:
    """What every object of one view begins with in our schema; letters, digits and `_` only."""
    readable = re.sub(r"[^a-z0-9_]+", "_", view.lower()).strip("_") or "view"
    return f"{readable[:24]}_{digest(schema, view)}"


def derived(base: str, *parts: object) -> str:
    """`base_part_part`, within the limit."""
    return shorten("_".join([base, *map(str, parts)]))
