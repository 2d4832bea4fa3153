"""Makes a failing script small: fewer views, steps, statements, rows, and shorter queries."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pglast
from pglast import ast
from pglast.stream import RawStream

from .oracle import Run
from .outcome import Tally, Wrong
from .script import Script, Statement, Step, View

T = TypeVar("T")


def shrink(wrong: Wrong, seconds: float, run: Run) -> Wrong:
    """A smaller failure of the same kind, found within about so many seconds by runs like `run`."""
    return _Shrinker(wrong, time.monotonic() + seconds, run).run()


class _Shrinker:
    def __init__(self, wrong: Wrong, end: float, run: Run) -> None:
        self.best = wrong
        self.end = end
        self.like = run

    def run(self) -> Wrong:
        self._try(replace(self.best.script, steps=self.best.script.steps[: self.best.step + 1]))
        for _ in range(3):
            before = str(self.best.script)
            self._list(lambda s: s.views, lambda s, items: replace(s, views=tuple(items)))
            self._list(lambda s: s.steps, lambda s, items: replace(s, steps=tuple(items)))
            self._rows()
            self._list(lambda s: s.setup, lambda s, items: replace(s, setup=tuple(items)))
            self._queries()
            self._statements()
            if str(self.best.script) == before or time.monotonic() > self.end:
                break
        return self.best

    def _try(self, script: Script) -> bool:
        if time.monotonic() > self.end:
            return False
        try:
            replace(self.like, script=script, tally=Tally(), names=[]).run()
        except Wrong as wrong:
            if wrong.kind == self.best.kind:
                self.best = wrong
                return True
        except Exception:  # noqa: BLE001 a script that the runner can't take is no smaller failure
            return False
        return False

    def _list(self, get: Callable[[Script], Sequence[T]], put: Callable[[Script, list[T]], Script]) -> None:
        """Drop ever smaller runs of items."""
        size = max(1, len(get(self.best.script)) // 2)
        while size:
            at = len(get(self.best.script)) - size
            while at > -size:
                items = list(get(self.best.script))
                left = items[: max(0, at)] + items[max(0, at) + size :]
                if len(left) < len(items):
                    self._try(put(self.best.script, left))
                at -= size
            size //= 2

    def _rows(self) -> None:
        """Statements of a step, one by one."""
        for i in reversed(range(len(self.best.script.steps))):
            if i < len(self.best.script.steps) and len(self.best.script.steps[i].statements) > 1:
                self._list(
                    lambda s, i=i: s.steps[i].statements,
                    lambda s, items, i=i: _with_step(s, i, replace(s.steps[i], statements=tuple(items))),
                )

    def _queries(self) -> None:
        for i in range(len(self.best.script.views)):
            self._reduce(
                lambda s, i=i: s.views[i].sql,
                lambda s, sql, i=i: replace(s, views=(*s.views[:i], View(s.views[i].name, sql), *s.views[i + 1 :])),
            )

    def _statements(self) -> None:
        for i, step in enumerate(self.best.script.steps):
            for j, statement in enumerate(step.statements):
                if statement.data is None:
                    self._reduce(
                        lambda s, i=i, j=j: s.steps[i].statements[j].sql,
                        lambda s, sql, i=i, j=j: _with_step(s, i, _with_statement(s.steps[i], j, sql)),
                    )
        for i in range(len(self.best.script.setup)):
            self._reduce(
                lambda s, i=i: s.setup[i],
                lambda s, sql, i=i: replace(s, setup=(*s.setup[:i], sql, *s.setup[i + 1 :])),
            )

    def _reduce(self, get: Callable[[Script], str], put: Callable[[Script, str], Script]) -> None:
        """Drop parts of a statement's tree as long as the failure stays."""
        progress = True
        while progress and time.monotonic() < self.end:
            progress = False
            for smaller in _smaller(get(self.best.script)):
                if self._try(put(self.best.script, smaller)):
                    progress = True
                    break
                if time.monotonic() > self.end:
                    return


def _with_step(script: Script, i: int, step: Step) -> Script:
    return replace(script, steps=(*script.steps[:i], step, *script.steps[i + 1 :]))


def _with_statement(step: Step, j: int, sql: str) -> Step:
    return replace(step, statements=(*step.statements[:j], Statement(sql), *step.statements[j + 1 :]))


def _smaller(sql: str) -> list[str]:
    """The statement with one list item, one optional part, or one level of an expression left out."""
    found: dict[str, None] = {}
    try:
        count = _cut(pglast.parse_sql(sql)[0].stmt, None)
    except (pglast.Error, NotImplementedError):
        return []
    for number in range(count):
        tree = pglast.parse_sql(sql)[0].stmt
        try:
            _cut(tree, number)
            text = RawStream()(tree)
        except Exception:  # noqa: BLE001 a tree that is none, or can't be printed
            continue
        if len(text) < len(sql):
            found[text] = None
    return sorted(found, key=len)


def _cut(root: Any, wanted: int | None) -> int:
    """Make cut number `wanted`; the number of cuts there are."""
    number = 0

    def visit(node: Any) -> None:
        nonlocal number
        for name in node:
            value = getattr(node, name)
            if isinstance(value, tuple | list):
                for half in (value[: len(value) // 2], value[len(value) // 2 :]) if len(value) > 3 else ():
                    if number == wanted:
                        setattr(node, name, half)
                    number += 1
                for i, item in enumerate(value):
                    if number == wanted:
                        setattr(node, name, (*value[:i], *value[i + 1 :]) or None)
                    number += 1
                    # A part in the place of the whole.
                    for part in _parts(item):
                        if number == wanted:
                            setattr(node, name, (*value[:i], part, *value[i + 1 :]))
                        number += 1
                    if isinstance(item, ast.Node):
                        visit(item)
            elif isinstance(value, ast.Node):
                if number == wanted:
                    setattr(node, name, None)
                number += 1
                for part in _parts(value):
                    if number == wanted:
                        setattr(node, name, part)
                    number += 1
                visit(value)

    visit(root)
    return number


def _parts(node: Any) -> list[Any]:
    """Expressions or queries directly inside."""
    found: list[Any] = []
    if isinstance(node, ast.Node):
        for name in node:
            value = getattr(node, name)
            for item in value if isinstance(value, tuple | list) else (value,):
                if isinstance(
                    item,
                    ast.A_Expr
                    | ast.ColumnRef
                    | ast.FuncCall
                    | ast.SelectStmt
                    | ast.RangeVar
                    | ast.JoinExpr
                    | ast.RangeSubselect
                    | ast.A_Const
                    | ast.CoalesceExpr
                    | ast.NullTest
                    | ast.BoolExpr,
                ):
                    found.append(item)
    return found
