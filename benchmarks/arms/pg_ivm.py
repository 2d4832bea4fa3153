"""The extension pg_ivm, where the server has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from .base import Arm

if TYPE_CHECKING:
    from ..core import Scenario


class PgIvm(Arm):
    key = "pg_ivm"
    label = "pg_ivm extension"
    maintained = True
    taxed = True

    def unavailable(self) -> str:
        with self.connect() as conn:
            row = conn.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_ivm'").fetchone()
        return "" if row else "the server does not have the extension pg_ivm"

    def install(self, scenario: Scenario) -> None:
        with self.connect() as conn:
            conn.execute("CREATE EXTENSION IF NOT EXISTS pg_ivm")
            conn.execute(sql.SQL("SELECT pgivm.create_immv('imm_view', {})").format(sql.Literal(scenario.query)))
            # It makes one itself only where the view has the keys of all its sources; without any it scans the view.
            if not conn.execute("SELECT 1 FROM pg_index WHERE indrelid = 'imm_view'::regclass").fetchone():
                columns = sql.SQL(", ").join(map(sql.Identifier, scenario.unique))
                conn.execute(sql.SQL("CREATE UNIQUE INDEX ON imm_view ({})").format(columns))

    def uninstall(self, scenario: Scenario) -> None:
        self.run("DROP TABLE IF EXISTS imm_view")

    def relation(self, scenario: Scenario) -> str:
        return "imm_view"
