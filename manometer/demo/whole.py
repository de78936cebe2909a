"""The whole report: as lines for a terminal, and as JSON for a script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec.structs import asdict, replace
from rich.text import Text

from engine.times import seconds, time_text
from manometer.demo.curves import shrink
from manometer.demo.drawing import legend, model_lines, stream_lines
from manometer.demo.health import in_columns
from manometer.demo.listing import alert_lines, reject_lines
from manometer.demo.page import Page
from manometer.demo.report import AlertSpan, Curve, Report

_QUARTERS: Final = 96
"""Values of a curve in JSON: one every quarter of an hour."""


def lines(report: Report, page: Page) -> Iterator[Text]:
    """Draw the report, model after model, then what belongs to all of them."""
    for model in report.models:
        yield from model_lines(model, report, page)
        yield Text()
    yield legend(page)
    yield Text()
    for stream in report.streams:
        yield from stream_lines(stream, page)
        yield Text()
    yield from reject_lines(report.rejects, page)
    yield Text()
    yield from alert_lines(report.alerts, page)
    yield Text()


def as_json(report: Report, **more: object) -> bytes:
    """Write the report as one JSON object: times in seconds, curves and states by quarters of an hour."""
    models = [
        replace(
            model,
            rates=[_quarters(curve) for curve in model.rates],
            load=[_quarters(curve) for curve in model.load],
            engines=[replace(engine, states=in_columns(engine.states, _QUARTERS)) for engine in model.engines],
        )
        for model in report.models
    ]
    streams = [
        {**asdict(stream), "until": seconds(stream.until), "rate": _quarters(stream.rate)} for stream in report.streams
    ]
    alerts = [_in_seconds(span) for span in report.alerts]
    day = time_text(report.begin)[:10]
    whole = {"day": day, "models": models, "streams": streams, "alerts": alerts, "rejects": report.rejects, **more}
    return msgspec.json.encode(whole)


def _quarters(curve: Curve) -> Curve:
    return replace(curve, values=shrink(curve.values, _QUARTERS))


def _in_seconds(span: AlertSpan) -> dict[str, object]:
    end = None if span.end is None else seconds(span.end)
    return {**asdict(span), "begin": seconds(span.begin), "end": end}
