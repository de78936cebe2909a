"""Audits an embedded process, which may be running: the archive in its folder, and how far each sink has come."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archiver.reconciliation import Coverage, Covers, missing
from engine.embedded.kept import kept_archive, kept_offsets, kept_positions
from engine.embedded.store import kept_rejects
from engine.events import decode_emissions
from engine.plan import Plan
from manometer.audit import Audit, Points, SinkSeen, stored


def audit(plan: Plan, folder: Path, counts: Mapping[str, int]) -> Audit:
    """Look at what the folder still holds: what all sinks have written leaves it after a minute.

    Args:
        plan: the workflow.
        folder: `--data` of the process.
        counts: name of a sink -> points of the workflow in its store, where it was asked.

    Raises:
        StoreFailed: there is no such folder, or it cannot be read.
    """
    saved = {(topic, 0): offset for topic, offset in kept_offsets(folder).items()}
    positions = kept_positions(folder)
    coverage, points = Coverage(), Points(plan.workflow)
    pending = dict.fromkeys(positions, 0)
    emissions, begins = 0, 1
    for number, (position, *covers, data) in enumerate(kept_archive(folder)):
        begins = position if number == 0 else begins
        _cover(coverage, covers)
        found = decode_emissions(data)
        emissions += len(found)
        if counts:
            points.add(found)
        for name in positions:
            pending[name] += len(found) * (position > positions[name])
    covered = coverage.result()
    sinks = [_seen(name, pending[name], _rejected(folder, name), counts.get(name)) for name in positions]
    return Audit(
        workflow=plan.workflow,
        coverage=covered,
        emissions=emissions,
        points=points.count if counts else None,
        sinks=sinks,
        findings=[*missing(covered, saved), *stored(sinks, points.count if begins == 1 else None, counts)],
    )


def _cover(coverage: Coverage, columns: list[Any]) -> None:
    _, _, _, first, *_ = columns
    if first is not None:
        coverage.add(Covers(*columns))


def _seen(name: str, pending: int, rejected: int, points: int | None) -> SinkSeen:
    return SinkSeen(name=name, read=None, written=None, rejected=rejected, expired=None, pending=pending, points=points)


def _rejected(folder: Path, sink: str) -> int:
    return sum(one.reason == "store" and one.detail.startswith(f"{sink}: ") for _, one in kept_rejects(folder))
