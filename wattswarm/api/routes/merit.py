"""How answers turned out: feedback, rejected repetitions, precedents, reputation."""

from typing import Final

import attrs

from wattswarm.api.operation import CURSOR, LIMIT, PREFIX, Call, Operation, Parameter
from wattswarm.api.routes.tasks import NAME_CODES, SIGNED_CODES, TASK
from wattswarm.surface.merit import (
    FeedbackGiven,
    KnowledgePage,
    ReputationPage,
    ReuseRejected,
    SimilarFound,
    TaskKnowledge,
)

SCOPE: Final = Parameter(name="scope", meaning="Only this scope.", kind=str)


@attrs.frozen(kw_only=True)
class FeedbackRequest:
    """Why an answer is bad; of which epoch, when it is not the newest that is final."""

    reason: str = ""
    epoch: int | None = None


@attrs.frozen(kw_only=True)
class ReuseRejectRequest:
    """Which candidate was rejected, when it is not the first that is not recorded."""

    candidate: str | None = None


async def _feedback(call: Call) -> object:
    body = call.body
    return await call.api.give_feedback(call.path["name"], reason=body.reason, epoch=body.epoch)


async def _reject_reuse(call: Call) -> object:
    return await call.api.reject_reuse(call.path["name"], candidate=call.body.candidate)


async def _knowledge(call: Call) -> object:
    return await call.api.knowledge(
        task_type=call.query["task_type"],
        scope=call.query["scope"],
        cursor=call.query["cursor"],
        limit=call.query["limit"],
    )


async def _reputation(call: Call) -> object:
    return await call.api.reputation(
        node=call.query["node"],
        scope=call.query["scope"],
        cursor=call.query["cursor"],
        limit=call.query["limit"],
    )


OPERATIONS: Final = (
    Operation(
        method="POST",
        path=f"{TASK}/feedback",
        name="give_feedback",
        summary="Say, as a task's settlement authority, that its answer turned out to be bad.",
        call=_feedback,
        body=FeedbackRequest,
        answer=FeedbackGiven,
        codes=(
            *NAME_CODES,
            "not_final",
            "not_authority",
            "window_closed",
            "unknown_candidate",
            *SIGNED_CODES,
        ),
    ),
    Operation(
        method="POST",
        path=f"{TASK}/reject-reuse",
        name="reject_reuse",
        summary="Record that verifiers rejected an answer that repeats an earlier decision.",
        call=_reject_reuse,
        body=ReuseRejectRequest,
        answer=ReuseRejected,
        codes=(*NAME_CODES, "not_a_reuse", "no_quorum", "would_be_ignored", *SIGNED_CODES),
    ),
    Operation(
        method="GET",
        path=f"{TASK}/knowledge",
        name="get_task_knowledge",
        summary="What a task left behind, and how that turned out.",
        call=lambda call: call.api.task_knowledge(call.path["name"]),
        answer=TaskKnowledge,
        codes=NAME_CODES,
        is_projected=True,
    ),
    Operation(
        method="GET",
        path=f"{TASK}/similar",
        name="list_similar",
        summary="What was decided before on a task's question, and on like ones.",
        call=lambda call: call.api.similar(call.path["name"]),
        answer=SimilarFound,
        codes=(*NAME_CODES, "not_decidable"),
        is_projected=True,
    ),
    Operation(
        method="GET",
        path=f"{PREFIX}/knowledge",
        name="list_knowledge",
        summary="Final decisions with what was asked, newest first.",
        call=_knowledge,
        answer=KnowledgePage,
        query=(
            Parameter(name="task_type", meaning="Only tasks of this type.", kind=str),
            SCOPE,
            CURSOR,
            LIMIT,
        ),
        is_projected=True,
    ),
    Operation(
        method="GET",
        path=f"{PREFIX}/reputation",
        name="list_reputation",
        summary="What votes on final answers came to, by scope, node, provider and model.",
        call=_reputation,
        answer=ReputationPage,
        query=(
            Parameter(name="node", meaning="Only this node, by its full id.", kind=str),
            SCOPE,
            CURSOR,
            LIMIT,
        ),
        is_projected=True,
    ),
)
