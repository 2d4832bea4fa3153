"""The words the benchmark is written in: scenario, operation, feed, arm, sample."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

from psycopg import sql

Params = tuple[object, ...]
Lookup = Callable[[str, Params], list[tuple[object, ...]]]
"""Runs a SELECT on the first arm's copy and returns its rows, for operations that must find their target."""

Target = Literal["row", "bulk", "unread", ""]
"""Which of the goals checked by ``--check`` an operation belongs to; "" is measured and not judged."""

ORDERS = ("rows first", "bulk first")
"""What a fresh connection meets first: single-row statements, or a statement over thousands of rows."""


class BenchError(Exception):
    """The benchmark can't run, or a result can't be trusted; the message is for the person who started it."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many of each there are. The SQL texts of a scenario name these in braces, as ``{groups}``."""

    rows: int
    bulk: int
    customers: int
    products: int
    groups: int

    @classmethod
    def of(cls, rows: int) -> Sizes:
        """Sizes in proportion to ``rows`` of the big table; 1,000,000 gives 10,000 customers."""
        hundredth = max(20, rows // 100)
        return cls(
            rows,
            bulk=min(10_000, rows // 10),
            customers=hundredth,
            products=min(1000, hundredth),
            groups=min(1000, hundredth),
        )

    def into(self, text: str) -> sql.Composed:
        """The SQL text with its sizes put in."""
        return sql.SQL(text).format(**{f.name: sql.Literal(getattr(self, f.name)) for f in fields(self)})


@dataclass(slots=True)
class Feed:
    """Parameters for operations, drawn from a seed, so that every arm executes the same statements.

    The big table's ids start as 1..rows. Deletes consume the ids divisible by ten, updates use the others:
    no statement hits nothing.
    """

    sizes: Sizes
    seed: int
    rng: random.Random = field(init=False)
    next_id: int = field(init=False)
    victims: list[int] = field(init=False)
    spans: list[tuple[int, int]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.next_id = self.sizes.rows + 1
        self.victims = list(range(10, self.sizes.rows + 1, 10))
        self.rng.shuffle(self.victims)

    def fresh(self, n: int = 1) -> int:
        """First of n ids never used before."""
        first, self.next_id = self.next_id, self.next_id + n
        return first

    def victim(self) -> int:
        """An existing id that will be deleted."""
        if not self.victims:
            raise BenchError("too few rows for the number of rounds: raise --scale or lower --rounds")
        return self.victims.pop()

    def existing(self) -> int:
        """An existing id that no delete takes."""
        i = self.rng.randrange(1, self.sizes.rows)
        return i if i % 10 else i + 1

    def span(self) -> tuple[int, int]:
        """First and last id of a run of ``bulk`` original rows."""
        first = self.rng.randrange(1, max(2, self.sizes.rows - self.sizes.bulk))
        return first, first + self.sizes.bulk - 1

    def fresh_span(self) -> tuple[int, int]:
        """First and last of ``bulk`` ids never used before."""
        first = self.fresh(self.sizes.bulk)
        self.spans.append((first, first + self.sizes.bulk - 1))
        return self.spans[-1]

    def last_span(self) -> tuple[int, int]:
        """The ids of the last bulk insert, to be deleted again: the table keeps its size."""
        return self.spans.pop()

    def group(self) -> int | None:
        return None if self.rng.random() < 0.002 else self.rng.randrange(self.sizes.groups)

    def customer(self) -> int:
        return self.rng.randrange(1, self.sizes.customers + 1)

    def product(self) -> int:
        return self.rng.randrange(1, self.sizes.products + 1)

    def amount(self) -> str:
        return f"{self.rng.randrange(1, 10_000_000) / 100:.2f}"

    def text(self) -> str:
        return f"note {self.rng.randrange(1, 10**9)}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of statement. ``params(feed, lookup, n)`` gives the parameters of n executions."""

    name: str
    sql: str
    params: Callable[[Feed, Lookup, int], list[Params]]
    bulk: bool = False
    target: Target = ""
    share: float = 1.0  # of the usual number of repetitions, for statements that cost much more than a single row


@dataclass(frozen=True, slots=True)
class Table:
    """A source table: the SELECT that fills it and what is built on it afterwards; sizes stand in braces."""

    name: str
    fill: str
    finish: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Source tables, the query over them, its hand-written triggers, and what is done to the sources."""

    key: str
    title: str
    tables: tuple[Table, ...]
    query: str
    columns: tuple[str, ...]
    unique: tuple[str, ...]
    hand_sql: Path
    operations: tuple[Operation, ...]
    inserts: dict[str, str] = field(default_factory=dict)  # label -> statement for concurrent single-row inserts
    fuzz: tuple[str, ...] = ()  # statements the self-check draws from; :name is replaced by a random literal


def one_by_one(make: Callable[[Feed], Params]) -> Callable[[Feed, Lookup, int], list[Params]]:
    """Parameters of an operation that needs no look-up."""

    def params(feed: Feed, lookup: Lookup, n: int) -> list[Params]:
        return [make(feed) for _ in range(n)]

    return params


def read_sql(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as e:
        raise BenchError(f"{path}: {e.strerror}") from e
