"""How to start PostgreSQL when we are root, which PostgreSQL refuses to be.

A user namespace in which root appears as uid 1000 makes no user, changes no mode and works below
directories that only root may enter. Where namespaces are refused, uid nobody will do if it can
reach the files; where it cannot, the operator has to bring a server.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wattswarm.store.errors import ServerNotStarted

NAMESPACE: Final = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
NOBODY_UID: Final = 65_534
NOBODY: Final = (
    "setpriv",
    f"--reuid={NOBODY_UID}",
    f"--regid={NOBODY_UID}",
    "--clear-groups",
)
PROBE_TIMEOUT_S: Final = 5

EXTERNAL_SERVER: Final = (
    "set WATTSWARM_PG_URL to a PostgreSQL server (15 or newer), or run the node as another user"
)


def launcher(reachable: Sequence[Path]) -> tuple[str, ...]:
    """Return what to put before a PostgreSQL command line; nothing for users other than root.

    Args:
        reachable: Existing paths that the server must be able to enter.

    Raises:
        ServerNotStarted: We are root and there is no way to be somebody else.
    """
    if os.geteuid() != 0:
        return ()
    if _succeeds((*NAMESPACE, "true")):
        return NAMESPACE
    if all(_succeeds((*NOBODY, "test", "-x", str(path))) for path in reachable):
        return NOBODY
    raise ServerNotStarted(
        message="PostgreSQL does not run as root and user namespaces are refused: "
        + EXTERNAL_SERVER
    )


def is_nobody(prefix: Sequence[str]) -> bool:
    """Tell whether files made for this launcher must belong to uid nobody."""
    return tuple(prefix) == NOBODY


def _succeeds(command: Sequence[str]) -> bool:
    program = shutil.which(command[0])
    if program is None:
        return False
    try:
        done = subprocess.run(
            (program, *command[1:]),
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
