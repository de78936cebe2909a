"""An answer as a CSV file, for spreadsheets: what they would take for a formula is a text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import UNSET

from engine.times import time_text
from manometer.board.answering import Answer

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_text(answer: Answer) -> str:
    """Write an answer: a heading, then a line for each time, number or alert."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([_cell(value) for value in line] for line in _lines_of(answer))
    return text.getvalue()


def _lines_of(answer: Answer) -> Iterator[Sequence[Any]]:
    if answer.times is not UNSET and answer.lines is not UNSET:
        yield ["time", *(line.name for line in answer.lines)]
        for place, time in enumerate(answer.times):
            yield [_time(time), *(line.values[place] for line in answer.lines)]
    elif answer.values is not UNSET:
        tags = list(dict.fromkeys(tag for number in answer.values for tag in number.tags))
        yield ["time", *tags, "value"]
        for number in answer.values:
            yield [_time(number.time), *(number.tags.get(tag, "") for tag in tags), number.value]
    elif answer.columns is not UNSET and answer.records is not UNSET:
        yield answer.columns
        for time, *cells in answer.records:
            yield [_time(time), *cells]


def _time(milliseconds: int) -> str:
    """Write a time as RFC 3339.

    >>> _time(1_782_907_200_500)
    '2026-07-01T12:00:00.500000Z'
    """
    return time_text(milliseconds * 1_000)


def _cell(value: Any) -> Any:
    """Give what is written; texts that begin as a formula does get an apostrophe before them.

    >>> _cell("=1+1"), _cell(-1.5), _cell(None)
    ("'=1+1", -1.5, '')
    """
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
