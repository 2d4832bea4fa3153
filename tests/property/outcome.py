"""What runs of scripts come to: a defect, or numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields

from .constructs import constructs
from .script import Script

KEPT = "incremental"


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
    wrong: int = 0
    slow: int = 0  # writes of maintained views that ran into the time limit
    refused: Counter[str] = field(default_factory=Counter)
    invalid: Counter[str] = field(default_factory=Counter)  # PostgreSQL itself refused the query
    failed: Counter[str] = field(default_factory=Counter)  # statements that fail without views too, by SQLSTATE
    constructs: Counter[tuple[str, str]] = field(default_factory=Counter)  # (construct, KEPT or the code of a refusal)

    def drawn(self, sql: str, outcome: str) -> None:
        """A valid query and what became of it."""
        for name in constructs(sql):
            self.constructs[name, outcome] += 1
        if outcome == KEPT:
            self.kept += 1
        else:
            self.refused[outcome] += 1

    def add(self, other: Tally) -> None:
        """The numbers of another tally too."""
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, Counter):
                value.update(getattr(other, f.name))
            else:
                setattr(self, f.name, value + getattr(other, f.name))

    def table(self) -> str:
        """Per construct: views drawn, how many of them kept incrementally, the codes of the others."""
        names = sorted({name for name, _ in self.constructs})
        lines = [f"{'construct':34} {'drawn':>7} {'incremental':>12}  otherwise"]
        for name in names:
            codes = Counter({o: n for (c, o), n in self.constructs.items() if c == name})
            drawn, kept = codes.total(), codes.pop(KEPT, 0)
            rest = ", ".join(f"{code} {count}" for code, count in codes.most_common(6))
            lines.append(f"{name:34} {drawn:7} {kept:7} {kept / drawn:4.0%}  {rest}")
        return "\n".join(lines)

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
