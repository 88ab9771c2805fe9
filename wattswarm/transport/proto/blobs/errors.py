"""What is wrong with bytes that came from a peer."""

from typing import ClassVar

import attrs

from wattswarm.kernel.errors import Malformed


@attrs.define(eq=False, kw_only=True)
class WrongBytes(Malformed):
    """What was sent is not what the hash names; `offset` is where in the body the bad part begins.

    Only whoever sent it can be to blame: a peer that passes on what it verified never does.
    """

    offset: int


@attrs.define(eq=False, kw_only=True)
class CutOff(Malformed):
    """The stream ended before its end; what was delivered before is verified, and can be kept."""


@attrs.define(eq=False, kw_only=True)
class NotHeld(Malformed):
    """The answer is empty: the provider does not have the body, which is no offence."""


@attrs.define(eq=False, kw_only=True)
class NotServed(Malformed):
    """A request of a kind that is known and not served; the stream is reset with `RESET_CODE`."""

    RESET_CODE: ClassVar[int] = 1
    """Upstream's "permission": asking again is of no use."""

    kind: int
