"""What has become of an event of governance."""

import enum
from typing import Final

import attrs

from wattswarm.kernel.ids import Digest


class Word(enum.StrEnum):
    """What has become of an event."""

    EFFECTIVE = "effective"
    WAITING = "waiting"
    IGNORED = "ignored"


@attrs.frozen
class Standing:
    """What has become of one governance event.

    `code` says why an ignored event has no effect; a waiting one waits for the content that `of`
    names: for its predecessor to become valid (`predecessor`), or for more signatures on itself
    (`quorum`).
    """

    word: Word
    code: str = ""
    of: Digest | None = None


EFFECTIVE: Final = Standing(Word.EFFECTIVE)
