"""How failures of actors become refusals: a caller gets a code, and what to do."""

from wattswarm.actors.messages import AppendRefused
from wattswarm.actors.runtime.errors import ActorError, RemoteFailure
from wattswarm.kernel.errors import Rejection

CODES_OF_THE_LOG = {"log_read_only": "read_only", "lock_held": "lock_refused"}
"""The codes of the log's writer that have another name in public."""


def of_actor_error(error: ActorError) -> Rejection:
    """Return an actor's failure to answer as a refusal; repeating the request is safe."""
    if isinstance(error, RemoteFailure):
        return Rejection(code="internal", message=str(error))
    return Rejection(code=error.code, message=f"{error}; try again")


def of_append(refused: AppendRefused) -> Rejection:
    """Return the refusal of the log's writer as ours."""
    code = CODES_OF_THE_LOG.get(refused.code, refused.code)
    details = {} if refused.retry_after_ms is None else {"retry_after_ms": refused.retry_after_ms}
    return Rejection(code=code, message=refused.message, details=details)
