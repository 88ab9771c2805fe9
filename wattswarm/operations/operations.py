"""All operations of a node as one: what the API is served from."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import trio

from wattswarm.actors.governance_tail import GovernanceTail
from wattswarm.actors.messages import HeadMoved, TasksChanged
from wattswarm.actors.precedents import Precedents
from wattswarm.actors.runtime.actor import Logger
from wattswarm.actors.runtime.ref import Ref
from wattswarm.actors.runtime.tree_control import TreeControl
from wattswarm.actors.runtime.world import Clock
from wattswarm.config.load import LoadedConfig
from wattswarm.config.state_dir import StateDir
from wattswarm.executors.retry import Dice
from wattswarm.kernel.signature import KeyPair
from wattswarm.operations.actors import Actors
from wattswarm.operations.amending import Amending
from wattswarm.operations.announcements import Announcements
from wattswarm.operations.appraising import Appraising
from wattswarm.operations.artifacts import Artifacts
from wattswarm.operations.bodies import Bodies
from wattswarm.operations.chaos import Chaos
from wattswarm.operations.checkpointing import Checkpointing
from wattswarm.operations.controlling import Controlling
from wattswarm.operations.derivation import Governing
from wattswarm.operations.doctor import Doctor
from wattswarm.operations.executors import Executors
from wattswarm.operations.exporting import Exporting
from wattswarm.operations.governance import GovernanceBooks
from wattswarm.operations.health import Health
from wattswarm.operations.letters import Letters
from wattswarm.operations.log import Log
from wattswarm.operations.loop_lag import LoopLag
from wattswarm.operations.market import Market
from wattswarm.operations.merit import Merit
from wattswarm.operations.node import Identity, Node
from wattswarm.operations.processes import Processes
from wattswarm.operations.reading import LocalSession
from wattswarm.operations.reverts import Reverts
from wattswarm.operations.speech import Pen, Speech
from wattswarm.operations.stating import Stating
from wattswarm.operations.stream import Stream
from wattswarm.operations.submission import Appender, Submission
from wattswarm.operations.task_board import TaskBoard
from wattswarm.operations.tasks import Tasks
from wattswarm.operations.topics import Topics
from wattswarm.operations.voice import Voice
from wattswarm.store.artifacts import ArtifactStore
from wattswarm.store.connection import Database
from wattswarm.store.pool import Reads

MIB: Final = 1_048_576


@attrs.frozen(kw_only=True)
class Surroundings:
    """What operations are given: the node's place, key and settings, and the tree that they run in.

    Args:
        append: Puts events into the log; `ref` leads to other actors.
        environ: Where tokens of executors that are named by variables are looked up.
    """

    database: Database
    state_dir: StateDir
    loaded: LoadedConfig
    network_id: str
    key: KeyPair = attrs.field(repr=False)
    api_url: str
    started_ms: int
    tree: TreeControl
    ref: Callable[[str], Ref[Any]]
    append: Appender
    environ: Mapping[str, str] = attrs.field(repr=False)
    clock: Clock
    dice: Dice
    log: Logger


class Operations:
    """A `NodeApi`: each operation is that of the part that it belongs to.

    Whoever makes it runs `run` for as long as it is used, and then calls `close`.
    """

    def __init__(self, given: Surroundings) -> None:
        config, tree, clock = given.loaded.config, given.tree, given.clock
        self._reads = Reads(given.database, config.store.readers)
        self._local = LocalSession(given.database)
        self._lag = LoopLag()
        self.announcements = Announcements()
        self._health = Health(tree, self.announcements)
        self._reverts = Reverts(tree.tune, given.log)
        artifacts = ArtifactStore(
            given.state_dir.artifacts_path, config.limits.artifact_mib_max * MIB
        )
        governing = Governing(GovernanceTail(given.network_id))

        node = Node(
            identity=Identity(
                node_id=given.key.node_id,
                network_id=given.network_id,
                state_dir=given.state_dir.path,
                api_url=given.api_url,
                started_ms=given.started_ms,
                is_embedded=not config.store.pg_url,
            ),
            loaded=given.loaded,
            reads=self._reads,
            local=self._local,
            tree=tree,
            health=self._health,
            announcements=self.announcements,
            clock=clock,
        )
        self.node = node.node
        self.readiness = node.readiness
        self.stop = node.stop
        self.config = node.config
        self.caught_up = node.caught_up

        stream = Stream(
            reads=self._reads,
            announcements=self.announcements,
            health=self._health,
            clock=clock,
        )
        self.stream = stream.stream

        tasks = Tasks(reads=self._reads, governing=governing, bodies=Bodies(artifacts), clock=clock)
        self.tasks = tasks.tasks
        self.task = tasks.task
        self.verdicts = tasks.verdicts
        self.task_events = tasks.task_events
        self.explain = tasks.explain
        self.decision = tasks.decision
        self.artifact = tasks.artifact

        stored = Artifacts(
            database=given.database,
            store=artifacts,
            settings=config.artifacts,
            clock=clock,
            log=given.log,
        )
        self._collecting = stored.run
        self.artifacts = stored.artifacts
        self.artifact_record = stored.artifact_record
        self.verify_artifacts = stored.verify_artifacts
        self.collect_artifacts = stored.collect_artifacts

        submission = Submission(
            reads=self._reads,
            local=self._local,
            governing=governing,
            artifacts=artifacts,
            key=given.key,
            append=given.append,
            clock=clock,
            open_max=config.limits.tasks_open_max,
        )
        self.check_contract = submission.check_contract
        self.sample_contract = submission.sample_contract
        self.submit = submission.submit

        pen = Pen(key=given.key, append=given.append, network_id=given.network_id)
        speech = Speech(reads=self._reads, governing=governing, pen=pen, clock=clock)
        controlling = Controlling(speech=speech)
        self.control_task = controlling.control_task
        self.end_epoch = controlling.end_epoch
        market = Market(speech=speech)
        self.decide_claim = market.decide_claim
        self.decide_completion = market.decide_completion
        self.settle_claim = market.settle_claim

        books = GovernanceBooks(
            reads=self._reads, governing=governing, me=given.key.node_id, clock=clock
        )
        self.governance = books.governance
        self.versions = books.versions
        self.pending = books.pending
        self.statements = books.statements

        amending = Amending(reads=self._reads, governing=governing, pen=pen, clock=clock)
        self.change_governance = amending.change_governance
        self.sign_version = amending.sign_version
        self.admit_node = amending.admit_node

        appraising = Appraising(speech=speech)
        self.give_feedback = appraising.give_feedback
        self.reject_reuse = appraising.reject_reuse

        merit = Merit(
            reads=self._reads,
            governing=governing,
            precedents=Precedents(Bodies(artifacts).read),
            clock=clock,
        )
        self.task_knowledge = merit.task_knowledge
        self.similar = merit.similar
        self.knowledge = merit.knowledge
        self.reputation = merit.reputation
        voice = Voice(
            reads=self._reads,
            governing=governing,
            pen=pen,
            clock=clock,
            caught_up=node.caught_up,
        )
        topics = Topics(
            reads=self._reads, artifacts=artifacts, bodies=Bodies(artifacts), voice=voice
        )
        self.post_message = topics.post_message
        self.messages = topics.messages
        self.message = topics.message
        self.subscribe = topics.subscribe
        self.subscriptions = topics.subscriptions

        task_board = TaskBoard(reads=self._reads, bodies=Bodies(artifacts), voice=voice)
        self.announce_task = task_board.announce_task
        self.announcements_of_tasks = task_board.announcements
        self.declare_intent = task_board.declare_intent
        self.confirm_set = task_board.confirm_set
        self.execution_sets = task_board.execution_sets

        checkpointing = Checkpointing(reads=self._reads, voice=voice)
        self.checkpoint = checkpointing.checkpoint
        self.checkpoints = checkpointing.checkpoints

        stating = Stating(reads=self._reads, governing=governing, pen=pen, clock=clock)
        self.revoke_event = stating.revoke_event
        self.restore_event = stating.restore_event
        self.penalize_node = stating.penalize_node
        self.pardon_node = stating.pardon_node
        self.sign_statement = stating.sign_statement

        executors = Executors(
            local=self._local,
            tree=tree,
            ref=given.ref,
            defaults=config.executors,
            environ=given.environ,
            dice=given.dice,
            clock=clock,
        )
        self.executors = executors.executors
        self.add_executor = executors.add_executor
        self.remove_executor = executors.remove_executor
        self.check_executor = executors.check_executor

        log = Log(
            reads=self._reads,
            governing=governing,
            database=given.database,
            ref=given.ref,
            network_id=given.network_id,
            is_ingest_enabled=config.ingest.enabled,
        )
        self.log_head = log.log_head
        self.events = log.events
        self.event = log.event
        self.digests = log.digests
        self.verify_log = log.verify_log
        self.replay_log = log.replay_log
        self.ingest = log.ingest
        self.export_log = Exporting(self._reads, given.network_id).export_log
        self.progress: Mapping[str, str] = log.progress

        actors = Actors(
            tree=tree,
            processes=Processes(tree.spec),
            reverts=self._reverts,
            clock=clock,
            loop_lag_ms=self._lag.last_ms,
            is_closing=lambda: self.announcements.is_stopping,
            config_file=given.state_dir.config_path,
        )
        self.actor_tree = actors.actor_tree
        self.actors_top = actors.actors_top
        self.actor = actors.actor
        self.tune = actors.tune
        self.restart_actor = actors.restart_actor
        self.kill_actor = actors.kill_actor
        self.suspend_actor = actors.suspend_actor
        self.resume_actor = actors.resume_actor

        letters = Letters(local=self._local, tree=tree)
        self.dead_letters = letters.dead_letters
        self.retry_letter = letters.retry_letter
        self.drop_letter = letters.drop_letter

        chaos = Chaos(
            tree=tree,
            is_enabled=config.chaos.enabled,
            rule_ms_max=config.chaos.rule_ms_max,
            clock=clock,
            ref=given.ref,
        )
        self.fault_points = chaos.fault_points
        self.faults = chaos.faults
        self.arm = chaos.arm
        self.disarm = chaos.disarm

        doctor = Doctor(
            loaded=given.loaded,
            state_dir=given.state_dir,
            database=given.database,
            reads=self._reads,
            local=self._local,
            tree=tree,
            health=self._health,
            governing=governing,
            me=given.key.node_id,
            executors=executors,
            clock=clock,
        )
        self.doctor = doctor.doctor

    def heard(self, news: HeadMoved | TasksChanged) -> None:
        """Take an announcement: whoever waits for news is woken."""
        self.announcements.take(news)

    async def run(self) -> None:
        """Watch the node's health, turn dials back, and collect artifacts, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._health.watch)
            nursery.start_soon(self._reverts.run)
            nursery.start_soon(self._collecting)
            nursery.start_soon(self._lag.watch)

    def close(self) -> None:
        """Let followers end, and end all sessions."""
        self.announcements.stop()
        self._reads.close()
        self._local.close()
