"""What a node does for its API: one method for each operation.

Refusals are values: a method returns its document or a `Rejection`, whose `code` becomes the
problem's and, by the table in `wattswarm.api.problems`, the HTTP status. Exceptions are our own
bugs and broken resources (`WattSwarmError`: its code is shown too).

`name` of a task, event or artifact is its full hex name or a unique prefix of it; the codes are
`not_found` and `ambiguous_name`. Cursors are opaque texts that the backend made itself.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.payloads.control import ControlWord
from wattswarm.surface.actor import (
    ActorActed,
    ActorDetail,
    ActorsTop,
    DeadLetterPage,
    LetterActed,
    TreeNode,
    Tune,
    Tuned,
)
from wattswarm.surface.artifact import (
    ArtifactPage,
    ArtifactRecord,
    ArtifactsCollected,
    ArtifactsVerified,
)
from wattswarm.surface.board import (
    AnnouncementOrder,
    AnnouncementPage,
    CheckpointOrder,
    CheckpointPage,
    ExecutionSets,
    IntentOrder,
    MessageOrder,
    MessagePage,
    MessageView,
    SetOrder,
    SubscriptionOrder,
    SubscriptionPage,
    Uttered,
)
from wattswarm.surface.chaos import ArmedFault, ChaosView, Disarmed, FaultOrder, FaultPoints
from wattswarm.surface.executor import (
    ExecutorCheck,
    ExecutorList,
    ExecutorSpec,
    ExecutorView,
    Removed,
)
from wattswarm.surface.governance import (
    Admitted,
    ChangeOrder,
    GovernanceChanged,
    GovernanceView,
    Proposals,
    VersionPage,
)
from wattswarm.surface.log import (
    Digests,
    EventArchive,
    EventPage,
    EventView,
    Ingested,
    LogHead,
    Part,
    Replayed,
    Verified,
)
from wattswarm.surface.merit import (
    FeedbackGiven,
    KnowledgePage,
    ReputationPage,
    ReuseRejected,
    SimilarFound,
    TaskKnowledge,
)
from wattswarm.surface.node import ConfigView, Diagnosis, NodeView, Readiness, SigningView, Stopping
from wattswarm.surface.statement import (
    EventOrder,
    PardonOrder,
    PenaltyOrder,
    Stated,
    StatementPage,
)
from wattswarm.surface.stream import News
from wattswarm.surface.task import (
    ArtifactBody,
    ContractCheck,
    Controlled,
    CreatorSaid,
    DecisionView,
    EpochEndSaid,
    Explanation,
    Submitted,
    TaskPage,
    TaskView,
    VerdictPage,
)


class NodeOperations(Protocol):
    """The node as a whole."""

    async def node(self) -> NodeView:
        """Return the node on one page."""
        ...

    async def readiness(self) -> Readiness:
        """Tell whether the node takes work; never waits for the database."""
        ...

    async def stop(self) -> Stopping:
        """Begin to stop; the answer is sent before the API closes."""
        ...

    async def restored(self) -> SigningView:
        """Take the operator's word that the log was restored from a backup.

        The node signs again, but nothing for what was opened before.
        """
        ...

    async def cloned(self) -> SigningView:
        """Take the operator's word that another node has this one's key: nothing is signed."""
        ...

    async def doctor(self) -> Diagnosis:
        """Look at database, disk, clock, keys, executors and actors."""
        ...

    async def config(self) -> ConfigView:
        """Return every setting with its source; secrets masked, live dials included."""
        ...

    async def caught_up(self, seq: int) -> bool:
        """Wait until the projections hold `seq`; False when they do not in time (about 2 s)."""
        ...

    def stream(
        self, *, after: int | None, task: str | None
    ) -> AbstractAsyncContextManager[AsyncIterator[News]]:
        """Follow the log: news from after that seq (None: from now on), of one task if named.

        The iterator ends when the node stops. A slow reader loses nothing: the log keeps it.
        """
        ...


class TaskOperations(Protocol):
    """Tasks and bodies."""

    async def check_contract(self, document: Mapping[str, object]) -> ContractCheck:
        """Tell everything that is wrong with a contract, or fill in its defaults."""
        ...

    async def sample_contract(self) -> Mapping[str, object]:
        """Return a contract that works here."""
        ...

    async def submit(
        self, document: Mapping[str, object], *, idempotency_key: str | None
    ) -> Submitted | Rejection:
        """Make a task, and answer when it stands in the log.

        The same key with the same document gives the same task, with another document it is refused
        (`idempotency_conflict`). `contract_invalid` has details {"errors": [ContractProblem …]}.
        """
        ...

    async def control_task(
        self, name: str, word: ControlWord, *, reason: str | None
    ) -> Controlled | Rejection:
        """Stop, suspend, resume or kill a task, and answer when the word stands in the log.

        A word that stands already is not said again.
        """
        ...

    async def end_epoch(
        self, name: str, *, reason: str | None, out_of_turn: bool
    ) -> EpochEndSaid | Rejection:
        """Sign that the newest epoch of a continuous task is over, which opens the next one.

        With `out_of_turn` before it expires, and although it is another finalizer's turn.
        """
        ...

    async def decide_claim(
        self, name: str, claim: str, *, is_approved: bool, reason: str | None
    ) -> CreatorSaid | Rejection:
        """As a task's creator, approve of a claim, or decline it; `claim` may be a prefix."""
        ...

    async def decide_completion(
        self,
        name: str,
        candidate: str,
        *,
        is_approved: bool,
        is_retry_requested: bool,
        reason: str | None,
    ) -> CreatorSaid | Rejection:
        """As a task's creator, take a candidate or do not, and perhaps ask for another."""
        ...

    async def settle_claim(
        self, name: str, claim: str, *, receipt: object
    ) -> CreatorSaid | Rejection:
        """As a task's creator, say that the work under a claim is paid."""
        ...

    async def tasks(
        self, *, state: str | None, task_type: str | None, cursor: str | None, limit: int
    ) -> TaskPage | Rejection:
        """Return tasks, newest first."""
        ...

    async def task(self, name: str) -> TaskView | Rejection:
        """Return everything about a task."""
        ...

    async def verdicts(self, name: str, *, after: int, limit: int) -> VerdictPage | Rejection:
        """Return the verdict of every event of a task."""
        ...

    async def task_events(self, name: str, *, after: int, limit: int) -> EventPage | Rejection:
        """Return the events of a task."""
        ...

    async def explain(self, name: str) -> Explanation | Rejection:
        """Tell a task in sentences."""
        ...

    async def decision(self, name: str) -> DecisionView | Rejection:
        """Return what was decided; `not_decided` while nothing is."""
        ...

    async def artifact(self, digest: str) -> ArtifactBody | Rejection:
        """Return a body, verified."""
        ...


class GovernanceOperations(Protocol):
    """Who may do what: read, changed, and signed by several."""

    async def governance(self, name: str | None) -> GovernanceView | Rejection:
        """Return a version by number, id or prefix, by default the newest."""
        ...

    async def versions(self, *, cursor: str | None, limit: int) -> VersionPage | Rejection:
        """Return valid versions, newest first."""
        ...

    async def pending(self) -> Proposals | Rejection:
        """Return the successors of the newest version that wait for signatures."""
        ...

    async def change_governance(self, order: ChangeOrder) -> GovernanceChanged | Rejection:
        """Draft the next version and sign it; with `dry_run`, only tell what it would be."""
        ...

    async def sign_version(
        self, name: str, *, dry_run: bool, after_restore: bool = False
    ) -> GovernanceChanged | Rejection:
        """Sign a version that another finalizer has drafted.

        With `after_restore` although the log was restored: this node has signed no other successor.
        """
        ...

    async def admit_node(self, name: str, *, dry_run: bool) -> Admitted | Rejection:
        """Admit a node, whose events are taken into the set from then on."""
        ...

    async def statements(self, *, cursor: str | None, limit: int) -> StatementPage | Rejection:
        """Return the statements that hold and those that wait for signatures."""
        ...

    async def revoke_event(self, order: EventOrder) -> Stated | Rejection:
        """Sign that an event has no effect; with `dry_run`, only tell what that would change."""
        ...

    async def restore_event(self, order: EventOrder) -> Stated | Rejection:
        """Sign that an event has its effect again."""
        ...

    async def penalize_node(self, order: PenaltyOrder) -> Stated | Rejection:
        """Sign that what a node says has no effect, as far as the order says."""
        ...

    async def pardon_node(self, order: PardonOrder) -> Stated | Rejection:
        """Sign that a node's penalty is taken back."""
        ...

    async def sign_statement(self, name: str, *, dry_run: bool) -> Stated | Rejection:
        """Sign a statement that other finalizers have begun."""
        ...


class ArtifactOperations(Protocol):
    """The artifact store."""

    async def artifacts(self, *, cursor: str | None, limit: int) -> ArtifactPage | Rejection:
        """Return stored artifacts, by digest, and whether anything names them."""
        ...

    async def artifact_record(self, name: str) -> ArtifactRecord | Rejection:
        """Return what is known of one artifact."""
        ...

    async def verify_artifacts(self) -> ArtifactsVerified:
        """Compare every stored body with its name; nothing is removed."""
        ...

    async def collect_artifacts(self, *, dry_run: bool) -> ArtifactsCollected:
        """Remove what nothing names and what was kept long enough; only tell it in a dry run."""
        ...


class MeritOperations(Protocol):
    """How answers turned out."""

    async def give_feedback(
        self, name: str, *, reason: str, epoch: int | None
    ) -> FeedbackGiven | Rejection:
        """Say that an answer is bad, and answer when that stands in the log; said once."""
        ...

    async def reject_reuse(self, name: str, *, candidate: str | None) -> ReuseRejected | Rejection:
        """Record that a repetition was rejected, and answer when that stands in the log."""
        ...

    async def task_knowledge(self, name: str) -> TaskKnowledge | Rejection:
        """Return what a task left behind, and how that turned out."""
        ...

    async def similar(self, name: str) -> SimilarFound | Rejection:
        """Return what was decided before on a task's question, and on like ones."""
        ...

    async def knowledge(
        self, *, task_type: str | None, scope: str | None, cursor: str | None, limit: int
    ) -> KnowledgePage | Rejection:
        """Return precedents, newest first."""
        ...

    async def reputation(
        self, *, node: str | None, scope: str | None, cursor: str | None, limit: int
    ) -> ReputationPage | Rejection:
        """Return what votes came to, by scope, node, provider and model."""
        ...


class BoardOperations(Protocol):
    """What belongs to no task: topics, announcements, execution sets, checkpoints.

    Whatever is said answers when it stands in the log, or that it stood before.
    """

    async def post_message(self, order: MessageOrder) -> Uttered | Rejection:
        """Post a message; a text that is too long for an event is stored as an artifact."""
        ...

    async def messages(
        self, *, feed_key: str | None, scope: str | None, cursor: str | None, limit: int
    ) -> MessagePage | Rejection:
        """Return messages, newest first; those with a body are without their text."""
        ...

    async def message(self, name: str) -> MessageView | Rejection:
        """Return a message, with its body when that is text, is here and is not too large."""
        ...

    async def subscribe(self, order: SubscriptionOrder) -> Uttered | Rejection:
        """Listen to a feed, or not any more."""
        ...

    async def subscriptions(
        self,
        *,
        feed_key: str | None,
        scope: str | None,
        node: str | None,
        active: bool,
        cursor: str | None,
        limit: int,
    ) -> SubscriptionPage | Rejection:
        """Return what stands by scope, node and feed; with `active`, only who still listens."""
        ...

    async def announce_task(self, name: str, order: AnnouncementOrder) -> Uttered | Rejection:
        """Announce a task on a feed; the same key again is a revision."""
        ...

    async def announcements_of_tasks(
        self,
        *,
        feed_key: str | None,
        scope: str | None,
        task: str | None,
        cursor: str | None,
        limit: int,
    ) -> AnnouncementPage | Rejection:
        """Return what stands of announcements, newest first."""
        ...

    async def declare_intent(self, name: str, order: IntentOrder) -> Uttered | Rejection:
        """Say what this node means to do in an execution set of a task."""
        ...

    async def confirm_set(self, name: str, order: SetOrder) -> Uttered | Rejection:
        """Say whom this node holds for the members of an execution set of a task."""
        ...

    async def execution_sets(self, name: str) -> ExecutionSets | Rejection:
        """Return who means to work on a task together, and who was confirmed."""
        ...

    async def checkpoint(self, order: CheckpointOrder) -> Uttered | Rejection:
        """Sign where this log ends, and the root of each of its lanes: all, or those of a scope."""
        ...

    async def checkpoints(self, *, cursor: str | None, limit: int) -> CheckpointPage | Rejection:
        """Return checkpoints, newest first."""
        ...


class ExecutorOperations(Protocol):
    """The registry of executors."""

    async def executors(self) -> ExecutorList:
        """Return all executors, by name."""
        ...

    async def add_executor(self, spec: ExecutorSpec) -> ExecutorView | Rejection:
        """Add an executor, or change the one of that name."""
        ...

    async def remove_executor(self, name: str) -> Removed | Rejection:
        """Remove an executor; work in flight is finished."""
        ...

    async def check_executor(self, name: str) -> ExecutorCheck | Rejection:
        """Ask an executor for its health and capabilities, now."""
        ...


class LogOperations(Protocol):
    """The event log and what is derived from it."""

    async def log_head(self) -> LogHead:
        """Return where the log ends."""
        ...

    async def events(self, *, after: int, limit: int) -> EventPage:
        """Return events in the order of the log."""
        ...

    async def event(self, name: str) -> EventView | Rejection:
        """Return one event, by id or by its seq in decimal."""
        ...

    async def digests(self) -> Digests:
        """Return the digests of all scopes."""
        ...

    async def verify_log(self) -> Verified:
        """Read the whole log and check every signature and every link."""
        ...

    async def replay_log(self, *, verify: bool) -> Replayed | Rejection:
        """Rebuild the projections beside the live ones; compare, and swap unless `verify`."""
        ...

    async def ingest(self, archive: bytes) -> Ingested | Rejection:
        """Append the authentic events of an archive; `ingest_disabled` unless configured.

        Nothing is appended of one that cannot be taken apart (`malformed`) or is of another network
        (`wrong_network`); else each event is judged for itself.
        """
        ...

    async def export_log(self, part: Part) -> EventArchive | Rejection:
        """Return an archive of a part of the log, as it is now; it is made while it is sent."""
        ...


class ActorOperations(Protocol):
    """The supervision tree."""

    async def actor_tree(self) -> TreeNode:
        """Return the tree from the root."""
        ...

    async def actors_top(self) -> ActorsTop:
        """Return how every actor and process does."""
        ...

    async def actor(self, name: str) -> ActorDetail | Rejection:
        """Return everything about one actor."""
        ...

    async def tune(self, name: str, tune: Tune) -> Tuned | Rejection:
        """Turn dials; answers when they are in effect. All are turned or none."""
        ...

    async def restart_actor(self, name: str) -> ActorActed | Rejection:
        """Restart an actor; answers when it runs again; if it is the API itself, before it ends."""
        ...

    async def kill_actor(self, name: str) -> ActorActed | Rejection:
        """Kill the worker process of an actor or group with SIGKILL; its supervisor restarts it."""
        ...

    async def suspend_actor(self, name: str) -> ActorActed | Rejection:
        """Let an actor take no message until it is resumed."""
        ...

    async def resume_actor(self, name: str) -> ActorActed | Rejection:
        """Let a suspended actor go on."""
        ...

    async def dead_letters(
        self, *, actor: str | None, cursor: str | None, limit: int
    ) -> DeadLetterPage | Rejection:
        """Return dead letters, newest first."""
        ...

    async def retry_letter(self, letter_id: int) -> LetterActed | Rejection:
        """Give a dead letter to its actor again."""
        ...

    async def drop_letter(self, letter_id: int) -> LetterActed | Rejection:
        """Forget a dead letter."""
        ...


class ChaosOperations(Protocol):
    """Fault injection; every method answers `chaos_disabled` unless configured."""

    async def fault_points(self) -> FaultPoints | Rejection:
        """Return all named places."""
        ...

    async def faults(self) -> ChaosView | Rejection:
        """Return what is armed."""
        ...

    async def arm(self, order: FaultOrder) -> ArmedFault | Rejection:
        """Arm a fault."""
        ...

    async def disarm(self, fault_id: int | None) -> Disarmed | Rejection:
        """Disarm a fault, or all of them."""
        ...


class NodeApi(
    NodeOperations,
    TaskOperations,
    GovernanceOperations,
    ArtifactOperations,
    MeritOperations,
    BoardOperations,
    ExecutorOperations,
    LogOperations,
    ActorOperations,
    ChaosOperations,
    Protocol,
):
    """Everything that a node does for its API."""
