"""Bodies outside the log: what is stored, who names it, and what may go."""

from typing import Final

import attrs

from wattswarm.api.operation import CURSOR, LIMIT, LONG_MS, PREFIX, Call, Operation
from wattswarm.surface.artifact import (
    ArtifactPage,
    ArtifactRecord,
    ArtifactsCollected,
    ArtifactsVerified,
)
from wattswarm.surface.task import ArtifactBody

ARTIFACTS: Final = f"{PREFIX}/artifacts"
NAME_CODES: Final = ("not_found", "ambiguous_name")


@attrs.frozen(kw_only=True)
class CollectRequest:
    """How to collect."""

    dry_run: bool = False
    """Only tell what would be removed."""


async def _list(call: Call) -> object:
    return await call.api.artifacts(cursor=call.query["cursor"], limit=call.query["limit"])


OPERATIONS: Final = (
    Operation(
        method="GET",
        path=ARTIFACTS,
        name="list_artifacts",
        summary="Stored artifacts, and whether anything names them.",
        call=_list,
        answer=ArtifactPage,
        query=(CURSOR, LIMIT),
        deadline_ms=LONG_MS,
    ),
    Operation(
        method="GET",
        path=f"{ARTIFACTS}/{{name}}",
        name="get_artifact",
        summary="A body from the artifact store, verified.",
        call=lambda call: call.api.artifact(call.path["name"]),
        answer=ArtifactBody,
        codes=NAME_CODES,
    ),
    Operation(
        method="GET",
        path=f"{ARTIFACTS}/{{name}}/record",
        name="get_artifact_record",
        summary="What is known of an artifact: its size and type, and the tasks that name it.",
        call=lambda call: call.api.artifact_record(call.path["name"]),
        answer=ArtifactRecord,
        codes=NAME_CODES,
        deadline_ms=LONG_MS,
    ),
    Operation(
        method="POST",
        path=f"{ARTIFACTS}/verify",
        name="verify_artifacts",
        summary="Compare every stored body with its name.",
        call=lambda call: call.api.verify_artifacts(),
        answer=ArtifactsVerified,
        deadline_ms=LONG_MS,
    ),
    Operation(
        method="POST",
        path=f"{ARTIFACTS}/collect",
        name="collect_artifacts",
        summary="Remove artifacts that nothing names, and what was kept long enough.",
        call=lambda call: call.api.collect_artifacts(dry_run=call.body.dry_run),
        body=CollectRequest,
        answer=ArtifactsCollected,
        deadline_ms=LONG_MS,
    ),
)
