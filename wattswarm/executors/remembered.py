"""Answers by `Idempotency-Key`: what was done is not done twice while its answer is remembered.

A second request with a key whose work is still going on waits for the first one's outcome.
Successes are remembered, within bounds, least recently used first out; failures are not, so that
the work may be tried again.

Source: draft-ietf-httpapi-idempotency-key-header.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

import attrs
import trio

from wattswarm.executors.contract import Progress

ENTRIES_MAX: Final = 1_024
BYTES_MAX: Final = 64 * 1_048_576

OnProgress = Callable[[Progress], None]


@attrs.frozen
class Reply:
    """What a request is answered with: a status and a JSON body."""

    status: int
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the work was done."""
        return self.status == 200


Work = Callable[[OnProgress], Awaitable[Reply]]
"""Does the work; never raises but when it is cancelled."""


class KeyReused(Exception):
    """The key came before, with another request."""


@attrs.frozen
class Key:
    """What a request is recognised by: the call, and the caller's key."""

    call: str
    text: str


@attrs.frozen
class _Kept:
    request_digest: bytes
    reply: Reply


@attrs.define
class _UnderWay:
    request_digest: bytes
    listeners: list[OnProgress] = attrs.field(factory=list[OnProgress])
    ended: trio.Event = attrs.field(factory=trio.Event)
    reply: Reply | None = None

    def tell(self, progress: Progress) -> None:
        for listener in self.listeners:
            listener(progress)


@attrs.define
class Remembered:
    """The memory of one executor; its nursery outlives every request, so that work does too."""

    _nursery: trio.Nursery
    entries_max: int = ENTRIES_MAX
    bytes_max: int = BYTES_MAX
    _kept: OrderedDict[Key, _Kept] = attrs.field(factory=OrderedDict[Key, _Kept], init=False)
    _under_way: dict[Key, _UnderWay] = attrs.field(factory=dict[Key, _UnderWay], init=False)
    _bytes: int = attrs.field(default=0, init=False)

    async def reply(
        self, key: Key, request_digest: bytes, work: Work, on_progress: OnProgress
    ) -> Reply:
        """Return the reply that belongs to `key`, by doing `work` unless that was done before.

        The work goes on when the caller is cancelled: its reply is kept for whoever asks again.

        Raises:
            KeyReused: The key came before with another request.
        """
        kept = self._kept.get(key)
        if kept is not None:
            _check_same(kept.request_digest, request_digest)
            self._kept.move_to_end(key)
            return kept.reply
        under_way = self._under_way.get(key)
        if under_way is None:
            under_way = self._under_way[key] = _UnderWay(request_digest)
            self._nursery.start_soon(self._do, key, under_way, work)
        _check_same(under_way.request_digest, request_digest)
        return await _wait(under_way, on_progress)

    async def _do(self, key: Key, under_way: _UnderWay, work: Work) -> None:
        try:
            under_way.reply = await work(under_way.tell)
        finally:
            del self._under_way[key]
            under_way.ended.set()
        if under_way.reply.is_success:
            self._keep(key, _Kept(under_way.request_digest, under_way.reply))

    def _keep(self, key: Key, kept: _Kept) -> None:
        self._kept[key] = kept
        self._bytes += len(kept.reply.body)
        while self._kept and (len(self._kept) > self.entries_max or self._bytes > self.bytes_max):
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped.reply.body)


async def _wait(under_way: _UnderWay, on_progress: OnProgress) -> Reply:
    under_way.listeners.append(on_progress)
    try:
        await under_way.ended.wait()
    finally:
        under_way.listeners.remove(on_progress)
    # Work ends without a reply only when everything is being cancelled.
    return under_way.reply or Reply(503, b"{}")


def _check_same(before: bytes, now: bytes) -> None:
    if before != now:
        raise KeyReused
