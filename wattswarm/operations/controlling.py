"""Stopping, suspending, resuming and killing tasks."""

import attrs

from wattswarm.kernel import decide
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.payloads.control import ControlWord
from wattswarm.operations.speech import Speech
from wattswarm.operations.task_view import control_views, task_row
from wattswarm.surface.task import Controlled


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
