"""Views in modes `commit` and `deferred`, mixed with others: exact after each flush and drain, however much is pending."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg
from django.db import transaction

from django_ivm import create_view
from django_ivm.errors import DefinitionError, NotIncrementalError

from .dice import Dice
from .oracle import LIVE, Run, _GiveUp, preference
from .outcome import KEPT, Tally, Wrong
from .scenarios import draw_script


@dataclass
class Later(Run):
    """`modes` names each view's mode; drains come after each step whose number divides by `every`."""

    modes: dict[str, str] = field(default_factory=dict)
    every: int = 1

    def _create(self, name: str, sql: str) -> None:
        try:
            with transaction.atomic(using=self.using):
                create_view(
                    name, sql, strategy="incremental", mode=self.modes[name], using=self.using, prefer=preference(sql)
                )
        except NotIncrementalError as error:
            self.tally.drawn(sql, error.code)
        except DefinitionError as error:
            if error.code != "42P01":
                raise Wrong("install", f"{name}: {error}", self.script, view=name) from error
        except Exception as error:
            raise self._broken(name, error) from error
        else:
            self.names.append(name)
            self.tally.drawn(sql, KEPT)

    def _check(self, number: int, what: str) -> None:
        if number % self.every == self.every - 1 or number == len(self.script.steps) - 1:
            self._drain(number)
            super()._check(number, what)

    def _drain(self, number: int) -> None:
        """Views in the order of their making: parents first."""
        self._enter(LIVE)
        try:
            with self._savepoint(reraise=True):
                self._flush()
                for name in self.names:
                    if self.modes[name] == "deferred":
                        ((_, anew),) = self._rows(f"SELECT deltas, anew FROM django_ivm.drain('{LIVE}', '{name}', '')")
                        self._flush()
                        if anew and "TRUNCATE" not in anew and "MERGE" not in anew and "couldn't" not in anew:
                            raise Wrong("recomputed", f"{name}: {anew}", self.script, number, name)
        except psycopg.Error as error:
            if error.sqlstate and error.sqlstate[:2] in ("22", "57") and self._fails():
                raise _GiveUp from error
            raise Wrong(f"drain {error.sqlstate}", str(error), self.script, number) from error

    def _fails(self) -> bool:
        """The original queries raise on the rows that are there."""
        try:
            with self._savepoint(reraise=True):
                for name in self.names:
                    self._do(f"SELECT r::text FROM plain.{name} r")
        except psycopg.Error:
            return True
        return False

    def _flush(self) -> None:
        self._do("SET CONSTRAINTS django_ivm.ivm_commit IMMEDIATE; SET CONSTRAINTS django_ivm.ivm_commit DEFERRED")

    def _recomputed(self) -> int:
        return 0  # changes that undo each other may be computed anew; `_drain` looks at the reasons

    def _finish(self) -> None:
        self._drain(len(self.script.steps) - 1)
        super()._finish()


def draw_later(dice: Dice, tally: Tally, steps: int = 12, *, committed: bool = False) -> Later:
    """A script of views over views, most of them in modes `commit` and `deferred`."""
    script = draw_script(dice, steps=steps, chains=50, large=8)
    modes = {view.name: dice.pick(("deferred", "commit", "deferred", "commit", "immediate")) for view in script.views}
    return Later(script, tally, committed=committed, modes=modes, every=dice.pick((1, 2, 5)))
