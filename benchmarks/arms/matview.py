"""PostgreSQL's own materialized view: writes cost nothing, each refresh runs the whole query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Arm

if TYPE_CHECKING:
    from ..core import Scenario


class Matview(Arm):
    key = "matview"
    label = "REFRESH MATERIALIZED VIEW"

    def install(self, scenario: Scenario) -> None:
        self.run(
            f"CREATE MATERIALIZED VIEW mat_view AS {scenario.query};"
            f"CREATE UNIQUE INDEX ON mat_view ({', '.join(scenario.unique)})"
        )

    def uninstall(self, scenario: Scenario) -> None:
        self.run("DROP MATERIALIZED VIEW IF EXISTS mat_view")

    def refresh(self, scenario: Scenario) -> None:
        self.run("REFRESH MATERIALIZED VIEW mat_view")

    def relation(self, scenario: Scenario) -> str:
        return "mat_view"


class MatviewConcurrently(Matview):
    key = "concurrently"
    label = "REFRESH … CONCURRENTLY"

    def refresh(self, scenario: Scenario) -> None:
        self.run("REFRESH MATERIALIZED VIEW CONCURRENTLY mat_view")
