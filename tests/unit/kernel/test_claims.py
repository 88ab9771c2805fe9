"""Claims, leases, renewals, approvals: whose work counts, and until when."""

from tests.laws.world import START_MS
from tests.support.scene import LEASE_MS, scene
from wattswarm.kernel import payloads
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.verdict import Effective, Ignored, Need, On, Waiting

AT = START_MS + 1_000
LATE_MS = 3_000


def test_work_counts_until_three_seconds_after_the_lease() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE, at_ms=AT)
    in_time = stage.propose(claim, at_ms=AT + LEASE_MS + LATE_MS)
    too_late = stage.propose(claim, at_ms=AT + LEASE_MS + LATE_MS + 1)
    assert stage.verdict(in_time) == Effective()
    assert stage.verdict(too_late) == Ignored("lease_over", claim)


def test_a_lease_is_no_longer_than_the_contract_allows() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE, at_ms=AT, lease_ms=10 * LEASE_MS)
    assert stage.state.leases[claim].end == AT + LEASE_MS


def test_a_shorter_lease_is_taken_at_its_word() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE, at_ms=AT, lease_ms=100)
    assert stage.state.leases[claim].end == AT + 100


def test_a_renewal_that_arrives_late_brings_late_work_back() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE, at_ms=AT)
    work = stage.propose(claim, at_ms=AT + LEASE_MS + 9_000)
    assert stage.verdict(work) == Ignored("lease_over", claim)
    stage.renew(claim, claim, at_ms=AT + LEASE_MS)
    assert stage.verdict(work) == Effective()


def test_a_renewal_begins_where_its_predecessor_still_held() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE, at_ms=AT)
    late = stage.renew(claim, claim, at_ms=AT + LEASE_MS + LATE_MS + 1)
    assert stage.verdict(late) == Ignored("lease_over", claim)
    in_time = stage.renew(claim, claim, at_ms=AT + LEASE_MS + LATE_MS)
    assert stage.verdict(in_time) == Effective()


def test_renewals_end_with_the_time_of_the_contract() -> None:
    stage = scene()
    claim = previous = stage.claim(Work.PROPOSE, at_ms=AT)
    for step in range(1, 8):
        previous = stage.renew(claim, previous, at_ms=AT + step * 9_000)
    state = stage.state
    assert state.leases[claim].end == AT + state.terms.time_ms
    assert state.leases[claim].renewals == 7


def test_only_the_author_renews_releases_and_works_under_a_claim() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE, by=0)
    renewal = stage.renew(claim, claim, by=1)
    release = stage.say(payloads.TaskClaimReleased(claim=claim), by=1)
    work = stage.propose(claim, by=1)
    for name in (renewal, release, work):
        assert stage.verdict(name) == Ignored("not_own_claim", claim)


def test_a_renewal_of_another_claim_is_no_predecessor() -> None:
    stage = scene()
    mine, other = stage.claim(Work.PROPOSE), stage.claim(Work.PROPOSE, executor="y")
    foreign = stage.renew(other, other)
    assert stage.verdict(stage.renew(mine, foreign)) == Ignored("not_own_claim", foreign)


def test_verify_claims_do_not_cover_proposals() -> None:
    stage = scene()
    claim = stage.claim(Work.VERIFY)
    assert stage.verdict(stage.propose(claim)) == Ignored("wrong_role", claim)


def test_release_voids_nothing() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE)
    stage.say(payloads.TaskClaimReleased(claim=claim, reason="done"))
    assert stage.verdict(stage.propose(claim)) == Effective()
    assert stage.state.released[claim] == stage.said[1].created_at


def test_a_claim_needs_its_role_and_the_pin_of_its_epoch() -> None:
    stage = scene()
    outsider = payloads.TaskClaimed(
        role=Work.PROPOSE, attempt=1, executor="x", lease_until=AT + 9, pin=stage.pin
    )
    stage.cast = [*stage.cast, type(stage.cast[0]).from_seed(bytes(32))]
    assert stage.verdict(stage.say(outsider, by=3)) == Ignored("missing_role")
    other = payloads.TaskClaimed(
        role=Work.PROPOSE,
        attempt=1,
        executor="x",
        lease_until=AT + 9,
        pin=type(stage.pin)(bytes(32)),
    )
    assert stage.verdict(stage.say(other)) == Ignored("wrong_pin")


def test_with_allocation_by_the_creator_work_waits_for_its_approval() -> None:
    stage = scene(allocator="creator")
    claim = stage.claim(Work.PROPOSE, by=1)
    work = stage.propose(claim, by=1)
    assert stage.verdict(work) == Waiting((Need(On.APPROVAL, claim),))
    disapproval = payloads.TaskClaimDecided(claim=claim, approved=False)
    stage.say(disapproval)
    assert stage.verdict(work) == Waiting((Need(On.APPROVAL, claim),))
    usurper = stage.say(payloads.TaskClaimDecided(claim=claim, approved=True), by=2)
    assert stage.verdict(usurper) == Ignored("not_creator")
    stage.say(payloads.TaskClaimDecided(claim=claim, approved=True))
    assert stage.verdict(work) == Effective()
    stage.say(disapproval)
    assert stage.verdict(work) == Effective(), "an approval is not taken back"


def test_attempts_open_one_after_the_other_up_to_the_contracts_number() -> None:
    stage = scene(max_attempts=2)
    claim = stage.claim(Work.PROPOSE, attempt=2)
    assert stage.verdict(claim) == Waiting((Need(On.ATTEMPT, stage.pin, 1, 2),))
    assert stage.verdict(stage.claim(Work.PROPOSE, attempt=3)) == Ignored("no_such_attempt")
    assert stage.verdict(stage.retry(2)) == Ignored("no_such_attempt")
    stage.retry(1)
    assert stage.verdict(claim) == Effective()
    assert stage.state.attempt == 2


def test_a_retry_of_an_attempt_that_is_not_open_waits_for_it() -> None:
    stage = scene(max_attempts=3)
    later = stage.retry(2)
    assert stage.verdict(later) == Waiting((Need(On.ATTEMPT, stage.pin, 1, 2),))
    stage.retry(1)
    assert stage.state.attempt == 3


def test_an_error_needs_its_own_claim_and_no_lease() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE, at_ms=AT)
    failed = payloads.TaskError(
        claim=claim, reason="timeout", reason_codes=(300,), message="too slow"
    )
    assert stage.verdict(stage.say(failed, by=1)) == Ignored("not_own_claim", claim)
    assert stage.verdict(stage.say(failed, at_ms=AT + 10 * LEASE_MS)) == Effective()
