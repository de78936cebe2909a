"""What is sent to whom: what differs, as far back as it differs, once."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from archiver.sinks.sqlite import SqliteSink
from engine.events import Metric, Tags
from grafana.boards import boards
from manometer.board import view as views
from manometer.board.answering import Answer, Drawn
from manometer.board.asking import Watched
from manometer.board.reading import Ends, Lines, Reader, Table
from manometer.board.shown import Shown
from manometer.board.sqlite_reader import SqliteReader
from manometer.board.view import View
from manometer.cli.catalogue import declared

OLDEST = 0


def lines(start: int, *values: float | None, name: str = "e1") -> Answer:
    """Make an answer with one line: a value every 10 ms from a time on."""
    times = [start + 10 * place for place in range(len(values))]
    return Answer(
        board="b",
        panel=0,
        start=start,
        end=start + 10 * len(values),
        interval=10,
        shape="lines",
        times=times,
        lines=[Drawn(name, {"engine": name}, values)],
    )


def change(shown: Shown, answer: Answer, *, learn: bool = False) -> tuple[int, list[Any]] | None:
    """Give from when on a piece is, and its lines."""
    piece = shown.change(answer, OLDEST, learn=learn)
    if piece is None:
        return None
    found = json.loads(piece)
    return found["from"], [line["values"] for line in found["lines"]]


def test_what_has_not_changed_is_not_sent() -> None:
    """The same ends again, later or longer ago, are no news."""
    shown = Shown()

    assert change(shown, lines(60, 1.0, 2.0, 3.0)) == (60, [[1.0, 2.0, 3.0]])
    assert change(shown, lines(60, 1.0, 2.0, 3.0)) is None
    assert change(shown, lines(70, 2.0, 3.0)) is None


def test_numbers_of_the_same_hash_are_told_apart() -> None:
    """Python gives -1 and -2 the same."""
    shown = Shown()
    change(shown, lines(60, -1.0))

    assert change(shown, lines(60, -2.0)) == (60, [[-2.0]])


def test_what_has_changed_is_sent_to_the_end() -> None:
    """From the first time that differs on, and no more."""
    shown = Shown()
    change(shown, lines(50, 1.0, 2.0, 3.0))

    assert change(shown, lines(50, 1.0, 2.0, 3.0, 4.0)) == (80, [[4.0]])
    assert change(shown, lines(50, 1.0, 9.0, 3.0, 4.0)) == (60, [[9.0, 3.0, 4.0]])


def test_what_the_store_tells_of_is_news_however_old_it_is() -> None:
    """Points from before anything was known are sent, where they are known to be new."""
    shown = Shown()
    change(shown, lines(60, 0.6, 0.7))

    assert change(shown, lines(40, 0.4, 0.5, 0.6, 0.7)) == (40, [[0.4, 0.5, 0.6, 0.7]])


def test_what_was_before_anybody_looked_is_no_news() -> None:
    """Older parts of lines that are seen for the first time were loaded by the page already."""
    shown = Shown()
    change(shown, lines(60, 0.6, 0.7))

    assert change(shown, lines(0, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7), learn=True) is None
    assert change(shown, lines(0, 9.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7), learn=True) is not None


def test_a_line_that_goes_is_news() -> None:
    """A time at which there was a number and is none has changed."""
    shown = Shown()
    change(shown, lines(60, 0.6, 0.7))

    assert change(shown, lines(60, 0.6, None)) == (70, [])


class Nothing:
    """A reader of an empty store."""

    def lines(self, *_: object, **__: object) -> Lines:
        """Give none."""
        return Lines()

    def table(self, *_: object) -> Table:
        """Give none."""
        return Table(("time",), ())

    def choices(self, *_: object) -> list[str]:
        """Give none."""
        return []

    def newest(self) -> None:
        """Know none."""

    def version(self) -> int:
        """Never change."""
        return 0

    def ends(self, metrics: Collection[str]) -> Ends:
        """Give none."""
        return {}

    def close(self) -> None:
        """Hold nothing."""


def view() -> View:
    """Make a view of the board Overview."""
    reader: Reader = Nothing()
    board = boards(declared())[0]
    return View(Watched(board.uid, 60, 240, ()), board, reader)


def published(one: View, *numbers: int) -> None:
    """Publish a tick in which some panels changed."""
    one.publish(dict.fromkeys(numbers, b'"%d"' % one.number), {"now": 1})


def panels(text: bytes | None) -> list[dict[str, Any]]:
    """Give the panels of each tick of a text."""
    assert text is not None
    return [json.loads(event.partition(b"data: ")[2])["panels"] for event in text.split(b"\n\n")[:-1]]


def test_viewers_get_one_text() -> None:
    """Not equal ones: the same bytes, made once."""
    one = view()
    first, second = one.enter(), one.enter()
    published(one, 1)

    assert first.take() is second.take()
    assert first.take() == b""


def test_who_was_slow_gets_all_that_it_missed() -> None:
    """The ticks that all others have had, in their order, at once."""
    one = view()
    slow, quick = one.enter(), one.enter()
    published(one, 1, 2)
    slow.take(), quick.take()
    for number in (2, 3, 3):
        published(one, number)
        quick.take()

    assert panels(slow.take()) == [{"2": "1"}, {"3": "2"}, {"3": "3"}]
    assert slow.take() == quick.take() == b""


def test_who_missed_more_than_is_kept_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its browser comes back and loads everything; what is kept for all has a bound, whoever is slow."""
    monkeypatch.setattr(views, "KEPT_BYTES", 100)
    one = view()
    slow, quick = one.enter(), one.enter()
    published(one, 1)
    slow.take(), quick.take()
    last = None
    for _ in range(4):
        published(one, 1)
        last = quick.take()

    assert slow.take() is None
    assert panels(last) == [{"1": "4"}]


def test_who_comes_later_gets_all_there_is() -> None:
    """The ticks that may be missing in what the page loads, and then the last of each panel."""
    one = view()
    for number in (1, 2, 1):
        published(one, number)

    assert panels(one.enter().take())[-1] == {"1": "2", "2": "1"}
    assert panels(one.enter().take())[:-1] == [{"1": "0"}, {"2": "1"}, {"1": "2"}]


def test_trouble_is_told_once_and_its_end_too() -> None:
    """The same trouble again is no news; the next tick comes also where nothing has changed."""
    one = view()
    viewer = one.enter()
    one.tell(b"event: trouble\n\n")
    told = viewer.take()
    one.tell(b"event: trouble\n\n")

    assert (told, viewer.take()) == (b"event: trouble\n\n", b"")
    published(one)
    assert panels(viewer.take()) == [{}]


def test_a_series_that_is_late_is_news_at_once(tmp_path: Path) -> None:
    """An engine whose clock is behind by minutes: its newest point goes out with the next look, and nothing else."""
    sink, now = SqliteSink(tmp_path / "store.db"), 1_700_000_000_000
    board = boards(declared())[0]
    one = View(Watched(board.uid, 3_600, 240, ()), board, SqliteReader(tmp_path / "store.db"))

    def write(value: float, ago: int, engine: str) -> None:
        tags = Tags({"workflow": "w", "monitor": "resources", "model": "m", "engine": engine})
        sink.write([Metric("memory_bytes", (now - ago) * 1_000, value, tags)])

    write(1.0, 900_000, "behind")
    write(5.0, 1_000, "right")
    one.compute(now)
    write(2.0, 880_000, "behind")
    (piece,) = one.compute(now + 1_000).values()
    sink.close()

    found = json.loads(piece)
    assert found["from"] <= now - 880_000
    assert {line["name"]: line["values"][-1] for line in found["lines"]} == {"behind": None, "right": 5.0}
    assert 2.0 in found["lines"][0]["values"]
    assert one.compute(now + 2_000) == {}


def test_what_is_dear_rests(tmp_path: Path) -> None:
    """A panel that was asked rests as many times as long as it took; one that was not is asked as ever."""
    sink, now = SqliteSink(tmp_path / "store.db"), 1_700_000_000_000
    board = boards(declared())[0]
    one = View(Watched(board.uid, 3_600, 240, ()), board, SqliteReader(tmp_path / "store.db"))
    number = next(at for at, panel in enumerate(board.panels) if panel.title == "Memory bytes")

    def look(metric: str, after: int) -> bool:
        tags = Tags({"workflow": "w", "monitor": "resources", "model": "m", "engine": "e"})
        sink.write([Metric(metric, (now + after) * 1_000, float(after), tags)])
        return number in one.compute(now + after)

    assert look("memory_bytes", 1_000)
    assert not look("cpu_utilization", 2_000)
    one.spare(1e-9)
    assert look("memory_bytes", 3_000)
    one.spare(1e-9)
    assert not look("memory_bytes", 4_000)
    sink.close()


def test_an_empty_store_is_an_answer() -> None:
    """Every panel of the board is computed once, and is no news the second time."""
    one = view()
    one.compute(1_700_000_000_000)

    assert one.compute(1_700_000_000_000) == {}
    assert one.compute(1_700_000_000_000, complete=True) == {}
