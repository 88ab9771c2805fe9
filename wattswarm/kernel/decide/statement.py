"""Revoking events and penalizing nodes, and taking that back.

A penalized finalizer may say so too: its signature counts, and it may take its word to pardon it.
"""

from typing import Final

import attrs

from wattswarm.kernel.decide.gate import Signings, refuse
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.governance import Governance, Version, draft_statement
from wattswarm.kernel.governance.statement import Statement, statement_message
from wattswarm.kernel.governance.statements import Gathered
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.lock import Signing
from wattswarm.kernel.payloads import DecisionFinalized, EpochEnded, TaskRetryScheduled
from wattswarm.kernel.payloads.statement import EventRevoked, NodePenalized, StatementState, read
from wattswarm.kernel.signature import KeyPair

NO_DIGEST: Final = Digest(bytes(32))

NEVER_REVOKED: Final = frozenset(
    {
        "GOVERNANCE_UPDATED",
        "NODE_ADMITTED",
        EventRevoked.kind,
        NodePenalized.kind,
        EpochEnded.kind,
        TaskRetryScheduled.kind,
        DecisionFinalized.kind,
    }
)
"""Kinds that no statement puts out of effect: what they opened or made final stands."""


def revoke(
    governance: Governance,
    me: KeyPair,
    target: EventId,
    now_ms: int,
    *,
    state: StatementState = StatementState.REVOKED,
    reason: str | None = None,
    kind: str | None = None,
) -> Signings | Rejection:
    """Return this node's signature that an event is revoked, or restored, in a carrier of it.

    Args:
        reason: For people; by default that of those who have signed the same already.
        kind: The kind of the event, if it is known: some are never revoked.
    """
    if kind in NEVER_REVOKED:
        return refuse("not_revocable", f"{kind} stands whatever is said of it")
    said = _wanted(EventRevoked.kind, target, state, reason)
    return _state(governance, me, said, now_ms, is_any_reason=reason is None)


def penalize(
    governance: Governance,
    me: KeyPair,
    target: NodeId,
    now_ms: int,
    *,
    state: StatementState = StatementState.REVOKED,
    reason: str | None = None,
    window: tuple[int, int] | None = None,
    keep: frozenset[EventId] | None = None,
) -> Signings | Rejection:
    """Return this node's signature that a node is penalized, or restored, in a carrier of it.

    Args:
        window: From when on and before when (ms) what it says is void. keep: All that it ever said
            is void but these. One of the two, for a penalty.
    """
    if target == me.node_id and state is StatementState.REVOKED:
        return refuse("not_oneself")
    if (window is None) + (keep is None) != 1 + (state is StatementState.RESTORED):
        return Rejection(
            code="inconsistent",
            message="a penalty has a window or cuts off all, and a restoration has neither",
            details={"path": "$.window"},
        )
    said = _wanted(NodePenalized.kind, target, state, reason, window, keep)
    return _state(governance, me, said, now_ms, is_any_reason=reason is None)


def _wanted(
    kind: str,
    target: bytes,
    state: StatementState,
    reason: str | None,
    window: tuple[int, int] | None = None,
    keep: frozenset[EventId] | None = None,
) -> Statement:
    """Return what is to be said, but for its place in the order."""
    return Statement(
        kind=kind,
        target=target,
        serial=0,
        state=state,
        governance=NO_DIGEST,
        reason=reason or "",
        window=window,
        keep=keep,
    )


def _state(
    governance: Governance, me: KeyPair, wanted: Statement, now_ms: int, *, is_any_reason: bool
) -> Signings | Rejection:
    head = governance.head(now_ms)
    if head is None:
        return refuse("no_governance")
    if me.node_id not in head.finalizers:
        return refuse("missing_role", "to make a statement takes a finalizer")
    if _says_the_same(governance.statements.standing_statement(*wanted.about), wanted):
        return ()
    serial = _next_serial(governance, *wanted.about)
    said = attrs.evolve(wanted, serial=serial, governance=head.id)
    begun = _begun(governance, said, is_any_reason=is_any_reason)
    if begun is not None and me.node_id in begun.signers:
        return refuse("already_signed", f"it waits for {_missing(head, begun)} more finalizers")
    return _signed(governance, me, said if begun is None else begun.statement, begun, now_ms)


def _next_serial(governance: Governance, kind: str, target: bytes) -> int:
    """Return one more than any serial that counts: what has no quorum uses up no numbers."""
    counting = (
        each.statement.serial
        for each in governance.statements.gathered
        if each.statement.about == (kind, target) and governance.statements.is_quorate(each)
    )
    return 1 + max(counting, default=0)


def _says_the_same(standing: Statement | None, said: Statement) -> bool:
    if standing is None:
        return said.state is StatementState.RESTORED
    return (standing.state, standing.window, standing.keep) == (said.state, said.window, said.keep)


def _begun(governance: Governance, said: Statement, *, is_any_reason: bool) -> Gathered | None:
    """Return what others began to sign, of several what most did."""
    found = [
        each
        for each in governance.statements.gathered
        if each.signers and _is_alike(each.statement, said, is_any_reason=is_any_reason)
    ]
    return min(found, key=lambda each: (-len(each.signers), each.id), default=None)


def _is_alike(begun: Statement, said: Statement, *, is_any_reason: bool) -> bool:
    is_said = (begun.about, begun.serial, begun.state) == (said.about, said.serial, said.state)
    is_as_far = (begun.window, begun.keep) == (said.window, said.keep)
    is_reason = is_any_reason or begun.reason == said.reason
    return is_said and is_as_far and is_reason and begun.governance == said.governance


def _missing(head: Version, begun: Gathered) -> int:
    return max(0, head.threshold - len(begun.signers))


def _signed(
    governance: Governance,
    me: KeyPair,
    said: Statement,
    begun: Gathered | None,
    now_ms: int,
) -> Signings | Rejection:
    known = {} if begun is None else begun.signers
    try:
        signature = me.sign(statement_message(governance.network_id, said))
        draft = draft_statement(said, {**known, me.node_id: signature}, now_ms)
        read(draft.kind, draft.unsigned(governance.network_id, me.node_id).payload)
    except Malformed as error:
        return refuse(error.code, error.message, path=error.path)
    return (Signing(draft),)
