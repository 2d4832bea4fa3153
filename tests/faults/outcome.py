"""What a fault did: how often it was injected, what failed by it, what became of the views."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .workload import LOST, ORDINARY


@dataclass
class Outcome:
    """`hit`: operations or transactions that failed by the fault. `wrong`: what must not be, in words."""

    injected: int = 0
    hit: int = 0
    told: str = ""
    exact: int = 0
    healed: int = 0
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, states: Counter[str], own: frozenset[str] = LOST, injected: int = 1) -> Outcome:
        """From how transactions ended; an error that is neither ordinary nor the fault's `own` is wrong."""
        foreign = {state: n for state, n in states.items() if state not in {"ok", *ORDINARY, *own}}
        wrong = [f"transactions ended with {foreign}"] if foreign else []
        return cls(injected, sum(states[state] for state in own), wrong=wrong)

    def with_told(self, told: str) -> Outcome:
        """With a word about what it was this time."""
        self.told = told
        return self

    def add(self, other: Outcome) -> None:
        self.injected += other.injected
        self.hit += other.hit
        self.exact += other.exact
        self.healed += other.healed
        self.wrong += other.wrong
