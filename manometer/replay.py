"""Runs recorded streams through a workflow: the measuring stick, deterministic to the byte."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from engine.clock import Clock
from engine.decoders import Undecodable
from engine.events import Message
from engine.memory import Memory
from engine.outcome import Outcome
from engine.plan import Plan, Stream
from engine.recording.files import Input
from engine.recording.lines import Tick
from engine.times import END, SECOND

BATCH = 1_000


class ReplayCounts(msgspec.Struct):
    """What a replay counted: the last line on standard error."""

    messages: int = 0
    emissions: int = 0
    rejects: int = 0
    """Distinct messages that are rejects, whatever for."""
    seconds: float = 0.0
    skipped: int = 0
    """Messages whose offset was not above that of a message before them on their partition; they changed nothing."""


def replay(  # noqa: PLR0913 - what comes in, where it goes, and how it is watched
    plan: Plan,
    inputs: Sequence[tuple[str, Input]],
    on_outcome: Callable[[Outcome], None],
    *,
    clock: Clock,
    partitions: Mapping[str, int] | None = None,
    progress: Callable[[], None] = lambda: None,
) -> ReplayCounts:
    """Apply all inputs, merged by event time, and hand each outcome on.

    Args:
        plan: the workflow.
        inputs: streams and their opened files; the order inside a file is kept.
        on_outcome: called with emissions and rejects, in order.
        clock: tells how long it took.
        partitions: how many partitions the recording of a stream has, where it is more than one.
        progress: called after each batch.
    """
    counts = ReplayCounts()
    begun = clock.monotonic()
    memory = Memory(plan, partitions)

    def hand_on(outcome: Outcome) -> None:
        counts.emissions += len(outcome.emissions)
        counts.rejects += len(_places(outcome)) if outcome.rejects else 0
        on_outcome(outcome)

    given = {stream for stream, _ in inputs}
    for stream in plan.streams:
        if stream not in given:
            memory.close(stream)
    for stream, items in _merged(plan, inputs):
        if items is None:
            hand_on(memory.close(stream))
            continue
        for run in _apart(items):
            if isinstance(run, Tick):
                hand_on(memory.move(stream, run.time, run.partition, run.group))
            else:
                counts.messages += len(run)
                hand_on(memory.apply(stream, run))
        progress()
    hand_on(memory.end())
    counts.skipped = max((pipeline.counts.skipped for pipeline in memory.pipelines), default=0)
    counts.seconds = round(clock.monotonic() - begun, 3)
    return counts


def _places(outcome: Outcome) -> set[tuple[str, int, int]]:
    return {(reject.message.topic, reject.message.partition, reject.message.offset) for reject in outcome.rejects}


def _apart(items: Sequence[Message | Tick]) -> Iterator[list[Message] | Tick]:
    """Cut a batch where ticks lie."""
    run: list[Message] = []
    for item in items:
        if isinstance(item, Tick):
            if run:
                yield run
                run = []
            yield item
        else:
            run.append(item)
    if run:
        yield run


def _merged(plan: Plan, inputs: Sequence[tuple[str, Input]]) -> Iterator[tuple[str, Sequence[Message | Tick] | None]]:
    """Give batches of one stream each, in the order of event time; None where the input of a stream has ended."""
    if len(inputs) == 1:
        stream, only = inputs[0]
        for batch in only.batches(BATCH):
            yield stream, batch
        return
    timed = [_timed(given, plan.streams[stream]) for stream, given in inputs]
    heads = [(head[0], place, head[1]) for place, items in enumerate(timed) if (head := next(items, None)) is not None]
    heapq.heapify(heads)
    begun = {place for _, place, _ in heads}
    yield from ((stream, None) for place, (stream, _) in enumerate(inputs) if place not in begun)
    while heads:
        _, place, item = heapq.heappop(heads)
        until = (heads[0][0], heads[0][1]) if heads else None
        batch = [item]
        while (head := next(timed[place], None)) is not None:
            if (until is not None and (head[0], place) > until) or len(batch) >= BATCH:
                heapq.heappush(heads, (head[0], place, head[1]))
                break
            batch.append(head[1])
        yield inputs[place][0], batch
        if head is None:
            yield inputs[place][0], None


def _timed(given: Input, stream: Stream) -> Iterator[tuple[int, Message | Tick]]:
    """Give each item with its event time, never earlier than that of an item before it in the file."""
    newest = 0
    for batch in given.batches(BATCH):
        for item in batch:
            newest = max(newest, item.time if isinstance(item, Tick) else _event_time(item, stream, newest))
            yield newest, item


def _event_time(message: Message, stream: Stream, newest: int) -> int:
    """Give the event time of a message; where it has none that counts, that of the messages before it."""
    try:
        time = stream.decoder.decode(message)[0]
    except Undecodable:
        return newest
    written = message.time
    if time is None:
        time = written if written is not None else (message.offset + 1) * SECOND
    ahead = written is not None and stream.ahead is not None and time > written + stream.ahead
    return newest if ahead or not 0 <= time < END else time
