"""Which instance of an actor a message belongs to: by its key, the same in every process."""

from zlib import crc32

import attrs

from wattswarm.actors.runtime.inbox import Inbox
from wattswarm.actors.runtime.spec import INSTANCES_MAX


@attrs.define(eq=False)
class LocalPool:
    """The inboxes of one actor that lives here; its instances may change while it runs."""

    inboxes: list[Inbox]
    shard_by: str | None
    capacity: int
    """As declared: both ends of a link compute the window from it, however the dial is turned."""

    def owner_of(self, message: object, instance: int | None = None) -> Inbox:
        """Return the inbox that a message belongs to.

        A key decides, whatever instance the sender named: it may not know yet that they changed.
        """
        if len(self.inboxes) == 1:
            return self.inboxes[0]
        key = None if self.shard_by is None else getattr(message, self.shard_by, None)
        if key is not None:
            return self.inboxes[shard_of(key, len(self.inboxes))]
        if instance is not None and instance < len(self.inboxes):
            return self.inboxes[instance]
        return min(self.inboxes, key=lambda inbox: len(inbox.user))


def block_of(number: int) -> tuple[int, int]:
    """Return which block an actor's number on links is of, and which instance it is in it."""
    return divmod(number - 1, INSTANCES_MAX)


def shard_of(key: object, shards: int) -> int:
    """Return which of `shards` instances a key belongs to: the same in every process and every
    run."""
    raw = key if isinstance(key, bytes) else str(key).encode()
    return crc32(raw) % shards
