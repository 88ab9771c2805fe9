"""What this node says itself: drafts are decided on, signed with its key, and appended."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import attrs
import trio

from wattswarm.actors.messages import Append, AppendRefused
from wattswarm.actors.runtime.errors import ActorError
from wattswarm.actors.runtime.world import Clock
from wattswarm.kernel import decide
from wattswarm.kernel.codes import CODES
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.lock import Signing, opened_at
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState
from wattswarm.operations.derivation import Governing, derive_task
from wattswarm.operations.failing import of_actor_error, of_append
from wattswarm.operations.naming import find_task
from wattswarm.operations.submission import Appender
from wattswarm.store.connection import Connection
from wattswarm.store.pool import Reads

Word: TypeAlias = Callable[[TaskState, int], Signings | Rejection]
"""What is to be said on a task at a time."""

Ruling: TypeAlias = Callable[[TaskState, Governance, int], Signings | Rejection]
"""The same, where governance has a say in it."""


@attrs.frozen(kw_only=True)
class Pen:
    """This node's key, and the way into the log."""

    key: KeyPair = attrs.field(repr=False)
    append: Appender
    network_id: str

    async def write(self, signings: Sequence[Signing]) -> int | Rejection | None:
        """Sign drafts and append them with their locks; return where the last stands in the log.

        None when there is nothing to sign.
        """
        if not signings:
            return None
        events = [each.draft.sign(self.network_id, self.key).to_wire() for each in signings]
        locks = tuple(lock for each in signings for lock in each.locks)
        try:
            answer = await self.append(
                Append(tuple(events), locks, is_own=True, opened_at=opened_at(signings))
            )
        except ActorError as error:
            return of_actor_error(error)
        return of_append(answer) if isinstance(answer, AppendRefused) else answer.seqs[-1]


@attrs.frozen(kw_only=True)
class Said:
    """A task after a word on it; `seq` is where that stands in the log, if it was said now."""

    before: TaskState
    state: TaskState
    seq: int | None
    now_ms: int

    @property
    def already(self) -> bool:
        """Whether the word stood before."""
        return self.seq is None


@attrs.frozen
class _Answer:
    state: TaskState
    signings: Signings


@attrs.define(eq=False, kw_only=True)
class Speech:
    """Says words on tasks, one after the other: each is decided on with the last."""

    reads: Reads
    governing: Governing
    pen: Pen
    clock: Clock
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def say(self, name: str, word: Word) -> Said | Rejection:
        """Say what `word` comes to for a task at this moment, and answer when it stands in the log.

        What it comes to may be nothing, when that has been said already. A penalized node says
        nothing.
        """
        return await self.rule(name, lambda state, _, now_ms: word(state, now_ms))

    async def rule(self, name: str, word: Ruling) -> Said | Rejection:
        """Say what `word` comes to with governance as it is at this moment; see `say`."""
        async with self._turn:
            now_ms = self.clock.wall_ms()
            found = await self.reads.run(
                lambda connection: self._decide(connection, name, word, now_ms)
            )
            if isinstance(found, Rejection):
                return found
            seq = await self.pen.write(found.signings)
        if isinstance(seq, Rejection):
            return seq
        after = decide.follow(found.state, found.signings, self.pen.key.node_id)
        return Said(before=found.state, state=after, seq=seq, now_ms=now_ms)

    def _decide(
        self, connection: Connection, name: str, word: Ruling, now_ms: int
    ) -> _Answer | Rejection:
        task_id = find_task(connection, name)
        if isinstance(task_id, Rejection):
            return task_id
        derived = derive_task(connection, task_id, self.governing)
        state, governance = derived.state, derived.governance
        if governance.bars(self.pen.key.node_id, now_ms):
            return Rejection(code="barred", message=CODES["barred"])
        answer = word(state, governance, now_ms)
        return answer if isinstance(answer, Rejection) else _Answer(state, answer)
