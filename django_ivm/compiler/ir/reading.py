"""What isn't stored but done whenever a view is read."""

from __future__ import annotations

from dataclasses import dataclass

from .scalar import Scalar


@dataclass(frozen=True)
class ReadFilter:
    """A condition on the time, applied by the SELECT-only view over the stored rows.

    `outputs` are the query's columns; what the condition reads beside them is stored after them. `condition` is over
    stored columns, `shown` is the same as the query writes it. `bounded` are columns that it compares with a value
    that is one for all rows; `find` is what to look for in the user's text.
    """

    outputs: tuple[str, ...]
    condition: Scalar
    shown: str
    bounded: tuple[str, ...] = ()
    find: str = ""
