"""What final decisions leave behind, and when they may be used again."""

import attrs

from tests.laws.world import START_MS
from tests.support.scene import CONTINUOUS, Scene, ref, scene
from wattswarm.kernel.hashing import artifact_digest
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.knowledge import (
    may_reuse,
    precedents,
    question,
    rejected_outputs,
    reuses,
)
from wattswarm.kernel.payloads import Ballot, Status, Work
from wattswarm.kernel.task import TaskMachine

EARLIER = EventId(b"d" * 32)


def final(stage: Scene) -> tuple[EventId, EventId]:
    """Have a task decided for good; return the candidate and the decision."""
    candidate = stage.propose(stage.claim(Work.PROPOSE), reuse_of=EARLIER)
    vote = stage.vote(stage.find(stage.claim(Work.VERIFY, 1), candidate, 1), 1)
    decision = stage.decide(candidate, [vote])
    stage.seal(candidate, decision, [0, 1, 2])
    return candidate, decision


def test_a_final_epoch_leaves_digests_and_the_signed_summary() -> None:
    stage = scene()
    candidate, decision = final(stage)
    (found,) = precedents(stage.state)
    assert (found.candidate, found.decision, found.label) == (candidate, decision, stage.label)
    assert (found.output, found.reuse_of) == (ref(), EARLIER)
    assert (found.quorum, found.approvals, found.rejections) == (1, 1, 0)
    assert not found.is_bad


def test_what_is_not_final_or_disputed_leaves_nothing() -> None:
    stage = scene()
    assert precedents(stage.state) == ()
    final(stage)
    other = stage.propose(stage.claim(Work.PROPOSE, executor="y"))
    vote = stage.vote(stage.find(stage.claim(Work.VERIFY, 2), other, 2), 2)
    stage.seal(other, stage.decide(other, [vote], by=1), [0, 1, 2])
    assert precedents(stage.state) == ()


def test_an_answer_that_was_found_bad_says_so() -> None:
    stage = scene()
    candidate, _ = final(stage)
    stage.complain(candidate)
    assert precedents(stage.state)[0].is_bad


def test_the_decision_that_most_finalizers_signed_is_the_one_that_is_kept() -> None:
    stage = scene(threshold=2)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    vote = stage.vote(stage.find(stage.claim(Work.VERIFY, 1), candidate, 1), 1)
    one, two = (stage.decide(candidate, [vote], by=by) for by in (0, 1))
    stage.seal(candidate, one, [0])
    stage.seal(candidate, two, [1, 2])
    assert precedents(stage.state)[0].decision == two


def test_the_question_is_what_is_asked_and_nothing_else() -> None:
    asked = question(scene().state.terms)
    assert question(scene(name="another name", lease_ms=9_000).state.terms) == asked
    for other in (
        scene(task_type="other"),
        scene(inputs={"text": "other"}),
        scene(output_schema={"type": "object"}),
        scene(policy={"id": "vp.schema_thresholds.v1"}),
    ):
        assert question(other.state.terms) != asked


def test_inputs_outside_the_contract_are_the_same_question() -> None:
    stage = scene(inputs={"text": "a"})
    terms = stage.state.terms
    body = (terms.inputs or "").encode()
    moved = attrs.evolve(
        terms, inputs=None, inputs_ref=attrs.evolve(ref(), digest=artifact_digest(body))
    )
    assert question(moved) == question(terms)


def test_a_precedent_is_tried_as_often_and_as_long_as_the_contract_pays_for() -> None:
    stage = scene(reuse={"max_attempts": 2, "verify_time_ms": 5_000, "verify_units": 200})
    begin_ms = stage.state.created_at
    assert may_reuse(stage.state, begin_ms + 5_000)
    assert not may_reuse(stage.state, begin_ms + 5_001)
    for tried, executor in enumerate("xy", 1):
        stage.propose(stage.claim(Work.PROPOSE, executor=executor), reuse_of=EARLIER)
        assert reuses(stage.state, stage.label) == tried
    assert not may_reuse(stage.state, begin_ms)


def test_a_rejected_repetition_is_to_be_avoided() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE), reuse_of=EARLIER)
    found = stage.find(stage.claim(Work.VERIFY, 1), candidate, 1, status=Status.FAILED)
    assert rejected_outputs(stage.state) == frozenset()
    stage.reject_reuse(candidate, [stage.vote(found, 1, Ballot.REJECT)])
    assert rejected_outputs(stage.state) == {ref().digest}


def test_each_epoch_has_its_own_tries_and_its_own_first_time() -> None:
    stage = scene(
        reuse={"max_attempts": 1, "verify_time_ms": 5_000, "verify_units": 1},
        expires_in_ms=60_000,
        **CONTINUOUS,
    )
    stage.propose(stage.claim(Work.PROPOSE), reuse_of=EARLIER)
    assert not may_reuse(stage.state, stage.now_ms)
    for by in (0, 1):
        stage.end_epoch(signers=[0, 1, 2], by=by, at_ms=START_MS + 70_000)
    assert may_reuse(stage.state, START_MS + 75_000)
    assert not may_reuse(stage.state, START_MS + 75_001)


def test_no_precedent_is_tried_for_a_task_that_is_not_there() -> None:
    stage = scene()
    absent = TaskMachine(stage.task.event_id, stage.governance).state
    assert not may_reuse(absent, stage.now_ms)
