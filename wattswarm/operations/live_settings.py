"""Settings that were turned live: dials in effect that are settings, by the path of these."""

from collections.abc import Iterable, Mapping
from typing import Final

from wattswarm.actors.runtime.spec import TreeSpec
from wattswarm.actors.runtime.stats import ActorStats

DIALS: Final = ("concurrency", "inbox", "batch", "hang_after_ms")
"""Dials of every actor that its section of the configuration sets as well."""


def live(readings: Iterable[ActorStats], spec: TreeSpec) -> Mapping[str, int]:
    """Return the values in effect by the path of their setting, where they were turned.

    A dial that stands where the tree was started with it says nothing: the setting does.
    """
    started = {
        name: {
            "concurrency": child.concurrency,
            "inbox": child.inbox.capacity,
            "batch": child.batch,
            "hang_after_ms": int((child.hang_after_s or 0) * 1_000),
        }
        for _, child in spec.children()
        for name in child.ids()
    }
    return {
        f"actors.{reading.actor.partition('/')[0]}.{dial}": reading.dials[dial]
        for reading in readings
        for dial in DIALS
        if dial in reading.dials and reading.dials[dial] != started[reading.actor][dial]
    }
