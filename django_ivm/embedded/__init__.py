"""A private PostgreSQL for tests, demos and benchmarks, from programs that pip installs.

``DATABASE_URL`` wins wherever it is set. In a settings module::

    from django_ivm import embedded

    DATABASES = {"default": embedded.django_database()}

``python -m django_ivm.embedded`` runs one in the foreground.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from .binaries import Binaries, EmbeddedError, find
from .server import Server, start

__all__ = ["Binaries", "EmbeddedError", "Server", "database_url", "django_database", "find", "start"]

VARIABLE = "DATABASE_URL"

_shared: Server | None = None
_starting = threading.Lock()


def database_url() -> str:
    """``DATABASE_URL``, or the URL of a server that this process starts once and ends when it ends.

    The server's URL is put into the environment, so that child processes share it.

    :raises EmbeddedError: a server is needed and cannot be started.
    """
    global _shared
    with _starting:
        if not os.environ.get(VARIABLE):
            _shared = start()
            os.environ[VARIABLE] = _shared.url
        return os.environ[VARIABLE]


def django_database(url: str | None = None, **extra: Any) -> dict[str, Any]:
    """An entry of Django's ``DATABASES``.

    :param url: anything libpq reads (``postgresql://user:password@host:port/name?sslmode=…`` or
        ``host=… dbname=…``); ``None`` takes :func:`database_url`.
    :param extra: more keys of the entry, as ``NAME="other"``; ``OPTIONS`` is merged.
    :raises psycopg.ProgrammingError: the URL cannot be read.
    """
    from psycopg.conninfo import conninfo_to_dict

    options: dict[str, Any] = conninfo_to_dict(database_url() if url is None else url)
    entry = {
        "ENGINE": "django.db.backends.postgresql",
        "USER": options.pop("user", ""),
        "PASSWORD": options.pop("password", ""),
        "HOST": options.pop("host", ""),
        "PORT": str(options.pop("port", "")),
    }
    if "dbname" in options or "service" not in options:
        # libpq's own rule for a missing name.
        entry["NAME"] = options.pop("dbname", "") or entry["USER"] or "postgres"
    return {**entry, **extra, "OPTIONS": {**options, **extra.get("OPTIONS", {})}}
