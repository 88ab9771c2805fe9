"""Bodies of the artifact store, by reference or by the beginning of their digest."""

import re
from typing import Final

import attrs

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.errors import Rejection
from wattswarm.store.artifacts import ArtifactStore
from wattswarm.store.connection import Connection
from wattswarm.store.errors import ArtifactDamaged, ArtifactMissing
from wattswarm.store.projection_reader import ProjectionReader
from wattswarm.surface.task import ArtifactBody

DIGEST: Final = re.compile(r"(?:blake3:)?[0-9a-f]{1,64}\Z")
UNKNOWN_MIME: Final = "application/octet-stream"
SHOWN_MAX: Final = 80


@attrs.frozen
class Bodies:
    """Reads bodies; blocks, so it is called in threads."""

    store: ArtifactStore

    def is_here(self, ref: ArtifactRef) -> bool:
        """Tell whether the body is stored here."""
        return self.store.has(ref)

    def read(self, ref: ArtifactRef) -> bytes | None:
        """Return the verified body, or None when it is not here or damaged."""
        try:
            return self.store.get(ref)
        except (ArtifactMissing, ArtifactDamaged):
            return None

    def find(self, connection: Connection, name: str) -> ArtifactBody | Rejection:
        """Return the body whose digest is this or begins so, with the type that an event gives it.

        Raises:
            ArtifactDamaged: What is stored is not it.
        """
        found = find_digest(self.store, name)
        if isinstance(found, Rejection):
            return found
        mime = ProjectionReader(connection).artifact_mime(found) or UNKNOWN_MIME
        return ArtifactBody(digest=found, mime=mime, content=self.store.read(found))


def find_digest(store: ArtifactStore, name: str) -> str | Rejection:
    """Return the digest of the stored artifact whose name is this or begins so."""
    found = list(store.find(name)) if DIGEST.match(name) else []
    if not found:
        return Rejection(code="not_found", message=f"there is no artifact {name[:SHOWN_MAX]} here")
    if len(found) > 1:
        message = f"several artifacts begin with {name}: give more digits"
        return Rejection(code="ambiguous_name", message=message)
    return found[0]
