"""Chance, handed in: a seed replays."""

from typing import Protocol


class Dice(Protocol):
    """As much of `random.Random` as is drawn from here."""

    def uniform(self, a: float, b: float) -> float:
        """Return a number from `a` to `b`."""
        ...
