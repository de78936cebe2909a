"""What an audit found, as metrics and as an alert: for the archive topic, and for a file that Prometheus reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from archiver.audit_metrics import AUDIT, EMISSIONS, FINDINGS, INCOMPLETE, OFFSETS, POINTS
from engine.events import Alert, Emission, Tags
from engine.telemetry import Reading, as_metrics, as_text
from manometer.audit import Audit, SinkSeen

_PROCESS: Final = "audit"
_SHOWN: Final = 20


def readings(found: Audit) -> Iterator[Reading]:
    """Give the numbers of an audit; what nobody knows is left out."""
    of = {"of": found.workflow}
    yield Reading(FINDINGS, len(found.findings), of)
    for one in found.coverage:
        place = {**of, "topic": one.topic, "partition": str(one.partition), "group": one.group}
        missing = sum(last - first + 1 for first, last in one.gaps)
        for outcome, number in (("covered", one.offsets), ("missing", missing), ("repeated", one.repeats)):
            yield Reading(OFFSETS, number, {**place, "outcome": outcome})
    for sink in found.sinks:
        yield from _of_sink(sink, {**of, "sink": sink.name})


def _of_sink(sink: SinkSeen, tags: dict[str, str]) -> Iterator[Reading]:
    became = {"written": sink.written, "rejected": sink.rejected, "expired": sink.expired, "pending": sink.pending}
    for outcome, number in became.items():
        if number is not None:
            yield Reading(EMISSIONS, number, {**tags, "outcome": outcome})
    if sink.points is not None:
        yield Reading(POINTS, sink.points, tags)


def emissions(found: Audit, now: int) -> list[Emission]:
    """Give what goes onto the archive topic, at a time of the wall clock."""
    return [*as_metrics(readings(found), now, _PROCESS), *_alert(found, now)]


def _alert(found: Audit, now: int) -> Iterator[Alert]:
    """Say what changed since the last audit that told: firing again is a repeat, and nothing resolves twice."""
    if not found.findings and not found.alerted:
        return
    more = f", and {len(found.findings) - 1} more" if len(found.findings) > 1 else ""
    alert = INCOMPLETE.set(
        now,
        firing=bool(found.findings),
        value=float(len(found.findings)),
        summary=f"{found.findings[0]}{more}" if found.findings else "nothing is missing any more",
        evidence={"findings": list(found.findings[:_SHOWN])} if found.findings else None,
    )
    alert.tags = Tags({"workflow": found.workflow, "monitor": _PROCESS})
    alert.repeat = alert.firing and found.alerted
    yield alert


def write_text(found: Audit, file: Path) -> None:
    """Write it in the Prometheus text format, whole or not at all: for a collector that reads files.

    Raises:
        OSError: the file cannot be written.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.write_bytes(as_text(readings(found), AUDIT))
        part.chmod(0o644)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
