"""The answer that is an archive of events: sent as it is made, ended early by either side.

An archive that ends without its trailer says so itself: nothing more needs to be told to a client
when the database goes away half-way.
"""

from contextlib import aclosing
from typing import Final

import attrs
import structlog
import trio
from starlette.types import Receive, Scope, Send

from wattswarm.kernel.archive import MEDIA_TYPE
from wattswarm.kernel.errors import WattSwarmError
from wattswarm.surface.log import EventArchive

HEADERS: Final = [
    (b"content-type", MEDIA_TYPE.encode()),
    (b"content-disposition", b'attachment; filename="events.wattswarm"'),
]
STALL_S: Final = 60.0
"""Longest time that a client takes no byte of what is sent."""


@attrs.frozen(eq=False)
class ArchiveResponse:
    """An ASGI response that goes on until the archive has been sent or the client has left."""

    archive: EventArchive

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the archive, a page of the log at a time."""
        await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._await_end, receive, nursery.cancel_scope)
            await self._pump(send)
            nursery.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pump(self, send: Send) -> None:
        try:
            async with aclosing(self.archive.chunks) as chunks:
                async for chunk in chunks:
                    with trio.fail_after(STALL_S):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except (WattSwarmError, trio.TooSlowError) as error:
            structlog.get_logger().warning("an archive ends early", reason=str(error))

    async def _await_end(self, receive: Receive, scope: trio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()
