"""The board Overview: is everything all right now, and was it in the last twelve hours?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from grafana.alert_queries import Changes, Firing, FiringCount
from grafana.metric_panels import Entry, at_the_end, over_time
from grafana.panels import Board, Panel, Section, Variable, Zones
from grafana.queries import DAY, Choices, Counted, Query, Ratio, Where

WORKFLOW: Final = Where("workflow")
MODEL: Final = Where("model")
OWN: Final = Where("workflow", "manometer")
"""What Manometer tells of itself."""
_SHOWN: Final = (WORKFLOW, MODEL)
_ANY: Final = Zones(1, 1)
_BUSIEST: Final = 10


def overview(entries: Mapping[str, Entry]) -> Board:
    """Make the board."""
    return Board(
        uid="manometer-overview",
        title="Overview",
        description="Is everything all right, and was it lately?",
        variables=(workflows(), models()),
        sections=(
            Section("Now", _now(entries)),
            Section("Firing", (firing(_SHOWN),)),
            Section("Is the machinery right?", _machinery(entries)),
            Section("Is the data right?", _data(entries)),
            Section("Is the model right?", _model(entries)),
            Section("Is what watches right?", _itself(entries)),
            Section("What happened", (changes(_SHOWN),)),
        ),
    )


def workflows() -> Variable:
    """Let a workflow be chosen; Manometer's own numbers are none."""
    return Variable("Workflow", Choices("workflow", (Where("workflow", "manometer", differs=True),)))


def models() -> Variable:
    """Let a model of the chosen workflows be chosen."""
    return Variable("Model", Choices("model", (WORKFLOW,)))


def firing(where: tuple[Where, ...], *, height: int = 8) -> Panel:
    """List what fires."""
    return Panel(
        title="Alerts that fire",
        description="Alerts that fire at the end of the chosen time, with the runbook that says what to do.",
        kind="alerts",
        asks=(Firing(where=where),),
        width=24,
        height=height,
    )


def changes(where: tuple[Where, ...], *, height: int = 10) -> Panel:
    """List what began and ended."""
    return Panel(
        title="Alert log",
        description="Alerts that began and ended to fire in the chosen time, the newest first.",
        kind="alerts",
        asks=(Changes(where=where),),
        width=24,
        height=height,
    )


def count(severity: str, where: tuple[Where, ...]) -> Panel:
    """Count what fires with a severity."""
    zones = _ANY if severity == "critical" else Zones(1)
    return Panel(
        title=f"{severity.capitalize()} alerts",
        description=f"Alerts of severity {severity} that fire at the end of the chosen time.",
        kind="stat",
        asks=(FiringCount(where=(*where, Where("severity", severity))),),
        unit="alerts",
        zones=zones,
        width=4,
        height=5,
    )


def _now(entries: Mapping[str, Entry]) -> tuple[Panel, ...]:
    state = entries["engine_state"].spec
    latest = Query(
        metric=state.name,
        where=_SHOWN,
        group_by=("workflow", "engine"),
        aggregate="last",
        interval=None,
        look_back=DAY,
    )
    codes = {words: code for code, words in state.values}
    running = Panel(
        title="Engines running",
        description="Engines whose last state is init or running.",
        kind="stat",
        asks=(Counted(of=latest, values=(codes["init"], codes["running"])),),
        unit="engines",
        width=4,
        height=5,
    )
    wrong = replace(
        running,
        title="Engines in error or silent",
        description="Engines whose last state is error or silent.",
        asks=(Counted(of=latest, values=(codes["error"], codes["silent"])),),
        zones=_ANY,
    )
    rate = replace(
        over_time(entries["records_per_second"], _SHOWN, group_by=(), across="sum"),
        title="Records per second",
        description="Records through all slots of all engines, per second.",
        kind="stat",
        width=4,
        height=5,
    )
    return (count("critical", _SHOWN), count("warning", _SHOWN), running, wrong, rate, _rejected())


def _rejected() -> Panel:
    rejected = Query(metric="records_rejected_total", where=_SHOWN, aggregate="rate")
    return Panel(
        title="Rejected records",
        description="Records that engines could not read, as a share of the records through their slots.",
        kind="stat",
        asks=(Ratio(rejected, replace(rejected, metric="records_total")),),
        unit="ratio",
        zones=Zones(0.001, 0.01),
        width=4,
        height=5,
    )


def _machinery(entries: Mapping[str, Entry]) -> tuple[Panel, ...]:
    return (
        replace(over_time(entries["engine_state"], _SHOWN), width=12),
        replace(at_the_end(entries["cpu_utilization"], _SHOWN, group_by=("engine",), top=_BUSIEST), width=6),
        replace(over_time(entries["cpu_utilization"], _SHOWN), width=6),
        over_time(entries["records_per_second"], _SHOWN, group_by=("model",), across="sum"),
        over_time(entries["memory_bytes"], _SHOWN),
        over_time(entries["records_rejected_total"], _SHOWN, group_by=("model", "reason")),
    )


def _data(entries: Mapping[str, Entry]) -> tuple[Panel, ...]:
    names = ("stream_records_per_second", "stream_delay_seconds", "input_drift_score")
    return tuple(over_time(entries[name], _SHOWN) for name in names)


def _itself(entries: Mapping[str, Entry]) -> tuple[Panel, ...]:
    """Show a monitor that raises, messages that nobody understands, and a worker that falls behind."""
    errors = over_time(entries["monitor_errors_total"], (OWN,), group_by=("of",), across="sum")
    unread = over_time(
        entries["messages_total"], (OWN, Where("outcome", "undecodable")), group_by=("group",), across="sum"
    )
    behind = over_time(entries["messages_behind"], (OWN,), group_by=("topic",), across="sum")
    about = "Messages of the input topics that could not become records, by the streams they came on."
    return errors, replace(unread, title="Messages not understood, per second", description=about), behind


def _model(entries: Mapping[str, Entry]) -> tuple[Panel, ...]:
    names = ("prediction_mae", "prediction_match_ratio", "prediction_latency_seconds")
    return tuple(over_time(entries[name], _SHOWN) for name in names)
