"""Documents about the market: claims approved of, answers taken or not, and payments."""

from typing import Literal

import attrs

from wattswarm.surface.words import Hex, Time

ApprovalWord = Literal["awaited", "approved", "declined"]
"""What the creator said of a claim, where its task asks for that."""


@attrs.frozen(kw_only=True)
class CompletionView:
    """The creator's word on a candidate that stands."""

    candidate_id: Hex
    is_accepted: bool
    is_retry_requested: bool
    reason: str
    created_at: Time


@attrs.frozen(kw_only=True)
class SettlementView:
    """The payment for the work under a claim."""

    claim_id: Hex
    node_id: Hex
    executor: str
    receipt: object
    """What both agreed on as a receipt; null without one."""
    created_at: Time
