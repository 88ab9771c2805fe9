"""How a command ends: exit codes that scripts can rely on, and failures that say what to do."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from wattswarm.kernel.errors import WattSwarmError

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
REFUSED: Final = 4
NOT_REACHABLE: Final = 5
TIMED_OUT: Final = 6
RESTART_LIMIT: Final = 70
INTERRUPTED: Final = 130

EXIT_BY_CODE: Final[Mapping[str, int]] = {
    "not_found": NOT_FOUND,
    "no_such_route": NOT_FOUND,
    "file_not_found": NOT_FOUND,
    "usage": USAGE,
    "bad_parameter": USAGE,
    "unknown_parameter": USAGE,
    "not_reachable": NOT_REACHABLE,
    "not_ready": NOT_REACHABLE,
    "stopping": NOT_REACHABLE,
    "timed_out": TIMED_OUT,
    "too_slow": TIMED_OUT,
    "not_caught_up": TIMED_OUT,
    "restart_limit": RESTART_LIMIT,
    "unauthorized": FAILED,
    "state_dir_locked": REFUSED,
    "wrong_network": REFUSED,
    "file_exists": REFUSED,
    "ambiguous_name": REFUSED,
}

EXIT_BY_STATUS_CLASS: Final[Mapping[int, int]] = {4: REFUSED, 5: FAILED}

REMEDY_BY_CODE: Final[Mapping[str, str]] = {
    "unauthorized": "use the state directory of that node, or set WATTSWARM_API_TOKEN",
    "ambiguous_name": "give more digits",
    "already_proposed": "`wattswarm governance pending` shows it: sign it, or say --supersede",
    "not_the_drafter": "leave it to that node's operator, or say --out-of-turn",
    "too_early": "wait until the epoch expires, or say --now",
    "signed_rival": "draft one that names it: --supersede",
    "barred": "`wattswarm governance statements` says why; other finalizers may pardon this node",
    "signing_stopped": "`wattswarm doctor` says why; then say `wattswarm node restored`, if this "
    "log was restored from a backup, or `wattswarm node cloned`",
    "restored_since": "leave it to others, or make a task anew; for governance, --after-restore "
    "if this node has signed no other successor of that version",
    "not_ready": "`wattswarm doctor` says what it waits for",
    "read_only": "`wattswarm doctor` says what is missing (usually room on the disk)",
    "chaos_disabled": "start the node with `--set chaos.enabled=true`",
    "ingest_disabled": "start the node with `--set ingest.enabled=true`; "
    "or stop it: `wattswarm log import` works without a node",
    "wrong_network": "a state directory belongs to one network; name its own with --state-dir",
}


@attrs.define(eq=False, kw_only=True)
class Failure(WattSwarmError):
    """A command that did not do what was asked."""

    code: str  # pyright: ignore[reportIncompatibleVariableOverride]
    message: str
    remedy: str = ""
    status: int = 0
    """HTTP status, when a node answered."""
    details: Mapping[str, Any] = attrs.field(factory=dict[str, Any])

    def __str__(self) -> str:
        return self.message

    @property
    def exit_code(self) -> int:
        """Return the exit code of the command."""
        by_status = EXIT_BY_STATUS_CLASS.get(self.status // 100, FAILED)
        return EXIT_BY_CODE.get(self.code, by_status)

    @property
    def advice(self) -> str:
        """Return what to do about it; empty when there is nothing to say."""
        return self.remedy or REMEDY_BY_CODE.get(self.code, "")


def usage(message: str, remedy: str = "") -> Failure:
    """Return the failure of a command that was called wrongly."""
    return Failure(code="usage", message=message, remedy=remedy)


def of_error(error: WattSwarmError) -> Failure:
    """Return the failure that an error of ours is to the command that met it."""
    remedy = getattr(error, "remedy", "")
    return Failure(code=error.code, message=str(error) or error.code, remedy=str(remedy))
