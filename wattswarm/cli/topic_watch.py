"""Following topics: news over the stream name messages, and each is asked for."""

import queue
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from typing import Final

import attrs

from wattswarm.cli.client import Access, Client, open_client
from wattswarm.cli.failure import Failure
from wattswarm.surface.board import MessageView
from wattswarm.surface.log import LogHead
from wattswarm.surface.stream import EventNews

KIND: Final = "TOPIC_MESSAGE_POSTED"
HEARD_MAX: Final = 256
"""Messages that wait to be asked for; beyond them the stream is not read, and the log keeps them.
"""

RETRY_S: Final = 1.0
LOOK_S: Final = 1.0


def follow(
    client: Client, *, feed_key: str | None, scope: str | None, timeout_s: float | None
) -> Generator[MessageView]:
    """Yield the messages of a feed and a scope (None: of all) that come from now on.

    Raises:
        Failure: `timed_out` when the time is over, or what the node answers.
    """
    end = None if timeout_s is None else time.monotonic() + timeout_s
    ear = Ear(client.access, client.get(LogHead, "/log/head").seq)
    ear.start()
    while end is None or time.monotonic() < end:
        left_s = LOOK_S if end is None else end - time.monotonic()
        name = ear.next(min(max(left_s, 0.0), LOOK_S))
        message = None if name is None else _message(client, name)
        if message is not None and _fits(message, feed_key, scope):
            yield message
    raise Failure(code="timed_out", message=f"no more was said within {timeout_s} s")


def _message(client: Client, name: str) -> MessageView | None:
    """Return a message; None when it is ignored."""
    try:
        return client.get(MessageView, f"/topics/messages/{name}")
    except Failure as failure:
        if failure.code == "not_found":
            return None
        raise


def _fits(message: MessageView, feed_key: str | None, scope: str | None) -> bool:
    return feed_key in (None, message.feed_key) and scope in (None, message.scope)


@attrs.define
class Ear:
    """Hears which messages come into the log after a seq; a stream that breaks is opened again."""

    access: Access
    seq: int
    _heard: queue.Queue[str] = attrs.field(factory=lambda: queue.Queue[str](HEARD_MAX))

    def start(self) -> None:
        """Listen until the process ends."""
        threading.Thread(target=self._listen, name="stream", daemon=True).start()

    def next(self, timeout_s: float) -> str | None:
        """Return the next message's id, or None when none came in time."""
        try:
            return self._heard.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def _listen(self) -> None:
        while True:
            with suppress(Failure):  # the node restarts, or is busy: the log keeps what is missed
                self._read()
            time.sleep(RETRY_S)

    def _read(self) -> None:
        with open_client(self.access) as client, client.stream(after=self.seq) as news:
            for item in news:
                if isinstance(item, EventNews) and item.task_id is None:
                    if item.event_kind == KIND:
                        self._heard.put(item.event_id)
                    # An event without a task is told in its turn: all before it were told.
                    self.seq = max(self.seq, item.seq)
