"""A node's documents as readings for Prometheus."""

from collections.abc import Iterator
from typing import Final

from wattswarm.api.gate import Traffic
from wattswarm.surface.actor import ActorStats, ActorsTop, WorkerStats
from wattswarm.surface.executor import ExecutorList
from wattswarm.surface.node import NodeView
from wattswarm.telemetry.metrics import Reading

US: Final = 1_000_000
MS: Final = 1_000


def of_node(node: NodeView) -> Iterator[Reading]:
    """Yield what the node's own page says."""
    yield Reading("wattswarm_ready", float(node.state == "ready"))
    yield Reading("wattswarm_uptime_seconds", node.uptime_ms / MS)
    yield Reading("wattswarm_faults_armed", node.faults_armed)
    yield Reading("wattswarm_signing_stopped", float(node.signing.state != "free"))
    yield Reading("wattswarm_log_head_seq", node.log.head_seq)
    yield Reading("wattswarm_log_projected_seq", node.log.projected_seq)
    yield Reading("wattswarm_log_writer_term", node.log.writer_term)
    yield Reading("wattswarm_dead_letters", node.dead_letters)
    for state, count in node.tasks.items():
        yield Reading("wattswarm_tasks", count, (state,))


def of_actors(top: ActorsTop) -> Iterator[Reading]:
    """Yield how actors and processes do."""
    for actor in top.actors:
        yield from _actor(actor)
    for worker in top.workers:
        yield from _worker(worker)


def _actor(stats: ActorStats) -> Iterator[Reading]:
    name = (stats.name,)
    yield Reading("wattswarm_actor_ready", float(stats.state == "ready"), name)
    yield Reading("wattswarm_actor_restarts_total", stats.restarts, name)
    yield Reading("wattswarm_actor_inbox_depth", stats.inbox_depth, name)
    yield Reading("wattswarm_actor_inbox_capacity", stats.inbox_capacity, name)
    yield Reading("wattswarm_actor_oldest_seconds", stats.oldest_ms / MS, name)
    yield Reading("wattswarm_actor_in_per_second", stats.in_per_s, name)
    yield Reading("wattswarm_actor_done_per_second", stats.done_per_s, name)
    yield Reading("wattswarm_actor_busy_ratio", stats.busy_percent / 100, name)
    yield Reading("wattswarm_actor_wait_seconds", stats.wait_p50_us / US, (*name, "0.5"))
    yield Reading("wattswarm_actor_wait_seconds", stats.wait_p99_us / US, (*name, "0.99"))
    yield Reading("wattswarm_actor_handle_seconds", stats.handle_p50_us / US, (*name, "0.5"))
    yield Reading("wattswarm_actor_handle_seconds", stats.handle_p99_us / US, (*name, "0.99"))
    yield Reading("wattswarm_actor_shed_total", stats.shed, name)
    yield Reading("wattswarm_actor_refused_total", stats.refused, name)
    yield Reading("wattswarm_actor_dead_letters_total", stats.dead_letters, name)


def _worker(stats: WorkerStats) -> Iterator[Reading]:
    name = (stats.group,)
    yield Reading("wattswarm_worker_rss_bytes", stats.rss_mib * 1_048_576, name)
    yield Reading("wattswarm_worker_cpu_ratio", stats.cpu_percent / 100, name)
    yield Reading("wattswarm_worker_loop_lag_seconds", stats.loop_lag_ms / MS, name)
    yield Reading("wattswarm_worker_restarts_total", stats.restarts, name)


def of_executors(executors: ExecutorList) -> Iterator[Reading]:
    """Yield how executors do."""
    for executor in executors.items:
        name = (executor.name,)
        yield Reading("wattswarm_executor_healthy", float(executor.is_healthy is True), name)
        yield Reading("wattswarm_executor_in_flight", executor.in_flight, name)
        is_open = float(executor.breaker == "open")
        yield Reading("wattswarm_executor_breaker_open", is_open, name)


def of_api(traffic: Traffic) -> Iterator[Reading]:
    """Yield what the API served."""
    for status, count in sorted(traffic.served.items()):
        yield Reading("wattswarm_api_requests_total", count, (status,))
    yield Reading("wattswarm_api_streams", traffic.streams)
