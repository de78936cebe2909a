"""Ticks from the archive stand in a recording where they happened: behind the messages that had been applied."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.events import Message
from engine.recording.lines import Tick, read_line, write_message
from engine.ticks import write_tick
from manometer.recorded_ticks import Ticks
from tests.kafka.working import plan_of
from tests.manometer.on_kafka import keys

SECOND = 1_000_000


def told(times: Mapping[str, int], offsets: Mapping[str, int], *, partition: int = 0, workflow: str = "w") -> Message:
    """Make a message of the archive that tells a tick."""
    headers = {"workflow": workflow, "group": "notify", "cause": "tick", "partition": str(partition)}
    pairs = [(name, text.encode()) for name, text in headers.items()]
    return Message("archive", 0, 0, None, None, b"[]", (*pairs, ("tick", write_tick(times, offsets))))


def placed(folder: Path, archive: list[Message], messages: list[tuple[int, int]], **starts: int) -> list[str]:
    """Put ticks among messages of (partition, offset); gives them as texts, a tick as its partition and seconds."""
    plan = plan_of(folder, keys("w"))[0]
    ticks = Ticks(plan, {"notify": "w.notify"})
    ticks.take(archive)
    lines = [write_message(Message("w.notify", partition, offset, None, None, b"{}")) for partition, offset in messages]
    begins = {int(name[1:]): start for name, start in starts.items()}
    found = [read_line(line) for line in ticks.among("notify", lines, begins)]
    assert all(one.group == "notify" for one in found if isinstance(one, Tick))
    return [
        f"tick {one.partition}@{one.time // SECOND}" if isinstance(one, Tick) else f"{one.partition}/{one.offset}"
        for one in found
    ]


def test_ticks_stand_before_the_next_message(tmp_path: Path) -> None:
    """Of their partition, over holes, in the order of their times; one that was told twice stands once."""
    archive = [
        told({"notify": 5 * SECOND}, {"notify": 2}),
        told({"notify": 7 * SECOND}, {"notify": 2}),
        told({"notify": 5 * SECOND}, {"notify": 2}),
        told({"notify": 6 * SECOND}, {"notify": 1}, partition=1),
        told({"notify": 9 * SECOND}, {"notify": 4}),
        told({"notify": 1 * SECOND}, {"notify": 1}, workflow="another"),
    ]

    found = placed(tmp_path, archive, [(0, 0), (1, 0), (0, 1), (0, 3), (1, 1)])

    assert found == ["0/0", "1/0", "0/1", "tick 0@5", "tick 0@7", "0/3", "tick 1@6", "1/1", "tick 0@9"]


def test_ticks_without_their_messages_are_left_out(tmp_path: Path) -> None:
    """Those of messages that left the log, and those behind what was recorded; of a stream without any all stay."""
    archive = [
        told({"notify": 5 * SECOND}, {"notify": 3}),
        told({"notify": 7 * SECOND}, {"notify": 12}),
        told({"notify": 8 * SECOND}, {}, partition=1),
    ]

    assert placed(tmp_path, archive, [(0, 10)], p0=10) == ["0/10", "tick 1@8"]
