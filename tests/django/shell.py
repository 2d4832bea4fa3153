"""Commands as a shell sees them: what they print, and how they exit."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models

from .conftest import Declare


def run(name: str, *labels: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(name, *labels, stdout=out, stderr=out, **options)
    return out.getvalue()


def fails(name: str, *labels: str, match: str, **options: Any) -> str:
    out = io.StringIO()
    with pytest.raises(CommandError, match=match):
        call_command(name, *labels, stdout=out, stderr=out, **options)
    return out.getvalue()


def execute(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def numbers(declare: Declare, name: str = "Numbers", **attributes: Any) -> Any:
    return declare(name, **{"n": models.BigIntegerField(), "sql": "SELECT id AS n FROM shop_customer", **attributes})
