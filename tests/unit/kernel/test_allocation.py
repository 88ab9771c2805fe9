"""Who holds which place: a view that takes nothing away from work."""

from tests.laws.world import START_MS
from tests.support.scene import CONTINUOUS, LEASE_MS, Scene, ref, scene
from wattswarm.kernel import payloads
from wattswarm.kernel.allocation import PlaceState, allocation, found_wanting
from wattswarm.kernel.budget import Usage, usage
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import Status, Work
from wattswarm.kernel.records import Label
from wattswarm.kernel.verdict import Effective

AT = START_MS + 1_000


def states(stage: Scene, role: Work, at_ms: int | None = None) -> list[PlaceState]:
    """Return what has become of the places of a role, oldest claim first."""
    view = allocation(stage.state, stage.now_ms if at_ms is None else at_ms)
    return [place.state for place in view.of(role)]


def free(stage: Scene, role: Work, at_ms: int | None = None) -> int:
    """Return how many places of a role are free."""
    return allocation(stage.state, stage.now_ms if at_ms is None else at_ms).free[role]


def report(stage: Scene, claim: EventId, by: int = 0) -> None:
    """Report a failure."""
    stage.say(payloads.TaskError(claim=claim, reason="other", reason_codes=(0,), message="m"), by)


def test_older_claims_have_the_places_and_others_wait() -> None:
    stage = scene(max_proposers=1)
    first = stage.claim(Work.PROPOSE, 0, at_ms=AT)
    stage.claim(Work.PROPOSE, 1, at_ms=AT + 1)
    assert states(stage, Work.PROPOSE) == [PlaceState.WORKING, PlaceState.WAITING]
    assert free(stage, Work.PROPOSE) == 0
    stage.propose(first)
    assert states(stage, Work.PROPOSE) == [PlaceState.DONE, PlaceState.WAITING]


def test_surplus_work_takes_effect_all_the_same() -> None:
    stage = scene(max_proposers=1)
    stage.propose(stage.claim(Work.PROPOSE, 0), 0)
    surplus = stage.propose(stage.claim(Work.PROPOSE, 1), 1)
    assert stage.verdict(surplus) == Effective()
    paid = [place.is_paid for place in allocation(stage.state, stage.now_ms).of(Work.PROPOSE)]
    assert paid == [True, False]


def test_a_release_frees_the_place() -> None:
    stage = scene(max_proposers=1)
    claim = stage.claim(Work.PROPOSE)
    stage.say(payloads.TaskClaimReleased(claim=claim))
    assert states(stage, Work.PROPOSE) == [PlaceState.RELEASED]
    assert free(stage, Work.PROPOSE) == 1


def test_an_error_ends_a_place_and_frees_it() -> None:
    stage = scene(max_proposers=1)
    report(stage, stage.claim(Work.PROPOSE))
    assert states(stage, Work.PROPOSE) == [PlaceState.FAILED]
    assert free(stage, Work.PROPOSE) == 1


def test_a_lease_that_ran_out_frees_the_place() -> None:
    stage = scene(max_proposers=1)
    stage.claim(Work.PROPOSE, at_ms=AT)
    assert states(stage, Work.PROPOSE, AT + LEASE_MS) == [PlaceState.WORKING]
    assert states(stage, Work.PROPOSE, AT + LEASE_MS + 1) == [PlaceState.LAPSED]
    assert free(stage, Work.PROPOSE, AT + LEASE_MS + 1) == 1


def test_a_holder_without_progress_gives_way_when_somebody_waits() -> None:
    stage = scene(max_proposers=1)
    claim = previous = stage.claim(Work.PROPOSE, 0, at_ms=AT)
    for step in range(1, 4):
        previous = stage.renew(claim, previous, at_ms=AT + step * 9_000)
    later = AT + 2 * LEASE_MS + 1
    assert states(stage, Work.PROPOSE, later) == [PlaceState.WORKING]
    assert allocation(stage.state, later, is_wanted=True).free[Work.PROPOSE] == 1
    stage.claim(Work.PROPOSE, 1, at_ms=later)
    assert states(stage, Work.PROPOSE, later) == [PlaceState.LAPSED, PlaceState.WORKING]


def test_concurrency_bounds_those_at_work_and_not_those_who_have_finished() -> None:
    stage = scene(max_proposers=3, max_concurrency={"propose": 1, "verify": 1})
    first = stage.claim(Work.PROPOSE, 0)
    assert free(stage, Work.PROPOSE) == 0
    stage.propose(first)
    assert free(stage, Work.PROPOSE) == 1


def test_executors_of_one_node_hold_places_of_their_own() -> None:
    stage = scene(max_proposers=2, max_concurrency={"propose": 2, "verify": 2})
    stage.claim(Work.PROPOSE, 0, executor="x")
    stage.claim(Work.PROPOSE, 0, executor="y")
    stage.claim(Work.PROPOSE, 0, executor="x")
    assert states(stage, Work.PROPOSE) == [PlaceState.WORKING] * 2


def test_a_verifier_is_done_when_it_owes_no_candidate() -> None:
    stage = scene(max_proposers=2)
    claim = stage.claim(Work.VERIFY, 1)
    assert states(stage, Work.VERIFY) == [PlaceState.WORKING]
    first = stage.propose(stage.claim(Work.PROPOSE, 0), 0)
    stage.find(claim, first, 1)
    assert states(stage, Work.VERIFY) == [PlaceState.DONE]
    second = stage.propose(stage.claim(Work.PROPOSE, 2), 2)
    assert states(stage, Work.VERIFY) == [PlaceState.WORKING]
    stage.find(claim, second, 1)
    assert states(stage, Work.VERIFY) == [PlaceState.DONE]


def test_a_verifier_owes_nothing_for_candidates_it_depends_on() -> None:
    stage = scene(independence="node", max_proposers=2)
    stage.propose(stage.claim(Work.PROPOSE, 1), 1)
    claim = stage.claim(Work.VERIFY, 1)
    candidate = stage.propose(stage.claim(Work.PROPOSE, 0), 0)
    (place,) = allocation(stage.state, stage.now_ms).of(Work.VERIFY)
    assert place.owes == 1
    stage.find(claim, candidate, 1)
    assert states(stage, Work.VERIFY) == [PlaceState.DONE]


def test_candidates_found_wanting_are_not_verified_anew() -> None:
    stage = scene()
    good = stage.propose(stage.claim(Work.PROPOSE, 0), 0)
    bad = stage.propose(stage.claim(Work.PROPOSE, 1), 1)
    claim = stage.claim(Work.VERIFY, 2)
    stage.find(claim, good, 2)
    stage.find(claim, bad, 2, status=Status.FAILED)
    assert found_wanting(stage.state) == {bad}
    stage.retry(1)
    stage.claim(Work.VERIFY, 2, attempt=2)
    (place,) = allocation(stage.state, stage.now_ms).of(Work.VERIFY)
    assert (place.attempt, place.owes) == (2, 1)


def test_one_verifier_outweighs_nobody_by_saying_a_thing_again() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE, 0), 0)
    for by in (0, 1):
        stage.find(stage.claim(Work.VERIFY, by), candidate, by)
    claim = stage.claim(Work.VERIFY, 2)
    for _ in range(5):
        stage.find(claim, candidate, 2, status=Status.FAILED)
    assert found_wanting(stage.state) == frozenset()


def test_with_an_allocating_creator_claims_wait_for_approval() -> None:
    stage = scene(allocator="creator")
    claim = stage.claim(Work.PROPOSE, 1)
    assert states(stage, Work.PROPOSE) == [PlaceState.WAITING]
    assert free(stage, Work.PROPOSE) == 1
    stage.say(payloads.TaskClaimDecided(claim=claim, approved=True))
    assert states(stage, Work.PROPOSE) == [PlaceState.WORKING]


def test_only_the_first_candidate_from_each_place_is_to_be_verified() -> None:
    stage = scene(max_proposers=1)
    claim = stage.claim(Work.PROPOSE, 0)
    first = stage.propose(claim, 0)
    stage.propose(claim, 0)
    stage.propose(stage.claim(Work.PROPOSE, 1), 1)
    coverage = allocation(stage.state, stage.now_ms).coverage
    assert coverage.owed(stage.cast[2].node_id, "x") == (first,)


def test_surplus_work_spends_nothing() -> None:
    stage = scene(max_proposers=1, max_verifiers=1)
    candidate = stage.propose(stage.claim(Work.PROPOSE, 0), 0, evidence=[ref()])
    verifying = stage.claim(Work.VERIFY, 0)
    held = stage.confirm(verifying, candidate, ref().digest, 0)
    vote = stage.vote(stage.find(verifying, candidate, 0), 0)
    before = usage(stage.state, allocation(stage.state, stage.now_ms))
    assert before == Usage(steps=2, explore=1, verify=3, finalize=0)
    assert before.cost_units == 4
    for index in range(20):
        surplus = stage.propose(stage.claim(Work.PROPOSE, 1, executor=f"e{index}"), 1)
        stage.find(stage.claim(Work.VERIFY, 1, executor=f"e{index}"), surplus, 1)
    stage.decide(candidate, [vote], [held])
    after = usage(stage.state, allocation(stage.state, stage.now_ms))
    assert after == Usage(steps=2, explore=1, verify=3, finalize=1)


def test_places_of_an_earlier_epoch_are_none_in_a_later_one() -> None:
    stage = scene(**CONTINUOUS)
    stage.claim(Work.PROPOSE)
    assert len(allocation(stage.state, stage.now_ms).places) == 1
    stage.end_epoch(signers=[0, 1, 2])
    stage.entered = Label(2, stage.network.genesis.id)
    claim = stage.claim(Work.PROPOSE)
    (place,) = allocation(stage.state, stage.now_ms).places
    assert place.claim.event_id == claim
