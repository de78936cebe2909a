"""The joins of one group: records come in as halves, each monitor with two inputs has its own; saved and restored."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from engine.decoders import Undecodable
from engine.events import Message, Record
from engine.join import Half, Join
from engine.plan import Plan
from engine.series import Table

Saved = tuple[tuple[str, ...], bytes | None]
"""The parts of a name, and what is saved under it; None for what is forgotten."""


class SavedHalf(msgspec.Struct, array_like=True, gc=False):
    """A half as it is saved: its message, which is decoded again, and what its stream's time made of it."""

    topic: str
    partition: int
    offset: int
    message_time: int | None
    message_key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    time: int
    late: bool


class Marks(msgspec.Struct, array_like=True):
    """Times at which everything that fires is emitted again.

    How far one message moves the time of the group depends on how the streams interleave. So each stream names the
    multiples of `repeat` that its own messages passed, and all that were named are kept.
    """

    last: dict[str, int] = {}
    """The last one that each stream named."""
    ahead: list[int] = []
    """Those that the time of the group has not reached."""


class Joined:
    """One monitor with two inputs: its table, its join, and which stream is which side."""

    def __init__(self, table: Table) -> None:
        """Begin with an empty join."""
        self.table = table
        self.roles = tuple(table.monitor.inputs)
        self.sides = {table.attached.sources[role]: side for side, role in enumerate(self.roles)}
        self.join = Join(table.attached.wait, table.attached.pending)

    def half(self, record: Record, message: Message, time: int) -> Half:
        """Make a half of a record, which is then called by its role."""
        side = self.sides[record.stream]
        own = Record(
            self.roles[side],
            record.stream,
            record.time,
            record.message_time,
            record.key,
            record.value,
            record.late,
            record.source,
        )
        return Half(side, record.key, time, own, message)


class Meeting:
    """All joins of one group, the time up to which they are decided, and the marks."""

    def __init__(self, plan: Plan, streams: Sequence[str], tables: Iterable[Table]) -> None:
        """Begin with nothing."""
        self._streams = {name: plan.streams[name] for name in streams}
        self._repeat = plan.repeat
        self.lateness = {name: plan.streams[name].lateness for name in streams}
        self.closed: set[str] = set()
        """Streams whose input has ended: nothing waits for them."""
        self.joins = [Joined(table) for table in tables if not table.reads_metrics]
        self.marks = Marks()
        self._changed = False

    def passed(self, times: Mapping[str, int]) -> int | None:
        """Say before which time no half comes any more; None where a stream has no time yet."""
        live = [name for name in self.lateness if name not in self.closed]
        if not live or any(name not in times for name in live):
            return None
        return max(0, min(times[name] - self.lateness[name] for name in live))

    def next(self, passed: int) -> tuple[int, Joined] | None:
        """Say what goes out next with a time below `passed`: of several the first by time, key, and monitor."""
        found: tuple[tuple[int, str], Joined] | None = None
        for joined in self.joins:
            head = joined.join.next(passed)
            if head is not None and (found is None or head < found[0]):
                found = head, joined
        return None if found is None else (found[0][0], found[1])

    def due(self) -> int | None:
        """Say the earliest time at which a pair may go out or something is repeated; None when there is none."""
        found = [due for joined in self.joins if (due := joined.join.due()) is not None]
        if self._repeat is not None and self.marks.last:
            found.append(min(self.marks.ahead or [max(self.marks.last.values()) + self._repeat]))
        return min(found, default=None)

    def mark(self, stream: str, time: int) -> None:
        """Note that a stream's time moved."""
        if self._repeat is None:
            return
        passed = max(0, time - self.lateness[stream]) // self._repeat * self._repeat
        if passed <= self.marks.last.get(stream, -1):
            return
        self.marks.last[stream] = passed
        if passed not in self.marks.ahead:
            insort(self.marks.ahead, passed)
        self._changed = True

    def next_mark(self, passed: int) -> int | None:
        """Say the next mark that the time of the group has reached."""
        return self.marks.ahead[0] if self.marks.ahead and self.marks.ahead[0] <= passed else None

    def take_mark(self) -> None:
        """Let go of the next mark."""
        del self.marks.ahead[0]
        self._changed = True

    # --- saving

    def save(self) -> Iterator[Saved]:
        """Give what changed since the last call, one record a half."""
        for joined in self.joins:
            streams = dict(zip(joined.sides.values(), joined.sides, strict=True))
            for half, there in joined.join.save():
                name = ("half", joined.table.name, streams[half.side], half.key, str(half.time))
                yield name, _saved(half) if there else None
        if self._changed:
            self._changed = False
            yield ("marks",), _encode(self.marks)

    def load_marks(self, data: bytes) -> None:
        """Take the marks as they were saved."""
        self.marks = _decode_marks(data)

    def load(self, name: Sequence[str], data: bytes) -> bool | None:
        """Take a half as it was saved; False where it no longer decodes, None where its monitor is gone."""
        monitor, stream, key, time = name
        joined = next((one for one in self.joins if one.table.name == monitor and stream in one.sides), None)
        if joined is None:
            return None
        try:
            half = self._loaded(joined, stream, data)
        except (Undecodable, msgspec.DecodeError):
            return False
        half.key, half.time = key, int(time)
        joined.join.load(half)
        return True

    def _loaded(self, joined: Joined, stream: str, data: bytes) -> Half:
        saved = _decode_half(data)
        if saved is None:
            return Half(joined.sides[stream], "", 0, None, None)
        place = (saved.topic, saved.partition, saved.offset)
        message = Message(*place, saved.message_time, saved.message_key, saved.value, saved.headers)
        _, key, value = self._streams[stream].decoder.decode(message)
        record = Record(stream, stream, saved.time, saved.message_time, key, value, saved.late, place)
        return joined.half(record, message, 0)

    def resume(self) -> None:
        """Go on once everything was loaded."""
        for joined in self.joins:
            joined.join.resume()


def _saved(half: Half) -> bytes:
    record, message = half.record, half.message
    if record is None or message is None:
        return _encode(None)
    return _encode(
        SavedHalf(
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            message_time=message.time,
            message_key=message.key,
            value=message.value,
            headers=message.headers,
            time=record.time,
            late=record.late,
        )
    )


_encode: Final = msgspec.msgpack.Encoder().encode
_decode_half: Final[Any] = msgspec.msgpack.Decoder(SavedHalf | None).decode
_decode_marks: Final = msgspec.msgpack.Decoder(Marks).decode
