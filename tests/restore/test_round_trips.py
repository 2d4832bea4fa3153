"""A dump of the whole database, restored: the views are maintained there by writes of psql alone, and say so."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from . import shop
from .databases import Database
from .programs import Programs

Dump = Callable[..., Path]
Empty = Callable[..., Database]

every_way = pytest.mark.skipif(
    not os.environ.get("DJANGO_IVM_EVERY_RESTORE"), reason="runs when DJANGO_IVM_EVERY_RESTORE is set"
)


def maintained(
    programs: Programs, database: Database, *, marked: set[str] | None = None, writes: str = shop.WRITES
) -> None:
    """Exact as restored and after writes of psql alone; what is said of the views is true; everything can be taken off.

    `marked`: views that are stale as restored; by default those that writes only mark, as they were dumped.
    """
    database.check()
    stale = set(database.marked) if marked is None else marked
    assert database.stale() == stale
    database.refresh(*stale)
    database.check(*database.queries, *database.marked)
    assert database.stale() == set()
    assert database.states() == {"installed"}
    programs.psql(database.url, command=writes)
    database.check()
    assert database.stale() == set(database.marked)
    database.refresh(*database.marked)
    database.check(*database.marked)
    assert all(database.view(name).verify().ok for name in ("bag", "share", "whole"))
    database.uninstall()


@pytest.mark.parametrize(
    "dumping, restoring",
    [
        pytest.param([], None, id="plain"),
        pytest.param(["--inserts"], None, id="inserts", marks=every_way),
        pytest.param(["-Fc"], [], id="custom", marks=every_way),
        pytest.param(["-Fc"], ["-j", "3"], id="custom, parallel"),
        pytest.param(["-Fd", "-j", "2"], ["-j", "2"], id="directory, parallel", marks=every_way),
        pytest.param(["-Ft"], ["--single-transaction"], id="tar, one transaction", marks=every_way),
    ],
)
def test_whole(programs: Programs, dump: Dump, empty: Empty, dumping: list[str], restoring: list[str] | None) -> None:
    target = empty()
    path = dump(*dumping)
    if restoring is None:
        programs.psql(target.url, file=path)
    else:
        programs.run("pg_restore", "-d", target.url, "--exit-on-error", *restoring, str(path))
    maintained(programs, target)
