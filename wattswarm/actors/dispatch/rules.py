"""What the kernel says about a task, for this node and the executors that it has now.

Each answer is made inside the task's own boundary: a bug of ours is a `Crash`, and the task is set
aside.
"""

import attrs

from wattswarm.actors.dispatch.clients import Clients
from wattswarm.actors.dispatch.docket import Docket
from wattswarm.actors.dispatch.dockets import Dockets
from wattswarm.actors.dispatch.failing import Conclusion
from wattswarm.actors.runtime.boundary import Crash
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.duty import Course, Roster, carry, due
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.signature import KeyPair


@attrs.frozen(kw_only=True)
class Rules:
    """Asks the kernel, on behalf of this node.

    Args:
        approves: Whether claims on this node's own tasks are approved of without being asked.
    """

    key: KeyPair
    approves: bool
    clients: Clients
    dockets: Dockets

    def roster(self, docket: Docket, now_ms: int) -> Roster | Crash:
        """Return what is outstanding for a task."""
        return self.dockets.attempt(docket, lambda: self._roster(docket, now_ms))

    def course(self, docket: Docket, signings: Signings, now_ms: int) -> Course | Crash:
        """Return these events with what follows from them at once, and what is outstanding then."""
        return self.dockets.attempt(docket, lambda: self._course(docket, signings, now_ms))

    def conclusion(
        self, docket: Docket, conclude: Conclusion, now_ms: int
    ) -> Signings | Rejection | Crash:
        """Return the events that a piece of work comes to."""
        return self.dockets.attempt(docket, lambda: conclude(docket.state, now_ms))

    def _roster(self, docket: Docket, now_ms: int) -> Roster:
        standing = self.dockets.standing
        if standing.is_stopped:
            return Roster()
        return due(
            docket.state,
            self.key,
            self.clients.offers(docket.task_id),
            now_ms,
            in_hand=docket.claims,
            checked=docket.checked,
            governance=self.dockets.governance,
            approves=self.approves,
            restored_at_ms=standing.restored_at_ms,
        )

    def _course(self, docket: Docket, signings: Signings, now_ms: int) -> Course:
        return carry(
            docket.state,
            signings,
            self.key,
            self.clients.offers(docket.task_id),
            now_ms,
            in_hand=docket.claims,
            checked=docket.checked,
            approves=self.approves,
        )
