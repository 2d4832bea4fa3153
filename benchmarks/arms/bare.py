"""No view: the query runs whenever somebody asks. Taken twice, it shows the machine's own noise."""

from __future__ import annotations

from .base import Arm


class Bare(Arm):
    key = "bare"
    label = "no view"
    taxed = True
    stored = False


class BareAgain(Bare):
    key = "again"
    label = "no view, again"
