"""Signed events for tests of the log: genuine, of any lane, with whatever payload."""

from collections.abc import Sequence

from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.ids import TaskId
from wattswarm.kernel.lock import Lock
from wattswarm.kernel.signature import KeyPair
from wattswarm.store.log_record import Entry, Group

NETWORK = "local:test"
KEY = KeyPair.from_seed(bytes(31) + b"\1")
START_MS = 1_700_000_000_000


def event(
    number: int,
    *,
    kind: str = "TASK_CLAIMED",
    scope: str = "node:a",
    lane_class: LaneClass = LaneClass.WORK,
    task_id: TaskId | None = None,
    created_at: int | None = None,
) -> Event:
    """Return the event of a number: the same arguments give the same event."""
    draft = Draft(
        kind=kind,
        scope=scope,
        lane_class=lane_class,
        task_id=task_id,
        epoch=0,
        created_at=START_MS + number if created_at is None else created_at,
        payload={"number": number},
    )
    return draft.sign(NETWORK, KEY)


def events(count: int, *, start: int = 0) -> list[Event]:
    """Return events with successive numbers."""
    return [event(number) for number in range(start, start + count)]


def group(*made: Event, locks: Sequence[Lock] = ()) -> Group:
    """Return the group of some events, the last of which takes the locks."""
    entries = [Entry(event=item, received_at=START_MS) for item in made]
    last = Entry(event=made[-1], received_at=START_MS, locks=tuple(locks))
    return [*entries[:-1], last]


def singles(made: Sequence[Event]) -> list[Group]:
    """Return one group for each event."""
    return [group(item) for item in made]
