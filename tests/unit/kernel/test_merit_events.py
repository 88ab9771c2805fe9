"""TASK_FEEDBACK_REPORTED and REUSE_REJECT_RECORDED: who may say what, about what."""

import pytest

from tests.support.scene import Scene, local_scene, scene
from wattswarm.kernel import payloads
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import Ballot, Status, Work
from wattswarm.kernel.payloads.feedback import FeedbackWord
from wattswarm.kernel.verdict import Effective, Ignored, Need, On, Waiting


def answered(stage: Scene, by: int = 1) -> tuple[EventId, EventId]:
    """Have an answer proposed, approved of, decided and made final; return it and its decision."""
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    found = stage.find(stage.claim(Work.VERIFY, by), candidate, by)
    decision = stage.decide(candidate, [stage.vote(found, by)])
    stage.seal(candidate, decision, range(len(stage.cast)))
    return candidate, decision


def repeated(stage: Scene, by: int = 1) -> tuple[EventId, EventId]:
    """Have a repetition proposed and rejected by one; return it and the vote."""
    candidate = stage.propose(stage.claim(Work.PROPOSE, executor="z"), reuse_of=EventId(b"d" * 32))
    found = stage.find(
        stage.claim(Work.VERIFY, by, executor="z"), candidate, by, status=Status.FAILED
    )
    return candidate, stage.vote(found, by, Ballot.REJECT)


# --- feedback -------------------------------------------------------------------------------------


def test_the_creator_is_the_authority_and_comes_after_the_end() -> None:
    stage = scene()
    candidate, _ = answered(stage)
    said = stage.complain(candidate, at_ms=stage.state.terms.expires_at + 5)
    assert stage.verdict(said) == Effective()
    (found,) = stage.state.feedback.values()
    assert (found.candidate, found.label, found.reason) == (candidate, stage.label, "wrong")


def test_nobody_but_the_authority_gives_feedback() -> None:
    stage = scene()
    candidate, _ = answered(stage)
    assert stage.verdict(stage.complain(candidate, by=1)) == Ignored("not_authority")


def test_a_contract_may_name_another_authority() -> None:
    authority = scene().cast[2].node_id
    stage = scene(settlement={"authority": authority})
    candidate, _ = answered(stage)
    assert stage.verdict(stage.complain(candidate)) == Ignored("not_authority")
    assert stage.verdict(stage.complain(candidate, by=2)) == Effective()


def test_feedback_waits_for_what_it_is_about() -> None:
    stage = scene()
    name = EventId(b"c" * 32)
    said = stage.complain(name)
    assert stage.verdict(said) == Waiting((Need(On.EVENT, name),))


def test_feedback_is_about_a_candidate_that_is_older() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE)
    candidate = stage.propose(claim)
    early = stage.complain(candidate, at_ms=stage.now_ms)
    assert stage.verdict(early) == Ignored("date_order", candidate)
    assert stage.verdict(stage.complain(claim)) == Ignored("wrong_kind", claim)


def test_feedback_stays_in_the_epoch_of_its_candidate() -> None:
    stage = scene()
    candidate, _ = answered(stage)
    fields = dict(
        payloads.write(
            payloads.TaskFeedbackReported(candidate=candidate, outcome=FeedbackWord.BAD, reason="")
        )
    )
    said = stage.utter("TASK_FEEDBACK_REPORTED", fields, epoch=2)
    assert stage.verdict(said) == Ignored("wrong_epoch")


def test_good_is_no_feedback() -> None:
    stage = scene()
    candidate, _ = answered(stage)
    said = stage.utter(
        "TASK_FEEDBACK_REPORTED", {"candidate": candidate, "outcome": "good", "reason": ""}
    )
    assert stage.verdict(said) == Ignored("bad_field")


# --- rejected repetitions -------------------------------------------------------------------------


def test_a_quorum_of_rejecters_deprecates_and_voids_nothing() -> None:
    stage = scene(quorum_threshold=2)
    candidate, first = repeated(stage, 1)
    found = stage.find(stage.claim(Work.VERIFY, 2), candidate, 2, status=Status.FAILED)
    second = stage.vote(found, 2, Ballot.REJECT)
    said = stage.reject_reuse(candidate, [first, second], by=2)
    assert stage.verdict(said) == Effective()
    (record,) = stage.state.reuse_rejections.values()
    assert (record.decision, record.rejections) == (EventId(b"d" * 32), 2)
    assert candidate in stage.state.candidates


def test_the_same_voter_twice_is_no_quorum() -> None:
    stage = scene(quorum_threshold=2)
    candidate, first = repeated(stage, 1)
    again = stage.find(
        stage.claim(Work.VERIFY, 1, executor="q"), candidate, 1, status=Status.FAILED
    )
    second = stage.vote(again, 1, Ballot.REJECT)
    said = stage.reject_reuse(candidate, [first, second, first])
    assert stage.verdict(said) == Ignored("no_quorum")


def test_approvals_reject_nothing() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE), reuse_of=EventId(b"d" * 32))
    vote = stage.vote(stage.find(stage.claim(Work.VERIFY, 1), candidate, 1), 1)
    assert stage.verdict(stage.reject_reuse(candidate, [vote])) == Ignored("no_quorum")


def test_sealed_rejections_count_by_their_own_list() -> None:
    stage = scene(quorum_threshold=2, commit_reveal=True)
    candidate = stage.propose(stage.claim(Work.PROPOSE), reuse_of=EventId(b"d" * 32))
    commits: list[EventId] = []
    for by in (1, 2):
        found = stage.find(stage.claim(Work.VERIFY, by), candidate, by, status=Status.FAILED)
        commits.append(stage.commit(found, candidate, by, ballot=Ballot.REJECT))
    reveals = [
        stage.reveal(commit, seen, by, ballot=Ballot.REJECT)
        for by, commit, seen in ((1, commits[0], commits), (2, commits[1], ()))
    ]
    alone = stage.reject_reuse(candidate, reveals)
    assert stage.verdict(alone) == Ignored("no_quorum"), "the first commit is listed by one only"


def test_only_repetitions_are_rejected_as_such() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    found = stage.find(stage.claim(Work.VERIFY, 1), candidate, 1, status=Status.FAILED)
    vote = stage.vote(found, 1, Ballot.REJECT)
    said = stage.reject_reuse(candidate, [vote])
    assert stage.verdict(said) == Ignored("not_a_reuse", candidate)


@pytest.mark.parametrize("output", [1, 2])
def test_the_output_is_that_of_the_candidate(output: int) -> None:
    stage = scene()
    candidate, vote = repeated(stage)
    said = stage.reject_reuse(candidate, [vote], output=output)
    assert stage.verdict(said) == Ignored("wrong_output", candidate)


def test_the_votes_are_about_the_candidate_and_of_one_attempt() -> None:
    stage = scene()
    candidate, vote = repeated(stage)
    other, elsewhere = repeated(stage, 2)
    said = stage.reject_reuse(candidate, [vote, elsewhere])
    assert stage.verdict(said) == Ignored("wrong_candidate", elsewhere)
    stage.retry(1)
    claim = stage.claim(Work.VERIFY, 2, attempt=2, executor="w")
    later = stage.vote(stage.find(claim, candidate, 2, status=Status.FAILED), 2, Ballot.REJECT)
    mixed = stage.reject_reuse(candidate, [vote, later])
    assert stage.verdict(mixed) == Ignored("mixed_attempts")
    assert other != candidate


def test_a_rejection_waits_for_a_vote_it_lists() -> None:
    stage = scene()
    candidate, vote = repeated(stage)
    name = EventId(b"v" * 32)
    said = stage.reject_reuse(candidate, [vote, name])
    assert stage.verdict(said) == Waiting((Need(On.EVENT, name),))
    assert stage.verdict(stage.reject_reuse(candidate, [candidate])) == Ignored(
        "wrong_kind", candidate
    )


def test_a_network_of_one_rejects_its_own_repetitions() -> None:
    stage = local_scene()
    candidate, vote = repeated(stage, 0)
    assert stage.verdict(stage.reject_reuse(candidate, [vote])) == Effective()
