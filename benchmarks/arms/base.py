"""What every arm is: a way to keep a query's result at hand, on its own copy of the tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from ..core import BenchError

if TYPE_CHECKING:
    from ..core import Scenario


OPTIONS = "-c synchronous_commit=off -c client_min_messages=warning"


@dataclass(slots=True)
class Arm:
    """One strategy. ``schema`` holds its copy of the tables; ``dsn`` reaches the benchmark's database.

    ``key`` names it on the command line, ``label`` in reports. ``maintained``: exact after every write.
    ``taxed``: its writes are measured, as they cost something. ``stored``: there is a view to fill.
    """

    dsn: str
    schema: str
    kept: psycopg.Connection | None = field(default=None, init=False)

    key = ""
    label = ""
    maintained = False
    taxed = False
    stored = True

    def connect(self) -> psycopg.Connection:
        """A new autocommit connection that sees this arm's tables first."""
        try:
            return psycopg.connect(
                self.dsn,
                autocommit=True,
                options=f"-c search_path={self.schema},public {OPTIONS}",
            )
        except psycopg.Error as e:
            raise BenchError(f"cannot connect to the benchmark database: {e}") from e

    def run(self, text: str) -> None:
        """Execute SQL of ours, on a connection that stays open as Django's do."""
        if self.kept is None:
            self.kept = self.connect()
        self.kept.execute(text.encode())

    def close(self) -> None:
        if self.kept is not None:
            self.kept.close()
            self.kept = None

    def unavailable(self) -> str:
        """Why this arm can't run here; empty when it can."""
        return ""

    def install(self, scenario: Scenario) -> None:
        """Make the view over the arm's tables and fill it."""

    def uninstall(self, scenario: Scenario) -> None:
        """Take away everything ``install`` made."""

    def refresh(self, scenario: Scenario) -> None:
        """Bring the view up to date. Only called on arms that are stored and not maintained."""

    def relation(self, scenario: Scenario) -> str:
        """What a reader puts after FROM."""
        return f"({scenario.query}) AS q"
