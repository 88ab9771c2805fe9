"""Reads the configuration file again when asked to, and turns the dials that it changed."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

import attrs
import trio

from wattswarm.actors.messages import ConfigWatcherMessage
from wattswarm.actors.runtime.actor import Actor, Context
from wattswarm.actors.runtime.errors import Down, OutOfRange
from wattswarm.config.errors import ConfigError
from wattswarm.config.load import load
from wattswarm.config.setting import Plain

LIVE: Final = frozenset({"instances", "concurrency", "inbox", "batch", "hang_after_ms"})
"""Settings of an actor that are dials of the running one; others take effect at the next start."""


@attrs.define(kw_only=True)
class ConfigWatcher(Actor[ConfigWatcherMessage]):
    """Compares the file with what was read before. Args: path: Of the configuration file."""

    points: ClassVar[tuple[str, ...]] = ("reload.before",)

    path: str
    _values: Mapping[str, Plain] = attrs.field(init=False, factory=dict[str, Plain])
    _reloads: int = attrs.field(init=False, default=0)

    async def recover(self, ctx: Context) -> None:
        """Remember what the file says now."""
        self._values = await self._read() or {}

    async def handle(self, msg: ConfigWatcherMessage, ctx: Context) -> None:
        """Turn the dials that the file says otherwise than before."""
        await ctx.point("reload.before")
        before, now = self._values, await self._read()
        if now is None:
            ctx.log.error("the configuration cannot be read: nothing was changed", path=self.path)
            return
        self._values, self._reloads = now, self._reloads + 1
        for name in sorted(now):
            if before.get(name) != now[name]:
                await self._apply(name, now[name], ctx)

    def snapshot(self) -> Mapping[str, object]:
        """Return how often the file was read again."""
        return {"reloads": self._reloads}

    async def _read(self) -> Mapping[str, Plain] | None:
        try:
            loaded = await trio.to_thread.run_sync(load, Path(self.path), dict(os.environ))
        except ConfigError:
            return None
        return loaded.values

    async def _apply(self, name: str, value: Plain, ctx: Context) -> None:
        match name.split("."):
            case ["actors", actor, setting] if setting in LIVE and type(value) is int:
                try:
                    await ctx.tree.tune(actor, setting, value)
                except (OutOfRange, LookupError, Down) as error:
                    ctx.log.error("dial not turned", setting=name, reason=str(error))
                else:
                    ctx.log.info("dial turned", setting=name, value=value)
            case _:
                ctx.log.warning("takes effect at the next start", setting=name)
