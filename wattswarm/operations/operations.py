"""All operations of a node as one: what the API is served from."""

from collections.abc import Mapping

import trio

from wattswarm.actors.messages import HeadMoved, TasksChanged
from wattswarm.actors.precedents import Precedents
from wattswarm.operations.actors import Actors
from wattswarm.operations.amending import Amending
from wattswarm.operations.appraising import Appraising
from wattswarm.operations.artifacts import Artifacts
from wattswarm.operations.chaos import Chaos
from wattswarm.operations.checkpointing import Checkpointing
from wattswarm.operations.controlling import Controlling
from wattswarm.operations.doctor import Doctor
from wattswarm.operations.executors import Executors
from wattswarm.operations.exporting import Exporting
from wattswarm.operations.governance import GovernanceBooks
from wattswarm.operations.ground import Ground, Surroundings
from wattswarm.operations.letters import Letters
from wattswarm.operations.log import Log
from wattswarm.operations.loop_lag import LoopLag
from wattswarm.operations.market import Market
from wattswarm.operations.merit import Merit
from wattswarm.operations.node import Identity, Node
from wattswarm.operations.processes import Processes
from wattswarm.operations.signing import Signing
from wattswarm.operations.speech import Speech
from wattswarm.operations.stating import Stating
from wattswarm.operations.stream import Stream
from wattswarm.operations.submission import Submission
from wattswarm.operations.task_board import TaskBoard
from wattswarm.operations.tasks import Tasks
from wattswarm.operations.topics import Topics
from wattswarm.operations.voice import Voice


class Operations:
    """A `NodeApi`: each operation is that of the part that it belongs to.

    Whoever makes it runs `run` for as long as it is used, and then calls `close`.
    """

    def __init__(self, given: Surroundings) -> None:
        self._ground = ground = Ground.of(given)
        self._lag = LoopLag()
        self.announcements = ground.announcements
        node = self._serve_node(ground)
        self._serve_signing(ground)
        self._serve_tasks(ground)
        self._serve_submission(ground)
        self._serve_words(ground)
        self._serve_merit(ground)
        self._serve_artifacts(ground)
        self._serve_governance(ground)
        self._serve_amending(ground)
        self._serve_board(ground, _voice(ground, node))
        self._serve_log(ground)
        self._serve_actors(ground)
        self._serve_letters(ground)
        self._serve_chaos(ground)
        self._serve_doctor(ground, self._serve_executors(ground))

    def heard(self, news: HeadMoved | TasksChanged) -> None:
        """Take an announcement: whoever waits for news is woken."""
        self.announcements.take(news)

    async def run(self) -> None:
        """Watch the node's health, turn dials back, and collect artifacts, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._ground.health.watch)
            nursery.start_soon(self._ground.reverts.run)
            nursery.start_soon(self._collecting)
            nursery.start_soon(self._lag.watch)

    def close(self) -> None:
        """Let followers end, and end all sessions."""
        self._ground.close()

    # --- the parts ------------------------------------------------------------------------------

    def _serve_node(self, ground: Ground) -> Node:
        given = ground.given
        node = Node(
            identity=_identity(given),
            loaded=given.loaded,
            reads=ground.reads,
            local=ground.local,
            tree=given.tree,
            health=ground.health,
            announcements=ground.announcements,
            clock=given.clock,
        )
        self.node = node.node
        self.readiness = node.readiness
        self.stop = node.stop
        self.config = node.config
        self.caught_up = node.caught_up
        return node

    def _serve_signing(self, ground: Ground) -> None:
        signing = Signing(local=ground.local, clock=ground.given.clock, log=ground.given.log)
        self.restored = signing.restored
        self.cloned = signing.cloned

    def _serve_tasks(self, ground: Ground) -> None:
        clock = ground.given.clock
        tasks = Tasks(
            reads=ground.reads, governing=ground.governing, bodies=ground.bodies, clock=clock
        )
        self.tasks = tasks.tasks
        self.task = tasks.task
        self.verdicts = tasks.verdicts
        self.task_events = tasks.task_events
        self.explain = tasks.explain
        self.decision = tasks.decision
        self.artifact = tasks.artifact

    def _serve_submission(self, ground: Ground) -> None:
        given = ground.given
        submission = Submission(
            reads=ground.reads,
            local=ground.local,
            governing=ground.governing,
            artifacts=ground.store,
            key=given.key,
            append=given.append,
            clock=given.clock,
            open_max=given.loaded.config.limits.tasks_open_max,
        )
        self.check_contract = submission.check_contract
        self.sample_contract = submission.sample_contract
        self.submit = submission.submit

    def _serve_words(self, ground: Ground) -> None:
        """Serve what is said of tasks that are there."""
        speech = Speech(
            reads=ground.reads,
            governing=ground.governing,
            pen=ground.pen,
            clock=ground.given.clock,
        )
        controlling = Controlling(speech=speech)
        self.control_task = controlling.control_task
        self.end_epoch = controlling.end_epoch
        market = Market(speech=speech)
        self.decide_claim = market.decide_claim
        self.decide_completion = market.decide_completion
        self.settle_claim = market.settle_claim
        appraising = Appraising(speech=speech)
        self.give_feedback = appraising.give_feedback
        self.reject_reuse = appraising.reject_reuse

    def _serve_merit(self, ground: Ground) -> None:
        merit = Merit(
            reads=ground.reads,
            governing=ground.governing,
            precedents=Precedents(ground.bodies.read),
            clock=ground.given.clock,
        )
        self.task_knowledge = merit.task_knowledge
        self.similar = merit.similar
        self.knowledge = merit.knowledge
        self.reputation = merit.reputation

    def _serve_artifacts(self, ground: Ground) -> None:
        given = ground.given
        artifacts = Artifacts(
            database=given.database,
            store=ground.store,
            settings=given.loaded.config.artifacts,
            clock=given.clock,
            log=given.log,
        )
        self._collecting = artifacts.run
        self.artifacts = artifacts.artifacts
        self.artifact_record = artifacts.artifact_record
        self.verify_artifacts = artifacts.verify_artifacts
        self.collect_artifacts = artifacts.collect_artifacts

    def _serve_governance(self, ground: Ground) -> None:
        books = GovernanceBooks(
            reads=ground.reads,
            governing=ground.governing,
            me=ground.given.key.node_id,
            clock=ground.given.clock,
        )
        self.governance = books.governance
        self.versions = books.versions
        self.pending = books.pending
        self.statements = books.statements

    def _serve_amending(self, ground: Ground) -> None:
        """Serve what finalizers say of governance, events and nodes."""
        reads, governing, pen = ground.reads, ground.governing, ground.pen
        clock = ground.given.clock
        amending = Amending(reads=reads, governing=governing, pen=pen, clock=clock)
        self.change_governance = amending.change_governance
        self.sign_version = amending.sign_version
        self.admit_node = amending.admit_node
        stating = Stating(reads=reads, governing=governing, pen=pen, clock=clock)
        self.revoke_event = stating.revoke_event
        self.restore_event = stating.restore_event
        self.penalize_node = stating.penalize_node
        self.pardon_node = stating.pardon_node
        self.sign_statement = stating.sign_statement

    def _serve_board(self, ground: Ground, voice: Voice) -> None:
        reads, bodies = ground.reads, ground.bodies
        topics = Topics(reads=reads, artifacts=ground.store, bodies=bodies, voice=voice)
        self.post_message = topics.post_message
        self.messages = topics.messages
        self.message = topics.message
        self.subscribe = topics.subscribe
        self.subscriptions = topics.subscriptions
        task_board = TaskBoard(reads=reads, bodies=bodies, voice=voice)
        self.announce_task = task_board.announce_task
        self.announcements_of_tasks = task_board.announcements
        self.declare_intent = task_board.declare_intent
        self.confirm_set = task_board.confirm_set
        self.execution_sets = task_board.execution_sets
        checkpointing = Checkpointing(reads=reads, voice=voice)
        self.checkpoint = checkpointing.checkpoint
        self.checkpoints = checkpointing.checkpoints

    def _serve_log(self, ground: Ground) -> None:
        given = ground.given
        log = Log(
            reads=ground.reads,
            governing=ground.governing,
            database=given.database,
            ref=given.ref,
            network_id=given.network_id,
            is_ingest_enabled=given.loaded.config.ingest.enabled,
        )
        self.log_head = log.log_head
        self.events = log.events
        self.event = log.event
        self.digests = log.digests
        self.verify_log = log.verify_log
        self.replay_log = log.replay_log
        self.ingest = log.ingest
        self.progress: Mapping[str, str] = log.progress
        self.export_log = Exporting(ground.reads, given.network_id).export_log
        stream = Stream(
            reads=ground.reads,
            announcements=ground.announcements,
            health=ground.health,
            clock=given.clock,
        )
        self.stream = stream.stream

    def _serve_executors(self, ground: Ground) -> Executors:
        given = ground.given
        executors = Executors(
            local=ground.local,
            tree=given.tree,
            ref=given.ref,
            defaults=given.loaded.config.executors,
            environ=given.environ,
            dice=given.dice,
            clock=given.clock,
        )
        self.executors = executors.executors
        self.add_executor = executors.add_executor
        self.remove_executor = executors.remove_executor
        self.check_executor = executors.check_executor
        return executors

    def _serve_actors(self, ground: Ground) -> None:
        given = ground.given
        actors = Actors(
            tree=given.tree,
            processes=Processes(given.tree.spec),
            reverts=ground.reverts,
            clock=given.clock,
            loop_lag_ms=self._lag.last_ms,
            is_closing=lambda: ground.announcements.is_stopping,
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

    def _serve_letters(self, ground: Ground) -> None:
        letters = Letters(local=ground.local, tree=ground.given.tree)
        self.dead_letters = letters.dead_letters
        self.retry_letter = letters.retry_letter
        self.drop_letter = letters.drop_letter

    def _serve_chaos(self, ground: Ground) -> None:
        given, settings = ground.given, ground.given.loaded.config.chaos
        chaos = Chaos(
            tree=given.tree,
            is_enabled=settings.enabled,
            rule_ms_max=settings.rule_ms_max,
            clock=given.clock,
            ref=given.ref,
        )
        self.fault_points = chaos.fault_points
        self.faults = chaos.faults
        self.arm = chaos.arm
        self.disarm = chaos.disarm

    def _serve_doctor(self, ground: Ground, executors: Executors) -> None:
        given = ground.given
        doctor = Doctor(
            loaded=given.loaded,
            state_dir=given.state_dir,
            database=given.database,
            reads=ground.reads,
            local=ground.local,
            tree=given.tree,
            health=ground.health,
            governing=ground.governing,
            me=given.key.node_id,
            executors=executors,
            clock=given.clock,
        )
        self.doctor = doctor.doctor


def _identity(given: Surroundings) -> Identity:
    return Identity(
        node_id=given.key.node_id,
        network_id=given.network_id,
        state_dir=given.state_dir.path,
        api_url=given.api_url,
        started_ms=given.started_ms,
        is_embedded=not given.loaded.config.store.pg_url,
    )


def _voice(ground: Ground, node: Node) -> Voice:
    return Voice(
        reads=ground.reads,
        governing=ground.governing,
        pen=ground.pen,
        clock=ground.given.clock,
        caught_up=node.caught_up,
    )
