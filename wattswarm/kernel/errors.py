"""The roots of our errors and refusals.

Errors are split by what the catcher does. Refusals are values: a command that must not be signed
gets a `Rejection`, an event without effect gets a verdict, and neither is raised.
"""

from collections.abc import Mapping
from typing import ClassVar

import attrs


class WattSwarmError(Exception):
    """Root of all errors of ours; never raised itself."""

    code: ClassVar[str] = "internal"


@attrs.define(eq=False, kw_only=True)
class Malformed(WattSwarmError):
    """Bytes or a document that cannot be what they claim to be.

    `path` is a JSON path into the document (`$` for the whole); `code` says which rule was broken.
    """

    code: str = "malformed"  # pyright: ignore[reportIncompatibleVariableOverride]
    path: str = "$"
    message: str

    def __str__(self) -> str:
        return f"{self.message} (at {self.path})" if self.path != "$" else self.message


@attrs.frozen(kw_only=True)
class Rejection:
    """A command that the rules refuse before anything is signed.

    `code` is stable and public, `message` says what, why and what to do; `details` are for
    machines.
    """

    code: str
    message: str
    details: Mapping[str, object] = attrs.field(factory=dict[str, object])

    def __str__(self) -> str:
        return self.message
