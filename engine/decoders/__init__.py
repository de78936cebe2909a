"""Decoders: the bytes of one topic become values; one file a format, found by its name like a monitor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, final

import msgspec

from engine.events import Message, Reason
from engine.failures import told

DETAIL: Final = 500


@final
class Undecodable(Exception):  # noqa: N818 - it says what the message is, and is never an error of ours
    """A message that cannot become a record: the reason and what was expected where."""

    def __init__(self, reason: Reason, detail: str) -> None:
        """Keep the two parts for the reject; a detail that quotes much of the message is cut."""
        shown = detail if len(detail) <= DETAIL else f"{detail[: DETAIL - 3]}..."
        super().__init__(f"{shown} (reason: {reason})")
        self.reason: Reason = reason
        self.detail = shown

    def alone(self) -> Undecodable:
        """Give it without the places and errors it came from, which would keep the message alive."""
        self.__context__ = None
        return self.with_traceback(None)


class StreamSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a workflow file says of a stream that a decoder may use."""

    time: str | None = None
    """Name of the field that holds the event time."""
    unit: str = "s"
    """Unit of a number in it: s, ms, us or ns."""
    zone: str | None = None
    """IANA zone of a text in it that has no offset."""
    key: tuple[str, ...] = ()
    """Names of the fields that key the stream."""
    schema: Mapping[str, Any] | bool | None = None
    """JSON Schema that each value must fit, already read from its file."""


Decoded = tuple[int | None, str | None, Any]
"""Event time in microseconds (None: the message's own), key text (None: the message's own), value."""


class Decoder:
    """Contract of a decoder: made once for a stream, called for each message, keeps nothing between calls."""

    key_fields: tuple[str, ...] = ()
    """The fields that key the stream, where the format itself knows."""
    gives_time: bool = False
    """Whether every value has an event time of its own."""

    def __init__(self, settings: StreamSettings) -> None:
        """Prepare for one stream.

        Raises:
            ValueError: a setting that this decoder cannot use; `check` reports it with its line.
        """
        self.settings = settings

    def decode(self, message: Message) -> Decoded:
        """Give time, key and value of a message.

        Raises:
            Undecodable: it cannot become a record.
        """
        raise NotImplementedError

    def decode_all(self, messages: Sequence[Message]) -> Sequence[Decoded | Undecodable]:
        """Decode several messages, each as `decode` would; a decoder may do it faster, never differently."""
        return [self._tried(message) for message in messages]

    def _tried(self, message: Message) -> Decoded | Undecodable:
        try:
            return self.decode(message)
        except Undecodable as reason:
            return reason.alone()
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises is a reject, never a stop
            return Undecodable("encoding", f"the decoder failed: {told(error)}")
