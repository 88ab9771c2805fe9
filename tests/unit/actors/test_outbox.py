"""Events of others on their way to the writer."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import attrs
import pytest
import trio
import trio.testing

from wattswarm.actors.messages import Append, Appended, AppendRefused
from wattswarm.actors.outbox import EVENTS_MAX, Outbox
from wattswarm.actors.runtime.errors import Down, Execution

if TYPE_CHECKING:
    from wattswarm.actors.runtime.actor import Context

BAD = b"bad"


@attrs.define
class Writer:
    """Numbers what it is sent, refuses what is bad, and may be away."""

    requests: list[Append] = attrs.field(factory=list[Append])
    is_away: bool = False
    written: int = 0

    async def ask(self, request: Append, *, deadline_s: float) -> Appended | AppendRefused:
        await trio.sleep(0.01)
        if self.is_away:
            raise Down(actor="sel_writer", execution=Execution.NOT_STARTED, reason="away")
        self.requests.append(request)
        if BAD in request.events:
            return AppendRefused("unstorable", "bad")
        first = self.written + 1
        self.written += len(request.events)
        seqs = tuple(range(first, self.written + 1))
        return Appended(seqs=seqs, already=(False,) * len(seqs), head=self.written, term=1)


@attrs.frozen
class Surroundings:
    """As much of a context as appending takes."""

    writer: Writer

    def ref(self, name: str) -> Writer:
        return self.writer

    def rng(self, name: str) -> Any:
        return random.Random(name)


async def deliver(
    writer: Writer, parts: list[tuple[bytes, ...]], heard: Callable[[int, object], None]
) -> None:
    """Send all parts at once through an outbox with two loops."""
    outbox = Outbox()
    ctx = cast("Context", Surroundings(writer))

    async def send(index: int) -> None:
        try:
            heard(index, await outbox.send(parts[index]))
        except Down as error:
            heard(index, error)

    async with trio.open_nursery() as loops:
        for _ in range(2):
            loops.start_soon(outbox.deliver, ctx)
        async with trio.open_nursery() as senders:
            for index in range(len(parts)):
                senders.start_soon(send, index)
        loops.cancel_scope.cancel()


async def test_what_came_meanwhile_goes_in_one_request_and_each_sender_hears_of_its_own(
    autojump_clock: trio.testing.MockClock,
) -> None:
    writer, answers = Writer(), dict[int, Any]()
    parts = [(b"a%d" % index, b"b%d" % index) for index in range(50)]
    await deliver(writer, parts, answers.__setitem__)
    sent = [event for request in writer.requests for event in request.events]
    assert sorted(sent) == sorted(event for part in parts for event in part)
    assert len(writer.requests) <= 3
    for index, part in enumerate(parts):
        assert [sent[seq - 1] for seq in answers[index].seqs] == list(part)


async def test_no_request_holds_more_than_the_writer_should_take_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    writer, answers = Writer(), dict[int, Any]()
    await deliver(writer, [(b"x",) * 200 for _ in range(6)], answers.__setitem__)
    assert all(len(request.events) <= EVENTS_MAX for request in writer.requests)
    assert len(answers) == 6


async def test_a_sender_of_what_cannot_be_stored_takes_nobody_with_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    writer, answers = Writer(), dict[int, Any]()
    await deliver(writer, [(b"a",), (BAD,), (b"c",)], answers.__setitem__)
    assert isinstance(answers[0], Appended)
    assert isinstance(answers[1], AppendRefused)
    assert isinstance(answers[2], Appended)


@pytest.mark.parametrize("senders", [1, 3])
async def test_everybody_hears_that_the_writer_is_away(
    autojump_clock: trio.testing.MockClock, senders: int
) -> None:
    answers = dict[int, Any]()
    parts = [(b"%d" % index,) for index in range(senders)]
    await deliver(Writer(is_away=True), parts, answers.__setitem__)
    assert all(isinstance(answers[index], Down) for index in range(senders))
