"""The work itself: an executor's answer is stored, and then becomes events.

What an executor answered is stored before anything is signed, under the execution's id: after a
crash the work goes on from there, and an answer that was paid for is not bought twice.
"""

import attrs

from wattswarm.actors.dispatch.asking import Terms, parsed
from wattswarm.actors.dispatch.bodies import Bodies
from wattswarm.actors.dispatch.clients import Executor
from wattswarm.actors.dispatch.docket import Docket
from wattswarm.actors.dispatch.failing import Conclusion, NoRoom, WorkFailed, nothing
from wattswarm.actors.dispatch.keeper import Keeper
from wattswarm.actors.dispatch.making import Maker
from wattswarm.actors.dispatch.seeding import Seed, Seeder
from wattswarm.actors.dispatch.stored_answer import read_finding, read_proposal
from wattswarm.actors.dispatch.verifying import Examiner
from wattswarm.actors.runtime.actor import Context
from wattswarm.kernel import decide
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.decide.work import Proofs
from wattswarm.kernel.duty import Check, Confirm, Execute, Verify
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.state import TaskState
from wattswarm.store.errors import StoreFull
from wattswarm.store.local import Execution


@attrs.frozen(kw_only=True)
class Workshop:
    """Carries out the duties that need an executor or a body.

    Args:
        keeper: Stores what executors answered.
        seeder: Says what an executor is told about earlier decisions.
    """

    me: NodeId
    bodies: Bodies
    terms: Terms
    keeper: Keeper
    seeder: Seeder

    async def execute(
        self, docket: Docket, duty: Execute, executor: Executor, ctx: Context
    ) -> Conclusion:
        """Have an output made; a candidate comes of it.

        Raises:
            WorkFailed: No candidate will come of it.
            NoRoom: Nothing comes of it until there is room.
        """
        key = bytes.fromhex(duty.execution_id)
        if key not in docket.answers:
            seed = await self._seed(docket, duty, ctx)
            maker = Maker(self.terms, self.bodies)
            made = await maker.make(docket.state, duty, executor, seed, ctx)
            await self._keep(docket, key, duty.executor, made.encode(), ctx)
        return _proposal(duty, docket.answers[key])

    async def verify(
        self, docket: Docket, duty: Verify, executor: Executor, ctx: Context
    ) -> Conclusion:
        """Have a candidate verified; a result comes of it, with confirmations of its evidence.

        Raises:
            WorkFailed: No result will come of it.
            NoRoom: Nothing comes of it until there is room.
        """
        key = bytes.fromhex(duty.execution_id)
        state = docket.state
        if key not in docket.answers:
            found = await Examiner(self.terms, self.bodies).examine(state, duty, executor, ctx)
            await self._keep(docket, key, duty.executor, found.encode(), ctx)
        candidate = state.candidates[duty.candidate]
        proofs = await self.bodies.proofs(self.me, candidate, duty.digests)
        return _result(duty, docket.answers[key], proofs)

    async def confirm(self, docket: Docket, duty: Confirm) -> Conclusion:
        """Hold what evidence is here; confirmations come of it, none when none is."""
        candidate = docket.state.candidates[duty.candidate]
        proofs = await self.bodies.proofs(self.me, candidate, duty.digests)
        if not proofs:
            return nothing
        return lambda then, now_ms: decide.confirm(then, duty.claim, duty.candidate, proofs, now_ms)

    async def check(self, docket: Docket, duty: Check) -> bool | None:
        """Tell whether a candidate's output passes; None while a body of it is missing here."""
        state = docket.state
        candidate = state.candidates[duty.candidate]
        if not await self.bodies.has_all(candidate.evidence):
            return None
        body = await self.bodies.get(candidate.output)
        if body is None:
            return None
        try:
            return await self.terms.are_met(state.terms, parsed(body), len(body))
        except WorkFailed:
            return False

    async def _seed(self, docket: Docket, duty: Execute, ctx: Context) -> Seed:
        async def keep(name: bytes, told: bytes) -> None:
            await self._keep(docket, name, duty.executor, told, ctx)

        return await self.seeder.seed(docket, duty, ctx.clock.wall_ms(), keep)

    async def _keep(
        self, docket: Docket, key: bytes, executor: str, answer: bytes, ctx: Context
    ) -> None:
        """Have an answer, or what is told, on the disk before anything is made of it."""
        await ctx.point("store.before")
        execution = Execution(
            execution_id=key, task_id=docket.task_id, executor=executor, answer=answer
        )
        try:
            await self.keeper.keep(execution)
        except StoreFull as error:
            raise NoRoom(str(error)) from error
        await ctx.point("store.after")
        docket.answers[key] = answer


def _proposal(duty: Execute, answer: bytes) -> Conclusion:
    def conclude(state: TaskState, now_ms: int) -> Signings | Rejection:
        made = read_proposal(answer)
        return decide.propose(
            state,
            duty.claim,
            made.output,
            made.evidence,
            made.summary,
            now_ms,
            reuse_of=made.reuse_of,
        )

    return conclude


def _result(duty: Verify, answer: bytes, proofs: Proofs) -> Conclusion:
    def conclude(state: TaskState, now_ms: int) -> Signings | Rejection:
        found = read_finding(answer)
        return decide.submit_result(
            state,
            duty.claim,
            duty.candidate,
            found.status,
            found.score_bp,
            found.reason_codes,
            found.provider,
            found.model,
            proofs,
            now_ms,
        )

    return conclude
