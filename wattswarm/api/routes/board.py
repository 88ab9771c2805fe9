"""What is said about tasks and logs beside them: announcements, execution sets, checkpoints."""

from typing import Final

from wattswarm.api.operation import CURSOR, LIMIT, PREFIX, Call, Operation, Parameter
from wattswarm.api.routes.log import LOG
from wattswarm.api.routes.tasks import NAME_CODES, TASK
from wattswarm.api.routes.topics import FEED, SAYING_CODES, SCOPE
from wattswarm.surface.board import (
    AnnouncementOrder,
    AnnouncementPage,
    CheckpointOrder,
    CheckpointPage,
    ExecutionSets,
    IntentOrder,
    SetOrder,
    Uttered,
)

CODES: Final = (*NAME_CODES, *SAYING_CODES)


async def _announcements(call: Call) -> object:
    return await call.api.announcements_of_tasks(
        feed_key=call.query["feed_key"],
        scope=call.query["scope"],
        task=call.query["task"],
        cursor=call.query["cursor"],
        limit=call.query["limit"],
    )


OPERATIONS: Final = (
    Operation(
        method="GET",
        path=f"{PREFIX}/announcements",
        name="list_announcements",
        summary="Tasks that were announced, newest first.",
        call=_announcements,
        answer=AnnouncementPage,
        query=(
            FEED,
            SCOPE,
            Parameter(name="task", meaning="Only of this task.", kind=str),
            CURSOR,
            LIMIT,
        ),
        codes=NAME_CODES,
        is_projected=True,
    ),
    Operation(
        method="POST",
        path=f"{TASK}/announcements",
        name="announce_task",
        summary="Announce a task on a feed; the same key again is a revision.",
        call=lambda call: call.api.announce_task(call.path["name"], call.body),
        body=AnnouncementOrder,
        answer=Uttered,
        codes=CODES,
    ),
    Operation(
        method="GET",
        path=f"{TASK}/execution-sets",
        name="list_execution_sets",
        summary="Who means to work on a task together, and who was confirmed.",
        call=lambda call: call.api.execution_sets(call.path["name"]),
        answer=ExecutionSets,
        codes=NAME_CODES,
        is_projected=True,
    ),
    Operation(
        method="POST",
        path=f"{TASK}/execution-intents",
        name="declare_intent",
        summary="Say what this node means to do in an execution set.",
        call=lambda call: call.api.declare_intent(call.path["name"], call.body),
        body=IntentOrder,
        answer=Uttered,
        codes=CODES,
    ),
    Operation(
        method="POST",
        path=f"{TASK}/execution-sets",
        name="confirm_set",
        summary="Say whom this node holds for the members of an execution set.",
        call=lambda call: call.api.confirm_set(call.path["name"], call.body),
        body=SetOrder,
        answer=Uttered,
        codes=CODES,
    ),
    Operation(
        method="GET",
        path=f"{LOG}/checkpoints",
        name="list_checkpoints",
        summary="Checkpoints, newest first.",
        call=lambda call: call.api.checkpoints(
            cursor=call.query["cursor"], limit=call.query["limit"]
        ),
        answer=CheckpointPage,
        query=(CURSOR, LIMIT),
        is_projected=True,
    ),
    Operation(
        method="POST",
        path=f"{LOG}/checkpoints",
        name="create_checkpoint",
        summary="Sign where this log ends, and the root of each of its lanes.",
        call=lambda call: call.api.checkpoint(call.body),
        body=CheckpointOrder,
        answer=Uttered,
        status=201,
        codes=("not_found", *SAYING_CODES),
    ),
)
