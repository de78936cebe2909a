"""The contract suite: proves of any monitor, ours or yours, that it keeps what `engine.monitor` asks for."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from engine.catalogue import MetricSpec
from engine.decoders import Decoder
from engine.events import Message, Metric, Record
from engine.monitor import Monitor
from engine.testing.feeding import Different, Fed, as_plan, feed_every_way
from engine.testing.plans import reads_metrics
from engine.testing.samples import sample_table
from engine.testing.table import Line, steps_of

RESERVED: Final = frozenset({"time", "value", "alert", "severity", "workflow", "monitor"})
WORLD: Final = frozenset(
    {"asyncio", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "requests", "secrets", "shutil"}
    | {"socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "urllib", "uuid"}
)
CALLS: Final = frozenset({"open", "print", "input", "exec", "eval", "now", "utcnow", "today"})
ROUNDS: Final = 50
GROWTH: Final = 256
"""Bytes by which a state may grow from one half of many rounds to the other: numbers get longer."""


class ContractBroken(AssertionError):  # noqa: N818 - it says what was found
    """A monitor does not keep the contract; each broken promise is a line."""

    def __init__(self, name: str, broken: Sequence[str]) -> None:
        """Keep the promises that do not hold."""
        super().__init__("\n".join([f"{name} breaks {len(broken)} of its promises:", *broken]))
        self.broken = tuple(broken)


def check_monitor(subject: type[Monitor] | Monitor, table: Sequence[Line] | None = None) -> None:
    """Check a monitor against the contract.

    Args:
        subject: a monitor, or a class of which every option has a default.
        table: lines as `engine.testing.feed` takes them, of the kind that the monitor reads; a made-up one if left out.

    Raises:
        ContractBroken: with every promise that does not hold.

    >>> from monitors.throughput import Throughput
    >>> check_monitor(Throughput)
    """
    monitor = subject if isinstance(subject, Monitor) else subject(subject.Options())
    given = sample_table(monitor) if table is None else table
    broken = [*_of_declarations(monitor), *_of_source(type(monitor)), *_of_runs(monitor, given)]
    if not broken:
        broken = list(_of_calls(monitor, given))
    if broken:
        raise ContractBroken(type(monitor).__name__, broken)


def _of_declarations(monitor: Monitor) -> Iterator[str]:
    for name, field in type(monitor).Options.model_fields.items():
        if not field.description:
            yield f"option {name}: expected a description"
    state = type(monitor).State()
    if msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=type(state)) != state:
        yield "State: expected to be the same after it was saved and restored"
    if not monitor.emits:
        yield "emits: expected at least one MetricSpec or AlertSpec"
    for spec in monitor.emits:
        if taken := RESERVED.union(monitor.series).intersection(spec.tags):
            yield f"{spec.name}: the tag {min(taken)} is taken; choose another name"
    if taken := RESERVED.intersection(monitor.series):
        yield f"series: {min(taken)} cannot become a tag; choose another name"
    if reads_metrics(monitor) and any(isinstance(spec, MetricSpec) for spec in monitor.emits):
        yield "emits: a monitor that reads metrics may emit only alerts"


def _of_source(cls: type[Monitor]) -> Iterator[str]:
    """Look for I/O, clocks, threads and chance in the file of a monitor."""
    try:
        tree = ast.parse(inspect.getsource(inspect.getmodule(cls) or cls))
    except (OSError, TypeError, SyntaxError):
        return
    for node in ast.walk(tree):
        for name in _imported(node):
            if name.partition(".")[0] in WORLD:
                yield f"line {getattr(node, 'lineno', 0)}: imports {name}; a monitor knows its records and nothing else"
        if isinstance(node, ast.Call) and _called(node) in CALLS:
            yield f"line {node.lineno}: calls {_called(node)}; a monitor has no I/O and no clock"
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            yield f"line {node.lineno}: changes {', '.join(node.names)}; a monitor has no global state"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []


def _called(node: ast.Call) -> str:
    called = node.func
    return called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""


def _of_runs(monitor: Monitor, table: Sequence[Line]) -> Iterator[str]:
    """Feed a table in every way that must give the same."""
    before = repr(vars(monitor))
    try:
        fed = feed_every_way(monitor, table)
    except Different as error:
        yield f"{error}; what a call does may depend on its record and its state only"
        return
    yield from _of_rejects(fed)
    if repr(vars(monitor)) != before:
        yield "the monitor itself changed while it ran; keep everything in State"


def _of_rejects(fed: Fed) -> Iterator[str]:
    for reject in fed.rejects:
        if reject.monitor is not None and reject.monitor != "told":
            yield f"record {reject.message.offset}: {reject.detail}"


def _of_calls(monitor: Monitor, table: Sequence[Line]) -> Iterator[str]:
    """Call the monitor by hand: keys, records left alone, signs of life, memory."""
    records = list(_records(monitor, table))
    states: dict[tuple[str, ...], Any] = {}
    keys: dict[Any, Any] = {}
    sizes = []
    for turn in range(ROUNDS):
        for record in records:
            yield from _call(monitor, record, states, keys) if turn == 0 else _again(monitor, record, states)
        sizes.append(sum(len(msgspec.msgpack.encode(state)) for state in states.values()))
    if sizes[-1] > sizes[ROUNDS // 2] + GROWTH * max(1, len(states)):
        yield f"State: grew from {sizes[ROUNDS // 2]} to {sizes[-1]} bytes over the same records; bound it by an option"


def _again(monitor: Monitor, record: Record, states: dict[tuple[str, ...], Any]) -> Iterator[str]:
    key = monitor.key(record)
    if key is not None:
        tuple(monitor.on_record(record, states[key]))
    return iter(())


def _call(monitor: Monitor, record: Record, states: dict[tuple[str, ...], Any], keys: dict[Any, Any]) -> Iterator[str]:
    before = _bytes(record)
    key = monitor.key(record)
    if key is None:
        return
    if type(key) is not tuple or not all(type(part) is str for part in key):
        yield f"key: expected a tuple of texts, got {key!r}"
        return
    if monitor.key_fields:
        same = tuple(str(getattr(record.value, name, None)) for name in monitor.key_fields)
        if keys.setdefault((type(record.value), same), key) != key:
            yield f"key_fields: {same!r} has the keys {keys[type(record.value), same]!r} and {key!r}"
    state = states.setdefault(key, type(monitor).State())
    emitted = tuple(monitor.on_record(record, state))
    if emitted and monitor.signs and isinstance(record.value, monitor.signs):
        yield f"signs: {type(record.value).__name__} made {emitted[0].name}, though the series was not silent"
    if _bytes(record) != before:
        yield f"record {record.source[2]}: on_record changed it; monitors read records and change nothing in them"


def _bytes(record: Record) -> bytes:
    return repr(record).encode()


def _records(monitor: Monitor, table: Sequence[Line]) -> Iterator[Record]:
    plan = as_plan(monitor, table)
    decoder: Decoder = next(iter(plan.streams.values())).decoder
    for step in steps_of(plan, table):
        stream, message = step if isinstance(step, tuple) else ("", step)
        if not isinstance(message, Message):
            continue
        decoded = decoder.decode_all([message])[0]
        if not isinstance(decoded, tuple):
            continue
        time, key, value = decoded
        time = time if time is not None else message.time or 0
        if reads_metrics(monitor):
            value = Metric(value["name"], time, value["value"], dict(value["tags"] or {}))
            key = (value.name, "told")  # type: ignore[assignment]  # of metrics the key is a tuple
        if isinstance(value, monitor.reads):
            source = (message.topic, message.partition, message.offset)
            yield Record(stream, stream, time, message.time, key, value, False, source)
