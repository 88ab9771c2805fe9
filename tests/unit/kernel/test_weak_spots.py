"""Mistakes that systems of this kind make: for each, what would be wrong if this one made it."""

from itertools import permutations

import attrs
import pytest

from tests.laws.world import START_MS, keys, shared_network, task
from tests.support.scene import CONTINUOUS, LEASE_MS, Scene, local_scene, ref, scene
from wattswarm.kernel import canonical, contract, decide, payloads
from wattswarm.kernel.allocation import allocation
from wattswarm.kernel.budget import usage
from wattswarm.kernel.duty import ExecutorOffer, Retry, due
from wattswarm.kernel.duty.kinds import EndEpoch
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.event import Event, decode
from wattswarm.kernel.evidence import possession_proof
from wattswarm.kernel.finality import finality_message
from wattswarm.kernel.governance import (
    Admission,
    Governance,
    Role,
    draft_statement,
    draft_update,
    genesis,
    sign,
    successor,
)
from wattswarm.kernel.governance.statement import Statement, statement_message
from wattswarm.kernel.group_digest import group_digest
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.payloads import ControlWord, Work
from wattswarm.kernel.payloads.statement import EventRevoked, NodePenalized, StatementState
from wattswarm.kernel.records import Control, Label
from wattswarm.kernel.rows import rows
from wattswarm.kernel.signature import Domain, message
from wattswarm.kernel.task import TaskMachine, derive
from wattswarm.kernel.verdict import Effective, Ignored, Need, On, Waiting
from wattswarm.kernel.version import read as read_version
from wattswarm.kernel.version import to_payload
from wattswarm.kernel.views import state_word

X = ExecutorOffer(name="x")
NOBODY = EventId(b"n" * 32)


def statement(stage: Scene, kind: str, target: bytes, state: StatementState, serial: int) -> Event:
    """Return a statement that two of three finalizers signed; a penalty is for all times."""
    is_penalty = (kind, state) == (NodePenalized.kind, StatementState.REVOKED)
    said = Statement(
        kind=kind,
        target=target,
        serial=serial,
        state=state,
        governance=stage.network.genesis.id,
        reason="",
        keep=frozenset() if is_penalty else None,
    )
    signed = statement_message(stage.network.network_id, said)
    sigs = {key.node_id: key.sign(signed) for key in stage.cast[:2]}
    return draft_statement(said, sigs, START_MS).sign(stage.network.network_id, stage.cast[0])


def revoke(
    stage: Scene,
    name: EventId,
    state: StatementState = StatementState.REVOKED,
    serial: int = 1,
) -> None:
    """Have an event revoked, or restored."""
    stage.governance.add(statement(stage, EventRevoked.kind, name, state, serial))


def digest_of(stage: Scene) -> Digest:
    """Return the digest of what was said."""
    return group_digest(rows(stage.state))


# --- what is signed -------------------------------------------------------------------------------


def test_members_that_were_written_in_another_order_are_signed_as_the_same() -> None:
    cast = keys(3)
    members = {key.node_id: frozenset(Role) for key in cast}
    turned = dict(reversed(members.items()))
    one, other = (
        genesis(cast[0].node_id, admission=Admission.OPEN, members=each)
        for each in (members, turned)
    )
    following = successor(one, params={"x": 1})
    signature = sign("net:a", following, cast[0])
    decoded = canonical.decode(canonical.encode(to_payload(following)), bytes_max=65_536)
    again = read_version(decoded)
    assert (one.id, again.id) == (other.id, following.id)
    assert signature == sign("net:a", again, cast[0])


def test_an_event_is_checked_over_the_bytes_that_came_and_holds_no_fractions() -> None:
    stage = scene()
    wire = stage.task.to_wire()
    assert decode(wire).body == stage.task.body
    assert decode(wire).is_genuine()
    with pytest.raises(Malformed):
        canonical.encode({"score": 0.5})


def test_a_key_has_one_name_and_signs_once() -> None:
    stage = scene(3, threshold=2)
    seal = stage.seal(NOBODY, NOBODY, [0])
    fields = dict(stage.said[-1].payload)
    (signed,) = fields["sigs"]
    twice = stage.utter("DECISION_FINALIZED", {**fields, "sigs": [signed, signed]})
    text = [[signed[0].hex().upper(), signed[1]]]
    named = stage.utter("DECISION_FINALIZED", {**fields, "sigs": text})
    assert stage.verdict(seal) == Effective()
    assert stage.verdict(twice) == stage.verdict(named) == Ignored("bad_field")
    assert stage.state.outcome(stage.label) is None


def test_a_signature_counts_in_its_network_and_for_its_purpose_only() -> None:
    stage = scene(1)
    key, label = stage.cast[0], stage.label
    over = [
        finality_message("net:other", stage.task.event_id, label, NOBODY, NOBODY),
        message(
            Domain.CONTROL,
            [stage.network.network_id, stage.task.event_id, *label, NOBODY, NOBODY],
        ),
    ]
    for signed in over:
        payload = payloads.DecisionFinalized(
            pin=label.pin,
            candidate=NOBODY,
            decision=NOBODY,
            sigs=((key.node_id, key.sign(signed)),),
        )
        assert stage.verdict(stage.say(payload)) == Ignored("no_valid_signature")
    assert stage.state.outcomes == ()


# --- quorums and roles ----------------------------------------------------------------------------


def test_no_quorum_is_zero_nor_chosen_by_who_needs_it() -> None:
    stage = scene(3, threshold=2)
    document = {**contract.sample(), "quorum_threshold": 0}
    answer = contract.resolve(
        document,
        network_id=stage.network.network_id,
        pin=stage.network.genesis,
        created_at=START_MS,
        creator=stage.cast[0].node_id,
    )
    assert isinstance(answer, Rejection)
    with pytest.raises(Malformed):
        successor(stage.network.genesis, threshold=0)
    stage.seal(NOBODY, NOBODY, [0])
    assert stage.state.outcomes == ()


def test_a_network_begins_with_roles_keeps_finalizers_and_lets_none_act_alone() -> None:
    stage = scene(3, threshold=2)
    founder = stage.network.carrier.author
    assert stage.network.genesis.members[founder] == frozenset(Role)
    with pytest.raises(Malformed):
        successor(stage.network.genesis, members={founder: frozenset({Role.PROPOSER})})
    kill = stage.control(ControlWord.KILLED, signers=[0])
    assert stage.verdict(kill) != Effective()
    assert not stage.state.is_backed(Control(ControlWord.KILLED, 1, ""))
    revoked = statement(stage, EventRevoked.kind, kill, StatementState.REVOKED, 1)
    object.__setattr__(revoked, "payload", {**revoked.payload, "sigs": revoked.payload["sigs"][:1]})
    stage.governance.add(revoked)
    assert stage.governance.revocation(kill) is None


def test_a_version_is_not_followed_before_it_is_in_effect() -> None:
    stage = scene()
    later = stage.govern(signers=(0, 1), params={"x": 1}, effective_at=START_MS + 1_000)
    assert stage.governance.head(START_MS) == stage.network.genesis
    assert stage.governance.head(START_MS + 1_000) == later
    assert not stage.governance.is_stale(stage.pin, START_MS + 1_000)


# --- dates, epochs and leases ---------------------------------------------------------------------


def test_nobody_ends_a_task_or_reveals_in_time_by_writing_a_date() -> None:
    stage = scene(commit_reveal=True)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    result = stage.find(stage.claim(Work.VERIFY, 1), candidate, 1)
    commit = stage.commit(result, candidate, 1)
    early = stage.reveal(commit, by=1, at_ms=stage.now_ms - 1)
    assert stage.verdict(early) == Ignored("date_order", commit)
    now_ms = stage.now_ms
    notice = stage.say(payloads.TaskExpired(), 2, at_ms=2**48 - 1)
    assert stage.verdict(notice) == Effective()
    assert state_word(stage.state, now_ms) == "open"


def test_an_epoch_that_somebody_makes_up_has_no_budget() -> None:
    stage = scene(**CONTINUOUS)
    before = usage(stage.state, allocation(stage.state, stage.now_ms))
    stage.entered = Label(7, stage.pin)
    claim = stage.claim(Work.PROPOSE)
    assert stage.verdict(claim) == Waiting((Need(On.EPOCH, b"", 7),))
    assert usage(stage.state, allocation(stage.state, stage.now_ms)) == before
    one_shot = scene()
    one_shot.entered = Label(7, one_shot.pin)
    assert one_shot.verdict(one_shot.claim(Work.PROPOSE)) == Ignored("wrong_epoch")


def test_work_under_a_claim_that_ran_out_or_was_revoked_is_nothing() -> None:
    stage = scene(3, threshold=2)
    claim = stage.claim(Work.PROPOSE)
    late = stage.propose(claim, at_ms=stage.now_ms + LEASE_MS + 3_001)
    assert stage.verdict(late) == Ignored("lease_over", claim)
    other = stage.claim(Work.PROPOSE, 1)
    candidate = stage.propose(other, 1)
    revoke(stage, other)
    assert stage.verdict(candidate) == Ignored("depends_on_revoked", other)


def test_what_a_contract_bounds_is_bounded() -> None:
    stage = scene(max_proposers=1, time_ms=LEASE_MS + 5_000)
    claim = stage.claim(Work.PROPOSE)
    renewal = stage.renew(claim, claim, at_ms=stage.now_ms + 9_000)
    begun = stage.said[0].created_at
    assert stage.state.renewals[renewal].end == begun + LEASE_MS + 5_000
    answer = decide.claim(stage.state, stage.cast[1].node_id, Work.PROPOSE, "y", stage.now_ms)
    assert isinstance(answer, Rejection)
    assert answer.code == "no_place"


def test_attempts_and_epochs_are_opened_by_duty_and_begin_when_they_should() -> None:
    stage = local_scene(**CONTINUOUS, max_attempts=2)
    claim = stage.claim(Work.PROPOSE)
    failed = payloads.TaskError(claim=claim, reason="x", reason_codes=(300,), message="")
    stage.say(failed)
    (retry,) = due(stage.state, stage.cast[0], (X,), stage.now_ms + 1).duties
    assert isinstance(retry, Retry)
    stage.retry(1, run_at=stage.now_ms + 5_000)
    waiting = due(stage.state, stage.cast[0], (X,), stage.now_ms + 1)
    assert (waiting.duties, waiting.wake_at_ms) == ((), stage.now_ms - 1 + 5_000)
    over_ms = stage.state.ends_at + 1
    found = due(stage.state, stage.cast[0], (X,), over_ms, governance=stage.governance).duties
    assert [type(each) for each in found] == [EndEpoch]


# --- order ----------------------------------------------------------------------------------------


def test_what_comes_before_what_it_names_is_not_lost() -> None:
    stage = scene()
    stage.propose(stage.claim(Work.PROPOSE))
    machine = TaskMachine(stage.task.event_id, stage.governance)
    for event in reversed([stage.task, *stage.said]):
        machine.add([event])
    assert len(machine.state.effective) == 3


def test_what_comes_again_is_known_and_changes_nothing() -> None:
    stage = scene()
    stage.claim(Work.PROPOSE)
    machine = TaskMachine(stage.task.event_id, stage.governance)
    machine.add([stage.task, *stage.said])
    before = machine.state
    machine.add([stage.task, *stage.said])
    assert machine.state is before


def test_a_penalty_reaches_as_far_whenever_it_comes() -> None:
    digests: set[Digest] = set()
    for when in range(3):
        stage = scene(3, threshold=2)
        penalty = statement(
            stage, NodePenalized.kind, stage.cast[2].node_id, StatementState.REVOKED, 1
        )
        for step in range(3):
            if step == when:
                stage.governance.add(penalty)
            stage.claim(Work.PROPOSE, step)
        digests.add(digest_of(stage))
    assert len(digests) == 1


def test_governance_read_again_in_any_order_is_the_same() -> None:
    stage = scene(3, threshold=2)
    head, network_id, events = (
        stage.network.genesis,
        stage.network.network_id,
        [stage.network.carrier],
    )
    for number in range(2):
        head = successor(head, params={"x": number})
        sigs = {key.node_id: sign(network_id, head, key) for key in stage.cast[:2]}
        events.append(draft_update(head, sigs, START_MS).sign(network_id, stage.cast[0]))
    events.append(statement(stage, EventRevoked.kind, NOBODY, StatementState.REVOKED, 1))
    found = []
    for order in permutations(events):
        governance = Governance(network_id)
        for event in (*order, *order):
            governance.add(event)
        found.append(governance.rows())
    assert governance.head() == head
    assert all(each == found[0] for each in found)


def test_a_revoked_creation_leaves_a_task_that_can_be_derived_and_restored() -> None:
    stage = scene(3, threshold=2)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    stage.find(stage.claim(Work.VERIFY, 1), candidate, 1)
    before = digest_of(stage)
    revoke(stage, stage.task.event_id)
    assert stage.state.candidates == {}
    assert digest_of(stage) != before
    revoke(stage, stage.task.event_id, StatementState.RESTORED, 2)
    assert digest_of(stage) == before


# --- names ----------------------------------------------------------------------------------------


def test_nobody_overwrites_a_candidate_or_takes_the_name_of_an_execution() -> None:
    stage = scene(max_proposers=2)
    claims = [stage.claim(Work.PROPOSE, by, executor="same") for by in (0, 1)]
    first, second = (stage.propose(claim, by) for by, claim in enumerate(claims))
    assert [stage.verdict(name) for name in (*claims, first, second)] == [Effective()] * 4
    assert stage.state.candidates[first].author == stage.cast[0].node_id
    assert stage.verdict(stage.propose(claims[0], 1)) == Ignored("not_own_claim", claims[0])


def test_the_same_contract_by_another_author_is_another_task() -> None:
    cast = keys(2)
    network = shared_network({key.node_id: frozenset(Role) for key in cast}, cast[0])
    one, other = (task(network, key) for key in cast)
    assert one.group_task == one.event_id != other.event_id == other.group_task
    state = derive(one.event_id, [one], network.governance())
    assert state.creator == cast[0].node_id


# --- votes, proofs and pay ------------------------------------------------------------------------


def test_a_copied_seal_opens_for_nobody_else_and_no_vote_is_without_a_finding() -> None:
    stage = scene(commit_reveal=True)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    result = stage.find(stage.claim(Work.VERIFY, 1), candidate, 1)
    stage.commit(result, candidate, 1)
    copied = dict(stage.said[-1].payload)
    own = stage.find(stage.claim(Work.VERIFY, 2), candidate, 2)
    commit = stage.utter("VOTE_COMMIT", {**copied, "result": own}, 2)
    assert stage.verdict(stage.reveal(commit, by=2)) == Ignored("commit_mismatch", commit)
    without = stage.commit(NOBODY, candidate, 2)
    assert stage.verdict(without) == Waiting((Need(On.EVENT, NOBODY),))


def test_a_second_seal_after_others_revealed_is_not_in_their_lists() -> None:
    stage = scene(commit_reveal=True, quorum_threshold=2)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    seals = []
    for by in (1, 2):
        result = stage.find(stage.claim(Work.VERIFY, by), candidate, by)
        seals.append(stage.commit(result, candidate, by))
    stage.reveal(seals[0], seals, 1)
    stage.reveal(seals[1], seals, 2)
    late = stage.find(stage.claim(Work.VERIFY, 0), candidate, 0)
    commit = stage.commit(late, candidate, 0)
    stage.reveal(commit, [*seals, commit], 0)
    assert commit not in stage.state.counted
    assert set(seals) <= stage.state.counted.keys()


def test_a_proof_of_possession_cannot_be_copied_and_a_digest_has_one_form() -> None:
    stage = scene()
    one, other = (possession_proof(key.node_id, NOBODY, [b"bytes"]) for key in stage.cast[:2])
    assert one != other
    claim = stage.claim(Work.PROPOSE)
    stage.propose(claim, evidence=[ref()])
    fields = dict(stage.said[-1].payload)
    output = {**fields["output"], "digest": "sha256:1"}
    assert stage.verdict(stage.utter("CANDIDATE_PROPOSED", {**fields, "output": output})) == (
        Ignored("bad_field")
    )


def test_the_same_result_again_is_paid_once() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    claim = stage.claim(Work.VERIFY, 1)
    stage.find(claim, candidate, 1)
    before = usage(stage.state, allocation(stage.state, stage.now_ms))
    for _ in range(5):
        stage.find(claim, candidate, 1)
    assert usage(stage.state, allocation(stage.state, stage.now_ms)) == before


def test_each_epoch_is_final_by_itself_and_a_penalty_is_no_bonus() -> None:
    stage = scene(1, **CONTINUOUS)
    stage.seal(NOBODY, NOBODY, [0])
    stage.end_epoch()
    stage.entered = Label(2, stage.pin)
    other = EventId(b"o" * 32)
    stage.seal(other, other, [0])
    assert [each.candidate for each in stage.state.outcomes] == [NOBODY, other]
    settlement = {**contract.to_payload(stage.state.terms)["settlement"], "P": -1}
    with pytest.raises(Malformed):
        contract.read({**contract.to_payload(stage.state.terms), "settlement": settlement})


def test_an_error_needs_a_claim_and_touches_no_decision() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    vote = stage.vote(stage.find(stage.claim(Work.VERIFY, 1), candidate, 1), 1)
    decision = stage.decide(candidate, [vote])
    stage.seal(candidate, decision, [0, 1])
    outcome = stage.state.outcome(stage.label)
    error = payloads.TaskError(claim=NOBODY, reason="x", reason_codes=(300,), message="")
    without = stage.say(error, 2)
    foreign = stage.say(attrs.evolve(error, claim=stage.said[0].event_id), 2)
    own = stage.say(attrs.evolve(error, claim=stage.said[0].event_id), 0)
    assert stage.verdict(without) == Waiting((Need(On.EVENT, NOBODY),))
    assert stage.verdict(foreign) == Ignored("not_own_claim", stage.said[0].event_id)
    assert stage.verdict(own) == Effective()
    assert stage.state.outcome(stage.label) == outcome
    assert stage.state.decision is not None
