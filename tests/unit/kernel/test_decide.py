"""What an honest node signs, and the refusals when it does not."""

import pytest

from tests.laws.world import START_MS, keys, local_network
from tests.support.scene import LEASE_MS, Scene, local_scene, ref, scene
from wattswarm.kernel import contract, decide
from wattswarm.kernel.choice import deciders
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.event import Draft
from wattswarm.kernel.evidence import possession_proof
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.lock import LockKind
from wattswarm.kernel.payloads import Ballot, Status, Work
from wattswarm.kernel.records import Subject
from wattswarm.kernel.verdict import Effective

AT = START_MS + 1_000


def code(answer: Signings | Rejection | Draft) -> str | None:
    """Return the code of a refusal, None for what is none."""
    return answer.code if isinstance(answer, Rejection) else None


def carry_out(stage: Scene, answer: Signings | Rejection, by: int = 0) -> list[EventId]:
    """Append what was decided, and return its names; all of it must take effect."""
    assert not isinstance(answer, Rejection), answer
    names: list[EventId] = []
    for signing in answer:
        event = signing.draft.sign(stage.network.network_id, stage.cast[by])
        stage.said.append(event)
        stage.now_ms = max(stage.now_ms, event.created_at)
        names.append(event.event_id)
    for name in names:
        assert stage.verdict(name) == Effective()
    return names


def decided(stage: Scene) -> tuple[EventId, EventId]:
    """Return a candidate with a vote of each member, and the decision for it."""
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    votes = [
        stage.vote(stage.find(stage.claim(Work.VERIFY, by), candidate, by), by)
        for by in range(len(stage.cast))
    ]
    return candidate, stage.decide(candidate, votes, by=decider(stage))


def decider(stage: Scene) -> int:
    """Return the index of the member whose turn to decide comes first."""
    first = deciders(stage.state)[0]
    return next(by for by, key in enumerate(stage.cast) if key.node_id == first)


# --- creating -------------------------------------------------------------------------------------


def test_a_task_is_pinned_to_the_governance_in_effect_and_takes_effect() -> None:
    (key,) = keys(1)
    network = local_network(key)
    draft = decide.create_task(
        contract.sample(),
        governance=network.governance(),
        network_id=network.network_id,
        key_node=key.node_id,
        now_ms=AT,
    )
    assert isinstance(draft, Draft)
    assert draft.payload["pin"] == network.genesis.id
    stage = Scene(network, (key,), network.governance(), draft.sign(network.network_id, key))
    assert stage.state.is_effective


def test_a_task_is_refused_with_everything_that_is_wrong_with_it() -> None:
    (key,) = keys(1)
    network = local_network(key)
    made = {
        "governance": network.governance(),
        "network_id": network.network_id,
        "key_node": key.node_id,
        "now_ms": AT,
    }
    bad = {**contract.sample(), "lease_ms": -1, "surprise": 1}
    refusal = decide.create_task(bad, **made)
    assert isinstance(refusal, Rejection)
    assert refusal.code == "contract_invalid"
    errors = refusal.details["errors"]
    assert isinstance(errors, list)
    assert len(errors) == 2
    nobody = {**made, "governance": Governance(network.network_id)}
    assert code(decide.create_task(contract.sample(), **nobody)) == "no_governance"
    stranger = {**made, "key_node": keys(1, 77)[0].node_id}
    assert code(decide.create_task(contract.sample(), **stranger)) == "not_admitted"


# --- places ---------------------------------------------------------------------------------------


def test_a_claim_takes_a_free_place_until_the_end_of_its_lease() -> None:
    stage = scene()
    (name,) = carry_out(
        stage, decide.claim(stage.state, stage.cast[0].node_id, Work.PROPOSE, "x", AT)
    )
    claim = stage.state.claims[name]
    assert (claim.created_at, claim.lease_end) == (AT, AT + LEASE_MS)


def test_claims_are_refused_where_there_is_no_place() -> None:
    stage = scene(4, max_proposers=1)
    me = stage.cast[1].node_id
    stage.claim(Work.PROPOSE, 0, at_ms=AT)
    assert code(decide.claim(stage.state, me, Work.PROPOSE, "x", AT)) == "no_place"
    mine = stage.cast[0].node_id
    assert code(decide.claim(stage.state, mine, Work.PROPOSE, "x", AT)) == "place_held"
    later = AT + LEASE_MS + 1
    assert code(decide.claim(stage.state, mine, Work.PROPOSE, "x", later)) == "place_spent"
    assert code(decide.claim(stage.state, me, Work.PROPOSE, "x", later)) is None


def test_a_claim_may_displace_a_holder_that_shows_no_progress() -> None:
    stage = scene(max_proposers=1)
    claim = previous = stage.claim(Work.PROPOSE, 0, at_ms=AT)
    for step in range(1, 4):
        previous = stage.renew(claim, previous, at_ms=AT + step * 9_000)
    other = stage.cast[1].node_id
    soon, later = AT + 2 * LEASE_MS, AT + 2 * LEASE_MS + 1
    assert code(decide.claim(stage.state, other, Work.PROPOSE, "x", soon)) == "no_place"
    assert code(decide.claim(stage.state, other, Work.PROPOSE, "x", later)) is None


def test_nobody_works_on_what_is_expired_final_or_not_created() -> None:
    stage = scene(3, threshold=2)
    me = stage.cast[0].node_id
    expiry = stage.state.terms.expires_at
    answer = decide.claim(stage.state, me, Work.PROPOSE, "x", expiry + 1)
    assert isinstance(answer, Rejection)
    assert (answer.code, answer.details["state"]) == ("task_not_open", "expired")
    stage.seal(EventId(bytes(32)), EventId(bytes(32)), [0, 1])
    answer = decide.claim(stage.state, me, Work.PROPOSE, "x", AT)
    assert isinstance(answer, Rejection)
    assert answer.details["state"] == "final"


def test_an_attempt_is_worked_on_from_the_date_of_its_retry() -> None:
    stage = scene()
    stage.retry(1, run_at=AT + 5_000)
    me = stage.cast[0].node_id
    answer = decide.claim(stage.state, me, Work.PROPOSE, "x", AT)
    assert isinstance(answer, Rejection)
    assert (answer.code, answer.details["run_at"]) == ("attempt_not_open", AT + 5_000)
    assert code(decide.claim(stage.state, me, Work.PROPOSE, "x", AT + 5_000)) is None


def test_steps_and_candidates_are_bounded_by_the_contract() -> None:
    stage = scene(max_steps=2, max_proposers=9, max_concurrency={"propose": 9, "verify": 9})
    stage.claim(Work.PROPOSE, 0)
    stage.claim(Work.PROPOSE, 1)
    me = stage.cast[2].node_id
    assert code(decide.claim(stage.state, me, Work.PROPOSE, "x", AT)) == "budget_spent"


def test_exploring_stops_early_with_enough_candidates_of_which_one_passed() -> None:
    stage = scene(topk=1, max_proposers=3, max_concurrency={"propose": 3, "verify": 3})
    candidate = stage.propose(stage.claim(Work.PROPOSE, 0))
    me = stage.cast[2].node_id
    assert code(decide.claim(stage.state, me, Work.PROPOSE, "x", AT)) is None
    stage.find(stage.claim(Work.VERIFY, 1), candidate, 1)
    assert code(decide.claim(stage.state, me, Work.PROPOSE, "x", AT)) == "early_stop"


def test_a_renewal_names_the_last_one_and_stops_at_the_limit() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE, at_ms=AT)
    names = [claim]
    for step in range(1, 7):
        answer = decide.renew(stage.state, claim, AT + step * 9_000)
        names += carry_out(stage, answer)
    assert stage.state.leases[claim].end == AT + 60_000
    last = decide.renew(stage.state, claim, AT + 59_000)
    assert code(last) == "lease_at_limit"
    previous = [event.payload["previous"] for event in stage.said[1:]]
    assert previous == names[:-1]


def test_a_lease_that_is_over_is_not_renewed() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE, at_ms=AT)
    assert code(decide.renew(stage.state, claim, AT + LEASE_MS + 3_001)) == "lease_not_held"


def test_the_creator_alone_approves_of_claims() -> None:
    stage = scene(allocator="creator")
    creator, other = stage.cast[0].node_id, stage.cast[1].node_id
    claim = stage.claim(Work.PROPOSE, 1)
    state = stage.state
    assert code(decide.decide_claim(state, other, claim, AT, is_approved=True)) == "not_creator"
    carry_out(stage, decide.decide_claim(state, creator, claim, AT, is_approved=True))
    assert claim in stage.state.approved


# --- work -----------------------------------------------------------------------------------------


def test_a_proposal_after_its_lease_is_refused_before_it_is_signed() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE, at_ms=AT)
    answer = decide.propose(stage.state, claim, ref(), [], None, AT + LEASE_MS + 3_001)
    assert isinstance(answer, Rejection)
    assert (answer.code, answer.details["verdict"]) == ("would_be_ignored", "lease_over")
    assert "lease" in answer.message


def test_a_summary_that_no_event_can_carry_is_refused() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE, at_ms=AT)
    assert code(decide.propose(stage.state, claim, ref(), [], "a\0b", AT + 1)) == "bad_value"
    long = decide.propose(stage.state, claim, ref(), [], "x" * 3_000, AT + 1)
    assert code(long) == "would_be_ignored"


def test_a_result_comes_with_the_confirmations_of_the_evidence_it_held() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE), evidence=[ref(1)])
    claim = stage.claim(Work.VERIFY, 1)
    proof = possession_proof(stage.cast[1].node_id, candidate, [b"body"])
    answer = decide.submit_result(
        stage.state,
        claim,
        candidate,
        Status.PASSED,
        9_000,
        (100,),
        "a provider",
        "a model",
        [(ref(1).digest, proof)],
        stage.now_ms,
    )
    names = carry_out(stage, answer, by=1)
    assert names[0] in stage.state.confirmations
    assert names[1] in stage.state.results
    dates = [event.created_at for event in stage.said[-2:]]
    assert dates == sorted(set(dates))


def test_an_error_is_reported_once_and_cut_to_what_an_event_holds() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE, at_ms=AT)
    answer = decide.report_error(
        stage.state, claim, "other", (0,), "\0" + "ä" * 9_000, AT + 10 * LEASE_MS
    )
    carry_out(stage, answer)
    again = decide.report_error(stage.state, claim, "other", (0,), "m", AT + 10 * LEASE_MS)
    assert code(again) == "already_reported"


def test_own_events_are_dated_one_after_the_other_and_after_what_they_name() -> None:
    stage = scene()
    stage.claim(Work.PROPOSE, at_ms=AT + 500)
    answer = decide.claim(stage.state, stage.cast[0].node_id, Work.VERIFY, "x", AT)
    assert not isinstance(answer, Rejection)
    assert answer[0].draft.created_at == AT + 501


# --- votes ----------------------------------------------------------------------------------------


def test_a_node_votes_as_most_of_its_results_say() -> None:
    stage = local_scene(max_verifiers=9)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    subject = Subject(stage.label, 1, candidate)
    key = stage.cast[0]
    assert code(decide.vote(stage.state, key, subject, stage.now_ms)) == "nothing_to_vote"
    stage.find(stage.claim(Work.VERIFY, executor="a"), candidate)
    stage.find(stage.claim(Work.VERIFY, executor="b"), candidate, status=Status.FAILED)
    assert code(decide.vote(stage.state, key, subject, stage.now_ms)) == "nothing_to_vote"
    stage.find(stage.claim(Work.VERIFY, executor="c"), candidate, status=Status.FAILED)
    answer = decide.vote(stage.state, key, subject, stage.now_ms)
    (name,) = carry_out(stage, answer)
    assert stage.state.votes[name].ballot is Ballot.REJECT
    assert not isinstance(answer, Rejection)
    assert answer[0].locks[0].kind == LockKind.PLAIN_VOTE
    assert answer[0].locks[0].value == name
    assert code(decide.vote(stage.state, key, subject, stage.now_ms)) == "already_voted"


def test_a_commit_is_the_same_after_a_restart_and_can_be_revealed() -> None:
    stage = scene(commit_reveal=True, quorum_threshold=1)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    stage.find(stage.claim(Work.VERIFY, 1), candidate, 1)
    subject, key = Subject(stage.label, 1, candidate), stage.cast[1]
    first = decide.vote(stage.state, key, subject, stage.now_ms)
    again = decide.vote(stage.state, key, subject, stage.now_ms)
    assert first == again
    (commit,) = carry_out(stage, first, by=1)
    assert code(decide.reveal(stage.state, key, commit, stage.now_ms)) == "too_early"
    answer = decide.reveal(stage.state, key, commit, stage.now_ms + 2_000)
    (reveal,) = carry_out(stage, answer, by=1)
    assert stage.state.votes[reveal].seen == (commit,)
    assert code(decide.reveal(stage.state, key, commit, stage.now_ms)) == "already_voted"


def test_an_honest_node_waits_with_its_reveal_for_those_at_work() -> None:
    stage = scene(3, commit_reveal=True, quorum_threshold=2, commit_window_ms=4_000)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    commits = []
    for by in range(2):
        result = stage.find(stage.claim(Work.VERIFY, by), candidate, by)
        subject, key = Subject(stage.label, 1, candidate), stage.cast[by]
        del result
        commits += carry_out(stage, decide.vote(stage.state, key, subject, stage.now_ms), by)
    third = stage.claim(Work.VERIFY, 2)
    early = decide.reveal(stage.state, stage.cast[0], commits[0], stage.now_ms)
    assert code(early) == "too_early"
    quorum_at = stage.state.commits[commits[1]].created_at
    assert isinstance(early, Rejection)
    assert early.details["at"] == quorum_at + 4_000
    result = stage.find(third, candidate, 2)
    stage.commit(result, candidate, 2)
    assert code(decide.reveal(stage.state, stage.cast[0], commits[0], stage.now_ms)) is None


# --- decisions and finality -----------------------------------------------------------------------


def test_the_decider_picks_approvals_then_score_then_the_smaller_id() -> None:
    stage = scene(max_proposers=3, max_verifiers=9)
    candidates = [stage.propose(stage.claim(Work.PROPOSE, by), by) for by in range(3)]
    claims = [stage.claim(Work.VERIFY, by) for by in range(3)]
    for index, candidate in enumerate(candidates):
        for by in range(3):
            result = stage.find(claims[by], candidate, by, score_bp=5_000 + 1_000 * index)
            stage.vote(result, by)
    me = stage.cast[decider(stage)].node_id
    (name,) = carry_out(stage, decide.decision(stage.state, me, stage.now_ms), decider(stage))
    assert stage.state.decisions[name].candidate == candidates[2]


def test_deciders_take_turns_by_rank() -> None:
    stage = scene(decider_timeout_ms=7_000)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    for by in range(3):
        stage.vote(stage.find(stage.claim(Work.VERIFY, by), candidate, by), by)
    first, second, _ = deciders(stage.state)
    now_ms = stage.now_ms
    assert code(decide.decision(stage.state, first, now_ms)) is None
    refusal = decide.decision(stage.state, second, now_ms)
    assert code(refusal) == "too_early"
    assert code(decide.decision(stage.state, second, now_ms + 7_000)) is None


def test_the_decider_waits_for_places_at_work_and_no_longer_than_its_window() -> None:
    stage = scene(decision_window_ms=3_000, max_verifiers=3)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    vote = stage.vote(stage.find(stage.claim(Work.VERIFY, 0), candidate))
    stage.claim(Work.VERIFY, 1)
    me = stage.cast[decider(stage)].node_id
    refusal = decide.decision(stage.state, me, stage.now_ms)
    assert isinstance(refusal, Rejection)
    sufficient_at = stage.state.votes[vote].created_at
    assert refusal.details["at"] == sufficient_at + 3_000
    assert code(decide.decision(stage.state, me, sufficient_at + 3_000)) is None


def test_a_named_decider_is_the_only_one() -> None:
    cast = keys(3, 5)
    stage = scene(decider=cast[2].node_id.hex())
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    for by in range(3):
        stage.vote(stage.find(stage.claim(Work.VERIFY, by), candidate, by), by)
    other = decide.decision(stage.state, cast[0].node_id, stage.now_ms + 10**5)
    assert code(other) == "not_the_decider"
    assert code(decide.decision(stage.state, cast[2].node_id, stage.now_ms)) is None


def sign(
    stage: Scene, decision: EventId, at_ms: int, by: int = 0, **given: bool
) -> Signings | Rejection:
    """Ask for a signature of finality."""
    checked = {"has_bodies": True, "has_passed": True, **given}
    return decide.finality(stage.state, stage.cast[by], decision, at_ms, **checked)


def test_finality_is_signed_once_settled_and_locks_the_candidate() -> None:
    stage = scene(3, threshold=2)
    candidate, decision = decided(stage)
    date = stage.state.decisions[decision].created_at
    assert code(sign(stage, decision, date + 1_999)) == "too_early"
    answer = sign(stage, decision, date + 2_000)
    assert not isinstance(answer, Rejection)
    (lock,) = answer[0].locks
    assert (lock.kind, lock.value) == (LockKind.FINALITY, candidate)
    carry_out(stage, answer)
    assert code(sign(stage, decision, date + 2_000)) == "already_signed"
    carry_out(stage, sign(stage, decision, date + 2_000, by=1), by=1)
    assert stage.state.outcomes[0].candidate == candidate


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"has_bodies": False}, "body_missing"),
        ({"has_passed": False}, "policy_failed"),
        ({"is_stale": True}, "stale_pin"),
    ],
)
def test_a_finalizer_signs_what_it_has_checked(given: dict[str, bool], expected: str) -> None:
    stage = scene(3, threshold=2)
    _, decision = decided(stage)
    assert code(sign(stage, decision, stage.now_ms + 2_000, **given)) == expected


def test_a_finalizer_that_signed_another_candidate_does_not_sign() -> None:
    stage = scene(3, threshold=2)
    _, decision = decided(stage)
    stage.seal(EventId(b"o" * 32), decision, [0])
    assert code(sign(stage, decision, stage.now_ms + 2_000)) == "signed_another"
    assert code(sign(stage, decision, stage.now_ms + 2_000, by=1)) is None


def test_a_decision_out_of_turn_is_not_signed() -> None:
    stage = scene(3, threshold=2)
    candidate, decision = decided(stage)
    votes = stage.state.decisions[decision].reveals
    out_of_turn = stage.decide(candidate, votes, by=(decider(stage) + 1) % 3)
    assert code(sign(stage, out_of_turn, stage.now_ms + 2_000)) == "not_the_decider"


def test_nothing_is_signed_for_an_epoch_that_was_opened_before_a_restore() -> None:
    stage = scene(3, threshold=2)
    _, decision = decided(stage)
    refusal = decide.may_sign(
        stage.state,
        stage.cast[0].node_id,
        decision,
        stage.now_ms + 2_000,
        has_bodies=True,
        has_passed=True,
        restored_at_ms=START_MS + 1,
    )
    assert refusal is not None
    assert refusal.code == "restored_since"


# --- retries --------------------------------------------------------------------------------------


def failed_attempt(**terms: object) -> tuple[Scene, int]:
    """Return a task whose only proposer reported an error, and its decider."""
    stage = local_scene(**terms)
    claim = stage.claim(Work.PROPOSE)
    carry_out(stage, decide.report_error(stage.state, claim, "other", (0,), "m", stage.now_ms))
    return stage, decider(stage)


def test_an_attempt_that_came_to_nothing_is_tried_again_after_a_pause() -> None:
    stage, by = failed_attempt(max_attempts=3)
    me = stage.cast[by].node_id
    pauses: list[int] = []
    for attempt in (1, 2):
        now_ms = stage.now_ms + 100_000
        (name,) = carry_out(stage, decide.retry(stage.state, me, now_ms), by)
        retry = stage.state.retries[name]
        assert retry.from_attempt == attempt
        pauses.append(retry.run_at - now_ms)
        stage.now_ms = retry.run_at
        claim = stage.claim(Work.PROPOSE, attempt=attempt + 1)
        carry_out(stage, decide.report_error(stage.state, claim, "other", (0,), "m", stage.now_ms))
    assert pauses[1] == 2 * pauses[0]
    assert code(decide.retry(stage.state, me, stage.now_ms)) == "no_such_attempt"


def test_an_attempt_that_somebody_works_on_is_not_given_up() -> None:
    stage = local_scene()
    stage.claim(Work.PROPOSE, at_ms=AT)
    me = stage.cast[0].node_id
    assert code(decide.retry(stage.state, me, AT + 1)) == "too_early"
    assert code(decide.retry(stage.state, me, AT + LEASE_MS + 2)) is None


def test_an_attempt_whose_candidate_may_yet_be_approved_of_is_not_given_up() -> None:
    stage = local_scene()
    stage.propose(stage.claim(Work.PROPOSE))
    me = stage.cast[0].node_id
    assert code(decide.retry(stage.state, me, stage.now_ms + 10**5)) == "too_early"


def test_an_attempt_whose_candidates_were_all_rejected_is_given_up() -> None:
    stage = local_scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    result = stage.find(stage.claim(Work.VERIFY), candidate, status=Status.FAILED)
    stage.vote(result, ballot=Ballot.REJECT)
    me = stage.cast[0].node_id
    assert code(decide.retry(stage.state, me, stage.now_ms + 1)) is None


def test_a_lonely_commit_is_not_revealed_while_others_may_still_come() -> None:
    stage = scene(3, commit_reveal=True, quorum_threshold=2, max_verifiers=2)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    claim = stage.claim(Work.VERIFY, 0)
    commit = stage.commit(stage.find(claim, candidate), candidate)
    date = stage.state.commits[commit].created_at
    early = decide.reveal(stage.state, stage.cast[0], commit, date + 1)
    assert isinstance(early, Rejection)
    assert early.details["at"] == date + LEASE_MS
    other = stage.claim(Work.VERIFY, 1)
    waiting = decide.reveal(stage.state, stage.cast[0], commit, date + 10)
    assert isinstance(waiting, Rejection)
    assert waiting.details["at"] == stage.state.leases[other].end + 1


def test_commits_of_all_who_could_vote_are_revealed_at_once() -> None:
    stage = scene(3, commit_reveal=True, quorum_threshold=2, independence="node", max_verifiers=9)
    candidate = stage.propose(stage.claim(Work.PROPOSE, 0), 0)
    commits = [
        stage.commit(stage.find(stage.claim(Work.VERIFY, by), candidate, by), candidate, by)
        for by in (1, 2)
    ]
    early = decide.reveal(stage.state, stage.cast[1], commits[0], stage.now_ms)
    # The salts of the scene are not the node's own, so that nothing but the time is told.
    assert code(early) == "commit_mismatch"
