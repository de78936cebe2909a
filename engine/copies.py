"""Copies of a stream's messages, as they go to its repartitioned topic: where each lies, and its event time. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.decoders import Undecodable
from engine.events import Message
from engine.origins import origin_headers
from engine.partitioner import partition_of
from engine.plan import Stream
from engine.times import END, SECOND


class Copies:
    """Makes the copies of one stream."""

    def __init__(self, stream: Stream, topic: str, partitions: int) -> None:
        """Prepare.

        Args:
            stream: it says how it is repartitioned.
            topic: the repartitioned topic.
            partitions: how many that has.
        """
        self._stream = stream
        self._topic = topic
        self._partitions = partitions
        self._keyed = stream.repartition == "key"

    def of(self, messages: Sequence[Message]) -> Iterator[tuple[int | None, Message]]:
        """Give each message's event time, and its copy: for which topic and partition, still with its own offset.

        What cannot become a record has no time, and is copied as it is: to be rejected by who reads the copy.
        """
        for message, decoded in zip(messages, self._stream.decoder.decode_all(messages), strict=True):
            time, key = None, message.key
            if type(decoded) is not Undecodable:
                time, found, _ = decoded
                time = self._time(message, time)
                if self._keyed and found is not None:
                    key = found.encode()
            yield time, self._copy(message, key)

    def _time(self, message: Message, time: int | None) -> int | None:
        """Give the event time as a pipeline sees it; None where it would reject the record for it."""
        written, ahead = message.time, self._stream.ahead
        if time is None:
            time = written if written is not None else (message.offset + 1) * SECOND
        if not 0 <= time < END or (written is not None and ahead is not None and time > written + ahead):
            return None
        return time

    def _copy(self, message: Message, key: bytes | None) -> Message:
        count = self._partitions
        number = 0 if count == 1 else message.partition % count if key is None else partition_of(key, count)
        headers = origin_headers(message, key)
        return Message(self._topic, number, message.offset, message.time, key, message.value, headers)
