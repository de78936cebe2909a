"""Reads files whole, and a small recording, for the tests."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from engine.events import Message
from engine.recording.byte_lines import InputError
from engine.recording.files import open_input
from engine.recording.lines import Tick, write_message, write_tick

Write = Callable[[str, bytes], str]


def read(path: str, stdin: bytes | None = None, size: int = 1000) -> list[Message | Tick]:
    """Read a file whole."""
    with open_input(path, "input", stdin=None if stdin is None else io.BytesIO(stdin)) as opened:
        return [member for batch in opened.batches(size) for member in batch]


def plain(*values: tuple[int, bytes]) -> list[Message]:
    """Give the messages that a plain file makes of lines with these offsets."""
    return [Message("input", 0, offset, None, None, value) for offset, value in values]


def broken(path: str, stdin: bytes | None = None) -> InputError:
    """Give the error of a file that cannot be read."""
    with pytest.raises(InputError) as caught:
        read(path, stdin)
    return caught.value


RECORDED: list[Message | Tick] = [
    Message("input", 0, 3, 1_500_000, b"k", b'{"a":1}', (("h", b"v"),)),
    Message("input", 2, 9, None, None, None),
    Tick("input", 2, 2_500_000),
    Message("input", 0, 5, 2_500_001, b"\xff", b"\xfe\n"),
]
RECORDING = b"".join(write_tick(m) if isinstance(m, Tick) else write_message(m) for m in RECORDED)
