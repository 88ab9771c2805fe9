"""An archive on its way into a file: complete and checked, or not there."""

import os
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from wattswarm.cli.failure import Failure
from wattswarm.kernel.archive import ArchiveReader
from wattswarm.kernel.errors import Malformed
from wattswarm.surface.log import Exported

STREAM: Final = "-"
"""Stands for stdout, or stdin, where a file is named."""


def save(chunks: Iterable[bytes], name: str, *, force: bool) -> Exported:
    """Have an archive in a file, whole, or nothing; what is sent is read along and checked.

    Args:
        name: A path, or `-` for stdout. force: Put it in the place of a file that is there.

    Raises:
        Failure: The file exists or cannot be written, or the archive ended early.
    """
    reader = ArchiveReader()
    size = events = 0
    try:
        with _target(name, force=force) as target:
            for chunk in chunks:
                size += len(chunk)
                events += sum(1 for _ in reader.feed(chunk))
                target.write(chunk)
            whole = reader.end()
    except Malformed as error:
        raise Failure(
            code=error.code,
            message=f"what was sent is not whole: {error}",
            remedy="`wattswarm doctor`, then export again; nothing was kept",
        ) from error
    except OSError as error:
        raise cannot_use(name, error) from error
    return Exported(
        file=name,
        network_id=whole.network_id,
        events=events,
        bytes=size,
        hash=whole.digest.hex(),
    )


def cannot_use(name: str, error: OSError) -> Failure:
    """Return the failure of a file that cannot be read or written."""
    is_missing = isinstance(error, FileNotFoundError)
    return Failure(
        code="file_not_found" if is_missing else "file_unusable",
        message=f"{name} cannot be used: {error.strerror or error}",
    )


@contextmanager
def _target(name: str, *, force: bool) -> Generator[BinaryIO]:
    """Give a file to write into, which takes its name when the block has ended well."""
    if name == STREAM:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    if path.exists() and not force:
        raise Failure(code="file_exists", message=f"{name} is there already", remedy="--force")
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
