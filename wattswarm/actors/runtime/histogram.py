"""How long things took, in buckets: eight to each doubling, from a microsecond to an hour.

A quantile read from it is off by at most an eighth. Recording costs a frexp and a list item,
because it happens twice for every message.
"""

from collections.abc import Sequence
from math import frexp
from typing import Final

import attrs

EXPONENT_MIN: Final = -19  # 2⁻²⁰ s ≤ x < 2⁻¹⁹ s: about a microsecond
EXPONENT_MAX: Final = 12  # below 4 096 s
PER_DOUBLING: Final = 8
BUCKETS: Final = (EXPONENT_MAX - EXPONENT_MIN + 1) * PER_DOUBLING


@attrs.frozen
class Quantiles:
    """A summary in seconds; all zero while nothing was recorded."""

    count: int = 0
    p50_s: float = 0.0
    p99_s: float = 0.0
    max_s: float = 0.0


class Histogram:
    """Durations by bucket. `counts` is read by whoever exports it; the largest is kept exactly."""

    __slots__ = ("counts", "max_s")

    def __init__(self) -> None:
        self.counts = [0] * BUCKETS
        self.max_s = 0.0

    def record(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bucket_of(seconds)] += 1
        self.max_s = max(self.max_s, seconds)

    def quantiles(self) -> Quantiles:
        """Return the summary of all that was recorded."""
        count = sum(self.counts)
        if count == 0:
            return Quantiles()
        p50, p99 = (_quantile(self.counts, count * share) for share in (0.5, 0.99))
        return Quantiles(count, min(p50, self.max_s), min(p99, self.max_s), self.max_s)


def bucket_of(seconds: float) -> int:
    """Return the number of the bucket that a duration belongs to; what lies outside goes to the
    ends."""
    mantissa, exponent = frexp(seconds)
    if exponent < EXPONENT_MIN or seconds <= 0:
        return 0
    if exponent > EXPONENT_MAX:
        return BUCKETS - 1
    step = int(mantissa * 2 * PER_DOUBLING) - PER_DOUBLING
    return (exponent - EXPONENT_MIN) * PER_DOUBLING + step


def upper_edge_s(bucket: int) -> float:
    """Return the end of a bucket in seconds."""
    doubling, step = divmod(bucket, PER_DOUBLING)
    return (PER_DOUBLING + step + 1) / (2 * PER_DOUBLING) * 2.0 ** (doubling + EXPONENT_MIN)


def _quantile(counts: Sequence[int], rank: float) -> float:
    seen = 0
    for bucket, count in enumerate(counts):
        seen += count
        if seen >= rank:
            return upper_edge_s(bucket)
    raise AssertionError("a rank beyond the count")
