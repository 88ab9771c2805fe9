"""What an executor is told about earlier decisions: once, and the same again."""

from pathlib import Path

import attrs
import pytest

from tests.support.scene import Scene, local_scene
from wattswarm.actors.dispatch.bodies import Bodies
from wattswarm.actors.dispatch.docket import Docket
from wattswarm.actors.dispatch.seeding import NOTHING, Seed, Seeder, read
from wattswarm.actors.precedents import Found, Hit
from wattswarm.executors.contract import Stage
from wattswarm.executors.seed import read_seed
from wattswarm.kernel.duty import Execute
from wattswarm.kernel.execution import execution_id, seed_id
from wattswarm.kernel.hashing import artifact_digest
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.knowledge import question
from wattswarm.kernel.payloads import Work
from wattswarm.store.artifacts import ArtifactStore
from wattswarm.store.merit_reader import PrecedentLine

BODY = b'{"answer":1}'
NOBODY = Found((), (), frozenset())


@attrs.define
class Bench:
    """A docket with one claim to work under, and a seeder that finds what it is told to find."""

    stage: Scene
    docket: Docket
    duty: Execute
    bodies: Bodies
    found: Found = NOBODY
    looks: int = 0
    kept: dict[bytes, bytes] = attrs.field(factory=dict[bytes, bytes])

    async def seed(self, now_ms: int | None = None) -> Seed:
        async def look(_: object, until_ms: int, may_repeat: bool) -> Found:
            del may_repeat
            assert until_ms == self.stage.state.claims[self.duty.claim].created_at
            self.looks += 1
            return self.found

        async def keep(name: bytes, told: bytes) -> None:
            self.kept[name] = self.docket.answers[name] = told

        seeder = Seeder(bodies=self.bodies, look=look)
        at_ms = self.stage.now_ms if now_ms is None else now_ms
        return await seeder.seed(self.docket, self.duty, at_ms, keep)

    def line(self, **changes: object) -> PrecedentLine:
        """Return a precedent for this very question."""
        made = PrecedentLine(
            task_id=EventId(b"t" * 32),
            epoch=1,
            pin=Digest(b"p" * 32),
            candidate=EventId(b"c" * 32),
            decision=EventId(b"d" * 32),
            scope="global",
            question=question(self.stage.state.terms),
            policy_id="vp.schema_only.v1",
            output_digest=artifact_digest(BODY),
            output_size_bytes=len(BODY),
            output_mime="application/json",
            quorum=1,
            approvals=1,
            rejections=0,
            decided_at=1,
            is_bad=False,
            summary="one",
            reuse_of=None,
            is_deprecated=False,
        )
        return attrs.evolve(made, **changes)


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    stage = local_scene()
    docket = Docket.open(stage.task.event_id, stage.governance, [stage.task])
    claim = stage.claim(Work.PROPOSE)
    docket.learn(stage.said)
    name = execution_id(stage.task.event_id, docket.state.claims[claim])
    duty = Execute(claim=claim, executor="x", attempt=1, execution_id=name)
    bodies = Bodies(ArtifactStore(tmp_path / "artifacts", 2**20))
    await bodies.put(BODY, "application/json")
    return Bench(stage, docket, duty, bodies)


def name_of(bench: Bench) -> bytes:
    return seed_id(bytes.fromhex(bench.duty.execution_id))


async def test_without_precedents_nothing_is_told_and_nothing_is_kept(bench: Bench) -> None:
    assert await bench.seed() == NOTHING
    assert bench.kept == {}
    bench.found = Found((bench.line(),), (), frozenset())
    assert await bench.seed() == NOTHING, "what was told once is told again"
    assert bench.looks == 1


async def test_an_exact_answer_is_kept_before_it_is_told_and_told_again(bench: Bench) -> None:
    bench.found = Found((bench.line(),), (), frozenset())
    told = await bench.seed()
    assert (told.stage, told.repeats) == (Stage.DECIDE, EventId(b"d" * 32))
    assert read_seed(told.bundle).exact is not None
    assert told.decision(artifact_digest(BODY)) == EventId(b"d" * 32)
    assert told.decision(artifact_digest(b"other")) is None
    assert read(bench.kept[name_of(bench)]) == told
    bench.found = NOBODY
    assert await bench.seed() == told
    assert bench.looks == 1


async def test_after_a_crash_work_that_was_begun_is_told_nothing_new(bench: Bench) -> None:
    bench.found = Found((bench.line(),), (), frozenset())
    again = Docket.open(
        bench.stage.task.event_id,
        bench.stage.governance,
        [bench.stage.task, *bench.stage.said],
    )
    bench.docket = again
    assert await bench.seed() == NOTHING
    assert bench.looks == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"is_bad": True},
        {"is_deprecated": True},
        {"output_digest": artifact_digest(b"not here")},
        {"output_size_bytes": 40_000},
    ],
)
async def test_an_answer_that_is_unsound_or_not_at_hand_decides_nothing(
    bench: Bench, changes: dict[str, object]
) -> None:
    bench.found = Found((bench.line(**changes),), (), frozenset())
    assert (await bench.seed()).stage is not Stage.DECIDE


async def test_a_contract_that_pays_for_no_more_tries_decides_nothing(bench: Bench) -> None:
    bench.found = Found((bench.line(),), (), frozenset())
    late_ms = bench.stage.task.created_at + bench.stage.state.terms.reuse.verify_time_ms + 1
    assert (await bench.seed(late_ms)).stage is Stage.EXPLORE


async def test_rejected_outputs_are_to_be_avoided_and_not_offered(bench: Bench) -> None:
    rejected = frozenset({artifact_digest(BODY)})
    bench.found = Found((bench.line(),), (), rejected)
    told = await bench.seed()
    assert told.stage is Stage.DIVERGE_MODE
    assert read_seed(told.bundle).must_avoid == tuple(rejected)
    assert told.repeats is None


async def test_like_answers_come_with_how_like_they_are(bench: Bench) -> None:
    bench.found = Found((), (Hit(bench.line(), 2_500),), frozenset())
    told = await bench.seed()
    assert told.stage is Stage.EXPLORE
    assert [hit.confidence for hit in read_seed(told.bundle).hits] == [0.25]
