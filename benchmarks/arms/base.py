"""What every arm is: a way to keep the result of a scenario's query at hand, on its own copy of the tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString, cast

import psycopg

from ..core import BenchError

if TYPE_CHECKING:
    from ..core import Scenario


@dataclass(slots=True)
class Arm:
    """One strategy. ``schema`` holds its copy of the tables; ``dsn`` reaches the benchmark's database.

    ``key`` names it on the command line, ``label`` in reports. ``maintained`` says the view is exact after every write;
    ``taxed`` that writes cost something, so that they are measured. ``relation`` is what a reader selects from.
    """

    dsn: str
    schema: str

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
                options=f"-c search_path={self.schema},public -c synchronous_commit=off -c client_min_messages=warning",
            )
        except psycopg.Error as e:
            raise BenchError(f"cannot connect to the benchmark database: {e}") from e

    def run(self, text: str) -> None:
        """Execute SQL of ours, several statements at once if need be."""
        with self.connect() as conn:
            conn.execute(cast("LiteralString", text).encode())

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
