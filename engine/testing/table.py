"""The lines of a table that a test feeds: records with their times, and marks for what happens between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, final

import msgspec

from engine.events import Message, Metric
from engine.plan import Plan, Stream
from engine.testing.values import message, micros, stamped

Step = tuple[str, "Message | At"]
"""A stream and its message, or a move of time; the stream is empty where all are moved."""


@final
class At(msgspec.Struct, frozen=True):
    """Stream time moves to these seconds without a message: a tick. Of one stream where it is named, else of all."""

    seconds: float
    stream: str = ""


@final
class Mark(msgspec.Struct, frozen=True):
    """Something that happens between two lines of a table."""

    name: str


CHECKPOINT: Final = Mark("CHECKPOINT")
"""What was emitted is acknowledged and the states are saved."""
CRASH: Final = Mark("CRASH")
"""The process dies; a new one begins from the last checkpoint and gets again what came since."""
END: Final = Mark("END")
"""All inputs end: what is due a microsecond after the newest time fires, nothing later."""

Line = tuple[float, Any] | tuple[float, str, Any] | Message | At | Mark
"""(seconds, record), (seconds, stream, record), a message as it is, or a mark."""


class TableError(Exception):
    """A table that cannot be fed: which line it is, and what was expected there."""

    def __init__(self, place: int, sentence: str) -> None:
        """Keep the place, counted from 0."""
        super().__init__(f"line {place} of the table: {sentence}")
        self.place = place


def steps_of(plan: Plan, table: Sequence[Line]) -> list[Step | Mark]:
    """Turn a table into what a plan's pipelines get; offsets count up on each stream.

    Raises:
        TableError: a line names no stream where there are several, or one that is not there.
    """
    offsets = dict.fromkeys(plan.streams, 0)
    return [_step(plan, place, line, offsets) for place, line in enumerate(table)]


def _step(plan: Plan, place: int, line: Line, offsets: dict[str, int]) -> Step | Mark:
    if isinstance(line, Mark):
        return line
    if isinstance(line, At):
        return (_known(plan, place, line.stream).name if line.stream else "", line)
    if isinstance(line, Message):
        stream = next((stream for stream in plan.streams.values() if stream.topic == line.topic), None)
        if stream is None:
            raise TableError(place, f"no stream has the topic {line.topic!r}; there are: {', '.join(plan.streams)}")
        offsets[stream.name] = line.offset + 1
        return stream.name, line
    seconds, *named, value = line
    stream = _known(plan, place, named[0] if named else "")
    offset = offsets[stream.name]
    offsets[stream.name] = offset + 1
    return stream.name, _message(stream, offset, micros(seconds), value)


def _known(plan: Plan, place: int, name: str) -> Stream:
    if not name and len(plan.streams) == 1:
        return next(iter(plan.streams.values()))
    stream = plan.streams.get(name)
    if stream is None:
        said = f"no stream is called {name!r}" if name else "expected (seconds, stream, record)"
        raise TableError(place, f"{said}; there are: {', '.join(plan.streams)}")
    return stream


def _message(stream: Stream, offset: int, time: int, value: Any) -> Message:
    if isinstance(value, Metric):
        value = {"name": value.name, "value": value.value, "tags": value.tags}
    return message(stream.topic, offset, stamped(value, stream, time), time=time)
