"""What could be decided for, on what it would rest, and since when."""

from tests.support.scene import CONTINUOUS, ref, scene
from wattswarm.kernel.choice import choices
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import Ballot, Status, Work
from wattswarm.kernel.records import Label


def test_votes_suffice_from_the_one_on_that_makes_up_the_quorum() -> None:
    stage = scene(4, quorum_threshold=2, max_verifiers=4)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    ballots = [Ballot.APPROVE, Ballot.REJECT, Ballot.APPROVE, Ballot.APPROVE]
    said = {Ballot.APPROVE: Status.PASSED, Ballot.REJECT: Status.FAILED}
    dates: list[int] = []
    for by, ballot in enumerate(ballots):
        found = stage.find(stage.claim(Work.VERIFY, by), candidate, by, status=said[ballot])
        stage.vote(found, by, ballot)
        dates.append(stage.now_ms)
        assert len(choices(stage.state)) == (by >= 2)
    (choice,) = choices(stage.state)
    assert (choice.approvals, choice.since_ms) == (3, dates[2])


def test_sealed_votes_suffice_from_the_reveal_on_that_lists_enough() -> None:
    stage = scene(4, quorum_threshold=2, commit_reveal=True, max_verifiers=4)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    commits = [
        stage.commit(stage.find(stage.claim(Work.VERIFY, by), candidate, by), candidate, by)
        for by in range(3)
    ]
    dates: list[int] = []
    for by, seen in enumerate([commits, [EventId(bytes(32))], commits]):
        stage.reveal(commits[by], seen, by)
        dates.append(stage.now_ms)
    (choice,) = choices(stage.state)
    assert (choice.approvals, choice.since_ms) == (3, dates[2]), "two list each from the third on"


def test_a_sealed_rejection_lists_others_and_is_no_approval() -> None:
    stage = scene(3, quorum_threshold=2, commit_reveal=True, max_verifiers=3)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    ballots = [Ballot.REJECT, Ballot.APPROVE, Ballot.APPROVE]
    said = {Ballot.APPROVE: Status.PASSED, Ballot.REJECT: Status.FAILED}
    commits = [
        stage.commit(
            stage.find(stage.claim(Work.VERIFY, by), candidate, by, status=said[ballot]),
            candidate,
            by,
            ballot=ballot,
        )
        for by, ballot in enumerate(ballots)
    ]
    dates: list[int] = []
    for by, ballot in enumerate(ballots):
        stage.reveal(commits[by], commits, by, ballot=ballot)
        dates.append(stage.now_ms)
    (choice,) = choices(stage.state)
    assert (choice.approvals, choice.since_ms) == (2, dates[2])


def test_a_candidate_may_be_chosen_with_its_evidence_confirmed_by_the_first_who_did() -> None:
    stage = scene(da_quorum_threshold=2, max_verifiers=3)
    candidate = stage.propose(stage.claim(Work.PROPOSE), evidence=[ref(1)])
    claims = [stage.claim(Work.VERIFY, by) for by in range(3)]
    stage.vote(stage.find(claims[0], candidate))
    held = [stage.confirm(claims[by], candidate, ref(1).digest, by) for by in (0, 0)]
    assert choices(stage.state) == ()
    held += [stage.confirm(claims[by], candidate, ref(1).digest, by) for by in (1, 2)]
    (choice,) = choices(stage.state)
    assert choice.confirmations == tuple(sorted((held[0], held[2])))


def test_votes_of_an_earlier_epoch_make_no_choice_in_a_later_one() -> None:
    stage = scene(**CONTINUOUS)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    stage.vote(stage.find(stage.claim(Work.VERIFY, 1), candidate, 1), 1)
    assert len(choices(stage.state)) == 1
    stage.end_epoch(signers=[0, 1, 2])
    assert stage.state.label == Label(2, stage.network.genesis.id)
    assert choices(stage.state) == ()
