"""The board Manometer: how the machinery that watches is doing itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from grafana.metric_panels import Entry, at_the_end, over_time
from grafana.overview import OWN
from grafana.panels import Board, Panel, Section, Variable
from grafana.queries import Choices, Query, Ratio, Where

_SHOWN: Final = (OWN, Where("process"))
_TIME: Final = "stream_time_seconds"
_WORK: Final = ("messages_total", "emissions_total", "messages_behind", "monitor_seconds_total")
_AGE: Final = "checkpoint_age_seconds"
_CHECKPOINTS: Final = ("checkpoints_total", "checkpoint_seconds_total", "waiting_bytes")
_SINKS: Final = ("sink_emissions_total", "sink_behind_parts", "sink_retries_total")
_AUDIT: Final = ("audit_findings", "audit_offsets", "audit_emissions", "audit_points")
_KEPT: Final = frozenset({"partition"})
"""Tags whose values are added up."""


def itself(entries: Mapping[str, Entry]) -> Board:
    """Make the board of everything that the engine and the archiver tell of themselves."""
    named = (*_WORK, *_CHECKPOINTS, *_SINKS, *_AUDIT, _AGE, _TIME)
    rest = [entries[name] for name in sorted(entries.keys() - set(named))]
    return Board(
        uid="manometer-itself",
        title="Manometer",
        description="How the machinery that watches is doing: workers, checkpoints, sinks, the last audit.",
        variables=(Variable("Process", Choices("process", (OWN,))),),
        sections=(
            Section("Work", (*(_shown(entries[name]) for name in _WORK), *_stream_time(entries[_TIME]))),
            Section(
                "Checkpoints", (_age(entries[_AGE]), *(_shown(entries[name]) for name in _CHECKPOINTS), _checkpoint())
            ),
            Section("Sinks", tuple(_shown(entries[name]) for name in _SINKS)),
            Section("Audit", tuple(_audited(entries[name]) for name in _AUDIT)),
            Section("What should not happen, and the rest", tuple(map(_shown, rest))),
        ),
        hours=3,
    )


def _shown(entry: Entry) -> Panel:
    groups = tuple(tag for tag in entry.tags if tag not in _KEPT)
    panel = over_time(entry, _SHOWN, group_by=groups, across="sum")
    return replace(panel, stacked=entry.spec.name == "messages_total")


def _audited(entry: Entry) -> Panel:
    """Show what the last audit of the day found."""
    return at_the_end(entry, _SHOWN, kind="stat" if entry.tags == ("of",) else "bars")


def _stream_time(entry: Entry) -> tuple[Panel, Panel]:
    now = at_the_end(entry, _SHOWN, kind="stat", group_by=("group",))
    lines = over_time(entry, _SHOWN, group_by=("group",), across="min")
    query = lines.asks[0]
    scaled = replace(query, scale=1_000) if isinstance(query, Query) else query
    return replace(now, title="Stream time at the end"), replace(lines, title="Stream time", asks=(scaled,))


def _age(entry: Entry) -> Panel:
    """Show the oldest of each group: one partition that does not get on is seen among many that do."""
    return over_time(entry, _SHOWN, group_by=("group",), across="max")


def _checkpoint() -> Panel:
    spent = Query(metric="checkpoint_seconds_total", where=_SHOWN, aggregate="rate", group_by=("process",))
    return Panel(
        title="Seconds a checkpoint",
        description="Time that one checkpoint took, on average.",
        kind="lines",
        asks=(Ratio(spent, replace(spent, metric="checkpoints_total")),),
        unit="seconds",
    )
