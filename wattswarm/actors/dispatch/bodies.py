"""Bodies of outputs, inputs and evidence: in the artifact store, the last ones in memory too.

Most bodies are wanted again at once, by a verifier.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import attrs
from trio.to_thread import run_sync as _hop

from wattswarm.actors.dispatch.failing import NoRoom, invalid
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.evidence import possession_proof
from wattswarm.kernel.ids import Digest, NodeId
from wattswarm.kernel.records import Candidate
from wattswarm.store.artifacts import ArtifactStore
from wattswarm.store.errors import (
    ArtifactDamaged,
    ArtifactMissing,
    ArtifactTooLarge,
    StoreFull,
    StoreUnavailable,
)

BYTES_MAX: Final = 4 * 1_048_576


@attrs.define
class RecentBodies:
    """Bodies by digest, at most `bytes_max` in all."""

    bytes_max: int = BYTES_MAX
    _bodies: OrderedDict[str, bytes] = attrs.field(factory=OrderedDict[str, bytes])
    _bytes: int = 0

    def get(self, digest: str) -> bytes | None:
        """Return a body, if it is among them."""
        body = self._bodies.get(digest)
        if body is not None:
            self._bodies.move_to_end(digest)
        return body

    def put(self, digest: str, body: bytes) -> None:
        """Remember a body whose digest was found to be this one."""
        if digest in self._bodies or len(body) > self.bytes_max:
            return
        self._bodies[digest] = body
        self._bytes += len(body)
        while self._bytes > self.bytes_max:
            _, oldest = self._bodies.popitem(last=False)
            self._bytes -= len(oldest)


@attrs.frozen
class Bodies:
    """Keeps bodies, and finds them again."""

    artifacts: ArtifactStore
    recent: RecentBodies = attrs.field(factory=RecentBodies)

    async def put(self, body: bytes, mime: str) -> ArtifactRef:
        """Return the name of a body that is on the disk now.

        Raises:
            WorkFailed: It is larger than any may be.
            NoRoom: It cannot be stored.
        """
        try:
            ref = await _hop(self.artifacts.put, body, mime)
        except ArtifactTooLarge as error:
            raise invalid(str(error)) from error
        except (StoreFull, StoreUnavailable) as error:
            raise NoRoom(str(error)) from error
        self.recent.put(ref.digest, body)
        return ref

    async def get(self, ref: ArtifactRef) -> bytes | None:
        """Return a body, or None when it is not here, or not as it was."""
        body = self.recent.get(ref.digest)
        if body is not None and len(body) == ref.size_bytes:
            return body
        body = await _hop(self.read, ref)
        if body is not None:
            self.recent.put(ref.digest, body)
        return body

    def read(self, ref: ArtifactRef) -> bytes | None:
        """Return a body from the disk, or None when it is not here, or not as it was; blocks."""
        try:
            return self.artifacts.get(ref)
        except (ArtifactMissing, ArtifactDamaged):
            return None

    async def has_all(self, refs: Sequence[ArtifactRef]) -> bool:
        """Tell whether all of these bodies are here."""
        for ref in refs:
            if not await _hop(self.artifacts.has, ref):
                return False
        return True

    async def proofs(
        self, me: NodeId, candidate: Candidate, digests: Sequence[str]
    ) -> Sequence[tuple[str, Digest]]:
        """Return proofs for those pieces of a candidate's evidence whose bodies are here."""
        refs = {ref.digest: ref for ref in candidate.evidence}
        name = candidate.event_id
        return [
            (digest, possession_proof(me, name, (body,)))
            for digest in digests
            if (body := await self.get(refs[digest])) is not None
        ]
