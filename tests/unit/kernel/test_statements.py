"""Statements: who makes them, which of them holds, and what they leave without effect."""

from itertools import permutations
from typing import Any

import pytest

from tests.laws.world import START_MS, keys
from tests.support.scene import CONTINUOUS, Scene, scene
from tests.support.second_signature import signed_again
from wattswarm.kernel import contract, decide
from wattswarm.kernel.choice import deciders
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.duty import ExecutorOffer, due
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import (
    Changes,
    Governance,
    Role,
    Standing,
    Version,
    Word,
    draft_statement,
    successor,
)
from wattswarm.kernel.governance.statement import (
    Statement,
    statement_hash,
    statement_message,
)
from wattswarm.kernel.governance.supposed import Supposed
from wattswarm.kernel.group_digest import group_digest
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.knowledge import precedents
from wattswarm.kernel.payloads import ControlWord, Work
from wattswarm.kernel.payloads.statement import (
    EventRevoked,
    NodePenalized,
    StatementState,
    read,
)
from wattswarm.kernel.records import Subject
from wattswarm.kernel.reputation import contributions
from wattswarm.kernel.rows import rows
from wattswarm.kernel.task import derive, extend
from wattswarm.kernel.verdict import Effective, Ignored
from wattswarm.kernel.views import state_word

REVOKED, RESTORED = StatementState.REVOKED, StatementState.RESTORED
ALWAYS = (0, 2**48 - 1)
X = ExecutorOffer(name="x")


def statement(
    stage: Scene,
    kind: str,
    target: bytes,
    serial: int = 1,
    state: StatementState = REVOKED,
    *,
    version: Version | None = None,
    window: tuple[int, int] | None = None,
    keep: frozenset[EventId] | None = None,
) -> Statement:
    """Return a statement about an event or a node; a penalty is for ever unless said otherwise."""
    is_penalty = kind == NodePenalized.kind and state is REVOKED
    return Statement(
        kind=kind,
        target=target,
        serial=serial,
        state=state,
        governance=(stage.network.genesis if version is None else version).id,
        reason="for a reason",
        window=ALWAYS if is_penalty and window is None and keep is None else window,
        keep=keep,
    )


def carried(stage: Scene, said: Statement, signers: tuple[int, ...], by: int = 0) -> Event:
    """Return an event that carries these members' signatures."""
    network_id = stage.network.network_id
    signed = statement_message(network_id, said)
    sigs = {stage.cast[n].node_id: stage.cast[n].sign(signed) for n in signers}
    return draft_statement(said, sigs, START_MS).unsigned(network_id, stage.cast[by].node_id)


def say(stage: Scene, said: Statement, *signers: int) -> Event:
    """Have finalizers say so, by default two of them."""
    event = carried(stage, said, signers or (0, 1))
    stage.governance.add(event)
    return event


def revoke(stage: Scene, name: EventId, serial: int = 1) -> None:
    """Revoke an event."""
    say(stage, statement(stage, EventRevoked.kind, name, serial))


def finalizers(**terms: object) -> Scene:
    """Return a task in a network of three finalizers, two of whom are enough."""
    return scene(3, threshold=2, **terms)


# --- gathering ------------------------------------------------------------------------------------


def test_a_statement_counts_with_its_quorum_over_all_carriers() -> None:
    stage = finalizers()
    said = statement(stage, EventRevoked.kind, stage.task.event_id)
    name = statement_hash(stage.network.network_id, said)
    first, second = carried(stage, said, (0,)), carried(stage, said, (1,), by=2)
    assert stage.governance.add(first) == Changes()
    assert stage.governance.standing(first.event_id) == Standing(Word.WAITING, "quorum", name)
    changes = stage.governance.add(second)
    assert changes == Changes(events=frozenset({stage.task.event_id}))
    for event in (first, second):
        standing = stage.governance.standing(event.event_id)
        assert standing is not None
        assert standing.word is Word.EFFECTIVE


def test_who_is_no_finalizer_of_its_version_counts_nothing() -> None:
    stage = finalizers()
    stage.cast = (*stage.cast, *keys(1, 99))
    said = statement(stage, EventRevoked.kind, stage.task.event_id)
    event = carried(stage, said, (3,))
    stage.governance.add(event)
    assert stage.governance.standing(event.event_id) == Standing(Word.IGNORED, "no_valid_signature")


def test_what_a_stranger_says_takes_up_no_rows_but_its_verdict() -> None:
    stage = finalizers()
    stage.cast = (*stage.cast, *keys(1, 99))
    kept = frozenset(EventId(bytes([n]) * 32) for n in range(9))
    said = statement(stage, NodePenalized.kind, stage.cast[0].node_id, keep=kept)
    say(stage, said, 3)
    found = stage.governance.rows()
    tables = ("governance_statements", "governance_kept", "governance_verdicts")
    assert [len(found[table]) for table in tables] == [0, 0, 1]
    say(stage, said, 2)
    found = stage.governance.rows()
    assert [len(found[table]) for table in tables] == [1, 9, 2]


def test_a_statement_waits_for_its_version() -> None:
    stage = finalizers()
    version = finalizers().govern(signers=(0, 1), params={"x": 1})
    event = say(stage, statement(stage, EventRevoked.kind, stage.task.event_id, version=version))
    expected = Standing(Word.WAITING, "version", version.id)
    assert stage.governance.standing(event.event_id) == expected
    stage.govern(signers=(0, 1), params={"x": 1})
    assert stage.governance.voids(stage.task) == "revoked"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "gone"}, "bad_field"),
        ({"window": [1, 2]}, "unknown_field"),
        ({"serial": -1}, "bad_field"),
    ],
)
def test_what_is_no_statement_is_ignored(changes: dict[str, object], code: str) -> None:
    stage = finalizers()
    event = carried(stage, statement(stage, EventRevoked.kind, stage.task.event_id), (0, 1))
    object.__setattr__(event, "payload", {**event.payload, **changes})
    stage.governance.add(event)
    assert stage.governance.standing(event.event_id) == Standing(Word.IGNORED, code)


@pytest.mark.parametrize(
    "changes",
    [
        {"window": [1, 2], "cut": "all"},
        {"window": None},
        {"keep": [bytes(32)]},
        {"state": "restored"},
    ],
)
def test_a_penalty_says_how_far_it_goes(changes: dict[str, object]) -> None:
    stage = finalizers()
    said = statement(stage, NodePenalized.kind, stage.cast[2].node_id)
    event = carried(stage, said, (0, 1))
    payload = {k: v for k, v in {**event.payload, **changes}.items() if v is not None}
    object.__setattr__(event, "payload", payload)
    stage.governance.add(event)
    assert stage.governance.standing(event.event_id) == Standing(Word.IGNORED, "inconsistent")


# --- which of them holds --------------------------------------------------------------------------


def test_the_highest_serial_holds_and_a_revocation_wins_a_tie() -> None:
    stage = finalizers()
    name = stage.task.event_id
    revoke(stage, name)
    say(stage, statement(stage, EventRevoked.kind, name, 2, RESTORED))
    assert stage.governance.voids(stage.task) is None
    say(stage, statement(stage, EventRevoked.kind, name, 1, RESTORED))
    assert stage.governance.voids(stage.task) is None
    revoke(stage, name, 2)
    assert stage.governance.voids(stage.task) == "revoked"


def test_a_later_version_stands_before_a_higher_serial() -> None:
    stage = finalizers()
    name = stage.task.event_id
    revoke(stage, name, 9)
    later = stage.govern(signers=(0, 1), params={"x": 1})
    say(stage, statement(stage, EventRevoked.kind, name, 1, RESTORED, version=later))
    assert stage.governance.voids(stage.task) is None


def test_keys_that_a_fork_left_behind_void_nothing_of_a_later_pin() -> None:
    stage = finalizers()
    later = stage.govern(signers=(0, 1), params={"x": 1})
    revoke(stage, stage.task.event_id)
    assert stage.governance.voids(stage.task, stage.network.genesis.id) == "revoked"
    assert stage.governance.voids(stage.task, later.id) is None
    say(stage, statement(stage, EventRevoked.kind, stage.task.event_id, version=later))
    assert stage.governance.voids(stage.task, stage.network.genesis.id) == "revoked"


# --- what they leave without effect ---------------------------------------------------------------


def test_what_depends_on_a_revoked_event_goes_with_it() -> None:
    stage = finalizers()
    claim = stage.claim(Work.PROPOSE)
    candidate = stage.propose(claim)
    result = stage.find(stage.claim(Work.VERIFY, 1), candidate, 1)
    revoke(stage, claim)
    assert stage.verdict(claim) == Ignored("revoked")
    assert stage.verdict(candidate) == Ignored("depends_on_revoked", claim)
    assert stage.verdict(result) == Ignored("depends_on_revoked", candidate)
    say(stage, statement(stage, EventRevoked.kind, claim, 2, RESTORED))
    assert stage.verdict(result) == Effective()


def test_a_revoked_creation_still_gives_its_pin() -> None:
    stage = finalizers()
    stage.claim(Work.PROPOSE)
    seal = stage.seal(EventId(b"c" * 32), EventId(b"d" * 32), [0, 1])
    revoke(stage, stage.task.event_id)
    assert stage.verdict(stage.task.event_id) == Ignored("revoked")
    assert stage.verdict(stage.said[0].event_id) == Ignored(
        "depends_on_revoked", stage.task.event_id
    )
    assert stage.verdict(seal) == Effective()
    assert state_word(stage.state, START_MS + 2) == "final"


def test_openings_and_finality_cannot_be_revoked() -> None:
    stage = finalizers(**CONTINUOUS)
    retry = stage.retry(1)
    seal = stage.seal(EventId(b"c" * 32), EventId(b"d" * 32), [0, 1])
    kill = stage.control(ControlWord.KILLED, signers=[0, 1])
    end = stage.end_epoch(signers=[0, 1])
    for name in (retry, seal, end, kill):
        revoke(stage, name)
        assert stage.verdict(name) == Effective()


def test_the_creators_control_word_can_be() -> None:
    stage = finalizers()
    stop = stage.control(ControlWord.STOPPED)
    revoke(stage, stop)
    assert stage.verdict(stop) == Ignored("revoked")
    assert stage.state.control is None


def test_a_word_that_was_revoked_stays_so_in_what_follows_from_a_state() -> None:
    stage = finalizers()
    stop = stage.control(ControlWord.STOPPED, signers=[1])
    revoke(stage, stop)
    assert stage.state.control is None
    assert extend(stage.state, []).control is None


def test_a_penalty_reaches_as_far_as_its_window() -> None:
    stage = finalizers()
    early, late = stage.claim(Work.PROPOSE, 2), stage.claim(Work.VERIFY, 2)
    date = stage.said[-1].created_at
    node = stage.cast[2].node_id
    say(stage, statement(stage, NodePenalized.kind, node, window=(date, date + 1)))
    assert (stage.verdict(early), stage.verdict(late)) == (Effective(), Ignored("penalized"))
    assert stage.verdict(stage.claim(Work.PROPOSE, 2, at_ms=date + 1)) == Effective()
    assert [stage.governance.bars(node, at) for at in (date - 1, date, date + 1)] == [
        False,
        True,
        False,
    ]


def test_whose_penalty_is_for_a_time_is_woken_when_that_is_over() -> None:
    stage = finalizers()
    me = stage.cast[2]
    end = START_MS + 1_000
    say(stage, statement(stage, NodePenalized.kind, me.node_id, window=(START_MS, end)))
    found = due(stage.state, me, [X], START_MS + 10, governance=stage.governance)
    assert (found.duties, found.wake_at_ms) == ((), end)
    assert due(stage.state, me, [X], end, governance=stage.governance).duties
    say(stage, statement(stage, NodePenalized.kind, me.node_id, 2))
    assert due(stage.state, me, [X], end, governance=stage.governance).wake_at_ms == ALWAYS[1]


def test_who_is_cut_off_keeps_what_is_named() -> None:
    stage = finalizers()
    kept, lost = stage.claim(Work.PROPOSE, 2), stage.claim(Work.VERIFY, 2)
    said = statement(stage, NodePenalized.kind, stage.cast[2].node_id, keep=frozenset({kept}))
    say(stage, said)
    assert (stage.verdict(kept), stage.verdict(lost)) == (Effective(), Ignored("penalized"))
    assert stage.governance.bars(stage.cast[2].node_id, START_MS)


def test_a_restored_event_of_a_penalized_node_stays_void() -> None:
    stage = finalizers()
    claim = stage.claim(Work.PROPOSE, 2)
    say(stage, statement(stage, NodePenalized.kind, stage.cast[2].node_id))
    say(stage, statement(stage, EventRevoked.kind, claim, 1, RESTORED))
    assert stage.verdict(claim) == Ignored("penalized")


def test_any_order_comes_to_the_same() -> None:
    stage = finalizers()
    stage.claim(Work.PROPOSE, 2)
    version = stage.govern(signers=(0, 1), params={"x": 1})
    node, network_id = stage.cast[2].node_id, stage.network.network_id
    said = [
        carried(stage, statement(stage, NodePenalized.kind, node), (0,)),
        carried(stage, statement(stage, NodePenalized.kind, node), (1,)),
        carried(stage, statement(stage, NodePenalized.kind, node, 2, RESTORED), (0, 1)),
        carried(stage, statement(stage, NodePenalized.kind, node, version=version), (1, 2)),
    ]
    expected = None
    for order in permutations(said):
        governance = Governance(network_id)
        governance.add(order[0])
        governance.add(stage.network.carrier)
        stage.governance = governance
        for event in order[1:]:
            governance.add(event)
        stage.govern(signers=(0, 1), params={"x": 1})
        found = governance.rows()["governance_statements"], group_digest(rows(stage.state))
        expected = expected or found
        assert found == expected


# --- making them ----------------------------------------------------------------------------------


def made(answer: Signings | Rejection) -> Signings:
    """Return the events of an answer."""
    assert not isinstance(answer, Rejection), answer
    return answer


def append(stage: Scene, answer: Signings | Rejection, by: int) -> None:
    """Have the events in governance."""
    for each in made(answer):
        key = stage.cast[by]
        stage.governance.add(each.draft.unsigned(stage.network.network_id, key.node_id))


def test_two_finalizers_revoke_and_restore_an_event_together() -> None:
    stage = finalizers()
    name = stage.claim(Work.PROPOSE)
    append(stage, decide.revoke(stage.governance, stage.cast[0], name, START_MS, reason="x"), 0)
    assert stage.verdict(name) == Effective()
    append(stage, decide.revoke(stage.governance, stage.cast[1], name, START_MS), 1)
    assert stage.verdict(name) == Ignored("revoked")
    assert decide.revoke(stage.governance, stage.cast[2], name, START_MS) == ()
    for by in (1, 2):
        answer = decide.revoke(stage.governance, stage.cast[by], name, START_MS, state=RESTORED)
        append(stage, answer, by)
    assert stage.verdict(name) == Effective()
    assert decide.revoke(stage.governance, stage.cast[0], name, START_MS, state=RESTORED) == ()


def test_another_reason_or_another_extent_is_another_statement() -> None:
    stage = finalizers()
    node = stage.cast[2].node_id
    first = decide.penalize(
        stage.governance, stage.cast[0], node, START_MS, reason="x", keep=frozenset()
    )
    append(stage, first, 0)
    again = decide.penalize(stage.governance, stage.cast[0], node, START_MS, keep=frozenset())
    assert isinstance(again, Rejection)
    assert again.code == "already_signed"
    other = decide.penalize(
        stage.governance, stage.cast[1], node, START_MS, reason="y", keep=frozenset()
    )
    append(stage, other, 1)
    window = decide.penalize(stage.governance, stage.cast[1], node, START_MS, window=(1, 2))
    append(stage, window, 1)
    assert stage.governance.penalty(node) is None
    joined = decide.penalize(
        stage.governance, stage.cast[1], node, START_MS, reason="x", keep=frozenset()
    )
    append(stage, joined, 1)
    assert stage.governance.bars(node, START_MS)


def refusal(answer: Signings | Rejection) -> str:
    """Return why nothing is signed."""
    assert isinstance(answer, Rejection)
    return answer.code


def test_what_cannot_be_said_is_refused() -> None:
    stage = finalizers()
    stage.cast = (*stage.cast, *keys(1, 99))
    governance, me, outsider = stage.governance, stage.cast[0], stage.cast[3]
    name = stage.task.event_id
    empty = Governance(stage.network.network_id)
    assert refusal(decide.revoke(empty, me, name, START_MS)) == "no_governance"
    assert refusal(decide.revoke(governance, outsider, name, START_MS)) == "missing_role"
    kind = "DECISION_FINALIZED"
    assert refusal(decide.revoke(governance, me, name, START_MS, kind=kind)) == "not_revocable"
    itself = decide.penalize(governance, me, me.node_id, START_MS, keep=frozenset())
    assert refusal(itself) == "not_oneself"
    boundless = decide.penalize(governance, me, outsider.node_id, START_MS)
    assert refusal(boundless) == "inconsistent"


def test_who_decided_decides_nothing_else_when_that_is_taken_away() -> None:
    stage = finalizers()
    decider = [key.node_id for key in stage.cast].index(deciders(stage.state)[0])
    other = (decider + 1) % 3
    for by in (other, decider):
        candidate = stage.propose(stage.claim(Work.PROPOSE, by), by)
        result = stage.find(stage.claim(Work.VERIFY, decider), candidate, decider)
        vote = stage.vote(result, decider)
        if by == other:
            decision = stage.decide(candidate, [vote], by=decider)
            say(stage, statement(stage, NodePenalized.kind, stage.cast[other].node_id))
    assert stage.verdict(decision) == Ignored("depends_on_revoked", stage.said[1].event_id)
    answer = decide.decision(stage.state, stage.cast[decider].node_id, START_MS + 60_000)
    assert refusal(answer) == "already_decided"
    next_one = decide.decision(stage.state, stage.cast[other].node_id, START_MS + 60_000)
    assert made(next_one)


def test_a_vote_that_was_taken_away_is_not_given_again() -> None:
    stage = finalizers()
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    claim = stage.claim(Work.VERIFY, 1)
    result = stage.find(claim, candidate, 1)
    subject = Subject(stage.label, 1, candidate)
    vote = stage.vote(result, 1)
    revoke(stage, vote)
    assert refusal(decide.vote(stage.state, stage.cast[1], subject, START_MS)) == "already_voted"
    stage.find(claim, candidate, 1)
    revoke(stage, result)
    assert refusal(decide.vote(stage.state, stage.cast[1], subject, START_MS)) == "already_voted"
    stage.find(stage.claim(Work.VERIFY, 2), candidate, 2)
    assert made(decide.vote(stage.state, stage.cast[2], subject, START_MS))


def test_a_reveal_that_was_taken_away_is_not_given_again() -> None:
    stage = finalizers(commit_reveal=True)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    result = stage.find(stage.claim(Work.VERIFY, 1), candidate, 1)
    commit = stage.commit(result, candidate, 1)
    revoke(stage, stage.reveal(commit, by=1))
    at_ms = START_MS + 60_000
    assert refusal(decide.reveal(stage.state, stage.cast[1], commit, at_ms)) == "already_voted"


def test_a_barred_node_creates_nothing_and_has_no_duties() -> None:
    stage = finalizers()
    say(stage, statement(stage, NodePenalized.kind, stage.cast[2].node_id))
    answer = decide.create_task(
        {"task_type": "t"},
        governance=stage.governance,
        network_id=stage.network.network_id,
        key_node=stage.cast[2].node_id,
        now_ms=START_MS,
    )
    assert isinstance(answer, Rejection)
    assert answer.code == "barred"


def test_a_barred_finalizer_changes_no_governance_and_may_take_part_in_its_pardon() -> None:
    stage = finalizers()
    governance, me = stage.governance, stage.cast[2]
    say(stage, statement(stage, NodePenalized.kind, me.node_id))
    amendment = decide.Amendment(params={"a": 1})
    stranger = keys(1, 99)[0].node_id
    version = successor(stage.network.genesis, params={"b": 1})
    answers = (
        decide.amend(governance, me, amendment, START_MS),
        decide.co_sign(governance, me, version.id, START_MS),
        decide.admit(governance, me.node_id, stranger, START_MS),
    )
    assert [each.code for each in answers if isinstance(each, Rejection)] == ["barred"] * 3
    for by in (1, 2):
        pardon = decide.penalize(governance, stage.cast[by], me.node_id, START_MS, state=RESTORED)
        append(stage, pardon, by)
    assert not governance.bars(me.node_id, START_MS)


@pytest.mark.parametrize(
    ("extent", "path"),
    [
        ({"window": (5, 5)}, "window"),
        ({"window": (-1, 5)}, "$"),
        ({"window": (1, 2**49)}, "window"),
        ({"keep": frozenset(), "reason": "x" * 5_000}, "reason"),
        ({"keep": frozenset(EventId(n.to_bytes(32, "big")) for n in range(5_000))}, "$"),
        ({"keep": frozenset(EventId(n.to_bytes(32, "big")) for n in range(2_500))}, "$"),
    ],
)
def test_what_no_event_could_say_is_refused(extent: dict[str, Any], path: str) -> None:
    stage = finalizers()
    answer = decide.penalize(
        stage.governance, stage.cast[0], stage.cast[1].node_id, START_MS, **extent
    )
    assert isinstance(answer, Rejection)
    assert path in str(answer.details["path"]), answer


def test_what_a_statement_would_do_is_what_it_does() -> None:
    stage = finalizers()
    name = stage.claim(Work.PROPOSE)
    candidate = stage.propose(name)
    of_claim = statement(stage, EventRevoked.kind, name)
    of_author = statement(stage, NodePenalized.kind, stage.cast[0].node_id)
    events = [stage.task, *stage.said]
    for said in (of_claim, of_author):
        supposed = derive(stage.task.event_id, events, Supposed(stage.governance, said))
        assert stage.verdict(candidate) == Effective()
        assert supposed.verdict(candidate) is not None
        say(stage, said)
        assert stage.state.verdicts == supposed.verdicts
        back = statement(stage, said.kind, said.target, 2, RESTORED)
        again = derive(stage.task.event_id, events, Supposed(stage.governance, back))
        assert not again.verdicts
        say(stage, back)


def test_what_would_hold_is_told_before_it_has_its_quorum() -> None:
    stage = finalizers()
    kind, name = EventRevoked.kind, stage.task.event_id
    say(stage, statement(stage, kind, name, 2))
    for serial, state in ((1, REVOKED), (3, RESTORED)):
        say(stage, statement(stage, kind, name, serial, state), 0)
    told = {
        each.statement.serial: stage.governance.statements.would_hold(each)
        for each in stage.governance.statements.gathered
    }
    assert told == {1: False, 2: True, 3: True}
    held = stage.governance.statements.holding(kind, name)
    assert held is not None
    assert held.signers.keys() == {key.node_id for key in stage.cast[:2]}


def test_roles_are_those_of_the_version_that_is_named() -> None:
    stage = finalizers()
    heir = stage.cast[2].node_id
    alone = stage.govern(signers=(0, 1), members={heir: frozenset(Role)}, threshold=1)
    said = statement(stage, EventRevoked.kind, stage.task.event_id, version=alone)
    say(stage, said, 0)
    assert stage.governance.voids(stage.task) is None
    say(stage, said, 2)
    assert stage.governance.voids(stage.task) == "revoked"
    assert Digest(alone.id) == said.governance


# --- what rests on answers ------------------------------------------------------------------------


@pytest.mark.parametrize("revoked", ["candidate", "result", "vote", "decision"])
def test_what_a_final_answer_rests_on_gives_no_reputation_and_no_knowledge_when_revoked(
    revoked: str,
) -> None:
    stage = finalizers()
    named = {"candidate": stage.propose(stage.claim(Work.PROPOSE))}
    named["result"] = stage.find(stage.claim(Work.VERIFY, 1), named["candidate"], 1)
    named["vote"] = stage.vote(named["result"], 1)
    named["decision"] = stage.decide(named["candidate"], [named["vote"]])
    stage.seal(named["candidate"], named["decision"], [0, 1])
    assert contributions(stage.state)
    assert precedents(stage.state)
    outcome = stage.state.outcomes
    revoke(stage, named[revoked])
    assert contributions(stage.state) == ()
    assert precedents(stage.state) == ()
    assert stage.state.outcomes == outcome, "the outcome stays"


def test_feedback_that_is_revoked_turns_nothing() -> None:
    stage = finalizers()
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    vote = stage.vote(stage.find(stage.claim(Work.VERIFY, 1), candidate, 1), 1)
    stage.seal(candidate, stage.decide(candidate, [vote]), [0, 1])
    said = stage.complain(candidate)
    assert contributions(stage.state)[0].is_bad
    revoke(stage, said)
    assert not contributions(stage.state)[0].is_bad


def test_what_would_hold_is_what_no_later_word_on_the_target_stands_against() -> None:
    stage = finalizers()
    known = stage.governance.statements
    target = stage.task.event_id
    say(stage, statement(stage, EventRevoked.kind, target, 2))
    for serial, wanted in ((1, False), (3, True)):
        stage.governance.add(
            carried(stage, statement(stage, EventRevoked.kind, target, serial), (0,))
        )
        (found,) = [each for each in known.gathered if each.statement.serial == serial]
        assert known.would_hold(found) is wanted
    version = finalizers().govern(signers=(0, 1), params={"x": 1})
    later = statement(stage, EventRevoked.kind, target, 9, version=version)
    stage.governance.add(carried(stage, later, (0,)))
    (found,) = [each for each in known.gathered if each.statement.serial == 9]
    assert not known.would_hold(found), "nobody knows who may sign it"


def test_a_signature_of_a_finalizer_over_something_else_counts_nothing() -> None:
    stage = finalizers()
    said = statement(stage, EventRevoked.kind, stage.task.event_id)
    other = statement(stage, EventRevoked.kind, stage.task.event_id, 2)
    over = statement_message(stage.network.network_id, other)
    sigs = {key.node_id: key.sign(over) for key in stage.cast[:2]}
    event = draft_statement(said, sigs, START_MS).unsigned(
        stage.network.network_id, stage.cast[0].node_id
    )
    assert stage.governance.add(event) == Changes()
    assert stage.governance.standing(event.event_id) == Standing(Word.IGNORED, "no_valid_signature")
    assert stage.governance.voids(stage.task) is None


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"window": [1]}, "$.payload.window"),
        ({"window": [2, 2]}, "$.payload.window"),
        ({"window": None, "keep": [bytes(32), bytes(32)]}, "$.payload.keep"),
        ({"window": None, "keep": [b"b" * 32, b"a" * 32]}, "$.payload.keep"),
    ],
)
def test_the_reach_of_a_penalty_has_one_form(changes: dict[str, Any], path: str) -> None:
    stage = finalizers()
    event = carried(stage, statement(stage, NodePenalized.kind, stage.cast[2].node_id), (0,))
    fields = {**event.payload, **changes}
    kept = {name: value for name, value in fields.items() if value is not None}
    with pytest.raises(Malformed) as refused:
        read(event.kind, kept)
    assert (refused.value.code, refused.value.path) == ("bad_field", path)


def test_a_penalized_finalizer_ends_no_epoch_and_creates_no_task() -> None:
    stage = finalizers(**CONTINUOUS)
    say(stage, statement(stage, NodePenalized.kind, stage.cast[2].node_id))
    at_ms = stage.state.ends_at + 1
    refused = [
        decide.end_epoch(stage.state, stage.cast[2], stage.governance, at_ms, is_ordered=True),
        decide.create_task(
            contract.sample(),
            governance=stage.governance,
            network_id=stage.network.network_id,
            key_node=stage.cast[2].node_id,
            now_ms=at_ms,
        ),
    ]
    assert [each.code for each in refused if isinstance(each, Rejection)] == ["barred", "barred"]


def test_of_two_words_with_one_number_the_revocation_stands_whichever_name_is_greater() -> None:
    stage, met = finalizers(), set[bool]()
    target, network_id = stage.task.event_id, stage.network.network_id
    for serial in range(1, 33):
        pair = [
            statement(stage, EventRevoked.kind, target, serial, state)
            for state in (REVOKED, RESTORED)
        ]
        for said in pair:
            say(stage, said)
        assert stage.governance.voids(stage.task) == "revoked"
        met.add(statement_hash(network_id, pair[0]) < statement_hash(network_id, pair[1]))
    assert met == {False, True}


def test_what_counts_already_changes_nothing_when_it_is_carried_again() -> None:
    stage = finalizers()
    said = statement(stage, EventRevoked.kind, stage.task.event_id)
    assert stage.governance.add(carried(stage, said, (0, 1))) != Changes()
    assert stage.governance.add(carried(stage, said, (0, 2), by=2)) == Changes()


def test_signatures_of_others_leave_those_of_finalizers_as_they_are() -> None:
    stage = finalizers()
    first = min(keys(60, 99), key=lambda key: key.node_id)
    assert first.node_id < min(key.node_id for key in stage.cast)
    stage.cast = (*stage.cast, first)
    said = statement(stage, EventRevoked.kind, stage.task.event_id)
    say(stage, said, 0, 1, 3)
    assert stage.governance.voids(stage.task) == "revoked"


def test_of_two_valid_signatures_of_one_finalizer_the_smaller_is_kept_in_any_order() -> None:
    key = finalizers().cast[0]
    for order in (1, -1):
        stage = finalizers()
        said = statement(stage, EventRevoked.kind, stage.task.event_id)
        signed = statement_message(stage.network.network_id, said)
        pair = sorted((key.sign(signed), signed_again(key, signed)))
        for signature in pair[::order]:
            draft = draft_statement(said, {key.node_id: signature}, START_MS)
            stage.governance.add(draft.unsigned(stage.network.network_id, key.node_id))
        (held,) = stage.governance.statements.gathered
        assert held.signers == {key.node_id: pair[0]}
