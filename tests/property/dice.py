"""Where the generators' choices come from: hypothesis, or a plain random number generator."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Choices drawn through `integer(low, high)`, both ends included."""

    def __init__(self, integer: Callable[[int, int], int]) -> None:
        self.integer = integer

    @classmethod
    def seeded(cls, seed: object) -> Dice:
        """Choices that a seed determines."""
        return cls(random.Random(str(seed)).randint)

    def fork(self) -> Dice:
        """Choices of their own, from one number drawn here: for the many values of rows, which need no shrinking."""
        return Dice.seeded(self.integer(0, 2**32 - 1))

    def chance(self, percent: int) -> bool:
        return self.integer(1, 100) <= percent

    def pick(self, items: Sequence[T]) -> T:
        return items[self.integer(0, len(items) - 1)]

    def weighted(self, weights: Mapping[T, int]) -> T:
        number = self.integer(1, sum(weights.values()))
        for item, weight in weights.items():
            number -= weight
            if number <= 0:
                return item
        raise AssertionError("weights add up")

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """`count` of the items (all, if there are fewer), in random order."""
        left = list(items)
        return [left.pop(self.integer(0, len(left) - 1)) for _ in range(min(count, len(left)))]

    def some(self, items: Sequence[T], percent: int) -> list[T]:
        """The items that a throw each leaves in."""
        return [item for item in items if self.chance(percent)]
