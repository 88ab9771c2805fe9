"""Waiting for what another process will do: it is looked at until it is so."""

from collections.abc import Awaitable, Callable
from typing import Final

import trio

POLL_S: Final = 0.03


async def is_soon(is_so: Callable[[], Awaitable[bool]], patience_s: float) -> bool:
    """Return whether something is so, as soon as it is, or when patience ends."""
    with trio.move_on_after(patience_s):
        while True:
            if await is_so():
                return True
            await trio.sleep(POLL_S)
    return False
