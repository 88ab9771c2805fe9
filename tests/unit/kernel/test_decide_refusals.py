"""What an honest node does not sign, and the code that says why: what is refused in few places."""

from collections.abc import Mapping

import attrs
import pytest

from tests.laws.world import START_MS, keys, shared_network, task
from tests.support.scene import CONTINUOUS, Scene, ref, scene
from wattswarm.kernel import canonical, contract, decide, payloads
from wattswarm.kernel.allocation import allocation
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.choice import choices, deciders
from wattswarm.kernel.decide import Amendment
from wattswarm.kernel.decide.in_vain import has_decided_in_vain
from wattswarm.kernel.decide.voting import reveal_at
from wattswarm.kernel.drafter import drafters
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import Role, Version, successor
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.limits import EPOCH_MAX, EVENT_BODY_BYTES_MAX
from wattswarm.kernel.payloads import Status, Work
from wattswarm.kernel.records import Label, Subject
from wattswarm.kernel.task import TaskMachine
from wattswarm.kernel.version import to_payload
from wattswarm.kernel.views import state_word

AT = START_MS + 1_000
NOWHERE, DECISION = EventId(b"n" * 32), EventId(b"d" * 32)
NO_COMMITTER = frozenset({Role.PROPOSER, Role.VERIFIER, Role.FINALIZER})


def code(answer: object) -> str:
    """Return the code of a refusal."""
    assert isinstance(answer, Rejection), answer
    return answer.code


def create(stage: Scene, by: int = 0) -> object:
    """Have a member create another task."""
    return decide.create_task(
        contract.sample(),
        governance=stage.governance,
        network_id=stage.network.network_id,
        key_node=stage.cast[by].node_id,
        now_ms=AT,
    )


# --- tasks ----------------------------------------------------------------------------------------


def test_a_task_is_created_by_a_proposer_under_rules_that_are_known() -> None:
    stage = scene()
    members = dict(stage.network.genesis.members)
    members[stage.cast[1].node_id] = frozenset({Role.VERIFIER, Role.FINALIZER})
    stage.govern(signers=[0, 1, 2], members=members)
    assert not isinstance(create(stage), Rejection)
    assert code(create(stage, by=1)) == "missing_role"
    stage.govern(signers=[0, 1, 2], rules_version=2)
    assert code(create(stage)) == "unsupported_rules"


# --- places ---------------------------------------------------------------------------------------


def test_a_place_is_claimed_by_those_with_its_role() -> None:
    stage = scene()
    stranger = keys(1, 77)[0].node_id
    for role in Work:
        assert code(decide.claim(stage.state, stranger, role, "x", AT)) == "missing_role"


@pytest.mark.parametrize(
    ("terms", "role", "said"),
    [
        ({"max_steps": 1}, Work.PROPOSE, "1 steps"),
        ({"stage_units": {"explore": 1}}, Work.PROPOSE, "1 units to explore"),
        ({"stage_units": {"verify": 1}}, Work.VERIFY, "1 units to verify"),
    ],
)
def test_no_place_is_claimed_when_what_it_costs_is_spent(
    terms: dict[str, object], role: Work, said: str
) -> None:
    stage = scene(4, max_proposers=4, max_verifiers=4, topk=4, **terms)
    candidate = stage.propose(stage.claim(Work.PROPOSE), evidence=[ref(1)])
    if role is Work.VERIFY:
        stage.find(stage.claim(Work.VERIFY, 1), candidate, 1)
    answer = decide.claim(stage.state, stage.cast[2].node_id, role, "x", stage.now_ms)
    assert isinstance(answer, Rejection)
    assert answer.code == "budget_spent"
    assert answer.message.endswith(said)


def test_the_only_verifier_proposes_nothing_that_nobody_else_could_verify() -> None:
    stage = scene()
    first, second, third = (key.node_id for key in stage.cast)
    proposer = frozenset({Role.PROPOSER, Role.COMMITTER, Role.FINALIZER})
    members = {first: frozenset(Role), second: proposer, third: proposer}
    pin = stage.govern(signers=[0, 1, 2], members=members)
    stage = attrs.evolve(stage, task=_task_under(stage, pin.id, independence="node"))
    assert code(decide.claim(stage.state, first, Work.PROPOSE, "x", AT)) == "only_verifier"
    assert not isinstance(decide.claim(stage.state, second, Work.PROPOSE, "x", AT), Rejection)


def _task_under(stage: Scene, pin: Digest, **terms: object) -> Event:
    draft = decide.create_task(
        {**contract.sample(), "quorum_threshold": 1, **terms},
        governance=stage.governance,
        network_id=stage.network.network_id,
        key_node=stage.cast[0].node_id,
        now_ms=START_MS,
    )
    assert not isinstance(draft, Rejection), draft
    assert draft.payload["pin"] == pin
    return draft.sign(stage.network.network_id, stage.cast[0])


def test_only_a_claim_that_is_known_is_renewed_released_or_worked_under() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    state, now_ms = stage.state, stage.now_ms
    answers = [
        decide.renew(state, NOWHERE, now_ms),
        decide.release(state, NOWHERE, now_ms),
        decide.propose(state, NOWHERE, ref(), (), None, now_ms),
        decide.confirm(state, NOWHERE, candidate, (), now_ms),
        decide.submit_result(state, NOWHERE, candidate, Status.PASSED, 1, (), "p", "m", (), now_ms),
    ]
    assert {code(answer) for answer in answers} == {"unknown_claim"}


# --- work -----------------------------------------------------------------------------------------


def test_evidence_is_added_to_a_candidate_of_ones_own() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE, 1), 1)
    answer = decide.add_evidence(stage.state, candidate, [ref(7)], stage.now_ms)
    assert not isinstance(answer, Rejection), answer
    event = answer[0].draft.sign(stage.network.network_id, stage.cast[1])
    stage.said.append(event)
    (added,) = stage.state.additions.values()
    assert (added.candidate, added.evidence) == (candidate, (ref(7),))
    assert event.created_at > stage.state.candidates[candidate].created_at


def test_evidence_is_not_added_to_what_is_unknown_or_over() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    unknown = decide.add_evidence(stage.state, NOWHERE, [ref(7)], stage.now_ms)
    assert code(unknown) == "unknown_candidate"
    over_ms = stage.state.ends_at + 1
    over = decide.add_evidence(stage.state, candidate, [ref(7)], over_ms)
    assert code(over) == "task_not_open"


def test_what_was_held_is_confirmed_piece_by_piece_and_only_if_the_candidate_names_it() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE), evidence=[ref(1), ref(2)])
    claim = stage.claim(Work.VERIFY, 1)
    proofs = [(ref(number).digest, bytes(32)) for number in (1, 2)]
    answer = decide.confirm(stage.state, claim, candidate, proofs, stage.now_ms)
    assert not isinstance(answer, Rejection), answer
    dates = [each.draft.created_at for each in answer]
    assert dates == sorted(set(dates))
    assert [each.draft.payload["digest"] for each in answer] == [name for name, _ in proofs]
    astray = [(ref(3).digest, bytes(32))]
    answer = decide.confirm(stage.state, claim, candidate, astray, stage.now_ms)
    assert code(answer) == "would_be_ignored"


def test_what_is_verified_is_a_candidate_that_is_known() -> None:
    stage = scene()
    claim = stage.claim(Work.VERIFY, 1)
    answer = decide.submit_result(
        stage.state, claim, NOWHERE, Status.PASSED, 1, (), "p", "m", (), stage.now_ms
    )
    assert code(answer) == "unknown_candidate"


# --- votes ----------------------------------------------------------------------------------------


def verified(**terms: object) -> tuple[Scene, Subject, EventId]:
    """Return what the second member's result is on, and that result."""
    stage = scene(**terms)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    result = stage.find(stage.claim(Work.VERIFY, 1), candidate, 1)
    return stage, Subject(stage.label, 1, candidate), result


def test_nothing_is_voted_on_or_revealed_for_a_task_that_is_over() -> None:
    stage, subject, result = verified(commit_reveal=True)
    over_ms = stage.state.ends_at + 1
    assert code(decide.vote(stage.state, stage.cast[1], subject, over_ms)) == "task_not_open"
    commit = stage.commit(result, subject.candidate, 1)
    assert code(decide.reveal(stage.state, stage.cast[1], commit, over_ms)) == "task_not_open"


def test_only_a_commit_of_ones_own_is_revealed() -> None:
    stage, subject, result = verified(commit_reveal=True)
    commit = stage.commit(result, subject.candidate, 1)
    for by, name in ((0, commit), (1, NOWHERE)):
        answer = decide.reveal(stage.state, stage.cast[by], name, stage.now_ms)
        assert code(answer) == "not_own_commit"


def test_a_vote_that_cannot_be_read_takes_no_other_away() -> None:
    stage, subject, _ = verified()
    stage.utter("VOTE_COMMIT", {"result": 7}, 1)
    stage.utter("VOTE_REVEAL", {"result": 7}, 1)
    answer = decide.vote(stage.state, stage.cast[1], subject, stage.now_ms)
    assert not isinstance(answer, Rejection)


def test_a_vote_on_what_is_no_result_takes_no_other_away() -> None:
    stage, subject, _ = verified()
    stage.vote(NOWHERE, 1)
    answer = decide.vote(stage.state, stage.cast[1], subject, stage.now_ms)
    assert not isinstance(answer, Rejection)


def test_what_has_no_effect_beside_reveals_takes_no_reveal_away() -> None:
    stage, subject, _ = verified(commit_reveal=True)
    vote = decide.vote(stage.state, stage.cast[1], subject, stage.now_ms)
    assert not isinstance(vote, Rejection)
    commit = vote[0].draft.sign(stage.network.network_id, stage.cast[1])
    stage.said.append(commit)
    stage.commit(NOWHERE, subject.candidate, 1)
    stage.reveal(NOWHERE, by=1)
    stage.vote(NOWHERE, by=1)
    late_ms = stage.state.ends_at - 1
    answer = decide.reveal(stage.state, stage.cast[1], commit.event_id, late_ms)
    assert not isinstance(answer, Rejection), answer


def test_a_node_waits_with_its_reveal_as_long_as_anybody_may_still_take_a_place() -> None:
    assert _wait_ms(frozenset()) == 0
    assert _wait_ms(frozenset({Role.VERIFIER})) > 0


def _wait_ms(open_roles: frozenset[Role]) -> int:
    """Return how long after the quorum's last commit a voter reveals, all members having voted."""
    cast = keys(2, 5)
    members = {key.node_id: frozenset(Role) for key in cast}
    network = shared_network(members, cast[0], open_roles=open_roles)
    terms = {"quorum_threshold": 2, "commit_reveal": True, "independence": "none"}
    created = task(network, cast[0], {**terms, "max_verifiers": 3})
    stage = Scene(network, cast, network.governance(), created)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    claims = [stage.claim(Work.VERIFY, by) for by in range(2)]
    found = [stage.find(claims[by], candidate, by) for by in range(2)]
    commits = [stage.commit(found[by], candidate, by) for by in range(2)]
    own = stage.state.commits[commits[0]]
    view = allocation(stage.state, stage.now_ms)
    return reveal_at(stage.state, own, view, stage.now_ms) - stage.now_ms


def test_who_gave_up_the_place_is_not_waited_for() -> None:
    stage, subject, result = verified(commit_reveal=True, quorum_threshold=2, max_verifiers=2)
    other = stage.claim(Work.VERIFY, 2)
    commit = stage.commit(result, subject.candidate, 1)
    own = stage.state.commits[commit]
    view = allocation(stage.state, stage.now_ms)
    held_ms = reveal_at(stage.state, own, view, stage.now_ms)
    assert held_ms == view.place(Work.VERIFY, stage.cast[2].node_id, "x").lease_end + 1
    stage.say(payloads.TaskClaimReleased(claim=other), 2)
    view = allocation(stage.state, stage.now_ms)
    patient_ms = own.created_at + stage.state.terms.lease_ms
    assert reveal_at(stage.state, own, view, stage.now_ms) == patient_ms


# --- deciding -------------------------------------------------------------------------------------


def test_finality_is_signed_by_a_finalizer_for_a_decision_that_is_known() -> None:
    stage = scene()
    stranger = keys(1, 77)[0].node_id
    told = {"has_bodies": True, "has_passed": True}
    answer = decide.may_sign(stage.state, stranger, DECISION, stage.now_ms, **told)
    assert answer is not None
    assert answer.code == "missing_role"
    mine = stage.cast[0].node_id
    answer = decide.may_sign(stage.state, mine, DECISION, stage.now_ms, **told)
    assert answer is not None
    assert answer.code == "unknown_decision"


def test_another_attempt_is_opened_by_who_may_decide() -> None:
    stage = scene(max_attempts=2)
    stranger = keys(1, 77)[0].node_id
    assert code(decide.retry(stage.state, stranger, stage.now_ms)) == "not_the_decider"


def test_who_decided_in_vain_decides_no_more_in_that_epoch() -> None:
    stage = scene(**CONTINUOUS)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    assert not has_decided_in_vain(stage.state, stage.cast[0].node_id)
    stage.decide(candidate, [])
    assert has_decided_in_vain(stage.state, stage.cast[0].node_id)
    assert not has_decided_in_vain(stage.state, stage.cast[1].node_id)
    stage.end_epoch(signers=[0, 1, 2])
    assert not has_decided_in_vain(stage.state, stage.cast[0].node_id)


def test_nothing_is_decided_when_the_units_to_finalize_are_spent() -> None:
    stage = scene(stage_units={"finalize": 1})
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    stage.vote(stage.find(stage.claim(Work.VERIFY, 1), candidate, 1), 1)
    me = deciders(stage.state)[0]
    later_ms = stage.now_ms + 60_000
    assert not isinstance(decide.decision(stage.state, me, later_ms), Rejection)
    stage.seal(NOWHERE, DECISION, [0])
    answer = decide.decision(stage.state, me, later_ms)
    assert isinstance(answer, Rejection)
    assert answer.message.endswith("1 units to finalize")


def test_feedback_is_about_an_answer_that_is_known() -> None:
    stage = scene()
    stage.seal(NOWHERE, DECISION, [0, 1, 2])
    answer = decide.feedback(stage.state, stage.cast[0].node_id, stage.now_ms, reason="wrong")
    assert code(answer) == "unknown_candidate"


# --- epochs and governance ------------------------------------------------------------------------


def test_the_last_epoch_that_can_be_named_is_not_ended() -> None:
    stage = scene(**CONTINUOUS)
    state = stage.state.copy()
    state.label = Label(EPOCH_MAX - 1, stage.pin)
    state.opened[EPOCH_MAX - 1] = state.openings[state.label] = AT
    answer = decide.end_epoch(state, stage.cast[0], stage.governance, AT + 10**9, is_ordered=True)
    assert code(answer) == "one_epoch"


def test_a_version_that_fits_no_event_is_refused() -> None:
    stage = scene()
    known = stage.governance
    head = known.head()
    assert head is not None
    first = drafters(head.id, head.finalizers)[0]
    me = next(key for key in stage.cast if key.node_id == first)
    params: dict[str, Value] = {"admission": "open"}
    for index in range(64):
        params[f"p{index:02}"] = "x" * 995
    room = EVENT_BODY_BYTES_MAX - len(canonical.encode(to_payload(_next(head, params))))
    params["rest"] = "x" * (room - 8)
    assert len(canonical.encode(to_payload(_next(head, params)))) <= EVENT_BODY_BYTES_MAX
    assert code(decide.amend(known, me, Amendment(params=params), AT)) == "too_large"
    params["rest"] = ""
    assert not isinstance(decide.amend(known, me, Amendment(params=params), AT), Rejection)


def _next(head: Version, params: Mapping[str, Value]) -> Version:
    return successor(head, effective_at=AT, params=params)


# --- tasks that are not there yet -----------------------------------------------------------------


def test_nothing_may_be_chosen_before_the_task_is_there() -> None:
    stage = scene()
    stage.vote(stage.find(stage.claim(Work.VERIFY), NOWHERE))
    machine = TaskMachine(stage.task.event_id, stage.governance)
    machine.add(stage.said)
    assert choices(machine.state, stage.now_ms) == ()
    assert state_word(machine.state, stage.now_ms) == "pending"
