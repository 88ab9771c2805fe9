"""One request stream at the side that wants a body."""

import attrs

from wattswarm.kernel.limits import ARTIFACT_BYTES_MAX
from wattswarm.transport.proto.blobs.bao import Decoder, Piece
from wattswarm.transport.proto.blobs.errors import NotHeld
from wattswarm.transport.proto.blobs.ranges import ALL, NONE, ChunkRanges, chunk_count
from wattswarm.transport.proto.blobs.request import Get


@attrs.define
class Getter:
    """Asks for what is missing of a body, and verifies the answer.

    Args:
        root: The body's hash. held: What is here already, and verified; not all of it.
    """

    root: bytes
    held: ChunkRanges = NONE
    size_max: int = ARTIFACT_BYTES_MAX
    _decoder: Decoder = attrs.field(init=False)
    _has_answer: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        assert self.missing != NONE, "nothing is missing"
        self._decoder = Decoder(self.root, self.missing, self.size_max)

    @property
    def missing(self) -> ChunkRanges:
        """What is to be asked for, of this provider or of the next."""
        return ALL.without(self.held)

    @property
    def size(self) -> int | None:
        """The size of the body, once the last chunk proved it."""
        return self._decoder.size if self._decoder.is_size_proven else None

    @property
    def is_done(self) -> bool:
        """Whether the whole body has been delivered."""
        return self._decoder.is_done

    def request(self) -> bytes:
        """Return what to send, before the sending side is finished."""
        return Get.blob(self.root, self._decoder.ranges).encode()

    def receive(self, received: bytes) -> tuple[Piece, ...]:
        """Return what is verified now; see `Decoder.feed` for what it raises."""
        self._has_answer |= bool(received)
        return self._noted(self._decoder.feed(received))

    def pause(self) -> tuple[Piece, ...]:
        """Return what is held back, verified now: before a stream is given up, or waited for."""
        return self._noted(self._decoder.flush())

    def end(self) -> None:
        """Take note that the answer ended.

        Raises:
            NotHeld: The provider does not have the body.
            CutOff: The answer is not whole; ask somebody for what is missing.
        """
        if not self._has_answer:
            raise NotHeld(message="the provider does not have it")
        self._decoder.end()

    def _noted(self, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
        spans = [_span(piece, self.size) for piece in pieces]
        self.held = ChunkRanges.of(*self.held.spans(), *spans)
        return pieces


def _span(piece: Piece, size: int | None) -> tuple[int, int | None]:
    end = piece.offset + len(piece.content)
    return chunk_count(piece.offset), None if end == size else chunk_count(end)
