"""An actor's dials: whole numbers with a range, changed live, each change a new version.

Every actor has the dials of the runtime itself (`concurrency`, `batch`, `burst`, `inbox`,
`hang_after_ms`) and those that its specification declares. A change is checked where it is asked
for and takes effect between two messages; `version` says which changes have taken effect.
"""

from collections.abc import Mapping
from typing import Final

import trio

from wattswarm.actors.runtime.errors import OutOfRange
from wattswarm.actors.runtime.spec import INSTANCES_MAX, ChildSpec, DialSpec

NEVER_HANGS: Final = 0
"""Value of `hang_after_ms` that switches the watch off."""

INSTANCES: Final = "instances"
"""The dial of how many instances a scalable actor has; the tree turns it for all of them."""


def dial_specs(child: ChildSpec) -> dict[str, DialSpec]:
    """Return every dial of an actor by name: the runtime's first."""
    hang_after_ms = int((child.hang_after_s or 0) * 1_000)
    own = (
        DialSpec(name="concurrency", default=child.concurrency, minimum=1, maximum=4_096),
        DialSpec(name="batch", default=child.batch, minimum=1, maximum=65_536),
        DialSpec(name="burst", default=child.burst, minimum=1, maximum=4_096),
        DialSpec(name="inbox", default=child.inbox.capacity, minimum=1, maximum=1_048_576),
        DialSpec(
            name="hang_after_ms", default=hang_after_ms, minimum=NEVER_HANGS, maximum=86_400_000
        ),
    )
    instances = DialSpec(
        name=INSTANCES, default=child.instances, minimum=1, maximum=INSTANCES_MAX, is_live=False
    )
    scale = (instances,) if child.is_scalable else ()
    return {dial.name: dial for dial in (*own, *scale, *child.dials)}


def check_dial(specs: Mapping[str, DialSpec], name: str, value: int) -> None:
    """Do nothing if the dial can be set so.

    Raises:
        OutOfRange: It does not exist, or does not go that far.
    """
    spec = specs.get(name)
    if spec is None:
        raise OutOfRange(dial=name, reason=f"no such dial; there are {', '.join(sorted(specs))}")
    if not spec.minimum <= value <= spec.maximum:
        raise OutOfRange(dial=name, reason=f"{value} is outside {spec.minimum} … {spec.maximum}")


class Dials:
    """The dials of one actor as they stand; they survive its incarnations."""

    __slots__ = ("_changed", "_specs", "_values", "version")

    def __init__(self, child: ChildSpec) -> None:
        self._specs = dial_specs(child)
        self._values = {name: spec.default for name, spec in self._specs.items()}
        self._changed = trio.Event()
        self.version = 1

    def __getitem__(self, name: str) -> int:
        return self._values[name]

    def values(self) -> dict[str, int]:
        """Return all of them by name."""
        return dict(self._values)

    def check(self, name: str, value: int) -> None:
        """Do nothing if the dial can be set so.

        Raises:
            OutOfRange: It cannot.
        """
        check_dial(self._specs, name, value)

    def apply(self, name: str, value: int, version: int) -> None:
        """Turn one dial; whoever waits for a change is woken."""
        check_dial(self._specs, name, value)
        self._values[name] = value
        self.version = version
        self._changed.set()
        self._changed = trio.Event()

    def take_over(self, other: "Dials") -> None:
        """Stand as another instance's dials do."""
        self._values |= other._values

    def follow(self, child: ChildSpec) -> None:
        """Know how many instances the actor has now."""
        if child.is_scalable:
            self._values[INSTANCES] = child.instances

    async def wait_changed(self) -> None:
        """Return after the next change of any of them."""
        await self._changed.wait()
