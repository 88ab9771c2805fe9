"""Keeps what executors answered: what came while one transaction ran goes into the next, together.

One session, so one transaction at a time; without this, each answer would wait for all before it.
"""

from collections.abc import Awaitable, Callable, Sequence

import attrs
import trio

from wattswarm.store.errors import StoreError
from wattswarm.store.local import Execution


@attrs.define(eq=False)
class _Waiting:
    execution: Execution
    is_done: bool = False
    error: StoreError | None = None


@attrs.define
class Keeper:
    """Stores answers in few transactions.

    Args:
        store: Keeps answers for good, all or none.

    Attributes:
        turn: Held while answers are being stored.
    """

    store: Callable[[Sequence[Execution]], Awaitable[None]]
    turn: trio.Lock = attrs.field(init=False, factory=trio.Lock)
    _waiting: list[_Waiting] = attrs.field(factory=list[_Waiting])

    async def keep(self, execution: Execution) -> None:
        """Return when the answer is on the disk.

        Raises:
            StoreFull, StoreUnavailable: It is not.
        """
        mine = _Waiting(execution)
        self._waiting.append(mine)
        async with self.turn:
            if not mine.is_done:
                await self._keep_all()
        assert mine.is_done, "whoever kept it before us died of it"
        if mine.error is not None:
            raise mine.error

    async def _keep_all(self) -> None:
        """Store what waits, and tell everybody how that went."""
        batch, self._waiting = self._waiting, []
        try:
            await self.store([each.execution for each in batch])
        except StoreError as error:
            for each in batch:
                each.error = error
        for each in batch:
            each.is_done = True
