"""The board Alerts: what fires, what fired, and on what evidence."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from grafana.alert_queries import FIRING_COLUMNS, HISTORY_COLUMNS, ChangeCount, Changes, Firing, FiringCount
from grafana.overview import MODEL, WORKFLOW, changes, count, firing, models, workflows
from grafana.panels import Board, Panel, Section, Variable
from grafana.queries import Choices, Where

ALERT: Final = Where("alert")
_SHOWN: Final = (WORKFLOW, MODEL, ALERT)
_EVIDENCE: Final = "evidence"
_SEVERITIES: Final = ("critical", "warning", "info")


def alerts() -> Board:
    """Make the board."""
    active = replace(firing(_SHOWN, height=10), asks=(Firing(where=_SHOWN, columns=(*FIRING_COLUMNS, _EVIDENCE)),))
    log = replace(changes(_SHOWN, height=16), asks=(Changes(where=_SHOWN, columns=(*HISTORY_COLUMNS, _EVIDENCE)),))
    return Board(
        uid="manometer-alerts",
        title="Alerts",
        description="What fires, what fired, and on what evidence.",
        variables=(workflows(), models(), Variable("Alert", Choices("alert", (WORKFLOW, MODEL)))),
        sections=(
            Section("Now", (*(count(severity, _SHOWN) for severity in _SEVERITIES), _which(), active)),
            Section("History", (_began(), log)),
        ),
        hours=24 * 7,
    )


def _which() -> Panel:
    return Panel(
        title="Which alerts fire",
        description="Alerts that fire at the end of the chosen time, by name.",
        kind="pie",
        asks=(FiringCount(where=_SHOWN, group_by=("alert",)),),
        unit="alerts",
        width=12,
        height=5,
    )


def _began() -> Panel:
    return Panel(
        title="Alerts that began",
        description="How many alerts began to fire, by name.",
        kind="columns",
        asks=(ChangeCount(where=_SHOWN),),
        unit="alerts",
        stacked=True,
        width=24,
    )
