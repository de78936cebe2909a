"""The monitors of a workflow file: what each entry uses, reads and adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from engine.catalogue import MetricSpec
from engine.events import Metric
from engine.findings import Notes, below, did_you_mean, listing, show
from engine.lint.attaching import Plugins, SeenMonitor, make
from engine.lint.beside import tell_doubts
from engine.lint.contract import can_read, kinds, specs
from engine.lint.fields import Fitted, fit
from engine.lint.joining import check_joined, pair_options, parted, settings
from engine.lint.sentences import fields_of
from engine.lint.streams import SeenStream
from engine.monitor import Monitor, PairOptions, Scope
from engine.nodes import Items, Map, Node, as_text, place
from engine.plan import METRICS, Attached
from engine.plugin_files import PluginError, what_failed
from engine.reports import SensorMessage
from engine.workflow_keys import MonitorKeys

TAKEN_TAGS: Final = frozenset({"time", "value", "alert", "severity", "workflow", "monitor"})
_GIVES: Final[Mapping[str, type]] = {"sensors": SensorMessage, "json": dict}
"""What our decoders make of a message; of others nobody knows."""


def read_monitors(
    node: Items, streams: Mapping[str, SeenStream], plugins: Plugins, *, notes: Notes
) -> list[SeenMonitor]:
    """Read all entries of `monitors:`."""
    return [_read(member, below("monitors", i), streams, plugins, notes) for i, member in enumerate(node.members)]


def _read(node: Node, path: str, streams: Mapping[str, SeenStream], plugins: Plugins, notes: Notes) -> SeenMonitor:
    seen = SeenMonitor(path, node.line)
    fitted = fit(MonitorKeys, node, path, notes=notes)
    if fitted is None or not isinstance(node, Map):
        seen.lost = True
        return seen
    entry = _Entry(seen, fitted, node, notes)
    entry.take_name()
    entry.take_monitor(plugins)
    entry.take_sources(streams)
    entry.check_tags()
    entry.attach(streams)
    return seen


class _Entry:
    """One entry of `monitors:` while it is read."""

    def __init__(self, seen: SeenMonitor, fitted: Fitted[MonitorKeys], node: Map, notes: Notes) -> None:
        self.seen = seen
        self._keys = fitted.keys
        self._bad = fitted.bad
        self._node = node
        self._notes = notes
        self._before = len(notes.findings) if not fitted.bad else -1
        self._sources: dict[str, str] = {}
        self._pairs: PairOptions | None = None

    def _error(self, message: str, *steps: str) -> None:
        found = place(self._node, self.seen.path, steps)
        path = found.path if found.depth == len(steps) else below(self.seen.path, steps[0])
        self._notes.error(found.line, path, message)

    def take_name(self) -> None:
        """Name the entry; the same as `use` where nothing else is said."""
        at = "name" if "name" in self._node.entries else "use"
        if at not in self._bad:
            self.seen.name = self._keys.name or self._keys.use
            found = place(self._node, self.seen.path, (at,))
            self.seen.name_at, self.seen.name_line = found.path, found.line

    def take_monitor(self, plugins: Plugins) -> None:
        """Find the plugin and make it with the options."""
        if "use" in self._bad:
            return
        use = self._keys.use
        try:
            cls = plugins.monitor(use)
        except PluginError as error:
            self._error(str(error), "use")
            return
        self.seen.monitor = cls
        if "with" not in self._bad:
            given, path = self._node.get("with"), below(self.seen.path, "with")
            own, besides = parted(cls, given if isinstance(given, Map) else Map(self.seen.line, {}))
            made = make(cls, own, path, owner=use, notes=self._notes, beside=plugins.beside)
            self.seen.monitor = made or cls
            self._pairs = pair_options(besides, path, owner=use, notes=self._notes)

    # --- what it reads

    def take_sources(self, streams: Mapping[str, SeenStream]) -> None:
        """Find the streams that it reads, and check that it can read what comes from them."""
        if "from" in self._bad:
            self.seen.lost = True
            return
        given = self._keys.from_
        if isinstance(given, str):
            self._one(given, streams)
        else:
            self._several(given, streams)
        self.seen.streams = frozenset(self._sources.values())

    def _one(self, name: str, streams: Mapping[str, SeenStream]) -> None:
        monitor = self.seen.monitor
        if monitor is not None and monitor.inputs:
            self._error(f"expected a map of {listing(monitor.inputs)} to streams, got one stream", "from")
        if name == METRICS:
            self._sources = {METRICS: METRICS}
            self._check_metrics()
        elif self._known(name, streams, "from"):
            self._sources = {name: name}
            self._check_stream(streams[name])

    def _several(self, given: Mapping[str, str], streams: Mapping[str, SeenStream]) -> None:
        monitor = self.seen.monitor
        if monitor is not None and not monitor.inputs:
            self._error(f"{self._keys.use} reads one stream; expected its name, got a map", "from")
        elif monitor is not None:
            self._check_roles(given, monitor.inputs)
        known = {role: name for role, name in given.items() if self._known(name, streams, "from", role)}
        self._sources = known
        for role, name in known.items():
            self._check_stream(streams[name], role)
        if monitor is not None and monitor.inputs:
            check_joined(known, streams, self._error)

    def _check_roles(self, given: Mapping[str, str], inputs: Iterable[str]) -> None:
        wanted = list(inputs)
        for role in given:
            if role not in wanted:
                near = did_you_mean(role, wanted)
                self._error(f"unknown input of {self._keys.use}. It takes: {listing(wanted)}.{near}", "from", role)
        for role in wanted:
            if role not in given:
                self._error(f"{self._keys.use} needs a stream for its input {role}", "from")

    def _known(self, name: str, streams: Mapping[str, SeenStream], *steps: str) -> bool:
        if name in streams:
            return True
        self.seen.lost = True
        if name == METRICS:
            self._error("only streams can be joined; metrics are read alone", *steps)
        else:
            near = did_you_mean(name, [*streams, METRICS])
            self._error(f"unknown stream {show(name)}. There are: {listing(streams)}.{near}", *steps)
        return False

    def _check_metrics(self) -> None:
        """Refuse what could feed itself: who reads metrics emits alerts only."""
        monitor, use = self.seen.monitor, self._keys.use
        if monitor is None:
            return
        emitted = [spec.name for spec in specs(monitor) if isinstance(spec, MetricSpec)]
        if emitted:
            self._error(
                f"{use} emits the metric {emitted[0]}, so it could read what it emits; expected a monitor that emits "
                "only alerts, or a stream",
                "from",
            )
        elif not can_read(monitor, Metric):
            self._error(f"{use} reads {_names(monitor)}, which metrics are not; expected a stream", "from")
        self._check_metric(fields_of(monitor.Options))

    def _check_metric(self, options: Iterable[str]) -> None:
        """Remember the metric that the option `metric` names; metrics have no fields for an option `field`."""
        found = place(self._node, self.seen.path, ("with", "metric"))
        named = as_text(found.node)
        if "metric" in options and found.depth and named:
            self.seen.metric, self.seen.metric_at, self.seen.metric_line = named, found.path, found.line
        elif "field" in options and place(self._node, "", ("with", "field")).depth == len(("with", "field")):
            self._error("metrics have no fields; with from: metrics expected the option metric", "with", "field")

    def _check_stream(self, stream: SeenStream, *role: str) -> None:
        monitor, given = self.seen.monitor, _GIVES.get(stream.decode)
        if monitor is None or given is None or can_read(monitor, given):
            return
        use, reads = self._keys.use, _names(monitor)
        if can_read(monitor, Metric):
            self._error(f"{use} reads metrics; expected from: {METRICS}", "from", *role)
            return
        fitting = [name for name, kind in _GIVES.items() if can_read(monitor, kind)]
        expected = f"; expected a stream with decode: {' or '.join(fitting)}" if fitting else ""
        self._error(f"{use} reads {reads}, which decode: {stream.decode} never gives{expected}", "from", *role)

    # --- what it adds

    def check_tags(self) -> None:
        """Refuse tags that are taken."""
        check_tags(self._node, taken_by(self.seen.monitor), self.seen.path, notes=self._notes)

    def attach(self, streams: Mapping[str, SeenStream]) -> None:
        """Attach the monitor, where nothing is wrong with the entry."""
        monitor = self.seen.monitor
        if len(self._notes.findings) != self._before or not isinstance(monitor, Monitor):
            return
        given = self._node.get("with")
        options = given if isinstance(given, Map) else Map(self.seen.line, {})
        tell_doubts(monitor, options, below(self.seen.path, "with"), notes=self._notes)
        forget = self._keys.forget_after
        if "forget_after" not in self._node.entries and self._scope(monitor, streams) == "stream":
            forget = None
        self.seen.attached = Attached(
            name=self.seen.name,
            use=self._keys.use,
            monitor=monitor,
            sources=self._sources,
            tags=self._keys.tags,
            forget_after=forget,
            max_series=self._keys.max_series,
            **settings(monitor, self._pairs),
        )

    def _scope(self, monitor: Monitor, streams: Mapping[str, SeenStream]) -> Scope:
        if monitor.inputs:
            return "stream"
        seen = next((streams[name] for name in self.seen.streams if name in streams), None)
        if seen is None or seen.stream is None:
            return monitor.scope
        try:
            return monitor.scope_on(seen.stream.decoder.key_fields or seen.stream.key)
        except Exception as error:  # noqa: BLE001 - a plugin can raise anything, and that is a finding like others
            self._error(f"{self._keys.use} cannot be used: scope_on raises {what_failed(error)}", "use")
            return monitor.scope


def _names(monitor: Monitor | type[Monitor]) -> str:
    return " or ".join(kind.__name__ for kind in kinds(monitor.reads))


def taken_by(monitor: Monitor | type[Monitor] | None) -> frozenset[str]:
    """Name the tags that a monitor gives by itself: the parts of its key, and those of its metrics and alerts."""
    if monitor is None:
        return frozenset()
    return frozenset(monitor.series) | {tag for spec in specs(monitor) for tag in spec.tags}


def check_tags(node: Map, parts: Iterable[str], path: str, *, notes: Notes) -> None:
    """Note static tags of an entry that are taken, by the engine or by the parts of a key."""
    key, tags = frozenset(parts), node.get("tags")
    for tag in tags.entries if isinstance(tags, Map) else ():
        found = place(node, path, ("tags", tag))
        if tag in TAKEN_TAGS:
            notes.error(found.line, found.path, f"the tag {tag} is the engine's own; choose another name")
        elif tag in key:
            notes.error(found.line, found.path, f"the tag {tag} is a part of the monitor's key; choose another name")
