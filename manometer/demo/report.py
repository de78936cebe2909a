"""What the demo has to tell, as types: of each model, of each stream, of the alerts, and the counts."""

from __future__ import annotations

import msgspec

from manometer.demo.curves import Values


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """A number over the day."""

    name: str
    unit: str
    mean: float
    max: float
    """The largest value of a minute."""
    values: Values


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How an engine was over the day."""

    engine: str
    state: str
    """The state it was left in: running, error, silent, init, or left where nothing was heard of it any more."""
    running: float
    """Share of the time from its first to its last word in which it was running."""
    states: list[str]
    """The worst state of each minute; `none` where nothing was heard of it."""


class ModelReport(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to tell of one model, all its engines together."""

    name: str
    records: dict[str, float]
    """Slot -> records in all."""
    rejected: dict[str, float]
    """Reason -> records that the model rejected."""
    rates: list[Curve]
    """Records a second through each slot."""
    load: list[Curve]
    """Processor and memory of the busiest engine."""
    engines: list[Health]


class StreamReport(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to tell of one stream on which arrival is watched."""

    name: str
    records: float
    until: int
    """End of the last whole minute; what came after it is not counted."""
    delay: float
    """Mean seconds from event to message."""
    rate: Curve


class AlertSpan(msgspec.Struct, frozen=True, kw_only=True):
    """One alert from firing to resolved."""

    alert: str
    severity: str
    begin: int
    end: int | None
    """None where it still fired at the end of the day."""
    whose: str
    """The engine or the stream."""
    model: str
    summary: str
    runbook: str


class RejectKind(msgspec.Struct, frozen=True, kw_only=True):
    """Rejects of one topic and reason that say the same."""

    topic: str
    reason: str
    detail: str
    messages: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that the demo tells of a day."""

    begin: int
    end: int
    models: list[ModelReport]
    streams: list[StreamReport]
    alerts: list[AlertSpan]
    rejects: list[RejectKind]
