"""A process that appends batches until it is ended: what crash tests kill.

Events are numbered by position, so whoever goes on after a crash appends the same ones. Each
acknowledged position is a line on standard output; a fenced writer ends with status 75.
"""

import os
import signal
import sys

from tests.support.log_events import events, singles
from wattswarm.store.connection import Database
from wattswarm.store.errors import Fenced
from wattswarm.store.event_log import LogWriter

BATCH = 7
FENCED_EXIT = 75


def main(dsn: str, schema: str, point: str, nth: str) -> None:
    """Append batch after batch; kill this process when `point` is passed for the nth time."""
    passed = 0

    def strike(name: str) -> None:
        nonlocal passed
        passed += name == point
        if name == point and passed == int(nth):
            os.kill(os.getpid(), signal.SIGKILL)

    writer = LogWriter(Database(dsn, schema), strike)
    seq = writer.open().seq
    try:
        while True:
            seq = writer.append(singles(events(BATCH, start=seq))).head.seq
            sys.stdout.write(f"{seq}\n")
            sys.stdout.flush()
    except Fenced:
        writer.close()
        sys.exit(FENCED_EXIT)
