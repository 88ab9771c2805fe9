"""One reading of everything that is counted about an actor."""

from typing import Protocol

import attrs

from wattswarm.actors.runtime.dials import Dials
from wattswarm.actors.runtime.inbox import Inbox
from wattswarm.actors.runtime.services import Services
from wattswarm.actors.runtime.stats import ActorStats, Counters, Meter
from wattswarm.actors.runtime.turns import Turns


class Counted(Protocol):
    """What of an actor is read: its cell has it."""

    id: str
    services: Services
    inbox: Inbox
    dials: Dials
    counters: Counters
    incarnation: int
    state: str
    dials_wanted: int
    turns: Turns | None


@attrs.define(init=False)
class Rates:
    """The meters of one actor."""

    received: Meter
    handled: Meter
    busy: Meter

    def __init__(self, now_s: float) -> None:
        self.received, self.handled, self.busy = Meter(now_s), Meter(now_s), Meter(now_s)


def read_stats(cell: Counted, rates: Rates) -> ActorStats:
    """Return the reading of a cell; its rates are since the reading before."""
    counters, inbox, now_s = cell.counters, cell.inbox, cell.services.world.monotonic()
    is_suspended = inbox.is_suspended and cell.state == "ready"
    return ActorStats(
        actor=cell.id,
        state="suspended" if is_suspended else cell.state,
        incarnation=cell.incarnation,
        restarts=counters.restarts,
        depth=len(inbox.user),
        capacity=inbox.capacity,
        oldest_age_s=inbox.oldest_age_s(),
        received=inbox.received,
        handled=counters.handled,
        in_per_s=rates.received.read(inbox.received, now_s),
        out_per_s=rates.handled.read(counters.handled, now_s),
        busy_share=min(rates.busy.read(counters.busy_s, now_s), 1.0),
        wait=counters.wait.quantiles(),
        handle=counters.handle.quantiles(),
        in_hand=len(cell.turns.in_hand) if cell.turns is not None else 0,
        refused=inbox.refused,
        shed=inbox.shed,
        expired=counters.expired,
        cancelled=counters.cancelled,
        late_answers=counters.late_answers,
        dead_letters=counters.dead_letters,
        last_error=counters.last_error,
        dials=cell.dials.values(),
        dials_wanted=cell.dials_wanted,
        dials_effective=cell.dials.version,
    )
