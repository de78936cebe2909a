from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from archiver.patience import Pace, PatientWriter
from archiver.sink import Broken, Busy, Refused
from engine.events import Emission, Metric

POINTS: list[Emission] = [Metric("records_total", n, float(n)) for n in range(3)]


class Planned:
    """A sink that fails as planned, and then takes everything but what it refuses."""

    name = "planned"

    def __init__(self, *failures: Exception, refuses: int = 0) -> None:
        self._failures = list(failures)
        self._refuses = refuses
        self.given: list[Sequence[Emission]] = []

    def write(self, emissions: Sequence[Emission]) -> Sequence[Refused]:
        """Fail, or refuse the first ones."""
        self.given.append(emissions)
        if self._failures:
            raise self._failures.pop(0)
        return [Refused(emission, "no") for emission in emissions[: self._refuses]]

    def close(self) -> None:
        """Hold nothing."""


class Pauses(threading.Event):
    """Notes how long it was waited for, and lets no time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Note it."""
        self.taken.append(timeout or 0.0)
        return self.is_set()


def writer_of(sink: Planned, pace: Pace) -> tuple[PatientWriter, list[float]]:
    """Make a writer for which no time passes, and show its pauses."""
    writer = PatientWriter(sink, pace=pace)
    pauses = Pauses()
    writer._stopping = pauses
    return writer, pauses.taken


def test_pauses_double_up_to_the_longest_and_half_of_each_is_chance() -> None:
    """After each Busy the pause lies between half and the whole of 1, 2, 4, 8, 8, ... seconds, never twice the same."""
    writer, pauses = writer_of(Planned(*[Busy() for _ in range(40)]), Pace(first=1, longest=8))
    refused = writer.write(POINTS)

    limits = [1.0, 2.0, 4.0, *[8.0] * 37]
    assert refused == []
    assert all(limit / 2 <= pause <= limit for pause, limit in zip(pauses, limits, strict=True))
    assert len(set(pauses)) == 40
    assert writer.retries == 40


def test_the_next_write_begins_with_a_short_pause_again() -> None:
    """A store that came back is met with fresh patience."""
    sink = Planned(Busy(), Busy(), Busy())
    writer, pauses = writer_of(sink, Pace(first=1, longest=8))
    writer.write(POINTS)
    sink._failures = [Busy()]
    writer.write(POINTS)

    assert pauses[2] >= 2
    assert pauses[3] <= 1


@pytest.mark.parametrize(("after", "least", "most"), [(120.0, 120.0, 120.0), (0.0, 0.5, 1.0), (0.6, 0.6, 1.0)])
def test_a_store_is_not_tried_before_it_said(after: float, least: float, most: float) -> None:
    """What the store asks for counts, where it is longer than the pause that was due."""
    writer, pauses = writer_of(Planned(Busy(after)), Pace(first=1, longest=8))
    writer.write(POINTS)

    assert least <= pauses[0] <= most


def test_each_failure_is_told_until_the_store_takes_it() -> None:
    """The state follows the tries, what went wrong last is remembered, and what came of it is counted."""
    sink = Planned(Busy(reason="full house"), Broken("no disk; bring one"), ZeroDivisionError("oh"), refuses=1)
    writer = PatientWriter(sink)
    seen: list[tuple[str, str, float | None]] = []

    class Seen(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            seen.append((writer.state, writer.error, timeout))
            return False

    writer._stopping = Seen()
    refused = writer.write(POINTS)

    assert [(state, error) for state, error, _ in seen] == [
        ("waiting", "full house"),
        ("broken", "no disk; bring one"),
        ("broken", "ZeroDivisionError: oh"),
    ]
    assert [pause for *_, pause in seen[1:]] == [60.0, 60.0]
    assert refused == [Refused(POINTS[0], "no")]
    assert (writer.state, writer.error) == ("going", "ZeroDivisionError: oh")
    assert (writer.written, writer.refused, writer.retries) == (2, 1, 3)
    assert sink.given == [POINTS] * 4


def test_the_log_tells_trouble_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    """However often a broken store is tried; another sentence is told too, and what any sink raises by its kind."""
    failures = [Broken("no bucket; make it")] * 5 + [Broken("no right; give it")] * 3
    bugs = [ZeroDivisionError(f"number {n}") for n in range(3)]
    writer, _ = writer_of(Planned(*failures, *bugs), Pace())
    writer.write(POINTS)
    writer.write(POINTS)

    meanwhile = "it is tried again, and nothing is lost meanwhile"
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", f"sink planned: no bucket; make it; {meanwhile}"),
        ("WARNING", f"sink planned: no right; give it; {meanwhile}"),
        ("WARNING", f"sink planned: ZeroDivisionError: number 0; {meanwhile}"),
        ("WARNING", "sink planned: it is well again"),
    ]


@pytest.mark.parametrize(("times", "told"), [(4, 0), (20, 2)])
def test_the_log_tells_only_of_a_store_that_is_busy_for_long(
    caplog: pytest.LogCaptureFixture, times: int, told: int
) -> None:
    """A few refusals for a moment are nothing; more than a minute of them is told, and that it is over."""
    writer, _ = writer_of(Planned(*[Busy(reason=f"try {n}") for n in range(times)]), Pace(first=1, longest=8))
    writer.write(POINTS)

    assert len(caplog.records) == told
    assert all("busy for 6" in record.getMessage() for record in caplog.records[:1])


def test_a_stopped_writer_gives_up_and_tries_nothing_more() -> None:
    """What was not written is told as None, so that nobody takes it for written."""
    sink = Planned(Busy(after=3_600))
    writer = PatientWriter(sink)
    given: list[object] = []
    thread = threading.Thread(target=lambda: given.append(writer.write(POINTS)))
    thread.start()
    writer.stop()
    thread.join(5)

    assert not thread.is_alive()
    assert given == [None]
    assert writer.write(POINTS) is None
    assert len(sink.given) <= 1
