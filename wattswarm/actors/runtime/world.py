"""The only source of time and dice: everything else in the actor runtime asks here.

Deadlines and sleeps go through trio, whose clock a test replaces by a `MockClock`; the monotonic
clock here measures how long things took. A `World` with a seed gives the same dice for the same
labels in every run, one stream per label, so that one more draw in one place shifts nothing in
another.
"""

import hashlib
import os
import time
from collections.abc import Callable
from random import Random
from typing import Protocol

import attrs
import trio


class Clock(Protocol):
    """Two readings of time that are never mixed."""

    def monotonic_s(self) -> float:
        """Return seconds since some fixed instant; never goes back."""
        ...

    def wall_ms(self) -> int:
        """Return milliseconds since the Unix epoch; may jump."""
        ...


@attrs.frozen
class RealClock:
    """The machine's own clocks. `wall_offset_ms` is the skew that a fault may ask for."""

    wall_offset_ms: int = 0

    def monotonic_s(self) -> float:
        return time.perf_counter()

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.wall_offset_ms


@attrs.frozen
class VirtualClock:
    """The clock of the running trio loop, for tests under a `MockClock`."""

    epoch_ms: int = 1_800_000_000_000

    def monotonic_s(self) -> float:
        return trio.current_time()

    def wall_ms(self) -> int:
        return self.epoch_ms + int(trio.current_time() * 1_000)


@attrs.frozen
class World:
    """Clock and dice of one process. `pid` is in it because a simulated host has none of its
    own."""

    clock: Clock
    seed: bytes
    pid: int
    monotonic: Callable[[], float]
    """The clock's monotonic reading, bound once: it is read twice for every message."""

    def rng(self, label: str) -> Random:
        """Return a stream of dice of its own for `label`."""
        return Random(hashlib.blake2b(label.encode(), key=self.seed[:64], digest_size=16).digest())


def real_world() -> World:
    """Return the world as it is: machine clocks and unpredictable dice."""
    clock = RealClock()
    return World(clock, os.urandom(32), os.getpid(), time.perf_counter)


def seeded_world(seed: int, *, virtual: bool = True) -> World:
    """Return a world that repeats itself for `seed`, on trio's clock if `virtual`."""
    clock: Clock = VirtualClock() if virtual else RealClock()
    return World(clock, seed.to_bytes(32, "big"), os.getpid(), clock.monotonic_s)
