"""A condition that is always true and that no view with it is kept incrementally for: the stand-in of tests that need
a view which is refreshed in full, whatever else becomes supported."""

from __future__ import annotations

NOT_KEPT = "current_user IS NOT NULL"
NOT_KEPT_CODE = "VOLATILE"
