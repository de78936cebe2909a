"""What happened on the demo day: when records came to which engine, and what its processor and memory did.

Truth first: only what is decided here goes into the reports that tools/make_demo_day.py writes. Which parts are
measured and which are made up stands in data/README.md.
"""

from __future__ import annotations

import csv
import gzip
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

FILES: Final = {
    "requests": "AzureLLMInferenceTrace_code.csv.gz",
    "batches": "job_1_norm.csv.gz",
    "arrivals": "data/realAWSCloudwatch/elb_request_count_8c0756.csv.gz",
    "busy": "data/realAWSCloudwatch/ec2_cpu_utilization_825cc2.csv.gz",
    "steady": "data/realAWSCloudwatch/ec2_cpu_utilization_5f5533.csv.gz",
}
"""The files of the sources, as they were published, compressed."""

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
"""Times are milliseconds since the day began."""
LENGTH: Final = 24 * HOUR
TRACE: Final = 3_436_000
"""Milliseconds that the trace of requests goes over."""
START_UP: Final = 6_000
"""Milliseconds from the first word of an engine until it works."""
TOKEN: Final = 20
"""Milliseconds until a generated token is answered."""
TOKEN_CPU: Final = 12
"""Milliseconds of the processor that a generated token takes."""
TOO_LONG: Final = 7_430
"""Requests with so many tokens do not fit the input schema of the model."""
BATCH: Final = 256
"""Records in a mini-batch."""
UNIT: Final = 4
"""Milliseconds that one unit of the normalised batch time stands for."""

COUNT: Final = "manifold.0.records.count"
ANSWERS: Final = "manifold.1.records.count"
SCHEMA: Final = "manifold.0.records.rejected.by.schema"
ENCODING: Final = "manifold.0.records.rejected.by.encoding"

Reading = Callable[[int, int], float]
"""Gives what a sensor reports of the time after the first and up to the second time."""
Request = tuple[int, int, int]
"""Time, tokens in, tokens out."""


class Life(NamedTuple):
    """One run of an engine."""

    begin: int
    end: int = LENGTH
    farewell: str | None = None
    """The state it tells when it leaves; None when it is cut off, or runs on."""
    error: tuple[int, int] | None = None
    """From when to when it is in error."""

    def works(self, time: int) -> bool:
        """Say whether it takes records."""
        failed = self.error is not None and self.error[0] <= time < self.error[1]
        return self.begin + START_UP <= time < self.end and not failed


def at(hours: int, minutes: int = 0, seconds: int = 0) -> int:
    """Give a time of the day."""
    return (hours * 60 + minutes) * MINUTE + seconds * 1_000


ENGINES: Final = {
    "completion-1": (Life(900),),
    "completion-2": (Life(1_400, error=(at(6, 9, 17), at(6, 21, 40))),),
    "completion-3": (Life(1_100, at(9, 30), "stopped"), Life(at(9, 33))),
    "recommender-1": (Life(2_100),),
    "recommender-2": (Life(2_300),),
    "trainer-0": (Life(at(2, 10), at(19, 40), "stopped"),),
    "trainer-3": (Life(at(2, 10, 1), at(19, 40, 2), "stopped"),),
    "trainer-6": (Life(at(2, 10, 3), at(13, 41)), Life(at(14, 26), at(19, 40, 3), "stopped")),
    "trainer-7": (Life(at(2, 10, 4), at(19, 40, 5), "stopped"),),
}

PROCESSORS: Final = {
    "recommender-1": ("busy", "2014-04-16"),
    "recommender-2": ("steady", "2014-02-19"),
    "trainer-0": ("steady", "2014-02-20"),
    "trainer-3": ("steady", "2014-02-21"),
    "trainer-6": ("steady", "2014-02-23"),
    "trainer-7": ("steady", "2014-02-24"),
}
"""Which measured day of a processor an engine has; the others follow from their records."""


class Truth:
    """What happened in one engine: when records were read, answered and rejected, and how many tokens were made."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.times: dict[str, list[int]] = {}
        self.tokens: list[tuple[int, int]] = []

    def add(self, tap: str, time: int) -> None:
        """Note a record."""
        self.times.setdefault(tap, []).append(time)

    def counter(self, tap: str, size: int) -> Reading:
        """Give what counts the records of a tap, `size` for each time."""
        times = sorted(self.times[tap])
        return lambda after, until: (bisect_right(times, until) - bisect_right(times, after)) * size

    def processor(self) -> Reading:
        """Give what tells the share of the processor that the generated tokens take, and a little always."""
        times = [time for time, _ in sorted(self.tokens)]
        sums = [0, *accumulate(tokens for _, tokens in sorted(self.tokens))]

        def share(after: int, until: int) -> float:
            made = sums[bisect_right(times, until)] - sums[bisect_right(times, after)]
            return round(min(1.0, 0.03 + made * TOKEN_CPU / (until - after)), 3)

        return share


def table(sources: Path, name: str) -> list[dict[str, str]]:
    """Read one file of the sources, wherever it lies in the folder."""
    (path,) = sources.rglob(FILES[name])
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


def read_requests(sources: Path) -> list[Request]:
    """Read the requests of the trace; time is milliseconds since the first."""
    lines = table(sources, "requests")
    times = [datetime.fromisoformat(line["TIMESTAMP"][:26]) for line in lines]
    sizes = [(int(line["ContextTokens"]), int(line["GeneratedTokens"])) for line in lines]
    since = [(time - times[0]) // timedelta(milliseconds=1) for time in times]
    return [(time, *size) for time, size in zip(since, sizes, strict=True)]


def slow_motion(requests: Sequence[Request]) -> Iterator[Request]:
    """Fill each minute of the day with a minute of the trace, each of which begins 2.35 s later in the trace."""
    times = [time for time, _, _ in requests]
    for minute in range(24 * 60):
        begin = minute * (TRACE - MINUTE) // (24 * 60 - 1)
        for time, context, generated in requests[bisect_right(times, begin) : bisect_right(times, begin + MINUTE)]:
            yield minute * MINUTE + time - begin, context, generated


def complete(requests: Sequence[Request], chance: Random) -> dict[str, Truth]:
    """Give each request to one of the engines that work."""
    truths = {engine: Truth() for engine in ENGINES if engine.startswith("completion")}
    for time, context, generated in slow_motion(requests):
        ready = [engine for engine in truths if any(life.works(time) for life in ENGINES[engine])]
        if not ready:
            continue
        truth = truths[chance.choice(ready)]
        truth.add(COUNT, time)
        if context >= TOO_LONG:
            truth.add(SCHEMA, time)
        elif chance.random() < 1 / 2_000:
            truth.add(ENCODING, time)
        else:
            answered = time + generated * TOKEN
            truth.add(ANSWERS, answered)
            truth.tokens.append((answered, generated))
    return truths


def train(sources: Path) -> dict[str, Truth]:
    """Let the workers of the training job go through their mini-batches, in slow motion too."""
    lines = table(sources, "batches")
    truths = {engine: Truth() for engine in ENGINES if engine.startswith("trainer")}
    for engine, truth in truths.items():
        durations = [int(line["batch_time_norm"]) * UNIT for line in lines if line["worker"] == engine[-1]]
        for life in ENGINES[engine]:
            time = life.begin + 5 * START_UP
            while time < life.end:
                minute, inside = divmod(time - at(2, 10), MINUTE)
                time += durations[minute * (len(durations) - 40) // (18 * 60) + inside // 1_800]
                truth.add(COUNT, time)
    return truths


def recommend(sources: Path, chance: Random) -> dict[str, Truth]:
    """Spread the measured number of requests of each five minutes over them, and over the engines."""
    truths = {engine: Truth() for engine in ENGINES if engine.startswith("recommender")}
    for begin, value in steps(sources, "arrivals", "2014-04-16"):
        for _ in range(int(value)):
            time = begin + chance.randrange(5 * MINUTE)
            truth = truths[chance.choice(sorted(truths))]
            truth.add(COUNT, time)
            if chance.random() < 1 / 250:
                truth.add(SCHEMA, time)
    return truths


def steps(sources: Path, name: str, date: str) -> list[tuple[int, float]]:
    """Read the five-minute values of one day: when each begins, and the value."""
    lines = [line for line in table(sources, name) if line["timestamp"].startswith(date)]
    times = [at(int(line["timestamp"][11:13]), int(line["timestamp"][14:16])) for line in lines]
    return [(time, float(line["value"])) for time, line in zip(times, lines, strict=True)]


def measured(sources: Path, engine: str) -> Reading:
    """Give what tells the share of the processor: the newest of the measured values."""
    values = steps(sources, *PROCESSORS[engine])
    times = [time for time, _ in values]
    return lambda _, until: round(values[max(0, bisect_right(times, until) - 1)][1] / 100, 4)


def memory(engine: str, chance: Random) -> Reading:
    """Give what tells memory in bytes: steady, but completion-2 loses 1.9 GB an hour from 03:00 until it fails."""
    size = {"c": 9_600, "r": 2_300, "t": 12_100}[engine[0]]

    def read(_: int, until: int) -> float:
        leaks = engine == "completion-2" and at(3) < until < at(6, 21, 30)
        leak = (until - at(3)) / HOUR * 1_900 if leaks else 0
        return int(size + leak + chance.randrange(160)) * 1_000_000

    return read
