"""Changing governance: an order is read against what is known, decided on, signed and appended."""

from collections.abc import Callable

import attrs
import trio

from wattswarm.actors.runtime.world import Clock
from wattswarm.kernel import decide
from wattswarm.kernel.decide import Motion, Signings
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import NodeId
from wattswarm.operations.derivation import Governing
from wattswarm.operations.governance import find_version
from wattswarm.operations.governance_view import changes, shown, version_view
from wattswarm.operations.orders import find_node, read_date, read_order
from wattswarm.operations.speech import Pen
from wattswarm.store.pool import Reads
from wattswarm.surface.governance import Admitted, ChangeOrder, GovernanceChanged


@attrs.frozen
class _Made:
    """A motion, and the document about it."""

    motion: Motion
    document: GovernanceChanged


@attrs.define(eq=False, kw_only=True)
class Amending:
    """The writing half of `GovernanceOperations`; changes are made one after the other."""

    reads: Reads
    governing: Governing
    pen: Pen
    clock: Clock
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def change_governance(self, order: ChangeOrder) -> GovernanceChanged | Rejection:
        """Draft the next version, and answer when this node's signature stands in the log."""
        return await self._make(
            lambda governance, now_ms: self._drafted(governance, order, now_ms),
            is_dry_run=order.dry_run,
            after_restore=order.after_restore,
        )

    async def sign_version(
        self, name: str, *, dry_run: bool, after_restore: bool = False
    ) -> GovernanceChanged | Rejection:
        """Sign a version that another finalizer has drafted."""
        return await self._make(
            lambda governance, now_ms: self._signed(governance, name, now_ms),
            is_dry_run=dry_run,
            after_restore=after_restore,
        )

    async def admit_node(self, name: str, *, dry_run: bool) -> Admitted | Rejection:
        """Admit a node: its events are taken into the set from then on."""
        async with self._turn:
            now_ms = self.clock.wall_ms()
            found = await self.reads.run(
                lambda connection: self.governing.decide(
                    connection, lambda governance: self._admission(governance, name, now_ms)
                )
            )
            if isinstance(found, Rejection):
                return found
            node, signings = found
            seq = None if dry_run else await self.pen.write(signings)
        if isinstance(seq, Rejection):
            return seq
        return Admitted(node_id=node.hex(), seq=seq, already=not signings, is_dry_run=dry_run)

    # --- deciding -------------------------------------------------------------------------------

    def _drafted(
        self, governance: Governance, order: ChangeOrder, now_ms: int
    ) -> Motion | Rejection:
        effective_at = read_date(order, now_ms)
        if isinstance(effective_at, Rejection):
            return effective_at
        amendment = read_order(governance, order)
        if isinstance(amendment, Rejection):
            return amendment
        return decide.amend(
            governance,
            self.pen.key,
            amendment,
            now_ms,
            effective_at=effective_at,
            supersede=order.supersede,
            out_of_turn=order.out_of_turn,
        )

    def _signed(self, governance: Governance, name: str, now_ms: int) -> Motion | Rejection:
        version = find_version(governance, name)
        if isinstance(version, Rejection):
            return version
        return decide.co_sign(governance, self.pen.key, version.id, now_ms)

    def _admission(
        self, governance: Governance, name: str, now_ms: int
    ) -> tuple[NodeId, Signings] | Rejection:
        node = find_node(governance, name)
        if isinstance(node, Rejection):
            return node
        answer = decide.admit(governance, self.pen.key.node_id, node, now_ms)
        return answer if isinstance(answer, Rejection) else (node, answer)

    # --- making ---------------------------------------------------------------------------------

    async def _make(
        self,
        move: Callable[[Governance, int], Motion | Rejection],
        *,
        is_dry_run: bool,
        after_restore: bool = False,
    ) -> GovernanceChanged | Rejection:
        """Sign what `move` comes to; after a restore only where an operator vouches for it."""
        async with self._turn:
            now_ms = self.clock.wall_ms()
            found = await self.reads.run(
                lambda connection: self.governing.decide(
                    connection,
                    lambda governance: _made(
                        governance, move(governance, now_ms), now_ms, is_dry_run=is_dry_run
                    ),
                )
            )
            if isinstance(found, Rejection) or is_dry_run:
                return found if isinstance(found, Rejection) else found.document
            signings = found.motion.signings
            seq = await self.pen.write(_vouched(signings) if after_restore else signings)
        return seq if isinstance(seq, Rejection) else attrs.evolve(found.document, seq=seq)


def _vouched(signings: Signings) -> Signings:
    """Return the signings as of one who knows that no lock on them was ever lost."""
    return tuple(attrs.evolve(each, opened_at=None) for each in signings)


def _made(
    governance: Governance, motion: Motion | Rejection, now_ms: int, *, is_dry_run: bool
) -> _Made | Rejection:
    if isinstance(motion, Rejection):
        return motion
    version = motion.version
    is_new = version.id != motion.prev.id
    document = GovernanceChanged(
        version=shown(version, motion.signers, governance, now_ms)
        if motion.signings
        else version_view(governance, version, now_ms),
        changes=changes(version, governance) if is_new else (),
        concerns=motion.concerns,
        missing=motion.missing if is_new else 0,
        seq=None,
        already=not motion.signings,
        is_dry_run=is_dry_run,
    )
    return _Made(motion, document)
