"""What has become of an event of governance."""

import enum
from typing import Final

import attrs

from wattswarm.kernel.ids import Digest
from wattswarm.kernel.verdict import Effective, Ignored, Need, On, Verdict, Waiting


class Word(enum.StrEnum):
    """What has become of an event."""

    EFFECTIVE = "effective"
    WAITING = "waiting"
    IGNORED = "ignored"


@attrs.frozen
class Standing:
    """What has become of one governance event.

    `code` says why an ignored event has no effect; a waiting one waits for the content that `of`
    names: for its predecessor (`predecessor`) or its version (`version`) to become valid, or for
    more signatures on itself (`quorum`).
    """

    word: Word
    code: str = ""
    of: Digest | None = None

    @property
    def verdict(self) -> Verdict:
        """The same as the verdict on an event."""
        match self.word:
            case Word.EFFECTIVE:
                return Effective()
            case Word.IGNORED:
                return Ignored(self.code)
            case Word.WAITING:  # exhaustive
                on = On.QUORUM if self.code == "quorum" else On.VERSION
                assert self.of is not None, "what waits names what it waits for"
                return Waiting((Need(on, self.of),))


EFFECTIVE: Final = Standing(Word.EFFECTIVE)
