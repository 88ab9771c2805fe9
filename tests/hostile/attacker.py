"""Who attacks: holds the keys of traitors and outsiders, and sees everything that was said."""

import random
from collections.abc import Mapping, Sequence

import attrs

from tests.hostile.stage import Stage
from wattswarm.kernel import payloads
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.limits import CREATED_AT_MAX
from wattswarm.kernel.payloads import Payload
from wattswarm.kernel.records import Label
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState

Sigs = tuple[tuple[NodeId, bytes], ...]


@attrs.define
class Attacker:
    """Makes hostile events, each of them authentic.

    `state` is what everybody knows; `said` is what honest nodes put into the log.
    """

    rng: random.Random
    stage: Stage
    state: TaskState
    said: Sequence[Event]
    now_ms: int
    made: list[Event] = attrs.field(factory=list[Event])

    # --- choosing -----------------------------------------------------------------------------

    @property
    def network_id(self) -> str:
        """The network."""
        return self.stage.network.network_id

    @property
    def label(self) -> Label:
        """The newest epoch, or now and then another that is open."""
        newest = self.state.here
        is_open = sorted(self.state.attempts)
        return newest if self.rng.random() < 0.8 or not is_open else self.rng.choice(is_open)

    def key(self) -> KeyPair:
        """Return the key of somebody hostile: rather of a traitor, who has roles."""
        traitors = self.stage.traitors
        return self.rng.choice(traitors if self.rng.random() < 0.7 else self.stage.outsiders)

    @property
    def everybody(self) -> tuple[KeyPair, ...]:
        """Everybody hostile."""
        return (*self.stage.traitors, *self.stage.outsiders)

    def heard(self, *kinds: str) -> Event | None:
        """Draw one of the events of these kinds that honest nodes said."""
        found = [event for event in self.said if event.kind in kinds]
        return self.rng.choice(found) if found else None

    def name(self, *kinds: str) -> EventId:
        """Return the id of an event of these kinds, of whosever, or nobody's."""
        found = [event for event in (*self.said, *self.made) if event.kind in kinds]
        return self.rng.choice(found).event_id if found else EventId(self.rng.randbytes(32))

    def date(self) -> int:
        """Return a date: about now, in the past, or at either end of the range."""
        draw = self.rng.random()
        if draw < 0.6:
            return self.now_ms + self.rng.randint(0, 2_000)
        if draw < 0.8:
            return max(0, self.now_ms - self.rng.randint(0, 60_000))
        return self.rng.choice((0, 1, self.now_ms + 10**7, CREATED_AT_MAX - 1, CREATED_AT_MAX))

    def forged(self) -> bytes:
        """Return a signature of nobody's."""
        return self.rng.randbytes(64)

    def sigs(self, signed: bytes) -> Sigs:
        """Return as good a quorum as there is: traitors\' signatures, and forged ones of others."""
        genuine = {key.node_id: key.sign(signed) for key in self.stage.traitors}
        share = self.rng.random()
        forged = {
            key.node_id: self.forged() for key in self.stage.honest if self.rng.random() < share
        }
        return tuple(sorted({**forged, **genuine}.items()))

    # --- saying -------------------------------------------------------------------------------

    def say(
        self,
        payload: Payload,
        key: KeyPair | None = None,
        at_ms: int | None = None,
        epoch: int | None = None,
    ) -> EventId:
        """Say something of a form that there is."""
        return self.utter(payload.kind, payloads.write(payload), key, at_ms, epoch)

    def utter(
        self,
        kind: str,
        fields: Mapping[str, Value],
        key: KeyPair | None = None,
        at_ms: int | None = None,
        epoch: int | None = None,
        *,
        scope: str | None = None,
        lane_class: LaneClass = LaneClass.WORK,
    ) -> EventId:
        """Say anything about the task."""
        draft = Draft(
            kind=kind,
            scope=self.stage.task.scope if scope is None else scope,
            lane_class=lane_class,
            task_id=self.stage.task.event_id,
            epoch=self.label.epoch if epoch is None else epoch,
            created_at=self.date() if at_ms is None else at_ms,
            payload=fields,
        )
        return self.publish(draft, key)

    def publish(self, draft: Draft, key: KeyPair | None = None) -> EventId:
        """Sign a draft."""
        event = draft.sign(self.network_id, self.key() if key is None else key)
        self.made.append(event)
        return event.event_id
