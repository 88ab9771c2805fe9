"""Who makes a history: what it knows, and how it chooses what to say next, wrongly now and then."""

import random
from collections.abc import Mapping, Sequence

import attrs

from tests.laws.world import START_MS, Network
from wattswarm.kernel import payloads
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.contract import Contract, Mode
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.governance import Version
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.payloads import Ballot, Payload
from wattswarm.kernel.records import Label
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.task import TaskMachine

PLAUSIBLE = 0.96
"""How often a choice that could be wrong is right."""

SETTLED = ("verify", "result", "commit")
"""Groups of which any is as good as the newest."""


@attrs.define
class Made:
    """What is known about an event that was made."""

    event: Event
    payload: Payload
    key: KeyPair
    label: Label
    attempt: int = 1
    salt: bytes = bytes(32)
    ballot: Ballot = Ballot.APPROVE


@attrs.define(kw_only=True)
class Author:
    """Makes one history.

    `here` is the epoch that is spoken of; `versions` are the governance versions that are valid or
    will be; `liars` are the finalizers that contradict themselves.
    """

    rng: random.Random
    network: Network
    versions: Mapping[Digest, Version]
    here: Label
    task: Event
    cast: Sequence[KeyPair]
    contract: Contract
    liars: frozenset[NodeId]
    machine: TaskMachine
    made: dict[str, list[Made]] = attrs.field(factory=dict[str, list[Made]])
    signed: dict[tuple[Label, NodeId], EventId] = attrs.field(
        factory=dict[tuple[Label, NodeId], EventId]
    )
    now_ms: int = START_MS

    # --- choosing -----------------------------------------------------------------------------

    def is_right(self, chance: float = PLAUSIBLE) -> bool:
        """Draw whether the next choice is the right one."""
        return self.rng.random() < chance

    @property
    def version(self) -> Version:
        """The governance version of the epoch that is spoken of, or the first there is."""
        return self.versions.get(self.here.pin, self.network.genesis)

    @property
    def is_continuous(self) -> bool:
        """Whether the task has several epochs."""
        return self.contract.mode is Mode.CONTINUOUS

    def enter(self) -> None:
        """Speak of an epoch that is open, mostly the newest; of one that is not, now and then."""
        state = self.machine.state
        is_open = sorted(state.attempts) if self.is_continuous else []
        newest = Label(1, Digest(self.task.payload["pin"])) if state.label is None else state.label
        self.here = newest if not is_open or self.is_right(0.7) else self.rng.choice(is_open)
        if not self.is_right(0.98):
            pin = self.rng.choice(sorted(self.versions))
            self.here = Label(self.here.epoch + self.rng.choice((0, 1)), pin)

    def pick(self, kind: str) -> Made | None:
        """Draw one of the events of a kind: rather of this epoch, rather one that took effect."""
        made = self.made.get(kind)
        if not made:
            return None
        near = [each for each in made if each.label == self.here]
        made = near if near and self.is_right(0.97) else made
        effective = self.machine.state.effective
        good = [each for each in made if each.event.event_id in effective]
        pool = good if good and self.is_right(0.95) else made
        if kind == "candidate" and self.is_right(0.7):
            return pool[0]
        if kind in SETTLED:
            return self.rng.choice(pool)
        return pool[-1 - min(int(self.rng.expovariate(0.3)), len(pool) - 1)]

    def name(self, right: Made | None) -> EventId:
        """Return the id that the next event names: the right one, another's, or nobody's."""
        if right is not None and self.is_right(0.97):
            return right.event.event_id
        others = [each for made in self.made.values() for each in made]
        if others and self.is_right(0.7):
            return self.rng.choice(others).event.event_id
        return EventId(self.rng.randbytes(32))

    @property
    def creator(self) -> KeyPair:
        """Who made the task."""
        return next(key for key in self.cast if key.node_id == self.task.author)

    def key(self, right: KeyPair | None = None) -> KeyPair:
        """Return who says it."""
        return right if right is not None and self.is_right() else self.rng.choice(self.cast)

    def among(self, nodes: frozenset[NodeId]) -> list[KeyPair]:
        """Return those of the cast who are among these nodes."""
        return [key for key in self.cast if key.node_id in nodes]

    def date(self, *after: Made | None) -> int:
        """Return a date: mostly later than what is named, sometimes before it or after the end."""
        latest = max([START_MS, *(each.event.created_at for each in after if each is not None)])
        self.now_ms += self.rng.randint(0, 300)
        draw = self.rng.random()
        if draw < 0.01:
            return self.contract.expires_at + self.rng.randint(1, 10_000)
        if draw < 0.02:
            opened = self.machine.state.opened
            epoch = max(opened, default=1)
            return self.machine.state.expires_at(epoch) + self.rng.randint(-1_000, 10_000)
        if draw < 0.04:
            return max(0, latest - self.rng.randint(0, 2_000))
        if draw < 0.07:
            return latest + self.contract.lease_ms + self.rng.randint(0, 9_000)
        return max(self.now_ms, latest + self.rng.randint(1, 200))

    def ref(self) -> ArtifactRef:
        """Return a reference to some body."""
        name = self.rng.choice("abcdef") * 64
        return ArtifactRef(digest=f"blake3:{name}", size_bytes=5, mime="text/plain")

    # --- saying -------------------------------------------------------------------------------

    def say(self, group: str, payload: Payload, key: KeyPair, at_ms: int, **facts: object) -> Made:
        """Make the event, with a flaw now and then, and remember it."""
        fields = dict(payloads.write(payload))
        if not self.is_right(0.98):
            fields["surprise"] = True
        event = self.event(payload.kind, fields, key, at_ms)
        self.machine.add([event])
        made = Made(event, payload, key, self.here, **facts)
        self.made.setdefault(group, []).append(made)
        return made

    def event(self, kind: str, fields: Mapping[str, Value], key: KeyPair, at_ms: int) -> Event:
        """Make an event about the task, in the wrong scope, class or epoch now and then."""
        draft = Draft(
            kind=kind,
            scope=self.task.scope if self.is_right(0.99) else "group:elsewhere",
            lane_class=LaneClass.WORK if self.is_right(0.99) else LaneClass.MESSAGES,
            task_id=self.task.event_id,
            epoch=self.here.epoch if self.is_right(0.98) else self.rng.choice((0, 1, 2, 3)),
            created_at=at_ms,
            payload=fields,
        )
        return draft.sign(self.network.network_id, key)

    def has_effective(self, group: str) -> bool:
        """Tell whether an event of a group took effect in this epoch."""
        effective = self.machine.state.effective
        return any(
            each.event.event_id in effective and each.label == self.here
            for each in self.made.get(group, ())
        )
