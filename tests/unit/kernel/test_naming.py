"""What an event may name, and when: its own author's things, of its own epoch, and older ones."""

from collections.abc import Callable

import pytest

from tests.laws.world import START_MS
from tests.support.scene import CONTINUOUS, LEASE_MS, Scene, ref, scene
from wattswarm.kernel import payloads
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.payloads import Ballot, Payload, Status, Work
from wattswarm.kernel.payloads.feedback import FeedbackWord
from wattswarm.kernel.records import Label
from wattswarm.kernel.task import TaskMachine
from wattswarm.kernel.verdict import Effective, Ignored, Need, On, Waiting

NOWHERE = EventId(b"n" * 32)
EARLIER = EventId(b"d" * 32)
AT = START_MS + 1_000

Made = Callable[[Scene, EventId], Payload]


def claimed(stage: Scene) -> EventId:
    return stage.claim(Work.PROPOSE)


def proposed(stage: Scene) -> EventId:
    return stage.propose(claimed(stage), evidence=[ref(1)])


def repeated(stage: Scene) -> EventId:
    return stage.propose(claimed(stage), reuse_of=EARLIER)


def found(stage: Scene) -> EventId:
    candidate = proposed(stage)
    return stage.find(stage.claim(Work.VERIFY), candidate)


def sealed(stage: Scene) -> EventId:
    candidate = proposed(stage)
    return stage.commit(stage.find(stage.claim(Work.VERIFY), candidate), candidate)


def renew(_: Scene, name: EventId) -> Payload:
    return payloads.TaskClaimRenewed(claim=name, previous=name, lease_until=AT + LEASE_MS)


def add_evidence(_: Scene, name: EventId) -> Payload:
    return payloads.EvidenceAdded(candidate=name, evidence=(ref(2),))


def commit(_: Scene, name: EventId) -> Payload:
    return payloads.VoteCommit(result=name, commit_hash=Digest(bytes(32)))


def vote(_: Scene, name: EventId) -> Payload:
    return payloads.PlainVote(result=name, vote=Ballot.APPROVE)


def reveal(_: Scene, name: EventId) -> Payload:
    return payloads.VoteReveal(commit=name, vote=Ballot.APPROVE, salt=bytes(32), seen=())


def decide(_: Scene, name: EventId) -> Payload:
    return payloads.DecisionCommitted(candidate=name, reveals=(), confirmations=())


def decide_claim(_: Scene, name: EventId) -> Payload:
    return payloads.TaskClaimDecided(claim=name, approved=True)


def complain(_: Scene, name: EventId) -> Payload:
    return payloads.TaskFeedbackReported(candidate=name, outcome=FeedbackWord.BAD, reason="wrong")


def reject_reuse(_: Scene, name: EventId) -> Payload:
    return payloads.ReuseRejectRecorded(
        candidate=name, output_digest=ref().digest, reveals=(), reason_codes=(101,)
    )


SPEAKING: list[tuple[Callable[[Scene], EventId], Made, dict[str, object]]] = [
    (claimed, renew, {}),
    (claimed, decide_claim, {"allocator": "creator"}),
    (proposed, add_evidence, {}),
    (proposed, decide, {}),
    (proposed, complain, {}),
    (repeated, reject_reuse, {}),
    (found, vote, {}),
    (found, commit, {"commit_reveal": True}),
    (sealed, reveal, {"commit_reveal": True}),
]
NAMES = [made.__name__ for _, made, _ in SPEAKING]
speaking = pytest.mark.parametrize(("before", "made", "terms"), SPEAKING, ids=NAMES)

OWN = {
    "add_evidence": "not_own_candidate",
    "commit": "not_own_result",
    "renew": "not_own_claim",
    "reveal": "not_own_commit",
    "vote": "not_own_result",
}


@speaking
def test_what_is_named_has_to_be_there(
    before: Callable[[Scene], EventId], made: Made, terms: dict[str, object]
) -> None:
    stage = scene(**terms)
    before(stage)
    name = stage.say(made(stage, NOWHERE))
    assert stage.verdict(name) == Waiting((Need(On.EVENT, NOWHERE),))


@speaking
def test_what_is_named_is_older(
    before: Callable[[Scene], EventId], made: Made, terms: dict[str, object]
) -> None:
    stage = scene(**terms)
    named = before(stage)
    name = stage.say(made(stage, named), at_ms=stage.said[-1].created_at)
    assert stage.verdict(name) == Ignored("date_order", named)


@speaking
def test_what_is_named_is_of_the_same_epoch(
    before: Callable[[Scene], EventId], made: Made, terms: dict[str, object]
) -> None:
    stage = scene(**{**CONTINUOUS, "expires_in_ms": 60_000, **terms})
    named = before(stage)
    stage.end_epoch(signers=[0, 1])
    stage.end_epoch(signers=[0, 1], by=1)
    stage.entered = Label(2, stage.network.genesis.id)
    name = stage.say(made(stage, named))
    assert stage.verdict(name) == Ignored("wrong_epoch", named)


@pytest.mark.parametrize("made", [renew, add_evidence, commit, vote, reveal])
def test_what_is_named_is_ones_own(made: Made) -> None:
    before, _, terms = SPEAKING[NAMES.index(made.__name__)]
    stage = scene(**terms)
    named = before(stage)
    name = stage.say(made(stage, named), by=1)
    assert stage.verdict(name) == Ignored(OWN[made.__name__], named)


# --- names in a second place ----------------------------------------------------------------------


def test_a_verifier_speaks_of_candidates_that_are_there_and_older() -> None:
    stage = scene()
    candidate = proposed(stage)
    claim = stage.claim(Work.VERIFY, at_ms=AT)
    assert stage.verdict(stage.find(claim, NOWHERE)) == Waiting((Need(On.EVENT, NOWHERE),))
    missing = stage.confirm(claim, NOWHERE, ref(1).digest)
    assert stage.verdict(missing) == Waiting((Need(On.EVENT, NOWHERE),))
    late = stage.propose(stage.claim(Work.PROPOSE, executor="y"), at_ms=AT + 500)
    assert stage.verdict(stage.find(claim, late, at_ms=AT + 500)) == Ignored("date_order", late)
    assert stage.verdict(stage.find(claim, candidate)) == Effective()


def test_evidence_is_confirmed_by_verifiers_of_pieces_that_the_candidate_names() -> None:
    stage = scene()
    proposal = stage.claim(Work.PROPOSE)
    candidate = stage.propose(proposal, evidence=[ref(1)])
    claim = stage.claim(Work.VERIFY, 1)
    by_proposer = stage.confirm(proposal, candidate, ref(1).digest)
    assert stage.verdict(by_proposer) == Ignored("wrong_role", proposal)
    other = stage.confirm(claim, candidate, ref(2).digest, 1)
    assert stage.verdict(other) == Ignored("unknown_digest", candidate)
    by_other = stage.confirm(claim, candidate, ref(1).digest, 2)
    assert stage.verdict(by_other) == Ignored("not_own_claim", claim)
    assert list(stage.state.confirmations) == []


def test_a_decision_names_votes_and_confirmations_that_are_older() -> None:
    stage = scene()
    candidate = proposed(stage)
    claim = stage.claim(Work.VERIFY)
    held = stage.confirm(claim, candidate, ref(1).digest)
    vote_ = stage.vote(stage.find(claim, candidate))
    said = payloads.DecisionCommitted(candidate=candidate, reveals=(vote_,), confirmations=(held,))
    same_ms = stage.say(said, at_ms=stage.said[-1].created_at)
    assert stage.verdict(same_ms) == Ignored("date_order", vote_)
    assert stage.verdict(stage.decide(candidate, [vote_], [held])) == Effective()


def test_a_rejected_repetition_rests_on_older_votes_about_it_that_are_there() -> None:
    stage = scene()
    candidate = repeated(stage)
    other = stage.propose(stage.claim(Work.PROPOSE, executor="y"), reuse_of=EARLIER)
    claim = stage.claim(Work.VERIFY)
    votes = [
        stage.vote(stage.find(claim, each, status=Status.FAILED), ballot=Ballot.REJECT)
        for each in (candidate, other)
    ]
    missing = stage.reject_reuse(candidate, [NOWHERE])
    assert stage.verdict(missing) == Waiting((Need(On.EVENT, NOWHERE),))
    astray = stage.reject_reuse(candidate, votes)
    assert stage.verdict(astray) == Ignored("wrong_candidate", votes[1])
    assert stage.verdict(stage.reject_reuse(candidate, votes[:1])) == Effective()


def test_a_renewal_goes_on_from_an_older_renewal_of_the_same_claim() -> None:
    stage = scene()
    one, two = stage.claim(Work.PROPOSE), stage.claim(Work.PROPOSE, executor="y")
    missing = stage.renew(one, NOWHERE)
    assert stage.verdict(missing) == Waiting((Need(On.EVENT, NOWHERE),))
    first = stage.renew(one, one)
    assert stage.verdict(stage.renew(two, first)) == Ignored("not_own_claim", first)
    second = stage.renew(one, first, at_ms=stage.said[-2].created_at)
    assert stage.verdict(second) == Ignored("date_order", first)
    empty = payloads.TaskClaimRenewed(claim=one, previous=first, lease_until=stage.now_ms + 1)
    assert stage.verdict(stage.say(empty)) == Ignored("empty_lease")


# --- roles, and what a task is made of ------------------------------------------------------------


def test_only_a_committer_opens_another_attempt_and_only_of_a_pin_of_the_task() -> None:
    stage = scene(max_attempts=3)
    retried = payloads.TaskRetryScheduled(pin=Digest(bytes(32)), from_attempt=1, run_at=0)
    assert stage.verdict(stage.say(retried)) == Ignored("wrong_pin")
    stage.cast = [*stage.cast, type(stage.cast[0]).from_seed(bytes(32))]
    assert stage.verdict(stage.retry(1, by=3)) == Ignored("missing_role")
    assert stage.state.attempt == 1
    assert stage.verdict(stage.retry(1)) == Effective()
    assert stage.state.attempt == 2


def test_only_the_creator_has_a_say_on_claims() -> None:
    stage = scene(allocator="creator")
    claim = stage.claim(Work.PROPOSE, 1)
    said = payloads.TaskClaimDecided(claim=claim, approved=True)
    assert stage.verdict(stage.say(said, by=1)) == Ignored("not_creator")
    assert claim not in stage.state.approved
    assert stage.verdict(stage.say(said)) == Effective()
    assert claim in stage.state.approved


def test_a_notice_of_expiry_names_an_epoch_of_the_task() -> None:
    stage = scene()
    at_ms = stage.state.terms.expires_at + 1
    fields = dict(payloads.write(payloads.TaskExpired()))
    kind = payloads.TaskExpired.kind
    assert stage.verdict(stage.utter(kind, fields, at_ms=at_ms, epoch=2)) == Ignored("wrong_epoch")
    assert stage.verdict(stage.utter(kind, fields, at_ms=at_ms)) == Effective()


def test_a_vote_says_what_its_result_found() -> None:
    stage = scene()
    result = found(stage)
    against = stage.vote(result, ballot=Ballot.REJECT)
    assert stage.verdict(against) == Ignored("vote_against_finding", result)
    assert stage.verdict(stage.vote(result)) == Effective()


def test_a_result_is_given_under_a_verifiers_claim() -> None:
    stage = scene()
    proposal = stage.claim(Work.PROPOSE)
    candidate = stage.propose(proposal)
    assert stage.verdict(stage.find(proposal, candidate)) == Ignored("wrong_role", proposal)


def test_a_rejected_repetition_is_younger_than_the_votes_it_rests_on() -> None:
    stage = scene()
    candidate = repeated(stage)
    failed = stage.find(stage.claim(Work.VERIFY), candidate, status=Status.FAILED)
    vote_ = stage.vote(failed, ballot=Ballot.REJECT)
    said = payloads.ReuseRejectRecorded(
        candidate=candidate, output_digest=ref().digest, reveals=(vote_,), reason_codes=(101,)
    )
    same_ms = stage.say(said, at_ms=stage.said[-1].created_at)
    assert stage.verdict(same_ms) == Ignored("date_order", vote_)


def test_what_came_before_the_thing_it_names_shares_its_fate() -> None:
    stage = scene()
    stage.cast = [*stage.cast, type(stage.cast[0]).from_seed(bytes(32))]
    claim = stage.claim(Work.PROPOSE, 3)
    work = stage.propose(claim, 3)
    machine = TaskMachine(stage.task.event_id, stage.governance)
    machine.add([stage.task, stage.said[1], stage.said[0]])
    assert machine.state.verdict(claim) == Ignored("missing_role")
    assert machine.state.verdict(work) == Ignored("depends_on_ignored", claim)


def test_a_notice_of_expiry_waits_for_its_task() -> None:
    stage = scene()
    name = stage.say(payloads.TaskExpired(), at_ms=stage.state.terms.expires_at + 1)
    known = type(stage.governance)(stage.network.network_id)
    machine = TaskMachine(stage.task.event_id, known)
    machine.add([stage.task, *stage.said])
    assert machine.state.verdict(name) == Waiting((Need(On.EVENT, stage.task.event_id),))
    machine.governance_changed(known.add(stage.network.carrier).versions)
    assert machine.state.verdict(name) is None
