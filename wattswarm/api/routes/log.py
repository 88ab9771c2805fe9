"""The event log and what is derived from it."""

from typing import Final

import attrs

from wattswarm.api.operation import AFTER, LIMIT, LONG_MS, PREFIX, Operation
from wattswarm.surface.log import (
    Digests,
    EventPage,
    EventView,
    Ingested,
    LogHead,
    Replayed,
    Verified,
)

LOG: Final = f"{PREFIX}/log"


@attrs.frozen(kw_only=True)
class ReplayRequest:
    """How to replay."""

    verify: bool = False
    """Only compare the digests of what was rebuilt with those of what stands there."""


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
        method="POST",
        path=f"{PREFIX}/events",
        name="ingest_events",
        summary="Append the authentic events of an archive.",
        call=lambda call: call.api.ingest(call.body),
        body=bytes,
        answer=Ingested,
        deadline_ms=LONG_MS,
        codes=("ingest_disabled", "malformed", "read_only"),
    ),
)
