"""How Grafana draws each kind of panel: options and field settings, as its classic JSON wants them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from grafana.alert_queries import FiringCount
from grafana.panels import Kind, Panel, Zones
from grafana.queries import Counted, Ratio
from grafana.units import axis_text, unit_id

Json = dict[str, Any]

TYPES: Final[Mapping[Kind, str]] = {
    "stat": "stat",
    "gauge": "gauge",
    "bars": "bargauge",
    "pie": "piechart",
    "lines": "timeseries",
    "columns": "timeseries",
    "states": "state-timeline",
    "alerts": "table",
}
"""Kind of panel -> Grafana's plugin."""
NEUTRAL: Final = "blue"
_GOOD: Final = "green"
_WARN: Final = "orange"
_BAD: Final = "red"
_CODES: Final = {"init": "blue", "running": "green", "error": "red", "silent": "purple"}
_SEVERITIES: Final = {"critical": "red", "warning": "orange", "info": "blue", "firing": "red", "resolved": "green"}
_LAST: Final = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_EACH_LINE: Final = {"calcs": [], "fields": "/^value$/", "values": True}
_LEGEND: Final = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
_TOOLTIP: Final = {"mode": "multi", "sort": "desc"}
_ANYWHERE: Final = frozenset({"", "seconds since 1970", "unit of the field"})
"""Units of numbers that lie anywhere, so that zero need not be seen."""
_RUNBOOK: Final = "${runbooks:raw}/${__value.raw}.md"


def field_config(panel: Panel) -> Json:
    """Write unit, zones, texts of codes and what is drawn of each field."""
    defaults: Json = {
        "unit": unit_id(panel.unit),
        "thresholds": thresholds(panel.zones, quiet=panel.kind in {"lines", "columns"}),
        "mappings": _mappings(panel.values),
        "color": {"mode": _colours(panel)},
    }
    if panel.kind in _CUSTOM:
        defaults["custom"] = _CUSTOM[panel.kind](panel)
    if all(isinstance(asked, (Counted, FiringCount)) for asked in panel.asks):
        defaults["noValue"] = "0"
    if panel.unit == "ratio" and panel.kind in {"gauge", "bars"}:
        defaults |= {"min": 0, "max": 1}
    labels = [tag for asked in panel.asks if isinstance(asked, Ratio) for tag in asked.above.group_by]
    if labels:
        defaults["displayName"] = " ".join(f"${{__field.labels.{tag}}}" for tag in labels)
    return {"defaults": defaults, "overrides": _overrides() if panel.kind == "alerts" else []}


def options(panel: Panel) -> Json:
    """Write the options of the plugin that draws a panel."""
    return _OPTIONS[panel.kind](panel)


def thresholds(zones: Zones | None, *, quiet: bool = False) -> Json:
    """Write zones as steps of colours; the first step has no bound.

    >>> [(step["color"], step["value"]) for step in thresholds(Zones(0.9, 0.5))["steps"]]
    [('red', None), ('orange', 0.5), ('green', 0.9)]
    """
    if zones is None:
        steps: list[tuple[str, float | None]] = [(NEUTRAL, None)]
    elif zones.bad is None:
        steps = [(_GOOD, None), (_WARN, zones.warn)]
    elif zones.warn > zones.bad:
        steps = [(_BAD, None), (_WARN, zones.bad), (_GOOD, zones.warn)]
    elif zones.warn == zones.bad:
        steps = [(_GOOD, None), (_BAD, zones.bad)]
    else:
        steps = [(_GOOD, None), (_WARN, zones.warn), (_BAD, zones.bad)]
    if quiet:
        steps = [("transparent" if colour == _GOOD else colour, bound) for colour, bound in steps]
    return {"mode": "absolute", "steps": [{"color": colour, "value": bound} for colour, bound in steps]}


def _colours(panel: Panel) -> str:
    return "thresholds" if panel.kind in {"stat", "gauge", "bars", "alerts"} else "palette-classic"


def _mappings(values: tuple[tuple[float, str], ...]) -> list[Json]:
    shown = {
        f"{code:g}": {"text": text, "index": number} | ({"color": _CODES[text]} if text in _CODES else {})
        for number, (code, text) in enumerate(values)
    }
    return [{"type": "value", "options": shown}] if shown else []


def _lines(panel: Panel) -> Json:
    from_zero = {} if panel.unit in _ANYWHERE else {"axisSoftMin": 0}
    return {
        **from_zero,
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 30 if panel.stacked else 8,
        "showPoints": "auto",
        "axisLabel": axis_text(panel.unit),
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "off" if panel.zones is None else "area"},
    }


def _columns(panel: Panel) -> Json:
    return {**_lines(panel), "drawStyle": "bars", "fillOpacity": 80, "showPoints": "never"}


def _state_fields(panel: Panel) -> Json:
    del panel
    return {"lineWidth": 0, "fillOpacity": 80}


def _table_fields(panel: Panel) -> Json:
    del panel
    return {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": True, "filterable": True}


def _overrides() -> list[Json]:
    """Colour severities and states, link runbooks, and give long texts room."""
    coloured: list[Json] = [
        {"type": "value", "options": {word: {"text": word, "color": colour, "index": number}}}
        for number, (word, colour) in enumerate(_SEVERITIES.items())
    ]
    cell: list[Json] = [
        {"id": "custom.cellOptions", "value": {"type": "color-background"}},
        {"id": "mappings", "value": coloured},
    ]
    link: list[Json] = [{"title": "What to do: ${__value.raw}", "url": _RUNBOOK, "targetBlank": True}]
    wide: list[Json] = [{"id": "custom.width", "value": 420}]
    return [
        _override("severity", [*cell, {"id": "custom.width", "value": 90}]),
        _override("state", [*cell, {"id": "custom.width", "value": 90}]),
        _override("runbook", [{"id": "links", "value": link}]),
        _override("summary", wide),
        _override("evidence", [*wide, {"id": "custom.cellOptions", "value": {"type": "json-view"}}]),
    ]


def _override(field: str, properties: list[Json]) -> Json:
    return {"matcher": {"id": "byName", "options": field}, "properties": properties}


def _stat(panel: Panel) -> Json:
    return {
        "reduceOptions": _LAST,
        "colorMode": "background" if panel.zones is not None else "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
    }


def _gauge(panel: Panel) -> Json:
    return {
        "reduceOptions": _LAST,
        "orientation": "auto",
        "showThresholdLabels": False,
        "showThresholdMarkers": panel.zones is not None,
        "sizing": "auto",
        "minVizWidth": 75,
        "minVizHeight": 75,
    }


def _bars(panel: Panel) -> Json:
    del panel
    return {
        "reduceOptions": _EACH_LINE,
        "orientation": "horizontal",
        "displayMode": "basic",
        "valueMode": "color",
        "namePlacement": "auto",
        "showUnfilled": True,
        "sizing": "auto",
        "minVizWidth": 8,
        "minVizHeight": 16,
        "maxVizHeight": 300,
        "legend": {**_LEGEND, "showLegend": False},
    }


def _pie(panel: Panel) -> Json:
    del panel
    return {
        "reduceOptions": _LAST,
        "pieType": "donut",
        "sort": "desc",
        "orientation": "auto",
        "displayLabels": ["name", "value"],
        "legend": {**_LEGEND, "placement": "right", "values": ["value"]},
        "tooltip": {"mode": "single", "sort": "none"},
    }


def _time(panel: Panel) -> Json:
    del panel
    return {"legend": _LEGEND, "tooltip": _TOOLTIP}


def _states(panel: Panel) -> Json:
    del panel
    return {
        "alignValue": "left",
        "mergeValues": True,
        "rowHeight": 0.8,
        "showValue": "auto",
        "legend": _LEGEND,
        "tooltip": {"mode": "single", "sort": "none"},
    }


def _table(panel: Panel) -> Json:
    del panel
    newest = {"displayName": "Time", "desc": True}
    return {"cellHeight": "sm", "showHeader": True, "frameIndex": 0, "sortBy": [newest]}


_OPTIONS: Final = {
    "stat": _stat,
    "gauge": _gauge,
    "bars": _bars,
    "pie": _pie,
    "lines": _time,
    "columns": _time,
    "states": _states,
    "alerts": _table,
}
_CUSTOM: Final = {"lines": _lines, "columns": _columns, "states": _state_fields, "alerts": _table_fields}
