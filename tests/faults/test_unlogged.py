"""A crash empties unlogged tables without a trigger: a view over one says that it is stale, and is healed."""

from __future__ import annotations

import random
import signal
from typing import Any

import django_ivm

from .world import ALIAS, World, a_world

QUERY = "SELECT k, count(*) AS n FROM fleeting GROUP BY k"
DIFFERENT = "(SELECT k, n FROM {} EXCEPT ALL {}) UNION ALL ({} EXCEPT ALL SELECT k, n FROM {})"


def wrong(world: World, view: django_ivm.View) -> bool:
    return bool(world.run(DIFFERENT.format(view.table, QUERY, QUERY, view.table)))


def test_unlogged_tables_after_a_crash(django_db_blocker: Any) -> None:
    with django_db_blocker.unblock(), a_world(random.Random(1)) as world:
        world.run("CREATE UNLOGGED TABLE fleeting (k int, v int); INSERT INTO fleeting VALUES (1, 1), (2, 2)")
        views = [
            django_ivm.create_view(f"fleeting_{mode}", QUERY, mode=mode, using=ALIAS)
            for mode in ("immediate", "manual")
        ]
        lasting = django_ivm.create_view("lasting", "SELECT g, count(*) AS n FROM sale GROUP BY g", using=ALIAS)
        world.cluster.shut_down(signal.SIGINT)
        world.cluster.restart()
        world.recover()
        assert all(view.is_fresh() and not wrong(world, view) for view in views)  # an orderly end loses nothing
        world.cluster.kill()
        world.cluster.restart()
        world.recover()
        for view in views:
            assert wrong(world, view)
            assert not view.is_fresh()
            assert any("crash" in doubt for doubt in view.status().doubts)
            view.refresh()
            assert not wrong(world, view)
            assert view.is_fresh()
        assert lasting.is_fresh()
