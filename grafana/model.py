"""The board Model: all that is known of one model, in the order in which one asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from grafana.metric_panels import Entry, at_the_end, by_monitor, over_time
from grafana.overview import MODEL, WORKFLOW, changes, firing, models, workflows
from grafana.panels import Board, Panel, Section, Variable
from grafana.queries import Choices, Where

ENGINE: Final = Where("engine")
SLOT: Final = Where("slot")
_SHOWN: Final = (WORKFLOW, MODEL)
_BESIDE: Final = {"engine": ENGINE, "slot": SLOT}
"""Conditions for series that have these tags; others would vanish when one is chosen."""
_HEALTH: Final = ("engine_state", "cpu_utilization", "memory_bytes")
_THROUGHPUT: Final = ("records_per_second", "records_total", "records_rejected_total")


def model(entries: Mapping[str, Entry]) -> Board:
    """Make the board of everything that monitors emit."""
    return Board(
        uid="manometer-model",
        title="Model",
        description="All that is known of one model: its engines, its inputs, its predictions.",
        variables=(
            workflows(),
            models(),
            Variable("Engine", Choices("engine", _SHOWN)),
            Variable("Slot", Choices("slot", (*_SHOWN, ENGINE))),
        ),
        sections=(
            Section("Firing", (firing(_SHOWN, height=6),)),
            Section("Health", _health(entries)),
            Section("Throughput", tuple(map(_shown, _chosen(entries, _THROUGHPUT)))),
            *_others(entries),
            Section("What happened", (changes(_SHOWN),)),
        ),
    )


def _health(entries: Mapping[str, Entry]) -> tuple[Panel, ...]:
    state, cpu, memory = _chosen(entries, _HEALTH)
    gauge = at_the_end(cpu, _where(cpu), kind="gauge", group_by=("engine",))
    return (
        replace(_shown(state), width=24, height=6),
        replace(gauge, title="Cpu utilization now"),
        *map(_shown, (cpu, memory)),
    )


def _others(entries: Mapping[str, Entry]) -> Iterable[Section]:
    """Show the rest by monitor, so that a new metric is on the board without being named here."""
    for monitor, found in by_monitor(entries, (*_HEALTH, *_THROUGHPUT)).items():
        yield Section(monitor.replace("_", " ").capitalize(), tuple(map(_shown, found)))


def _chosen(entries: Mapping[str, Entry], names: Iterable[str]) -> list[Entry]:
    return [entries[name] for name in names]


def _shown(entry: Entry) -> Panel:
    return over_time(entry, _where(entry))


def _where(entry: Entry) -> tuple[Where, ...]:
    return (*_SHOWN, *(_BESIDE[tag] for tag in entry.tags if tag in _BESIDE))
