"""Governance as far as the log tells it: a cache with a position, for whoever must know roles."""

from typing import Final

import attrs

from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import Digest, Seq
from wattswarm.store.log_reader import START, LogReader, last_seq

PAGE: Final = 512


@attrs.define
class GovernanceTail:
    """Governance of one network, read on from where it was left."""

    network_id: str
    governance: Governance = attrs.field(init=False)
    _seq: Seq = attrs.field(init=False, default=START)

    def __attrs_post_init__(self) -> None:
        self.governance = Governance(self.network_id)

    def advance(self, reader: LogReader) -> frozenset[Digest]:
        """Take in what the log has beyond the last call; return the versions that became valid.

        Blocks: to be called in a thread, by one caller at a time.
        """
        valid: set[Digest] = set()
        while rows := reader.governance_events(self._seq, limit=PAGE):
            for row in rows:
                valid |= self.governance.add(row.event())
            self._seq = last_seq(rows, self._seq)
        return frozenset(valid)
