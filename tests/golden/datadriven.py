"""Runs `.ivm` files: what the compiler makes of a query, and what a write then does to the view.

A file is a sequence of blocks; comments begin with `#` and stand before a directive::

    view name=by_region
    SELECT region, count(*) AS n FROM sale GROUP BY region
    ----
    incremental
    Aggregate by [region] [n = count(*)]
      Scan sale [region]

    step
    INSERT INTO sale VALUES (1, 'eu'), (2, NULL);
    ----
    +1  eu  1
    +1  NULL  1

`IVM_REWRITE=1 pytest tests/golden` writes the outputs anew. What makes a view *right* is no part of an output: after
each statement of a `step` every view is compared with the user's own query, both ways, and it is counted that no full
refresh ran (`oracle.py`). A rewrite can't bless a wrong result, because it only happens to a file that passed.

Directives:

tables                  DDL and first rows
view name=V             install a view; shows strategy, reasons, tree.  mode=, strategy=, surrogate=COLUMN, model
                        alike=A,B: PostgreSQL may show any of several equal values there, open=C: any of several values;
                        the compiler must find just these, and everything else is compared as text
ir                      the last view as bound, before any rewrite
plan                    the last view's maintenance plan
stage of=NAME           the last view at a stage of the trace: ast (the canonical SQL), ir, a rewrite's name, plan
sql of=fill             the last view's fill, printed by pglast; level=N: of an inner level
sql of=change           its change, of which source=TABLE or (source=*) any source is the cause
rewrite expect=RULE     the tree before and after a rule; expect-not=RULE: the rule leaves it alone. Every stage of the
                        tree is run and compared with the query
probe CODE              statements that `fails` runs after installing, to see the fallback at work
fails                   the query is refused: code, place, hint; the view still equals its query after each refresh
step                    statements; shows the change of each view.  `message`: all in one message to the server
error                   statements that PostgreSQL must refuse; shows the message
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SEPARATOR = "----"
REWRITE = "IVM_REWRITE"


class BadFile(Exception):
    """The file can't be read as blocks."""


@dataclass(frozen=True)
class Block:
    """One directive. `head` is the text before it: comments and empty lines, kept as they are."""

    line: int
    head: tuple[str, ...]
    directive: str
    command: str
    arguments: dict[str, str]
    body: str
    output: str

    def with_output(self, output: str) -> str:
        """The block as text, with this output."""
        lines = [*self.head, self.directive, *self.body.splitlines(), SEPARATOR, *output.splitlines()]
        return "\n".join(lines) + "\n"


@dataclass
class _Lines:
    path: str
    lines: list[str]
    at: int = 0

    def take(self, until: Callable[[str], bool]) -> list[str]:
        start = self.at
        while self.at < len(self.lines) and not until(self.lines[self.at]):
            self.at += 1
        return self.lines[start : self.at]


def parse(text: str, path: str = "file") -> tuple[list[Block], list[str]]:
    """Blocks, and what follows the last one.

    Raises BadFile with the line.
    """
    source = _Lines(path, text.splitlines())
    blocks: list[Block] = []
    while True:
        head = source.take(lambda line: bool(line.strip()) and not line.startswith("#"))
        if source.at == len(source.lines):
            return blocks, head
        number, directive = source.at + 1, source.lines[source.at]
        command, *words = shlex.split(directive)
        source.at += 1
        body = source.take(lambda line: line == SEPARATOR)
        if source.at == len(source.lines):
            raise BadFile(f"{path}:{number}: {command} has no line {SEPARATOR}")
        source.at += 1
        output = source.take(lambda line: not line.strip())
        arguments = {name: value for name, _, value in (word.partition("=") for word in words)}
        block = Block(number, tuple(head), directive, command, arguments, "\n".join(body), "\n".join(output))
        blocks.append(block)


@dataclass
class Result:
    """A file's text as it is and as it would be with the outputs of this run."""

    path: Path
    expected: str
    actual: str

    def settle(self) -> None:
        """Compare, or write the file when `IVM_REWRITE` is set. Raises AssertionError with a diff."""
        if self.actual == self.expected:
            return
        if os.environ.get(REWRITE):
            self.path.write_text(self.actual)
            return
        diff = difflib.unified_diff(
            self.expected.splitlines(),
            self.actual.splitlines(),
            f"{self.path.name} (expected)",
            "this run",
            lineterm="",
            n=6,
        )
        raise AssertionError("\n".join(diff) + f"\n\n{REWRITE}=1 pytest {self.path} accepts this.")


def run(path: Path, execute: Callable[[Block], str]) -> Result:
    """Execute every block and collect the outputs; an exception of a block is raised with its place.

    In a Markdown file the blocks stand between ```ivm and ```.
    """
    text = path.read_text()
    if path.suffix == ".md":
        return Result(
            path, text, _FENCE.sub(lambda fence: "```ivm\n" + _run_blocks(path, fence[1], execute) + "```", text)
        )
    return Result(path, text, _run_blocks(path, text, execute))


_FENCE = re.compile(r"```ivm\n(.*?)```", re.DOTALL)


def _run_blocks(path: Path, text: str, execute: Callable[[Block], str]) -> str:
    blocks, tail = parse(text, str(path))
    parts = []
    for block in blocks:
        try:
            output = execute(block)
        except Exception as error:
            error.add_note(f"in {path.name}, line {block.line}: {block.directive}\n{block.body}")
            raise
        lines = [line.rstrip() for line in output.splitlines()]
        if not all(lines):
            raise BadFile(f"{path}:{block.line}: the output has an empty line, which would end it:\n{output}")
        parts.append(block.with_output("\n".join(lines)))
    return "".join(parts) + "".join(line + "\n" for line in tail)
