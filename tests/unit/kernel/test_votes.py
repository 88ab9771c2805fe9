"""Where a vote counts: commits, reveals and the lists that they stand in."""

import pytest

from tests.support.scene import Scene, scene
from wattswarm.kernel import canonical
from wattswarm.kernel.hashing import Context, digest, keyed
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.payloads import Ballot, Status, Work
from wattswarm.kernel.records import Label, Subject
from wattswarm.kernel.task import TaskMachine
from wattswarm.kernel.verdict import Effective, Ignored, Need, On, Waiting
from wattswarm.kernel.views import vote_equivocations
from wattswarm.kernel.vote import bound_fields, commit_hash, vote_salt


def election(
    members: int = 3, quorum: int = 2, status: Status = Status.PASSED
) -> tuple[Scene, EventId, list[EventId]]:
    """Return a candidate with a result of every member, in a task of sealed votes."""
    stage = scene(members, quorum_threshold=quorum, commit_reveal=True, max_verifiers=9)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    results = [
        stage.find(stage.claim(Work.VERIFY, by), candidate, by, status=status)
        for by in range(members)
    ]
    return stage, candidate, results


def approvals(stage: Scene, candidate: EventId) -> int:
    """Return how many approvals count."""
    return stage.state.approvals(Subject(stage.label, 1, candidate))


def test_a_vote_counts_when_a_quorum_of_voters_lists_its_commit() -> None:
    stage, candidate, results = election()
    commits = [stage.commit(result, candidate, by) for by, result in enumerate(results)]
    stage.reveal(commits[0], commits, 0)
    assert approvals(stage, candidate) == 0
    stage.reveal(commits[1], commits, 1)
    assert approvals(stage, candidate) == 2
    stage.reveal(commits[2], [], 2)
    assert approvals(stage, candidate) == 3, "others listed it, and its own list holds it"


def test_a_commit_made_after_the_others_revealed_does_not_count() -> None:
    stage, candidate, results = election()
    early = [stage.commit(results[by], candidate, by) for by in (0, 1)]
    for by in (0, 1):
        stage.reveal(early[by], early, by)
    late = stage.commit(results[2], candidate, 2)
    stage.reveal(late, [*early, late], 2)
    assert approvals(stage, candidate) == 2


def test_listing_a_commit_of_the_future_is_passed_over() -> None:
    stage, candidate, results = election()
    first = stage.commit(results[0], candidate, 0)
    at_ms = stage.now_ms + 1
    stage.now_ms += 10
    second = stage.commit(results[1], candidate, 1)
    reveal = stage.reveal(first, [first, second, EventId(bytes(32))], 0, at_ms=at_ms)
    stage.reveal(second, [first, second], 1)
    assert stage.verdict(reveal) == Effective()
    assert approvals(stage, candidate) == 1
    assert stage.state.listed[second] == 1


def test_one_voters_many_reveals_list_once() -> None:
    stage, candidate, results = election()
    commits = [stage.commit(results[by], candidate, by) for by in (0, 1)]
    for _ in range(3):
        stage.reveal(commits[0], commits, 0)
    assert stage.state.listed[commits[1]] == 1
    assert approvals(stage, candidate) == 0


def test_a_voter_with_two_commits_counts_once_and_is_reported() -> None:
    stage, candidate, results = election(quorum=1)
    commits = [stage.commit(results[0], candidate, 0) for _ in range(2)]
    for commit in commits:
        stage.reveal(commit, commits, 0)
    assert approvals(stage, candidate) == 1
    (report,) = vote_equivocations(stage.state)
    assert report.voter == stage.cast[0].node_id
    assert set(report.names) == set(commits)


@pytest.mark.parametrize(
    ("status", "ballot", "is_right"),
    [
        (Status.PASSED, Ballot.APPROVE, True),
        (Status.PASSED, Ballot.REJECT, False),
        (Status.FAILED, Ballot.REJECT, True),
        (Status.FAILED, Ballot.APPROVE, False),
    ],
)
def test_a_vote_says_what_the_voters_result_says(
    status: Status, ballot: Ballot, is_right: bool
) -> None:
    stage, candidate, results = election(status=status)
    commit = stage.commit(results[0], candidate, 0, ballot=ballot)
    reveal = stage.reveal(commit, [], 0, ballot=ballot)
    expected = Effective() if is_right else Ignored("vote_against_finding", results[0])
    assert stage.verdict(reveal) == expected


def test_an_inconclusive_result_gives_no_vote() -> None:
    stage, candidate, results = election(status=Status.INCONCLUSIVE)
    commit = stage.commit(results[0], candidate, 0)
    assert stage.verdict(commit) == Ignored("vote_without_finding", results[0])


def test_a_reveal_opens_its_own_commit_and_no_other() -> None:
    stage, candidate, results = election()
    commit = stage.commit(results[0], candidate, 0)
    foreign = stage.reveal(commit, [], 1)
    assert stage.verdict(foreign) == Ignored("not_own_commit", commit)
    changed = stage.reveal(commit, [], 0, ballot=Ballot.REJECT)
    assert stage.verdict(changed) == Ignored("commit_mismatch", commit)


def test_a_copied_commit_cannot_be_revealed_by_the_copier() -> None:
    stage, candidate, results = election()
    stage.commit(results[0], candidate, 0)
    copied = {**stage.said[-1].payload, "result": results[1]}
    copy = stage.utter("VOTE_COMMIT", copied, 1)
    assert stage.verdict(stage.reveal(copy, [], 1)) == Ignored("commit_mismatch", copy)


def test_only_the_author_of_a_result_votes_on_it() -> None:
    stage, candidate, results = election()
    commit = stage.commit(results[0], candidate, 1)
    assert stage.verdict(commit) == Ignored("not_own_result", results[0])


def test_the_contract_says_which_form_votes_have() -> None:
    sealed, _, results = election()
    assert sealed.verdict(sealed.vote(results[0])) == Ignored("votes_are_sealed")
    plain = scene()
    candidate = plain.propose(plain.claim(Work.PROPOSE))
    result = plain.find(plain.claim(Work.VERIFY), candidate)
    assert plain.verdict(plain.commit(result, candidate)) == Ignored("votes_are_plain")
    plain.vote(result)
    plain.vote(result)
    assert approvals(plain, candidate) == 1


def test_a_commit_that_comes_after_the_lists_that_hold_it_counts_the_same() -> None:
    stage, candidate, results = election()
    commits = [stage.commit(result, candidate, by) for by, result in enumerate(results)]
    reveals = [stage.reveal(commits[by], commits, by) for by in range(3)]
    late = [event for event in stage.said if event.event_id == commits[2]]
    others = [event for event in stage.said if event.event_id != commits[2]]
    machine = TaskMachine(stage.task.event_id, stage.governance)
    machine.add([stage.task, *others])
    subject = Subject(stage.label, 1, candidate)
    assert machine.state.approvals(subject) == 2
    assert machine.state.verdict(reveals[2]) == Waiting((Need(On.EVENT, commits[2]),))
    machine.add(late)
    assert machine.state.approvals(subject) == stage.state.approvals(subject) == 3
    assert machine.state.unmatched == {}
    assert machine.state.listed == stage.state.listed == dict.fromkeys(commits, 3)


def test_what_is_listed_and_is_no_commit_harms_nothing() -> None:
    stage, candidate, results = election()
    commits = [stage.commit(results[by], candidate, by) for by in (0, 1)]
    for by in (0, 1):
        name = stage.reveal(commits[by], [*commits, candidate, EventId(bytes(32))], by)
        assert stage.verdict(name) == Effective()
    assert approvals(stage, candidate) == 2
    assert list(stage.state.unmatched) == [EventId(bytes(32))]


def test_a_vote_is_sealed_by_a_hash_and_a_salt_of_purposes_of_their_own() -> None:
    subject = Subject(Label(1, Digest(bytes(32))), 2, EventId(b"c" * 32))
    bound = bound_fields(
        "net:x", EventId(b"t" * 32), subject, NodeId(b"v" * 32), EventId(b"r" * 32)
    )
    assert bound == ["net:x", b"t" * 32, 1, 2, b"c" * 32, b"v" * 32, b"r" * 32]
    seed = b"s" * 32
    salt = vote_salt(seed, bound, Ballot.APPROVE)
    spoken = canonical.encode([*bound, "approve"])
    assert salt == keyed(seed, b"wattswarm 2026 vote salt v1" + bytes(1) + spoken)
    wanted = digest(Context.VOTE_COMMIT, canonical.encode([*bound, "approve", salt]))
    assert commit_hash(bound, Ballot.APPROVE, salt) == wanted


def test_a_plain_vote_counts_by_itself_and_lists_nothing() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    name = stage.vote(stage.find(stage.claim(Work.VERIFY), candidate))
    vote = stage.state.votes[name]
    assert (vote.commit, vote.seen) == (None, ())
    assert list(stage.state.counted) == [name]
