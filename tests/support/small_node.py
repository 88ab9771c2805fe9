"""A node of one process and no disk, for testing the API and the command line.

It keeps tasks, executors, dials and letters in memory, resolves contracts with the kernel's own
rules, and moves a task forward when told to: every answer follows from what was asked before.
"""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Literal, TypeVar, cast

import attrs
import trio

from tests.support import small_merit
from tests.support.small_board import SmallBoard
from tests.support.small_governance import Council
from wattswarm.kernel.archive import ArchiveWriter
from wattswarm.kernel.contract import Contract, Mode, resolve, sample, to_payload
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import local_genesis
from wattswarm.kernel.payloads.control import ControlWord
from wattswarm.kernel.signature import KeyPair
from wattswarm.surface import actor as actors
from wattswarm.surface import artifact as bodies
from wattswarm.surface import chaos, executor, log, statement
from wattswarm.surface import epoch as epochs
from wattswarm.surface import governance as laws
from wattswarm.surface import merit as merits
from wattswarm.surface import node as nodes
from wattswarm.surface import stream as flow
from wattswarm.surface import task as works
from wattswarm.surface.words import plain, when

T = TypeVar("T")

NOW: Final = 1_780_000_000_000
KEY: Final = KeyPair.from_seed(b"\x07" * 32)
GENESIS: Final = local_genesis(KEY.node_id)
ACTOR_NAMES: Final = ("sel_writer", "projection_builder/0", "executor_dispatcher")
DIALS: Final = {"batch": 512, "concurrency": 4}


@attrs.define
class SmallTask:
    """A task and its row."""

    task_id: str
    contract: Contract
    seq: int
    state: works.TaskWord = "open"
    feedback: tuple[works.FeedbackView, ...] = ()
    epoch: int = 1
    final: set[int] = attrs.field(factory=set[int])


@attrs.define(eq=False)
class SmallNode(SmallBoard):
    """A `NodeApi` in memory."""

    state: nodes.NodeState = "ready"
    is_chaos_enabled: bool = True
    stopping: trio.Event = attrs.field(factory=trio.Event)
    news: list[flow.News] = attrs.field(factory=list[flow.News])
    moved: trio.Condition = attrs.field(factory=trio.Condition)
    entries: list[log.EventView] = attrs.field(factory=list[log.EventView])
    made: dict[str, SmallTask] = attrs.field(factory=dict[str, SmallTask])
    keys: dict[str, tuple[Mapping[str, object], str]] = attrs.field(
        factory=dict[str, tuple[Mapping[str, object], str]]
    )
    registry: dict[str, executor.ExecutorSpec] = attrs.field(
        factory=dict[str, executor.ExecutorSpec]
    )
    dials: dict[str, dict[str, int]] = attrs.field(
        factory=lambda: {name: dict(DIALS) for name in ACTOR_NAMES}
    )
    incarnations: dict[str, int] = attrs.field(factory=lambda: dict.fromkeys(ACTOR_NAMES, 1))
    suspended: set[str] = attrs.field(factory=set[str])
    letters: dict[int, str] = attrs.field(factory=lambda: {1: "sel_writer", 2: "sel_writer"})
    armed: list[chaos.ArmedFault] = attrs.field(factory=list[chaos.ArmedFault])
    creators: dict[tuple[str, str], str] = attrs.field(factory=dict[tuple[str, str], str])
    """What the creator of a task said last, by kind."""
    council: Council = attrs.field(factory=Council)
    """The governance of another network, of which this node is one of three finalizers."""
    signing: nodes.SigningView = attrs.field(factory=nodes.SigningView)
    slow_s: float = 0
    """How long `doctor` takes."""

    # --- the node

    async def node(self) -> nodes.NodeView:
        """Return the node on one page."""
        return nodes.NodeView(
            node_id=KEY.node_id.hex(),
            network_id=f"local:{KEY.node_id.hex()}",
            mode="local",
            profile="test",
            version="0",
            state=self.state,
            started_at=when(NOW),
            uptime_ms=1_000,
            pid=1,
            api_url="http://127.0.0.1:1",
            state_dir="state",
            log=nodes.LogPosition(
                head_seq=len(self.entries),
                projected_seq=len(self.entries),
                chain="00" * 32,
                writer_term=1,
            ),
            database=nodes.DatabaseView(kind="embedded", version="18.4", schema_version=1),
            tasks={"open": len(self.made)},
            executors=len(self.registry),
            actors_running=len(ACTOR_NAMES),
            actors_restarting=0,
            restarts=0,
            dead_letters=len(self.letters),
            faults_armed=len(self.armed),
            signing=self.signing,
        )

    async def readiness(self) -> nodes.Readiness:
        """Tell whether the node takes work."""
        is_ready = self.state == "ready"
        reasons = () if is_ready else (f"the node is {self.state}",)
        return nodes.Readiness(
            ready=is_ready, state=self.state, reasons=reasons, faults_armed=len(self.armed)
        )

    async def stop(self) -> nodes.Stopping:
        """Begin to stop."""
        self.state = "stopping"
        self.stopping.set()
        async with self.moved:
            self.moved.notify_all()
        return nodes.Stopping(pid=1, stop_ms_max=1_000)

    async def restored(self) -> nodes.SigningView:
        """Sign again."""
        self.signing = nodes.SigningView(restored_at=when(NOW))
        return self.signing

    async def cloned(self) -> nodes.SigningView:
        """Sign nothing."""
        self.signing = nodes.SigningView(state="cloned", since=when(NOW))
        return self.signing

    async def doctor(self) -> nodes.Diagnosis:
        """Find that executors are missing, when they are."""
        await trio.sleep(self.slow_s)
        if self.registry:
            found = nodes.Finding(area="executors", level="ok", message="all answer")
        else:
            found = nodes.Finding(
                area="executors",
                level="warning",
                message="there is none",
                remedy="wattswarm executors add NAME URL",
            )
        return nodes.Diagnosis(ok=True, findings=(found,))

    async def config(self) -> nodes.ConfigView:
        """Return one setting."""
        row = nodes.SettingView(
            path="node.mode", value="local", source="built-in", range="local", meaning="How far."
        )
        return nodes.ConfigView(settings=(row,))

    async def caught_up(self, seq: int) -> bool:
        """Tell whether the log holds that seq."""
        return seq <= len(self.entries)

    def stream(
        self, *, after: int | None, task: str | None
    ) -> AbstractAsyncContextManager[AsyncIterator[flow.News]]:
        """Follow the log."""
        return self._stream(after, task)

    @asynccontextmanager
    async def _stream(
        self, after: int | None, task: str | None
    ) -> AsyncGenerator[AsyncIterator[flow.News]]:
        follower = self._follow(len(self.entries) if after is None else after, task)
        try:
            yield follower
        finally:
            await follower.aclose()

    async def _follow(self, after: int, task: str | None) -> AsyncGenerator[flow.News]:
        sent = 0
        while not self.stopping.is_set():
            fresh = self.news[sent:]
            sent += len(fresh)
            for item in fresh:
                is_news = getattr(item, "seq", after + 1) > after
                if is_news and (task is None or getattr(item, "task_id", None) == task):
                    yield item
            async with self.moved:
                while sent == len(self.news) and not self.stopping.is_set():
                    await self.moved.wait()

    # --- tasks

    async def check_contract(self, document: Mapping[str, object]) -> works.ContractCheck:
        """Resolve a contract."""
        outcome = _resolve(document)
        if isinstance(outcome, Rejection):
            errors = cast("list[dict[str, str]]", outcome.details["errors"])
            problems = tuple(works.ContractProblem(**error) for error in errors)
            return works.ContractCheck(valid=False, errors=problems)
        return works.ContractCheck(valid=True, contract=_shown(outcome))

    async def sample_contract(self) -> Mapping[str, object]:
        """Return the kernel's own sample."""
        return sample()

    async def submit(
        self, document: Mapping[str, object], *, idempotency_key: str | None
    ) -> works.Submitted | Rejection:
        """Make a task."""
        if idempotency_key in self.keys:
            return self._again(document, *self.keys[idempotency_key])
        contract = _resolve(document)
        if isinstance(contract, Rejection):
            return contract
        task_id = hashlib.sha256(len(self.made).to_bytes(2, "big")).hexdigest()
        await self.append("TASK_CREATED", task_id)
        self.made[task_id] = SmallTask(task_id, contract, len(self.entries))
        if idempotency_key is not None:
            self.keys[idempotency_key] = (document, task_id)
        return self._submitted(task_id, already=False)

    def _again(
        self, document: Mapping[str, object], before: Mapping[str, object], task_id: str
    ) -> works.Submitted | Rejection:
        if document != before:
            return Rejection(
                code="idempotency_conflict", message="the key was used for another contract"
            )
        return self._submitted(task_id, already=True)

    def _submitted(self, task_id: str, *, already: bool) -> works.Submitted:
        made = self.made[task_id]
        return works.Submitted(
            task_id=task_id, seq=made.seq, already=already, contract=_shown(made.contract)
        )

    async def append(self, kind: str, task_id: str | None) -> str:
        """Add an event to the log, tell whoever follows it, and return its id."""
        seq = len(self.entries) + 1
        event_id = hashlib.sha256(b"event" + seq.to_bytes(4, "big")).hexdigest()
        self.entries.append(
            log.EventView(
                seq=seq,
                event_id=event_id,
                event_kind=kind,
                lane_class="work",
                scope="global",
                author=KEY.node_id.hex(),
                task_id=task_id,
                epoch=1,
                created_at=when(NOW + seq),
                received_at=when(NOW + seq),
                body_bytes=100,
                chain="00" * 32,
                signature="00" * 64,
                payload={"n": seq},
            )
        )
        news: list[flow.News] = [
            flow.EventNews(
                seq=seq,
                event_id=event_id,
                event_kind=kind,
                author=KEY.node_id.hex(),
                task_id=task_id,
                created_at=when(NOW + seq),
            )
        ]
        if task_id is not None:
            state = self.made[task_id].state if task_id in self.made else "open"
            news.append(flow.TaskNews(seq=seq, task_id=task_id, state=state))
        async with self.moved:
            self.news += news
            self.moved.notify_all()
        return event_id

    async def finish(self, task_id: str) -> None:
        """Decide a task for good."""
        self.made[task_id].state = "final"
        await self.append("DECISION_FINALIZED", task_id)

    def _named(self, name: str) -> SmallTask | Rejection:
        found = [made for task_id, made in self.made.items() if task_id.startswith(name)]
        return _one(found, f"task {name}")

    async def tasks(
        self, *, state: str | None, task_type: str | None, cursor: str | None, limit: int
    ) -> works.TaskPage | Rejection:
        """Return tasks, newest first; a cursor is the seq before which the page begins."""
        before = int(cursor) if cursor else len(self.entries) + 1
        found = [
            self._row(made)
            for made in sorted(self.made.values(), key=lambda made: -made.seq)
            if made.seq < before
            and state in (None, made.state)
            and task_type in (None, made.contract.task_type)
        ]
        more = len(found) > limit
        last = self.made[found[limit - 1].task_id].seq if more else 0
        return works.TaskPage(items=tuple(found[:limit]), next=str(last) if more else None)

    def _row(self, made: SmallTask) -> works.TaskRow:
        is_final = made.state == "final"
        return works.TaskRow(
            task_id=made.task_id,
            name=made.contract.name,
            task_type=made.contract.task_type,
            scope="global",
            state=made.state,
            epoch=made.epoch,
            attempt=1,
            created_at=when(NOW + made.seq),
            expires_at=when(made.contract.expires_at),
            candidates=int(is_final),
            results=int(is_final),
            approvals=int(is_final),
            rejections=0,
            decision="cd" * 32 if is_final else None,
            events=sum(entry.task_id == made.task_id for entry in self.entries),
        )

    async def task(self, name: str) -> works.TaskView | Rejection:
        """Return everything about a task."""
        made = self._named(name)
        if isinstance(made, Rejection):
            return made
        is_final = made.state == "final"
        return works.TaskView(
            task=self._row(made),
            creator=KEY.node_id.hex(),
            pin=GENESIS.id.hex(),
            contract=_shown(made.contract),
            places=(_place(is_final),),
            candidates=(_candidate(),) if is_final else (),
            results=(_result(),) if is_final else (),
            votes=(_vote(),) if is_final else (),
            errors=(),
            finality=(_finality(),) if is_final else (),
            controls=(),
            completions=(),
            epochs=self._epochs(made),
            voided=(),
            settlements=(),
            decision_id="de" * 32 if is_final else None,
            quorum=1,
            next_steps=() if is_final else ("an executor has to propose",),
            projected_seq=len(self.entries),
            now=when(NOW + len(self.entries)),
            feedback=made.feedback,
            contributions=(small_merit.contribution(),) if is_final else (),
        )

    async def control_task(
        self, name: str, word: ControlWord, *, reason: str | None
    ) -> works.Controlled | Rejection:
        """Say a control word."""
        made = self._named(name)
        if isinstance(made, Rejection):
            return made
        is_over = made.state == "killed" and word is not ControlWord.KILLED
        if is_over or made.state == "final":
            return Rejection(code="task_not_open", message=f"it is {made.state}")
        state: works.TaskWord = "open" if word is ControlWord.RESUMED else word.value
        already, made.state = made.state == state, state
        if not already:
            await self.append(f"TASK_{word.name}", made.task_id)
        said = works.ControlView(
            word=word.value,
            control_no=1,
            reason=reason or "",
            is_creators=True,
            signers=(KEY.node_id.hex(),),
            threshold=1,
            stands=True,
        )
        return works.Controlled(
            task=self._row(made),
            controls=(said,),
            seq=None if already else len(self.entries),
            already=already,
        )

    def _epochs(self, made: SmallTask) -> tuple[epochs.EpochView, ...]:
        if made.contract.mode is not Mode.CONTINUOUS:
            return ()
        return tuple(
            epochs.EpochView(
                epoch=number,
                pin=GENESIS.id.hex(),
                version=0,
                opened_at=when(NOW),
                expires_at=when(NOW + number * 60_000),
                is_newest=number == made.epoch,
                candidate_id="cd" * 32 if number in made.final else None,
                is_disputed=False,
                endings=(),
            )
            for number in range(1, made.epoch + 1)
        )

    async def end_epoch(
        self, name: str, *, reason: str | None, out_of_turn: bool
    ) -> works.EpochEndSaid | Rejection:
        """End the newest epoch, by an operator's word only."""
        del reason
        made = self._named(name)
        if isinstance(made, Rejection):
            return made
        if made.contract.mode is not Mode.CONTINUOUS:
            return Rejection(code="one_epoch", message="it has one epoch")
        if not out_of_turn:
            return Rejection(code="too_early", message="the epoch has not expired")
        made.final |= {made.epoch} if made.state == "final" else set()
        made.epoch, made.state = made.epoch + 1, "open"
        await self.append("EPOCH_ENDED", made.task_id)
        *_, ended, opened = self._epochs(made)
        return works.EpochEndSaid(
            task=self._row(made),
            ended=ended,
            missing=0,
            opened=opened,
            seq=len(self.entries),
            next_steps=("an executor has to propose",),
        )

    async def decide_claim(
        self, name: str, claim: str, *, is_approved: bool, reason: str | None
    ) -> works.CreatorSaid | Rejection:
        """Approve of the one claim that there is, or decline it."""
        del reason
        word = "approved" if is_approved else "declined"
        return await self._creator_says(name, "TASK_CLAIM_DECIDED", _CLAIM, claim, word)

    async def decide_completion(
        self,
        name: str,
        candidate: str,
        *,
        is_approved: bool,
        is_retry_requested: bool,
        reason: str | None,
    ) -> works.CreatorSaid | Rejection:
        """Take the one candidate that there is, or do not."""
        del reason
        word = f"{is_approved} {is_retry_requested}"
        return await self._creator_says(
            name, "TASK_COMPLETION_DECIDED", _CANDIDATE, candidate, word
        )

    async def settle_claim(
        self, name: str, claim: str, *, receipt: object
    ) -> works.CreatorSaid | Rejection:
        """Say that the work under the one claim is paid."""
        return await self._creator_says(name, "TASK_SETTLED", _CLAIM, claim, repr(receipt))

    async def _creator_says(
        self, name: str, kind: str, about: str, given: str, word: str
    ) -> works.CreatorSaid | Rejection:
        made = self._named(name)
        if isinstance(made, Rejection):
            return made
        if not about.startswith(given):
            return Rejection(code="not_found", message=f"there is nothing called {given} here")
        already = self.creators.get((made.task_id, kind)) == word
        self.creators[made.task_id, kind] = word
        if not already:
            await self.append(kind, made.task_id)
        return works.CreatorSaid(
            task=self._row(made),
            about=about,
            seq=None if already else len(self.entries),
            already=already,
            next_steps=("an executor has to propose",),
        )

    # --- how answers turned out

    def _final(self, name: str) -> SmallTask | Rejection:
        made = self._named(name)
        if isinstance(made, SmallTask) and made.state != "final":
            return Rejection(code="not_final", message=f"it is {made.state}")
        return made

    async def give_feedback(
        self, name: str, *, reason: str, epoch: int | None
    ) -> merits.FeedbackGiven | Rejection:
        """Find an answer bad."""
        made = self._final(name)
        if isinstance(made, Rejection):
            return made
        if not made.feedback:
            await self.append("TASK_FEEDBACK_REPORTED", made.task_id)
        already = bool(made.feedback)
        made.feedback = made.feedback or (small_merit.feedback(reason),)
        return merits.FeedbackGiven(
            task=self._row(made),
            feedback=made.feedback,
            seq=None if already else len(self.entries),
            already=already,
        )

    async def reject_reuse(
        self, name: str, *, candidate: str | None
    ) -> merits.ReuseRejected | Rejection:
        """Reject a repetition."""
        made = self._final(name)
        if isinstance(made, Rejection):
            return made
        return merits.ReuseRejected(
            task=self._row(made),
            reuse_rejections=(small_merit.rejection(),),
            seq=None,
            already=True,
        )

    async def task_knowledge(self, name: str) -> merits.TaskKnowledge | Rejection:
        """Return what a task left behind."""
        made = self._named(name)
        if isinstance(made, Rejection):
            return made
        is_final = made.state == "final"
        return merits.TaskKnowledge(
            task_id=made.task_id,
            precedents=(self._precedent(made),) if is_final else (),
            feedback=made.feedback,
            contributions=(small_merit.contribution(),) if is_final else (),
            reuse_rejections=(),
        )

    def _precedent(self, made: SmallTask) -> merits.PrecedentView:
        return small_merit.precedent(made.task_id, made.contract.task_type)

    async def similar(self, name: str) -> merits.SimilarFound | Rejection:
        """Return the task itself, as alike."""
        made = self._named(name)
        if isinstance(made, Rejection):
            return made
        found = merits.SimilarView(precedent=self._precedent(made), resemblance_bp=9_000)
        return merits.SimilarFound(
            task_id=made.task_id,
            exact=(self._precedent(made),),
            similar=(found,),
            rejected_outputs=(),
            may_reuse=True,
        )

    async def knowledge(
        self, *, task_type: str | None, scope: str | None, cursor: str | None, limit: int
    ) -> merits.KnowledgePage | Rejection:
        """Return what is final, a page of one."""
        found = [
            self._precedent(made)
            for made in self.made.values()
            if made.state == "final" and task_type in (None, made.contract.task_type)
        ]
        at = int(cursor or 0)
        more = str(at + 1) if len(found) > at + 1 else None
        return merits.KnowledgePage(items=tuple(found[at : at + 1]), next=more)

    async def reputation(
        self, *, node: str | None, scope: str | None, cursor: str | None, limit: int
    ) -> merits.ReputationPage | Rejection:
        """Return one line."""
        return small_merit.reputation()

    async def verdicts(self, name: str, *, after: int, limit: int) -> works.VerdictPage | Rejection:
        """Return the verdict of every event of a task."""
        made = self._named(name)
        if isinstance(made, Rejection):
            return made
        items = [
            _verdict(entry)
            for entry in self.entries
            if entry.task_id == made.task_id and entry.seq > after
        ]
        more = len(items) > limit
        return works.VerdictPage(
            items=tuple(items[:limit]), next_after=items[limit - 1].seq if more else None
        )

    async def task_events(self, name: str, *, after: int, limit: int) -> log.EventPage | Rejection:
        """Return the events of a task."""
        made = self._named(name)
        if isinstance(made, Rejection):
            return made
        return self._page(lambda entry: entry.task_id == made.task_id, after, limit)

    async def explain(self, name: str) -> works.Explanation | Rejection:
        """Tell a task in sentences."""
        made = self._named(name)
        if isinstance(made, Rejection):
            return made
        timeline = [_verdict(entry) for entry in self.entries if entry.task_id == made.task_id]
        return works.Explanation(
            task_id=made.task_id,
            state=made.state,
            summary=(f"the task is {made.state}",),
            next_steps=(),
            timeline=tuple(timeline),
        )

    async def decision(self, name: str) -> works.DecisionView | Rejection:
        """Return what was decided."""
        made = self._named(name)
        if isinstance(made, Rejection):
            return made
        if made.state != "final":
            return Rejection(code="not_decided", message="nothing is decided yet")
        candidate = _candidate()
        return works.DecisionView(
            task_id=made.task_id,
            state="final",
            epoch=1,
            candidate_id=candidate.candidate_id,
            decision_id="de" * 32,
            executor=candidate.executor,
            node_id=candidate.node_id,
            output=candidate.output,
            output_json={"answer": "42"},
            evidence=(),
            summary="",
            approvals=1,
            rejections=0,
            median_score_bp=10_000,
            finality=_finality(),
            decided_at=when(NOW),
        )

    async def artifact(self, digest: str) -> works.ArtifactBody | Rejection:
        """Return a body."""
        body = works.ArtifactBody(digest=_OUTPUT.digest, mime="text/html", content=b"<b>42</b>")
        if body.digest.startswith(digest):
            return body
        return Rejection(code="not_found", message=f"there is no artifact {digest}")

    async def artifacts(self, *, cursor: str | None, limit: int) -> bodies.ArtifactPage | Rejection:
        """Return the one artifact."""
        line = bodies.ArtifactLine(
            digest=_OUTPUT.digest, size_bytes=4, stored_at=when(NOW), named=False, tasks=0
        )
        return bodies.ArtifactPage(items=(line,) if cursor is None else (), next=None)

    async def artifact_record(self, name: str) -> bodies.ArtifactRecord | Rejection:
        """Return what is known of the one artifact."""
        if not _OUTPUT.digest.startswith(name):
            return Rejection(code="not_found", message=f"there is no artifact {name}")
        return bodies.ArtifactRecord(
            digest=_OUTPUT.digest,
            size_bytes=4,
            stored_at=when(NOW),
            mime=None,
            named=False,
            tasks=(),
        )

    async def verify_artifacts(self) -> bodies.ArtifactsVerified:
        """Find the one artifact sound."""
        return bodies.ArtifactsVerified(ok=True, artifacts=1, bytes=4, damaged=(), duration_ms=1)

    async def collect_artifacts(self, *, dry_run: bool) -> bodies.ArtifactsCollected:
        """Find the one artifact unnamed."""
        return bodies.ArtifactsCollected(
            dry_run=dry_run,
            unnamed=1,
            ended=0,
            bytes=4,
            answers=0,
            digests=(_OUTPUT.digest,),
            complete=True,
            duration_ms=1,
        )

    # --- executors

    async def executors(self) -> executor.ExecutorList:
        """Return all executors."""
        return executor.ExecutorList(
            items=tuple(_executor(self.registry[name]) for name in sorted(self.registry))
        )

    async def add_executor(self, spec: executor.ExecutorSpec) -> executor.ExecutorView | Rejection:
        """Add an executor."""
        if not spec.base_url.startswith(("http://", "https://")):
            return Rejection(code="executor_invalid", message="base_url is an http URL")
        self.registry[spec.name] = spec
        return _executor(spec)

    async def remove_executor(self, name: str) -> executor.Removed | Rejection:
        """Remove an executor."""
        if self.registry.pop(name, None) is None:
            return Rejection(code="not_found", message=f"there is no executor {name}")
        return executor.Removed(name=name)

    async def check_executor(self, name: str) -> executor.ExecutorCheck | Rejection:
        """Find that an executor on port 1 does not answer."""
        spec = self.registry.get(name)
        if spec is None:
            return Rejection(code="not_found", message=f"there is no executor {name}")
        is_up = not spec.base_url.endswith(":1")
        return executor.ExecutorCheck(
            name=name,
            ok=is_up,
            latency_ms=3 if is_up else None,
            task_types=("*",),
            profiles=("default",),
            provider="p",
            model="m",
            problems=() if is_up else ("connection refused",),
        )

    # --- governance

    async def governance(self, name: str | None) -> laws.GovernanceView | Rejection:
        """Return a version."""
        return await self.council.me.reads.governance(name)

    async def versions(self, *, cursor: str | None, limit: int) -> laws.VersionPage | Rejection:
        """Return valid versions."""
        return await self.council.me.reads.versions(cursor=cursor, limit=limit)

    async def pending(self) -> laws.Proposals | Rejection:
        """Return what waits for signatures."""
        return await self.council.me.reads.pending()

    async def change_governance(
        self, order: laws.ChangeOrder
    ) -> laws.GovernanceChanged | Rejection:
        """Draft the next version."""
        return await self.council.me.writes.change_governance(order)

    async def sign_version(
        self, name: str, *, dry_run: bool, after_restore: bool = False
    ) -> laws.GovernanceChanged | Rejection:
        """Sign another finalizer's draft."""
        return await self.council.me.writes.sign_version(
            name, dry_run=dry_run, after_restore=after_restore
        )

    async def admit_node(self, name: str, *, dry_run: bool) -> laws.Admitted | Rejection:
        """Admit a node."""
        return await self.council.me.writes.admit_node(name, dry_run=dry_run)

    async def statements(
        self, *, cursor: str | None, limit: int
    ) -> statement.StatementPage | Rejection:
        """Return statements."""
        return await self.council.me.reads.statements(cursor=cursor, limit=limit)

    async def revoke_event(self, order: statement.EventOrder) -> statement.Stated | Rejection:
        """Revoke an event."""
        return await self.council.me.states.revoke_event(order)

    async def restore_event(self, order: statement.EventOrder) -> statement.Stated | Rejection:
        """Restore an event."""
        return await self.council.me.states.restore_event(order)

    async def penalize_node(self, order: statement.PenaltyOrder) -> statement.Stated | Rejection:
        """Penalize a node."""
        return await self.council.me.states.penalize_node(order)

    async def pardon_node(self, order: statement.PardonOrder) -> statement.Stated | Rejection:
        """Pardon a node."""
        return await self.council.me.states.pardon_node(order)

    async def sign_statement(self, name: str, *, dry_run: bool) -> statement.Stated | Rejection:
        """Sign what others began to say."""
        return await self.council.me.states.sign_statement(name, dry_run=dry_run)

    # --- the log

    def _page(
        self, is_wanted: Callable[[log.EventView], bool], after: int, limit: int
    ) -> log.EventPage:
        items = [entry for entry in self.entries if entry.seq > after and is_wanted(entry)]
        more = len(items) > limit
        return log.EventPage(
            items=tuple(items[:limit]),
            next_after=items[limit - 1].seq if more else None,
            head_seq=len(self.entries),
        )

    async def log_head(self) -> log.LogHead:
        """Return where the log ends."""
        seq = len(self.entries)
        return log.LogHead(seq=seq, chain="00" * 32, writer_term=1, projected_seq=seq)

    async def events(self, *, after: int, limit: int) -> log.EventPage:
        """Return events."""
        return self._page(lambda _entry: True, after, limit)

    async def event(self, name: str) -> log.EventView | Rejection:
        """Return one event."""
        found = [
            entry
            for entry in self.entries
            if entry.event_id.startswith(name) or str(entry.seq) == name
        ]
        return _one(found, f"event {name}")

    async def digests(self) -> log.Digests:
        """Return the digest of the one scope."""
        scope = log.ScopeDigest(scope="global", digest="aa" * 32, groups=len(self.made))
        seq = len(self.entries)
        return log.Digests(digest="bb" * 32, projected_seq=seq, head_seq=seq, scopes=(scope,))

    async def verify_log(self) -> log.Verified:
        """Find the log sound, unless an event says otherwise."""
        bad = [entry for entry in self.entries if entry.event_kind == "FORGED"]
        fault = None
        if bad:
            fault = log.LogFault(
                seq=bad[0].seq, event_id=bad[0].event_id, code="bad_signature", message="forged"
            )
        seq = len(self.entries)
        return log.Verified(
            ok=not bad, events=seq, head_seq=seq, chain="00" * 32, duration_ms=1, fault=fault
        )

    async def replay_log(self, *, verify: bool) -> log.Replayed | Rejection:
        """Find the projections equal."""
        return log.Replayed(
            events=len(self.entries),
            groups=len(self.made),
            duration_ms=1,
            digest="bb" * 32,
            verified=verify,
            equal=True if verify else None,
        )

    async def ingest(self, archive: bytes) -> log.Ingested | Rejection:
        """Take one event per byte."""
        if not archive:
            return Rejection(code="malformed", message="an empty archive")
        return log.Ingested(
            received=len(archive),
            appended=len(archive),
            already=0,
            refused=0,
            head_seq=len(self.entries),
            refusals={},
            intact=True,
        )

    async def export_log(self, part: log.Part) -> log.EventArchive | Rejection:
        """Return an archive of as many events as there are, all of them empty."""
        if part.task is not None:
            return Rejection(code="not_found", message=f"there is no task {part.task}")

        async def chunks() -> AsyncGenerator[bytes, None]:
            writer = ArchiveWriter("local:small")
            yield writer.begin()
            for _ in self.entries[part.after : part.up_to]:
                yield writer.add([b"\x82\x40\x40"])
            yield writer.end()

        return log.EventArchive(chunks())

    # --- actors

    async def actor_tree(self) -> actors.TreeNode:
        """Return the tree."""
        leaves = [
            actors.TreeNode(
                name=name,
                kind="actor",
                state=self._state(name),
                pid=1,
                incarnation=self.incarnations[name],
                restart="permanent",
                restarts=self.incarnations[name] - 1,
                uptime_ms=10,
            )
            for name in ACTOR_NAMES
        ]
        return actors.TreeNode(
            name="root",
            kind="root",
            state="ready",
            pid=1,
            incarnation=1,
            restart="one_for_one",
            restarts=0,
            uptime_ms=10,
            children=tuple(leaves),
        )

    def _state(self, name: str) -> actors.ActorState:
        return "suspended" if name in self.suspended else "ready"

    async def actors_top(self) -> actors.ActorsTop:
        """Return how the actors do."""
        worker = actors.WorkerStats(
            group="root",
            pid=1,
            state="ready",
            incarnation=1,
            restarts=0,
            rss_mib=40.5,
            rss_soft_mib=0,
            cpu_percent=1.5,
            loop_lag_ms=0.1,
            uptime_ms=10,
        )
        stats = tuple(self._stats(name) for name in ACTOR_NAMES)
        return actors.ActorsTop(at=when(NOW), actors=stats, workers=(worker,))

    def _stats(self, name: str) -> actors.ActorStats:
        dials = tuple(
            actors.DialView(
                name=dial, wanted=value, effective=value, least=1, most=4_096, is_live=True
            )
            for dial, value in self.dials[name].items()
        )
        return actors.ActorStats(
            name=name,
            placement="root",
            pid=1,
            state=self._state(name),
            incarnation=self.incarnations[name],
            restarts=self.incarnations[name] - 1,
            inbox_depth=1,
            inbox_capacity=8,
            oldest_ms=2,
            in_hand=0,
            handled=3,
            in_per_s=1.5,
            done_per_s=1.5,
            busy_percent=10.0,
            wait_p50_us=10,
            wait_p99_us=20,
            handle_p50_us=100,
            handle_p99_us=200,
            handle_max_us=300,
            shed=0,
            refused=0,
            expired=0,
            dead_letters=2,
            last_error=None,
            dials=dials,
        )

    async def actor(self, name: str) -> actors.ActorDetail | Rejection:
        """Return everything about an actor."""
        if name not in ACTOR_NAMES:
            return _no_actor(name)
        return actors.ActorDetail(
            stats=self._stats(name),
            spec={"restart": "permanent"},
            snapshot={"head": len(self.entries)},
            talks_to=(),
            points=("before_commit",),
            crashes=(),
        )

    async def tune(self, name: str, tune: actors.Tune) -> actors.Tuned | Rejection:
        """Turn dials."""
        if name not in ACTOR_NAMES:
            return _no_actor(name)
        dials = self.dials[name]
        for dial, value in tune.dials.items():
            if dial not in dials or not 1 <= value <= 4_096:
                return Rejection(code="dial_invalid", message=f"{dial}={value}: 1 to 4096")
        changes = tuple(
            actors.DialChange(
                name=dial, old=dials[dial], wanted=value, effective=value, is_live=True
            )
            for dial, value in tune.dials.items()
        )
        dials |= tune.dials
        return actors.Tuned(actor=name, version=2, changes=changes)

    async def restart_actor(self, name: str) -> actors.ActorActed | Rejection:
        """Restart an actor."""
        return self._act(name, "restart")

    async def kill_actor(self, name: str) -> actors.ActorActed | Rejection:
        """Kill an actor."""
        return self._act(name, "kill")

    async def suspend_actor(self, name: str) -> actors.ActorActed | Rejection:
        """Suspend an actor."""
        return self._act(name, "suspend")

    async def resume_actor(self, name: str) -> actors.ActorActed | Rejection:
        """Resume an actor."""
        return self._act(name, "resume")

    def _act(
        self, name: str, action: Literal["restart", "kill", "suspend", "resume"]
    ) -> actors.ActorActed | Rejection:
        if name not in ACTOR_NAMES:
            return _no_actor(name)
        match action:
            case "restart" | "kill":
                self.incarnations[name] += 1
            case "suspend":
                self.suspended.add(name)
            case "resume":
                self.suspended.discard(name)
        return actors.ActorActed(
            actor=name,
            action=action,
            state=self._state(name),
            pid=1,
            incarnation=self.incarnations[name],
        )

    async def dead_letters(
        self, *, actor: str | None, cursor: str | None, limit: int
    ) -> actors.DeadLetterPage | Rejection:
        """Return dead letters."""
        before = int(cursor) if cursor else 10**6
        items = [
            _letter(letter_id, owner)
            for letter_id, owner in sorted(self.letters.items(), reverse=True)
            if letter_id < before and actor in (None, owner)
        ]
        more = str(items[limit - 1].letter_id) if len(items) > limit else None
        return actors.DeadLetterPage(items=tuple(items[:limit]), next=more)

    async def retry_letter(self, letter_id: int) -> actors.LetterActed | Rejection:
        """Retry a dead letter."""
        return self._letter(letter_id, "retried")

    async def drop_letter(self, letter_id: int) -> actors.LetterActed | Rejection:
        """Drop a dead letter."""
        return self._letter(letter_id, "dropped")

    def _letter(
        self, letter_id: int, action: Literal["retried", "dropped"]
    ) -> actors.LetterActed | Rejection:
        if self.letters.pop(letter_id, None) is None:
            return Rejection(code="not_found", message=f"there is no dead letter {letter_id}")
        return actors.LetterActed(letter_id=letter_id, action=action)

    # --- faults

    async def fault_points(self) -> chaos.FaultPoints | Rejection:
        """Return one point."""
        point = chaos.FaultPoint(
            name="before_commit", actor="sel_writer", placement="log", passed=3
        )
        return chaos.FaultPoints(items=(point,))

    async def faults(self) -> chaos.ChaosView | Rejection:
        """Return what is armed."""
        return chaos.ChaosView(enabled=True, armed=tuple(self.armed), struck_total=0)

    async def arm(self, order: chaos.FaultOrder) -> chaos.ArmedFault | Rejection:
        """Arm a fault."""
        armed = chaos.ArmedFault(
            fault_id=len(self.armed) + 1,
            order=order,
            struck=0,
            expires_at=when(NOW + order.for_ms),
        )
        self.armed.append(armed)
        return armed

    async def disarm(self, fault_id: int | None) -> chaos.Disarmed | Rejection:
        """Disarm faults."""
        kept = [item for item in self.armed if fault_id not in (None, item.fault_id)]
        count = len(self.armed) - len(kept)
        self.armed = kept
        return chaos.Disarmed(count=count)


_CLAIM: Final = "c1" * 32
_CANDIDATE: Final = "cd" * 32


def _resolve(document: Mapping[str, object]) -> Contract | Rejection:
    return resolve(
        document,
        network_id=f"local:{KEY.node_id.hex()}",
        pin=GENESIS,
        created_at=NOW,
        creator=KEY.node_id,
    )


def _shown(contract: Contract) -> Mapping[str, object]:
    return cast("Mapping[str, object]", plain(to_payload(contract)))


def _one(found: list[T], what: str) -> T | Rejection:
    if not found:
        return Rejection(code="not_found", message=f"there is no {what}")
    if len(found) > 1:
        return Rejection(code="ambiguous_name", message=f"{len(found)} begin like {what}")
    return found[0]


def _no_actor(name: str) -> Rejection:
    known = ", ".join(ACTOR_NAMES)
    return Rejection(code="not_found", message=f"there is no actor {name}; there are {known}")


_OUTPUT: Final = works.ArtifactView(
    digest="blake3:" + "ab" * 32, size_bytes=15, mime="application/json", is_here=True
)


def _place(is_done: bool) -> works.PlaceView:
    if not is_done:
        return works.PlaceView(role="propose", state="free")
    return works.PlaceView(
        role="propose",
        state="done",
        claim_id=_CLAIM,
        node_id=KEY.node_id.hex(),
        executor="one",
        lease_until=when(NOW + 30_000),
    )


def _candidate() -> works.CandidateView:
    return works.CandidateView(
        candidate_id=_CANDIDATE,
        claim_id=_CLAIM,
        node_id=KEY.node_id.hex(),
        executor="one",
        attempt=1,
        created_at=when(NOW),
        output=_OUTPUT,
        evidence=(),
        summary="",
        approvals=1,
        rejections=0,
        median_score_bp=10_000,
        confirmations=0,
        is_decided=True,
        is_final=True,
    )


def _result() -> works.ResultView:
    return works.ResultView(
        result_id="a1" * 32,
        candidate_id=_CANDIDATE,
        node_id=KEY.node_id.hex(),
        executor="two",
        status="passed",
        score_bp=10_000,
        reason_codes=(100,),
        reasons=("schema_ok",),
        provider="p",
        model="m",
        created_at=when(NOW),
    )


def _vote() -> works.VoteView:
    return works.VoteView(
        vote_id="b1" * 32,
        candidate_id=_CANDIDATE,
        node_id=KEY.node_id.hex(),
        executor="two",
        state="plain",
        vote="approve",
        counts=True,
    )


def _finality() -> works.FinalityView:
    return works.FinalityView(
        epoch=1,
        candidate_id=_CANDIDATE,
        signers=(KEY.node_id.hex(),),
        threshold=1,
        is_final=True,
        is_disputed=False,
    )


def _verdict(entry: log.EventView) -> works.VerdictView:
    return works.VerdictView(
        seq=entry.seq,
        event_id=entry.event_id,
        event_kind=entry.event_kind,
        author=entry.author,
        created_at=entry.created_at,
        verdict="effective",
        code=None,
        names=(),
        sentence=f"{entry.event_kind} is effective.",
    )


def _executor(spec: executor.ExecutorSpec) -> executor.ExecutorView:
    return executor.ExecutorView(
        name=spec.name,
        base_url=spec.base_url,
        profile=spec.profile,
        task_types=spec.task_types or ("*",),
        profiles=("default",),
        provider="p",
        model="m",
        concurrency=spec.concurrency or 4,
        execute_ms=spec.execute_ms or 120_000,
        verify_ms=spec.verify_ms or 60_000,
        tries=spec.tries or 3,
        has_token=bool(spec.token_env or spec.token_file),
        header_names=tuple(sorted(spec.headers)),
        in_flight=0,
        breaker="closed",
        is_healthy=True,
        last_seen_at=when(NOW),
        last_error=None,
        last_error_at=None,
        added_at=when(NOW),
    )


def _letter(letter_id: int, owner: str) -> actors.DeadLetter:
    return actors.DeadLetter(
        letter_id=letter_id,
        actor=owner,
        message_type="Append",
        message_id=f"m{letter_id}",
        sender="http_api",
        crashes=3,
        error="ValueError: no",
        traceback="Traceback …",
        size_bytes=10,
        at=when(NOW),
    )
