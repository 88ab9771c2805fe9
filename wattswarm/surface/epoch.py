"""Documents about the epochs of continuous tasks, and about their ends."""

import attrs

from wattswarm.surface.words import Hex, Time


@attrs.frozen(kw_only=True)
class EndingView:
    """Signatures of finalizers that an epoch is over, by the pin that is to follow."""

    next_pin: Hex
    signers: tuple[Hex, ...]
    threshold: int
    missing: int


@attrs.frozen(kw_only=True)
class EpochView:
    """An epoch of a continuous task that was opened; none is closed for what names it."""

    epoch: int
    pin: Hex
    version: int | None
    """The number of the governance version that it runs under; null while that is not here."""
    opened_at: Time
    expires_at: Time
    is_newest: bool
    """Whether it is this one that is worked on."""
    candidate_id: Hex | None
    """What it is final with."""
    is_disputed: bool
    endings: tuple[EndingView, ...]
