"""What a request asks, read and held against limits; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.events import TAG_LENGTH
from engine.findings import did_you_mean, listing, show
from grafana.panels import Board, Panel, Variable
from manometer.board.describing import Boards
from manometer.board.intervals import points_of
from manometer.intake.access import Denied

Given = Mapping[str, Sequence[str]]
"""Parameter -> its values."""
Chosen = tuple[tuple[str, tuple[str, ...]], ...]
"""Variables in their order, each with its values in order; one that has all is left out."""

LONGEST_DAYS: Final = 400
WIDEST: Final = 4_000
MOST_CHOSEN: Final = 100
MOST_ALERTS: Final = 500
_DAY: Final = 86_400_000
_HOUR: Final = 3_600_000
_NOW: Final = 10_000
_STEP: Final = 1_000
_END: Final = 8_589_934_592_000
"""Milliseconds up to the year 2242."""


class Frame(msgspec.Struct, frozen=True):
    """The time that is shown, and how finely. Times are milliseconds."""

    start: int
    end: int
    points: int
    span: int
    """How long it is, for the intervals; once the ends are moved a little this stays."""
    since: int | None = None
    """From when on lines are wanted; None: from the start."""
    now: int | None = None
    """Intervals that end later are not over; None: all that is shown is past."""

    def shared(self, now: int) -> Frame:
        """Move the ends a little where the end is now, so that all who look now ask the same.

        >>> Frame(1_001, 61_001, 240, 60_000).shared(61_500)
        Frame(start=1000, end=62000, points=240, span=60000, since=None, now=61000)
        """
        if abs(now - self.end) > _NOW:
            return self
        step = _STEP if self.span <= _HOUR else 5 * _STEP
        start, end = self.start // step * step, -(-self.end // step) * step
        return replace(self, start=start, end=end, now=now // step * step)


class Watched(msgspec.Struct, frozen=True):
    """What a viewer watches live; viewers of the same share everything."""

    board: str
    seconds: int
    points: int
    chosen: Chosen

    def frame(self, now: int, since: int | None = None) -> Frame:
        """Give the time that is shown now."""
        span = self.seconds * 1_000
        return Frame(now - span, now, self.points, span, since, now)


def board_of(boards: Boards, given: Given) -> Board:
    """Find the board.

    Raises:
        Denied: there is none of that name.
    """
    uid = one(given, "board")
    board = boards.by_uid.get(uid)
    if board is None:
        hint = did_you_mean(uid, boards.by_uid)
        raise Denied(404, "board", f"no board is called {show(uid)}.{hint} There are: {listing(boards.by_uid)}")
    return board


def panel_of(board: Board, given: Given) -> tuple[int, Panel]:
    """Find the panel of a board by its number.

    Raises:
        Denied: there is none.
    """
    number = whole(given, "panel", 0, None)
    if number >= len(board.panels):
        last = len(board.panels) - 1
        raise Denied(404, "panel", f"{board.uid} has panels 0 to {last}, got {number}")
    return number, board.panels[number]


def variable_of(board: Board, given: Given) -> Variable:
    """Find the variable of a board.

    Raises:
        Denied: there is none of that name.
    """
    name = one(given, "variable")
    for variable in board.variables:
        if variable.choices.tag == name:
            return variable
    names = [variable.choices.tag for variable in board.variables]
    raise Denied(404, "variable", f"{board.uid} has no variable {show(name)}; it has {listing(names)}")


def frame_of(given: Given) -> Frame:
    """Read time and width.

    Raises:
        Denied: they make no sense, or are over a limit.
    """
    start, end = span_of(given)
    return Frame(start, end, points(given), end - start)


def span_of(given: Given) -> tuple[int, int]:
    """Read from when to when.

    Raises:
        Denied: it makes no sense, or is over a limit.
    """
    start, end = whole(given, "from", 0, _END), whole(given, "to", 0, _END)
    if start >= end:
        raise Denied(400, "time", f"expected from before to, got {start} and {end}")
    if end - start > LONGEST_DAYS * _DAY:
        days = (end - start) // _DAY
        raise Denied(400, "time", f"expected at most {LONGEST_DAYS} days from `from` to `to`, got {days}")
    return start, end


def points(given: Given) -> int:
    """Read the width, as points.

    Raises:
        Denied: it is no number of pixels.
    """
    return points_of(whole(given, "width", 1, WIDEST, default=1_000))


def watched_of(boards: Boards, given: Given) -> Watched:
    """Read what is to be watched.

    Raises:
        Denied: it makes no sense, or is over a limit.
    """
    check_names(boards, given, {"board", "seconds", "width"})
    board = board_of(boards, given)
    seconds = whole(given, "seconds", 1, LONGEST_DAYS * _DAY // 1_000)
    return Watched(board.uid, seconds, points(given), chosen_of(board, given))


def chosen_of(board: Board, given: Given) -> Chosen:
    """Read the chosen values of the board's variables; those of other boards mean nothing here.

    Raises:
        Denied: there are too many, or one is no tag.
    """
    return chosen_among((variable.choices.tag for variable in board.variables), given)


def chosen_among(names: Iterable[str], given: Given) -> Chosen:
    """Read the chosen values of some variables; raises as `chosen_of` does."""
    found = []
    for name in names:
        values = sorted(set(given.get(name, ())))
        if len(values) > MOST_CHOSEN:
            raise Denied(400, "chosen", f"{name}: expected at most {MOST_CHOSEN} values, got {len(values)}")
        for value in values:
            if not 0 < len(value) <= TAG_LENGTH:
                raise Denied(400, "chosen", f"{name}: expected 1 to {TAG_LENGTH} characters, got {len(value)}")
        if values:
            found.append((name, tuple(values)))
    return tuple(found)


def check_names(boards: Boards, given: Given, known: set[str]) -> None:
    """Refuse parameters that mean nothing.

    Raises:
        Denied: there is one.
    """
    every = known | boards.variables
    for name in given:
        if name not in every:
            hint = did_you_mean(name, every)
            raise Denied(400, "parameter", f"unknown parameter {show(name)}.{hint} There are: {listing(sorted(every))}")


def one(given: Given, name: str, default: str | None = None) -> str:
    """Read a parameter that is given once.

    Raises:
        Denied: it is not given, or more than once.
    """
    values = given.get(name, ())
    if not values and default is not None:
        return default
    if len(values) != 1:
        raise Denied(400, "parameter", f"expected {name}=... once, got it {len(values)} times")
    return values[0]


def whole(given: Given, name: str, least: int, most: int | None, *, default: int | None = None) -> int:
    """Read a whole number.

    Raises:
        Denied: it is none, or out of bounds.
    """
    text = one(given, name, None if default is None else str(default))
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(_END)) else -1
    if number < least or (most is not None and number > most):
        bounds = f"from {least}" if most is None else f"from {least} to {most}"
        raise Denied(400, "parameter", f"{name}: expected a whole number {bounds}, got {show(text)}")
    return number
