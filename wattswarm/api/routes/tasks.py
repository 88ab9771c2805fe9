"""Tasks and their decisions."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from wattswarm.api.operation import AFTER, CURSOR, LIMIT, PREFIX, Call, Operation, Parameter
from wattswarm.surface.log import EventPage
from wattswarm.surface.task import (
    ContractCheck,
    DecisionView,
    Explanation,
    Submitted,
    TaskPage,
    TaskView,
    VerdictPage,
)

TASKS: Final = f"{PREFIX}/tasks"
TASK: Final = f"{TASKS}/{{name}}"
NAME_CODES: Final = ("not_found", "ambiguous_name")
SIGNED_CODES: Final = ("restored_since", "signing_stopped", "read_only")
"""What every word of an epoch may be refused with."""


@attrs.frozen(kw_only=True)
class ContractRequest:
    """A contract as its author wrote it; defaults are filled in by the node."""

    contract: Mapping[str, Any]


async def _submit(call: Call) -> object:
    return await call.api.submit(call.body.contract, idempotency_key=call.idempotency_key)


async def _validate(call: Call) -> object:
    return await call.api.check_contract(call.body.contract)


async def _tasks(call: Call) -> object:
    return await call.api.tasks(
        state=call.query["state"],
        task_type=call.query["task_type"],
        cursor=call.query["cursor"],
        limit=call.query["limit"],
    )


async def _verdicts(call: Call) -> object:
    after, limit = call.query["after"], call.query["limit"]
    return await call.api.verdicts(call.path["name"], after=after, limit=limit)


async def _events(call: Call) -> object:
    after, limit = call.query["after"], call.query["limit"]
    return await call.api.task_events(call.path["name"], after=after, limit=limit)


OPERATIONS: Final = (
    Operation(
        method="GET",
        path=TASKS,
        name="list_tasks",
        summary="Tasks, newest first.",
        call=_tasks,
        answer=TaskPage,
        query=(
            Parameter(name="state", meaning="Only tasks in this state.", kind=str),
            Parameter(name="task_type", meaning="Only tasks of this type.", kind=str),
            CURSOR,
            LIMIT,
        ),
        is_projected=True,
    ),
    Operation(
        method="POST",
        path=TASKS,
        name="submit_task",
        summary="Make a task; answers when it stands in the log.",
        call=_submit,
        body=ContractRequest,
        answer=Submitted,
        status=201,
        takes_key=True,
        codes=("contract_invalid", "idempotency_conflict", *SIGNED_CODES),
    ),
    Operation(
        method="POST",
        path=f"{TASKS}/validate",
        name="validate_contract",
        summary="Everything that is wrong with a contract, by JSON path.",
        call=_validate,
        body=ContractRequest,
        answer=ContractCheck,
    ),
    Operation(
        method="GET",
        path=f"{TASKS}/sample",
        name="sample_contract",
        summary="A contract that works here.",
        call=lambda call: call.api.sample_contract(),
        answer=dict[str, Any],
    ),
    Operation(
        method="GET",
        path=TASK,
        name="get_task",
        summary="Everything about a task.",
        call=lambda call: call.api.task(call.path["name"]),
        answer=TaskView,
        codes=NAME_CODES,
        is_projected=True,
    ),
    Operation(
        method="GET",
        path=f"{TASK}/verdicts",
        name="list_verdicts",
        summary="What each event of a task did, and if nothing, why.",
        call=_verdicts,
        answer=VerdictPage,
        query=(AFTER, LIMIT),
        codes=NAME_CODES,
        is_projected=True,
    ),
    Operation(
        method="GET",
        path=f"{TASK}/events",
        name="list_task_events",
        summary="The events of a task.",
        call=_events,
        answer=EventPage,
        query=(AFTER, LIMIT),
        codes=NAME_CODES,
    ),
    Operation(
        method="GET",
        path=f"{TASK}/explain",
        name="explain_task",
        summary="A task told in sentences.",
        call=lambda call: call.api.explain(call.path["name"]),
        answer=Explanation,
        codes=NAME_CODES,
        is_projected=True,
    ),
    Operation(
        method="GET",
        path=f"{TASK}/decision",
        name="get_decision",
        summary="What was decided, on what grounds, and how final it is.",
        call=lambda call: call.api.decision(call.path["name"]),
        answer=DecisionView,
        codes=(*NAME_CODES, "not_decided"),
        is_projected=True,
    ),
)
