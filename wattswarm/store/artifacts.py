"""Bodies outside the log, each in a file named by its content.

A file is written beside its place, synced, and renamed into it, so that a name either is there with
its whole body or is not there. What is read is checked: a file that is not what its name says is
removed.
"""

import errno
import fcntl
import os
import secrets
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

import attrs
from blake3 import blake3

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.hashing import artifact_digest
from wattswarm.kernel.ids import ARTIFACT_DIGEST
from wattswarm.kernel.limits import ARTIFACT_BYTES_MAX
from wattswarm.store.errors import (
    ArtifactDamaged,
    ArtifactMissing,
    ArtifactTooLarge,
    StoreError,
    StoreFull,
    StoreUnavailable,
)

SCHEME: Final = "blake3:"
UNFINISHED: Final = ".unfinished"
SHARD_NIBBLES: Final = 2
CHUNK_BYTES: Final = 262_144


@attrs.frozen
class StoredArtifact:
    """A file of the store; `modified_ms`: when it was put last, in ms since the Unix epoch."""

    digest: str
    size_bytes: int
    modified_ms: int


@attrs.frozen
class ArtifactStore:
    """The artifacts of a node. Calls block on the disk; any thread may make them.

    Args:
        folder: Made when missing. bytes_max: Of one artifact.
    """

    folder: Path = attrs.field(converter=Path)
    bytes_max: int = ARTIFACT_BYTES_MAX

    def put(self, body: bytes, mime: str) -> ArtifactRef:
        """Return the reference of a body that is now stored.

        Raises:
            ArtifactTooLarge: Nothing was stored.
            StoreFull: Nothing was stored.
        """
        return self.put_stream((body,), mime)

    def put_stream(self, chunks: Iterable[bytes], mime: str) -> ArtifactRef:
        """Return the reference of a body that came in pieces and is now stored; see `put`."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self.folder / f"{secrets.token_hex(8)}{UNFINISHED}"
        try:
            digest, size_bytes = self._write(unfinished, chunks)
            self._settle(unfinished, digest)
        except OSError as error:
            raise _translated(error) from error
        finally:
            unfinished.unlink(missing_ok=True)
        return ArtifactRef(digest=digest, size_bytes=size_bytes, mime=mime)

    def get(self, ref: ArtifactRef) -> bytes:
        """Return the body of a reference, checked.

        Raises:
            ArtifactMissing: It is not here.
            ArtifactDamaged: What was here is not it; the file is removed.
        """
        body = self.read(ref.digest)
        if len(body) != ref.size_bytes:
            raise ArtifactDamaged(
                digest=ref.digest,
                message=f"{len(body)} bytes, and the reference says {ref.size_bytes}",
            )
        return body

    def read(self, digest: str) -> bytes:
        """Return the body of a digest, checked; see `get`."""
        path = self._path(digest)
        try:
            body = path.read_bytes()
        except FileNotFoundError as error:
            raise ArtifactMissing(digest=digest) from error
        if artifact_digest(body) != digest:
            path.unlink(missing_ok=True)
            raise ArtifactDamaged(digest=digest, message="its bytes have another digest")
        return body

    def has(self, ref: ArtifactRef) -> bool:
        """Tell whether a file of the right name and size is here; only reading checks its bytes."""
        try:
            return self._path(ref.digest).stat().st_size == ref.size_bytes
        except FileNotFoundError:
            return False

    def size_bytes(self, digest: str) -> int | None:
        """Return the size of a stored artifact, or None."""
        try:
            return self._path(digest).stat().st_size
        except FileNotFoundError:
            return None

    def find(self, prefix: str, *, limit: int = 2) -> tuple[str, ...]:
        """Return the digests that begin with `prefix`, in order, with or without `blake3:`."""
        digits = prefix.removeprefix(SCHEME)
        found = (f"{SCHEME}{name}" for name in self._names() if name.startswith(digits))
        return tuple(sorted(found))[:limit]

    def stored(self, *, after: str = "", limit: int) -> tuple[StoredArtifact, ...]:
        """Return the next artifacts after a digest, in order."""
        described = map(self.described, self._after(after.removeprefix(SCHEME)))
        return tuple(islice((each for each in described if each is not None), limit))

    def _after(self, name: str) -> Iterator[str]:
        """Yield the digests whose hex comes after this, in order."""
        for shard in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            if shard.name < name[:SHARD_NIBBLES]:
                continue
            for path in sorted(shard.iterdir()):
                if path.name > name and ARTIFACT_DIGEST.match(f"{SCHEME}{path.name}"):
                    yield f"{SCHEME}{path.name}"

    def is_sound(self, digest: str) -> bool:
        """Tell whether the bytes of a stored artifact have its digest; one that is gone is not."""
        hasher = blake3()
        try:
            with self._path(digest).open("rb", buffering=0) as file:
                while chunk := file.read(CHUNK_BYTES):
                    hasher.update(chunk)
        except FileNotFoundError:
            return False
        return f"{SCHEME}{hasher.hexdigest()}" == digest

    def remove(self, digest: str, *, before_ms: int) -> bool:
        """Return whether the artifact was removed: only if it was put before a date.

        One that is being put at this moment stays, with all that are put beside it.
        """
        path = self._path(digest)
        with self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB) as is_held:
            found = self.described(digest)
            if not is_held or found is None or found.modified_ms >= before_ms:
                return False
            path.unlink(missing_ok=True)
            return True

    def described(self, digest: str) -> StoredArtifact | None:
        """Return what is known of an artifact without reading it, or None."""
        if not ARTIFACT_DIGEST.match(digest):
            return None
        try:
            found = self._path(digest).stat()
        except FileNotFoundError:
            return None
        return StoredArtifact(digest, found.st_size, found.st_mtime_ns // 1_000_000)

    @contextmanager
    def _locked(self, how: int) -> Generator[bool]:
        """Hold the folder's lock in the block, and tell whether it is held.

        Who puts shares it for the time of a rename; who removes has it alone for that of a look and
        an unlink, so that nothing is put between the two. It falls with its process.
        """
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield _is_locked(descriptor, how)
        finally:
            os.close(descriptor)

    def sweep(self) -> int:
        """Remove what writers that were killed left unfinished; return how many files.

        Only while nobody writes: at the start of a node.
        """
        left = list(self.folder.glob(f"*{UNFINISHED}"))
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _names(self) -> Iterator[str]:
        for path in self.folder.glob("??/*"):
            if ARTIFACT_DIGEST.match(f"{SCHEME}{path.name}"):
                yield path.name

    def _path(self, digest: str) -> Path:
        # The name is checked, so that no digest from outside leads anywhere else.
        if not ARTIFACT_DIGEST.match(digest):
            raise ArtifactMissing(digest=digest[:100])
        name = digest.removeprefix(SCHEME)
        return self.folder / name[:SHARD_NIBBLES] / name

    def _write(self, path: Path, chunks: Iterable[bytes]) -> tuple[str, int]:
        hasher, size_bytes = blake3(), 0
        with path.open("xb", buffering=CHUNK_BYTES) as file:
            for chunk in chunks:
                size_bytes += len(chunk)
                if size_bytes > self.bytes_max:
                    raise ArtifactTooLarge(size_bytes=size_bytes, bytes_max=self.bytes_max)
                hasher.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        return f"{SCHEME}{hasher.hexdigest()}", size_bytes

    def _settle(self, unfinished: Path, digest: str) -> None:
        path = self._path(digest)
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            _sync(self.folder)
        # Replacing also mends a damaged file of that name, and makes an old one young.
        with self._locked(fcntl.LOCK_SH):
            unfinished.replace(path)
        _sync(path.parent)


def _translated(error: OSError) -> StoreError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StoreFull(message=str(error))
    return StoreUnavailable(message=str(error))


def _is_locked(descriptor: int, how: int) -> bool:
    """Take a lock, and tell whether it was free; one that need not be refused is waited for."""
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        return False
    return True


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
