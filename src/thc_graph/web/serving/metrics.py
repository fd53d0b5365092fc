"""Measures, for Prometheus: requests as they end, the rest as it stands when asked.

Labels take few values: a route is its template, a status its number, a lane its name.
Counts of the pool and of the cache start again with each publication, as they do with
each start; Prometheus knows how to read that.
"""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from thc_graph.instance.reading import Published
from thc_graph.instance.service import Service
from thc_graph.store.engine.lanes import LaneState
from thc_graph.web.http.logs import Seen

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
STATES: Final = ("idle", "busy", "waiting")
ENDINGS: Final = ("answered", "failed", "crashed", "stopped", "left", "refused")


class Metrics:
    """The measures of one application."""

    def __init__(self, service: Service) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(State(service))
        self.requests = Counter(
            "thc_requests",
            "Requests answered.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.durations = Histogram(
            "thc_request_seconds",
            "From the request to the last byte of its answer.",
            ("route",),
            registry=self.registry,
            buckets=BUCKETS,
        )
        self.restarts = Counter(
            "thc_restarts",
            "Times the process that serves died and was started again.",
            registry=self.registry,
        )
        self.refresh_faults = Counter(
            "thc_refresh_faults",
            "Publications that could not be opened.",
            registry=self.registry,
        )

    def observe(self, seen: Seen) -> None:
        self.requests.labels(seen.route, seen.method, str(seen.status)).inc()
        self.durations.labels(seen.route).observe(seen.seconds)

    def text(self) -> bytes:
        """Return all measures in the text format of Prometheus."""
        return generate_latest(self.registry)


class State(Collector):
    """What a service tells of itself at the moment it is asked."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def describe(self) -> list[Metric]:
        return []  # known only once the service runs

    def collect(self) -> Iterator[Metric]:
        service = self.service
        yield GaugeMetricFamily(
            "thc_ready", "1 where /readyz says yes.", value=float(not service.unready())
        )
        yield GaugeMetricFamily(
            "thc_history_commits", "Commits of the history.", value=len(service.history)
        )
        if service.is_ready:
            yield from _of_snapshot(service.published)
            yield from _of_pool(service.published)
            yield from _of_caches(service)


def _of_snapshot(published: Published) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "thc_snapshot_commit",
        "The first 12 digits of the commit served: equal where the same is served.",
        value=int(published.commit[:12], 16),  # as a label, each would be a series of its own
    )
    yield GaugeMetricFamily(
        "thc_snapshot_published_seconds",
        "When the snapshot served was published, in seconds since 1970.",
        value=published.time.timestamp(),
    )
    age = published.age.total_seconds()
    yield GaugeMetricFamily("thc_snapshot_age_seconds", "Age of the snapshot served.", value=age)


def _of_pool(published: Published) -> Iterator[Metric]:
    state = published.pool.state()
    yield GaugeMetricFamily(
        "thc_pool_network_cut",
        "1 where no query process has a network.",
        value=float(state.network_cut),
    )
    size = GaugeMetricFamily("thc_pool_workers", "Processes a lane is to have.", labels=("lane",))
    now = GaugeMetricFamily(
        "thc_pool_queries", "Idle processes, queries at work and waiting.", labels=("lane", "state")
    )
    ended = CounterMetricFamily(
        "thc_pool_queries_ended", "Queries by how they ended.", labels=("lane", "ending")
    )
    for lane, it in state.lanes.items():
        size.add_metric((lane,), it.workers)
        _add(now, lane, it, STATES)
        _add(ended, lane, it, ENDINGS)
    yield from (size, now, ended)


def _add(
    family: GaugeMetricFamily | CounterMetricFamily,
    lane: str,
    state: LaneState,
    names: tuple[str, ...],
) -> None:
    for name in names:
        family.add_metric((lane, name), getattr(state, name))


def _of_caches(service: Service) -> Iterator[Metric]:
    size, entries = sum(each.size for each in service.caches), sum(map(len, service.caches))
    yield GaugeMetricFamily(
        "thc_cache_bytes", "What caches hold, their names included.", value=size
    )
    yield GaugeMetricFamily("thc_cache_entries", "Pages, answers and texts kept.", value=entries)
    lookups = CounterMetricFamily(
        "thc_cache_lookups", "Representations asked of the cache.", labels=("found",)
    )
    lookups.add_metric(("yes",), sum(each.hits for each in service.published.caches))
    lookups.add_metric(("no",), sum(each.misses for each in service.published.caches))
    yield lookups
    yield from _of_exports(service.published)


def _of_exports(published: Published) -> Iterator[Metric]:
    if (exports := published.exports) is None:
        return
    size = sum(each.size for each in exports.shelves)
    yield GaugeMetricFamily("thc_export_bytes", "Lists kept as files, on disk.", value=size)
    yield GaugeMetricFamily(
        "thc_exports_waiting", "Exports that wait for a process.", value=exports.places.waiting
    )
