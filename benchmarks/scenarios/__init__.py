"""The scenarios, one file each; the trigger a careful person would write for it is the ``.hand.sql`` beside."""

from __future__ import annotations

from ..core import Scenario
from . import extremes, groups, regions, wide

SCENARIOS: dict[str, Scenario] = {m.SCENARIO.key: m.SCENARIO for m in (groups, regions, wide, extremes)}
