"""What a campaign came to: faults, recoveries, and every invariant with its count."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from wattswarm.chaos.invariants import SHOWN_MAX, Check, Invariant


@attrs.frozen
class Struck:
    """A fault that struck, and how long it was until the node worked again; None: it did not."""

    name: str
    recovery_ms: int | None


@attrs.define
class Tally:
    """Counts as they come in. Args: tell: Says a line to whoever watches."""

    tell: Callable[[str], None]
    planned: int = 0
    recoveries_ms: list[int] = attrs.field(factory=list[int])
    strikes: int = 0
    missing: list[str] = attrs.field(factory=list[str])
    checked: dict[Invariant, int] = attrs.field(factory=lambda: dict.fromkeys(Invariant, 0))
    violations: dict[Invariant, list[str]] = attrs.field(
        factory=lambda: {invariant: [] for invariant in Invariant}
    )

    def struck(self, fault: Struck) -> None:
        """Count a fault that struck."""
        self.strikes += 1
        self.checked[Invariant.ALIVE] += 1
        if fault.recovery_ms is not None:
            self.recoveries_ms.append(fault.recovery_ms)
        took = "did not recover" if fault.recovery_ms is None else f"{fault.recovery_ms} ms"
        self.tell(f"{self.strikes + len(self.missing)}/{self.planned} {fault.name}: {took}")

    def missed(self, what: str) -> None:
        """Count a fault that did not strike."""
        self.missing.append(what)
        self.tell(f"NOT STRUCK {what}")

    def check(self, check: Check) -> None:
        """Count a check."""
        self.checked[check.invariant] += check.checked
        for sentence in check.violations:
            self.violation(check.invariant, sentence)

    def violation(self, invariant: Invariant, sentence: str) -> None:
        """Count something that does not hold."""
        self.violations[invariant].append(sentence)
        self.tell(f"VIOLATION of {invariant.value}: {sentence}")

    @property
    def violations_total(self) -> int:
        """How many things do not hold."""
        return sum(map(len, self.violations.values()))

    @property
    def is_clean(self) -> bool:
        """Whether every fault struck and everything holds."""
        return not self.missing and not self.violations_total and self.strikes == self.planned


def document(
    tally: Tally, *, rounds: int, seed: int, points: int, duration_s: float
) -> Mapping[str, object]:
    """Return the outcome as one JSON document."""
    return {
        "rounds": rounds,
        "seed": seed,
        "points": points,
        "faults_armed": tally.planned,
        "faults_struck": tally.strikes,
        "recoveries_ms": quantiles(tally.recoveries_ms),
        "invariants": [
            {
                "name": invariant.value,
                "checked": tally.checked[invariant],
                "violations": len(tally.violations[invariant]),
                "examples": tally.violations[invariant][:SHOWN_MAX],
            }
            for invariant in Invariant
        ],
        "not_struck": tally.missing,
        "violations_total": tally.violations_total,
        "duration_s": round(duration_s, 1),
    }


def report(found: Mapping[str, Any]) -> str:
    """Return the outcome for people."""
    times = found["recoveries_ms"]
    lines = [
        f"{found['faults_struck']} of {found['faults_armed']} faults struck at {found['points']} "
        f"points in {found['duration_s']} s",
        f"working again after {times['p50']} ms (median), {times['p99']} ms (99 %), "
        f"{times['max']} ms (longest)",
    ]
    for one in found["invariants"]:
        lines.append(f"{one['violations']:>4} of {one['checked']:>7}  {one['name']}")
        lines += [f"        {example}" for example in one["examples"]]
    lines += [f"not struck: {what}" for what in found["not_struck"]]
    return "\n".join(lines) + "\n"


def quantiles(values: Sequence[int]) -> Mapping[str, int]:
    """Return the median, the 99th percentile and the greatest of some values; 0 of none."""
    ordered = sorted(values) or [0]
    last = len(ordered) - 1
    return {
        "p50": ordered[last // 2],
        "p99": ordered[round(last * 0.99)],
        "max": ordered[last],
    }
