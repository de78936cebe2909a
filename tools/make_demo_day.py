"""Makes the recordings in data/ from three public data sets: what the sensors of the demo day's engines sent.

    python -m tools.make_demo_day SOURCES TARGET

SOURCES is a folder in which the files that `tools/demo_truth.py` names lie, in any depth. The same sources give the
same lines; how files are compressed may differ between versions of zlib, so the sums that are printed are of the lines.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from engine.events import Message
from engine.recording.writer import RecordingWriter
from tools import demo_truth as truth
from tools.demo_truth import ENGINES, LENGTH, MINUTE, START_UP, at

SEED: Final = 20231116
DAY: Final = datetime(2023, 11, 16, tzinfo=timezone.utc)
DUPLICATES: Final = 160
LATE: Final = 70
GARBLED: Final = 7
DELAYS: Final = (3, 3, 4, 6, 11)
"""Milliseconds from a report until it is written to the topic."""


class Sensor(NamedTuple):
    """A scheduled reader of a tap."""

    engine: str
    tap: str
    period: int
    read: truth.Reading
    counts: bool = False


class Sent(NamedTuple):
    """A message and when it was written to its topic."""

    written: int
    key: str | None
    value: bytes


def moment(time: int) -> str:
    """Write a time as the sensors do."""
    return (DAY + timedelta(milliseconds=time)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def text(**fields: Any) -> bytes:
    """Write a JSON object as the sensors do."""
    return json.dumps(fields, separators=(",", ":")).encode()


def sensors(sources: Path) -> list[Sensor]:
    """Put sensors on all engines."""
    chance = Random(SEED)
    truths = {
        **truth.complete(truth.read_requests(sources), chance),
        **truth.train(sources),
        **truth.recommend(sources, chance),
    }
    made = []
    for engine, known in truths.items():
        size, period = (truth.BATCH, MINUTE) if engine.startswith("trainer") else (1, MINUTE)
        for tap in sorted(known.times):
            seldom = MINUTE if "rejected" in tap else MINUTE // 2
            made.append(Sensor(engine, tap, seldom, known.counter(tap, size), counts=True))
        share = truth.measured(sources, engine) if engine in truth.PROCESSORS else known.processor()
        made.append(Sensor(engine, "sys.cpu.utilization", period, share))
        made.append(Sensor(engine, "sys.memory", period, truth.memory(engine, Random(f"{SEED} {engine}"))))
    return made


def reports(sensor: Sensor, number: int, chance: Random) -> Iterator[Sent]:
    """Give the reports of one sensor; while an engine is cut off there are none."""
    for life in ENGINES[sensor.engine]:
        before = life.begin + START_UP
        time = before + chance.randrange(2_000, sensor.period)
        while time < life.end:
            fields: dict[str, Any] = {"timestamp": moment(time), "src": sensor.engine, "tap": sensor.tap, "id": number}
            if sensor.counts:
                fields["delta_time"] = (time - before) / 1_000
            value = text(type="sensor-report", **fields, data=sensor.read(before, time))
            yield Sent(time + chance.choice(DELAYS), sensor.engine, value)
            before, time = time, time + sensor.period + chance.randrange(-2, 3)


def states(engine: str) -> Iterator[Sent]:
    """Give what an engine tells of itself."""
    for life in ENGINES[engine]:
        told = [(life.begin, "init"), (life.begin + START_UP, "running")]
        if life.error is not None:
            begin, end = life.error
            told += [(begin, "error"), (end - START_UP, "init"), (end, "running")]
        if life.farewell is not None:
            told.append((life.end, life.farewell))
        for time, state in told:
            yield Sent(time + 3, engine, text(type="engine-state", timestamp=moment(time), src=engine, state=state))


def delivered(sent: Iterable[Sent], chance: Random) -> list[Sent]:
    """Deliver some messages twice and some late, garble a few, and cut one off."""
    whole = sorted(sent)
    chosen = chance.sample(range(2_000, len(whole)), DUPLICATES + LATE + GARBLED)
    for place in chosen[:DUPLICATES]:
        whole.append(whole[place]._replace(written=whole[place].written + chance.randrange(200, 9_000)))
    for place in chosen[DUPLICATES : DUPLICATES + LATE]:
        whole[place] = whole[place]._replace(written=whole[place].written + chance.randrange(40_000, 75_000))
    for place in chosen[DUPLICATES + LATE :]:
        value = whole[place].value
        whole[place] = whole[place]._replace(value=value.replace(b'src":"', b'src":"\xff\xfe'))
    cut = max(place for place, one in enumerate(whole) if one.key == "trainer-6" and one.written < at(13, 41))
    whole[cut] = whole[cut]._replace(value=whole[cut].value[:57])
    return sorted(map(wrong_clock, whole))


def wrong_clock(one: Sent) -> Sent:
    """Put the clock of completion-3 two hours ahead in the first minute after its restart."""
    if one.key == "completion-3" and at(9, 33, 7) <= one.written < at(9, 34):
        return one._replace(value=one.value.replace(b"T09:3", b"T11:3"))
    return one


def strangers(chance: Random) -> Iterator[Sent]:
    """Give what an old collector sends for a while, in a shape that nobody knows."""
    shapes: list[dict[str, Any]] = [
        {"type": "sensor-report", "tap": "sys.cpu.utilization", "data": "n/a"},
        {"type": "sensor-report", "data": 0.31},
        {"type": "sensor-report", "tap": truth.COUNT, "data": -1},
        {"type": "host-stats", "load": [0.7, 0.5, 0.4]},
    ]
    for time in range(at(16, 2), at(16, 20), MINUTE // 2):
        fields = {"timestamp": moment(time), "src": "recommender-2", **chance.choice(shapes)}
        yield Sent(time + chance.randrange(2, 30), "recommender-2", text(**fields))


def requests(sources: Path, chance: Random) -> Iterator[Sent]:
    """Give each request of the trace once, its time stretched over the day; a few are not what was agreed."""
    for number, (time, context, generated) in enumerate(truth.read_requests(sources)):
        stretched = time * LENGTH // truth.TRACE
        fields: dict[str, Any] = {"context_tokens": context, "generated_tokens": generated}
        if number % 600 == 599:
            fields["context_tokens"] = str(context)
        if number % 900 == 899:
            del fields["generated_tokens"]
        value = text(time=moment(stretched), id=f"r{number:05}", **fields)
        yield Sent(stretched + chance.randrange(15, 250), f"r{number:05}", value)


def write(path: Path, topic: str, sent: Sequence[Sent]) -> None:
    """Write a recording, and print its number of messages and the sum of its lines."""
    begin = int(DAY.timestamp()) * 1_000
    with RecordingWriter(path) as writer:
        for offset, one in enumerate(sent):
            key = None if one.key is None else one.key.encode()
            writer.write(Message(topic, 0, offset, (begin + one.written) * 1_000, key, one.value))
    digest = hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
    sys.stdout.write(f"{path.name}: {len(sent)} messages, {path.stat().st_size} bytes, lines have sha256 {digest}\n")


def main(sources: Path, target: Path) -> None:
    """Make both recordings."""
    chance = Random(SEED)
    sent = [message for number, sensor in enumerate(sensors(sources)) for message in reports(sensor, number, chance)]
    sent += [message for engine in ENGINES for message in states(engine)]
    write(target / "demo-day.notify.jsonl.gz", "notify", sorted([*delivered(sent, chance), *strangers(chance)]))
    write(target / "demo-day.requests.jsonl.gz", "requests", sorted(requests(sources, chance)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
