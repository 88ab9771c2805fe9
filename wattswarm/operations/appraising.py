"""Saying how answers turned out: feedback and rejected repetitions."""

import attrs

from wattswarm.kernel import decide
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.state import TaskState
from wattswarm.operations.merit_view import feedback_views, rejection_views
from wattswarm.operations.naming import pick
from wattswarm.operations.speech import Speech
from wattswarm.operations.task_view import task_row
from wattswarm.surface.merit import FeedbackGiven, ReuseRejected


@attrs.frozen(kw_only=True)
class Appraising:
    """Says for this node what became of answers; what has been said is not said again."""

    speech: Speech

    async def give_feedback(
        self, name: str, *, reason: str, epoch: int | None
    ) -> FeedbackGiven | Rejection:
        """Say that an answer is bad, and answer when that stands in the log."""
        me = self.speech.pen.key.node_id
        said = await self.speech.say(
            name,
            lambda state, now_ms: decide.feedback(state, me, now_ms, reason=reason, epoch=epoch),
        )
        if isinstance(said, Rejection):
            return said
        return FeedbackGiven(
            task=task_row(said.state, said.now_ms),
            feedback=feedback_views(said.state),
            seq=said.seq,
            already=said.already,
        )

    async def reject_reuse(self, name: str, *, candidate: str | None) -> ReuseRejected | Rejection:
        """Record that a repetition was rejected, and answer when that stands in the log."""
        said = await self.speech.say(
            name, lambda state, now_ms: self._rejection(state, candidate, now_ms)
        )
        if isinstance(said, Rejection):
            return said
        return ReuseRejected(
            task=task_row(said.state, said.now_ms),
            reuse_rejections=rejection_views(said.state),
            seq=said.seq,
            already=said.already,
        )

    def _rejection(
        self, state: TaskState, candidate: str | None, now_ms: int
    ) -> Signings | Rejection:
        chosen = _chosen(state, candidate)
        if isinstance(chosen, Rejection):
            return chosen
        me = self.speech.pen.key.node_id
        return decide.reject_reuse(state, me, now_ms, candidate_id=chosen)


def _chosen(state: TaskState, candidate: str | None) -> EventId | Rejection | None:
    if candidate is None:
        return None
    return pick(state.candidates, candidate, "candidate of this task")
