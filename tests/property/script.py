"""A test case as plain SQL: set-up, `CREATE VIEW` for each maintained view, and steps of statements.

As text it runs in psql, with ordinary views; `python -m tests.property.soak --replay FILE` runs it with maintained
ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pglast

_COPY = re.compile(r"^(COPY [^\n]+ FROM stdin);\n(.*?)^\\\.\n", re.MULTILINE | re.DOTALL)
_STEP = re.compile(r"^-- step\b.*$", re.MULTILINE)
_VIEW = re.compile(r"^CREATE VIEW (\w+) AS (.*)$", re.DOTALL)


@dataclass(frozen=True)
class Statement:
    """One SQL statement; `data` is what a COPY reads."""

    sql: str
    data: str | None = None

    def __str__(self) -> str:
        return f"{self.sql};\n" + ("" if self.data is None else f"{self.data}\\.\n")


@dataclass(frozen=True)
class Step:
    """Statements between two savepoints: one that fails undoes the step."""

    kind: str
    statements: tuple[Statement, ...]

    @classmethod
    def of(cls, kind: str, *statements: str | Statement) -> Step:
        return cls(kind, tuple(Statement(s) if isinstance(s, str) else s for s in statements))


@dataclass(frozen=True)
class View:
    name: str
    sql: str


@dataclass(frozen=True)
class Script:
    setup: tuple[str, ...]
    views: tuple[View, ...]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        lines = [f"{statement};\n" for statement in self.setup]
        lines += [f"CREATE VIEW {view.name} AS {view.sql};\n" for view in self.views]
        for i, step in enumerate(self.steps):
            lines.append(f"-- step {i + 1}: {step.kind}\n")
            lines += map(str, step.statements)
        return "".join(lines)

    @classmethod
    def parse(cls, text: str) -> Script:
        """The script of a text; views come after the set-up, steps after `-- step` lines."""
        head, *parts = _STEP.split(text)
        kinds = [line.partition(":")[2].strip() or "step" for line in _STEP.findall(text)]
        setup: list[str] = []
        views: list[View] = []
        for statement in _split(head):
            view = _VIEW.match(statement.sql)
            if view:
                views.append(View(view[1], view[2]))
            else:
                setup.append(statement.sql)
        steps = (Step(kind, tuple(_split(part))) for kind, part in zip(kinds, parts, strict=True))
        return cls(tuple(setup), tuple(views), tuple(steps))

    def only(self, names: set[str]) -> Script:
        return replace(self, views=tuple(v for v in self.views if v.name in names))


def _split(text: str) -> list[Statement]:
    """Statements, comments left out, each COPY with its data."""
    found: list[Statement] = []
    position = 0
    text = text.strip() + "\n"
    for copy in _COPY.finditer(text):
        found += _plain(text[position : copy.start()])
        found.append(Statement(copy[1], copy[2]))
        position = copy.end()
    return found + _plain(text[position:])


def _plain(text: str) -> list[Statement]:
    text = re.sub(r"^--.*$", "", text, flags=re.MULTILINE)
    return [Statement(s.strip()) for s in pglast.split(text)] if text.strip() else []
