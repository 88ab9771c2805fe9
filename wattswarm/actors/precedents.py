"""Finding what was decided before: exact answers to a task's question, and answers to like ones.

Exact ones are found by digests. Like ones are the newest of the task type, compared by sketches of
their inputs when they are asked for; sketches are kept in memory, nothing is stored.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs

from wattswarm.kernel import contract
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.contract import Contract
from wattswarm.kernel.ids import EventId, TaskId
from wattswarm.kernel.knowledge import (
    COMPARED_MAX,
    SIMILAR_BP_MIN,
    SIMILAR_MAX,
    question,
    rejected_outputs,
)
from wattswarm.kernel.limits import BASIS_POINTS, JSON_CHECKED_BYTES_MAX
from wattswarm.kernel.similarity import Sketch, resemblance_bp, sketch
from wattswarm.kernel.state import TaskState
from wattswarm.store.connection import Connection
from wattswarm.store.log_reader import LogReader
from wattswarm.store.merit_reader import ALWAYS, Comparable, MeritReader, PrecedentLine

ReadBody = Callable[[ArtifactRef], bytes | None]
"""Returns the verified body, or None when it is not here; blocks."""

EXACT_MAX: Final = 8
SKETCHES_MAX: Final = 2_048
"""About 3 MiB."""


@attrs.frozen
class Hit:
    """A precedent, and how much its inputs are like those of the task."""

    line: PrecedentLine
    resemblance_bp: int


@attrs.frozen
class Found:
    """What was decided before. `rejected`: outputs that verifiers rejected as repetitions."""

    exact: tuple[PrecedentLine, ...]
    similar: tuple[Hit, ...]
    rejected: frozenset[str]

    @property
    def repeatable(self) -> PrecedentLine | None:
        """The newest exact answer that nothing speaks against."""
        sound = (
            line for line in self.exact if line.is_sound and line.output_digest not in self.rejected
        )
        return next(sound, None)


@attrs.define
class Precedents:
    """Looks precedents up; called in one thread at a time.

    Args:
        read_body: Reads inputs that are too large for an event.
    """

    read_body: ReadBody
    _sketches: OrderedDict[TaskId, Sketch] = attrs.field(
        factory=OrderedDict[TaskId, Sketch], init=False
    )

    def find(
        self,
        connection: Connection,
        state: TaskState,
        until_ms: int = ALWAYS,
        *,
        may_repeat: bool = False,
    ) -> Found:
        """Return what was decided before in the scope of a task, which is effective.

        Args:
            until_ms: Only decisions that are dated before.
            may_repeat: An answer to the very question will be repeated: where there is one, answers
                to like questions are not looked for.
        """
        assert state.scope is not None, "an effective task has a scope"
        reader, terms = MeritReader(connection), state.terms
        exact = reader.answers(
            question(terms),
            state.scope,
            limit=EXACT_MAX,
            not_task=state.task_id,
            until_ms=until_ms,
        )
        rejected = rejected_outputs(state)
        if exact:
            rejected |= {*reader.rejected_outputs(exact, state.scope)}
        found = Found(exact, (), rejected)
        if may_repeat and found.repeatable is not None:
            return found
        others = reader.comparable(
            terms.task_type,
            state.scope,
            limit=COMPARED_MAX,
            not_task=state.task_id,
            until_ms=until_ms,
        )
        known = {line.decision for line in exact}
        near = self._near(connection, state, [o for o in others if o.decision not in known])
        lines = {line.decision: line for line in reader.named(near, state.scope)} if near else {}
        similar = [Hit(lines[name], alike) for name, alike in near.items() if name in lines]
        return attrs.evolve(found, similar=tuple(similar))

    def _near(
        self, connection: Connection, state: TaskState, others: Sequence[Comparable]
    ) -> Mapping[EventId, int]:
        """Return the decisions whose inputs are most like those of a task, the best first."""
        if not others:
            return {}
        mine = self._keep(state.task_id, state.terms)
        alike = {
            other: resemblance_bp(mine, self._sketch(connection, other.task_id)) for other in others
        }
        near = [other for other in others if alike[other] >= SIMILAR_BP_MIN]
        near.sort(key=lambda other: (-alike[other], -other.decided_at, other.decision))
        return {other.decision: alike[other] for other in near[:SIMILAR_MAX]}

    def _sketch(self, connection: Connection, task_id: TaskId) -> Sketch:
        """Return the sketch of another task's inputs; an empty one when they cannot be compared."""
        known = self._sketches.get(task_id)
        if known is not None:
            self._sketches.move_to_end(task_id)
            return known
        row = LogReader(connection).event(task_id)
        if row is None:
            return ()
        return self._keep(task_id, contract.read(row.event().payload["contract"]))

    def _keep(self, task_id: TaskId, terms: Contract) -> Sketch:
        known = self._sketches.get(task_id)
        if known is not None:
            return known
        inputs = self._inputs(terms)
        if inputs is None:
            return ()
        made = self._sketches[task_id] = sketch(inputs)
        if len(self._sketches) > SKETCHES_MAX:
            self._sketches.popitem(last=False)
        return made

    def _inputs(self, terms: Contract) -> bytes | None:
        ref = terms.inputs_ref
        if ref is not None:
            return None if ref.size_bytes > JSON_CHECKED_BYTES_MAX else self.read_body(ref)
        return (terms.inputs or "{}").encode()


def confidence(hit_bp: int) -> float:
    """Return a resemblance as executors are told it, from 0 to 1; whole numbers as such."""
    return hit_bp / BASIS_POINTS if hit_bp % BASIS_POINTS else hit_bp // BASIS_POINTS
