"""Whether this node signs: shown, and decided by its operator after a clone or a restore."""

from collections.abc import Callable
from typing import Final

import attrs

from wattswarm.actors.runtime.actor import Logger
from wattswarm.actors.runtime.world import Clock
from wattswarm.operations.reading import LocalSession
from wattswarm.store.connection import Connection
from wattswarm.store.signing import Signing as Row
from wattswarm.store.signing import Standing
from wattswarm.surface.node import SigningView
from wattswarm.surface.words import when

REMEDY: Final = (
    "if this log was restored from a backup: `wattswarm node restored`; if another machine has the "
    "same seed: stop one of the two, and say `wattswarm node cloned` where it is not to be used"
)


@attrs.frozen(eq=False, kw_only=True)
class Signing:
    """The operator's word on who signs with this node's key."""

    local: LocalSession
    clock: Clock
    log: Logger

    async def restored(self) -> SigningView:
        """Sign again, but nothing for what was opened before this moment."""
        return await self._say("restored", Row.restored)

    async def cloned(self) -> SigningView:
        """Sign nothing: somebody else signs with this node's key."""
        return await self._say("cloned", Row.cloned)

    async def _say(self, word: str, say: Callable[[Row, int], Standing]) -> SigningView:
        now_ms = self.clock.wall_ms()
        standing = await self.local.run(lambda connection: say(Row(connection), now_ms))
        self.log.warning("the operator said who signs with this node's key", word=word)
        return signing_view(standing)


def read_signing(connection: Connection) -> SigningView:
    """Return how this node stands with its own signature."""
    return signing_view(Row(connection).standing())


def signing_view(standing: Standing) -> SigningView:
    """Return the document about a standing."""
    return SigningView(
        state=standing.word,
        since=None if standing.since_ms is None else when(standing.since_ms),
        event_id=None if standing.event_id is None else standing.event_id.hex(),
        restored_at=None if standing.restored_at_ms is None else when(standing.restored_at_ms),
    )


def stop_reason(view: SigningView) -> str | None:
    """Return in a sentence why nothing is signed, or None."""
    match view.state:
        case "free":
            return None
        case "cloned":
            return f"nothing is signed since {view.since}: another node has this one's key"
        case "suspected":
            return (
                f"nothing is signed since {view.since}: this node's key has signed event "
                f"{(view.event_id or '')[:12]}, which its log did not hold"
            )
