"""Notices records that lie on a partition to which their key does not lead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.caller import Caller
from engine.events import Message, Record
from engine.notices import RECORDS_MISPLACED


def placed(records: Iterable[tuple[Record, Message]], caller: Caller) -> Iterator[tuple[Record, Message]]:
    """Count messages that are not keyed by the field of their record; they are applied all the same."""
    for record, message in records:
        check_place(record, message, caller)
        yield record, message


def check_place(record: Record, message: Message, caller: Caller) -> None:
    """Count a message that is not keyed by the field of its record."""
    key = record.key
    if key is not None and message.key != (key if type(key) is str else str(key)).encode():
        caller.counts.misplaced += 1
        summary = f"a message of {record.stream} is not keyed by its field"
        caller.notice(RECORDS_MISPLACED, record.stream, summary, message)
