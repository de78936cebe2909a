"""What a monitor does in a pipeline: the same however its records are cut, and never a failure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any, Final

from engine.monitor import Monitor
from engine.testing.feeding import BATCH, Different, Fed, Run, as_plan, batches, feed, feed_every_way, in_batches, same
from engine.testing.table import Line, steps_of

WATCHED: Final = ("on_timer", "on_silent", "on_batch")
"""Methods whose failures the engine counts, without a reject that tells them."""


def of_runs(monitor: Monitor, table: Sequence[Line]) -> Iterator[str]:
    """Feed a table in every way that must give the same."""
    before = repr(vars(monitor))
    yield from _of_failures(monitor, table)
    try:
        fed = feed_every_way(monitor, table)
        if in_batches(monitor):
            yield from _of_batches(monitor, table, fed)
    except Different as error:
        yield f"{error}; what a call does may depend on its record and its state only"
        return
    yield from _of_rejects(fed)
    if repr(vars(monitor)) != before:
        yield "the monitor itself changed while it ran; keep everything in State"


def _of_batches(monitor: Monitor, table: Sequence[Line], fed: Fed) -> Iterator[str]:
    alone = feed(_variant(monitor, on_batch=Monitor.on_batch), table, batch=1)
    same("on_batch against on_record", alone, fed, ordered=False)
    # A timer that fires within a batch is caused by the next record of its series, and not by the next of all.
    if type(monitor).next_timer is Monitor.next_timer and alone.causes != fed.causes:
        yield "on_batch: expected with each emission the index of the record that made it"


def _of_rejects(fed: Fed) -> Iterator[str]:
    for reject in fed.rejects:
        if reject.monitor is not None and reject.monitor != "told":
            yield f"record {reject.message.offset}: {reject.detail}"


def _of_failures(monitor: Monitor, table: Sequence[Line]) -> Iterator[str]:
    """Listen to the methods whose failures leave no reject."""
    heard: list[str] = []
    kind = type(monitor)
    wrapped = {name: _heard(kind, name, heard) for name in WATCHED if getattr(kind, name) is not getattr(Monitor, name)}
    plan = as_plan(_variant(monitor, **wrapped), table)
    run = Run(plan)
    for item in batches(steps_of(plan, table), BATCH):
        run.take(item)
    yield from heard
    list(run.memory.snapshot())
    if any(pipeline.counts.states_reset for pipeline in run.memory.pipelines):
        yield "State: cannot be saved: expected plain values in its fields after each call, of the types they declare"
    failed = sum(pipeline.counts.monitor_errors for pipeline in run.memory.pipelines)
    if failed > len(heard) + len(run.fed.rejects):
        yield "next_timer: expected a later time, or None, after on_timer was called"


def _heard(kind: type[Monitor], name: str, heard: list[str]) -> Any:
    method = getattr(kind, name)

    def call(self: Monitor, given: Any, state: Any) -> Any:
        try:
            return tuple(method(self, given, state))
        except Exception as error:
            heard.append(f"{name}: {type(error).__name__}: {error}")
            raise

    return call


def _variant(monitor: Monitor, **methods: Any) -> Monitor:
    """Copy a monitor, with some methods in the place of its own."""
    kind = type(monitor)
    other = copy(monitor)
    other.__class__ = type(kind.__name__, (kind,), methods)
    return other
