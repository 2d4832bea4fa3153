"""A record of every arrow of the compilation, for `explain --trace`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Trace:
    """Collects (step, text) pairs; a step whose text didn't change says so."""

    steps: list[tuple[str, str]] = field(default_factory=list)
    enabled: bool = True

    def step(self, name: str, value: T) -> T:
        """Remember what `value` looks like after the step `name`, and hand it on."""
        if self.enabled:
            text = str(value)
            unchanged = bool(self.steps) and self.steps[-1][1] == text
            self.steps.append((name, "same as above" if unchanged else text))
        return value

    def __str__(self) -> str:
        return "\n\n".join(f"== {name}\n{text}" for name, text in self.steps)
