"""Who signs with this node's key: the operator's word on it, and what an import may bring to light.

The word is taken with a node and without one: after a restore it is best said before a node starts.
"""

from collections.abc import Callable
from typing import Final

import attrs

from wattswarm.cli.client import Client
from wattswarm.cli.output import Output
from wattswarm.cli.session import Session
from wattswarm.kernel.event import Event
from wattswarm.kernel.ids import short
from wattswarm.operations.signing import REMEDY, stop_reason
from wattswarm.store.signing import Signing, Standing
from wattswarm.surface.node import NodeView, SigningView


@attrs.frozen
class Word:
    """What an operator says: its route, and how it is kept."""

    path: str
    say: Callable[[Signing, int], Standing]


RESTORED: Final = Word("/node/restored", Signing.restored)
CLONED: Final = Word("/node/cloned", Signing.cloned)


def take(session: Session, word: Word, *, is_up: bool) -> SigningView:
    """Take a word to the node, or into its database."""
    if is_up:
        with session.client() as client:
            return say(client, word)
    from wattswarm.cli import offline

    session.out.note("no node runs here: opening its database")
    return offline.say_signing(session.config(), session.state, word.say)


def say(client: Client, word: Word) -> SigningView:
    """Take a word to the node."""
    return client.post(SigningView, word.path)


def warn(client: Client, out: Output) -> None:
    """Tell whether the node has stopped signing, and what to do then."""
    reason = stop_reason(client.get(NodeView, "/node").signing)
    if reason is not None:
        out.note(f"{reason}: {REMEDY}")


def alarm(out: Output) -> Callable[[Event], None]:
    """Return what tells of the event that stops signing."""
    return lambda event: out.note(
        f"nothing is signed from now on: this node's key has signed {event.kind} "
        f"{short(event.event_id)}, which its log did not hold: {REMEDY}"
    )
