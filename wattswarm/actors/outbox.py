"""Events of others on their way to the writer: many requests made into few.

Few are under way at one time, so that this node's own events never wait behind many; and each takes
along all that has come meanwhile, so that small requests do not cost a transaction each.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

import attrs
import trio

from wattswarm.actors.appending import Answer, append
from wattswarm.actors.messages import Append, Appended, AppendRefused
from wattswarm.actors.runtime.actor import Context
from wattswarm.actors.runtime.errors import ActorError, Down, Refused, TooSlow
from wattswarm.kernel.limits import APPEND_BYTES_MAX

REQUESTS_MAX: Final = 2
"""One is being written, and the next is there when it is done."""

EVENTS_MAX: Final = 256
APPEND_S: Final = 30.0


@attrs.define(eq=False)
class Parcel:
    """Events of one sender, and what became of them."""

    wires: Sequence[bytes]
    opened: trio.Event = attrs.field(factory=trio.Event)
    outcome: Answer | ActorError | None = None

    @property
    def size_bytes(self) -> int:
        """What it adds to a request."""
        return sum(map(len, self.wires))

    def open(self, outcome: Answer | ActorError) -> None:
        """Let the sender know."""
        self.outcome = outcome
        self.opened.set()


@attrs.define
class Outbox:
    """Parcels that wait for their turn."""

    _parcels: deque[Parcel] = attrs.field(factory=deque[Parcel])
    _filled: trio.Event = attrs.field(factory=trio.Event)

    async def send(self, wires: Sequence[bytes]) -> Answer:
        """Return the writer's answer for these events alone; at most what one request holds.

        Raises:
            Down, TooSlow, Refused: The events may be in the log; sending them again will tell.
        """
        parcel = Parcel(wires)
        self._parcels.append(parcel)
        self._filled.set()
        await parcel.opened.wait()
        assert parcel.outcome is not None, "an opened parcel has an outcome"
        if isinstance(parcel.outcome, ActorError):
            raise parcel.outcome
        return parcel.outcome

    async def deliver(self, ctx: Context) -> None:
        """Take parcels to the writer, for ever; each such loop has one request under way."""
        while True:
            while not self._parcels:
                if self._filled.is_set():
                    self._filled = trio.Event()
                await self._filled.wait()
            await _deliver(self._take(), ctx)

    def _take(self) -> list[Parcel]:
        """Return the parcels that came first, as many as fit into one request."""
        taken = [self._parcels.popleft()]
        events, size = len(taken[0].wires), taken[0].size_bytes
        while self._parcels:
            more = self._parcels[0]
            events, size = events + len(more.wires), size + more.size_bytes
            if events > EVENTS_MAX or size > APPEND_BYTES_MAX:
                break
            taken.append(self._parcels.popleft())
        return taken


async def _deliver(parcels: Sequence[Parcel], ctx: Context) -> None:
    request = Append(events=tuple(wire for parcel in parcels for wire in parcel.wires))
    try:
        answer = await append(ctx, request, deadline_s=APPEND_S)
    except (Down, TooSlow, Refused) as error:
        for parcel in parcels:
            parcel.open(error)
        return
    match answer:
        case Appended():
            _share(answer, parcels)
        case AppendRefused(retry_after_ms=None) if len(parcels) > 1:
            for parcel in parcels:  # one of them is to blame: the others are not to suffer
                await _deliver((parcel,), ctx)
        case AppendRefused():
            for parcel in parcels:
                parcel.open(answer)


def _share(answer: Appended, parcels: Sequence[Parcel]) -> None:
    """Give each sender its part of the answer."""
    at = 0
    for parcel in parcels:
        end = at + len(parcel.wires)
        own = attrs.evolve(answer, seqs=answer.seqs[at:end], already=answer.already[at:end])
        parcel.open(own)
        at = end
