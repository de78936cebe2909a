"""The heart: one group of streams over one partition number; pure, messages in, emissions and rejects out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from sys import intern

from engine.caller import Caller, retried
from engine.decoders import Undecodable
from engine.engines import WINDOW, Engine, TapRoute
from engine.events import Alert, Message, Reason, Record, Reject
from engine.firing import Firing
from engine.notices import RECORDS_MISPLACED, SERIES_LIMIT, STATE_RESET
from engine.outcome import Counts, Outcome
from engine.partitioner import partition_of
from engine.plan import Group, Plan, Stream
from engine.remembered import MAX_ENGINES, Remembered
from engine.reports import EngineConfig, SensorMessage, SensorReport
from engine.series import NEVER, Route
from engine.times import END, SECOND, duration_text, time_text


class Pipeline:
    """Applies messages to the monitors of one group; its runner never calls it twice at once.

    What is due in stream time fires before the message that moved it is applied. The same calls give the same
    emissions, and so does a pipeline that was restored from the snapshots of another between any two calls.
    """

    def __init__(self, plan: Plan, group: Group, partition: int = 0, *, partitions: int = 1) -> None:
        """Begin without any state.

        Args:
            plan: the workflow.
            group: one of `plan.groups()`.
            partition: the partition number of all streams of the group.
            partitions: how many there are.
        """
        self.plan = plan
        self.group = group
        self.partition = partition
        self.partitions = partitions
        self.counts = Counts()
        self._remembered = Remembered(plan, group, partition)
        self._caller = Caller(self._remembered, self.counts)
        self._firing = Firing(self._caller)
        self._repeated = 0
        self._expected = any(attached.monitor.expects(tuple(plan.engines)) for attached in group.monitors)

    @property
    def now(self) -> int | None:
        """Stream time in microseconds: the smallest of the newest event times of the group's streams."""
        return self._remembered.now

    @property
    def times(self) -> Mapping[str, int]:
        """The newest event time of each stream, or what a tick moved it to; a stream without messages has none."""
        return self._remembered.times

    @property
    def firing(self) -> Sequence[Alert]:
        """The alerts that fire now, as they were emitted."""
        own = [notice.alert for notice in self._remembered.notices.firing.values()]
        return [*self._caller.release.firing.values(), *own]

    @property
    def series(self) -> Mapping[str, int]:
        """How many series each monitor has."""
        return {table.name: len(table.cells) for table in self._remembered.tables}

    @property
    def offsets(self) -> Mapping[str, int]:
        """The next offset of each stream; of `NAME/PARTITION` where a group reads several partitions as one."""
        return self._remembered.offsets

    def due(self) -> int | None:
        """Say when the next timer may fire; None when none is set."""
        due = min(self._remembered.timers.next, self._next_repeat())
        return None if due >= NEVER else due

    def apply(self, stream: str, messages: Sequence[Message]) -> Outcome:
        """Apply messages of one stream in the order of their partition; those below the watermark are skipped."""
        remembered = self._remembered
        engines, counts = remembered.engines, self.counts
        counts.messages += len(messages)
        take = self._caller.take
        records = self._records(stream, messages)
        for record, message in records if self.partitions == 1 else self._placed(records):
            value = record.value
            if type(value) is not SensorReport:
                self._other(record, value, message)
                continue
            engine = engines.get(value.src) or self._engine(value, message)
            if engine is None:
                continue
            tap = engine.taps.get(value.tap)
            if tap is None:
                tap = engine.taps[intern(value.tap)] = TapRoute()
            time = record.time
            if time > tap.newest:
                tap.newest = time
            elif tap.knows(time, value.id) and retried(message) is None:
                counts.duplicates += 1
                continue
            elif time < tap.newest:
                record.late = True
                counts.late += 1
            place = tap.position
            if tap.ids is not None or value.id != tap.ident:
                tap.differ(place, value.id)
            tap.times[place] = time
            tap.position = (place + 1) % WINDOW
            engine.touched = remembered.now or 0
            if not engine.dirty:
                remembered.mark(engine)
            take(record, message, tap)
        return self._out()

    def _records(self, stream: str, messages: Sequence[Message]) -> Iterator[tuple[Record, Message]]:
        """Decode messages and move time to each; what cannot become a record is a reject."""
        source = self.plan.streams[stream]
        ahead = NEVER if source.ahead is None else source.ahead
        remembered = self._remembered
        timers = remembered.timers
        alone = len(self.group.streams) == 1
        place = f"{stream}/{messages[0].partition}" if self.group.whole and messages else stream
        next_offset = remembered.offsets.get(place, 0)
        next_repeat = self._next_repeat()
        now = -1 if remembered.now is None else remembered.now
        for message, decoded in zip(messages, source.decoder.decode_all(messages), strict=True):
            offset = message.offset
            if offset < next_offset:
                self.counts.skipped += 1
                continue
            next_offset = offset + 1
            message_time = message.time
            if type(decoded) is Undecodable:
                self._undecodable(stream, message, decoded.reason, decoded.detail)
                continue
            time, key, value = decoded
            if time is None:
                time = message_time if message_time is not None else next_offset * SECOND
            if not 0 <= time < END or (message_time is not None and time > message_time + ahead):
                self._undecodable(stream, message, "time", _out_of_time(time, message_time, source))
                continue
            if time > now or not alone:
                if now < 0 or not alone or time >= timers.next or time >= next_repeat:
                    self._move(stream, time, offset)
                    now = -1 if remembered.now is None else remembered.now
                    next_repeat = self._next_repeat()
                else:
                    remembered.now = now = time
            source_of = (message.topic, message.partition, offset)
            yield Record(stream, stream, time, message_time, key, value, False, source_of), message
        remembered.offsets[place] = next_offset
        if alone and now >= 0:
            remembered.times[stream] = now

    def move(self, times: Mapping[str, int]) -> Outcome:
        """Move streams' times without a message: a tick. A time that is not later than the stream's changes nothing."""
        for stream in self.group.streams:
            if stream in times:
                self._move(stream, times[stream], None)
        return self._out()

    def end(self) -> Outcome:
        """End all inputs: time moves to the newest event time of any stream plus a microsecond; what is due fires."""
        newest = max(self._remembered.times.values(), default=None)
        return self._out() if newest is None else self.move(dict.fromkeys(self.group.streams, newest + 1))

    def snapshot(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Give what changed since the last call, the watermark last; None for a state that is forgotten."""
        return self._remembered.save()

    def restore(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take the last record of each key of earlier snapshots, before the first message."""
        reset: dict[str, int] = {}
        for key, data in records:
            found = None if data is None else self._remembered.load(key, data)
            if found is not None and not found[1]:
                reset[found[0]] = reset.get(found[0], 0) + 1
        self._remembered.resume()
        for table in self._remembered.tables:
            for cell in table.cells.values():
                self._caller.release.adopt(cell)
        if self.now is not None:
            self._expected = False
            self._repeated = self._last_repeat(self.now)
        for name, count in reset.items():
            self.counts.states_reset += count
            self._caller.notice(STATE_RESET, name, f"{count} saved states of {name} no longer decode and began fresh")

    # --- messages

    def _undecodable(self, stream: str, message: Message, reason: Reason, detail: str) -> None:
        if stream not in self.group.owns:
            self.counts.foreign += 1
            return
        self.counts.undecodable += 1
        self._caller.release.outcome.rejects.append(Reject(message, reason, detail))

    def _other(self, record: Record, value: object, message: Message) -> None:
        """Bring what is no report to the monitors; a message of an engine may name the engine's model."""
        if not isinstance(value, SensorMessage):
            self._caller.take(record, message, None)
            return
        engine = self._engine(value, message)
        if engine is None:
            return
        if type(value) is EngineConfig and value.model is not None:
            self._remembered.rename(engine, value.model)
        route = engine.routes.get(type(value))
        if route is None:
            route = engine.routes[type(value)] = Route()
        engine.touched = self._remembered.now or 0
        self._remembered.mark(engine)
        self._caller.take(record, message, route)

    def _engine(self, value: SensorMessage, message: Message) -> Engine | None:
        """Give the engine of a message; where there are too many the message is a reject and an alert fires."""
        engine = self._remembered.engine(value.src)
        if engine is None:
            stream = next(iter(self.group.streams))
            self._undecodable(stream, message, "bound", f"expected at most {MAX_ENGINES} engines, got one more")
            self._caller.notice(SERIES_LIMIT, "engines", f"{MAX_ENGINES} engines are known and new ones are refused")
        return engine

    def _placed(self, records: Iterable[tuple[Record, Message]]) -> Iterator[tuple[Record, Message]]:
        """Count messages whose key does not lead to this partition; they are applied all the same."""
        for record, message in records:
            if record.key is not None and message.key != str(record.key).encode():
                self.counts.misplaced += 1
                summary = f"a message of {record.stream} is not keyed by its field"
                self._caller.notice(RECORDS_MISPLACED, record.stream, summary)
            yield record, message

    # --- time

    def _move(self, stream: str, time: int, cause: int | None) -> None:
        """Move a stream's time; where stream time follows, what is due fires."""
        remembered = self._remembered
        times = remembered.times
        times[stream] = max(time, times.get(stream, -1))
        if len(times) < len(self.group.streams):
            return
        target = min(times.values())
        if remembered.now is None:
            self._begin(target)
        elif target > remembered.now:
            self._advance(target, cause)

    def _begin(self, time: int) -> None:
        """Begin stream time; series that monitors expect count as seen now."""
        self._remembered.now = time
        self._repeated = self._last_repeat(time)
        if not self._expected:
            return
        self._expected = False
        count = self.partitions
        here = [engine for engine in self.plan.engines if count == 1 or partition_of(engine, count) == self.partition]
        self._caller.expect(here, time)

    def _advance(self, target: int, cause: int | None) -> None:
        last = self._last_repeat(target)
        if last > self._repeated:
            self._firing.until(last, cause)
            self._caller.release.repeat(last, cause)
            self._repeated = last
        self._firing.until(target, cause)
        self._remembered.now = target

    def _last_repeat(self, time: int) -> int:
        repeat = self.plan.repeat
        return NEVER if repeat is None else time // repeat * repeat

    def _next_repeat(self) -> int:
        return NEVER if self.plan.repeat is None else self._repeated + self.plan.repeat

    def _out(self) -> Outcome:
        if self._caller.flush():
            self._caller.release.outcome.sort()
        return self._caller.release.take()


def _out_of_time(time: int, message_time: int | None, source: Stream) -> str:
    if not 0 <= time < END:
        return f"event time: expected 1970 to 2242, got {time / SECOND:.0f} s since 1970"
    latest = f"{duration_text(source.ahead or 0)} after the message's time {time_text(message_time or 0)}"
    return f"event time: expected at most {latest}, got {time_text(time)}"
