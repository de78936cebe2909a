"""Small charts of text: lines of blocks for numbers, strips of cells for states. No colours here, and no terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from engine.times import DAY, HOUR
from manometer.demo.curves import Values
from manometer.demo.health import NONE


class Glyphs(msgspec.Struct, frozen=True, kw_only=True):
    """The characters that charts are made of."""

    levels: str
    """From nothing to a full block."""
    cells: Mapping[str, str]
    """State -> its cell; told apart without colour too."""
    fired: tuple[str, str]
    """The cell of a time without an alert, and of one with it."""
    line: str
    """What a heading goes on with."""
    cut: str
    """What stands where a text was cut."""


UNICODE: Final = Glyphs(
    levels=" ▁▂▃▄▅▆▇█",
    cells={"running": "█", "init": "▒", "error": "✖", "silent": "░", NONE: "·"},
    fired=("·", "■"),
    line="─",
    cut="…",
)
ASCII: Final = Glyphs(
    levels=" _.:-=+*#",
    cells={"running": "=", "init": "i", "error": "E", "silent": "?", NONE: "."},
    fired=(".", "!"),
    line="-",
    cut=".",
)
_COLUMNS: Final = (96, 72, 48, 36, 24)
"""So many columns divide a day into whole minutes, a quarter of an hour and more."""


def fitting(width: int) -> int:
    """Give the number of columns of a day that fit into a width.

    >>> fitting(48), fitting(90)
    (48, 72)
    """
    return next((columns for columns in _COLUMNS if columns <= width), _COLUMNS[-1])


def chart(values: Values, glyphs: Glyphs, *, top: float, height: int = 1) -> list[str]:
    """Draw values as columns from 0 to `top`, in lines from the top down; what is None stays empty.

    >>> chart([0.0, 1.0, None, 2.0], UNICODE, top=2.0)
    ['▁▄ █']
    """
    full = len(glyphs.levels) - 1
    filled = [0 if value is None else max(1, round(min(1.0, _share(value, top)) * full * height)) for value in values]
    lines = range(height - 1, -1, -1)
    return ["".join(glyphs.levels[max(0, min(full, level - line * full))] for level in filled) for line in lines]


def _share(value: float, top: float) -> float:
    return value / top if top > 0 else 0.0


def strip(states: Sequence[str], glyphs: Glyphs) -> str:
    """Draw states as a strip of cells.

    >>> strip(["init", "running", "error", "none"], ASCII)
    'i=E.'
    """
    return "".join(glyphs.cells[state] for state in states)


def axis(columns: int) -> str:
    """Write the hours of a day over a chart.

    >>> axis(24)
    '00:00 06:00 12:00 18:00 '
    """
    marks = 4 if columns >= 24 else 2  # noqa: PLR2004 - a mark needs six columns
    every = columns // marks
    return "".join(f"{DAY // HOUR * mark // marks:02}:00".ljust(every) for mark in range(marks))


def cut(text: str, width: int, glyphs: Glyphs) -> str:
    """Shorten a text that is too long.

    >>> cut("recommender", 5, ASCII)
    'reco.'
    """
    return text if len(text) <= width else text[: width - 1] + glyphs.cut
