"""Every setting of a node, its default, its range and what it is for.

`config/default.toml` and the table in docs/operating/config.md are made from this file.
"""

from typing import Final

import attrs

from wattswarm.config.setting import about, choice, switch, text, texts, whole

PLACEMENTS: Final = ("root", "log", "projection", "dispatch", "ingest")
OVERFLOWS: Final = ("block", "shed_oldest", "refuse")
MODES: Final = ("local", "lan", "network")
PROFILES: Final = ("default", "compact", "test")


@attrs.frozen(kw_only=True)
class NodeSection:
    """The node as a whole."""

    mode: str = choice("local", "How far the node reaches; this version runs local only.", MODES)
    profile: str = choice(
        "default", "compact: one process for small machines; test: every wait is short.", PROFILES
    )
    p2p_enabled: bool = switch(True, "false forces mode local, whatever else is set.")
    start_ms: int = whole(60_000, "Longest wait until the node is ready.", 1_000, 600_000)
    stop_ms: int = whole(25_000, "Longest stop in all; what runs longer is killed.", 500, 300_000)
    restarts_max: int = whole(
        10, "Restarts of all groups together in the window before the node gives up.", 0, 10_000
    )
    restarts_window_ms: int = whole(
        600_000, "The window in which restarts of groups are counted.", 100, 86_400_000
    )


@attrs.frozen(kw_only=True)
class StoreSection:
    """PostgreSQL and the artifact store."""

    pg_url: str = text(
        "", "External PostgreSQL (15 or later); empty: the embedded server.", is_secret=True
    )
    pg_schema: str = text("", "Prefix of the schemas, to keep several nodes on one server apart.")
    fsync: bool = switch(True, "false makes the embedded server fast and unsafe: for tests only.")
    readers: int = whole(4, "Connections of the pool that the API reads with.", 1, 64)
    disk_free_mib_min: int = whole(
        128,
        "With less room than this the node becomes read-only until there is more.",
        0,
        1_048_576,
    )


@attrs.frozen(kw_only=True)
class ApiSection:
    """The HTTP API."""

    listen: str = text(
        "127.0.0.1:7788", "Address and port; a free port is taken when this one is busy and unset."
    )
    allowed_hosts: tuple[str, ...] = texts((), "Host names that are accepted beside loopback's.")
    body_kib_max: int = whole(2_048, "Largest request body.", 64, 65_536)
    requests_max: int = whole(64, "Requests served at one time.", 1, 4_096)
    request_ms: int = whole(60_000, "Longest request, streams excepted.", 1_000, 3_600_000)
    page_items: int = whole(50, "Items of a page when the request does not say.", 1, 500)
    streams_max: int = whole(32, "Live streams at one time.", 1, 1_024)
    stream_heartbeat_ms: int = whole(10_000, "Longest silence on a live stream.", 100, 60_000)


@attrs.frozen(kw_only=True)
class LogSection:
    """What the node writes about itself (not the event log)."""

    level: str = choice(
        "info", "Least level that is written.", ("debug", "info", "warning", "error")
    )
    format: str = choice(
        "auto", "auto: for people on a terminal, JSON lines otherwise.", ("auto", "console", "json")
    )
    file_mib: int = whole(20, "Size at which logs/node.log is rotated.", 1, 1_024)
    files: int = whole(5, "Files kept, the current one included.", 1, 100)


@attrs.frozen(kw_only=True)
class ChaosSection:
    """Fault injection; never over the network."""

    enabled: bool = switch(
        False, "true allows faults to be armed; the API must listen on loopback."
    )
    rule_ms_max: int = whole(600_000, "Longest life of an armed fault.", 100, 86_400_000)


@attrs.frozen(kw_only=True)
class IngestSection:
    """Events of other nodes, brought in as archives over the API."""

    enabled: bool = switch(False, "true starts the verifier and its route.")
    threads: int = whole(2, "Threads that check signatures.", 1, 32)
    archive_mib_max: int = whole(16, "Largest archive of one request.", 1, 1_024)


@attrs.frozen(kw_only=True)
class LimitsSection:
    """Bounds that an operator may move; those of the protocol are not settings."""

    artifact_mib_max: int = whole(64, "Largest artifact that is stored.", 1, 4_096)
    parked_events_max: int = whole(1_024, "Events dated ahead that wait in memory.", 16, 65_536)
    dead_letters_max: int = whole(10_000, "Dead letters kept; the oldest go first.", 10, 1_000_000)
    tasks_open_max: int = whole(
        10_000, "Open tasks above which a submit is refused.", 1, 10_000_000
    )
    audits_per_hour: int = whole(
        60, "Tasks that are derived again and compared with their rows; 0 for none.", 0, 3_600
    )


@attrs.frozen(kw_only=True)
class ArtifactsSection:
    """How long bodies and stored answers are kept."""

    keep_unnamed_ms: int = whole(
        86_400_000,
        "An artifact that nothing names is kept this long after it was stored.",
        60_000,
        31_536_000_000,
    )
    keep_ended_ms: int = whole(
        0,
        "Artifacts that only tasks name which expired this long ago are removed; 0: kept for good.",
        0,
        3_153_600_000_000,
    )
    keep_answers_ms: int = whole(
        604_800_000,
        "Answers of executors are kept this long after their task expired; 0: for good.",
        0,
        3_153_600_000_000,
    )
    collect_every_ms: int = whole(
        3_600_000,
        "Pause between collections; 0: only when `wattswarm artifacts collect` asks for one.",
        0,
        86_400_000,
    )


@attrs.frozen(kw_only=True)
class DutiesSection:
    """What the dispatcher does for the node's tasks, and when."""

    projection_wait_ms: int = whole(
        2_000, "Longest wait of a duty or a read for the projection to catch up.", 10, 60_000
    )
    scan_ms: int = whole(
        1_000, "Pause between looks at all open tasks, behind wake-ups.", 10, 60_000
    )
    approve_claims: bool = switch(
        False,
        "true approves claims on this node's own tasks with allocator creator while there is room; "
        "false leaves that to `task approve-claim`.",
    )


@attrs.frozen(kw_only=True)
class ExecutorsSection:
    """How executors are called; each executor may set its own."""

    concurrency: int = whole(4, "Requests to one executor at one time.", 1, 1_024)
    health_ms: int = whole(3_000, "Longest health or capability check.", 10, 60_000)
    health_every_ms: int = whole(
        15_000, "Pause between health checks of an idle executor.", 100, 3_600_000
    )
    execute_ms: int = whole(120_000, "Longest execution.", 100, 86_400_000)
    verify_ms: int = whole(60_000, "Longest verification.", 100, 86_400_000)
    tries: int = whole(3, "Tries of one request, under one idempotency key.", 1, 20)
    backoff_ms: int = whole(200, "Pause before the second try; doubles, with jitter.", 1, 60_000)
    breaker_failures: int = whole(5, "Failures in a row that open the circuit breaker.", 1, 1_000)
    breaker_open_ms: int = whole(
        10_000, "Time until an open breaker lets one try through.", 10, 3_600_000
    )


@attrs.frozen(kw_only=True)
class ActorSection:
    """The dials of one actor."""

    placement: str = choice("root", "Process that runs it; root is the node's own.", PLACEMENTS)
    instances: int = whole(1, "Instances, work being split between them by key.", 1, 64)
    concurrency: int = whole(1, "Messages handled at one time.", 1, 1_024)
    inbox: int = whole(1_024, "Messages that may wait.", 8, 1_048_576)
    batch: int = whole(1, "Messages taken at once.", 1, 4_096)
    overflow: str = choice("block", "What a full inbox does to its senders.", OVERFLOWS)
    hang_after_ms: int = whole(
        20_000, "A message in hand for longer is a hang; 0: never.", 0, 86_400_000
    )
    start_ms: int = whole(30_000, "Longest start, recovery included.", 100, 3_600_000)
    stop_ms: int = whole(5_000, "Longest stop.", 10, 600_000)
    restarts_max: int = whole(5, "Restarts in the window before the supervisor gives up.", 0, 1_000)
    restarts_window_ms: int = whole(
        30_000, "The window in which restarts are counted.", 100, 86_400_000
    )
    backoff_ms: int = whole(50, "Least pause before a restart; the first is at once.", 1, 60_000)
    backoff_ms_max: int = whole(30_000, "Longest pause before a restart.", 1, 3_600_000)
    backoff_reset_ms: int = whole(
        60_000, "Health after which the pause is short again.", 100, 86_400_000
    )


@attrs.frozen(kw_only=True)
class ActorsSection:
    """The actors, by name."""

    postgres: ActorSection = attrs.field(
        default=ActorSection(start_ms=60_000, stop_ms=15_000, inbox=64, hang_after_ms=0),
        metadata=about("Runs the embedded PostgreSQL server."),
    )
    sel_writer: ActorSection = attrs.field(
        default=ActorSection(placement="log", inbox=4_096, batch=512),
        metadata=about("The only way into the event log."),
    )
    projection_builder: ActorSection = attrs.field(
        default=ActorSection(placement="projection", batch=1_000, hang_after_ms=60_000),
        metadata=about("Tails the log and writes the derived tables; instances share the tasks."),
    )
    executor_dispatcher: ActorSection = attrs.field(
        default=ActorSection(placement="dispatch", inbox=2_048, concurrency=32, hang_after_ms=0),
        metadata=about(
            "Drives this node's claims through executors; concurrency bounds its calls in flight."
        ),
    )
    verifier: ActorSection = attrs.field(
        default=ActorSection(placement="ingest", inbox=2_048, concurrency=8, hang_after_ms=30_000),
        metadata=about(
            "Checks the signatures of events of other nodes; runs only with ingest.enabled."
        ),
    )
    http_api: ActorSection = attrs.field(
        default=ActorSection(inbox=256, hang_after_ms=0), metadata=about("Serves the HTTP API.")
    )


@attrs.frozen(kw_only=True)
class GroupSection:
    """One group of actors; every group but root has a worker process of its own."""

    rss_soft_mib: int = whole(
        400, "Memory above which it is drained and replaced; 0: never.", 0, 1_048_576
    )
    nice: int = whole(0, "Added niceness.", 0, 19)
    restarts_max: int = whole(3, "Restarts in the window before the node gives up.", 0, 1_000)
    restarts_window_ms: int = whole(
        60_000, "The window in which restarts are counted.", 100, 86_400_000
    )
    actor_restarts_max: int = whole(
        20, "Restarts of its actors together in the window before the group ends.", 0, 1_000
    )
    actor_restarts_window_ms: int = whole(
        60_000, "The window in which restarts of its actors are counted.", 100, 86_400_000
    )
    backoff_ms: int = whole(50, "Least pause before a restart; the first is at once.", 1, 60_000)
    backoff_ms_max: int = whole(30_000, "Longest pause before a restart.", 1, 3_600_000)
    backoff_reset_ms: int = whole(
        60_000, "Health after which the pause is short again.", 100, 86_400_000
    )


@attrs.frozen(kw_only=True)
class GroupsSection:
    """The groups of actors, by name."""

    root: GroupSection = attrs.field(
        default=GroupSection(), metadata=about("What lives in the root process: each group there.")
    )
    log: GroupSection = attrs.field(default=GroupSection(), metadata=about("Holds sel_writer."))
    projection: GroupSection = attrs.field(
        default=GroupSection(nice=5), metadata=about("Holds the projection builders.")
    )
    dispatch: GroupSection = attrs.field(
        default=GroupSection(), metadata=about("Holds executor_dispatcher.")
    )
    ingest: GroupSection = attrs.field(
        default=GroupSection(nice=5), metadata=about("Holds verifier.")
    )


@attrs.frozen(kw_only=True)
class NodeConfig:
    """The whole configuration of a node; built by `load`, valid by construction there."""

    node: NodeSection = attrs.field(default=NodeSection(), metadata=about("The node as a whole."))
    store: StoreSection = attrs.field(
        default=StoreSection(), metadata=about("PostgreSQL and disk.")
    )
    api: ApiSection = attrs.field(default=ApiSection(), metadata=about("The HTTP API."))
    log: LogSection = attrs.field(
        default=LogSection(), metadata=about("What the node writes about itself.")
    )
    chaos: ChaosSection = attrs.field(default=ChaosSection(), metadata=about("Fault injection."))
    ingest: IngestSection = attrs.field(
        default=IngestSection(), metadata=about("Events of other nodes, as archives.")
    )
    limits: LimitsSection = attrs.field(
        default=LimitsSection(), metadata=about("Bounds that an operator may move.")
    )
    artifacts: ArtifactsSection = attrs.field(
        default=ArtifactsSection(),
        metadata=about("How long bodies and stored answers are kept."),
    )
    duties: DutiesSection = attrs.field(
        default=DutiesSection(), metadata=about("What is done for tasks, and when.")
    )
    executors: ExecutorsSection = attrs.field(
        default=ExecutorsSection(),
        metadata=about("How executors are called; each executor may set its own."),
    )
    actors: ActorsSection = attrs.field(
        default=ActorsSection(), metadata=about("The actors, by name.")
    )
    groups: GroupsSection = attrs.field(
        default=GroupsSection(), metadata=about("The worker processes, by name.")
    )
