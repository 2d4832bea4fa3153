"""Statement-level triggers written by hand for one query, right wherever a statement writes one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core import read_sql
from .base import Arm

if TYPE_CHECKING:
    from ..core import Scenario


class Hand(Arm):
    key = "hand"
    label = "hand-written trigger"
    maintained = True
    taxed = True

    def install(self, scenario: Scenario) -> None:
        self.run(read_sql(scenario.hand_sql))

    def uninstall(self, scenario: Scenario) -> None:
        self.run(
            """
            DO $$
            DECLARE f regprocedure;
            BEGIN
                FOR f IN SELECT oid FROM pg_proc
                         WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'hand\\_%' LOOP
                    EXECUTE 'DROP FUNCTION ' || f || ' CASCADE';
                END LOOP;
            END $$;
            DROP TABLE IF EXISTS hand_view;
            DROP TABLE IF EXISTS hand_stripe;
            """
        )

    def relation(self, scenario: Scenario) -> str:
        return "hand_view"
