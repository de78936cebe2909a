"""Answers a panel: asks a reader, and puts what it says into the form that the page draws. No clock and no network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from grafana.filling import Blanks
from grafana.panels import Asked, Panel
from grafana.queries import DAY, Query, Ratio
from manometer.board.asking import Chosen, Frame
from manometer.board.intervals import interval_for
from manometer.board.reading import MOST_LINES, Line, Lines, Lists, Reader

NUMBERS: Final = frozenset({"stat", "gauge", "bars", "pie"})
"""Kinds of panels that show one number of each line."""
_RECENT: Final = 2
"""Intervals before the end in which a number is looked for first."""
_GROWTH: Final = 300_000
"""Milliseconds before a time in which the sample is looked for from which something has grown, or one interval."""
_SOME: Final = 4
"""A number of the last interval counts once this part of it has passed: not every series has a sample before."""


class Cut(msgspec.Struct, frozen=True):
    """Lines that are shown, of how many."""

    lines: int
    of: int


class Drawn(msgspec.Struct, frozen=True):
    """One line on the time axis of the answer; None where it has no number."""

    name: str
    tags: Mapping[str, str]
    values: Sequence[float | None]
    low: Sequence[float | None] | msgspec.UnsetType = msgspec.UNSET
    high: Sequence[float | None] | msgspec.UnsetType = msgspec.UNSET


class Number(msgspec.Struct, frozen=True):
    """One number, with when it was."""

    name: str
    tags: Mapping[str, str]
    value: float
    time: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a panel shows: lines, numbers or a table."""

    board: str
    panel: int
    start: int = msgspec.field(name="from")
    end: int = msgspec.field(name="to")
    interval: int | None
    cut: bool | Cut = False
    shape: str
    times: Sequence[int] | msgspec.UnsetType = msgspec.UNSET
    lines: Sequence[Drawn] | msgspec.UnsetType = msgspec.UNSET
    values: Sequence[Number] | msgspec.UnsetType = msgspec.UNSET
    columns: Sequence[str] | msgspec.UnsetType = msgspec.UNSET
    records: Sequence[Sequence[Any]] | msgspec.UnsetType = msgspec.field(name="rows", default=msgspec.UNSET)


class Asker(msgspec.Struct, frozen=True):
    """Asks a reader about one panel."""

    reader: Reader
    board: str
    number: int
    panel: Panel
    chosen: Chosen

    def answer(self, frame: Frame) -> Answer:
        """Answer the panel.

        Raises:
            TooMuch: it is over a limit of the reader.
            Unreadable: the store cannot be read.
        """
        if self.panel.kind == "alerts":
            return self._table(frame)
        return self._numbers(frame) if self.panel.kind in NUMBERS else self._lines(frame)

    def _table(self, frame: Frame) -> Answer:
        columns: Sequence[str] = ("time",)
        records: list[Sequence[Any]] = []
        for asked in self.panel.asks:
            assert isinstance(asked, Lists), "panels of this kind ask for lists"  # noqa: S101 - a mistake in a board
            table = self.reader.table(asked, self._blanks(frame.start, frame.end, None))
            columns = table.columns
            records += table.rows
        return self._made(frame, None, shape="table", columns=columns, records=records)

    def _lines(self, frame: Frame) -> Answer:
        interval = self._interval(frame.span, frame.points)
        start = _aligned(frame.start if frame.since is None else max(frame.start, frame.since), interval)
        found = Lines(of=0)
        for asked in self.panel.asks:
            lines = self._in_intervals(asked, frame, start, interval)
            if self.panel.kind == "states" and frame.since is None and isinstance(asked, Query):
                lines = held(lines, self._last_before(asked, start), start)
            found.extend(lines)
            found.of += lines.of
        times = sorted({time for line in found for time in line.times if time >= start})
        drawn = [self._drawn(line, times) for line in found if line.times and line.times[-1] >= start]
        cut = Cut(len(found), found.of) if found.of > len(found) else False
        return self._made(replace(frame, start=start), interval, shape="lines", times=times, lines=drawn, cut=cut)

    def _in_intervals(self, asked: Asked, frame: Frame, start: int, interval: int | None) -> Lines:
        width, end = (interval or 0) * 1_000, frame.end
        whole = over(frame, width) if width and _needs_whole(asked) else 0
        if whole > start or (whole and frame.since is not None):
            end = whole - 1
        early = start - max(width, _GROWTH) if _grows(asked) else start
        return self._ask(asked, self._blanks(early, end, interval), envelope=True)

    def _last_before(self, asked: Query, start: int) -> Lines:
        """Ask for the last states before a time."""
        last = replace(asked, aggregate="last", interval=None, look_back=DAY)
        return self._ask(last, self._blanks(start - 1, start - 1, None))

    def whole_until(self, frame: Frame) -> int | None:
        """Give the end of the last interval that is shown, where open ones are not; None where they are."""
        numbers = self.panel.kind in NUMBERS
        if not all((_grows if numbers else _needs_whole)(asked) for asked in self.panel.asks):
            return None
        interval = self._interval(0 if numbers else frame.span, frame.points)
        return None if interval is None else over(frame, interval * 1_000)

    def _drawn(self, line: Line, times: Sequence[int]) -> Drawn:
        low, high = (
            msgspec.UNSET if part is None else _placed(line.times, part, times) for part in (line.low, line.high)
        )
        return Drawn(self._name(line), line.tags, _placed(line.times, line.values, times), low, high)

    def _numbers(self, frame: Frame) -> Answer:
        interval = self._interval(frame.span, frame.points)
        found = self._recent(frame) if interval is not None else Lines()
        if not found:
            blanks = self._blanks(_aligned(frame.start, interval), frame.end, interval)
            found = self._all(blanks)
        numbers = [Number(self._name(line), line.tags, line.values[-1], line.times[-1]) for line in found if line.times]
        cut = Cut(len(found), found.of) if found.of > len(found) else False
        return self._made(frame, interval, shape="values", values=numbers, cut=cut)

    def _recent(self, frame: Frame) -> Lines:
        """Look for the last numbers in short intervals, where the time that is shown would make them long."""
        interval = self._interval(0, frame.points) or 1
        early = _aligned(max(frame.start, frame.end - _RECENT * interval * 1_000), interval)
        found = self._all(self._blanks(early, frame.end, interval))
        last = _aligned(frame.end, interval)
        if frame.end - last >= interval * 1_000 // _SOME and not any(map(_grows, self.panel.asks)):
            return found
        return Lines((_before(line, last) for line in found), found.of)

    def _all(self, blanks: Blanks) -> Lines:
        found = Lines(of=0)
        for asked in self.panel.asks:
            lines = self._ask(asked, blanks)
            found.extend(lines)
            found.of += lines.of
        return found

    def _ask(self, asked: Asked, blanks: Blanks, *, envelope: bool = False) -> Lines:
        if isinstance(asked, Ratio):
            above, below = self._ask(asked.above, blanks), self._ask(asked.below, blanks)
            shares, left_out = divided(above, below), max(above.of - len(above), below.of - len(below))
            return Lines(shares, len(shares) + left_out)
        assert not isinstance(asked, Lists), "panels of these kinds ask for numbers"  # noqa: S101 - a mistake in a board
        envelope = envelope and isinstance(asked, Query) and asked.has_envelope
        return self.reader.lines(asked, blanks, envelope=envelope)

    def _interval(self, span: int, points: int) -> int | None:
        found = [interval_for(asked, span, points) for asked in self.panel.asks]
        return max((one for one in found if one is not None), default=None)

    def _blanks(self, start: int, end: int, interval: int | None) -> Blanks:
        return Blanks(start=max(0, start), end=end, interval=interval or 1, chosen=dict(self.chosen))

    def _name(self, line: Line) -> str:
        return " ".join(filter(None, line.tags.values())) or self.panel.title

    def _made(self, frame: Frame, interval: int | None, **parts: Any) -> Answer:
        return Answer(board=self.board, panel=self.number, start=frame.start, end=frame.end, interval=interval, **parts)


def divided(above: Iterable[Line], below: Iterable[Line]) -> list[Line]:
    """Divide the lines with the same tags, where both have a number and the lower is not 0.

    >>> one = Line({}, (0, 10), (1.0, 3.0))
    >>> divided([one], [Line({}, (0, 10), (0.0, 4.0))])[0].values
    [0.75]
    """
    lower = {tuple(line.tags.values()): dict(zip(line.times, line.values, strict=True)) for line in below}
    found = []
    for line in above:
        by = lower.get(tuple(line.tags.values()), {})
        shares = [(time, value / by[time]) for time, value in zip(line.times, line.values, strict=True) if by.get(time)]
        if shares:
            found.append(Line(line.tags, [time for time, _ in shares], [share for _, share in shares]))
    return found


def held(found: Lines, before: Lines, start: int) -> Lines:
    """Give each line the state that holds at the start, where it has none of its own there.

    >>> one = Line({"engine": "a"}, (20,), (2.0,))
    >>> [(line.times, line.values) for line in held(Lines([one]), Lines([Line(one.tags, (3,), (1.0,))]), 10)]
    [((10, 20), (1.0, 2.0))]
    """
    lines = {tuple(line.tags.values()): line for line in found}
    for last in before:
        name = tuple(last.tags.values())
        line = lines.get(name, Line(last.tags, (), ()))
        if not line.times or line.times[0] > start:
            lines[name] = Line(line.tags, (start, *line.times), (last.values[-1], *line.values))
    shown = [lines[name] for name in sorted(lines)]
    return Lines(shown[:MOST_LINES], max(found.of, before.of, len(shown)))


def over(frame: Frame, width: int) -> int:
    """Give up to when intervals of some milliseconds are over that are shown whole.

    >>> frame = Frame(0, 250, 240, 250)
    >>> over(frame, 100), over(replace(frame, now=199), 100)
    (200, 100)
    """
    return min(frame.end, frame.end if frame.now is None else frame.now) // width * width


def _needs_whole(asked: Asked) -> bool:
    return isinstance(asked, Ratio) or (isinstance(asked, Query) and asked.needs_whole)


def _grows(asked: Asked) -> bool:
    """Say whether growth from one interval to the next is asked for."""
    if isinstance(asked, Ratio):
        return _grows(asked.above) or _grows(asked.below)
    return isinstance(asked, Query) and asked.aggregate == "rate"


def _before(line: Line, last: int) -> Line:
    """Leave the last interval out, unless there is no other."""
    if len(line.times) > 1 and line.times[-1] >= last:
        return Line(line.tags, line.times[:-1], line.values[:-1])
    return line


def _aligned(time: int, interval: int | None) -> int:
    width = (interval or 0) * 1_000
    return time // width * width if width else time


def _placed(times: Sequence[int], values: Sequence[float], axis: Sequence[int]) -> list[float | None]:
    """Put values on a longer axis."""
    if len(times) == len(axis) and list(times) == list(axis):
        return list(values)
    by_time = dict(zip(times, values, strict=True))
    return [by_time.get(time) for time in axis]
