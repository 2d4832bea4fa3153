"""An online installation that dies: nothing half-made shows, and the next one finishes or begins anew."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, connection

import django_ivm
from django_ivm.engine import builds, online
from django_ivm.engine.attempts import Patience
from django_ivm.engine.spec import ViewSpec
from tests.engine.area import Area

from .catalog import catalog
from .traffic import JOIN, RANKS, TABLES

EVERY = os.environ.get("DJANGO_IVM_EVERY_MOMENT")
PATIENCE = Patience(limit=20)


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


class Dying:
    """A progress callback that ends the installation at its nth call."""

    def __init__(self, area: Area, number: int, *, terminated: bool) -> None:
        self.area, self.left, self.terminated, self.last = area, number, terminated, ""
        self.watcher = area.connect()

    def __call__(self, text: str) -> None:
        self.left -= 1
        self.last = text
        if self.left:
            return
        if not self.terminated:
            raise Killed(text)
        with connection.cursor() as cursor:
            pid = cursor.connection.info.backend_pid
        self.watcher.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))


def attempt(area: Area, spec: ViewSpec, tell: Callable[[str], None] | None = None) -> bool:
    """Install; whether it came to its end."""
    try:
        online.install_online(spec, connection, progress=tell, patience=PATIENCE)
    except (Killed, DatabaseError, InterfaceError):
        return False
    finally:
        if connection.connection is not None and (connection.connection.closed or connection.in_atomic_block):
            connection.close()
        area.enter()
    return True


def half_made(area: Area) -> list[Any]:
    """What a user could take for the view."""
    with pytest.raises(django_ivm.NotInstalledError):
        django_ivm.get_view("v1")
    return area.run(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = 'v1'"
    )


def write(area: Area) -> None:
    area.run("INSERT INTO child (pid, v) VALUES (1, 3), (2, 4); UPDATE child SET v = v + 1 WHERE id % 4 = 0; "
             "UPDATE parent SET grp = 'x' || grp WHERE id = 3; DELETE FROM child WHERE id % 9 = 0")  # fmt: skip


@pytest.mark.parametrize("mode, query, terminated, first", [
    ("immediate", JOIN, False, 4), ("commit", JOIN, True, 6), ("deferred", JOIN, True, 5), ("immediate", RANKS, False, 3),
], ids=["immediate-killed", "commit-terminated", "deferred-terminated", "full-killed"])  # fmt: skip
def test_killed_at_any_moment(area: Area, mode: str, query: str, terminated: bool, first: int) -> None:
    area.run(TABLES)
    area.queries["v1"] = query
    django_ivm.create_view("warm", query, mode=mode)  # our schema, and what an installation leaves
    expected = catalog(area)
    django_ivm.drop_view("warm")
    nothing = catalog(area)
    spec = ViewSpec(name="v1", sql=query, mode=mode, schema=area.schema)
    moments, phases = [], set()
    for number in range(1, 60) if EVERY else range(first, 60, 4):
        dying = Dying(area, number, terminated=terminated)
        if attempt(area, spec, dying):
            break
        moments.append(dying.last)
        if area.run("SELECT 1 FROM django_ivm.view WHERE view_name = 'v1'"):  # only triggers that do nothing are left
            write(area)
            django_ivm.get_view("v1").refresh()
            area.check()
            assert attempt(area, spec)
            django_ivm.drop_view("v1")
            assert catalog(area) == nothing
            continue
        assert half_made(area) == []
        with connection.cursor() as cursor:
            (build,) = builds.every(cursor) or (None,)
        phases.add(build.phase if build else None)
        write(area)
        if len(moments) % 2:
            online.prune(connection, PATIENCE, lambda _text: None)
            assert catalog(area) == nothing
        else:
            assert attempt(area, spec)
            view = django_ivm.get_view("v1")
            view.refresh()
            area.check()
            write(area)
            view.refresh()
            area.check()
            django_ivm.drop_view("v1")
            assert catalog(area) == nothing
    else:
        pytest.fail(f"it never ended: {moments}")
    assert not EVERY or {*builds.PHASES, None} == phases, (moments, phases)
    assert len(expected) == len(catalog(area))
    write(area)
    django_ivm.get_view("v1").refresh()
    area.check()
    with contextlib.suppress(django_ivm.NotInstalledError):
        django_ivm.drop_view("v1")
