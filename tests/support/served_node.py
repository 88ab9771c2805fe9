"""A small node behind a real socket, in a thread of its own."""

import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import attrs
import trio

from tests.support.small_node import SmallNode
from wattswarm.api.app import ApiSettings, create_app
from wattswarm.api.endpoint import Bounds
from wattswarm.api.server import bind, serve
from wattswarm.config.check import Address

TOKEN: Final = "token-of-the-test"
START_S: Final = 10.0

T = TypeVar("T")


@attrs.define
class ServedNode:
    """A node that answers over HTTP, and the way to what is inside."""

    node: SmallNode
    settings: ApiSettings
    url: str = ""
    _trio: trio.lowlevel.TrioToken | None = None
    _up: threading.Event = attrs.field(factory=threading.Event)

    def run(self, function: Callable[..., Awaitable[T]], *args: object) -> T:
        """Run something in the node's thread, and return what it gives."""
        return trio.from_thread.run(function, *args, trio_token=self._trio)

    async def main(self) -> None:
        """Serve until the node stops."""
        self._trio = trio.lowlevel.current_trio_token()
        listener = bind(Address("127.0.0.1", 0), may_move=False)
        async with trio.open_nursery() as nursery:
            app = create_app(self.node, self.settings)
            self.url = await nursery.start(serve, app, listener, self.node.stopping.wait)
            self._up.set()

    def wait_up(self) -> None:
        """Return when it answers."""
        assert self._up.wait(START_S)


@contextmanager
def served_node(**changes: Any) -> Generator[ServedNode]:
    """Serve a node for as long as this lasts."""
    bounds = Bounds(
        body_bytes_max=65_536, archive_bytes_max=65_536, request_ms=5_000, page_items=50
    )
    settings = ApiSettings(
        token=TOKEN,
        host="127.0.0.1",
        bounds=bounds,
        heartbeat_ms=50,
        is_chaos_enabled=True,
        **changes,
    )
    served = ServedNode(SmallNode(), settings)
    thread = threading.Thread(target=trio.run, args=(served.main,), name="served node")
    thread.start()
    try:
        served.wait_up()
        yield served
        if not served.node.stopping.is_set():
            served.run(served.node.stop)
    finally:
        thread.join(START_S)
    assert not thread.is_alive()
