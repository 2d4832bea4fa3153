"""Names of what is compared."""

from __future__ import annotations

BARE = "bare"  # no views
AT_WILL = "mixed"  # each view in a mode of its own
MODES = ("immediate", "commit", "deferred", "manual")
AT_ONCE = ("immediate", "commit")  # a committed write is in the view, whoever looks and whenever
