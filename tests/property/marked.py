"""Views that are refreshed in full or by hand: whenever one differs from its query it says that it is stale."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db import transaction

from django_ivm import create_view, get_view
from django_ivm.errors import DefinitionError, RefreshError

from .dice import Dice
from .oracle import LIVE, Run
from .outcome import KEPT, Tally, Wrong
from .scenarios import draw_script
from .script import Step


@dataclass
class Marked(Run):
    """Installs every view, in manual mode those whose names are in `manual`; refreshes after each third step."""

    manual: frozenset[str] = frozenset()
    refreshed: int = 0
    noticed: int = 0  # times that a view differed, and said so

    def _create(self, name: str, sql: str) -> None:
        mode = "manual" if name in self.manual else "immediate"
        try:
            with transaction.atomic(using=self.using):
                view = create_view(name, sql, mode=mode, using=self.using)
        except DefinitionError as error:
            # Reads a view that PostgreSQL refused, or an order that the query doesn't determine.
            self.tally.invalid[error.code] += 1
            return
        except Exception as error:
            raise self._broken(name, error) from error
        self.names.append(name)
        self.tally.drawn(sql, KEPT if view.status().strategy == "incremental" else "full")

    def _check(self, number: int, what: str) -> None:
        self.tally.checks += 1
        for name, missing, unexpected in self._differences(self.names):
            if not missing and not unexpected:
                continue
            self._enter(LIVE)
            if get_view(name, using=self.using).is_fresh():
                self._explain(number, f"{what}, and it claims to be fresh", name)
            self.noticed += 1

    def _step(self, number: int, step: Step) -> None:
        super()._step(number, step)
        if number % 3 == 2:
            self._refresh_all(number)

    def _refresh_all(self, number: int) -> None:
        """Views in the order of their making: parents first."""
        self._enter(LIVE)
        self._do("SET DateStyle = 'ISO, MDY'")
        for name in self.names:
            try:
                with transaction.atomic(using=self.using):
                    get_view(name, using=self.using).refresh()
            except RefreshError as error:
                raise Wrong("refresh", f"{name}: {error}", self.script, number, name) from error
            self.refreshed += 1
        for name, missing, unexpected in self._differences(self.names):
            if missing or unexpected:
                self._explain(number, "after a refresh of all views", name)
        for name in self.names:
            if not get_view(name, using=self.using).is_fresh():
                raise Wrong("stale", f"{name} is stale after a refresh of all views", self.script, number, name)

    def _recomputed(self) -> int:
        return 0

    def _finish(self) -> None:
        self._refresh_all(len(self.script.steps) - 1)


def draw_marked(dice: Dice, tally: Tally, steps: int = 12) -> Marked:
    """A script of views over views, many of which have no rule, some in manual mode."""
    script = draw_script(dice, steps=steps, chains=70, large=0, twists=40)
    # Settings change what a stable query answers, without a write.
    script = replace(script, steps=tuple(s for s in script.steps if s.kind != "settings"))
    return Marked(script, tally, manual=frozenset(dice.some([v.name for v in script.views], 30)))
