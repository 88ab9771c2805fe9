"""Stopping, suspending, resuming and killing tasks, and ending their epochs."""

import attrs

from wattswarm.kernel import decide
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.payloads.control import ControlWord
from wattswarm.operations.epoch_view import epoch_view, missing_for_end
from wattswarm.operations.next_steps import next_steps
from wattswarm.operations.speech import Speech
from wattswarm.operations.task_view import control_views, task_row
from wattswarm.surface.task import Controlled, EpochEndSaid


@attrs.frozen(kw_only=True)
class Controlling:
    """Says control words for this node."""

    speech: Speech

    async def control_task(
        self, name: str, word: ControlWord, *, reason: str | None
    ) -> Controlled | Rejection:
        """Say a control word on a task, and answer when it stands in the log.

        One that stands already is not said again.
        """
        key = self.speech.pen.key
        said = await self.speech.say(
            name, lambda state, now_ms: decide.control(state, key, word, now_ms, reason=reason)
        )
        if isinstance(said, Rejection):
            return said
        return Controlled(
            task=task_row(said.state, said.now_ms),
            controls=control_views(said.state),
            seq=said.seq,
            already=said.already,
        )

    async def end_epoch(
        self, name: str, *, reason: str | None, out_of_turn: bool
    ) -> EpochEndSaid | Rejection:
        """Say that the newest epoch of a task is over, and answer when that stands in the log."""
        key = self.speech.pen.key
        said = await self.speech.rule(
            name,
            lambda state, governance, now_ms: decide.end_epoch(
                state, key, governance, now_ms, reason=reason, is_ordered=out_of_turn
            ),
        )
        if isinstance(said, Rejection):
            return said
        here, state = said.before.here, said.state
        is_over = state.here != here
        return EpochEndSaid(
            task=task_row(state, said.now_ms),
            ended=epoch_view(state, here),
            missing=0 if is_over else missing_for_end(state),
            opened=epoch_view(state, state.here) if is_over else None,
            seq=said.seq,
            next_steps=next_steps(state, said.now_ms),
        )
