"""How far the log is known: what was read of it, and what this actor put there itself. Pure."""

from collections.abc import Iterable

import attrs

from wattswarm.kernel.ids import Seq
from wattswarm.store.log_reader import START


@attrs.define
class Reach:
    """Up to `seq` everything is known; the log is known to go on to `head`."""

    seq: Seq = START
    head: int = START
    _beyond: set[int] = attrs.field(factory=set[int])
    """Own positions that others stand before."""

    @property
    def is_behind(self) -> bool:
        """Whether there is more in the log than is known."""
        return self.seq < self.head

    def read_to(self, seq: Seq) -> None:
        """Know everything up to a position."""
        self.seq = max(self.seq, seq)
        self._advance()

    def wrote(self, seqs: Iterable[int], head: int) -> None:
        """Know these positions: own events, which need not be read again."""
        self._beyond.update(seqs)
        self._advance()
        self.hear(head)

    def hear(self, head: int) -> None:
        """Learn where the log ends."""
        self.head = max(self.head, head)

    def _advance(self) -> None:
        self._beyond = {seq for seq in self._beyond if seq > self.seq}
        while self.seq + 1 in self._beyond:
            self.seq = Seq(self.seq + 1)
            self._beyond.discard(self.seq)
