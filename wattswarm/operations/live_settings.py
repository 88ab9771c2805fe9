"""Settings that were turned live: dials in effect that are settings, by the path of these."""

from collections.abc import Iterable, Mapping
from typing import Final

from wattswarm.actors.runtime.stats import ActorStats
from wattswarm.config.setting import Plain

DIALS: Final = ("instances", "concurrency", "inbox", "batch", "hang_after_ms")
"""Dials of actors that their sections of the configuration set as well."""


def live(readings: Iterable[ActorStats], settings: Mapping[str, Plain]) -> Mapping[str, int]:
    """Return the values in effect by the path of their setting, where that says otherwise."""
    turned = {
        f"actors.{reading.actor.partition('/')[0]}.{dial}": reading.dials[dial]
        for reading in readings
        for dial in DIALS
        if dial in reading.dials
    }
    return {path: value for path, value in turned.items() if settings.get(path, value) != value}
