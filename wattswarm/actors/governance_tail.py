"""Governance as far as the log tells it: a cache with a position, for whoever must know roles."""

from collections.abc import Sequence
from typing import Final

import attrs

from wattswarm.kernel.governance import NOTHING, Changes, Governance
from wattswarm.kernel.ids import Seq
from wattswarm.store.log_reader import START, LogReader, last_seq
from wattswarm.store.log_record import LogRow

PAGE: Final = 512


@attrs.define
class GovernanceTail:
    """Governance of one network, read on from where it was left."""

    network_id: str
    governance: Governance = attrs.field(init=False)
    _seq: Seq = attrs.field(init=False, default=START)

    def __attrs_post_init__(self) -> None:
        self.governance = Governance(self.network_id)

    def advance(self, reader: LogReader) -> Changes:
        """Take in what the log has beyond the last call; return what is different by it.

        Blocks: to be called in a thread, by one caller at a time.
        """
        return self.learn(self.read(reader))

    def read(self, reader: LogReader) -> Sequence[LogRow]:
        """Return what the log has beyond what was learned; blocks, and changes nothing."""
        found: list[LogRow] = []
        while rows := reader.governance_events(last_seq(found, self._seq), limit=PAGE):
            found += rows
        return found

    def learn(self, rows: Sequence[LogRow]) -> Changes:
        """Take in rows that were read, and return what is different by them."""
        changes = NOTHING
        for row in rows:
            changes |= self.governance.add(row.event())
        self._seq = last_seq(rows, self._seq)
        return changes
