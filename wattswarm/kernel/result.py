"""The rule of verifier results: judged by their own fields, under their author's own claim."""

from collections.abc import Iterable
from typing import Final

from wattswarm.kernel.contract import Contract
from wattswarm.kernel.payloads.claim import Work
from wattswarm.kernel.payloads.result import Status, VerifierResultSubmitted
from wattswarm.kernel.policy import BUILTIN, ReasonCode
from wattswarm.kernel.records import Result
from wattswarm.kernel.rule import (
    Entry,
    Hold,
    Provided,
    Rule,
    covered,
    ignored,
    own_claim,
    under_lease,
)
from wattswarm.kernel.state import TaskState

PROTOCOL_CODES: Final = frozenset(map(int, ReasonCode))
FREE_CODES: Final = frozenset({int(ReasonCode.UNKNOWN), int(ReasonCode.CUSTOM_ERROR)})
INCONCLUSIVE_CODES: Final = frozenset(
    {
        int(ReasonCode.EVIDENCE_UNREACHABLE),
        int(ReasonCode.EVIDENCE_TIMEOUT),
        int(ReasonCode.EVIDENCE_AUTH_DENIED),
    }
)


def judge(entry: Entry[VerifierResultSubmitted], state: TaskState) -> Hold | None:
    """Return why a result has no effect, or None."""
    found = entry.payload
    claim = own_claim(found.claim, entry.event, state)
    if isinstance(claim, Hold):
        return claim
    if claim.role is not Work.VERIFY:
        return ignored("wrong_role", found.claim)
    candidate = covered(claim, found.candidate, entry.event, state)
    if isinstance(candidate, Hold):
        return candidate
    if not may_give(found.reason_codes, state.terms):
        return ignored("code_not_of_policy")
    if found.status is Status.INCONCLUSIVE and INCONCLUSIVE_CODES.isdisjoint(found.reason_codes):
        return ignored("inconclusive_without_reason")
    return under_lease(claim, entry.event, state)


def may_give(reason_codes: Iterable[int], contract: Contract) -> bool:
    """Tell whether a result may carry these codes: the policy's own, 0, 999, and those of nobody.

    Of a policy that this version of the rules does not know, only the protocol's codes are known.
    """
    policy = BUILTIN.get(contract.policy.id)
    own = PROTOCOL_CODES if policy is None else frozenset(map(int, policy.reason_codes))
    return all(
        code in own or code in FREE_CODES or code not in PROTOCOL_CODES for code in reason_codes
    )


def apply(entry: Entry[VerifierResultSubmitted], state: TaskState) -> Provided:
    """Write the result; it belongs to the attempt of its claim, not to that of the candidate."""
    event, found = entry.event, entry.payload
    claim = state.claims[found.claim]
    state.results[event.event_id] = Result(
        event_id=event.event_id,
        author=event.author,
        created_at=event.created_at,
        label=claim.label,
        attempt=claim.attempt,
        claim=found.claim,
        executor=claim.executor,
        candidate=found.candidate,
        status=found.status,
        score_bp=found.score_bp,
        reason_codes=found.reason_codes,
        provider=found.provider,
        model=found.model,
    )
    return ()


RULES = (Rule(VerifierResultSubmitted.kind, "whoever made the claim, as a verifier", judge, apply),)
