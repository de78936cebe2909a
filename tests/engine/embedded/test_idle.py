from __future__ import annotations

from pathlib import Path

import pytest

from engine.embedded.idle import Idle
from engine.events import Message
from engine.memory import Memory
from engine.times import SECOND
from tests.engine.embedded.running import BEGUN, plan_of, report

TWO = """
workflow: test
streams:
  notify: {topic: notify, decode: sensors, idle_after: IDLE}
  other: {topic: other, decode: sensors}
monitors:
  - {use: health, from: notify, with: {silent_after: 30s}}
  - {use: health, name: other_health, from: other, with: {silent_after: 300s}}
archive: {topic: archive}
"""


class Case:
    """A workflow of two streams whose wall clock is moved by hand."""

    def __init__(self, folder: Path, idle_after: str = "5s") -> None:
        plan = plan_of(folder, TWO.replace("IDLE", idle_after))
        self.memory = Memory(plan)
        self.idle = Idle(plan, [self.memory.pipeline(group, 0) for group in plan.groups()], 0)
        self.offset = 0

    def came(self, second: float, wall: float, stream: str = "notify") -> None:
        """Apply a report at a second of the wall clock."""
        self.memory.apply(stream, [Message(stream, 0, self.offset, None, None, report(second))])
        self.offset += 1
        self.idle.came(stream, round(wall * SECOND))

    def tick(self, wall: float, waiting: tuple[str, ...] = ()) -> dict[str, float]:
        """Ask for a tick, in seconds after the beginning."""
        targets = self.idle.tick(round(wall * SECOND), waiting)
        return {stream: (time - BEGUN) / SECOND for stream, time in targets.items()}


def test_time_moves_by_the_wall_time_since_the_last_message(tmp_path: Path) -> None:
    """Never to the wall clock itself: a stream that is replayed late goes on from where it is."""
    case = Case(tmp_path)
    case.came(second=0, wall=1_000)

    assert case.tick(wall=1_029) == {}
    assert case.tick(wall=1_030) == {"notify": 30}
    assert case.tick(wall=1_031.5) == {"notify": 31.5}


def test_a_stream_that_is_not_idle_does_not_move(tmp_path: Path) -> None:
    """Not before `idle_after`, not while something of it waits, and not where ticks are off."""
    case = Case(tmp_path, "40s")
    case.came(second=0, wall=0)
    never = Case(tmp_path, "off")
    never.came(second=0, wall=0)

    assert case.tick(wall=39) == {}
    assert case.tick(wall=41, waiting=("notify",)) == {}
    assert case.tick(wall=41) == {"notify": 41}
    assert never.tick(wall=1_000_000) == {}


def test_a_message_begins_the_count_anew(tmp_path: Path) -> None:
    """What counts is the time since the last one, from the stream's time at that moment."""
    case = Case(tmp_path)
    case.came(second=0, wall=0)
    case.came(second=20, wall=100)

    assert case.tick(wall=104) == {}
    assert case.tick(wall=130) == {"notify": 50}


def test_time_without_a_process_does_not_count(tmp_path: Path) -> None:
    """After a restart the wall time begins with the new process."""
    case = Case(tmp_path)
    case.came(second=0, wall=0)

    idle = Idle(case.memory.plan, case.memory.pipelines, 1_000 * SECOND)

    assert idle.tick(1_029 * SECOND, ()) == {}
    assert idle.tick(1_030 * SECOND, ()) == {"notify": BEGUN + 30 * SECOND}


def test_a_stream_that_never_had_a_message_stays_without_time(tmp_path: Path) -> None:
    """There is nothing to move on from, and streams of other groups are not waited for."""
    case = Case(tmp_path)

    assert case.tick(wall=1_000) == {}
    case.came(second=0, wall=1_000, stream="other")
    assert case.tick(wall=1_200) == {}
    assert case.tick(wall=1_300) == {"other": 300}


def test_the_tick_of_a_stream_changes_nothing_twice(tmp_path: Path) -> None:
    """Once time was moved and what was due has fired, there is no tick for it any more."""
    case = Case(tmp_path)
    case.came(second=0, wall=0)
    targets = case.idle.tick(30 * SECOND, ())

    case.memory.move("notify", targets["notify"])

    assert case.idle.tick(31 * SECOND, ()) == {}


@pytest.mark.parametrize("passed", [0, 4.9])
def test_a_stream_is_live_until_idle_after(tmp_path: Path, passed: float) -> None:
    """Timers of a live stream wait for its next message."""
    case = Case(tmp_path)
    case.came(second=0, wall=0)
    case.came(second=29.5, wall=10)

    assert case.tick(wall=10 + passed) == {}
