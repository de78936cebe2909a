"""The heart: one group of streams over one partition number; pure, messages in, emissions and rejects out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from engine.admission import Admission
from engine.caller import Caller
from engine.decoders import Undecodable
from engine.engines import WINDOW
from engine.events import Alert, Message, Record
from engine.firing import Firing
from engine.joining import Joining
from engine.lost import tell_lost
from engine.notices import INPUT_LOST
from engine.origins import at_origin
from engine.outcome import Counts, Outcome
from engine.partitioner import partition_of
from engine.placing import check_place, placed
from engine.plan import Group, Plan
from engine.remembered import Remembered
from engine.reports import EngineConfig, SensorMessage, SensorReport
from engine.series import NEVER, Route
from engine.times import END, SECOND


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
        self.group = group = group if partitions == 1 else group.on(partition)
        self.partition = partition
        self.partitions = partitions
        self.counts = Counts()
        self._remembered = Remembered(plan, group, partition)
        self._caller = Caller(self._remembered, self.counts)
        self._firing = Firing(self._caller)
        self._admission = Admission(self._caller)
        meeting = self._remembered.meeting
        self._joining = None if meeting is None else Joining(meeting, self._caller, self._firing)
        self._copies = any(plan.streams[stream].repartition for stream in group.streams)
        self._repeated = 0
        self._expected = any(attached.monitor.expects(tuple(plan.engines)) for attached in group.monitors)

    @property
    def now(self) -> int | None:
        """Stream time in microseconds: the smallest of the newest event times of the group's streams."""
        return self._remembered.now if self._joining is None else self._joining.now

    @property
    def times(self) -> Mapping[str, int]:
        """The newest event time of each stream, or what a tick moved it to; a stream without messages has none."""
        return self._remembered.times

    @property
    def firing(self) -> Sequence[Alert]:
        """The alerts that fire now, as they were emitted."""
        return [*self._caller.release.firing.values(), *self._remembered.notices.alerts()]

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
        timers = self._remembered.timers
        due = min(timers.next, self._next_repeat()) if self._joining is None else self._joining.due()
        return due if due < NEVER else None

    def apply(self, stream: str, messages: Sequence[Message]) -> Outcome:
        """Apply messages of one stream in the order of their partition; those below the watermark are skipped."""
        self.counts.messages += len(messages)
        place = self._place(stream, messages)
        fresh = self._remembered.fresh(place, messages) if self._copies else messages
        self.counts.skipped += len(messages) - len(fresh)
        records = self._records(stream, fresh)
        if self._joining is None:
            self._take(records)
        else:
            self._joining.apply(records if self.partitions == 1 else placed(records, self._caller))
        if len(fresh) < len(messages):
            self._remembered.pass_by(place, messages[-1])
        return self._out()

    def _place(self, stream: str, messages: Sequence[Message]) -> str:
        return f"{stream}/{messages[0].partition}" if self.group.whole and messages else stream

    def _take(self, records: Iterable[tuple[Record, Message]]) -> None:
        """Bring records to the monitors; sensor reports past the window of duplicates of their engine and tap."""
        remembered = self._remembered
        engines, counts, take = remembered.engines, self.counts, self._caller.take
        admission, alone = self._admission, self.partitions == 1
        for record, message in records:
            value = record.value
            engine = engines.get(value.src) if type(value) is SensorReport else None
            if not alone and (engine is None or message.key != engine.key):
                check_place(record, message, self._caller)
            if type(value) is not SensorReport:
                self._other(record, value, message)
                continue
            engine = engine or admission.engine(value.src, message)
            tap = None if engine is None else engine.taps.get(value.tap) or admission.tap(engine, value.tap, message)
            if engine is None or tap is None:
                continue
            time = record.time
            if time > tap.newest:
                tap.newest = time
            elif tap.knows(time, value.id) and message.retried is None:
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

    def _records(self, stream: str, messages: Sequence[Message]) -> Iterator[tuple[Record, Message]]:
        """Decode messages and move time to each; what cannot become a record is a reject."""
        source = self.plan.streams[stream]
        ahead = NEVER if source.ahead is None else source.ahead
        remembered = self._remembered
        timers = remembered.timers
        alone = len(self.group.streams) == 1
        place = self._place(stream, messages)
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
                self._admission.undecodable(stream, message, decoded.reason, decoded.detail)
                continue
            time, key, value = decoded
            if time is None:
                time = message_time if message_time is not None else next_offset * SECOND
            if not 0 <= time < END or (message_time is not None and time > message_time + ahead):
                self._admission.undecodable(stream, message, "time", source.out_of_time(time, message_time))
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
        if newest is not None and self._joining is not None:
            self._joining.end(newest + 1)
        elif newest is not None:
            self._move(self.group.streams[0], newest + 1, None)
        return self._out()

    def close(self, stream: str) -> Outcome:
        """End the input of one stream of two: the time of the group is now that of the other."""
        if self._joining is not None:
            self._joining.close(stream)
        return self._out()

    def snapshot(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Give what changed since the last call, the watermark last; None for a state that is forgotten."""
        yield from self._remembered.save()
        tell_lost(self._caller)

    def restore(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take the last record of each key of earlier snapshots, before the first message."""
        lost = [name for key, data in records if data is not None and (name := self._remembered.load(key, data))]
        self._remembered.resume()
        for table in self._remembered.tables:
            for cell in table.cells.values():
                self._caller.release.adopt(cell)
        if self.now is not None:
            self._expected = False
            self._repeated = self._last_repeat(self.now)
        tell_lost(self._caller, lost)

    def lose(self, stream: str, first: int, start: int, source: str | None = None) -> None:
        """Note that a log now begins beyond the next offset: a stream's, or a partition that it is copied from."""
        summary = f"{source or stream}: offsets {first} to {start - 1} were deleted before they were read"
        self._caller.notice(INPUT_LOST, stream, summary)
        if source is None:
            self._remembered.offsets[stream] = start

    # --- messages

    def _other(self, record: Record, value: object, message: Message) -> None:
        """Bring what is no report to the monitors; a message of an engine may name the engine's model."""
        if not isinstance(value, SensorMessage):
            self._caller.take(record, message, None)
            return
        engine = self._admission.engine(value.src, message)
        if engine is None:
            return
        if type(value) is EngineConfig and value.model is not None and message.retried is None:
            self._remembered.rename(engine, value.model)
        route = engine.routes.get(type(value))
        if route is None:
            route = engine.routes[type(value)] = Route()
        engine.touched = self._remembered.now or 0
        self._remembered.mark(engine)
        self._caller.take(record, message, route)

    # --- time

    def _move(self, stream: str, time: int, cause: int | None) -> None:
        """Move a stream's time; where stream time follows, what is due fires."""
        if self._joining is not None:
            self._joining.move(stream, time, cause)
            return
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
            self._caller.release.repeat(last, cause, self._remembered.notices.alerts())
            self._repeated = last
        self._firing.until(target, cause)
        self._remembered.now = target

    def _last_repeat(self, time: int) -> int:
        repeat = self.plan.repeat
        return NEVER if repeat is None else time // repeat * repeat

    def _next_repeat(self) -> int:
        return NEVER if self.plan.repeat is None else self._repeated + self.plan.repeat

    def _out(self) -> Outcome:
        if self._caller.batched:
            self._caller.flush()
            self._caller.release.outcome.sort()
        outcome = self._caller.release.take()
        if self._copies and outcome.rejects:
            outcome.rejects = [at_origin(reject) for reject in outcome.rejects]
        return outcome
