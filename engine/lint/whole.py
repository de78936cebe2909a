"""What only shows when the whole workflow is seen: names, topics and metrics that have to fit together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.catalogue import AlertSpec, MetricSpec, Spec
from engine.findings import Notes, below, did_you_mean, listing, show
from engine.lint.attaching import SeenMonitor
from engine.lint.contract import specs
from engine.lint.monitors import check_tags
from engine.lint.streams import SeenStream
from engine.monitor import Monitor
from engine.nodes import Items, Map, place
from engine.plan import METRICS


def check_names(monitors: Iterable[SeenMonitor], notes: Notes) -> None:
    """Refuse a name that an entry before has already."""
    taken: dict[str, SeenMonitor] = {}
    for seen in monitors:
        first = taken.setdefault(seen.name, seen) if seen.name else seen
        if first is not seen:
            notes.error(
                seen.name_line,
                seen.name_at,
                f"the name {show(seen.name)} is taken by {first.path} at line {first.name_line}; "
                "give this one another name",
            )


def check_unused(streams: Mapping[str, SeenStream], monitors: Sequence[SeenMonitor], notes: Notes) -> None:
    """Warn of streams that no monitor reads, where it is known what each reads."""
    if any(seen.lost for seen in monitors):
        return
    used = {name for seen in monitors for name in seen.streams}
    for name, stream in streams.items():
        if name not in used and name != METRICS:
            notes.warn(stream.line, below("streams", name), "no monitor reads this stream")


def check_metrics(monitors: Sequence[SeenMonitor], notes: Notes) -> None:
    """Refuse alerts on metrics that no monitor of the workflow emits."""
    if any(seen.monitor is None and METRICS not in seen.streams for seen in monitors):
        return  # what an unknown monitor emits is not known
    metrics = _emitted(monitors)
    for seen in monitors:
        if seen.metric is not None and seen.metric not in metrics:
            near = did_you_mean(seen.metric, metrics)
            there = f"There are: {listing(metrics)}.{near}"
            message = f'no monitor of this workflow emits the metric "{seen.metric}". {there}'
            notes.error(seen.metric_line, seen.metric_at, message)


def tell_what_holds(monitors: Sequence[SeenMonitor]) -> None:
    """Tell monitors that read one metric, and want to know, whether its last value holds until the next."""
    holding = {spec.name for seen in monitors if seen.monitor for spec in specs(seen.monitor) if _holds(spec)}
    for seen in monitors:
        if seen.metric in holding and seen.attached is not None and hasattr(seen.attached.monitor, "metric_holds"):
            seen.attached.monitor.metric_holds = True


def _holds(spec: Spec) -> bool:
    return isinstance(spec, MetricSpec) and spec.holds


def _emitted(monitors: Iterable[SeenMonitor]) -> dict[str, set[str]]:
    """Give each metric of the workflow with the tags that it carries."""
    metrics: dict[str, set[str]] = {}
    for seen in monitors:
        if seen.monitor is None:
            continue
        for spec in specs(seen.monitor):
            if isinstance(spec, MetricSpec):
                metrics.setdefault(spec.name, set()).update(seen.monitor.series, spec.tags)
    return metrics


def check_alerts(monitors: Sequence[SeenMonitor], alerts: Sequence[SeenMonitor], node: Items, notes: Notes) -> None:
    """Refuse alerts whose name or tags would make them one with others."""
    declared = {spec.name: seen for seen in monitors for spec in _alerts_of(seen) if METRICS not in seen.streams}
    for seen in alerts:
        other = declared.get(seen.name)
        if other is not None:
            notes.error(
                seen.name_line, seen.name_at, f"{other.path} ({other.name}) has an alert of this name; choose another"
            )
    metrics = _emitted(monitors)
    for i, seen in enumerate(alerts):
        entry = place(node, "", (i,)).node
        if isinstance(entry, Map):
            check_tags(entry, metrics.get(seen.metric or "", ()), seen.path, notes=notes)
    _warn_same([*monitors, *alerts], notes)


def _alerts_of(seen: SeenMonitor) -> list[AlertSpec]:
    return [] if seen.monitor is None else [spec for spec in specs(seen.monitor) if isinstance(spec, AlertSpec)]


def _warn_same(monitors: Sequence[SeenMonitor], notes: Notes) -> None:
    """Warn where two monitors on metrics give alerts of one name: they carry the metric's tags and look alike."""
    first: dict[str, SeenMonitor] = {}
    for seen in monitors:
        reads = METRICS in seen.streams and isinstance(seen.monitor, Monitor)
        for spec in _alerts_of(seen) if reads else ():
            other = first.setdefault(spec.name, seen)
            if other is not seen and other.name != seen.name:
                message = f"its alert {spec.name} cannot be told apart from that of {other.path}; give it another name"
                notes.warn(seen.line, seen.path, message)


def check_topics(root: Map, archive: str, rejects: str, streams: Mapping[str, SeenStream], *, notes: Notes) -> None:
    """Refuse topics that would make the workflow read what it writes."""
    topics = {stream.topic: name for name, stream in streams.items() if stream.topic}
    for key, topic in (("archive", archive), ("rejects", rejects)):
        if topic in topics:
            _note(root, key, f'the topic "{topic}" is read by the stream {topics[topic]}; choose another', notes)
    if archive == rejects:
        _note(root, "rejects", f'the topic "{rejects}" is that of the archive; choose another', notes)


def _note(root: Map, key: str, message: str, notes: Notes) -> None:
    found = place(root, "", (key, "topic"))
    notes.error(found.line, found.path or key, message)
