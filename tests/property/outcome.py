"""What runs of scripts come to: a defect, or numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .script import Script


class Wrong(Exception):
    """The script shows a defect. `kind` says which, for the shrinker: the same kind must be left."""

    def __init__(self, kind: str, message: str, script: Script, step: int = 0, view: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.script = script
        self.step = step
        self.view = view

    def __str__(self) -> str:
        return f"{self.kind}: {self.args[0]}\n\n{self.script}"


@dataclass
class Tally:
    """What was drawn and run."""

    examples: int = 0
    steps: int = 0
    statements: int = 0
    checks: int = 0
    kept: int = 0
    slow: int = 0  # writes of maintained views that ran into the time limit
    refused: Counter[str] = field(default_factory=Counter)
    invalid: Counter[str] = field(default_factory=Counter)  # PostgreSQL itself refused the query
    failed: Counter[str] = field(default_factory=Counter)  # statements that fail without views too, by SQLSTATE

    @property
    def share(self) -> float:
        """How many of the valid queries were kept incrementally."""
        return self.kept / max(1, self.kept + self.refused.total())

    def __str__(self) -> str:
        return (
            f"{self.examples} examples, {self.steps} steps, {self.statements} statements, {self.checks} checks; "
            f"{self.kept} views kept ({self.share:.0%}), refused {dict(self.refused)}, invalid {dict(self.invalid)}, "
            f"failing statements {dict(self.failed)}" + (f", {self.slow} too slow" if self.slow else "")
        )
