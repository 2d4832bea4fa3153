"""What comes before what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

K = TypeVar("K")


def ancestors(parents: Mapping[K, Iterable[K]]) -> dict[K, set[K]]:
    """node → all that it depends on, directly or through others; `parents` has the direct ones."""
    found: dict[K, set[K]] = {}
    for node in parents:
        reached: set[K] = set()
        pending = [node]
        while pending:
            new = set(parents.get(pending.pop(), ())) - reached
            reached |= new
            pending += new
        found[node] = reached
    return found
