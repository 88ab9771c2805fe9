"""Views of a task at a moment."""

import json
from functools import partial

import attrs

from tests.laws.world import START_MS
from tests.support.scene import local_scene, ref, scene
from wattswarm.kernel.codes import WORDS
from wattswarm.kernel.execution import execution_id, seed_id
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.lock import epoch_key, governance_lock, vote_key
from wattswarm.kernel.payloads import Ballot, Status, Work
from wattswarm.kernel.records import Subject
from wattswarm.kernel.state import VIEWS_MAX
from wattswarm.kernel.task import derive
from wattswarm.kernel.views import (
    best_subject,
    median_score_bp,
    next_expiry,
    run_at,
    state_word,
    summary,
    vote_equivocations,
    workable,
)


def test_a_task_is_open_until_it_expires_and_final_for_ever() -> None:
    stage = scene(3, threshold=2)
    state = stage.state
    expiry = state.terms.expires_at
    assert (state_word(state, expiry), next_expiry(state, expiry)) == ("open", expiry)
    assert (state_word(state, expiry + 1), next_expiry(state, expiry + 1)) == ("expired", None)
    stage.seal(EventId(bytes(32)), EventId(bytes(32)), [0, 2])
    assert state_word(stage.state, expiry + 1) == "final"
    assert not workable(stage.state, START_MS)


def test_a_task_whose_creation_or_governance_is_missing_is_pending() -> None:
    stage = scene()
    stage.claim(Work.PROPOSE)
    missing = derive(stage.task.event_id, stage.said, stage.governance)
    assert state_word(missing, START_MS) == "pending"
    unknown = derive(stage.task.event_id, [stage.task], Governance(stage.network.network_id))
    assert state_word(unknown, START_MS) == "pending"
    assert not workable(unknown, START_MS)


def test_every_word_is_explained() -> None:
    assert {"open", "final", "expired", "pending", "void", "unsupported"} <= WORDS.keys()


def test_the_summary_is_json() -> None:
    stage = local_scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE), evidence=[ref()])
    stage.vote(stage.find(stage.claim(Work.VERIFY), candidate))
    told = json.loads(json.dumps(summary(stage.state, stage.now_ms)))
    assert told["state"] == "open"
    assert [each["approvals"] for each in told["candidates"]] == [1]
    assert {each["role"] for each in told["places"]} == {"propose", "verify"}
    assert told["usage"]["steps"] == 2
    unborn = derive(stage.task.event_id, [], stage.governance)
    assert json.dumps(summary(unborn, 0))


def test_the_median_of_scores_is_rounded_down() -> None:
    stage = scene(max_verifiers=9)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    assert median_score_bp(stage.state, candidate) is None
    claim = stage.claim(Work.VERIFY, 1)
    for score, expected in ((10, 10), (21, 15), (9_000, 21)):
        stage.find(claim, candidate, 1, score_bp=score)
        assert median_score_bp(stage.state, candidate) == expected


def test_the_best_attempt_of_a_candidate_is_the_one_with_most_approvals() -> None:
    stage = scene(max_verifiers=9)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    stage.vote(stage.find(stage.claim(Work.VERIFY, 1), candidate, 1), 1)
    stage.retry(1)
    assert best_subject(stage.state, stage.label, candidate) == Subject(stage.label, 1, candidate)
    claim = stage.claim(Work.VERIFY, 2, attempt=2)
    stage.vote(stage.find(claim, candidate, 2), 2)
    assert best_subject(stage.state, stage.label, candidate) == Subject(stage.label, 2, candidate)


def test_an_attempt_is_worked_on_from_the_earliest_date_that_a_retry_says() -> None:
    stage = scene()
    assert run_at(stage.state, 1) == 0
    stage.retry(1, run_at=START_MS + 9_000)
    stage.retry(1, by=1, run_at=START_MS + 5_000)
    assert run_at(stage.state, 2) == START_MS + 5_000
    stage.claim(Work.PROPOSE, attempt=2, at_ms=START_MS + 4_999)
    assert run_at(stage.state, 2) == START_MS + 5_000
    stage.claim(Work.PROPOSE, attempt=2, at_ms=START_MS + 5_000)
    assert run_at(stage.state, 2) == 0, "somebody's clock says that it is time"


def test_a_run_is_named_by_its_place_and_by_the_candidate_when_verifying() -> None:
    stage = scene()
    first = stage.claim(Work.VERIFY, executor="x")
    again = stage.claim(Work.VERIFY, executor="x")
    other = stage.claim(Work.VERIFY, executor="y")
    claims, task_id = stage.state.claims, stage.task.event_id
    one, two = EventId(b"1" * 32), EventId(b"2" * 32)
    assert execution_id(task_id, claims[first], one) == execution_id(task_id, claims[again], one)
    later = attrs.evolve(claims[first], attempt=2)
    names = {
        execution_id(task_id, claims[first], one),
        execution_id(task_id, claims[first], two),
        execution_id(task_id, claims[first]),
        execution_id(task_id, claims[other], one),
        execution_id(task_id, later, one),
        execution_id(one, claims[first], one),
    }
    assert len(names) == 6
    assert all(len(name) == 64 for name in names)


def test_keys_of_locks_tell_their_subjects_apart() -> None:
    stage = scene()
    task_id, pin, name = stage.task.event_id, stage.pin, EventId(b"c" * 32)
    keys = {
        epoch_key(task_id, 1, pin),
        epoch_key(task_id, 2, pin),
        vote_key(task_id, 1, pin, 1, name),
        vote_key(task_id, 1, pin, 2, name),
        vote_key(task_id, 1, pin, 1, task_id),
    }
    assert len(keys) == 5
    assert governance_lock(pin, pin).key == pin


def test_what_an_executor_is_told_is_kept_under_a_name_of_its_own_for_each_run() -> None:
    stage = scene()
    stage.claim(Work.PROPOSE)
    (claim,) = stage.state.claims.values()
    run = execution_id(stage.task.event_id, claim)
    name = seed_id(bytes.fromhex(run))
    assert name == seed_id(bytes.fromhex(run))
    assert name.hex() != run
    other = execution_id(stage.task.event_id, claim, EventId(bytes(32)))
    assert seed_id(bytes.fromhex(other)) != name


def test_a_state_remembers_what_was_made_of_it_and_never_too_much() -> None:
    state = scene().state
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return number

    for number in [*range(VIEWS_MAX), 0]:
        assert state.view(("own", number), partial(make, number)) == number
    assert made == list(range(VIEWS_MAX)), "what is remembered is not made again"
    assert state.view(("own", VIEWS_MAX), lambda: make(VIEWS_MAX)) == VIEWS_MAX
    assert state.view(("own", 0), lambda: make(-1)) == -1, "all was forgotten at once"


def test_a_median_is_of_what_lies_in_the_middle() -> None:
    stage = scene(max_verifiers=4)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    for by, (score, wanted) in enumerate([(9_000, 9_000), (1_000, 5_000), (2_001, 2_001)]):
        stage.find(stage.claim(Work.VERIFY, by), candidate, by, score_bp=score)
        assert median_score_bp(stage.state, candidate) == wanted


def test_two_plain_votes_on_one_subject_are_reported() -> None:
    stage = scene(max_verifiers=4)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    claim = stage.claim(Work.VERIFY, 1)
    votes = [
        stage.vote(stage.find(claim, candidate, 1, status=status), 1, ballot)
        for status, ballot in ((Status.PASSED, Ballot.APPROVE), (Status.FAILED, Ballot.REJECT))
    ]
    (found,) = vote_equivocations(stage.state)
    assert (found.voter, found.names) == (stage.cast[1].node_id, tuple(sorted(votes)))
    assert found.subject == Subject(stage.label, 1, candidate)
