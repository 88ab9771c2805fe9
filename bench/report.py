"""What a bench answers: metrics with their baselines, and the machine that they are of."""

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from statistics import median

import attrs
import msgspec

PACKAGES = ("wattswarm", "trio", "cbor2", "psycopg", "pynacl", "blake3", "hypercorn", "httpx2")


@attrs.frozen(kw_only=True)
class Result:
    """One figure. `baseline` is the raw operation in its unit; `ratio` is value over baseline."""

    metric: str
    value: float
    unit: str
    baseline: float | None = None
    n: int = 1

    @property
    def ratio(self) -> float | None:
        """Return how the figure compares with its baseline, or None where there is none."""
        return self.value / self.baseline if self.baseline else None


@attrs.frozen(kw_only=True)
class Options:
    """How long a bench may take: `events` and `seconds` override its own sizes."""

    events: int | None = None
    seconds: float | None = None


def document(bench: str, results: Iterable[Result]) -> str:
    """Return the JSON document of one bench, on one line."""
    rows = [
        {
            "metric": row.metric,
            "value": _rounded(row.value),
            "unit": row.unit,
            "baseline": None if row.baseline is None else _rounded(row.baseline),
            "ratio": None if row.ratio is None else _rounded(row.ratio),
            "n": row.n,
        }
        for row in results
    ]
    head = {"bench": bench, "versions": _versions(), "load": [round(x, 2) for x in os.getloadavg()]}
    return msgspec.json.encode({**head, "results": rows}).decode()


def table(bench: str, results: Sequence[Result]) -> str:
    """Return the figures for people."""
    load = " ".join(f"{x:.2f}" for x in os.getloadavg())
    lines = [f"{bench}: Python {platform.python_version()}, {os.cpu_count()} cores, load {load}"]
    for row in results:
        against = "" if row.ratio is None else f"  {row.ratio:8.3f} × baseline {row.baseline:,.1f}"
        lines.append(f"  {row.metric:28} {row.value:14,.2f} {row.unit:8}{against}  n={row.n}")
    return "\n".join(lines)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def middle(values: Sequence[float]) -> float:
    """Return the median."""
    return median(values)


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
