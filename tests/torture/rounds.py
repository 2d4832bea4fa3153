"""Who runs when: slices of the same seed on bare tables and on tables with views, in turns."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection

from . import client
from .client import Job, Tally
from .helpers import helpers
from .modes import BARE
from .world import World

STORM_SETTINGS = (("deadlock_timeout", "50ms"), ("lock_timeout", "60s"), ("statement_timeout", "120s"))
# The server's own deadlock_timeout, since waiting for it is a part of what a deadlock costs.
SHOP_SETTINGS = (("lock_timeout", "60s"), ("statement_timeout", "120s"))


@dataclass
class Figures:
    """What the slices of one mode at one isolation level come to, with those of the bare tables beside them."""

    seconds: float = 0.0
    slices: int = 0
    kept: Tally = field(default_factory=Tally)
    bare: Tally = field(default_factory=Tally)
    bare_seconds: float = 0.0
    ratios: list[float] = field(default_factory=list)  # of each slice to the bare ones right before and after it
    checks: int = 0
    wrong: int = 0
    helped: int = 0
    helper_aborts: Counter[str] = field(default_factory=Counter)


@dataclass
class Plan:
    """What is run."""

    workload: str
    modes: Sequence[str]
    levels: Sequence[str]
    writers: int
    seconds: float  # of a slice
    think: float = 0.0
    rest: float = 0.0
    views: Sequence[str] = ()  # () for a draw of them
    out: Path | None = None
    settings: tuple[tuple[str, str], ...] = ()
    truncates: bool | None = None  # None: in some rounds
    compared: bool = True  # with bare tables
    known: Sequence[str] = ()  # parts of findings that are only counted


class Run:
    """Rounds, their figures and what was found in them."""

    def __init__(self, plan: Plan, seed: int, pool: Executor, work: Callable[[Job], Tally] = client.run) -> None:
        self.plan, self.seed, self.pool, self.work = plan, seed, pool, work
        self.figures: dict[tuple[str, str], Figures] = {}
        self.found: list[str] = []
        self.known = 0
        known = connection.get_connection_params()
        self.server = {k: known[k] for k in ("dbname", "user", "password", "host", "port") if known.get(k)}

    def drawn(self, rng: random.Random) -> list[str]:
        """Views of a round: some of every kind, and some that read them, in dependency order."""
        module = World.module_of(self.plan.workload)
        wanted = set(self.plan.views)
        if not wanted and self.plan.workload == "storm":
            wanted = set(rng.sample(sorted(module.VIEWS), rng.randint(2, 7)))
            if rng.random() < 0.5:
                wanted.add(rng.choice(sorted(module.DEPENDENT)))
        elif not wanted:
            wanted = set(module.VIEWS)
        for name in sorted(wanted & set(module.DEPENDENT)):
            wanted |= set(module.DEPENDENT[name][1])
        return [name for name in (*module.VIEWS, *module.DEPENDENT) if name in wanted]

    def round(self, number: int, end: float) -> None:
        """Each mode at each level against the bare tables. One level after the other, the modes in random order."""
        rng = random.Random(f"{self.seed} {number}")
        views = self.drawn(rng)
        truncates = rng.random() < 0.25 if self.plan.truncates is None else self.plan.truncates
        worlds: list[World] = []
        try:
            for mode in (*([BARE] if self.plan.compared else []), *self.plan.modes):
                worlds.append(World(self.plan.workload, mode, views, rng, truncates))
            levels = list(self.plan.levels)
            rng.shuffle(levels)
            for level in levels:
                self.level(number, level, worlds, rng, end)
        finally:
            for world in reversed(worlds):
                world.drop()

    def level(self, number: int, level: str, worlds: list[World], rng: random.Random, end: float) -> None:
        """A bare slice before and after, so that a machine that gets slower meanwhile favours nobody."""
        bare, kept = [w for w in worlds if w.mode == BARE], [w for w in worlds if w.mode != BARE]
        rng.shuffle(kept)
        if time.monotonic() > end:
            return
        seed = f"{self.seed} {number} {level}"
        before = [self.slice(world, level, seed, rng) for world in bare]
        for world in kept:
            if time.monotonic() > end:
                return
            figures = self.figures.setdefault((world.mode, level), Figures())
            found = len(self.found)
            tally = self.slice(world, level, seed, rng, figures)
            self.quiet(world, figures)
            if len(self.found) > found:
                self.keep(number, level, world, tally, self.found[found:])
            after = [self.slice(world, level, seed, rng) for world in bare]
            figures.kept.add(tally)
            figures.seconds += self.plan.seconds
            figures.slices += 1
            for one in before + after:
                figures.bare.add(one)
                figures.bare_seconds += self.plan.seconds
            if beside := sum(one.done for one in before + after):
                figures.ratios.append(tally.done * len(before + after) / beside)
            before = after

    def slice(self, world: World, level: str, seed: str, rng: random.Random, figures: Figures | None = None) -> Tally:
        """All writers for a while."""
        storm = self.plan.workload == "storm"
        begin = time.time() + 0.15
        jobs = [
            Job(
                server=self.server,
                schema=world.area.schema,
                workload=self.plan.workload,
                level=level,
                seed=f"{seed} {writer}",
                begin=begin,
                seconds=self.plan.seconds,
                think=self.plan.think,
                rest=self.plan.rest,
                settings=self.plan.settings or (STORM_SETTINGS if storm else SHOP_SETTINGS),
                checks=world.inside() if storm else (),
                truncates=world.truncates,
                journal=storm and world.mode != BARE,
            )
            for writer in range(self.plan.writers)
        ]
        total = Tally()
        pause = 0.02 if storm else 0.25
        with helpers(world, random.Random(rng.random()), pause, watched=storm) as hired:
            for tally in self.pool.map(self.work, jobs, timeout=self.plan.seconds + 300):
                total.add(tally)
        said = [f"{level}: {text}" for text in total.broken + total.wrong]
        said += [f"{level}, {text}" for helper in hired for text in helper.wrong]
        wrong = self.find(world, said)
        if figures is not None:
            figures.checks += total.checks + sum(helper.checks for helper in hired)
            figures.wrong += wrong
            figures.helped += sum(helper.done for helper in hired)
            if not storm:  # there they look too, which is no upkeep
                total.processor += sum(helper.processor for helper in hired)
            for helper in hired:
                figures.helper_aborts.update(helper.aborts)
        return total

    def quiet(self, world: World, figures: Figures) -> None:
        checks, wrong = world.quiet()
        figures.checks += checks
        figures.wrong += self.find(world, wrong)

    def find(self, world: World, texts: list[str]) -> int:
        """How many of the findings are new ones."""
        new = [f"{world}: {text}" for text in texts if not any(re.search(known, text) for known in self.plan.known)]
        self.known += len(texts) - len(new)
        self.found += new
        return len(new)

    def keep(self, number: int, level: str, world: World, tally: Tally, found: list[str]) -> None:
        """What is needed to look into it: who wrote what, in the order of the commits."""
        print(f"--- seed {self.seed}, round {number}, {level}, {world}", flush=True)
        for text in found[:5]:
            print(text[:3000], flush=True)
        if self.plan.out:
            self.plan.out.mkdir(parents=True, exist_ok=True)
            journal = [{"at": at, "level": lv, "script": script} for at, lv, script in sorted(tally.journal)]
            told = {"seed": self.seed, "round": number, "world": str(world), "found": found, "journal": journal}
            name = f"{self.plan.workload}_{world.mode}_{self.seed}_{number}_{level.replace(' ', '_').lower()}.json"
            (self.plan.out / name).write_text(json.dumps(told, indent=1))
