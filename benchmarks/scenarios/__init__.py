"""The scenarios, one file each; beside it the triggers a careful person would write, ``.hand.sql``."""

from __future__ import annotations

from ..core import Scenario
from . import extremes, groups, regions, wide

SCENARIOS: dict[str, Scenario] = {m.SCENARIO.key: m.SCENARIO for m in (groups, regions, wide, extremes)}
