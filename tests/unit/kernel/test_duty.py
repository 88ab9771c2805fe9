"""The roster: what is outstanding, under which key, and when to ask again."""

from collections.abc import Sequence

from tests.laws.world import START_MS
from tests.support.scene import LEASE_MS, Scene, local_scene, ref, scene
from wattswarm.kernel import decide, duty, payloads
from wattswarm.kernel.choice import deciders
from wattswarm.kernel.duty import Duty, ExecutorOffer, Roster, carry, due
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.limits import PIN_GRACE_MS
from wattswarm.kernel.payloads import Status, Work

AT = START_MS + 1_000
X, Y, Z = (ExecutorOffer(name=name) for name in "xyz")


def roster(
    stage: Scene,
    *executors: ExecutorOffer,
    by: int = 0,
    at_ms: int | None = None,
    in_hand: Sequence[EventId] = (),
    checked: dict[EventId, bool] | None = None,
) -> Roster:
    """Return what a member has to do."""
    return due(
        stage.state,
        stage.cast[by],
        executors,
        stage.now_ms if at_ms is None else at_ms,
        in_hand=in_hand,
        checked=checked,
    )


def kinds(found: Roster) -> list[str]:
    """Return the names of the duties."""
    return [type(each).__name__ for each in found.duties]


def append(stage: Scene, each: Duty, by: int = 0) -> list[EventId]:
    """Append the events of a duty."""
    assert isinstance(each, (*duty.FOLLOWING, duty.Renew, duty.Release))
    events = [
        signing.draft.sign(stage.network.network_id, stage.cast[by]) for signing in each.signings
    ]
    stage.said += events
    stage.now_ms = max(stage.now_ms, *(event.created_at for event in events))
    return [event.event_id for event in events]


# --- claims ---------------------------------------------------------------------------------------


def test_places_are_claimed_up_to_the_contracts_number() -> None:
    stage = local_scene(max_proposers=2, max_concurrency={"propose": 3, "verify": 3})
    found = roster(stage, X, Y, Z)
    assert kinds(found) == ["Claim", "Claim"]
    assert [each.key for each in found.duties] == [
        ("claim", 1, "propose", "x"),
        ("claim", 1, "propose", "y"),
    ]
    for each in found.duties:
        append(stage, each)
    assert kinds(roster(stage, X, Y, Z)) == ["Execute", "Execute"]


def test_an_executor_gets_only_work_of_its_types_and_roles() -> None:
    stage = local_scene(task_type="summarize")
    other = ExecutorOffer(name="o", task_types=frozenset({"translate"}))
    verifier = ExecutorOffer(name="v", may_propose=False)
    assert kinds(roster(stage, other, verifier)) == []
    assert kinds(roster(stage, ExecutorOffer(name="s", task_types=frozenset({"summarize"})))) == [
        "Claim"
    ]


def test_nothing_is_done_for_a_task_that_is_over_stale_or_older_than_a_restore() -> None:
    stage = local_scene()
    expiry = stage.state.terms.expires_at
    assert roster(stage, X, at_ms=expiry + 1) == Roster()
    me = stage.cast[0]
    stage.govern(effective_at=START_MS - PIN_GRACE_MS)
    assert due(stage.state, me, [X], AT, governance=stage.governance) == Roster()
    assert due(stage.state, me, [X], AT, restored_at_ms=AT) == Roster()
    assert kinds(due(stage.state, me, [X], AT, restored_at_ms=START_MS - 1)) == ["Claim"]


def test_a_place_is_not_taken_again_after_a_failure_or_a_silent_end() -> None:
    stage = local_scene(max_attempts=1)
    stage.claim(Work.PROPOSE, at_ms=AT)
    lapsed = roster(stage, X, at_ms=AT + LEASE_MS + 1)
    assert kinds(lapsed) == []
    assert kinds(roster(stage, X, Y, at_ms=AT + LEASE_MS + 1)) == ["Claim"]


def test_several_executors_of_one_node_take_one_verify_place_outside_local_networks() -> None:
    stage = scene(quorum_threshold=2)
    stage.propose(stage.claim(Work.PROPOSE, 0), 0)
    found = roster(stage, X, Y, Z, by=1)
    assert [each.key for each in found.duties] == [("claim", 1, "verify", "x")]


def test_a_verify_place_is_claimed_once_there_is_something_to_verify() -> None:
    stage = local_scene(independence="executor", max_verifiers=3)
    claim = stage.claim(Work.PROPOSE, executor="x")
    assert kinds(roster(stage, X, Y)) == ["Execute"]
    stage.propose(claim)
    found = roster(stage, X, Y)
    assert [each.key for each in found.duties] == [("claim", 1, "verify", "y")]


# --- work -----------------------------------------------------------------------------------------


def test_work_is_outstanding_until_it_is_done_under_the_same_key() -> None:
    stage = local_scene(max_verifiers=1)
    claim = stage.claim(Work.PROPOSE)
    (execute,) = roster(stage, X).duties
    assert isinstance(execute, duty.Execute)
    renewed = stage.renew(claim, claim)
    (again,) = roster(stage, X).duties
    assert (again.key, renewed in stage.state.renewals) == (execute.key, True)
    candidate = stage.propose(claim, evidence=[ref(1)])
    verifying = stage.claim(Work.VERIFY)
    (verify,) = roster(stage, X).duties
    assert isinstance(verify, duty.Verify)
    assert (verify.claim, verify.candidate) == (verifying, candidate)
    assert verify.digests == (ref(1).digest,)
    assert verify.execution_id != execute.execution_id


def test_evidence_that_was_not_confirmed_with_the_result_is_confirmed_after() -> None:
    stage = local_scene(max_verifiers=1)
    candidate = stage.propose(stage.claim(Work.PROPOSE), evidence=[ref(1), ref(2)])
    claim = stage.claim(Work.VERIFY)
    stage.confirm(claim, candidate, ref(1).digest)
    stage.find(claim, candidate)
    confirms = [each for each in roster(stage, X).duties if isinstance(each, duty.Confirm)]
    assert [each.digests for each in confirms] == [(ref(2).digest,)]


def test_a_lease_is_renewed_while_its_work_is_in_hand() -> None:
    stage = local_scene()
    claim = stage.claim(Work.PROPOSE, at_ms=AT)
    early = roster(stage, X, at_ms=AT, in_hand=[claim])
    assert kinds(early) == ["Execute"]
    assert early.wake_at_ms == AT + LEASE_MS // 2
    later = roster(stage, X, at_ms=AT + LEASE_MS // 2, in_hand=[claim])
    assert kinds(later) == ["Execute", "Renew"]
    append(stage, later.duties[1])
    assert stage.state.leases[claim].end == AT + LEASE_MS // 2 + LEASE_MS
    assert kinds(roster(stage, X, in_hand=[claim])) == ["Execute"]
    assert kinds(roster(stage, X, at_ms=AT + LEASE_MS // 2)) == ["Execute"]


def test_a_claim_that_waits_in_vain_is_withdrawn_and_may_be_made_again() -> None:
    stage = scene(max_proposers=1)
    stage.claim(Work.PROPOSE, 0, at_ms=AT)
    stage.claim(Work.PROPOSE, 1, at_ms=AT + 1)
    assert kinds(roster(stage, X, by=1, at_ms=AT + 2)) == []
    late = AT + LEASE_MS - 100
    withdrawn = roster(stage, X, by=1, at_ms=late)
    assert kinds(withdrawn) == ["Release"]
    append(stage, withdrawn.duties[0], by=1)
    assert kinds(roster(stage, X, by=1, at_ms=late + 2)) == []
    freed = roster(stage, X, by=1, at_ms=AT + LEASE_MS + 2)
    assert kinds(freed) == ["Claim"]


def test_the_creator_approves_of_as_many_claims_as_there_are_places() -> None:
    stage = scene(allocator="creator", max_proposers=1)
    claims = [stage.claim(Work.PROPOSE, by) for by in (1, 2)]
    found = roster(stage)
    assert [each.key for each in found.duties] == [("approve", claims[0])]
    assert kinds(roster(stage, by=1)) == []
    append(stage, found.duties[0])
    assert kinds(roster(stage)) == []
    assert kinds(roster(stage, by=1)) == ["Execute"]


def test_a_claim_waits_for_its_approval_as_long_as_the_contract_allows() -> None:
    stage = scene(allocator="creator", lease_ms=LEASE_MS, time_ms=2 * LEASE_MS)
    claim = stage.claim(Work.PROPOSE, 1, at_ms=AT)
    assert roster(stage, X, by=1).wake_at_ms == AT + LEASE_MS // 2
    renewed = roster(stage, X, by=1, at_ms=AT + LEASE_MS - 1)
    assert kinds(renewed) == ["Renew"]
    append(stage, renewed.duties[0], by=1)
    again = roster(stage, X, by=1, at_ms=AT + 2 * LEASE_MS - LEASE_MS // 2 + 1)
    assert kinds(again) == ["Renew"]
    append(stage, again.duties[0], by=1)
    last = roster(stage, X, by=1, at_ms=AT + 2 * LEASE_MS - 1)
    assert [each.key for each in last.duties] == [("release", claim)]
    append(stage, last.duties[0], by=1)
    assert kinds(roster(stage, X, by=1)) == ["Claim"], "it asks anew"


def test_a_claim_that_was_declined_is_given_up_and_not_made_again() -> None:
    stage = scene(allocator="creator", max_proposers=1)
    claim = stage.claim(Work.PROPOSE, 1)
    stage.say(payloads.TaskClaimDecided(claim=claim, approved=False))
    assert kinds(roster(stage)) == [], "the creator does not approve of it by itself"
    given_up = roster(stage, X, by=1)
    assert kinds(given_up) == ["Release"]
    append(stage, given_up.duties[0], by=1)
    assert kinds(roster(stage, X, by=1)) == []
    assert kinds(roster(stage, X, by=2)) == ["Claim"]


def test_a_creator_that_does_not_approve_by_itself_leaves_claims_waiting() -> None:
    stage = local_scene(allocator="creator")
    (claimed,) = roster(stage, X).duties
    claim = append(stage, claimed)[0]
    me = stage.cast[0]
    assert [type(each) for each in roster(stage, X).duties] == [duty.Approve]
    quiet = due(stage.state, me, [X], stage.now_ms, approves=False)
    assert quiet.duties == ()
    assert quiet.wake_at_ms is not None, "the claim has to be kept alive"
    course = carry(stage.state, (), me, [X], stage.now_ms, approves=False)
    assert course.signings == ()
    answer = decide.decide_claim(stage.state, me.node_id, claim, stage.now_ms, is_approved=True)
    assert not isinstance(answer, Rejection)
    stage.said += [each.draft.sign(stage.network.network_id, me) for each in answer]
    assert kinds(roster(stage, X)) == ["Execute"]


# --- votes, decisions, finality -------------------------------------------------------------------


def test_a_node_votes_when_all_of_its_executors_have_had_their_say() -> None:
    stage = local_scene(max_verifiers=2)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    claims = [stage.claim(Work.VERIFY, executor=name) for name in "xy"]
    stage.find(claims[0], candidate)
    assert kinds(roster(stage, X, Y)) == ["Verify"]
    stage.find(claims[1], candidate, status=Status.INCONCLUSIVE)
    (vote,) = roster(stage, X, Y).duties
    assert isinstance(vote, duty.Vote)
    assert vote.subject.candidate == candidate


def test_a_decision_is_checked_before_finality_is_signed() -> None:
    stage = local_scene(max_verifiers=1)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    stage.vote(stage.find(stage.claim(Work.VERIFY), candidate))
    (decide_,) = roster(stage, X).duties
    assert isinstance(decide_, duty.Decide)
    append(stage, decide_)
    (check,) = roster(stage, X).duties
    assert isinstance(check, duty.Check)
    assert check.candidate == candidate
    assert kinds(roster(stage, X, checked={candidate: False})) == []
    (finalize,) = roster(stage, X, checked={candidate: True}).duties
    append(stage, finalize)
    assert stage.state.outcomes[0].candidate == candidate
    assert roster(stage, X) == Roster()


def test_in_a_network_of_one_everything_that_follows_comes_in_one_batch() -> None:
    stage = local_scene(max_verifiers=1)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    claim = stage.claim(Work.VERIFY)
    result = decide.submit_result(
        stage.state,
        claim,
        candidate,
        Status.PASSED,
        9_000,
        (100,),
        "p",
        "m",
        [],
        stage.now_ms,
    )
    assert isinstance(result, tuple)
    batch = carry(
        stage.state, result, stage.cast[0], [X], stage.now_ms, checked={candidate: True}
    ).signings
    assert [each.draft.kind for each in batch] == [
        "VERIFIER_RESULT_SUBMITTED",
        "VOTE_REVEAL",
        "DECISION_COMMITTED",
        "DECISION_FINALIZED",
    ]
    stage.said += [each.draft.sign(stage.network.network_id, stage.cast[0]) for each in batch]
    assert stage.state.outcomes[0].candidate == candidate
    assert [lock.kind for each in batch for lock in each.locks] == [
        "plain_vote",
        "decision",
        "finality",
    ]


def test_in_larger_networks_nothing_is_added_to_a_batch() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    claim = stage.claim(Work.VERIFY)
    result = decide.submit_result(
        stage.state, claim, candidate, Status.PASSED, 1, (100,), "p", "m", [], stage.now_ms
    )
    assert isinstance(result, tuple)
    assert carry(stage.state, result, stage.cast[0], [X], stage.now_ms).signings == result


def test_the_next_decider_asks_again_when_its_turn_comes() -> None:
    stage = scene(decider_timeout_ms=7_000, max_verifiers=3)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    for by in range(3):
        stage.vote(stage.find(stage.claim(Work.VERIFY, by), candidate, by), by)
    order = [
        next(by for by, key in enumerate(stage.cast) if key.node_id == node)
        for node in deciders(stage.state)
    ]
    assert kinds(roster(stage, by=order[0])) == ["Decide"]
    second = roster(stage, by=order[1])
    assert kinds(second) == []
    assert second.wake_at_ms is not None
    assert kinds(roster(stage, by=order[1], at_ms=second.wake_at_ms)) == ["Decide"]


# --- retries --------------------------------------------------------------------------------------


def test_a_failed_attempt_is_followed_by_another_when_no_executor_is_left() -> None:
    stage = local_scene(max_attempts=2)
    claim = stage.claim(Work.PROPOSE)
    stage.say(payloads.TaskError(claim=claim, reason="other", reason_codes=(0,), message="m"))
    assert kinds(roster(stage, X, Y)) == ["Claim"], "another executor may take the place"
    (retry,) = roster(stage, X).duties
    assert isinstance(retry, duty.Retry)
    append(stage, retry)
    waiting = roster(stage, X)
    assert kinds(waiting) == []
    assert waiting.wake_at_ms is not None
    (again,) = roster(stage, X, at_ms=waiting.wake_at_ms).duties
    assert again.key == ("claim", 2, "propose", "x")


def test_a_later_attempt_verifies_what_an_earlier_one_left_and_proposes_nothing_anew() -> None:
    stage = local_scene(max_attempts=2, max_verifiers=1)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    claim = stage.claim(Work.VERIFY)
    stage.find(claim, candidate, status=Status.INCONCLUSIVE)
    (retry,) = roster(stage, X).duties
    assert isinstance(retry, duty.Retry)
    append(stage, retry)
    found = roster(stage, X, at_ms=stage.now_ms + 60_000)
    assert [each.key for each in found.duties] == [("claim", 2, "verify", "x")]


def test_what_is_outstanding_after_a_batch_is_what_the_roster_says_then() -> None:
    stage = local_scene()
    claim = roster(stage, X, Y).duties[0]
    assert isinstance(claim, duty.Claim)
    offers, me = (X, Y), stage.cast[0]
    course = carry(stage.state, claim.signings, me, offers, stage.now_ms)
    after = decide.follow(stage.state, course.signings, me.node_id)
    assert course.roster == due(after, me, offers, stage.now_ms)
    assert course.roster is not None
    assert kinds(course.roster) == ["Execute"]


def test_between_nodes_what_is_outstanding_after_a_batch_is_to_be_asked() -> None:
    stage = scene()
    claim = roster(stage, X).duties[0]
    assert isinstance(claim, duty.Claim)
    course = carry(stage.state, claim.signings, stage.cast[0], (X,), stage.now_ms)
    assert (course.signings, course.roster) == (claim.signings, None)


def test_a_renewal_that_is_due_after_a_batch_stands_on_the_roster_that_comes_with_it() -> None:
    stage = local_scene(max_proposers=2, max_concurrency={"propose": 2, "verify": 2})
    first = stage.claim(Work.PROPOSE, at_ms=AT)
    late_ms = AT + LEASE_MS // 2
    claim = roster(stage, X, Y, at_ms=late_ms).duties[-1]
    assert isinstance(claim, duty.Claim)
    course = carry(stage.state, claim.signings, stage.cast[0], (X, Y), late_ms, in_hand=[first])
    assert course.roster is not None
    assert "Renew" in kinds(course.roster)
