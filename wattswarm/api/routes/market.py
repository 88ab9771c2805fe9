"""What a task's creator says about claims, candidates and payment."""

from typing import Any, Final

import attrs

from wattswarm.api.operation import Call, Operation
from wattswarm.api.routes.tasks import NAME_CODES, SIGNED_CODES, TASK
from wattswarm.surface.task import CreatorSaid

CLAIM: Final = f"{TASK}/claims/{{claim}}"
CANDIDATE: Final = f"{TASK}/candidates/{{candidate}}"
CODES: Final = (*NAME_CODES, "task_not_open", "not_creator", "already_approved", *SIGNED_CODES)


@attrs.frozen(kw_only=True)
class WordRequest:
    """Why; the reason stands in the log."""

    reason: str | None = None


@attrs.frozen(kw_only=True)
class RejectRequest:
    """Why, and whether another answer is asked for."""

    reason: str | None = None
    retry: bool = False


@attrs.frozen(kw_only=True)
class SettleRequest:
    """A receipt: anything that JSON can hold, up to 4 096 bytes."""

    receipt: Any = None


async def _approve(call: Call) -> object:
    return await _decide_claim(call, is_approved=True)


async def _decline(call: Call) -> object:
    return await _decide_claim(call, is_approved=False)


async def _decide_claim(call: Call, *, is_approved: bool) -> object:
    task, claim = call.path["name"], call.path["claim"]
    return await call.api.decide_claim(
        task, claim, is_approved=is_approved, reason=call.body.reason
    )


async def _accept(call: Call) -> object:
    return await call.api.decide_completion(
        call.path["name"],
        call.path["candidate"],
        is_approved=True,
        is_retry_requested=False,
        reason=call.body.reason,
    )


async def _reject(call: Call) -> object:
    return await call.api.decide_completion(
        call.path["name"],
        call.path["candidate"],
        is_approved=False,
        is_retry_requested=call.body.retry,
        reason=call.body.reason,
    )


async def _settle(call: Call) -> object:
    task, claim = call.path["name"], call.path["claim"]
    return await call.api.settle_claim(task, claim, receipt=call.body.receipt)


OPERATIONS: Final = (
    Operation(
        method="POST",
        path=f"{CLAIM}/approve",
        name="approve_claim",
        summary="As the creator, let a claim be worked under.",
        call=_approve,
        body=WordRequest,
        answer=CreatorSaid,
        codes=CODES,
    ),
    Operation(
        method="POST",
        path=f"{CLAIM}/decline",
        name="decline_claim",
        summary="As the creator, tell a claimant to give its claim up.",
        call=_decline,
        body=WordRequest,
        answer=CreatorSaid,
        codes=CODES,
    ),
    Operation(
        method="POST",
        path=f"{CANDIDATE}/accept",
        name="accept_candidate",
        summary="As the creator, take a candidate as what was asked for.",
        call=_accept,
        body=WordRequest,
        answer=CreatorSaid,
        codes=CODES,
    ),
    Operation(
        method="POST",
        path=f"{CANDIDATE}/reject",
        name="reject_candidate",
        summary="As the creator, do not take a candidate, and perhaps ask for another.",
        call=_reject,
        body=RejectRequest,
        answer=CreatorSaid,
        codes=CODES,
    ),
    Operation(
        method="POST",
        path=f"{CLAIM}/settle",
        name="settle_claim",
        summary="As the creator, say that the work under a claim is paid.",
        call=_settle,
        body=SettleRequest,
        answer=CreatorSaid,
        codes=(*NAME_CODES, "task_not_open", "not_creator", "already_settled", *SIGNED_CODES),
    ),
)
