"""The words of a task's creator: claims approved of, answers taken or not, work paid."""

from collections.abc import Callable
from typing import TypeAlias

import attrs

from wattswarm.kernel import decide
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.state import TaskState
from wattswarm.operations.naming import pick
from wattswarm.operations.next_steps import next_steps
from wattswarm.operations.speech import Speech
from wattswarm.operations.task_view import task_row
from wattswarm.surface.task import CreatorSaid

Find: TypeAlias = Callable[[TaskState], EventId | Rejection]
Word: TypeAlias = Callable[[TaskState, EventId, int], Signings | Rejection]


@attrs.frozen(kw_only=True)
class Market:
    """Says the words of a task's creator for this node."""

    speech: Speech

    async def decide_claim(
        self, name: str, claim: str, *, is_approved: bool, reason: str | None
    ) -> CreatorSaid | Rejection:
        """Approve of a claim, or decline it."""
        me = self.speech.pen.key.node_id
        return await self._say(
            name,
            lambda state: pick(state.claims, claim, "claim of this task"),
            lambda state, claim_id, now_ms: decide.decide_claim(
                state, me, claim_id, now_ms, is_approved=is_approved, reason=reason
            ),
        )

    async def decide_completion(
        self,
        name: str,
        candidate: str,
        *,
        is_approved: bool,
        is_retry_requested: bool,
        reason: str | None,
    ) -> CreatorSaid | Rejection:
        """Take a candidate as what was asked for, or do not, and perhaps ask for another."""
        me = self.speech.pen.key.node_id
        return await self._say(
            name,
            lambda state: pick(state.candidates, candidate, "candidate of this task"),
            lambda state, candidate_id, now_ms: decide.decide_completion(
                state,
                me,
                candidate_id,
                now_ms,
                is_approved=is_approved,
                is_retry_requested=is_retry_requested,
                reason=reason,
            ),
        )

    async def settle_claim(
        self, name: str, claim: str, *, receipt: object
    ) -> CreatorSaid | Rejection:
        """Say that the work under a claim is paid."""
        me = self.speech.pen.key.node_id
        return await self._say(
            name,
            lambda state: pick(state.claims, claim, "claim of this task"),
            lambda state, claim_id, now_ms: decide.settle(
                state, me, claim_id, now_ms, receipt=receipt
            ),
        )

    async def _say(self, name: str, find: Find, word: Word) -> CreatorSaid | Rejection:
        def say(state: TaskState, now_ms: int) -> Signings | Rejection:
            found = find(state)
            return found if isinstance(found, Rejection) else word(state, found, now_ms)

        said = await self.speech.say(name, say)
        if isinstance(said, Rejection):
            return said
        about = find(said.state)
        assert not isinstance(about, Rejection), "a word adds no claim and no candidate"
        return CreatorSaid(
            task=task_row(said.state, said.now_ms),
            about=about.hex(),
            seq=said.seq,
            already=said.already,
            next_steps=next_steps(said.state, said.now_ms),
        )
