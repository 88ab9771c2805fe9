"""Complaining about an answer, and recording that a repetition was rejected: what is refused."""

from tests.support.scene import Scene, local_scene, scene
from wattswarm.kernel import decide
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.decide.reuse import rejection
from wattswarm.kernel.duty import RejectReuse, due
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import Ballot, Status, Work
from wattswarm.kernel.reputation import due_at

EARLIER = EventId(b"d" * 32)


def final(stage: Scene) -> EventId:
    """Have a task decided for good; return the candidate."""
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    vote = stage.vote(stage.find(stage.claim(Work.VERIFY, 1), candidate, 1), 1)
    stage.seal(candidate, stage.decide(candidate, [vote]), [0, 1, 2])
    return candidate


def rejected(stage: Scene, *by: int) -> EventId:
    """Have a repetition proposed and rejected; return the candidate."""
    candidate = stage.propose(stage.claim(Work.PROPOSE), reuse_of=EARLIER)
    for each in by:
        claim = stage.claim(Work.VERIFY, each)
        found = stage.find(claim, candidate, each, status=Status.FAILED)
        stage.vote(found, each, Ballot.REJECT)
    return candidate


def append(stage: Scene, answer: Signings | Rejection, by: int = 0) -> None:
    """Append what was decided."""
    assert not isinstance(answer, Rejection), answer
    stage.said += [each.draft.sign(stage.network.network_id, stage.cast[by]) for each in answer]


def code(answer: object) -> str:
    assert isinstance(answer, Rejection), answer
    return answer.code


def complain(stage: Scene, by: int = 0, now_ms: int | None = None) -> Signings | Rejection:
    at_ms = stage.now_ms if now_ms is None else now_ms
    return decide.feedback(stage.state, stage.cast[by].node_id, at_ms, reason="wrong")


def test_feedback_is_given_once_by_the_authority_within_the_window() -> None:
    stage = scene()
    assert code(complain(stage)) == "not_final"
    final(stage)
    assert code(complain(stage, by=1)) == "not_authority"
    end_ms = due_at(stage.state, stage.label)
    assert code(complain(stage, now_ms=end_ms + 1)) == "window_closed"
    append(stage, complain(stage, now_ms=end_ms))
    assert len(stage.state.feedback) == 1
    assert complain(stage) == ()


def test_feedback_is_for_epochs_that_are_there() -> None:
    stage = scene()
    final(stage)
    answer = decide.feedback(stage.state, stage.cast[0].node_id, stage.now_ms, reason="", epoch=2)
    assert code(answer) == "not_final"


def test_a_rejection_is_recorded_once_a_quorum_rejected() -> None:
    stage = scene(quorum_threshold=2)
    node = stage.cast[2].node_id
    assert code(decide.reject_reuse(stage.state, node, stage.now_ms)) == "not_a_reuse"
    candidate = rejected(stage, 1)
    answer = decide.reject_reuse(stage.state, node, stage.now_ms, candidate_id=candidate)
    assert code(answer) == "no_quorum"
    found = stage.find(stage.claim(Work.VERIFY, 2), candidate, 2, status=Status.FAILED)
    stage.vote(found, 2, Ballot.REJECT)
    append(stage, decide.reject_reuse(stage.state, node, stage.now_ms), 2)
    (record,) = stage.state.reuse_rejections.values()
    assert (record.candidate, record.rejections, record.reason_codes) == (candidate, 2, (101,))
    again = decide.reject_reuse(stage.state, node, stage.now_ms, candidate_id=candidate)
    assert again == ()


def test_a_rejection_is_about_a_repetition_that_is_known() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    for name, expected in ((EARLIER, "unknown_candidate"), (candidate, "not_a_reuse")):
        answer = decide.reject_reuse(
            stage.state, stage.cast[0].node_id, stage.now_ms, candidate_id=name
        )
        assert code(answer) == expected


def test_a_sealed_rejection_lists_what_makes_it_count() -> None:
    stage = scene(quorum_threshold=2, commit_reveal=True)
    candidate = stage.propose(stage.claim(Work.PROPOSE), reuse_of=EARLIER)
    commits: list[EventId] = []
    for by in (1, 2):
        found = stage.find(stage.claim(Work.VERIFY, by), candidate, by, status=Status.FAILED)
        commits.append(stage.commit(found, candidate, by, ballot=Ballot.REJECT))
    for by, commit in zip((1, 2), commits, strict=True):
        stage.reveal(commit, commits, by, ballot=Ballot.REJECT)
    append(stage, decide.reject_reuse(stage.state, stage.cast[0].node_id, stage.now_ms))
    assert len(stage.state.reuse_rejections) == 1


def test_in_a_network_of_one_a_rejected_repetition_is_recorded_by_itself() -> None:
    stage = local_scene()
    candidate = rejected(stage, 0)
    duties = due(stage.state, stage.cast[0], (), stage.now_ms + 60_000).duties
    (found,) = [each for each in duties if isinstance(each, RejectReuse)]
    assert found.candidate == candidate
    append(stage, found.signings)
    duties = due(stage.state, stage.cast[0], (), stage.now_ms + 60_000).duties
    assert not any(isinstance(each, RejectReuse) for each in duties)


def test_votes_on_another_answer_do_not_reject_a_repetition() -> None:
    stage = scene()
    one = stage.propose(stage.claim(Work.PROPOSE), reuse_of=EARLIER)
    other = stage.propose(stage.claim(Work.PROPOSE, 1, executor="y"), 1, reuse_of=EARLIER)
    claim = stage.claim(Work.VERIFY, 2)
    votes = {
        each: stage.vote(stage.find(claim, each, 2, status=Status.FAILED), 2, Ballot.REJECT)
        for each in (one, other)
    }
    for each in (one, other):
        assert [vote.event_id for vote in rejection(stage.state, each)] == [votes[each]]
