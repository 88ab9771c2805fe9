"""What the runtime itself says to an actor, ahead of its mail and even while its inbox is full."""

from collections.abc import Callable, Mapping

import attrs


@attrs.frozen
class Tune:
    """Turn a dial; `version` is effective once this was looked at."""

    dial: str
    value: int
    version: int


@attrs.frozen(kw_only=True)
class TargetDown:
    """A monitored actor's incarnation ended; the name may be up again already."""

    actor: str
    incarnation: int
    reason: str


@attrs.frozen
class Inspect:
    """Hand the actor's own small snapshot to `answer`."""

    answer: Callable[[Mapping[str, object]], None]


SystemMessage = Tune | TargetDown | Inspect
