"""From emissions and rejects to the report; pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from engine.events import Alert, Metric, Reject
from engine.times import DAY
from manometer.demo.curves import Values, by_minute, max_of, mean_of, together
from manometer.demo.health import health
from manometer.demo.points import SortedPoints
from manometer.demo.report import AlertSpan, Curve, ModelReport, RejectKind, Report, StreamReport

LOAD: Final = {"cpu_utilization": "ratio", "memory_bytes": "bytes"}
"""Metrics that tell how busy an engine is, with their units."""
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_VALUE: Final = re.compile(r",? got .*")


def build(metrics: Iterable[Metric], alerts: Iterable[Alert], rejects: Iterable[Reject], *, begin: int) -> Report:
    """Make the report of the day that begins at `begin`; what lies outside that day is left out."""
    end = begin + DAY
    points = SortedPoints(metrics, begin, end)
    return Report(
        begin=begin,
        end=end,
        models=[_model(name, sorted(engines), points, begin) for name, engines in sorted(points.models.items())],
        streams=[_stream(name, points, begin) for name in sorted(points.streams)],
        alerts=spans(alert for alert in alerts if begin <= alert.time < end),
        rejects=kinds(rejects),
    )


def _model(name: str, engines: list[str], points: SortedPoints, begin: int) -> ModelReport:
    slots = sorted({slot for engine in engines for slot in points.of("records_per_second", engine)})
    load = [_load(metric, engines, points, begin) for metric in LOAD]
    return ModelReport(
        name=name,
        records=_totals("records_total", engines, points),
        rejected=_totals("records_rejected_total", engines, points),
        rates=[_rate(slot, engines, points, begin) for slot in slots],
        load=[curve for curve in load if any(value is not None for value in curve.values)],
        engines=[
            health(engine, points.plain("engine_state", engine), points.signs(engine), begin=begin)
            for engine in engines
        ],
    )


def _totals(name: str, engines: Iterable[str], points: SortedPoints) -> dict[str, float]:
    """Add the last values of a counter over engines, by slot or reason."""
    sums: dict[str, float] = defaultdict(float)
    for engine in engines:
        for tag, told in points.of(name, engine).items():
            sums[tag] += max(told)[1]
    return dict(sorted(sums.items()))


def _rate(slot: str, engines: Iterable[str], points: SortedPoints, begin: int) -> Curve:
    told = [points.of("records_per_second", engine).get(slot, []) for engine in engines]
    return _curve(f"slot {slot}", "records a second", together([by_minute(one, begin) for one in told], sum))


def _load(metric: str, engines: Iterable[str], points: SortedPoints, begin: int) -> Curve:
    told = [by_minute(points.plain(metric, engine), begin) for engine in engines]
    return _curve(metric, LOAD[metric], together(told, max))


def _stream(name: str, points: SortedPoints, begin: int) -> StreamReport:
    until, records = max(points.plain("stream_records_total", name), default=(begin, 0.0))
    return StreamReport(
        name=name,
        records=records,
        until=until,
        delay=mean_of(by_minute(points.plain("stream_delay_seconds", name), begin)),
        rate=_curve(name, "records a second", by_minute(points.plain("stream_records_per_second", name), begin)),
    )


def _curve(name: str, unit: str, values: Values) -> Curve:
    return Curve(name=name, unit=unit, mean=mean_of(values), max=max_of(values), values=values)


def spans(alerts: Iterable[Alert]) -> list[AlertSpan]:
    """Put the end of each alert to its begin; repeats are left out. The order is that of their begins."""
    found: list[AlertSpan] = []
    firing: dict[tuple[str, ...], Alert] = {}
    for alert in sorted((one for one in alerts if not one.repeat), key=lambda one: one.time):
        key = (alert.name, *(f"{name}={value}" for name, value in sorted(alert.tags.items())))
        if alert.firing:
            firing[key] = alert
        elif (begun := firing.pop(key, None)) is not None:
            found.append(_span(begun, alert.time))
    found += [_span(begun, None) for begun in firing.values()]
    return sorted(found, key=lambda span: (span.begin, span.alert, span.whose))


def _span(alert: Alert, end: int | None) -> AlertSpan:
    tags = alert.tags
    return AlertSpan(
        alert=alert.name,
        severity=alert.severity,
        begin=alert.time,
        end=end,
        whose=tags.get("engine") or tags.get("stream") or tags.get("monitor", ""),
        model=tags.get("model", ""),
        summary=alert.summary,
        runbook=alert.runbook,
    )


def kinds(rejects: Iterable[Reject]) -> list[RejectKind]:
    """Count rejects that differ only in the value or the time that came, the most frequent first."""
    numbers = Counter((one.message.topic, one.reason, kind_of(one.detail)) for one in rejects)
    return [
        RejectKind(topic=topic, reason=reason, detail=detail, messages=number)
        for (topic, reason, detail), number in sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    ]


def kind_of(detail: str) -> str:
    """Cut the value and the time that came out of a reject's detail.

    >>> kind_of('$.data: expected a number, got "n/a"')
    '$.data: expected a number'
    """
    return _VALUE.sub("", _MOMENT.sub("TIME", detail))
