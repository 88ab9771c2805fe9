"""The two seams between the generated `iroh` binding and this program.

The binding waits for its Rust futures on "the event loop", of which it uses three methods. Here
trio is that loop, with no other loop in between: a wait can be cancelled, and a cancelled one frees
the Rust future, which ends what it did. And the binding copies bytes one at a time; here a block is
copied at once, which makes large writes some twenty times as fast.

Source: UniFFI's generated Python code; `tests/conformance/test_links.py` holds it to this.
"""

import ctypes
import importlib
from collections.abc import Callable, Generator
from typing import Any, Final

import attrs
import trio

BINDING: Final = "iroh.iroh_ffi"
BUILDER: Final = "_UniffiRustBufferBuilder"


@attrs.define(eq=False)
class Outcome:
    """What a Rust future was found to be when it was polled: awaited by one task of trio."""

    _token: trio.lowlevel.TrioToken = attrs.field(factory=trio.lowlevel.current_trio_token)
    _is_known: trio.Event = attrs.field(factory=trio.Event)
    _poll_code: int | None = None

    def cancelled(self) -> bool:
        """Say no: whoever was cancelled does not look any more."""
        return False

    def set_result(self, poll_code: int) -> None:
        """Wake the task that waits."""
        self._poll_code = poll_code
        self._is_known.set()

    def call_soon(self, call: Callable[["Outcome", int], object], poll_code: int) -> None:
        """Have `call` made by trio, from any thread; nobody waits any more after the last run."""
        try:
            self._token.run_sync_soon(call, self, poll_code)
        except trio.RunFinishedError:
            return

    def __await__(self) -> Generator[Any, Any, int | None]:
        """Wait for the result."""
        yield from self._is_known.wait().__await__()
        return self._poll_code


class TrioLoop:
    """As much of an event loop as the binding uses, for whichever run of trio a call is made in."""

    def create_future(self) -> Outcome:
        """Return a future of the task's own run of trio."""
        return Outcome()

    def call_soon_threadsafe(
        self, call: Callable[[Outcome, int], object], outcome: Outcome, poll_code: int
    ) -> None:
        """Have the binding's own callback made in the run that waits for it."""
        outcome.call_soon(call, poll_code)


def install() -> None:
    """Put both seams in place; once more changes nothing.

    Raises:
        ImportError: The binding is not the one that this was written for.
    """
    binding: Any = importlib.import_module(BINDING)
    builder: Any = getattr(binding, BUILDER, None)
    if not hasattr(binding, "uniffi_set_event_loop") or not hasattr(builder, "_reserve"):
        raise ImportError(f"{BINDING} is not the binding that this version was written for")
    binding.uniffi_set_event_loop(TrioLoop())
    builder.write = _write_block


def _write_block(builder: Any, block: bytes) -> None:
    """Append a block to a buffer of the Rust side: room is made for all of it first."""
    size = len(block)
    with builder._reserve(size):
        if size:
            end = ctypes.addressof(builder.rbuf.data.contents) + builder.rbuf.len
            ctypes.memmove(end, bytes(block), size)
