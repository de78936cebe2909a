"""What the engines of the live demo consume: recorded arrivals, each with the next recorded value."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from engine.recording.files import open_input
from engine.recording.lines import Tick
from engine.times import DAY, SECOND
from manometer.demo.forecast import WEEK

ARRIVALS: Final = "data/demo-day.requests.jsonl.gz"
COUNTS: Final = "data/demo-taxi.csv.gz"
FIRST: Final = 9 * WEEK
"""Half hours after the first that was recorded, at which the engines begin: a quiet time, long after the training."""
BESIDE: Final = 48
"""Half hours by which each engine is ahead of the one before, so that no two tell the same numbers."""
MISFITS: Final = 0.012
"""Share of inputs that do not fit the schema."""
GARBLED: Final = 0.008
"""Share of inputs whose bytes are no JSON."""


class Arrival(msgspec.Struct, frozen=True):
    """One input before it has its time: when it comes, and what is in it."""

    at: float
    """Seconds since the recorded day began."""
    number: int
    half_hour: int
    """Of the week, 0 to 335."""
    passengers: int


def read_arrivals(path: Path) -> list[float]:
    """Read when the recorded requests came, in seconds since the recorded day began, which is midnight.

    Raises:
        InputError: the file cannot be read.
    """
    with open_input(path, "requests") as given:
        found = [item for batch in given.batches() for item in batch if not isinstance(item, Tick)]
    return [message.time % DAY / SECOND for message in found if message.time is not None]


def read_counts(path: Path) -> list[int]:
    """Read the recorded passengers of each half hour."""
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        return [int(line["value"]) for line in csv.DictReader(file)]


def share(times: Sequence[float], counts: Sequence[int], *, engine: int, engines: int) -> Iterator[Arrival]:
    """Give what one of several engines gets: every so-many-th arrival, with the counts in their order."""
    first = FIRST + BESIDE * engine
    for number, at in enumerate(islice(times, engine, None, engines)):
        half_hour = (first + number) % len(counts)
        yield Arrival(at, number, half_hour % WEEK, counts[half_hour])


class Wire:
    """Turns arrivals into the bytes that engines get; some do not fit, and some are no JSON at all."""

    def __init__(self, engine: str, seed: int) -> None:
        """Write for one engine; the same seed gives the same misfits."""
        self._engine = engine
        self._chance = Random(f"{seed} {engine}")  # noqa: S311 - a demo that repeats itself
        self._encode = msgspec.json.Encoder().encode

    def write(self, arrival: Arrival, time: int, *, twice: bool) -> bytes:
        """Write an input.

        Args:
            arrival: what came.
            time: when it came, in microseconds since 1970.
            twice: whether the feed counts some passengers twice.
        """
        passengers = arrival.passengers * self._chance.choice((1, 2) if twice else (1, 1))
        fields = {
            "time": time / SECOND,
            "id": f"{self._engine}-{arrival.number:05}",
            "engine": self._engine,
            "half_hour": arrival.half_hour,
            "passengers": passengers,
        }
        chance = self._chance.random()
        if chance < MISFITS:
            fields["passengers"] = f"{passengers:,}"
        whole = self._encode(fields)
        return whole.replace(b'"engine":"', b'"engine":"\xff') if chance > 1 - GARBLED else whole
