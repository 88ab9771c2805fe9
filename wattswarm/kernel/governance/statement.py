"""The content of a statement, and the bytes that finalizers sign of it."""

from typing import TypeAlias

import attrs

from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.payloads.statement import (
    EventRevoked,
    NodePenalized,
    StatementPayload,
    StatementState,
)
from wattswarm.kernel.signature import Domain, message

Target: TypeAlias = "tuple[str, bytes]"
"""What a statement is about: its kind, and an event or a node."""


@attrs.frozen(kw_only=True)
class Statement:
    """The content of a statement, apart from who signs it.

    A penalty has a window of dates (from, and before; ms), or `keep`: what is left of one who is
    cut off. A revocation, and a restoration, has neither.
    """

    kind: str
    target: bytes
    serial: int
    state: StatementState
    governance: Digest
    reason: str
    window: tuple[int, int] | None = None
    keep: frozenset[EventId] | None = None

    @property
    def about(self) -> Target:
        """What it is about."""
        return self.kind, self.target

    def covers(self, name: EventId | None, date_ms: int) -> bool:
        """Tell whether it puts out of effect what its target said under this name and date."""
        if self.state is StatementState.RESTORED:
            return False
        if self.window is not None:
            return self.window[0] <= date_ms < self.window[1]
        return self.keep is None or name not in self.keep


def content(said: StatementPayload) -> Statement:
    """Return what a carrier says, apart from who signed it."""
    return Statement(
        kind=said.kind,
        target=said.target,
        serial=said.serial,
        state=said.state,
        governance=said.governance,
        reason=said.reason,
        window=said.window if isinstance(said, NodePenalized) else None,
        keep=_kept(said),
    )


def _kept(said: StatementPayload) -> frozenset[EventId] | None:
    if isinstance(said, EventRevoked) or said.cut is None:
        return None
    return frozenset(said.keep or ())


def statement_message(network_id: str, said: Statement) -> bytes:
    """Return the bytes that a finalizer signs."""
    extent: list[str | int | bytes] = []
    if said.window is not None:
        extent = ["window", *said.window]
    elif said.keep is not None:
        extent = ["cut", *sorted(said.keep)]
    return message(
        Domain.STATEMENT,
        [
            network_id,
            said.kind,
            said.target,
            said.serial,
            said.state.value,
            said.governance,
            said.reason,
            extent,
        ],
    )


def statement_hash(network_id: str, said: Statement) -> Digest:
    """Return the name of a content."""
    return digest(Context.STATEMENT, statement_message(network_id, said))
