"""Statements of a maintenance step, before they are printed as plpgsql."""

from __future__ import annotations

from dataclasses import dataclass

from ..pg import sql as q

_MARK = "\x00"  # can't occur in SQL


@dataclass(frozen=True)
class Run:
    """One SQL statement; `into` names the variables that take its single row, in order."""

    sql: q.Fragment
    into: tuple[str, ...] = ()


@dataclass(frozen=True)
class When:
    """`then` if the condition holds, else `otherwise`."""

    condition: q.Fragment
    then: tuple[Step, ...]
    otherwise: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Replan:
    """Run with a fresh plan for the data at hand (EXECUTE): a plan made for few rows is ruinous for many."""

    statement: Run


@dataclass(frozen=True)
class Bump:
    """Change rows of a lock table, by a plan made once; `order` locks them first, in order.

    A dump without data leaves the table empty, and then nobody would wait for anybody: its rows are made first.
    """

    table: q.Fragment
    order: Step
    bump: Run

    @property
    def rows(self) -> q.Fragment:
        """The function that makes the rows."""
        return rows_function(self.table)


@dataclass(frozen=True)
class Each:
    """`then` for each row of a query, whose columns go into variables."""

    sql: q.Fragment
    into: tuple[str, ...]
    then: tuple[Step, ...]


Step = Run | When | Replan | Bump | Each


def rows_function(table: q.Fragment) -> q.Fragment:
    """The name of the function that fills a lock table, qualified as the table's is."""
    text = table.text
    return q.Fragment(text[:-1] + '_rows"' if text.endswith('"') else text + "_rows")


def variable(name: str) -> q.Fragment:
    """A plpgsql variable inside a statement; EXECUTE turns it into a parameter."""
    return q.Fragment(f"{_MARK}{name}{_MARK}")


def variables_in(fragment: q.Fragment) -> list[str]:
    """Names of the variables used, in order of first use."""
    return list(dict.fromkeys(fragment.text.split(_MARK)[1::2]))


def with_names(fragment: q.Fragment) -> q.Fragment:
    """The statement with variables by name, as static plpgsql has it."""
    return q.Fragment(fragment.text.replace(_MARK, ""))


def with_parameters(fragment: q.Fragment) -> q.Fragment:
    """The statement with $1, $2 … for its variables, as EXECUTE … USING has it."""
    text = fragment.text
    for i, name in enumerate(variables_in(fragment), start=1):
        text = text.replace(f"{_MARK}{name}{_MARK}", f"${i}")
    return q.Fragment(text)
