"""The boards as the page reads them: what there is to see, without what it is asked with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from grafana.alert_queries import FiringCount
from grafana.panels import Board, Panel, Section
from grafana.queries import Counted
from grafana.units import axis_text


class Boards:
    """All boards, by their names in addresses."""

    def __init__(self, boards: Iterable[Board]) -> None:
        """Keep them."""
        self.by_uid: Final[Mapping[str, Board]] = {board.uid: board for board in boards}
        self.variables: Final = frozenset(
            variable.choices.tag for board in self.by_uid.values() for variable in board.variables
        )
        """The names of all variables of all boards."""

    def described(self, version: str) -> dict[str, Any]:
        """Describe them all, with the version of Manometer that does."""
        return {"version": version, "boards": [_board(board) for board in self.by_uid.values()]}


def _board(board: Board) -> dict[str, Any]:
    firsts = [sum(len(section.panels) for section in board.sections[:place]) for place in range(len(board.sections))]
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "hours": board.hours,
        "variables": [{"name": one.choices.tag, "title": one.title} for one in board.variables],
        "sections": [_section(section, first) for section, first in zip(board.sections, firsts, strict=True)],
    }


def _section(section: Section, first: int) -> dict[str, Any]:
    panels = [_panel(panel, number) for number, panel in enumerate(section.panels, first)]
    return {"title": section.title, "folded": section.folded, "panels": panels}


def _panel(panel: Panel, number: int) -> dict[str, Any]:
    zones = panel.zones
    return {
        "id": number,
        "title": panel.title,
        "description": panel.description,
        "kind": panel.kind,
        "unit": panel.unit,
        "axis": axis_text(panel.unit),
        "zones": None if zones is None else {"warn": zones.warn, "bad": zones.bad},
        "values": panel.values,
        "stacked": panel.stacked,
        "width": panel.width,
        "height": panel.height,
        "zero": all(isinstance(asked, (Counted, FiringCount)) for asked in panel.asks),
    }
