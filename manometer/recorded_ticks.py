"""Puts ticks, which workers tell on the archive topic, where they belong among the messages of a recording."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from engine.events import Message
from engine.kafka.topics import groups_on
from engine.plan import Plan
from engine.recording.lines import Tick, write_tick
from engine.ticks import Moved, read_tick


class _Place(msgspec.Struct, gc=False):
    partition: int
    offset: int


_place_of = msgspec.json.Decoder(_Place).decode


class Ticks:
    """The ticks of a workflow; who told one again, after a crash, told the same."""

    def __init__(self, plan: Plan, names: Mapping[str, str]) -> None:
        """Begin with none.

        Args:
            plan: the workflow.
            names: of the recordings, and the topic of each.
        """
        self._workflow = plan.workflow.encode()
        self._topics = names
        self._found: dict[str, set[tuple[int, Moved, str]]] = {name: set() for name in self._topics}
        self._read = {
            group.name: (
                "+".join(group.streams),
                {stream: plan.streams[stream].way for stream in group.repartitioned},
            )
            for group in groups_on(plan, {})
            if group.repartitioned
        }
        """Of groups that read repartitioned topics: their names in a replay, and the recordings of their streams."""

    def take(self, messages: Iterable[Message]) -> None:
        """Look at messages of the archive; what is no tick is passed over."""
        for message in messages:
            self._take(dict(message.headers))

    def _take(self, headers: Mapping[str, bytes]) -> None:
        if "tick" not in headers or headers.get("workflow") != self._workflow:
            return
        group, partition = headers["group"].decode(), int(headers["partition"])
        group, recordings = self._read.get(group, (group, {}))
        for stream, moved in read_tick(headers["tick"]).items():
            name = recordings.get(stream, stream)
            if name in self._found:
                self._found[name].add((partition, moved, group))

    def among(self, name: str, lines: Iterable[bytes], starts: Mapping[int, int]) -> Iterator[bytes]:
        """Put ticks among the lines of a recording.

        Args:
            name: that of the recording.
            lines: messages, those of one partition in their order.
            starts: where the log of each partition begins; ticks from before its first message are left out.
        """
        ticks = self._ordered(name, starts)
        if not ticks:
            yield from lines
            return
        ends: dict[int, int] = {}
        for line in lines:
            place = _place_of(line)
            waiting = ticks.get(place.partition)
            while waiting and waiting[0][0].offset <= place.offset:
                yield self._line(name, place.partition, *waiting.popleft())
            ends[place.partition] = place.offset + 1
            yield line
        for partition, waiting in ticks.items():
            while waiting and waiting[0][0].offset <= ends.get(partition, waiting[0][0].offset):
                yield self._line(name, partition, *waiting.popleft())

    def _ordered(self, name: str, starts: Mapping[int, int]) -> dict[int, deque[tuple[Moved, str]]]:
        ticks: dict[int, deque[tuple[Moved, str]]] = {}
        for partition, moved, group in sorted(self._found[name]):
            if moved.offset >= starts.get(partition, 0):
                ticks.setdefault(partition, deque()).append((moved, group))
        return ticks

    def _line(self, name: str, partition: int, moved: Moved, group: str) -> bytes:
        return write_tick(Tick(self._topics[name], partition, moved.time, group))
