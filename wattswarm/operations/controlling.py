"""Stopping, suspending, resuming and killing tasks: a word is decided on, signed and appended."""

import attrs
import trio

from wattswarm.actors.messages import Append, AppendRefused
from wattswarm.actors.runtime.errors import ActorError
from wattswarm.actors.runtime.world import Clock
from wattswarm.kernel import decide
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.payloads.control import ControlWord
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState
from wattswarm.operations.derivation import Governing, derive_task
from wattswarm.operations.failing import of_actor_error, of_append
from wattswarm.operations.naming import find_task
from wattswarm.operations.submission import Appender
from wattswarm.operations.task_view import control_views, task_row
from wattswarm.store.connection import Connection
from wattswarm.store.pool import Reads
from wattswarm.surface.task import Controlled


@attrs.frozen
class Answer:
    """What was decided on a task as it was found."""

    state: TaskState
    signings: Signings


@attrs.define(eq=False, kw_only=True)
class Controlling:
    """Says control words for this node, one after the other: each is decided on with the last."""

    reads: Reads
    governing: Governing
    key: KeyPair
    append: Appender
    clock: Clock
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def control_task(
        self, name: str, word: ControlWord, *, reason: str | None
    ) -> Controlled | Rejection:
        """Say a control word on a task, and answer when it stands in the log.

        One that stands already is not said again.
        """
        async with self._turn:
            now_ms = self.clock.wall_ms()
            found = await self.reads.run(
                lambda connection: self._decide(connection, name, word, reason, now_ms)
            )
            if isinstance(found, Rejection):
                return found
            seq = await self._append(found) if found.signings else None
        if isinstance(seq, Rejection):
            return seq
        after = decide.follow(found.state, found.signings, self.key.node_id)
        return Controlled(
            task=task_row(after, now_ms),
            controls=control_views(after),
            seq=seq,
            already=seq is None,
        )

    def _decide(
        self,
        connection: Connection,
        name: str,
        word: ControlWord,
        reason: str | None,
        now_ms: int,
    ) -> Answer | Rejection:
        task_id = find_task(connection, name)
        if isinstance(task_id, Rejection):
            return task_id
        state = derive_task(connection, task_id, self.governing).state
        answer = decide.control(state, self.key, word, now_ms, reason=reason)
        return answer if isinstance(answer, Rejection) else Answer(state, answer)

    async def _append(self, found: Answer) -> int | Rejection:
        """Return where the word stands in the log."""
        network_id = found.state.network_id
        events = [each.draft.sign(network_id, self.key).to_wire() for each in found.signings]
        try:
            answer = await self.append(Append(events=tuple(events), is_own=True))
        except ActorError as error:
            return of_actor_error(error)
        return of_append(answer) if isinstance(answer, AppendRefused) else answer.seqs[-1]
