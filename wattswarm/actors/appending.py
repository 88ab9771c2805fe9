"""Getting events into the log: ask the writer, and ask again while it is being restarted.

Repeating is safe: the log knows its events by id, and answers "already there".
"""

from typing import Final, TypeAlias

import trio

from wattswarm.actors.messages import Append, Appended, AppendRefused
from wattswarm.actors.runtime.actor import Context
from wattswarm.actors.runtime.errors import Down, Refused, RemoteFailure, TooSlow

Answer: TypeAlias = Appended | AppendRefused

WRITER: Final = "sel_writer"
TRY_S: Final = 10.0
PAUSE_S_MIN: Final = 0.02
PAUSE_S_MAX: Final = 1.0
CRASHES_MAX: Final = 2
"""A request that crashes the writer more often is not asked again: it may be what does it."""


async def append(ctx: Context, request: Append, *, deadline_s: float) -> Answer:
    """Return the writer's answer; when it is given, the events are durable or will never be.

    Raises:
        Down, TooSlow, Refused: The writer did not answer within `deadline_s`. The events may be in
            the log; appending them again will tell.
        RemoteFailure: The writer crashed over this request, again and again.
    """
    dice = ctx.rng("append")
    give_up = trio.current_time() + deadline_s
    pause_s = PAUSE_S_MIN
    crashes = 0
    while True:
        left_s = give_up - trio.current_time()
        try:
            return await ctx.ref(WRITER).ask(request, deadline_s=min(TRY_S, max(left_s, 0.001)))
        except (Down, TooSlow, Refused):
            if trio.current_time() + pause_s >= give_up:
                raise
        except RemoteFailure:
            crashes += 1
            if crashes > CRASHES_MAX:
                raise
        await trio.sleep(pause_s * dice.uniform(0.5, 1.0))
        pause_s = min(2 * pause_s, PAUSE_S_MAX)
