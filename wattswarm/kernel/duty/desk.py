"""What the roster is made at: a task at a moment, and this node's part in it."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import attrs

from wattswarm.kernel.allocation import Allocation, Place, allocation
from wattswarm.kernel.decide.gate import Signings
from wattswarm.kernel.duty.kinds import Duty
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.records import Label
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState


@attrs.frozen(kw_only=True)
class ExecutorOffer:
    """An executor of this node that is ready for work; without `task_types`, for every type."""

    name: str
    profile: str = ""
    provider: str = ""
    model: str = ""
    task_types: frozenset[str] = frozenset()
    may_propose: bool = True
    may_verify: bool = True

    def takes(self, task_type: str, role: Work) -> bool:
        """Tell whether it does this kind of work."""
        is_able = self.may_propose if role is Work.PROPOSE else self.may_verify
        return is_able and (not self.task_types or task_type in self.task_types)


@attrs.define(kw_only=True)
class Desk:
    """What is looked at, and what has been found: duties, and dates at which there may be more."""

    state: TaskState
    me: KeyPair
    executors: Sequence[ExecutorOffer]
    now_ms: int
    in_hand: Collection[EventId]
    checked: Mapping[EventId, bool]
    governance: Governance | None
    view: Allocation
    approves: bool = True
    """Whether claims on this node's own tasks are approved of without being asked."""

    duties: list[Duty] = attrs.field(factory=list)
    wakes: list[int] = attrs.field(factory=list[int])

    @classmethod
    def of(
        cls,
        state: TaskState,
        me: KeyPair,
        executors: Sequence[ExecutorOffer],
        now_ms: int,
        in_hand: Collection[EventId],
        checked: Mapping[EventId, bool] | None,
        governance: Governance | None = None,
        *,
        approves: bool = True,
    ) -> "Desk":
        """Return a desk with nothing found yet."""
        # Events of one batch are dated one after the other, and so beyond the clock.
        now_ms = max(now_ms, state.latest.get(me.node_id, 0))
        return cls(
            state=state,
            me=me,
            executors=executors,
            now_ms=now_ms,
            in_hand=in_hand,
            checked={} if checked is None else checked,
            governance=governance,
            view=allocation(state, now_ms),
            approves=approves,
        )

    @property
    def node(self) -> NodeId:
        """This node."""
        return self.me.node_id

    @property
    def label(self) -> Label:
        """The newest epoch of the task, which is open."""
        return self.state.here

    def own_places(self) -> Iterator[Place]:
        """Return this node\'s places in the newest attempt."""
        return (place for place in self.view.places if place.node == self.node)

    def signed(self, answer: Signings | Rejection) -> Signings:
        """Return the events of an answer; of a refusal none, and note when to ask again."""
        if not isinstance(answer, Rejection):
            return answer
        at_ms = answer.details.get("at", answer.details.get("run_at"))
        if isinstance(at_ms, int):
            self.wakes.append(at_ms)
        return ()
