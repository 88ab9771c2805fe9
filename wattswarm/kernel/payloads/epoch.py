"""The end of an epoch, which opens the next one."""

from typing import ClassVar, Final

import attrs

from wattswarm.kernel.ids import Digest
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form
from wattswarm.kernel.payloads.signatures import Signatures, read_signatures


@attrs.frozen(kw_only=True)
class EpochEnded:
    """The epoch under `pin` is over, and the next is open under `next_pin`.

    Whoever carries the signatures, they are gathered by that.
    """

    kind: ClassVar[str] = "EPOCH_ENDED"

    pin: Digest
    next_pin: Digest
    reason: str
    sigs: Signatures


FORMS: Final = (
    Form(
        EpochEnded.kind,
        EpochEnded,
        {
            "pin": form.id32,
            "next_pin": form.id32,
            "reason": form.reason,
            "sigs": read_signatures,
        },
    ),
)
