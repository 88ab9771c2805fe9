"""The actor that serves the HTTP API: binds the port, says where it is, and answers.

It holds nothing that matters: whatever a request changes is in the log, in the database or in the
tree when it is answered.
"""

import os
import socket
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

import attrs
import psutil
import trio
from starlette.types import ASGIApp, Receive, Scope, Send

from wattswarm import __version__
from wattswarm.actors.appending import append
from wattswarm.actors.messages import HttpApiMessage
from wattswarm.actors.runtime.actor import Actor, Context
from wattswarm.actors.runtime.errors import InjectedCrash
from wattswarm.api.app import api_settings, create_app
from wattswarm.api.server import bind, serve, url_of
from wattswarm.config.check import read_address
from wattswarm.config.load import Layer, LoadedConfig, merge
from wattswarm.config.state_dir import NodeFile, StateDir
from wattswarm.kernel.signature import KeyPair
from wattswarm.operations.ground import Surroundings
from wattswarm.operations.operations import Operations
from wattswarm.store.connection import Database
from wattswarm.surface.words import when

LISTEN: Final = "api.listen"
APPEND_S: Final = 25.0
"""Within `api.request_ms` by default, so that a caller hears of a slow log by its own code."""


@attrs.define(kw_only=True)
class HttpApi(Actor[HttpApiMessage]):
    """Serves a node's operations over HTTP.

    Args:
        values, sources: The configuration, each value by its path, and where it came from.
    """

    points: ClassVar[tuple[str, ...]] = ("bind.before", "serve.before", "request.before")

    dsn: str = attrs.field(repr=False)
    schema: str
    network_id: str
    state_dir: str
    values: Mapping[str, Any] = attrs.field(repr=False)
    sources: Mapping[str, str] = attrs.field(repr=False)
    _operations: Operations = attrs.field(init=False)
    _listener: socket.socket = attrs.field(init=False)
    _app: ASGIApp = attrs.field(init=False)
    _url: str = attrs.field(init=False, default="")
    _started_ms: int = attrs.field(init=False, default=0)
    _crash: InjectedCrash | None = attrs.field(init=False, default=None)
    _crashed: trio.Event = attrs.field(init=False, factory=trio.Event)
    _closing: trio.Event = attrs.field(init=False, factory=trio.Event)
    _closed: trio.Event = attrs.field(init=False, factory=trio.Event)

    @property
    def _state(self) -> StateDir:
        return StateDir(Path(self.state_dir))

    async def recover(self, ctx: Context) -> None:
        """Have the port and the operations behind it, and say where that is."""
        loaded = restored(self.values, self.sources)
        address = read_address(loaded.config.api.listen)
        assert address is not None, "the configuration was checked"
        settings = api_settings(loaded.config, token=self._state.token(), host=address.host)
        # Of the process, and not of this incarnation: that is what people mean by the node.
        self._started_ms = int(psutil.Process().create_time() * 1_000)
        await ctx.point("bind.before")
        self._listener = bind(address, may_move=not loaded.is_set(LISTEN))
        self._url = url_of(self._listener)
        self._operations = Operations(self._surroundings(loaded, ctx))
        self._app = create_app(self._operations, settings)
        # The port takes connections already; they are served once `run` has begun.
        self._state.write_node_file(self._node_file())
        ctx.log.info("the API listens", url=self._url)

    async def run(self, ctx: Context) -> None:
        """Serve until stopped."""
        try:
            await ctx.point("serve.before")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._operations.run)
                nursery.start_soon(self._await_crash)
                await nursery.start(self._serve, ctx, nursery.cancel_scope)
        finally:
            self._operations.close()
            self._closed.set()

    async def handle(self, msg: HttpApiMessage, ctx: Context) -> None:
        """Wake whoever follows the log or waits for the projections."""
        self._operations.heard(msg)

    async def stopping(self, ctx: Context) -> None:
        """Take no more connections, and give requests in flight a moment to end."""
        self._state.remove_node_file()
        self._operations.announcements.stop()
        self._closing.set()
        await self._closed.wait()

    def snapshot(self) -> Mapping[str, object]:
        """Return where the API is, and what long work is in hand."""
        return {"url": self._url, "in_hand": dict(self._operations.progress)}

    # --- within ---------------------------------------------------------------------------------

    async def _serve(
        self,
        ctx: Context,
        done: trio.CancelScope,
        *,
        task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        app = self._through_point(ctx)
        await serve(app, self._listener, self._closing.wait, task_status=task_status)
        done.cancel()

    def _through_point(self, ctx: Context) -> ASGIApp:
        """Return the application behind the fault point that every request passes."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await ctx.point("request.before")
            except InjectedCrash as error:
                self._crash = error
                self._crashed.set()
                await trio.sleep_forever()
            await self._app(scope, receive, send)

        return app

    async def _await_crash(self) -> None:
        """End this incarnation by the crash that a request met: a server would swallow it."""
        await self._crashed.wait()
        assert self._crash is not None
        raise self._crash

    def _surroundings(self, loaded: LoadedConfig, ctx: Context) -> Surroundings:
        return Surroundings(
            database=Database(self.dsn, self.schema),
            state_dir=self._state,
            loaded=loaded,
            network_id=self.network_id,
            key=KeyPair.from_seed(ctx.secret("seed")),
            api_url=self._url,
            started_ms=self._started_ms,
            tree=ctx.tree,
            ref=ctx.ref,
            append=partial(append, ctx, deadline_s=APPEND_S),
            environ=os.environ,
            clock=ctx.clock,
            dice=ctx.rng("operations"),
            log=ctx.log,
        )

    def _node_file(self) -> NodeFile:
        started_at = when(self._started_ms)
        return NodeFile(
            pid=os.getpid(), api_url=self._url, version=__version__, started_at=started_at
        )


def restored(values: Mapping[str, Any], sources: Mapping[str, str]) -> LoadedConfig:
    """Return the configuration that these values are of: what another process loaded."""
    return merge([Layer(sources[path], {path: value}) for path, value in values.items()])
