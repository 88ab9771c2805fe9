"""The event log and what is derived from it."""

from typing import Final

import attrs

from wattswarm.api.operation import AFTER, LIMIT, LONG_MS, PREFIX, Call, Operation, Parameter
from wattswarm.surface.log import (
    Digests,
    EventArchive,
    EventPage,
    EventView,
    Ingested,
    LogHead,
    Part,
    Replayed,
    Verified,
)

LOG: Final = f"{PREFIX}/log"


@attrs.frozen(kw_only=True)
class ReplayRequest:
    """How to replay."""

    verify: bool = False
    """Only compare the digests of what was rebuilt with those of what stands there."""


async def _export(call: Call) -> object:
    query = call.query
    part = Part(
        after=query["after"], up_to=query["up_to"], scope=query["scope"], task=query["task"]
    )
    return await call.api.export_log(part)


PART: Final = (
    Parameter(name="after", meaning="The seq that the part begins after.", kind=int, default=0),
    Parameter(name="up_to", meaning="The last seq of the part; left out: the end.", kind=int),
    Parameter(name="scope", meaning="Only events of this scope, and of governance.", kind=str),
    Parameter(name="task", meaning="Only events of this task, and of governance.", kind=str),
)

OPERATIONS: Final = (
    Operation(
        method="GET",
        path=f"{LOG}/head",
        name="get_head",
        summary="Where the log ends.",
        call=lambda call: call.api.log_head(),
        answer=LogHead,
    ),
    Operation(
        method="GET",
        path=f"{LOG}/events",
        name="list_events",
        summary="Events in the order of the log.",
        call=lambda call: call.api.events(after=call.query["after"], limit=call.query["limit"]),
        answer=EventPage,
        query=(AFTER, LIMIT),
    ),
    Operation(
        method="GET",
        path=f"{LOG}/events/{{name}}",
        name="get_event",
        summary="One event, by id, unique prefix or seq.",
        call=lambda call: call.api.event(call.path["name"]),
        answer=EventView,
        codes=("not_found", "ambiguous_name"),
    ),
    Operation(
        method="GET",
        path=f"{LOG}/digest",
        name="get_digests",
        summary="The digests of all derived rows, by scope.",
        call=lambda call: call.api.digests(),
        answer=Digests,
        is_projected=True,
    ),
    Operation(
        method="POST",
        path=f"{LOG}/verify",
        name="verify_log",
        summary="Check every signature and every link of the chain.",
        call=lambda call: call.api.verify_log(),
        answer=Verified,
        deadline_ms=LONG_MS,
    ),
    Operation(
        method="POST",
        path=f"{LOG}/replay",
        name="replay_log",
        summary="Rebuild the projections beside the live ones; compare, or swap them in.",
        call=lambda call: call.api.replay_log(verify=call.body.verify),
        body=ReplayRequest,
        answer=Replayed,
        deadline_ms=LONG_MS,
    ),
    Operation(
        method="GET",
        path=f"{LOG}/archive",
        name="export_log",
        summary="A part of the log as an archive of events.",
        call=_export,
        answer=EventArchive,
        query=PART,
        codes=("not_found", "ambiguous_name"),
    ),
    Operation(
        method="POST",
        path=f"{PREFIX}/events",
        name="ingest_events",
        summary="Append the authentic events of an archive.",
        call=lambda call: call.api.ingest(call.body),
        body=bytes,
        answer=Ingested,
        deadline_ms=LONG_MS,
        codes=("ingest_disabled", "malformed", "wrong_network", "read_only"),
    ),
)
