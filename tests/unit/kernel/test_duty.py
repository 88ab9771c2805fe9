"""The roster: what is outstanding, under which key, and when to ask again."""

from collections.abc import Sequence

from tests.laws.world import START_MS
from tests.support.scene import LEASE_MS, Scene, local_scene, ref, scene
from wattswarm.kernel import decide, duty, payloads
from wattswarm.kernel.choice import deciders
from wattswarm.kernel.duty import Duty, ExecutorOffer, Roster, carry, due
from wattswarm.kernel.duty.kinds import EndEpoch, RejectReuse
from wattswarm.kernel.duty.roster import FOLLOWING_MAX
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import draft_statement
from wattswarm.kernel.governance.statement import Statement, statement_message
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.limits import PIN_GRACE_MS
from wattswarm.kernel.payloads import Ballot, Status, Work
from wattswarm.kernel.payloads.statement import NodePenalized, StatementState
from wattswarm.kernel.records import Label, Subject
from wattswarm.kernel.task import TaskMachine

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


# --- keys, and what is not to be said any more ----------------------------------------------------


def test_two_duties_are_one_by_what_is_to_be_done_and_not_by_when_or_how() -> None:
    one, other = EventId(b"1" * 32), EventId(b"2" * 32)
    subject = Subject(Label(1, Digest(bytes(32))), 2, one)
    keys = {
        duty.Claim(role=Work.VERIFY, executor="x", attempt=2, signings=()).key,
        duty.Approve(claim=one, signings=()).key,
        duty.Renew(claim=one, previous=other, signings=()).key,
        duty.Release(claim=one, signings=()).key,
        duty.Execute(claim=one, executor="x", attempt=1, execution_id="ab").key,
        duty.Verify(
            claim=one, candidate=other, executor="x", attempt=1, execution_id="ab", digests=()
        ).key,
        duty.Confirm(claim=one, candidate=other, digests=("d",)).key,
        duty.Vote(subject=subject, signings=()).key,
        duty.Reveal(commit=one, signings=()).key,
        duty.Decide(signings=()).key,
        duty.Check(candidate=one, decision=other).key,
        duty.Finalize(decision=one, signings=()).key,
        duty.Retry(attempt=1, signings=()).key,
        EndEpoch(epoch=3, signings=()).key,
        RejectReuse(candidate=one, signings=()).key,
    }
    assert keys == {
        ("claim", 2, "verify", "x"),
        ("approve", one),
        ("renew", one, other),
        ("release", one),
        ("execute", "ab"),
        ("verify", "ab"),
        ("confirm", one, other),
        ("vote", 2, one),
        ("reveal", one),
        ("decide",),
        ("check", one),
        ("finalize",),
        ("retry", 1),
        ("end epoch", 3),
        ("reject_reuse", one),
    }


def silenced(stage: Scene, by: int) -> int:
    """Have a member say something dated at the very end of the task; return that date."""
    end_ms = stage.state.ends_at
    stage.say(payloads.TaskExpired(), by, at_ms=end_ms)
    return end_ms


def test_who_spoke_at_the_end_of_the_task_takes_nothing_and_gives_nothing() -> None:
    stage = scene(allocator="creator", expires_in_ms=60_000)
    claim = stage.claim(Work.PROPOSE, 1, at_ms=stage.state.ends_at - 5_000, lease_ms=5_000)
    late_ms = stage.state.ends_at - 1
    (approve,) = roster(stage, by=0, at_ms=late_ms).duties
    (release,) = roster(stage, by=1, at_ms=late_ms).duties
    assert [approve.key, release.key] == [("approve", claim), ("release", claim)]
    (take,) = roster(stage, X, by=2, at_ms=late_ms).duties
    assert isinstance(take, duty.Claim)
    for by in range(3):
        silenced(stage, by)
        assert roster(stage, X, by=by, at_ms=late_ms).duties == ()


def test_no_vote_claim_or_rejection_is_due_that_would_come_too_late() -> None:
    stage = scene(expires_in_ms=60_000, max_verifiers=3)
    candidate = stage.propose(stage.claim(Work.PROPOSE), reuse_of=EventId(b"d" * 32))
    results = [
        stage.find(stage.claim(Work.VERIFY, by), candidate, by, status=Status.FAILED)
        for by in (1, 2)
    ]
    stage.vote(results[0], 1, Ballot.REJECT)
    late_ms = stage.state.ends_at - 1
    assert kinds(roster(stage, X, by=2, at_ms=late_ms)) == ["Vote", "RejectReuse", "Retry"]
    stage.now_ms = late_ms
    silenced(stage, 2)
    assert kinds(roster(stage, X, by=2, at_ms=late_ms)) == []


def test_a_rejection_is_recorded_by_the_first_decider_and_by_others_in_their_turns() -> None:
    stage = scene(max_verifiers=3)
    candidate = stage.propose(stage.claim(Work.PROPOSE), reuse_of=EventId(b"d" * 32))
    found = stage.find(stage.claim(Work.VERIFY, 1), candidate, 1, status=Status.FAILED)
    stage.vote(found, 1, Ballot.REJECT)
    nodes = [key.node_id for key in stage.cast]
    first, second, _ = (nodes.index(node) for node in deciders(stage.state))
    assert "RejectReuse" in kinds(roster(stage, by=first))
    waiting = roster(stage, by=second)
    assert "RejectReuse" not in kinds(waiting)
    assert waiting.wake_at_ms is not None
    assert "RejectReuse" in kinds(roster(stage, by=second, at_ms=waiting.wake_at_ms))


def test_sealed_votes_are_revealed_once_and_by_who_sealed_them() -> None:
    stage = scene(commit_reveal=True, max_verifiers=3)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    for by in (1, 2):
        stage.find(stage.claim(Work.VERIFY, by), candidate, by)
    (vote,) = [each for each in roster(stage, by=1).duties if isinstance(each, duty.Vote)]
    append(stage, vote, 1)
    waiting = roster(stage, by=1)
    assert kinds(waiting) == []
    assert waiting.wake_at_ms is not None
    (reveal,) = roster(stage, by=1, at_ms=stage.state.ends_at - 1).duties
    assert isinstance(reveal, duty.Reveal)
    assert "Reveal" not in kinds(roster(stage, by=2, at_ms=stage.state.ends_at - 1))
    append(stage, reveal, 1)
    assert "Reveal" not in kinds(roster(stage, by=1, at_ms=stage.state.ends_at - 1))


def test_a_vote_waits_for_a_nodes_other_executors_of_the_newest_attempt_alone() -> None:
    stage = scene(max_attempts=2, max_verifiers=3)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    stage.find(stage.claim(Work.VERIFY, 1), candidate, 1)
    stage.claim(Work.VERIFY, 1, executor="y")
    assert "Vote" not in kinds(roster(stage, by=1))
    stage.retry(1)
    assert "Vote" in kinds(roster(stage, by=1))


def test_a_decision_out_of_turn_is_looked_at_again() -> None:
    stage = scene(max_verifiers=3)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    vote = stage.vote(stage.find(stage.claim(Work.VERIFY, 1), candidate, 1), 1)
    nodes = [key.node_id for key in stage.cast]
    last = nodes.index(deciders(stage.state)[-1])
    stage.decide(candidate, [vote], by=last)
    early = roster(stage, by=last)
    assert "Check" not in kinds(early)
    assert early.wake_at_ms is not None
    due_ms = stage.now_ms + 2 * stage.state.terms.decider_timeout_ms
    assert "Check" in kinds(roster(stage, by=last, at_ms=due_ms))


def test_a_restored_node_has_no_duties_in_epochs_that_were_opened_before() -> None:
    stage = local_scene()
    for restored_at_ms, wanted in ((START_MS - 1, ["Claim"]), (START_MS, [])):
        found = due(stage.state, stage.cast[0], [X], AT, restored_at_ms=restored_at_ms)
        assert kinds(found) == wanted


def test_a_batch_goes_no_further_than_is_appended_at_once() -> None:
    stage = local_scene()
    pieces = [ref(number) for number in range(FOLLOWING_MAX)]
    candidate = stage.propose(stage.claim(Work.PROPOSE), evidence=pieces)
    claim = stage.claim(Work.VERIFY)
    proofs = [(piece.digest, Digest(bytes(32))) for piece in pieces]
    answer = decide.submit_result(
        stage.state, claim, candidate, Status.PASSED, 1, (100,), "p", "m", proofs, stage.now_ms
    )
    assert not isinstance(answer, Rejection), answer
    course = carry(stage.state, answer, stage.cast[0], [X], stage.now_ms)
    assert (course.signings, course.roster) == (answer, None)


def test_a_penalized_node_has_no_duties() -> None:
    stage = scene(3, threshold=2)
    assert kinds(_roster_under(stage)) == ["Claim"]
    said = Statement(
        kind=NodePenalized.kind,
        target=stage.cast[2].node_id,
        serial=1,
        state=StatementState.REVOKED,
        governance=stage.network.genesis.id,
        reason="",
        keep=frozenset(),
    )
    signed = statement_message(stage.network.network_id, said)
    sigs = {key.node_id: key.sign(signed) for key in stage.cast[:2]}
    draft = draft_statement(said, sigs, START_MS)
    stage.governance.add(draft.unsigned(stage.network.network_id, stage.cast[0].node_id))
    assert _roster_under(stage) == Roster()


def _roster_under(stage: Scene) -> Roster:
    return due(stage.state, stage.cast[2], [X], AT, governance=stage.governance)


def test_nobody_has_duties_for_a_task_that_is_only_spoken_of() -> None:
    stage = scene()
    stage.claim(Work.PROPOSE)
    machine = TaskMachine(stage.task.event_id, stage.governance)
    machine.add(stage.said)
    assert due(machine.state, stage.cast[0], [X], AT) == Roster()
