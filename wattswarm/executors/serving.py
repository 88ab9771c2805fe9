"""Serving an executor on a socket until it is told to stop."""

import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final, TextIO, cast

import trio
from hypercorn.config import Config
from hypercorn.trio import (
    serve as serve_asgi,  # pyright: ignore[reportUnknownVariableType] - its WSGI half is untyped
)

from wattswarm.executors.abilities import Abilities
from wattswarm.executors.remembered import Remembered
from wattswarm.executors.service import Service, application
from wattswarm.kernel.errors import Malformed

GRACEFUL_S: Final = 3.0
"""How long requests may go on once the executor is told to stop."""

if TYPE_CHECKING:
    from hypercorn.typing import ASGIFramework

BACKLOG: Final = 256


async def serve(
    executor: Abilities,
    listener: socket.socket,
    *,
    bearer_token: str | None = None,
    shutdown: Callable[[], Awaitable[None]] | None = None,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled, or until `shutdown` returns; see `Executor.serve`.

    Args:
        listener: Made by `listen_on`; closed when this returns.
    """
    url = _url(listener)
    async with trio.open_nursery() as work:
        service = Service(
            executor,
            work,
            Remembered(work),
            trio.CapacityLimiter(executor.threads),
            bearer_token,
        )
        async with trio.open_nursery() as http:
            await http.start(
                partial(
                    serve_asgi,
                    cast("ASGIFramework", application(service)),
                    _config(listener),
                    shutdown_trigger=shutdown,
                    mode="asgi",
                )
            )
            task_status.started(url)
        work.cancel_scope.cancel()


async def serve_until_signal(
    executor: Abilities, listen: str, bearer_token: str | None, out: TextIO
) -> None:
    """Serve until SIGTERM or SIGINT, and tell the address in one line of JSON.

    Raises:
        Malformed: `listen` is not `host:port`.
        OSError: The address cannot be listened on.
    """
    listener = listen_on(listen)
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            url = await nursery.start(
                partial(
                    serve,
                    executor,
                    listener,
                    bearer_token=bearer_token,
                    shutdown=partial(_first, signals),
                )
            )
            said = {"event": "listening", "name": executor.name, "url": url, "pid": os.getpid()}
            out.write(f"{json.dumps(said)}\n")
            out.flush()


async def _first(signals: AsyncIterator[int]) -> None:
    async for _ in signals:
        return


def listen_on(listen: str) -> socket.socket:
    """Return a socket that listens on `host:port`.

    Raises:
        Malformed: `listen` is not `host:port`.
        OSError: The address cannot be listened on.
    """
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise Malformed(code="bad_address", message=f"{listen!r} is not host:port")
    host = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, int(port)), family=family, backlog=BACKLOG)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _config(listener: socket.socket) -> Config:
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = GRACEFUL_S
    config.loglevel = "ERROR"
    config.include_server_header = False
    return config
