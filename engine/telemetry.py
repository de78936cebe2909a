"""What Manometer tells of itself: one table, shown as Prometheus text and as metrics of workflow `manometer`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family

from engine.catalogue import MetricSpec
from engine.events import Metric, Tags
from engine.pipeline import Pipeline
from engine.times import SECOND

MESSAGES: Final = MetricSpec(
    name="messages_total",
    kind="counter",
    unit="messages",
    help="Messages read, by what became of them: applied, ignored, duplicate, undecodable, foreign or skipped; or "
    "repartitioned, where they were copied.",
    tags=("group", "partition", "outcome"),
)
REPORTS_LATE: Final = MetricSpec(
    name="reports_late_total",
    kind="counter",
    unit="reports",
    help="Sensor reports older than the newest of their engine and tap.",
    direction="lower is better",
    tags=("group", "partition"),
)
MISPLACED: Final = MetricSpec(
    name="messages_misplaced_total",
    kind="counter",
    unit="messages",
    help="Messages whose key does not lead to their partition.",
    direction="lower is better",
    tags=("group", "partition"),
)
EMISSIONS: Final = MetricSpec(
    name="emissions_total",
    kind="counter",
    unit="emissions",
    help="Metrics and alerts emitted.",
    tags=("group", "partition"),
)
NOT_FINITE: Final = MetricSpec(
    name="emissions_not_finite_total",
    kind="counter",
    unit="emissions",
    help="Emissions that were NaN or infinite and became no point.",
    direction="lower is better",
    tags=("group", "partition"),
)
MONITOR_ERRORS: Final = MetricSpec(
    name="monitor_errors_total",
    kind="counter",
    unit="calls",
    help="Calls of a monitor that raised.",
    direction="lower is better",
    tags=("group", "partition", "of"),
)
SERIES_REFUSED: Final = MetricSpec(
    name="series_refused_total",
    kind="counter",
    unit="series",
    help="New series refused because their monitor has as many as max_series allows.",
    direction="lower is better",
    tags=("group", "partition"),
)
STATES_RESET: Final = MetricSpec(
    name="states_reset_total",
    kind="counter",
    unit="series",
    help="Series whose saved state no longer decoded and began fresh.",
    direction="lower is better",
    tags=("group", "partition"),
)
HALVES_DROPPED: Final = MetricSpec(
    name="halves_dropped_total",
    kind="counter",
    unit="records",
    help="Records of joined streams that left while they waited for their other half, because too many did.",
    direction="lower is better",
    tags=("group", "partition"),
)
SERIES: Final = MetricSpec(
    name="series_known",
    kind="gauge",
    unit="series",
    help="Series that a monitor keeps state of.",
    direction="lower is better",
    tags=("group", "partition", "of"),
)
STREAM_TIME: Final = MetricSpec(
    name="stream_time_seconds",
    kind="gauge",
    unit="seconds since 1970",
    help="Stream time of a group: the smallest of the newest event times of its streams.",
    tags=("group", "partition"),
)
MONITOR_SECONDS: Final = MetricSpec(
    name="monitor_seconds_total",
    kind="counter",
    unit="seconds",
    help="Time spent in a monitor, estimated from samples.",
    direction="lower is better",
    tags=("of",),
)
CHECKPOINTS: Final = MetricSpec(
    name="checkpoints_total",
    kind="counter",
    unit="checkpoints",
    help="Checkpoints written.",
)
CHECKPOINT_SECONDS: Final = MetricSpec(
    name="checkpoint_seconds_total",
    kind="counter",
    unit="seconds",
    help="Time spent in writing checkpoints.",
    direction="lower is better",
)
CHECKPOINT_AGE: Final = MetricSpec(
    name="checkpoint_age_seconds",
    kind="gauge",
    unit="seconds",
    help="Since when the last checkpoint of a group and partition was taken, while something is in none; else 0.",
    direction="lower is better",
    zones=(10, 60),
    tags=("group", "partition"),
)
WAITING: Final = MetricSpec(
    name="waiting_bytes",
    kind="gauge",
    unit="bytes",
    help="What was sent and is not in a checkpoint yet.",
    direction="lower is better",
)
PARTS_LOST: Final = MetricSpec(
    name="archive_parts_lost_total",
    kind="counter",
    unit="parts",
    help="Parts of the archive that left because of their age, although a sink had not written them.",
    direction="lower is better",
)
SINK_BEHIND: Final = MetricSpec(
    name="sink_behind_parts",
    kind="gauge",
    unit="parts",
    help="Parts of the archive that a sink has not written yet.",
    direction="lower is better",
    zones=(10, 1_000),
    tags=("sink",),
)
SINK_EMISSIONS: Final = MetricSpec(
    name="sink_emissions_total",
    kind="counter",
    unit="emissions",
    help="Emissions that a sink has taken, by what became of them: written, refused or expired.",
    tags=("sink", "outcome"),
)
SINK_RETRIES: Final = MetricSpec(
    name="sink_retries_total",
    kind="counter",
    unit="tries",
    help="Tries to write to a sink that failed.",
    direction="lower is better",
    tags=("sink",),
)
BEHIND: Final = MetricSpec(
    name="messages_behind",
    kind="gauge",
    unit="messages",
    help="Messages of an input topic's partition that its worker has not read yet.",
    direction="lower is better",
    zones=(1_000, 100_000),
    tags=("topic", "partition"),
)
OFFSETS_SKIPPED: Final = MetricSpec(
    name="offsets_skipped_total",
    kind="counter",
    unit="offsets",
    help="Offsets without a message: marks of transactions, and what compaction or retention took away.",
    tags=("group", "partition"),
)
TELEMETRY: Final = (
    MESSAGES,
    REPORTS_LATE,
    MISPLACED,
    EMISSIONS,
    NOT_FINITE,
    MONITOR_ERRORS,
    SERIES_REFUSED,
    STATES_RESET,
    HALVES_DROPPED,
    SERIES,
    STREAM_TIME,
    MONITOR_SECONDS,
    CHECKPOINTS,
    CHECKPOINT_SECONDS,
    CHECKPOINT_AGE,
    WAITING,
    PARTS_LOST,
    SINK_BEHIND,
    SINK_EMISSIONS,
    SINK_RETRIES,
    BEHIND,
    OFFSETS_SKIPPED,
)


class Reading(msgspec.Struct, frozen=True):
    """One number of the table at this moment."""

    spec: MetricSpec
    value: float
    tags: dict[str, str]


def readings(pipelines: Iterable[Pipeline]) -> Iterator[Reading]:
    """Read the whole table of some pipelines."""
    for pipeline in pipelines:
        tags = {"group": pipeline.group.name, "partition": str(pipeline.partition)}
        counts = pipeline.counts
        outcomes = {
            "applied": counts.applied,
            "ignored": counts.ignored,
            "duplicate": counts.duplicates,
            "undecodable": counts.undecodable,
            "foreign": counts.foreign,
            "skipped": counts.skipped,
        }
        for outcome, number in outcomes.items():
            yield Reading(MESSAGES, number, {**tags, "outcome": outcome})
        yield Reading(REPORTS_LATE, counts.late, tags)
        yield Reading(MISPLACED, counts.misplaced, tags)
        yield Reading(EMISSIONS, counts.emissions, tags)
        yield Reading(NOT_FINITE, counts.not_finite, tags)
        yield Reading(SERIES_REFUSED, counts.series_refused, tags)
        yield Reading(STATES_RESET, counts.states_reset, tags)
        yield Reading(HALVES_DROPPED, counts.halves_dropped, tags)
        for name, number in pipeline.series.items():
            yield Reading(SERIES, number, {**tags, "of": name})
            yield Reading(MONITOR_ERRORS, counts.errors.get(name, 0), {**tags, "of": name})
        if pipeline.now is not None:
            yield Reading(STREAM_TIME, pipeline.now / SECOND, tags)


def as_metrics(table: Iterable[Reading], now: int, process: str) -> list[Metric]:
    """Give a table as metrics for the archive topic, at a time of the wall clock."""
    own = {"workflow": "manometer", "process": process}
    return [Metric(item.spec.name, now, float(item.value), Tags({**own, **item.tags})) for item in table]


def as_text(table: Iterable[Reading], specs: Sequence[MetricSpec] = TELEMETRY) -> bytes:
    """Give a table in the Prometheus text format, for `/metrics`; the names begin with `manometer_`."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(list(table), specs))
    return generate_latest(registry)


class _Once:
    """Hands a table to the Prometheus client."""

    def __init__(self, table: Sequence[Reading], specs: Sequence[MetricSpec]) -> None:
        self._table = table
        self._specs = specs

    def collect(self) -> Iterator[Family]:
        for spec in self._specs:
            kind = CounterMetricFamily if spec.kind == "counter" else GaugeMetricFamily
            family = kind(f"manometer_{spec.name}", spec.help, labels=spec.tags)
            for item in self._table:
                if item.spec is spec:
                    family.add_metric([item.tags[name] for name in spec.tags], item.value)
            yield family
