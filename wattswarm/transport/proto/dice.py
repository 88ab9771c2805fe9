"""Chance, handed in: a seed replays."""

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Protocol, TypeVar

T = TypeVar("T")


class Dice(Protocol):
    """As much of `random.Random` as is drawn from here."""

    def uniform(self, a: float, b: float) -> float:
        """Return a number from `a` to `b`."""
        ...

    def randrange(self, start: int, /) -> int:
        """Return a whole number from 0 to `start` - 1."""
        ...


def one_of(dice: Dice, items: Collection[T]) -> T | None:
    """Return an item by chance, or None of none."""
    if not items:
        return None
    return next(islice(iter(items), dice.randrange(len(items)), None))


def some_of(dice: Dice, items: Iterable[T], most: int) -> tuple[T, ...]:
    """Return at most so many items by chance, in an order by chance."""
    left = list(items)
    taken: list[T] = []
    while left and len(taken) < most:
        taken.append(left.pop(dice.randrange(len(left))))
    return tuple(taken)
