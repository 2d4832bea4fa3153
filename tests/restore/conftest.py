"""A database with views of every kind, dumped; databases to restore into."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from .databases import Database
from .programs import Programs, find

_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def unblocked(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="package")
def programs(unblocked: None) -> Programs:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_database()")
    found = find(Database.of("default").url)
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture(scope="package")
def source(unblocked: None) -> Iterator[Database]:
    """The database that is dumped; nothing writes to it after it was filled."""
    with Database.create(f"ivm_dumped_{os.getpid()}") as made:
        made.fill()
        yield made


@pytest.fixture
def empty(unblocked: None) -> Iterator[Callable[[], Database]]:
    """Makes an empty database."""
    made: list[Database] = []

    def create(**options: Any) -> Database:
        made.append(Database.create(f"ivm_restored_{os.getpid()}_{next(_numbers)}", **options))
        return made[-1]

    yield create
    for database in made:
        database.drop()


@pytest.fixture
def dump(programs: Programs, source: Database, tmp_path: Path) -> Callable[..., Path]:
    """`dump(*options of pg_dump)`: the file or directory with the source's dump."""

    def write(*options: str) -> Path:
        path = tmp_path / f"dump{next(_numbers)}"
        programs.run("pg_dump", "-d", source.url, "-f", str(path), *options)
        return path

    return write
