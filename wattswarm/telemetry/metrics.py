"""The metrics of a node: one table of names, and their text for Prometheus."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

import attrs
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector


@attrs.frozen
class Metric:
    """A name, what it measures, and by which labels."""

    name: str
    kind: Literal["counter", "gauge"]
    meaning: str
    labels: tuple[str, ...] = ()


METRICS: Final = (
    Metric("wattswarm_ready", "gauge", "1 when the node takes work."),
    Metric("wattswarm_uptime_seconds", "gauge", "Age of the root process."),
    Metric("wattswarm_faults_armed", "gauge", "Faults that are armed."),
    Metric("wattswarm_signing_stopped", "gauge", "1 while a clone or a restore is suspected."),
    Metric("wattswarm_log_head_seq", "gauge", "Events in the log."),
    Metric("wattswarm_log_projected_seq", "gauge", "Events that the projections hold."),
    Metric("wattswarm_log_writer_term", "gauge", "Writers that this log has had."),
    Metric("wattswarm_tasks", "gauge", "Tasks by state.", ("state",)),
    Metric("wattswarm_dead_letters", "gauge", "Dead letters kept."),
    Metric("wattswarm_actor_ready", "gauge", "1 when the actor takes messages.", ("actor",)),
    Metric("wattswarm_actor_restarts_total", "counter", "Restarts.", ("actor",)),
    Metric("wattswarm_actor_inbox_depth", "gauge", "Messages waiting.", ("actor",)),
    Metric("wattswarm_actor_inbox_capacity", "gauge", "Messages that may wait.", ("actor",)),
    Metric("wattswarm_actor_oldest_seconds", "gauge", "Age of the oldest message.", ("actor",)),
    Metric("wattswarm_actor_in_per_second", "gauge", "Messages that came.", ("actor",)),
    Metric("wattswarm_actor_done_per_second", "gauge", "Messages handled.", ("actor",)),
    Metric("wattswarm_actor_busy_ratio", "gauge", "Share of time spent handling.", ("actor",)),
    Metric("wattswarm_actor_wait_seconds", "gauge", "Time in the inbox.", ("actor", "quantile")),
    Metric(
        "wattswarm_actor_handle_seconds", "gauge", "Time in the handler.", ("actor", "quantile")
    ),
    Metric("wattswarm_actor_shed_total", "counter", "Messages shed when full.", ("actor",)),
    Metric("wattswarm_actor_refused_total", "counter", "Messages refused when full.", ("actor",)),
    Metric("wattswarm_actor_dead_letters_total", "counter", "Poison messages.", ("actor",)),
    Metric("wattswarm_worker_rss_bytes", "gauge", "Resident memory.", ("group",)),
    Metric("wattswarm_worker_cpu_ratio", "gauge", "Share of one processor.", ("group",)),
    Metric("wattswarm_worker_loop_lag_seconds", "gauge", "Lag of the event loop.", ("group",)),
    Metric("wattswarm_worker_restarts_total", "counter", "Restarts.", ("group",)),
    Metric("wattswarm_executor_healthy", "gauge", "1 when it answered last.", ("executor",)),
    Metric("wattswarm_executor_in_flight", "gauge", "Requests in flight.", ("executor",)),
    Metric("wattswarm_executor_breaker_open", "gauge", "1 while not called.", ("executor",)),
    Metric("wattswarm_api_requests_total", "counter", "Requests by status.", ("status",)),
    Metric("wattswarm_api_streams", "gauge", "Live streams."),
)

BY_NAME: Final[Mapping[str, Metric]] = {metric.name: metric for metric in METRICS}


@attrs.frozen
class Reading:
    """One value of a metric; labels in the order of the table."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


@attrs.frozen
class Readings(Collector):
    """Readings as Prometheus's library collects them."""

    items: tuple[Reading, ...]

    def collect(self) -> Iterator[Family]:
        """Yield one family for each metric that was read."""
        for metric in METRICS:
            read = [item for item in self.items if item.name == metric.name]
            if read:
                yield _family(metric, read)


def _family(metric: Metric, read: Iterable[Reading]) -> Family:
    make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = make(metric.name, metric.meaning, labels=metric.labels)
    for item in read:
        family.add_metric(item.labels, item.value)
    return family


def exposition(readings: Iterable[Reading]) -> bytes:
    """Return the text format of some readings; each must be of a metric in the table."""
    items = tuple(readings)
    assert all(len(item.labels) == len(BY_NAME[item.name].labels) for item in items)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Readings(items))
    return generate_latest(registry)
