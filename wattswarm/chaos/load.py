"""The load on a node under test: tasks through its API, events of others through its gate.

It never gives up on a request: what was sent is sent again, the same, until it is acknowledged. So
each acknowledgement is one that the node must keep, and each fault meets work in progress.
"""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from random import Random
from typing import Final

import attrs
import trio

from wattswarm.chaos.executor import TASK_TYPE
from wattswarm.chaos.look import Look
from wattswarm.chaos.subject import API, Answer, Node, Unreachable
from wattswarm.kernel.archive import archive
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.governance import draft_admission
from wattswarm.kernel.ids import EventId, Seq, TaskId
from wattswarm.kernel.rows import TABLES
from wattswarm.kernel.signature import SEED_BYTES, KeyPair
from wattswarm.kernel.version import local_genesis, network_id_of
from wattswarm.store.connection import Connection
from wattswarm.store.errors import StoreUnavailable
from wattswarm.store.projection_reader import ProjectionReader

PAUSE_S: Final = 0.6
"""Between two requests of a client while nobody waits for one; else there is none."""

LOOK_S: Final = 0.03
AGAIN_S: Final = 0.05
OPEN_MAX: Final = 6
EVENTS_PER_ARCHIVE: Final = 3
FAILING_SHARE: Final = 0.1
FINAL: Final = "final"
CANDIDATE: Final = TABLES["outcomes"].columns.index("candidate_id")


@attrs.define
class Record:
    """What the node has said so far, and is held to."""

    acknowledged: dict[EventId, Seq | None] = attrs.field(factory=dict[EventId, "Seq | None"])
    outcomes: dict[TaskId, EventId] = attrs.field(factory=dict[TaskId, EventId])
    faults: list[str] = attrs.field(factory=list[str])
    """Answers that contradict what was acknowledged before."""


@attrs.define(eq=False, kw_only=True)
class Load:
    """Everything that clients of a node do while faults strike it.

    Attributes:
        task_at, archive_at: When the newest request that has succeeded was begun, on trio's clock:
            the node works again once both are later than the fault.
    """

    node: Node
    look: Look
    dice: Random
    record: Record = attrs.field(factory=Record)
    task_at: float = attrs.field(default=-1.0, init=False)
    archive_at: float = attrs.field(default=-1.0, init=False)
    wants_failing: bool = attrs.field(default=False, init=False)
    """Whether the next task is one whose first attempt fails."""
    _wanted_at: float = attrs.field(default=-1.0, init=False)
    _hurried: trio.Event = attrs.field(factory=trio.Event, init=False)
    _sending: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _seen: trio.Event = attrs.field(factory=trio.Event, init=False)
    _open: dict[TaskId, float] = attrs.field(factory=dict[TaskId, float], init=False)
    _key: KeyPair = attrs.field(init=False)
    _foreign: KeyPair = attrs.field(init=False)
    _network_id: str = attrs.field(init=False)
    _number: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._key = self.node.state.key()
        self._network_id = network_id_of(local_genesis(self._key.node_id))
        self._foreign = KeyPair.from_seed(self.dice.randbytes(SEED_BYTES))

    @property
    def open_tasks(self) -> int:
        """How many tasks are acknowledged and not seen final."""
        return len(self._open)

    @property
    def network_id(self) -> str:
        """The network of the node."""
        return self._network_id

    async def run(self) -> None:
        """Go on until cancelled; `rest` ends the tasks that were begun."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch_tasks)
            with self._sending:
                await self._admit_others()
                async with trio.open_nursery() as clients:
                    clients.start_soon(self._submit_tasks)
                    clients.start_soon(self._bring_archives)
            await trio.sleep_forever()

    async def rest(self, patience_s: float) -> bool:
        """Send nothing more, and tell whether all tasks became final in time."""
        self._sending.cancel()
        with trio.move_on_after(patience_s):
            while self._open:
                await self._seen.wait()
                self._seen = trio.Event()
        return not self._open

    def has_worked_since(self, moment: float) -> bool:
        """Tell whether a task and an archive that were begun after a moment have gone through."""
        return self.task_at > moment and self.archive_at > moment

    def hurry(self) -> None:
        """Have the next task and the next archive begun now."""
        self._wanted_at = trio.current_time()
        self._hurried.set()
        self._hurried = trio.Event()

    async def _pause(self, began: float) -> None:
        """Wait a little, unless somebody has wanted to see a request since this one was begun."""
        if began > self._wanted_at:
            with trio.move_on_after(PAUSE_S * self.dice.uniform(0.5, 1.5)):
                await self._hurried.wait()

    def standstill(self, moment: float) -> str:
        """Return in words what has gone through since a moment, and what has not."""
        tasks = "tasks end" if self.task_at > moment else "no task ends"
        archives = "archives go in" if self.archive_at > moment else "no archive goes in"
        return f"{tasks}, {archives}"

    def foreign_events(self, count: int) -> list[Event]:
        """Return new events of an author that the node has admitted."""
        return [self._message(number) for number in range(count)]

    # --- tasks ----------------------------------------------------------------------------------

    async def _submit_tasks(self) -> None:
        while True:
            began = trio.current_time()
            if len(self._open) < OPEN_MAX:
                await self._submit()
            await self._pause(began)

    async def _submit(self) -> None:
        """Have one more task in the log."""
        self._number += 1
        fails = self.wants_failing or self.dice.random() < FAILING_SHARE
        body: dict[str, object] = {"contract": self._contract(fails)}
        key = f"task-{self._number}"
        while True:
            began = trio.current_time()
            answer = await self._try("/tasks", body, key)
            if answer is not None:
                break
            await trio.sleep(AGAIN_S)
        if not answer.is_ok:
            self.record.faults.append(f"a task was refused: {dict(answer.document)}")
            return
        self.wants_failing = self.wants_failing and not fails
        name = EventId(bytes.fromhex(str(answer.document["task_id"])))
        self._acknowledge(name, Seq(int(answer.document["seq"])))
        self._open[name] = began

    async def _try(
        self, path: str, body: dict[str, object] | bytes, key: str | None
    ) -> Answer | None:
        """Return the node's answer, or None when it has none for now."""
        try:
            answer = await self.node.call("POST", f"{API}{path}", body=body, key=key)
        except Unreachable:
            return None
        return None if answer.status >= 500 or answer.status == 429 else answer

    def _contract(self, fails: bool) -> dict[str, object]:
        words = " ".join(f"word{self.dice.randrange(1_000)}" for _ in range(12))
        return {
            "name": f"count {self._number}",
            "task_type": TASK_TYPE,
            "inputs": {"text": words, "fail_first": fails},
            "output_schema": {
                "type": "object",
                "required": ["answer"],
                "properties": {"answer": {"type": "string", "minLength": 1}},
            },
            "expires_in_ms": 600_000,
        }

    def _acknowledge(self, name: EventId, seq: Seq | None) -> None:
        before = self.record.acknowledged.setdefault(name, seq)
        if before is not None and seq is not None and before != seq:
            self.record.faults.append(f"{name.hex()} was told to be at {before} and at {seq}")

    async def _watch_tasks(self) -> None:
        while True:
            await trio.sleep(LOOK_S)
            waiting = tuple(self._open)
            if not waiting:
                continue
            try:
                final = await self.look.run(partial(_outcomes, waiting))
            except StoreUnavailable:
                continue
            for name, candidate in final.items():
                self.record.outcomes[name] = candidate
                self.task_at = max(self.task_at, self._open.pop(name))
                self._seen.set()

    # --- events of others -----------------------------------------------------------------------

    async def _admit_others(self) -> None:
        """Have an author admitted whose events can be brought, before anything else is done.

        No command admits anybody to a local network, so the node's own key says it behind its back.
        To the node that is a restored backup: it signs nothing until it is told so.
        """
        admission = draft_admission(self._foreign.node_id, _now_ms())
        await self._bring([admission.sign(self._network_id, self._key)])
        while True:
            if await self._try("/node/restored", {}, None) is not None:
                return
            await trio.sleep(AGAIN_S)

    async def _bring_archives(self) -> None:
        while True:
            began = trio.current_time()
            await self._bring(self.foreign_events(EVENTS_PER_ARCHIVE))
            await self._pause(began)

    async def _bring(self, events: Sequence[Event]) -> None:
        """Have these events in the log."""
        content = archive(self._network_id, [event.to_wire() for event in events])
        while True:
            began = trio.current_time()
            answer = await self._try("/events", content, None)
            if answer is not None and answer.is_ok and answer.document["refused"] == 0:
                break
            if answer is not None and not answer.is_ok:
                self.record.faults.append(f"an archive was refused: {dict(answer.document)}")
                return
            await trio.sleep(AGAIN_S)
        for event in events:
            self._acknowledge(event.event_id, None)
        self.archive_at = max(self.archive_at, began)

    def _message(self, number: int) -> Event:
        draft = Draft(
            kind="TOPIC_MESSAGE_POSTED",
            scope="global",
            lane_class=LaneClass.MESSAGES,
            task_id=None,
            epoch=0,
            created_at=_now_ms(),
            payload={"text": f"{self.dice.getrandbits(64):x}", "number": number},
        )
        return draft.sign(self._network_id, self._foreign)


def _outcomes(names: Sequence[TaskId], connection: Connection) -> dict[TaskId, EventId]:
    """Return the candidates of those of the tasks that are final."""
    reader = ProjectionReader(connection)
    words = reader.task_words(names, _now_ms())
    final = [name for name, word in words.items() if word == FINAL]
    return {name: candidate for name in final for candidate in _final_candidates(reader, name)}


def _final_candidates(reader: ProjectionReader, name: TaskId) -> Iterator[EventId]:
    """Yield the candidate, unless the tables were swapped since they were asked for the word."""
    for row in reader.task(name)["outcomes"]:
        found = row[CANDIDATE]
        assert isinstance(found, bytes), found
        yield EventId(found)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
