"""What became of the events of an archive, counted over the requests that they were brought in."""

from collections import Counter
from collections.abc import Sequence

import attrs

from wattswarm.actors.messages import Ingested as Answer
from wattswarm.surface.log import Ingested


@attrs.define
class Ingestion:
    """What has become of the events of an archive so far."""

    received: int = 0
    appended: int = 0
    already: int = 0
    parked: int = 0
    refusals: Counter[str] = attrs.field(factory=Counter[str])

    def count(self, events: Sequence[bytes], answer: Answer) -> None:
        """Count the answer to one request."""
        self.received += len(events)
        self.appended += answer.accepted
        self.already += answer.already
        self.parked += answer.parked
        self.refusals.update(refusal.code for refusal in answer.refused)

    def view(self, head_seq: int, *, intact: bool) -> Ingested:
        """Return the whole; events that wait in memory for their date count as refused for now."""
        refusals = dict(self.refusals)
        if self.parked:
            refusals["parked"] = self.parked
        return Ingested(
            received=self.received,
            appended=self.appended,
            already=self.already,
            refused=sum(refusals.values()),
            head_seq=head_seq,
            refusals=refusals,
            intact=intact,
        )
