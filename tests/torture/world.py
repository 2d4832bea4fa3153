"""Tables with views, and what is asked of them at quiet points."""

from __future__ import annotations

import random
from typing import Any

from django.db import connection

import django_ivm
from django_ivm.engine import install as installer
from django_ivm.engine import register
from django_ivm.engine.spec import ViewSpec
from tests.engine.area import Area

from . import shop, storm
from .modes import AT_ONCE, AT_WILL, BARE, MODES


class World:
    """A schema with a workload's tables and some of its views, all in one mode, or each in its own."""

    def __init__(self, workload: str, mode: str, views: list[str], rng: random.Random, truncates: bool = False) -> None:
        self.workload, self.mode, self.truncates = workload, mode, truncates
        self.module = self.module_of(workload)
        self.area = Area()
        self.modes: dict[str, str] = {}
        self.area.run(self.module.SCHEMA)
        for name in views if mode != BARE else ():
            query = self.module.VIEWS[name] if name in self.module.VIEWS else self.module.DEPENDENT[name][0]
            self.modes[name] = rng.choice(MODES) if mode == AT_WILL else mode
            self.area.queries[name] = query
            spec = ViewSpec(name, query, mode=self.modes[name], strategy="incremental", schema=self.area.schema)
            installer.install(spec, connection)
        at_once = [name for name, mode in self.modes.items() if mode == "immediate"]
        if at_once and not truncates:
            self.area.forbid_recompute(*at_once)

    @staticmethod
    def module_of(workload: str) -> Any:
        return {"storm": storm, "shop": shop}[workload]

    def __str__(self) -> str:
        return f"{self.workload}, " + (" ".join(f"{n}:{m}" for n, m in self.modes.items()) or BARE)

    def drop(self) -> None:
        self.area.drop()

    def handle(self, name: str) -> django_ivm.View:
        return django_ivm.View(name, schema=self.area.schema)

    @property
    def later(self) -> list[str]:
        """Views that somebody has to bring up to date."""
        return [name for name, mode in self.modes.items() if mode not in AT_ONCE]

    def different(self, name: str) -> str:
        """The query whose rows are the differences of a view from its query as the user wrote it."""
        query, table = self.area.queries[name], f'{self.area.schema}."{name}"'
        return (
            f"WITH wanted AS (SELECT q::text AS r FROM ({query}) q), stored AS (SELECT q::text AS r FROM {table} q) "
            "(SELECT 'missing', r FROM wanted EXCEPT ALL SELECT 'missing', r FROM stored) UNION ALL "
            "(SELECT 'unexpected', r FROM stored EXCEPT ALL SELECT 'unexpected', r FROM wanted) ORDER BY 1, 2 LIMIT 20"
        )

    def silently_different(self, name: str) -> str:
        """The same without rows while the view says that it is stale, at one snapshot with the comparison."""
        return (
            f"SELECT * FROM ({self.different(name)}) d WHERE NOT EXISTS (SELECT 1 FROM django_ivm.stale s "
            f"WHERE s.view_schema = '{self.area.schema}' AND s.view_name = '{name}')"
        )

    def inside(self) -> tuple[tuple[str, str], ...]:
        """Queries that find no row inside a writer's transaction either.

        After a TRUNCATE older snapshots see an empty table, which no view can follow: none then.
        """
        if self.truncates:
            return ()
        return tuple((name, self.different(name)) for name, mode in self.modes.items() if mode == "immediate")

    def quiet(self) -> tuple[int, list[str]]:
        """Nobody writes: how many comparisons were made, and what was wrong in them.

        A view that isn't kept at once may be behind, but then has to say so; after its refresh it may not.
        """
        self.area.enter()
        wrong: list[str] = []
        checks = 0
        for name, mode in self.modes.items():
            handle = self.handle(name)
            checks += 1
            fresh, rows = handle.is_fresh(), self.area.run(self.different(name))
            if rows and fresh:
                wrong.append(f"{name} ({mode}) says that it is fresh and differs: {rows}")
            if mode in AT_ONCE:
                # A parent that is behind makes its children stale, and yet equal to what they read.
                behind = any(self.modes[p] not in AT_ONCE for p in self._ancestors(name))
                # After a TRUNCATE above READ COMMITTED a view may say that it is stale.
                if rows and not fresh and not self.truncates:
                    wrong.append(f"{name} ({mode}) differs: {rows}")
                if not fresh and not behind and not self.truncates:
                    wrong.append(f"{name} ({mode}) isn't fresh: {self.reasons(name)}")
        for name in self.modes:
            handle = self.handle(name)
            if name in self.later or (self.truncates and not handle.is_fresh()):
                handle.refresh()
            checks += 2
            if rows := self.area.run(self.different(name)):
                wrong.append(f"{name} ({self.modes[name]}) differs when refreshed: {rows}")
            result = handle.verify()
            if result.ok == bool(rows):
                wrong.append(f"{name}: verify() says {result}, the comparison {rows}")
        for name in self.modes:
            if not self.handle(name).is_fresh():
                wrong.append(f"{name} ({self.modes[name]}) isn't fresh when all are refreshed: {self.reasons(name)}")
        return checks, wrong

    def reasons(self, name: str) -> str:
        """Why a view isn't fresh."""
        with connection.cursor() as cursor:
            faults = register.faults(cursor, self.area.installed(name))
            cursor.execute(
                "SELECT reason FROM django_ivm.stale WHERE (view_schema, view_name) = (%s, %s)",
                (self.area.schema, name),
            )
            return f"{faults}, {cursor.fetchall()[:3]}, {self.handle(name).status()}"

    def _ancestors(self, name: str) -> set[str]:
        if name not in self.module.DEPENDENT:
            return set()
        parents = set(self.module.DEPENDENT[name][1])
        return parents.union(*(self._ancestors(parent) for parent in parents))
