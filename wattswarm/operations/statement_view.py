"""Statements as people read them; pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from wattswarm.kernel.governance import Governance
from wattswarm.kernel.governance.statement import Statement, statement_hash
from wattswarm.kernel.governance.statements import Gathered
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.payloads.statement import EventRevoked, NodePenalized, StatementState
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.views import state_word
from wattswarm.store.log_record import LogRow
from wattswarm.surface.statement import EffectView, StatementView, StatementWord
from wattswarm.surface.words import when

WORDS: Final[Mapping[tuple[str, StatementState], StatementWord]] = {
    (EventRevoked.kind, StatementState.REVOKED): "revoked",
    (EventRevoked.kind, StatementState.RESTORED): "restored",
    (NodePenalized.kind, StatementState.REVOKED): "penalized",
    (NodePenalized.kind, StatementState.RESTORED): "pardoned",
}


def notable(governance: Governance, now_ms: int) -> Iterator[Gathered]:
    """Yield the statements that hold, and those that wait and are signed further by honest nodes.

    These are of the version in effect, and would hold if they had their quorum.
    """
    statements, head = governance.statements, governance.head(now_ms)
    for each in statements.gathered:
        is_current = head is not None and each.statement.governance == head.id
        if statements.is_quorate(each):
            is_notable = statements.holding(*each.statement.about) is each
        else:
            is_notable = is_current and bool(each.signers) and statements.would_hold(each)
        if is_notable:
            yield each


def statement_view(
    said: Statement, signers: Collection[NodeId], governance: Governance, me: NodeId
) -> StatementView:
    """Return a statement as it is once these have signed it."""
    version = governance.version(said.governance)
    assert version is not None, "who signs for a version that is not known is not known either"
    missing = max(0, version.threshold - len(signers))
    begin, end = (None, None) if said.window is None else map(when, said.window)
    return StatementView(
        statement_id=statement_hash(governance.network_id, said).hex(),
        word=WORDS[said.kind, said.state],
        target=said.target.hex(),
        state="waits" if missing else "holds",
        serial=said.serial,
        governance=said.governance.hex(),
        reason=said.reason,
        dated_from=begin,
        dated_until=end,
        kept=None if said.keep is None else tuple(name.hex() for name in sorted(said.keep)),
        signers=_hex(signers),
        needed=version.threshold,
        missing=missing,
        awaited=_hex(version.finalizers - set(signers)) if missing else (),
        is_signed_here=me in signers,
    )


def effect_view(
    before: TaskState, after: TaskState, rows: Sequence[LogRow], now_ms: int
) -> EffectView:
    """Return how a task would be different."""
    names = [row.event_id for row in rows]
    had = {name for name in names if before.verdict(name) is None}
    has = {name for name in names if after.verdict(name) is None}
    return EffectView(
        task_id=before.task_id.hex(),
        voided=len(had - has),
        regained=len(has - had),
        state_before=state_word(before, now_ms),
        state_after=state_word(after, now_ms),
    )


def _hex(nodes: Collection[NodeId]) -> tuple[str, ...]:
    return tuple(node.hex() for node in sorted(nodes))
