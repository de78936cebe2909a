"""Boards as Grafana's classic JSON: layout, ids, data source, targets, variables, links, annotations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from grafana.alert_queries import ChangeCount, Changes, Firing, FiringCount
from grafana.drawing import TYPES, Json, field_config, options
from grafana.panels import Asked, Board, Panel, Section, Variable
from grafana.queries import Counted, Query, Ratio, Where

COLUMNS: Final = 24
SOURCE: Final = {"type": "influxdb", "uid": "manometer-influxdb"}
"""The data source that provisioning makes."""
TAG: Final = "manometer"
RUNBOOKS: Final = "/public/runbooks"
"""Where Grafana itself serves the folder of runbooks; the board's field `runbooks` says another place."""
_EXPRESSIONS: Final = {"type": "__expr__", "uid": "__expr__"}
_SCHEMA_VERSION: Final = 42
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def document(board: Board) -> str:
    """Write the file of a board: stable, with a line end."""
    return json.dumps(render(board), indent=1, ensure_ascii=False) + "\n"


def render(board: Board) -> Json:
    """Give a board as Grafana loads it."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": [TAG],
        "schemaVersion": _SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": f"now-{board.hours}h", "to": "now"},
        "timepicker": {},
        "timezone": "browser",
        "weekStart": "",
        "fiscalYearStartMonth": 0,
        "liveNow": False,
        "links": [_link()],
        "templating": {"list": [*map(_variable, board.variables), _runbooks()]},
        "annotations": {"list": [_annotation(board)]},
        "panels": list(_laid(board.sections)),
    }


def _link() -> Json:
    return {
        "type": "dashboards",
        "title": "Boards",
        "tags": [TAG],
        "asDropdown": False,
        "icon": "external link",
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "tooltip": "",
        "url": "",
    }


def _variable(variable: Variable) -> Json:
    return {
        "type": "query",
        "name": variable.choices.tag,
        "label": variable.title,
        "datasource": SOURCE,
        "query": variable.choices.influxql(),
        "refresh": 2,
        "regex": "",
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
        "options": [],
        "hide": 0,
        "skipUrlSync": False,
    }


def _runbooks() -> Json:
    chosen = {"text": RUNBOOKS, "value": RUNBOOKS}
    return {
        "type": "textbox",
        "name": "runbooks",
        "label": "Runbooks",
        "description": "Address of the folder of runbooks, without a slash at its end.",
        "query": RUNBOOKS,
        "current": chosen,
        "options": [{**chosen, "selected": True}],
        "hide": 2,
        "skipUrlSync": False,
    }


def _annotation(board: Board) -> Json:
    chosen = tuple(Where(one.choices.tag) for one in board.variables if one.choices.tag in {"workflow", "model"})
    began = Changes(where=chosen, columns=("alert", "summary", "severity"), only="firing")
    return {
        "name": "Alerts",
        "datasource": SOURCE,
        "enable": True,
        "hide": False,
        "iconColor": "red",
        "target": {
            "refId": "Alerts",
            "fromAnnotations": True,
            "queryType": "tags",
            "query": began.influxql(),
            "titleColumn": "alert",
            "textColumn": "summary",
            "tagsColumn": "severity",
        },
    }


def _laid(sections: Sequence[Section]) -> Iterator[Json]:
    """Lay panels out from left to right; a section begins with a heading of one line."""
    number, top = 0, 0
    for section in sections:
        number += 1
        heading = {"id": number, "type": "row", "title": section.title, "collapsed": section.folded, "panels": []}
        yield heading | {"gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": 1}}
        left, top, lowest = 0, top + 1, top + 1
        for panel in section.panels:
            if left + panel.width > COLUMNS:
                left, top = 0, lowest
            number += 1
            place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            yield _panel(panel, number, place)
            left, lowest = left + panel.width, max(lowest, top + panel.height)
        top = lowest


def _panel(panel: Panel, number: int, place: Json) -> Json:
    drawn: Json = {
        "id": number,
        "type": TYPES[panel.kind],
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": place,
        "targets": list(_targets(panel)),
        "fieldConfig": field_config(panel),
        "options": options(panel),
        "transformations": _transformations(panel),
    }
    finest = max((query.finest for asked in panel.asks for query in _queries(asked)), default=0)
    return {**drawn, "interval": f"{finest}s"} if finest else drawn


def _queries(asked: Asked) -> tuple[Query, ...]:
    if isinstance(asked, Ratio):
        return asked.above, asked.below
    return (asked,) if isinstance(asked, Query) else ()


def _targets(panel: Panel) -> Iterator[Json]:
    letters = iter(_LETTERS)
    for asked in panel.asks:
        if isinstance(asked, Ratio):
            above, below = next(letters), next(letters)
            yield {**_target(asked.above, above, panel.title), "hide": True}
            yield {**_target(asked.below, below, panel.title), "hide": True}
            divided = {"type": "math", "expression": f"${above} / ${below}", "datasource": _EXPRESSIONS}
            yield {"refId": next(letters), **divided}
        else:
            yield _target(asked, next(letters), panel.title)


def _target(asked: Query | Counted | Firing | FiringCount | Changes | ChangeCount, letter: str, title: str) -> Json:
    groups = () if isinstance(asked, (Counted, Firing, Changes)) else asked.group_by
    table = isinstance(asked, (Firing, Changes)) or (isinstance(asked, Query) and asked.top is not None)
    return {
        "refId": letter,
        "datasource": SOURCE,
        "rawQuery": True,
        "query": asked.influxql(),
        "resultFormat": "table" if table else "time_series",
        "alias": "" if table else " ".join(f"$tag_{tag}" for tag in groups) or title,
    }


def _transformations(panel: Panel) -> list[Json]:
    """Take the time away where each line of a table is a bar."""
    if panel.kind != "bars":
        return []
    return [{"id": "organize", "options": {"excludeByName": {"Time": True}, "indexByName": {}, "renameByName": {}}}]
