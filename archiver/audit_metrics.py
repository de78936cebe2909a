"""What an audit tells as metrics, and its alert: declared, like all that is emitted."""

from __future__ import annotations

from typing import Final

from engine.catalogue import AlertSpec, MetricSpec

FINDINGS: Final = MetricSpec(
    name="audit_findings",
    kind="gauge",
    unit="findings",
    help="Gaps, and sums that do not add up, that the last audit of a workflow found; 0 where nothing is missing.",
    direction="lower is better",
    zones=(1, 1),
    tags=("of",),
)
OFFSETS: Final = MetricSpec(
    name="audit_offsets",
    kind="gauge",
    unit="offsets",
    help="Offsets of an input's partition in the archive at the last audit, by outcome: covered, missing or repeated.",
    tags=("of", "topic", "partition", "group", "outcome"),
)
EMISSIONS: Final = MetricSpec(
    name="audit_emissions",
    kind="gauge",
    unit="emissions",
    help="Emissions of the archive at the last audit, by what a sink did: written, rejected, expired or pending.",
    tags=("of", "sink", "outcome"),
)
POINTS: Final = MetricSpec(
    name="audit_points",
    kind="gauge",
    unit="points",
    help="Points of a workflow in a store that the last audit asked.",
    tags=("of", "sink"),
)
INCOMPLETE: Final = AlertSpec(
    name="ArchiveIncomplete",
    severity="critical",
    help="An audit found a gap in the archive, or a sum that does not add up.",
    runbook="archive-incomplete",
)
AUDIT: Final = (FINDINGS, OFFSETS, EMISSIONS, POINTS)
"""All metrics of an audit."""
