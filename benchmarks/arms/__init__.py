"""The strategies a user chooses from, one file each."""

from __future__ import annotations

from .bare import Bare, BareAgain
from .base import Arm
from .hand import Hand
from .ivm import Commit, Deferred, Immediate, Manual
from .matview import Matview, MatviewConcurrently
from .pg_ivm import PgIvm

ARMS: dict[str, type[Arm]] = {
    arm.key: arm
    for arm in (Bare, BareAgain, Immediate, Hand, PgIvm, Commit, Deferred, Manual, Matview, MatviewConcurrently)
}

__all__ = ["ARMS", "Arm"]
