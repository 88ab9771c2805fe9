"""Documents about statements: what finalizers revoked, whom they penalized, and who signs that."""

from typing import Literal

import attrs

from wattswarm.surface.words import Hex, Time

StatementWord = Literal["revoked", "restored", "penalized", "pardoned"]
HoldWord = Literal["holds", "waits"]


@attrs.frozen(kw_only=True)
class StatementView:
    """What finalizers say together about an event or a node."""

    statement_id: Hex
    word: StatementWord
    target: Hex
    """The event, or the node."""
    state: HoldWord
    """Whether it holds, or waits for signatures."""
    serial: int
    governance: Hex
    """The version whose finalizers say it."""
    reason: str
    dated_from: Time | None
    dated_until: Time | None
    """A penalty for a time voids what is dated from the one on and before the other."""
    kept: tuple[Hex, ...] | None
    """What is left of a node that is cut off; null unless it is."""
    signers: tuple[Hex, ...]
    needed: int
    missing: int
    awaited: tuple[Hex, ...]
    """The finalizers that have not signed it, while it waits."""
    is_signed_here: bool


@attrs.frozen(kw_only=True)
class StatementPage:
    """Statements, by their targets; `next` is the cursor of the next page."""

    items: tuple[StatementView, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class EffectView:
    """What a statement would change in the task of its event."""

    task_id: Hex
    voided: int
    """Events that would lose their effect, the one itself among them."""
    regained: int
    """Events that would have their effect again."""
    state_before: str
    state_after: str


@attrs.frozen(kw_only=True)
class Stated:
    """A statement with this node's signature; `already` when what it says was so before."""

    target: Hex
    statement: StatementView | None
    """Null when there never was one: nothing is to be restored."""
    effect: EffectView | None
    """Of a dry run about an event of a task."""
    seq: int | None
    """Where the signature stands in the log, if it was given now."""
    already: bool
    is_dry_run: bool


@attrs.frozen(kw_only=True)
class EventOrder:
    """An event to be revoked or restored, by its id or a unique prefix of one in the log.

    Without a reason, who signs second takes that of the first.
    """

    event: str
    reason: str | None = None
    dry_run: bool = False


@attrs.frozen(kw_only=True)
class PenaltyOrder:
    """A node to be penalized, by its id or a unique prefix, and how far.

    Either what it dates from one time on and before another is void, or all that it ever said but
    for what is kept.
    """

    node: str
    dated_from: Time | None = None
    dated_until: Time | None = None
    cut: bool = False
    keep: tuple[str, ...] = ()
    reason: str | None = None
    dry_run: bool = False


@attrs.frozen(kw_only=True)
class PardonOrder:
    """A node whose penalty shall be taken back."""

    node: str
    reason: str | None = None
    dry_run: bool = False
