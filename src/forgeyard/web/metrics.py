"""``/metrics`` in Prometheus' text format: counted from the store when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy import Connection, select

from forgeyard.actions.yard import Yard
from forgeyard.builds.outcome import Outcome
from forgeyard.store.reading import changes, overview
from forgeyard.store.tables import attempts, builds
from forgeyard.web.authentication import Reader, YardHere

router = APIRouter(include_in_schema=False)

_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
#: Latency is told of the newest so many builds.
_NEWEST = 1000


@router.get("/metrics", dependencies=[Reader])
def get_metrics(yard: YardHere) -> Response:
    """The yard's numbers."""
    registry = CollectorRegistry()
    registry.register(_Collector(yard))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Collector:
    def __init__(self, yard: Yard) -> None:
        self._yard = yard

    def collect(self) -> Iterator[Metric]:
        with self._yard.store.read() as connection:
            yield from _builds(connection)
            yield from _pools(connection, self._yard)
            yield _publish_latency(connection)


def _builds(connection: Connection) -> Iterator[Metric]:
    states = GaugeMetricFamily("forgeyard_builds", "Builds that are not done.", labels=["state"])
    outcomes = GaugeMetricFamily(
        "forgeyard_builds_done", "Builds that are done.", labels=["outcome"]
    )
    ends = {outcome.value for outcome in Outcome}
    for key, many in changes.counts(connection).items():
        (outcomes if key in ends else states).add_metric([key], many)
    yield states
    yield outcomes


def _pools(connection: Connection, yard: Yard) -> Iterator[Metric]:
    running = GaugeMetricFamily(
        "forgeyard_attempts_running", "Attempts that occupy a pool.", labels=["pool"]
    )
    cpu = GaugeMetricFamily("forgeyard_pool_cpu", "Processors of a pool.", labels=["pool", "which"])
    for pool in overview.pools(connection, yard.pools()):
        running.add_metric([pool.name], pool.attempts)
        cpu.add_metric([pool.name, "capacity"], pool.capacity.cpu)
        cpu.add_metric([pool.name, "used"], pool.used.cpu)
    yield running
    yield cpu


def _publish_latency(connection: Connection) -> Metric:
    """From the end of the last attempt to the file's place on the label."""
    rows = connection.execute(
        select(builds.c.finished_at, attempts.c.finished_at.label("ended_at"))
        .join(attempts, attempts.c.build_id == builds.c.id)
        .where(builds.c.outcome == Outcome.SUCCEEDED.value, attempts.c.stage == "test")
        .order_by(builds.c.id.desc())
        .limit(_NEWEST)
    )
    waits = [
        max((row.finished_at - row.ended_at).total_seconds(), 0.0)
        for row in rows
        if row.finished_at and row.ended_at
    ]
    buckets = [(str(bound), sum(1 for w in waits if w <= bound)) for bound in _BOUNDS]
    return HistogramMetricFamily(
        "forgeyard_publish_seconds",
        "From the end of the test stage until clients see the package, newest builds.",
        buckets=[*buckets, ("+Inf", len(waits))],
        sum_value=sum(waits),
    )
