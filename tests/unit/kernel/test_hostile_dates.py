"""What is dated ahead, or said a hundred times, neither stops honest nodes nor makes them wait."""

from tests.laws.world import START_MS, keys, shared_network, task
from tests.support.scene import LEASE_MS, Scene, ref, scene
from wattswarm.kernel import decide, payloads
from wattswarm.kernel.allocation import PlaceState, allocation
from wattswarm.kernel.budget import usage
from wattswarm.kernel.choice import choices, deciders, standing_decision
from wattswarm.kernel.duty import ExecutorOffer, due
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import Role
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.limits import AHEAD_MS, RETRY_BACKOFF_MS_MAX
from wattswarm.kernel.payloads import Ballot, Work
from wattswarm.kernel.records import Subject
from wattswarm.kernel.views import run_at

X = ExecutorOffer(name="x")


def kinds(stage: Scene, by: int, at_ms: int) -> list[str]:
    """Return the names of what a member has to do."""
    return [type(each).__name__ for each in due(stage.state, stage.cast[by], [X], at_ms).duties]


def approved(stage: Scene) -> tuple[EventId, EventId]:
    """Return a candidate of member 0 and the vote of member 1 for it."""
    candidate = stage.propose(stage.claim(Work.PROPOSE, 0), 0)
    result = stage.find(stage.claim(Work.VERIFY, 1), candidate, 1)
    return candidate, stage.vote(result, 1)


def late_result(stage: Scene, candidate: EventId) -> EventId:
    """Return a result of member 2, dated shortly before the task expires."""
    end_ms = stage.state.terms.expires_at
    claim = stage.claim(Work.VERIFY, 2, at_ms=end_ms - 100)
    return stage.find(claim, candidate, 2, at_ms=end_ms - 50)


def test_a_vote_dated_at_the_expiry_keeps_nobody_from_deciding() -> None:
    stage = scene()
    candidate, vote = approved(stage)
    now_ms, end_ms = stage.now_ms + 60_000, stage.state.terms.expires_at
    ahead = payloads.PlainVote(result=late_result(stage, candidate), vote=Ballot.APPROVE)
    stage.say(ahead, 2, at_ms=end_ms)
    assert [choice.approvals for choice in choices(stage.state)] == [2]
    for at_ms in (now_ms, end_ms - 1):
        found = decide.decision(stage.state, deciders(stage.state)[0], at_ms)
        assert not isinstance(found, Rejection)
        assert found[0].draft.payload["reveals"] == [vote]


def test_a_commit_dated_ahead_is_not_waited_for_and_not_listed() -> None:
    stage = scene(commit_reveal=True, max_verifiers=3)
    candidate = stage.propose(stage.claim(Work.PROPOSE, 0), 0)
    result = stage.find(stage.claim(Work.VERIFY, 1), candidate, 1)
    subject = Subject(stage.label, 1, candidate)
    signed = decide.vote(stage.state, stage.cast[1], subject, stage.now_ms)
    assert not isinstance(signed, Rejection)
    sealed = signed[0].draft.unsigned(stage.network.network_id, stage.cast[1].node_id)
    stage.said.append(sealed)
    now_ms = sealed.created_at + 60_000
    end_ms = stage.state.terms.expires_at
    bad = late_result(stage, candidate)
    assert bad != result
    stage.say(payloads.VoteCommit(result=bad, commit_hash=stage.pin), 2, at_ms=end_ms)
    for at_ms in (now_ms, end_ms - 1):
        found = decide.reveal(stage.state, stage.cast[1], sealed.event_id, at_ms)
        assert not isinstance(found, Rejection)
        assert found[0].draft.created_at == at_ms
        assert found[0].draft.payload["seen"] == [sealed.event_id]


def test_a_decision_dated_ahead_does_not_stand_and_the_next_in_turn_decides() -> None:
    stage = scene()
    candidate, vote = approved(stage)
    members = [key.node_id for key in stage.cast]
    first, second, _ = deciders(stage.state)
    now_ms = stage.now_ms + 60_000
    stage.now_ms = now_ms + AHEAD_MS
    stage.decide(candidate, [vote], by=members.index(first))
    assert standing_decision(stage.state, now_ms) is None
    assert standing_decision(stage.state, stage.now_ms) is not None
    assert not isinstance(decide.decision(stage.state, second, now_ms), Rejection)


def test_a_claim_dated_ahead_takes_no_place_and_gets_no_approval() -> None:
    stage = scene()
    stage.claim(Work.PROPOSE, 2, at_ms=START_MS + 300_000)
    (place,) = allocation(stage.state, START_MS + 1_000).places
    assert place.state is PlaceState.WAITING
    assert kinds(stage, 0, START_MS + 1_000) == ["Claim"]
    stage = scene(allocator="creator")
    stage.claim(Work.PROPOSE, 2, at_ms=START_MS + 300_000)
    assert kinds(stage, 0, START_MS + 1_000) == ["Claim"]


def test_a_candidate_dated_ahead_is_verified_when_its_time_has_come() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE, 0)
    now_ms = stage.now_ms
    stage.propose(claim, 0, at_ms=now_ms + LEASE_MS)
    assert kinds(stage, 1, now_ms) == []
    assert kinds(stage, 1, now_ms + LEASE_MS) == ["Claim"]


def test_no_retry_makes_a_task_rest_longer_than_the_longest_back_off() -> None:
    stage = scene()
    stage.claim(Work.PROPOSE, 1)
    stage.retry(1, 2, run_at=2**48 - 1)
    assert run_at(stage.state, 2) == stage.now_ms + RETRY_BACKOFF_MS_MAX
    assert kinds(stage, 0, stage.now_ms + RETRY_BACKOFF_MS_MAX) == ["Claim"]


def test_whoever_only_works_looks_again_when_a_silent_holder_lets_go() -> None:
    cast = keys(3, 9)
    roles = frozenset({Role.PROPOSER, Role.VERIFIER})
    members: dict[NodeId, frozenset[Role]] = {key.node_id: roles for key in cast[1:]}
    network = shared_network({**members, cast[0].node_id: frozenset(Role)}, cast[0])
    stage = Scene(network, cast, network.governance(), task(network, cast[0], {}))
    claim = stage.claim(Work.PROPOSE, 2)
    end_ms = stage.state.leases[claim].end
    found = due(stage.state, cast[1], [X], stage.now_ms)
    assert (found.duties, found.wake_at_ms) == ((), end_ms + 1)
    assert kinds(stage, 1, end_ms + 1) == ["Claim"]


def test_saying_a_thing_again_spends_nothing() -> None:
    stage = scene()
    claim, verifying = stage.claim(Work.PROPOSE, 0), stage.claim(Work.VERIFY, 1)
    candidate = stage.propose(claim, 0, evidence=[ref(1)])
    stage.confirm(verifying, candidate, ref(1).digest, 1)
    vote = stage.vote(stage.find(verifying, candidate, 1), 1)
    confirmation = next(iter(stage.state.confirmations))
    decision = stage.decide(candidate, [vote], [confirmation], 2)
    stage.seal(candidate, decision, [0])
    before = usage(stage.state, allocation(stage.state, stage.now_ms))
    assert (before.explore, before.verify, before.finalize) == (1, 3, 2)
    for _ in range(3):
        other = stage.propose(claim, 0)
        stage.confirm(verifying, candidate, ref(1).digest, 1)
        for each in (candidate, other):
            stage.vote(stage.find(verifying, each, 1), 1)
        stage.decide(candidate, [vote], [confirmation], 2)
        stage.seal(candidate, decision, [0])
        stage.seal(other, decision, [0])
    assert usage(stage.state, allocation(stage.state, stage.now_ms)) == before
