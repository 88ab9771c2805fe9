"""Taking, keeping and giving back a place."""

from wattswarm.kernel.allocation import Allocation, PlaceState, allocation
from wattswarm.kernel.budget import usage
from wattswarm.kernel.claim import ROLE_OF
from wattswarm.kernel.contract import Independence
from wattswarm.kernel.decide.gate import (
    Signings,
    date,
    draft,
    effective,
    held_claim,
    not_to_be_finished,
    not_workable,
    refuse,
)
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.limits import SKEW_TOLERANCE_MS
from wattswarm.kernel.lock import Signing
from wattswarm.kernel.payloads import (
    Status,
    TaskClaimed,
    TaskClaimReleased,
    TaskClaimRenewed,
    Work,
)
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.version import Role
from wattswarm.kernel.views import run_at


def claim(
    state: TaskState,
    me: NodeId,
    role: Work,
    executor: str,
    now_ms: int,
    *,
    attempt: int | None = None,
) -> Signings | Rejection:
    """Return the claim of a place for one of this node's executors; by default of now's attempt."""
    number = state.attempt if attempt is None else attempt
    refusal = not_workable(state, now_ms) or no_claim(state, me, role, executor, now_ms, number)
    if refusal is not None:
        return refusal
    date_ms = date(state, me, now_ms)
    end_ms = min(date_ms + state.terms.lease_ms, state.ends_at)
    payload = TaskClaimed(
        role=role, attempt=number, executor=executor, lease_until=end_ms, pin=state.here.pin
    )
    return effective(state, [Signing(draft(state, payload, me, now_ms))], me)


def no_claim(
    state: TaskState, me: NodeId, role: Work, executor: str, now_ms: int, attempt: int
) -> Rejection | None:
    """Return why an honest node does not claim this place of an open task now, or None."""
    if not state.governing.holds(me, ROLE_OF[role]):
        return refuse("missing_role", f"to {role.value} takes a {ROLE_OF[role].value}")
    if attempt > state.attempt or run_at(state, attempt) > now_ms:
        return refuse("attempt_not_open", f"attempt {attempt}", run_at=run_at(state, attempt))
    view = allocation(state, now_ms, attempt, is_wanted=True)
    refusal = _no_units(state, view, role)
    if refusal is None and role is Work.PROPOSE:
        refusal = _no_proposal(state, me, view)
    return refusal or _no_place(view, me, role, executor)


def _no_units(state: TaskState, view: Allocation, role: Work) -> Rejection | None:
    spent, terms = usage(state, view), state.terms
    if spent.steps >= terms.max_steps:
        return refuse("budget_spent", f"{terms.max_steps} steps")
    if role is Work.PROPOSE and spent.explore >= terms.stage_units.explore:
        return refuse("budget_spent", f"{terms.stage_units.explore} units to explore")
    if role is Work.VERIFY and spent.verify >= terms.stage_units.verify:
        return refuse("budget_spent", f"{terms.stage_units.verify} units to verify")
    return None


def _no_place(view: Allocation, me: NodeId, role: Work, executor: str) -> Rejection | None:
    held = view.place(role, me, executor)
    if held is not None:
        if held.state in (PlaceState.WORKING, PlaceState.WAITING):
            return refuse("place_held", claim=held.claim.event_id.hex())
        if held.state is PlaceState.LAPSED and not held.has_work:
            return refuse("place_spent", f"{executor} in attempt {held.attempt}")
    return None if view.free[role] > 0 else refuse("no_place", role.value)


def _no_proposal(state: TaskState, me: NodeId, view: Allocation) -> Rejection | None:
    if is_needed_as_verifier(state, me):
        return refuse("only_verifier")
    return refuse("early_stop") if has_enough_candidates(state, view) else None


def is_needed_as_verifier(state: TaskState, me: NodeId) -> bool:
    """Tell whether `me` is the only one who could verify what others propose, and they can."""
    pin = state.governing
    if state.terms.independence is not Independence.NODE or Role.VERIFIER in pin.open_roles:
        return False
    others = pin.holders(Role.PROPOSER) - {me}
    return pin.holders(Role.VERIFIER) == frozenset({me}) and bool(others)


def has_enough_candidates(state: TaskState, view: Allocation) -> bool:
    """Tell whether exploring stops early in an attempt.

    It does with `topk` candidates of which one passed, and when as many candidates as the
    contract's rounds brought no evidence that others did not have.
    """
    here = view.coverage.candidates
    passed = any(
        result.candidate in here and result.status is Status.PASSED
        for result in state.results.values()
    )
    digests = set[str]().union(*(each.digests for each in here.values()))
    is_exhausted = len(here) >= len(digests) + state.terms.no_new_evidence_rounds
    return is_exhausted or (passed and len(here) >= state.terms.topk)


def renew(state: TaskState, claim_id: EventId, now_ms: int) -> Signings | Rejection:
    """Return a renewal that reaches a whole lease from now, as far as the contract allows."""
    held = held_claim(state, claim_id)
    if isinstance(held, Rejection):
        return held
    refusal = not_to_be_finished(state, now_ms)
    if refusal is not None:
        return refusal
    lease = state.leases[claim_id]
    if now_ms > lease.end + SKEW_TOLERANCE_MS:
        return refuse(
            "lease_not_held", f"it ended {now_ms - lease.end} ms ago", lease_end=lease.end
        )
    last_ms = lease_limit(state, claim_id)
    if lease.end >= last_ms:
        return refuse("lease_at_limit", f"{state.terms.time_ms} ms in all", lease_end=lease.end)
    named = state.renewals.get(lease.leaf)
    after_ms = held.created_at if named is None else named.created_at
    end_ms = date(state, held.author, now_ms, after_ms) + state.terms.lease_ms
    payload = TaskClaimRenewed(
        claim=claim_id, previous=lease.leaf, lease_until=min(end_ms, last_ms)
    )
    made = draft(state, payload, held.author, now_ms, after_ms, epoch=held.label.epoch)
    return effective(state, [Signing(made)], held.author)


def lease_limit(state: TaskState, claim_id: EventId) -> int:
    """Return the date that no renewal of a claim reaches beyond, in ms."""
    held = state.claims[claim_id]
    return min(held.created_at + state.terms.time_ms, state.expires_at(held.label.epoch))


def release(
    state: TaskState, claim_id: EventId, now_ms: int, *, reason: str | None = None
) -> Signings | Rejection:
    """Return the release of a claim: its place is free, and what was done under it stands."""
    held = held_claim(state, claim_id)
    if isinstance(held, Rejection):
        return held
    refusal = not_to_be_finished(state, now_ms)
    if refusal is not None:
        return refusal
    payload = TaskClaimReleased(claim=claim_id, reason=reason)
    made = draft(state, payload, held.author, now_ms, held.created_at, epoch=held.label.epoch)
    return effective(state, [Signing(made)], held.author)
