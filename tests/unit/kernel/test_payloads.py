"""Payloads are read strictly, and written as they are read."""

import pytest

from tests.laws.world import keys, local_network, task
from tests.support.scene import ref
from wattswarm.kernel import canonical, contract, payloads
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.limits import EVENT_BODY_BYTES_MAX
from wattswarm.kernel.payloads import Ballot, Payload, Status, Work, form
from wattswarm.kernel.payloads.feedback import FeedbackWord

NAME, PIN = EventId(b"n" * 32), Digest(b"p" * 32)
(KEY,) = keys(1)
TASK = task(local_network(KEY), KEY)
SIGNATURE = (NodeId(b"s" * 32), b"x" * 64)

SAMPLES: tuple[Payload, ...] = (
    payloads.TaskCreated(pin=PIN, contract=contract.read(TASK.payload["contract"])),
    payloads.TaskClaimed(role=Work.VERIFY, attempt=1, executor="x:1", lease_until=5, pin=PIN),
    payloads.TaskClaimRenewed(claim=NAME, previous=NAME, lease_until=5),
    payloads.TaskClaimReleased(claim=NAME),
    payloads.TaskClaimReleased(claim=NAME, reason="done"),
    payloads.TaskClaimDecided(claim=NAME, approved=False, reason="no"),
    payloads.CandidateProposed(claim=NAME, output=ref(), evidence=(ref(1), ref(2))),
    payloads.CandidateProposed(claim=NAME, output=ref(), evidence=(), summary="s", reuse_of=NAME),
    payloads.EvidenceAdded(candidate=NAME, evidence=(ref(),)),
    payloads.EvidenceAvailable(claim=NAME, candidate=NAME, digest=ref().digest, proof=PIN),
    payloads.VerifierResultSubmitted(
        claim=NAME,
        candidate=NAME,
        status=Status.INCONCLUSIVE,
        score_bp=10_000,
        reason_codes=(200, 4_000),
        provider="p",
        model="m",
    ),
    payloads.VoteCommit(result=NAME, commit_hash=PIN),
    payloads.VoteReveal(commit=NAME, vote=Ballot.APPROVE, salt=PIN, seen=(NAME,)),
    payloads.PlainVote(result=NAME, vote=Ballot.REJECT),
    payloads.DecisionCommitted(candidate=NAME, reveals=(NAME,), confirmations=(), summary="s"),
    payloads.DecisionFinalized(pin=PIN, candidate=NAME, decision=NAME, sigs=(SIGNATURE,)),
    payloads.TaskError(claim=NAME, reason="timeout", reason_codes=(300,), message="m"),
    payloads.TaskRetryScheduled(pin=PIN, from_attempt=1, run_at=7),
    payloads.EpochEnded(pin=PIN, next_pin=PIN, reason="over", sigs=(SIGNATURE,)),
    payloads.TaskStopped(control_no=1, reason="enough"),
    payloads.TaskSuspended(control_no=2, reason="", sigs=(SIGNATURE,)),
    payloads.TaskResumed(control_no=3, reason="go on", sigs=(SIGNATURE,)),
    payloads.TaskExpired(),
    payloads.TaskCompletionDecided(
        candidate=NAME, approved=False, retry_requested=True, reason="no"
    ),
    payloads.TaskSettled(claim=NAME, receipt="{}"),
    payloads.TaskFeedbackReported(candidate=NAME, outcome=FeedbackWord.BAD, reason="wrong"),
    payloads.ReuseRejectRecorded(
        candidate=NAME, output_digest=ref().digest, reveals=(NAME,), reason_codes=(101,)
    ),
    payloads.TaskKilled(control_no=4, reason="", sigs=(SIGNATURE,)),
)


def as_sent(payload: Payload) -> dict[str, Value]:
    """Return a payload as it arrives."""
    sent = canonical.encode(payloads.write(payload))
    arrived = canonical.decode(sent, bytes_max=EVENT_BODY_BYTES_MAX)
    assert isinstance(arrived, dict)
    return arrived


@pytest.mark.parametrize("payload", SAMPLES, ids=lambda each: type(each).__name__)
def test_what_was_written_is_read_again(payload: Payload) -> None:
    assert payloads.read(payload.kind, as_sent(payload)) == payload


@pytest.mark.parametrize("payload", SAMPLES, ids=lambda each: type(each).__name__)
def test_an_unknown_field_is_an_error_with_its_path(payload: Payload) -> None:
    with pytest.raises(Malformed) as caught:
        payloads.read(payload.kind, {**as_sent(payload), "surprise": 1})
    assert (caught.value.code, caught.value.path) == ("unknown_field", "$.payload.surprise")


@pytest.mark.parametrize("payload", SAMPLES, ids=lambda each: type(each).__name__)
def test_no_required_field_may_be_missing_and_none_be_of_another_type(payload: Payload) -> None:
    arrived = as_sent(payload)
    optional = {"reason", "summary", "reuse_of", "retry_requested", "receipt"}
    if payload.kind in ("TASK_ERROR", "TASK_FEEDBACK_REPORTED"):
        optional -= {"reason"}
    if "control_no" in arrived:
        optional = {"sigs"}
    for name in arrived:
        rest = {key: value for key, value in arrived.items() if key != name}
        if name not in optional and name != "result":
            with pytest.raises(Malformed, match=name):
                payloads.read(payload.kind, rest)
        for wrong in ({}, -1, "", b"", True, [[]]):
            if type(wrong) is type(arrived[name]) is bool:
                continue
            if name in {"message", "reason", "summary", "receipt"} and wrong == "":
                continue
            with pytest.raises(Malformed, match=r"\$\.payload"):
                payloads.read(payload.kind, {**arrived, name: wrong})


def test_samples_cover_every_kind() -> None:
    assert {payload.kind for payload in SAMPLES} == payloads.KINDS


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("TASK_CLAIMED", "attempt", 0),
        ("TASK_CLAIMED", "attempt", 65),
        ("TASK_CLAIMED", "role", "watch"),
        ("TASK_CLAIMED", "executor", "a b"),
        ("TASK_CLAIMED", "executor", "x" * 129),
        ("TASK_CLAIMED", "lease_until", 2**48),
        ("VERIFIER_RESULT_SUBMITTED", "score_bp", 10_001),
        ("VERIFIER_RESULT_SUBMITTED", "reason_codes", []),
        ("VERIFIER_RESULT_SUBMITTED", "reason_codes", [65_536]),
        ("VERIFIER_RESULT_SUBMITTED", "model", " "),
        ("VOTE_REVEAL", "seen", [NAME] * 257),
        ("VOTE_REVEAL", "vote", "abstain"),
        ("CANDIDATE_PROPOSED", "summary", "x" * 2_049),
        ("EVIDENCE_AVAILABLE", "digest", "sha256:" + "0" * 64),
        ("DECISION_FINALIZED", "sigs", [list(SIGNATURE)] * 2),
        ("DECISION_FINALIZED", "sigs", [[SIGNATURE[0], b"x" * 63]]),
        ("TASK_ERROR", "message", "x" * 4_097),
    ],
)
def test_values_out_of_bounds_are_bad_fields(kind: str, field: str, value: Value) -> None:
    sample = next(each for each in SAMPLES if each.kind == kind)
    with pytest.raises(Malformed) as caught:
        payloads.read(kind, {**as_sent(sample), field: value})
    assert caught.value.code == "bad_field"
    assert caught.value.path.startswith(f"$.payload.{field}")


def test_a_map_stands_in_a_payload_as_it_is() -> None:
    assert form.plain({"a": [1, True]}) == {"a": [1, True]}
    assert form.plain((Ballot.APPROVE, ref(1))) == ["approve", ref(1).to_payload()]
