"""Candidates, evidence and results: what covers what, and who is independent of whom."""

import attrs
import pytest

from tests.support.scene import ref, scene
from wattswarm.kernel import payloads
from wattswarm.kernel.evidence import possession_proof
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.payloads import Status, Work
from wattswarm.kernel.verdict import Effective, Ignored


@pytest.mark.parametrize(
    ("independence", "by", "executor", "is_independent"),
    [
        ("none", 0, "x", True),
        ("executor", 0, "x", False),
        ("executor", 0, "y", True),
        ("executor", 1, "x", True),
        ("node", 0, "y", False),
        ("node", 1, "x", True),
    ],
)
def test_independence_binds_results_and_confirmations(
    independence: str, by: int, executor: str, is_independent: bool
) -> None:
    stage = scene(independence=independence)
    candidate = stage.propose(stage.claim(Work.PROPOSE), evidence=[ref()])
    claim = stage.claim(Work.VERIFY, by, executor=executor)
    expected = Effective() if is_independent else Ignored("not_independent", candidate)
    assert stage.verdict(stage.find(claim, candidate, by)) == expected
    assert stage.verdict(stage.confirm(claim, candidate, ref().digest, by)) == expected


def test_a_verify_claim_covers_its_attempt_and_earlier_ones() -> None:
    stage = scene()
    first = stage.claim(Work.VERIFY, by=1)
    stage.retry(1)
    old = stage.propose(stage.claim(Work.PROPOSE))
    new = stage.propose(stage.claim(Work.PROPOSE, attempt=2))
    second = stage.claim(Work.VERIFY, by=2, attempt=2)
    assert stage.verdict(stage.find(first, old, 1)) == Effective()
    assert stage.verdict(stage.find(first, new, 1)) == Ignored("not_covered", new)
    assert stage.verdict(stage.find(second, old, 2)) == Effective()
    result = stage.find(second, new, 2)
    assert stage.state.results[result].attempt == 2


def test_only_the_candidates_own_evidence_is_confirmed() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE), evidence=[ref(1)])
    stage.say(payloads.EvidenceAdded(candidate=candidate, evidence=(ref(2),)))
    claim = stage.claim(Work.VERIFY, by=1)
    assert stage.verdict(stage.confirm(claim, candidate, ref(1).digest, 1)) == Effective()
    added = stage.confirm(claim, candidate, ref(2).digest, 1)
    assert stage.verdict(added) == Ignored("unknown_digest", candidate)


def test_evidence_is_added_by_the_candidates_author_and_is_some() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    foreign = stage.say(payloads.EvidenceAdded(candidate=candidate, evidence=(ref(),)), by=1)
    assert stage.verdict(foreign) == Ignored("not_own_candidate", candidate)
    none = stage.say(payloads.EvidenceAdded(candidate=candidate, evidence=()))
    assert stage.verdict(none) == Ignored("no_evidence")


@pytest.mark.parametrize(
    ("status", "codes", "code"),
    [
        (Status.PASSED, (100,), None),
        (Status.PASSED, (0, 999, 4_000), None),
        (Status.FAILED, (300,), "code_not_of_policy"),
        (Status.FAILED, (102,), "code_not_of_policy"),
        (Status.INCONCLUSIVE, (203,), "inconclusive_without_reason"),
        (Status.INCONCLUSIVE, (203, 201), None),
    ],
)
def test_reason_codes_are_those_of_the_policy(
    status: Status, codes: tuple[int, ...], code: str | None
) -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    payload = payloads.VerifierResultSubmitted(
        claim=stage.claim(Work.VERIFY, by=1),
        candidate=candidate,
        status=status,
        score_bp=1,
        reason_codes=codes,
        provider="p",
        model="m",
    )
    expected = Effective() if code is None else Ignored(code)
    assert stage.verdict(stage.say(payload, by=1)) == expected


@pytest.mark.parametrize("field", ["provider", "model"])
def test_a_result_says_who_made_it(field: str) -> None:
    stage = scene()
    claim, candidate = stage.claim(Work.VERIFY, by=1), stage.propose(stage.claim(Work.PROPOSE))
    stage.find(claim, candidate, 1)
    fields = {**stage.said[-1].payload, field: " "}
    name = stage.utter("VERIFIER_RESULT_SUBMITTED", fields, 1)
    assert stage.verdict(name) == Ignored("bad_field")


def test_a_proof_of_possession_binds_verifier_candidate_and_bytes() -> None:
    node, candidate = NodeId(b"n" * 32), EventId(b"c" * 32)
    proof = possession_proof(node, candidate, [b"some ", b"bytes"])
    assert proof == possession_proof(node, candidate, [b"some bytes"])
    assert proof != possession_proof(NodeId(b"m" * 32), candidate, [b"some bytes"])
    assert proof != possession_proof(node, EventId(b"d" * 32), [b"some bytes"])
    assert proof != possession_proof(node, candidate, [b"other bytes"])


def test_records_are_frozen() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        stage.state.claims[claim].executor = "z"
