"""Making tasks: a contract is checked, signed and put into the log, once for each request."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias, cast

import attrs

from wattswarm.actors.messages import Append, Appended, AppendRefused
from wattswarm.actors.runtime.errors import ActorError
from wattswarm.actors.runtime.world import Clock
from wattswarm.kernel import decide, json_text
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.contract import Contract, read, sample
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.event import Draft, Event, decode
from wattswarm.kernel.hashing import Context, artifact_digest, digest
from wattswarm.kernel.signature import KeyPair
from wattswarm.operations.contract_view import contract_view
from wattswarm.operations.derivation import Governing
from wattswarm.operations.failing import of_actor_error, of_append
from wattswarm.operations.reading import LocalSession
from wattswarm.store.artifacts import ArtifactStore
from wattswarm.store.connection import Connection
from wattswarm.store.local import Submission as Kept
from wattswarm.store.local import Submissions
from wattswarm.store.pool import Reads
from wattswarm.store.projection_reader import ProjectionReader
from wattswarm.surface.task import ContractCheck, ContractProblem, Submitted

Document: TypeAlias = Mapping[str, object]
Appender: TypeAlias = Callable[[Append], Awaitable[Appended | AppendRefused]]

JSON_MIME: Final = "application/json"
INPUTS: Final = "$.inputs"
COUNTED_MS: Final = 1_000
"""How old the count of open tasks may be."""


@attrs.frozen
class Prepared:
    """A draft that may be signed, and the inputs that it refers to, when they are not in it."""

    draft: Draft
    contract: Contract
    inputs: bytes | None = None


@attrs.define(eq=False, kw_only=True)
class Submission:
    """The writing half of `TaskOperations`.

    Args:
        append: Puts events into the log, and repeats that while its writer is being restarted.
        open_max: Open tasks above which no more are taken.
    """

    reads: Reads
    local: LocalSession
    governing: Governing
    artifacts: ArtifactStore
    key: KeyPair
    append: Appender
    clock: Clock
    open_max: int
    _last_ms: int = attrs.field(default=0, init=False)
    _open: int = attrs.field(default=0, init=False)
    _counted_ms: int = attrs.field(default=-COUNTED_MS, init=False)

    async def check_contract(self, document: Document) -> ContractCheck:
        """Tell everything that is wrong with a contract, or fill in its defaults."""
        made = await self._prepare(document, self.clock.wall_ms())
        if isinstance(made, Prepared):
            return ContractCheck(valid=True, contract=contract_view(made.contract))
        return ContractCheck(valid=False, errors=tuple(_problems(made)))

    async def sample_contract(self) -> Document:
        """Return a contract that works here."""
        return sample()

    async def submit(
        self, document: Document, *, idempotency_key: str | None
    ) -> Submitted | Rejection:
        """Make a task, and answer when it stands in the log.

        The event is kept for its key before it is appended: whoever asks again, after a crash or a
        lost answer, has that same event appended, and the log stores it once.
        """
        if idempotency_key is None:
            made = await self._make(document)
            return made if isinstance(made, Rejection) else await self._append(made)
        request = _request_digest(document)
        kept = await self.local.run(lambda session: Submissions(session).get(idempotency_key))
        if kept is None:
            made = await self._make(document)
            if isinstance(made, Rejection):
                return made
            new = Kept(request, made.to_wire())
            now_ms = self.clock.wall_ms()
            kept = await self.local.run(
                lambda session: Submissions(session).keep(idempotency_key, new, now_ms)
            )
        if kept.request_digest != request:
            return Rejection(
                code="idempotency_conflict",
                message=f"the key {idempotency_key} was used for another contract: "
                "take a new key for each task",
            )
        return await self._append(decode(kept.event))

    # --- making ---------------------------------------------------------------------------------

    async def _make(self, document: Document) -> Event | Rejection:
        """Return the signed event of a new task; its inputs are stored by then."""
        if await self._count_open() >= self.open_max:
            return Rejection(
                code="overloaded",
                message=f"there are {self._open} open tasks, and this node takes {self.open_max}: "
                "wait for some to end, or raise limits.tasks_open_max",
            )
        made = await self._prepare(document, self._date())
        if isinstance(made, Rejection):
            return made
        inputs = made.inputs
        if inputs is not None:
            await self.reads.run(lambda _: self.artifacts.put(inputs, JSON_MIME))
        return made.draft.sign(self.governing.tail.network_id, self.key)

    def _date(self) -> int:
        """Return the date of the next task: later than the last, so that equal ones are two."""
        self._last_ms = max(self.clock.wall_ms(), self._last_ms + 1)
        return self._last_ms

    async def _count_open(self) -> int:
        now_ms = self.clock.wall_ms()
        if not 0 <= now_ms - self._counted_ms < COUNTED_MS:
            counts = await self.reads.run(
                lambda connection: ProjectionReader(connection).task_counts(now_ms)
            )
            self._open, self._counted_ms = counts.get("open", 0), now_ms
        return self._open

    async def _prepare(self, document: Document, now_ms: int) -> Prepared | Rejection:
        return await self.reads.run(lambda connection: self._draft(connection, document, now_ms))

    def _draft(
        self, connection: Connection, document: Document, now_ms: int
    ) -> Prepared | Rejection:
        """Return the draft of a task; inputs that do not fit into an event become an artifact."""
        made = self._decide(connection, document, now_ms)
        if not (isinstance(made, Rejection) and _are_inputs_too_large(made)):
            return made
        moved = _moved(document)
        if moved is None:
            return made
        smaller, inputs = moved
        made = self._decide(connection, smaller, now_ms)
        return made if isinstance(made, Rejection) else attrs.evolve(made, inputs=inputs)

    def _decide(
        self, connection: Connection, document: Document, now_ms: int
    ) -> Prepared | Rejection:
        draft = self.governing.decide(
            connection,
            lambda governance: decide.create_task(
                document,
                governance=governance,
                network_id=governance.network_id,
                key_node=self.key.node_id,
                now_ms=now_ms,
            ),
        )
        if isinstance(draft, Rejection):
            return draft
        return Prepared(draft, read(draft.payload["contract"]))

    # --- appending ------------------------------------------------------------------------------

    async def _append(self, event: Event) -> Submitted | Rejection:
        # One that was kept before a restore and comes only now would never be worked on.
        request = Append((event.to_wire(),), is_own=True, opened_at=event.created_at)
        try:
            answer = await self.append(request)
        except ActorError as error:
            return of_actor_error(error)
        if isinstance(answer, AppendRefused):
            return of_append(answer)
        return Submitted(
            task_id=event.event_id.hex(),
            seq=answer.seqs[0],
            already=answer.already[0],
            contract=contract_view(read(event.payload["contract"])),
        )


def _request_digest(document: Document) -> bytes:
    """Return the digest of a request; one that cannot be written as JSON has none of its own."""
    try:
        text = json_text.write(document)
    except Malformed:
        text = ""
    return digest(Context.DIGEST, text.encode())


def _problems(rejection: Rejection) -> list[ContractProblem]:
    """Return what is wrong, by path; a refusal of another kind concerns the whole."""
    found = cast("list[Mapping[str, str]]", rejection.details.get("errors", []))
    if not found:
        return [ContractProblem(path="$", code=rejection.code, message=rejection.message)]
    return [ContractProblem(**problem) for problem in found]


def _are_inputs_too_large(rejection: Rejection) -> bool:
    return any(
        problem.code == "too_large" and problem.path == INPUTS for problem in _problems(rejection)
    )


def _moved(document: Document) -> tuple[Document, bytes] | None:
    """Return the document with its inputs outside, and those; None when that makes no sense."""
    if "inputs_ref" in document:
        return None
    body = json_text.write(document["inputs"]).encode()
    ref = ArtifactRef(digest=artifact_digest(body), size_bytes=len(body), mime=JSON_MIME)
    rest = {name: value for name, value in document.items() if name != "inputs"}
    return {**rest, "inputs_ref": ref.to_payload()}, body
