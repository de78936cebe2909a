"""How a sink is doing, in the numbers of `/metrics`."""

from __future__ import annotations

from collections.abc import Iterator

from archiver.pump import Status
from engine.telemetry import SINK_BEHIND, SINK_EMISSIONS, SINK_RETRIES, Reading


def sink_readings(status: Status) -> Iterator[Reading]:
    """Read how one sink is doing."""
    tags = {"sink": status.name}
    yield Reading(SINK_BEHIND, status.behind, tags)
    yield Reading(SINK_EMISSIONS, status.written, {**tags, "outcome": "written"})
    yield Reading(SINK_EMISSIONS, status.refused, {**tags, "outcome": "refused"})
    yield Reading(SINK_EMISSIONS, status.expired, {**tags, "outcome": "expired"})
    yield Reading(SINK_RETRIES, status.retries, tags)
