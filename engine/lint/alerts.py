"""The alerts of a workflow file: each entry becomes a `threshold` monitor on metrics."""

from __future__ import annotations

from typing import Final

from engine.findings import Notes, below
from engine.lint.attaching import Plugins, SeenMonitor, make
from engine.lint.fields import Fitted, entry, fit
from engine.nodes import Items, Map, Node, place
from engine.plan import METRICS, Attached
from engine.plugin_files import PluginError
from engine.workflow_keys import AlertKeys, parse_when

THRESHOLD: Final = "threshold"
_PASSED_ON: Final = ("alert", "for", "keep_firing_for", "stale_after", "severity", "runbook", "summary")


def read_alerts(node: Items, plugins: Plugins, *, notes: Notes) -> list[SeenMonitor]:
    """Read all entries of `alerts:`."""
    return [_read(member, below("alerts", i), plugins, notes) for i, member in enumerate(node.members)]


def _read(node: Node, path: str, plugins: Plugins, notes: Notes) -> SeenMonitor:
    seen = SeenMonitor(path, node.line, streams=frozenset({METRICS}))
    fitted = fit(AlertKeys, node, path, notes=notes)
    if fitted is None or not isinstance(node, Map):
        return seen
    if "alert" not in fitted.bad:
        found = place(node, path, ("alert",))
        seen.name, seen.name_at, seen.name_line = fitted.keys.alert, found.path, found.line
    if "when" not in fitted.bad:
        found = place(node, path, ("when",))
        seen.metric, seen.metric_at, seen.metric_line = parse_when(fitted.keys.when).metric, found.path, found.line
        _attach(seen, fitted, node, plugins, notes)
    return seen


def _attach(seen: SeenMonitor, fitted: Fitted[AlertKeys], node: Map, plugins: Plugins, notes: Notes) -> None:
    try:
        cls = plugins.monitor(THRESHOLD)
    except PluginError as error:
        notes.error(seen.line, seen.path, str(error))
        return
    made = make(cls, _options(fitted, node), seen.path, owner=THRESHOLD, notes=notes)
    if made is None or fitted.bad:
        return
    seen.monitor = made
    seen.attached = Attached(
        name=seen.name, use=THRESHOLD, monitor=made, sources={METRICS: METRICS}, tags=fitted.keys.tags
    )


def _options(fitted: Fitted[AlertKeys], node: Map) -> Map:
    """Write the entry as the options of `threshold`; every value keeps its line."""
    when = parse_when(fitted.keys.when)
    line = node.entries["when"].line
    options = Map(node.line, {"metric": entry(line, when.metric), when.option: entry(line, when.bound)})
    options.entries["inclusive"] = entry(line, when.inclusive)
    given = fitted.keys.model_fields_set
    for key in _PASSED_ON:
        if key in node.entries and key not in fitted.bad and (key in given or f"{key}_" in given):
            options.entries[key] = node.entries[key]
    return options
