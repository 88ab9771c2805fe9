"""An event of a task, as its author signs it."""

from wattswarm.kernel import payloads
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.ids import TaskId
from wattswarm.kernel.payloads import Payload
from wattswarm.kernel.signature import KeyPair


def event_of(
    network_id: str, author: KeyPair, payload: Payload, task_id: TaskId | None, at_ms: int
) -> Event:
    """Return what an author says of a task in its first epoch; of no task, that is its creation."""
    draft = Draft(
        kind=payload.kind,
        scope="global",
        lane_class=LaneClass.WORK,
        task_id=task_id,
        epoch=1,
        created_at=at_ms,
        payload=payloads.write(payload),
    )
    return draft.sign(network_id, author)
