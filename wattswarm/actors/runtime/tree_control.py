"""What an actor that may look at its own tree and turn it asks of that."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from wattswarm.actors.runtime.exit import CrashReport, DeadLetter
from wattswarm.actors.runtime.rule import ArmedRule, FaultRule
from wattswarm.actors.runtime.spec import TreeSpec
from wattswarm.actors.runtime.stats import ActorStats
from wattswarm.actors.runtime.view import TreeView


class TreeControl(Protocol):
    """The handle on the running tree; `Tree` is one.

    Actors are named by id, an instance as `id/0`; `LookupError`: there is none of that name,
    `OutOfRange`: that makes no sense there, `Down`: its worker process is away.
    """

    @property
    def spec(self) -> TreeSpec:
        """What is run, and how."""
        ...

    def describe(self) -> TreeView:
        """Return the tree with pids, states and incarnations."""
        ...

    async def stats(self) -> Sequence[ActorStats]:
        """Return one reading for every actor that can be reached, in start order."""
        ...

    async def inspect(self, actor: str) -> Mapping[str, object]:
        """Return an actor's own snapshot."""
        ...

    def crashes(self, actor: str) -> Sequence[tuple[int, CrashReport]]:
        """Return the last crashes of an actor, oldest first, each with its date in ms."""
        ...

    def points(self) -> Mapping[str, tuple[str, ...]]:
        """Return the fault points of every actor."""
        ...

    async def tune(self, actor: str, dial: str, value: int) -> int:
        """Turn a dial and return the version that was asked for; `stats` tells when it is on."""
        ...

    async def restart(self, actor: str) -> None:
        """Give an actor a fresh start."""
        ...

    async def suspend(self, actor: str) -> None:
        """Keep an actor from taking mail."""
        ...

    async def resume(self, actor: str) -> None:
        """Let a suspended actor take mail again."""
        ...

    def kill_group(self, group: str) -> None:
        """End a group's worker process now; it comes back, and that is no failure."""
        ...

    async def retry(self, letter: DeadLetter) -> bool:
        """Send a dead letter again; False if the inbox refused it."""
        ...

    async def arm(self, rule: FaultRule) -> int:
        """Arm a fault rule in every process and return its number."""
        ...

    async def disarm(self, number: int | None = None) -> None:
        """Disarm a rule, or all of them."""
        ...

    def rules(self) -> tuple[ArmedRule, ...]:
        """Return the rules that are armed, with the counts of the root process."""
        ...

    def request_stop(self) -> None:
        """Begin to stop the node."""
        ...
