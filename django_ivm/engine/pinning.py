"""Settings that an installed view's values follow: kept as they were at its definition, whoever writes or asks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from django.db import transaction

from ..compiler.frontend.settings import PINNABLE
from .introspect import rows

# A configuration is found by the search_path, which isn't the same in our functions.
_CONFIGURATION = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.cfgname)
FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace
WHERE pg_ts_config_is_visible(c.oid) AND quote_ident(c.cfgname) = %s
"""


def current(cursor: Any) -> tuple[tuple[str, str], ...]:
    """The session's values of all settings that can be pinned."""
    found = []
    for name in PINNABLE:
        value = rows(cursor, "SELECT current_setting(%s)", (name,))[0][0]
        if name == "default_text_search_config":
            value = next((qualified for (qualified,) in rows(cursor, _CONFIGURATION, (value,))), value)
        found.append((name, value))
    return tuple(found)


def values(cursor: Any, names: list[str]) -> tuple[tuple[str, str], ...]:
    """The session's values of some settings, as they are."""
    return tuple((name, rows(cursor, "SELECT current_setting(%s)", (name,))[0][0]) for name in names)


def pin(cursor: Any, settings: tuple[tuple[str, str], ...]) -> None:
    """Set them for the rest of the transaction, or until the savepoint is rolled back."""
    for name, value in settings:
        cursor.execute("SELECT set_config(%s, %s, true)", (name, value))


@contextlib.contextmanager
def under(connection: Any, settings: tuple[tuple[str, str], ...]) -> Iterator[Any]:
    """A cursor for reading under these settings; they go with the savepoint that everything happens in."""
    if not settings:
        with connection.cursor() as cursor:
            yield cursor
        return
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        pin(cursor, settings)
        yield cursor
        transaction.set_rollback(True, using=connection.alias)
