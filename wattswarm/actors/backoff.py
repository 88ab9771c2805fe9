"""Waiting for the store: a database that is away is a state, not a crash."""

from collections.abc import Callable
from typing import Final, TypeVar

import trio

from wattswarm.actors.runtime.actor import Context
from wattswarm.store.errors import StoreUnavailable

T = TypeVar("T")

PAUSE_S_MIN: Final = 0.02
PAUSE_S_MAX: Final = 2.0
WAIT_S_MAX: Final = 600.0
"""A database that is away for longer is a crash after all, and seen by the supervisor."""


async def until_available(ctx: Context, attempt: Callable[[], T]) -> T:
    """Return what `attempt` returns, run in a thread, again and again while the store is away.

    Raises:
        StoreUnavailable: It stayed away for ten minutes.
    """
    dice = ctx.rng("backoff")
    pause_s = PAUSE_S_MIN
    give_up = trio.current_time() + WAIT_S_MAX
    while True:
        try:
            made = await trio.to_thread.run_sync(attempt)
        except StoreUnavailable as error:
            if trio.current_time() >= give_up:
                raise
            ctx.waiting(f"the database ({error})")
        else:
            if pause_s > PAUSE_S_MIN:
                ctx.waited()
            return made
        await trio.sleep(pause_s * dice.uniform(0.5, 1.0))
        pause_s = min(2 * pause_s, PAUSE_S_MAX)
