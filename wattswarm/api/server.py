"""Serving an application over HTTP/1.1 on one socket, until it is told to stop."""

import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, cast

import trio
from hypercorn import trio as hypercorn_trio
from hypercorn.config import Config
from starlette.types import ASGIApp

from wattswarm.config.check import Address
from wattswarm.config.errors import config_error

BACKLOG: Final = 128
GRACE_S: Final = 1.0
HEAD_BYTES_MAX: Final = 16_384
REACHABLE: Final[Mapping[str, str]] = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def bind(address: Address, *, may_move: bool) -> socket.socket:
    """Return a listening socket at an address, or at a free port beside it when that may be.

    Raises:
        ConfigError: The address cannot be had.
    """
    try:
        return _listen(address.host, address.port)
    except OSError as error:
        if may_move:
            return _listen(address.host, 0)
        raise config_error(
            "address_unavailable",
            f"the API cannot listen on {address}: {error.strerror}",
            path="api.listen",
            remedy="free the port, or set another (port 0: any free one)",
        ) from error


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL under which this machine reaches a listening socket."""
    host, port = cast("tuple[str, int]", listener.getsockname()[:2])
    return f"http://{Address(REACHABLE.get(host, host), port)}"


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    stop: Callable[[], Awaitable[Any]],
    *,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `stop` returns; requests in flight get a second to end. Owns the socket.

    `task_status.started` gives the URL once connections are accepted.
    """
    url = url_of(listener)
    config = _config(listener.detach())
    # Hypercorn's own annotation of an application is narrower than ASGI's.
    serve_asgi = cast("Callable[..., Awaitable[None]]", hypercorn_trio.serve)  # pyright: ignore[reportUnknownMemberType]
    run = partial(serve_asgi, app, config, shutdown_trigger=stop, mode="asgi")
    async with trio.open_nursery() as nursery:
        await nursery.start(run)
        _keep_from_children(config)
        task_status.started(url)


def _keep_from_children(config: Config) -> None:
    """Undo what Hypercorn does for its own workers: ours must not hold the port after a crash."""
    for name in config.bind:
        os.set_inheritable(int(name.removeprefix("fd://")), False)


def _config(fileno: int) -> Config:
    config = Config()
    config.bind = [f"fd://{fileno}"]
    config.alpn_protocols = ["http/1.1"]
    config.graceful_timeout = GRACE_S
    config.shutdown_timeout = GRACE_S
    config.h11_max_incomplete_size = HEAD_BYTES_MAX
    config.include_server_header = False
    config.errorlog = logging.getLogger("wattswarm.api")
    config.loglevel = "WARNING"
    return config
