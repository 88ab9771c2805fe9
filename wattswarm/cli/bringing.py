"""An archive on its way into the log: in requests of bounded size, and again for what had to wait.

Nothing of it is held in memory but one request, so that a log of any length is taken in. What was
counted is in the log: after a failure the same file is given again, and what is in the log already
is told apart.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

import attrs

from wattswarm.actors.foreign import parcels
from wattswarm.cli.export import STREAM, cannot_use
from wattswarm.cli.failure import Failure
from wattswarm.kernel.archive import ArchiveReader
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import BATCH_EVENTS_MAX
from wattswarm.surface.log import ArchiveFault, Imported, Ingested

CHUNK_BYTES: Final = 262_144
PASSES_MAX: Final = 8
"""More than any order of events needs that was not made to waste time."""

NOT_ADMITTED: Final = "not_admitted"

Bring: TypeAlias = Callable[[str, Sequence[bytes]], Ingested]
"""Takes some events and the network that their archive names; tells what became of them."""

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many bytes have been read, and how many there are (0: nobody knows)."""


@attrs.define
class _Pass:
    """One reading of the file."""

    bring: Bring
    progress: Progress
    received: int = 0
    appended: int = 0
    refusals: Counter[str] = attrs.field(factory=Counter[str])
    is_intact: bool = False
    fault: ArchiveFault | None = None

    def run(self, name: str) -> None:
        """Bring everything that can be taken apart."""
        reader = ArchiveReader()
        with _source(name) as (file, size_bytes):
            events = self._events(reader, file, size_bytes)
            for request in parcels(events, events_max=BATCH_EVENTS_MAX):
                self._bring(reader.network_id or "", request)

    def _bring(self, network_id: str, request: Sequence[bytes]) -> None:
        try:
            found = self.bring(network_id, request)
        except Failure as failure:
            raise _half_way(failure, self.received) from failure
        self.received += found.received
        self.appended += found.appended
        self.refusals.update(found.refusals)

    def _events(self, reader: ArchiveReader, file: BinaryIO, size_bytes: int) -> Iterator[bytes]:
        done = 0
        try:
            while chunk := file.read(CHUNK_BYTES):
                yield from reader.feed(chunk)
                done += len(chunk)
                self.progress(done, size_bytes)
            self.is_intact = reader.end().is_intact
        except Malformed as error:
            self.fault = ArchiveFault(code=error.code, message=str(error))


def import_archive(name: str, bring: Bring, progress: Progress) -> Imported:
    """Return what became of the events of a file; each that is authentic is in the log.

    Events of authors who are admitted only by what comes later are brought again, until nothing new
    comes of it.

    Args:
        name: A path, or `-` for stdin, which can be read only once.

    Raises:
        Failure: The file cannot be read, or the events could not be brought; some may be in.
    """
    began_s = time.monotonic()
    appended = passes = 0
    while True:
        last = _Pass(bring, progress)
        last.run(name)
        appended, passes = appended + last.appended, passes + 1
        may_help = last.refusals[NOT_ADMITTED] and last.appended and name != STREAM
        if not may_help or passes == PASSES_MAX:
            break
    refused = last.refusals.total()
    return Imported(
        file=name,
        received=last.received,
        appended=appended,
        already=last.received - refused - appended,
        refused=refused,
        refusals=dict(last.refusals),
        intact=last.is_intact,
        passes=passes,
        duration_ms=int((time.monotonic() - began_s) * 1_000),
        fault=last.fault,
    )


@contextmanager
def _source(name: str) -> Generator[tuple[BinaryIO, int]]:
    """Give what is to be read, and its size."""
    if name == STREAM:
        yield sys.stdin.buffer, 0
        return
    try:
        with Path(name).open("rb") as file:
            yield file, Path(name).stat().st_size
    except OSError as error:
        raise cannot_use(name, error) from error


def _half_way(failure: Failure, received: int) -> Failure:
    """Return the failure with how far the import had come."""
    if not received:
        return failure
    return attrs.evolve(
        failure,
        message=f"{failure.message}; {received} events were brought before",
        remedy=f"{failure.advice}; import the file again: what is in the log is known then".lstrip(
            "; "
        ),
        details={**failure.details, "received": received},
    )
