"""What a decision must rest on, within its own lists."""

from tests.support.scene import Scene, ref, scene
from wattswarm.kernel import payloads
from wattswarm.kernel.decision import approvers, rejecters
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import Ballot, Status, Work
from wattswarm.kernel.verdict import Effective, Ignored, Need, On, Waiting


def voted(quorum: int = 2, **terms: object) -> tuple[Scene, EventId, list[EventId]]:
    """Return a candidate with a plain approval of each of three members."""
    stage = scene(quorum_threshold=quorum, max_verifiers=9, **terms)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    votes = [
        stage.vote(stage.find(stage.claim(Work.VERIFY, by), candidate, by), by) for by in range(3)
    ]
    return stage, candidate, votes


def test_a_decision_lists_a_quorum_of_distinct_approvers() -> None:
    stage, candidate, votes = voted()
    assert stage.verdict(stage.decide(candidate, votes[:1])) == Ignored("no_quorum")
    assert stage.verdict(stage.decide(candidate, votes[:1] * 2)) == Ignored("no_quorum")
    decision = stage.decide(candidate, votes[:2])
    assert stage.verdict(decision) == Effective()
    assert stage.state.decisions[decision].approvals == 2


def test_a_decision_without_votes_has_no_quorum() -> None:
    stage, candidate, _ = voted(quorum=1)
    assert stage.verdict(stage.decide(candidate, [])) == Ignored("no_quorum")


def test_rejections_may_be_listed_and_are_no_approvals() -> None:
    stage, candidate, votes = voted()
    claim = stage.claim(Work.VERIFY, 2, executor="y")
    failed = stage.find(claim, candidate, 2, status=Status.FAILED)
    rejection = stage.vote(failed, 2, Ballot.REJECT)
    decision = stage.decide(candidate, [*votes[:2], rejection])
    assert stage.verdict(decision) == Effective()
    assert stage.state.decisions[decision].rejections == 1
    assert stage.verdict(stage.decide(candidate, [votes[0], rejection])) == Ignored("no_quorum")


def test_within_the_list_commits_are_listed_by_a_quorum() -> None:
    stage = scene(quorum_threshold=2, commit_reveal=True, max_verifiers=9)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    commits = [
        stage.commit(stage.find(stage.claim(Work.VERIFY, by), candidate, by), candidate, by)
        for by in range(3)
    ]
    full = [stage.reveal(commits[by], commits, by) for by in (0, 1)]
    lonely = stage.reveal(commits[2], [], 2)
    assert stage.verdict(stage.decide(candidate, full)) == Effective()
    # Voter 2 lists only itself: with voter 0 alone, one commit has two listers and one has one.
    assert stage.verdict(stage.decide(candidate, [full[0], lonely])) == Ignored("no_quorum")
    assert stage.verdict(stage.decide(candidate, [*full, lonely])) == Effective()


def test_votes_of_two_attempts_do_not_mix() -> None:
    stage, candidate, votes = voted()
    stage.retry(1)
    claim = stage.claim(Work.VERIFY, 1, attempt=2)
    other = stage.vote(stage.find(claim, candidate, 1), 1)
    assert stage.verdict(stage.decide(candidate, [votes[0], other])) == Ignored("mixed_attempts")


def test_votes_on_another_candidate_cannot_be_listed() -> None:
    stage, _, votes = voted()
    other = stage.propose(stage.claim(Work.PROPOSE, executor="y"))
    assert stage.verdict(stage.decide(other, votes)) == Ignored("wrong_candidate", votes[0])


def test_every_listed_vote_must_be_there() -> None:
    stage, candidate, votes = voted()
    missing = EventId(bytes(32))
    name = stage.decide(candidate, [*votes, missing])
    assert stage.verdict(name) == Waiting((Need(On.EVENT, missing),))


def test_each_piece_of_evidence_is_held_by_enough_verifiers() -> None:
    stage = scene(da_quorum_threshold=2, max_verifiers=9)
    candidate = stage.propose(stage.claim(Work.PROPOSE), evidence=[ref(1), ref(2)])
    claims = [stage.claim(Work.VERIFY, by) for by in range(2)]
    vote = stage.vote(stage.find(claims[0], candidate))
    first = [stage.confirm(claims[by], candidate, ref(1).digest, by) for by in range(2)]
    second = [stage.confirm(claims[0], candidate, ref(2).digest) for _ in range(2)]
    short = stage.decide(candidate, [vote], [*first, *second])
    assert stage.verdict(short) == Ignored("evidence_unconfirmed", candidate)
    second.append(stage.confirm(claims[1], candidate, ref(2).digest, 1))
    assert stage.verdict(stage.decide(candidate, [vote], [*first, *second])) == Effective()


def test_only_a_committer_decides() -> None:
    stage, candidate, votes = voted()
    stage.cast = [*stage.cast, type(stage.cast[0]).from_seed(bytes(32))]
    assert stage.verdict(stage.decide(candidate, votes, by=3)) == Ignored("missing_role")


def test_a_name_of_another_kind_in_a_list_is_final() -> None:
    stage, candidate, votes = voted()
    name = stage.decide(candidate, [votes[0], candidate])
    assert stage.verdict(name) == Ignored("wrong_kind", candidate)


def test_a_list_counts_only_commits_that_were_there_when_it_was_made() -> None:
    stage = scene(quorum_threshold=2, commit_reveal=True, max_verifiers=9)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    results = [stage.find(stage.claim(Work.VERIFY, by), candidate, by) for by in range(2)]
    first = stage.commit(results[0], candidate, 0)
    early_ms = stage.now_ms + 1
    second = stage.commit(
        results[1],
        candidate,
        1,
    )
    reveals = [
        stage.reveal(first, [second], 0, at_ms=early_ms),
        stage.reveal(second, [first], 1),
    ]
    # Two voters list the first commit; the second is as old as the list that names it.
    assert stage.verdict(stage.decide(candidate, reveals)) == Ignored("no_quorum")


def test_rejections_count_by_the_same_lists() -> None:
    stage = scene(quorum_threshold=2, commit_reveal=True, max_verifiers=9)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    commits = [
        stage.commit(
            stage.find(stage.claim(Work.VERIFY, by), candidate, by, status=Status.FAILED),
            candidate,
            by,
            ballot=Ballot.REJECT,
        )
        for by in range(2)
    ]
    for by in range(2):
        stage.reveal(commits[by], commits, by, ballot=Ballot.REJECT)
    state = stage.state
    both = {key.node_id for key in stage.cast[:2]}
    assert rejecters(state.votes.values(), state.commits, state.terms) == both
    assert approvers(state.votes.values(), state.commits, state.terms) == frozenset()
    alone = [vote for vote in state.votes.values() if vote.author == stage.cast[0].node_id]
    assert rejecters(alone, state.commits, state.terms) == frozenset()


def test_of_one_voters_lists_the_latest_that_holds_a_commit_counts() -> None:
    stage = scene(quorum_threshold=2, commit_reveal=True, max_verifiers=9)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    results = [stage.find(stage.claim(Work.VERIFY, by), candidate, by) for by in range(2)]
    own = [stage.commit(results[0], candidate, 0) for _ in range(2)]
    early_ms = stage.now_ms + 1
    late = stage.commit(results[1], candidate, 1)
    reveals = [
        stage.reveal(own[0], [late], 0, at_ms=early_ms),
        stage.reveal(own[1], [late], 0),
        stage.reveal(late, own, 1),
    ]
    decision = stage.decide(candidate, reveals)
    assert stage.verdict(decision) == Effective()
    assert stage.state.decisions[decision].approvals == 2


def test_a_decision_is_written_with_its_summary() -> None:
    stage, candidate, votes = voted(quorum=1)
    said = payloads.DecisionCommitted(
        candidate=candidate, reveals=tuple(votes), confirmations=(), summary="in short"
    )
    stage.say(said)
    (decision,) = stage.state.decisions.values()
    assert (decision.summary, decision.reveals) == ("in short", tuple(sorted(votes)))
