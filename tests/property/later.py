"""Views in modes `commit` and `deferred`, mixed with others: exact after each flush and drain, however much is pending."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import psycopg
from django.db import transaction

from django_ivm import create_view
from django_ivm.errors import DefinitionError, NotIncrementalError

from .dice import Dice
from .oracle import LIVE, TIMEOUT, Run, _GiveUp, preference
from .outcome import KEPT, Tally, Wrong
from .scenarios import draw_script
from .script import Step

_READS_A_VIEW = re.compile(r"\bFROM v\d\b")


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

    def _step(self, number: int, step: Step) -> None:
        if not any(_READS_A_VIEW.search(statement.sql) for statement in step.statements):  # it shows an older state
            super()._step(number, step)

    def _check(self, number: int, what: str) -> None:
        self._read_ahead(number, what)
        if number % self.every == self.every - 1 or number == len(self.script.steps) - 1:
            self._drain(number)
            super()._check(number, what)

    def _read_ahead(self, number: int, what: str) -> None:
        """Deferred views with what is pending added, where their plans allow to read that."""
        one = "SELECT r::text AS r FROM {} r EXCEPT ALL SELECT r::text FROM {} r LIMIT 3"
        query = f"SELECT objects->>'residual' FROM django_ivm.view WHERE view_schema = '{LIVE}' AND view_name = "
        for name in self.names:
            plain = f"plain.{name}"
            ((residual,),) = self._rows(f"{query} '{name}'") if self.modes[name] == "deferred" else (("",),)
            if not residual or self._fails():
                continue
            ahead = f'django_ivm."{residual}"'
            missing = [r for (r,) in self._rows(one.format(plain, ahead))]
            unexpected = [r for (r,) in self._rows(one.format(ahead, plain))]
            if missing or unexpected:
                text = f"{name} read ahead: missing {missing}, unexpected {unexpected}\n{what}"
                raise Wrong("residual", text, self.script, number, name)

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
            if error.sqlstate == TIMEOUT:
                self.tally.slow += 1
                raise _GiveUp from error
            if error.sqlstate and error.sqlstate[:2] == "22" and self._fails():
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
