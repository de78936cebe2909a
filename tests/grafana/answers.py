"""What two stores answer, brought into a form that can be compared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from grafana.alert_queries import Changes, Firing
from grafana.filling import Blanks
from grafana.panels import Asked, Board
from grafana.queries import Choices, Ratio
from manometer.board.reading import Reader

Plain = Any
"""Lists of texts, numbers and lists."""


def parts(board: Board) -> Iterator[tuple[str, Asked | Choices]]:
    """List all that a board asks, with where it stands; of a ratio the two that are divided."""
    for panel in board.panels:
        for number, asked in enumerate(panel.asks):
            for part in (asked.above, asked.below) if isinstance(asked, Ratio) else (asked,):
                yield f"{board.uid}: {panel.title}: {number}", part
    for variable in board.variables:
        yield f"{board.uid}: ${variable.title}", variable.choices


def answer(reader: Reader, asked: Asked | Choices, blanks: Blanks, *, envelope: bool = False) -> Plain:
    """Ask a reader, whatever it is; gives lists, texts and numbers."""
    if isinstance(asked, Choices):
        return reader.choices(asked, blanks)
    if isinstance(asked, (Firing, Changes)):
        found = reader.table(asked, blanks)
        return [list(found.columns), *map(list, found.rows)]
    assert not isinstance(asked, Ratio)
    lines = reader.lines(asked, blanks, envelope=envelope)
    numbers = [[_list(one) for one in (line.times, line.values, line.low, line.high)] for line in lines]
    return [lines.of, *([list(line.tags.items()), *found] for line, found in zip(lines, numbers, strict=True))]


def _list(values: Sequence[float] | None) -> list[float]:
    return list(values or ())


def difference(one: Plain, other: Plain, place: str = "") -> str | None:
    """Say where two answers differ first, numbers by more than the order in which they were added; None: nowhere."""
    if not isinstance(one, (list, tuple)) or not isinstance(other, (list, tuple)):
        return None if one == other or _is_near(one, other) else f"{place}: {one!r} is not {other!r}"
    if len(one) != len(other):
        return f"{place}: {len(one)} is not {len(other)}: {one!r:.300} is not {other!r:.300}"
    found = (difference(a, b, f"{place}[{number}]") for number, (a, b) in enumerate(zip(one, other, strict=True)))
    return next((text for text in found if text is not None), None)


def _is_near(one: Plain, other: Plain) -> bool:
    return isinstance(one, float) and isinstance(other, float) and math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
