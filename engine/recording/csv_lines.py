"""CSV files: each line of the table becomes the bytes of a JSON object."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from engine.recording.byte_lines import LINE_BYTES, InputError, Lines

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NUMBER_BEGINS: Final = frozenset("-0123456789")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_encode: Final = msgspec.json.Encoder().encode


def objects(file: str, source: Iterable[Lines]) -> Iterator[bytes]:
    """Give a JSON object for each line after the header; quoted cells may go over several lines.

    A cell that is a JSON number is one, an empty cell is null, any other is text. A line that does not fit (the number
    of its cells, its quotes, its encoding) is given as it is, so that the decoder rejects it and nothing is lost.

    Raises:
        InputError: the header cannot be used.
    """
    physical = _Physical(file, source)
    heads = [b"," + _encode(name) + b":" for name in _header(file, physical)]
    for cells, raw in _records(physical):
        yield raw if cells is None or len(cells) != len(heads) else _object(heads, cells) or raw


class _Physical:
    """Hands the lines of the file to the csv reader, as text of one character a byte, and remembers them."""

    def __init__(self, file: str, source: Iterable[Lines]) -> None:
        self._file = file
        self._lines = _without_mark(line for some in source for line in some.lines)
        self._again: deque[bytes] = deque()
        self._taken: list[bytes] = []
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._taken.append(line)
        self._size += len(line)
        if self._size > LINE_BYTES:
            raise InputError(self._file, f"expected at most {LINE_BYTES >> 20} MiB from quote to quote")
        return f"{line.decode('latin-1')}\n"

    def taken(self) -> bytes:
        """Give what was read since the last call."""
        raw = b"\n".join(self._taken)
        self._clear()
        return raw

    def first_taken(self) -> bytes:
        """Give the first line read since the last call; the others are read again."""
        first, *others = self._taken
        self._again.extendleft(reversed(others))
        self._clear()
        return first

    def _clear(self) -> None:
        self._taken.clear()
        self._size = 0


def _without_mark(lines: Iterator[bytes]) -> Iterator[bytes]:
    for first in lines:
        yield first.removeprefix(_BYTE_ORDER_MARK)
        yield from lines


def _records(physical: _Physical) -> Iterator[tuple[list[str] | None, bytes]]:
    """Give the cells and the bytes of each line; no cells where the quotes do not fit. Empty lines are left out."""
    reader = csv.reader(physical, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield None, physical.first_taken()
            continue
        raw = physical.taken()
        if cells:
            yield cells, raw


def _header(file: str, physical: _Physical) -> list[str]:
    cells, _ = next(_records(physical), (None, b""))
    if cells is None:
        raise InputError(file, "expected a header line with the names of the fields", line=1)
    try:
        names = [cell.encode("latin-1").decode() for cell in cells]
    except UnicodeDecodeError:
        raise InputError(file, "expected a header line in UTF-8", line=1) from None
    for name in names:
        if not name:
            raise InputError(file, "expected a name for each field, got an empty one", line=1)
        if names.count(name) > 1:
            raise InputError(file, f"expected different names of fields, got {name!r} twice", line=1)
    return names


def _object(heads: list[bytes], cells: list[str]) -> bytes | None:
    parts: list[bytes] = []
    try:
        for head, cell in zip(heads, cells, strict=True):
            parts += (head, _json(cell))
    except UnicodeDecodeError:
        return None
    return b"{" + b"".join(parts)[1:] + b"}"


def _json(cell: str) -> bytes:
    if not cell:
        return b"null"
    if cell[0] in _NUMBER_BEGINS and _NUMBER.fullmatch(cell):
        return cell.encode()
    return _encode(cell if cell.isascii() else cell.encode("latin-1").decode())
